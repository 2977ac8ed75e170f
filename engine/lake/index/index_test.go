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

func sample() []*Series {
	dated := &Series{Keys: "symbol=ESU5", Folder: Stamp{8, 9}}
	dated.Append(Entry{Stamp{1, 2}, manifest.Trace{Day: -3, State: manifest.Incomplete}})
	dated.Append(Entry{Stamp{1 << 60, -5}, manifest.Trace{Day: 20_000, State: manifest.Complete, Fingerprint: manifest.Sum{1}, Digest: manifest.Sum{2}, Rows: 1 << 40, Bytes: 7}})
	return []*Series{
		dated,
		{Keys: "", Files: []File{{Name: "a.dbn", Size: 9, Digest: manifest.Sum{3}, Stamp: Stamp{4, 5}}, {Name: "b"}}},
		{Keys: "symbol=ESZ5"},
	}
}

func encoded(t interface{ Fatal(...any) }, series []*Series) []byte {
	b, err := Encode(series)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// decode reads all there is.
func decode(b []byte) ([]*Series, error) {
	series, err := Read(bytes.NewReader(b), int64(len(b)))
	for _, s := range series {
		if err := s.Load(); err != nil {
			return nil, err
		}
	}
	return series, err
}

func TestRoundTrip(t *testing.T) {
	b := encoded(t, sample())
	got, err := decode(b)
	if err != nil || !reflect.DeepEqual(got, sample()) {
		t.Errorf("%+v %v", got, err)
	}
	unloaded, err := Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if s := unloaded[0]; s.First != -3 || s.Last != 20_000 || s.Folder != (Stamp{8, 9}) || s.Traces != nil {
		t.Errorf("before it is loaded: %+v", s)
	}
	if again := encoded(t, unloaded); !bytes.Equal(again, b) {
		t.Error("a series that was not loaded is written otherwise")
	}
	if got, err := decode(encoded(t, nil)); err != nil || len(got) != 0 {
		t.Error(got, err)
	}
}

// TestPut: entries put in any order are found, kept in order and read back, and
// what was shared before stays as it was.
func TestPut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &Series{Keys: addr.Keys(rapid.String().Draw(t, "keys"))}
		want := map[calendar.Day]Entry{}
		for _, d := range rapid.SliceOfN(rapid.Int32Range(-3, 9), 1, 9).Draw(t, "days") {
			e := Entry{Stamp{rapid.Uint64().Draw(t, "inode"), rapid.Int64().Draw(t, "mtime")}, manifest.Trace{Day: calendar.Day(d), Rows: rapid.Int64().Draw(t, "rows")}}
			before := s.Share()
			kept := append([]manifest.Trace(nil), before...)
			s.Put(e)
			want[e.Day] = e
			if !reflect.DeepEqual(append([]manifest.Trace(nil), before...), kept) {
				t.Fatal("shared traces have changed")
			}
		}
		got, err := decode(encoded(t, []*Series{s}))
		if err != nil || len(got[0].Traces) != len(want) || got[0].First != s.Traces[0].Day {
			t.Fatalf("%+v %v", got, err)
		}
		for day, e := range want {
			if at, ok := got[0].Find(day); !ok || got[0].Entry(at) != e {
				t.Fatalf("day %d is found at %d, %v", day, at, ok)
			}
		}
	})
}

func TestFiles(t *testing.T) {
	s := &Series{}
	for _, name := range []string{"b", "a", "c", "a"} {
		s.PutFile(File{Name: name, Size: int64(len(s.Files))})
	}
	if f, ok := s.File("a"); !ok || f.Size != 3 || len(s.Files) != 3 {
		t.Errorf("%+v", s.Files)
	}
	if _, ok := s.File("x"); ok {
		t.Error("x is there")
	}
}

// TestDamage: every flipped bit and every cut is noticed.
func TestDamage(t *testing.T) {
	good := encoded(t, sample())
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1 << (i % 8)
		if _, err := decode(bad); err == nil {
			t.Fatalf("byte %d may be changed", i)
		}
		if _, err := decode(good[:i]); err == nil {
			t.Fatalf("it may be cut at %d", i)
		}
	}
	other := bytes.Clone(good)
	other[len(magic)]++
	if _, err := decode(sealed(other)); err == nil {
		t.Error("another version is read")
	}
	unordered := &Series{Stamps: make([]Stamp, 2), Traces: make([]manifest.Trace, 2)}
	if _, err := decode(encoded(t, []*Series{unordered})); err == nil {
		t.Error("days out of order are read")
	}
	damaged := bytes.Clone(good)
	damaged[len(damaged)-1]++
	series, err := Read(bytes.NewReader(damaged), int64(len(damaged)))
	if err != nil {
		t.Fatal(err)
	}
	if err := series[1].Load(); err == nil || series[1].Files != nil || series[1].Load() != nil {
		t.Error("a damaged block leaves something behind")
	}
}

// sealed makes the checksums right, as far as the sizes in b allow.
func sealed(b []byte) []byte {
	le := binary.LittleEndian
	if len(b) < headerSize {
		return b
	}
	end := int64(headerSize) + int64(le.Uint32(b[headerSize-4:]))
	if end+4 > int64(len(b)) {
		return b
	}
	r, at := reader{b: b[headerSize:end]}, end+4
	for len(r.b) > 0 && !r.short {
		r.text()
		r.take(16 + 2*4 + 2*4)
		size := int64(r.u32())
		crc := r.take(4)
		if r.short || at+size > int64(len(b)) {
			break
		}
		le.PutUint32(crc, crc32.Checksum(b[at:at+size], castagnoli))
		at += size
	}
	le.PutUint32(b[end:], crc32.Checksum(b[:end], castagnoli))
	return b
}

// FuzzDecode: what has right checksums still cannot make Read panic or allocate
// without end.
func FuzzDecode(f *testing.F) {
	f.Add(encoded(f, sample()))
	f.Add(encoded(f, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		b = sealed(bytes.Clone(b))
		s, err := decode(b)
		if err == nil && !bytes.Equal(encoded(t, s), b) {
			t.Fatal("decoded to something else")
		}
	})
}
