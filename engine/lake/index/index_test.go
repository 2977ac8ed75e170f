package index

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/manifest"
)

func sample() []Series {
	return []Series{
		{Keys: "symbol=ESU5", Entries: []Entry{
			{Stamp{1, 2}, manifest.Trace{Day: -3, State: manifest.Incomplete}},
			{Stamp{1 << 60, -5}, manifest.Trace{Day: 20_000, State: manifest.Complete, Fingerprint: manifest.Sum{1}, Digest: manifest.Sum{2}, Rows: 1 << 40, Bytes: 7}},
		}},
		{Keys: "", Files: []File{{Name: "a.dbn", Size: 9, Digest: manifest.Sum{3}, Stamp: Stamp{4, 5}}, {Name: "b"}}},
		{Keys: "symbol=ESZ5"},
	}
}

func TestRoundTrip(t *testing.T) {
	got, err := Decode(Encode(sample()))
	if err != nil || !reflect.DeepEqual(got, sample()) {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := Decode(Encode(nil)); err != nil || len(got) != 0 {
		t.Error(got, err)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := Series{Keys: addr.Keys(rapid.String().Draw(t, "keys"))}
		for _, d := range rapid.SliceOfNDistinct(rapid.Int32(), 1, 9, rapid.ID[int32]).Draw(t, "days") {
			at, _ := s.Find(calendar.Day(d))
			e := Entry{Stamp{rapid.Uint64().Draw(t, "inode"), rapid.Int64().Draw(t, "mtime")}, manifest.Trace{Day: calendar.Day(d), Rows: rapid.Int64().Draw(t, "rows")}}
			s.Entries = append(s.Entries[:at], append([]Entry{e}, s.Entries[at:]...)...)
		}
		got, err := Decode(Encode([]Series{s}))
		if err != nil || !reflect.DeepEqual(got, []Series{s}) {
			t.Fatalf("%+v %v", got, err)
		}
		for i, e := range s.Entries {
			if at, ok := got[0].Find(e.Day); !ok || at != i {
				t.Fatalf("day %d is found at %d, %v", e.Day, at, ok)
			}
		}
	})
}

// TestDamage: every flipped bit and every cut is noticed.
func TestDamage(t *testing.T) {
	good := Encode(sample())
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1 << (i % 8)
		if _, err := Decode(bad); err == nil {
			t.Fatalf("byte %d may be changed", i)
		}
		if _, err := Decode(good[:i]); err == nil {
			t.Fatalf("it may be cut at %d", i)
		}
	}
	other := bytes.Clone(good)
	other[len(magic)]++
	binary.LittleEndian.PutUint32(other[len(other)-4:], crc32.Checksum(other[:len(other)-4], castagnoli))
	if _, err := Decode(other); err == nil {
		t.Error("another version is read")
	}
	unordered := []Series{{Entries: []Entry{{}, {}}}}
	if _, err := Decode(Encode(unordered)); err == nil {
		t.Error("days out of order are read")
	}
}

// FuzzDecode: what has a right checksum still cannot make Decode panic or
// allocate without end.
func FuzzDecode(f *testing.F) {
	f.Add(Encode(sample()))
	f.Add(Encode(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4 { // make the checksum right, so that the rest is reached
			b = bytes.Clone(b)
			binary.LittleEndian.PutUint32(b[len(b)-4:], crc32.Checksum(b[:len(b)-4], castagnoli))
		}
		s, err := Decode(b)
		if err == nil && !bytes.Equal(Encode(s), b) {
			t.Fatal("decoded to something else")
		}
	})
}
