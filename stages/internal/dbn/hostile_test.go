package dbn_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"

	"dag/stages/internal/dbn"
)

// readAll reads a file to its end and returns copies of its records, also those
// before an error.
func readAll(src io.Reader, name string) (dbn.Metadata, [][]byte, error) {
	return readSome(src, name, math.MaxInt)
}

// readSome is readAll that stops after limit records.
func readSome(src io.Reader, name string, limit int) (dbn.Metadata, [][]byte, error) {
	r, err := dbn.NewReader(src, name)
	if err != nil {
		return dbn.Metadata{}, nil, err
	}
	defer r.Close()
	var recs [][]byte
	for len(recs) < limit {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return r.Metadata, recs, err
		}
		recs = append(recs, bytes.Clone(rec))
	}
	return r.Metadata, recs, nil
}

func testdata(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// edit is data with the bytes at an offset replaced.
func edit(data []byte, at int, by ...byte) []byte {
	out := bytes.Clone(data)
	copy(out[at:], by)
	return out
}

func u32(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }

func compress(tb testing.TB, data []byte, opts ...zstd.EOption) []byte {
	tb.Helper()
	enc, err := zstd.NewWriter(nil, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	defer enc.Close()
	return enc.EncodeAll(data, nil)
}

// Offsets in test_data.mbp-10.dbn, which is of version 2, with one symbol and
// one mapping of one interval.
const (
	atVersion    = 3
	atLength     = 4
	atSymbolSize = 8 + 45
	atDefinition = 8 + 100
	atSymbols    = atDefinition + 4
	atPartial    = atSymbols + 4 + 71
	atMappings   = atPartial + 8
	atIntervals  = atMappings + 4 + 71
	atRecords    = atIntervals + 4 + 8 + 71
)

// brokenFile is what is wrong with a file, where, and what the error says of it.
type brokenFile struct {
	name string
	data []byte
	at   int64 // -1: somewhere
	want string
}

func brokenFiles(t *testing.T) []brokenFile {
	good := testdata(t, "test_data.mbp-10.dbn")
	packed := compress(t, good)
	return []brokenFile{
		{"empty", nil, 0, "the file is empty"},
		{"two bytes", good[:2], 0, "needs 8 bytes and has 2"},
		{"text", []byte("ts_recv,price\n"), 0, "not a DBN file"},
		{"one byte of something else", []byte{0}, 0, "needs 8 bytes and has 1"},
		{"parquet", []byte("PAR1\x00\x00\x00\x00"), 0, `begins with 50 41 52 31 00 00 00 00 instead of "DBN"`},
		{"fragment", good[atRecords:], 0, "looks like a fragment"},
		{"fragment of definitions", testdata(t, "test_data.definition.v3.dbn.frag"), 0, "looks like a fragment"},
		{"before DBN", testdata(t, "test_data.mbp-10.dbz"), 0, "the file is in DBZ"},
		{"version 0", edit(good, atVersion, 0), 3, "version 0 of DBN is not known; versions 1 to 3 are"},
		{"version 4", edit(good, atVersion, 4), 3, "version 4 of DBN"},
		{"short metadata", edit(good, atLength, u32(99)...), 4, "the metadata claims 99 bytes; it has from 100 to"},
		{"no room for lists", edit(good, atLength, u32(100)...), 108, "the length of the schema definition needs 4 bytes, and 0 are left"},
		{"immense metadata", edit(good, atLength, u32(math.MaxUint32)...), 4, "the metadata claims 4294967295 bytes"},
		{"long metadata", edit(good, atLength, u32(200<<20)...), int64(len(good)), "the file ends inside the metadata"},
		{"no symbol size", edit(good, atSymbolSize, 0, 0), atSymbolSize, "symbols of 0 bytes; they have 22 or more"},
		{"large symbol size", edit(good, atSymbolSize, 0xFF, 0xFF), atSymbols, "it claims 1 symbols of at least 65535 bytes each"},
		{"immense definition", edit(good, atDefinition, u32(math.MaxUint32)...), atSymbols, "the schema definition needs 4294967295 bytes"},
		{"immense symbols", edit(good, atSymbols, u32(math.MaxUint32)...), atSymbols, "it claims 4294967295 symbols of at least 71 bytes each"},
		{"symbols beyond the end", edit(good, atSymbols, u32(4)...), atSymbols, "it claims 4 symbols of at least 71 bytes each, and 237 bytes are left"},
		{"immense partial", edit(good, atPartial, u32(1<<31)...), atPartial, "it claims 2147483648 partial symbols"},
		{"immense mappings", edit(good, atMappings, u32(60_000_000)...), atMappings, "it claims 60000000 mappings of at least 75 bytes each"},
		{"immense intervals", edit(good, atIntervals, u32(2)...), atIntervals, "it claims 2 intervals of at least 79 bytes each, and 79 bytes are left"},
		{"symbol that is no text", edit(good, atSymbols+4, 0xFF), atSymbols + 4, "not UTF-8 text"},
		{"record of no bytes", edit(good, atRecords, 0), atRecords, "record 0 claims 0 bytes, fewer than the 16 of its header"},
		{"record of 12 bytes", edit(good, atRecords+368, 3), atRecords + 368, "record 1 claims 12 bytes"},
		{"record beyond the end", edit(good, atRecords+368, 255), atRecords + 368, "ends inside record 1, which needs 1020 bytes and has 368"},
		{"half a header", append(bytes.Clone(good), 4, 0, 0, 0, 0, 0, 0), int64(len(good)), "ends inside the header of record 2, which needs 16 bytes and has 7"},
		{"zstd of nothing", compress(t, nil, zstd.WithZeroFrames(true)), 0, "the file is empty"},
		{"zstd of text", compress(t, []byte("ts_recv,price\n")), 0, "not a DBN file"},
		{"zstd flipped", edit(packed, len(packed)/2, packed[len(packed)/2]^0xFF), -1, "zstd"},
		{"zstd checksum", edit(packed, len(packed)-1, packed[len(packed)-1]^0xFF), -1, "the zstd data of"},
		{"zstd and a rest", append(bytes.Clone(packed), good...), int64(len(good)), "the zstd data of the header of record 2 is damaged"},
		{"zstd window", []byte{0x28, 0xB5, 0x2F, 0xFD, 0x00, 0xF8, 0x01, 0, 0, 0}, 0, "window of more than"},
	}
}

func TestBrokenFiles(t *testing.T) {
	for _, c := range brokenFiles(t) {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := readAll(bytes.NewReader(c.data), "raw/a.dbn")
			var broken *dbn.FormatError
			if !errors.As(err, &broken) {
				t.Fatalf("error %v, want a *FormatError", err)
			}
			if broken.Name != "raw/a.dbn" || c.at >= 0 && broken.Offset != c.at || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %q at %d, want %q at %d", err, broken.Offset, c.want, c.at)
			}
			if !strings.HasPrefix(err.Error(), "raw/a.dbn: at byte ") {
				t.Errorf("error %q does not begin with its place", err)
			}
		})
	}
}

func TestEveryTruncationIsAnError(t *testing.T) {
	for _, name := range []string{"test_data.mbp-10.dbn", "test_data.mbp-10.v1.dbn.zst", "test_data.mbp-10.v3.dbn.zst", "test_data.live.dbn.zst"} {
		data := testdata(t, name)
		meta, whole, err := readAll(bytes.NewReader(data), name)
		if err != nil {
			t.Fatal(err)
		}
		ends := map[int]bool{} // where a plain file may end
		if filepath.Ext(name) == ".dbn" {
			head, err := meta.Encode()
			if err != nil {
				t.Fatal(err)
			}
			for i, at := 0, len(head); i < len(whole); i++ {
				ends[at] = true
				at += len(whole[i])
			}
		}
		for n := range data {
			_, recs, err := readAll(bytes.NewReader(data[:n]), name)
			var broken *dbn.FormatError
			switch {
			case ends[n] && err == nil:
			case !errors.As(err, &broken) || !errors.Is(err, io.ErrUnexpectedEOF):
				t.Errorf("%s cut to %d bytes: error %v, want that it is cut off", name, n, err)
			case len(recs) > len(whole):
				t.Errorf("%s cut to %d bytes: %d records of %d", name, n, len(recs), len(whole))
			}
		}
	}
}

// TestEveryByteChanged wants no panic and no record out of nothing.
func TestEveryByteChanged(t *testing.T) {
	good := testdata(t, "test_data.mbp-10.dbn")
	for at := range good {
		for _, by := range []byte{0, 0xFF} {
			_, recs, err := readAll(bytes.NewReader(edit(good, at, by)), "changed")
			size := 0
			for _, rec := range recs {
				size += len(rec)
			}
			if size > len(good)-116 || err == nil && size == 0 {
				t.Fatalf("byte %d as %#x: records of %d bytes, error %v", at, by, size, err)
			}
		}
	}
}

// TestFalseLengthCostsNothing reads a head that claims 250 MB and is not there.
func TestFalseLengthCostsNothing(t *testing.T) {
	data := edit(testdata(t, "test_data.mbp-10.dbn"), atLength, u32(250<<20)...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, _, err := readAll(bytes.NewReader(data), "huge"); err == nil {
		t.Fatal("no error")
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 4<<20 {
		t.Errorf("%d bytes allocated", got)
	}
}

func TestReaderOfTheCaller(t *testing.T) {
	good := testdata(t, "test_data.mbp-10.dbn")
	_, want, err := readAll(bytes.NewReader(good), "good")
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"plain": good, "zstd": compress(t, good)} {
		for _, src := range []io.Reader{iotest.OneByteReader(bytes.NewReader(data)), iotest.DataErrReader(bytes.NewReader(data))} {
			_, got, err := readAll(src, name)
			if err != nil || len(got) != len(want) {
				t.Errorf("%s: %d records, error %v", name, len(got), err)
			}
		}
		lost := errors.New("the disk is gone")
		for _, n := range []int{0, 4, 100, len(data) - 20} {
			src := io.MultiReader(bytes.NewReader(data[:n]), iotest.ErrReader(lost))
			if _, _, err := readAll(src, name); !errors.Is(err, lost) {
				t.Errorf("%s: error %v after %d bytes, want that of the reader", name, err, n)
			}
		}
	}
	if _, _, err := readAll(io.MultiReader(bytes.NewReader(good[:500]), neverReady{}), "stuck"); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("error %v, want no progress", err)
	}
}

type neverReady struct{}

func (neverReady) Read([]byte) (int, error) { return 0, nil }

func TestErrorsStay(t *testing.T) {
	good := testdata(t, "test_data.mbp-10.dbn")
	for _, c := range []struct {
		data []byte
		want error
	}{{good, io.EOF}, {good[:len(good)-1], io.ErrUnexpectedEOF}} {
		r, err := dbn.NewReader(bytes.NewReader(c.data), "a.dbn")
		if err != nil {
			t.Fatal(err)
		}
		for err = nil; err == nil; {
			_, err = r.Next()
		}
		records, offset := r.Records(), r.Offset()
		_, again := r.Next()
		if !errors.Is(err, c.want) || !errors.Is(again, c.want) || r.Records() != records || r.Offset() != offset {
			t.Errorf("errors %v and %v, want %v", err, again, c.want)
		}
		if err := errors.Join(r.Close(), r.Close()); err != nil {
			t.Error(err)
		}
	}
}
