package spill

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dag/engine/stage"
)

const recordSize = 40

// folder is a Scratch that makes files in a folder.
type folder string

func (f folder) Scratch() (stage.ScratchFile, error) {
	return os.Create(filepath.Join(string(f), "scratch"))
}

// record is a record of a time and a sequence; tie and value tell it apart from
// others of its key.
func record(ts uint64, seq, tie uint32, value uint64) []byte {
	le := binary.LittleEndian
	rec := le.AppendUint64(make([]byte, 0, recordSize), ts)
	rec = le.AppendUint32(le.AppendUint32(rec, seq), tie)
	return append(le.AppendUint64(rec, value), make([]byte, 16)...)
}

func keyOf(rec []byte) Key {
	le := binary.LittleEndian
	return Key{TS: le.Uint64(rec), Seq: le.Uint32(rec[8:]), Tie: le.Uint32(rec[12:])}
}

// names of ties: their order is not that of the numbers.
var names = []string{"m", "z", "a", "k"}

func byName(a, b uint32) int { return strings.Compare(names[a], names[b]) }

func layout(ties func(a, b uint32) int) Layout {
	return Layout{Size: recordSize, Key: keyOf, Ties: ties}
}

// pattern draws times of n records: in order, in order but for a few, or in any.
func pattern(rt *rapid.T, n int) []uint64 {
	disorder := rapid.SampledFrom([]uint64{0, 3, 40, 2000}).Draw(rt, "disorder")
	ties := rapid.SampledFrom([]uint64{1, 4}).Draw(rt, "ties")
	seed := rapid.Uint64().Draw(rt, "seed")
	out := make([]uint64, n)
	for i := range out {
		seed = seed*6364136223846793005 + 1442695040888963407
		out[i] = uint64(i) / ties
		if disorder > 0 {
			out[i] += seed >> 33 % disorder
		}
	}
	return out
}

// want is the stable sort of the library.
func want(list [][]byte, ties func(a, b uint32) int) [][]byte {
	if ties == nil {
		ties = func(a, b uint32) int { return 0 }
	}
	slices.SortStableFunc(list, func(a, b []byte) int {
		x, y := keyOf(a), keyOf(b)
		return cmp.Or(cmp.Compare(x.TS, y.TS), cmp.Compare(x.Seq, y.Seq), ties(x.Tie, y.Tie))
	})
	return list
}

// expect reads a group and holds it to a list.
func expect(s *Sorter, group int32, list [][]byte) error {
	if s.Records(group) != len(list) {
		return fmt.Errorf("group %d has %d records, want %d", group, s.Records(group), len(list))
	}
	i := 0
	err := s.Sorted(group, func(block []byte) error {
		for ; len(block) > 0; block = block[recordSize:] {
			if i == len(list) || !slices.Equal(block[:recordSize], list[i]) {
				return fmt.Errorf("group %d: record %d of %d is not the one of a stable sort", group, i, len(list))
			}
			i++
		}
		return nil
	})
	if err == nil && i != len(list) {
		err = fmt.Errorf("group %d: %d of %d records", group, i, len(list))
	}
	return err
}

// TestMemoryDoesNotMatter compares sorts within little memory, which spill many
// runs, with the stable sort of the library.
func TestMemoryDoesNotMatter(t *testing.T) {
	dir := folder(t.TempDir())
	rapid.Check(t, func(rt *rapid.T) {
		var ties func(a, b uint32) int
		if rapid.Bool().Draw(rt, "ties count") {
			ties = byName
		}
		l := layout(ties)
		perRun := rapid.SampledFrom([]int{1, 7, 200, 100_000}).Draw(rt, "records of a run")
		n := rapid.IntRange(0, min(12*perRun, 3000)).Draw(rt, "records")
		groups := rapid.IntRange(1, 5).Draw(rt, "groups")
		s := NewSorter(dir, l, 2*perRun*l.PerRecord())
		defer s.Close()
		lists := make([][][]byte, groups)
		for i, ts := range pattern(rt, n) {
			group := i * 7 % 11 % groups
			rec := record(ts, uint32(i*13%3), uint32(i*5%7)%4, uint64(i))
			lists[group] = append(lists[group], rec)
			if err := s.Add(int32(group), rec); err != nil {
				rt.Fatal(err)
			}
		}
		if err := s.Finish(); err != nil {
			rt.Fatal(err)
		}
		if spilled := s.spill != nil; spilled != (n > perRun) {
			rt.Fatalf("%d records of %d a run: spilled is %v", n, perRun, spilled)
		}
		for group, list := range lists {
			if err := expect(s, int32(group), want(list, ties)); err != nil {
				rt.Fatal(err)
			}
		}
	})
}

// full is a sorter that has spilled.
func full(t *testing.T, records int) *Sorter {
	t.Helper()
	l := layout(nil)
	s := NewSorter(folder(t.TempDir()), l, records/2*l.PerRecord())
	t.Cleanup(s.Close)
	for i := range records {
		if err := s.Add(0, record(uint64(i), 0, 0, 0)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestScratchThatIsCutOff is an error, not a lack of records.
func TestScratchThatIsCutOff(t *testing.T) {
	s := full(t, 400)
	last := &s.segments[0][len(s.segments[0])-1]
	for what, change := range map[string]func(by int){
		"records": func(by int) { last.records += by },
		"bytes":   func(by int) { last.bytes += int64(by) },
	} {
		by := map[string]int{"records": 1, "bytes": 1 << 20}[what]
		change(by)
		if err := s.Sorted(0, func([]byte) error { return nil }); err == nil || !strings.Contains(err.Error(), "scratch file ends") {
			t.Errorf("a segment with more %s than the file: %v", what, err)
		}
		change(-by)
	}
}

// broken is a Scratch whose files take n bytes.
type broken struct{ n int }

func (b *broken) Scratch() (stage.ScratchFile, error) { return b, nil }

func (b *broken) Write(p []byte) (int, error) {
	if b.n -= len(p); b.n < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func (*broken) Read([]byte) (int, error)          { return 0, io.EOF }
func (*broken) ReadAt([]byte, int64) (int, error) { return 0, io.EOF }
func (*broken) Seek(int64, int) (int64, error)    { return 0, nil }
func (*broken) Close() error                      { return nil }

var errFull = errors.New("the disk is full")

// TestSpillingFails: the error comes with a later record or at the end, and stays.
func TestSpillingFails(t *testing.T) {
	l := layout(nil)
	for _, room := range []int{0, 5 * recordSize, 20 * recordSize} {
		s := NewSorter(&broken{room}, l, 20*l.PerRecord())
		var err error
		for i := 0; i < 60 && err == nil; i++ {
			err = s.Add(0, record(uint64(i), 0, 0, uint64(i)))
		}
		if room < 20*recordSize && !errors.Is(err, errFull) {
			t.Errorf("room for %d bytes: records are taken on and on, %v", room, err)
		}
		for range 2 {
			if err := s.Finish(); !errors.Is(err, errFull) {
				t.Errorf("room for %d bytes: the end is %v", room, err)
			}
		}
		s.Close()
	}
}

// TestEmitCanStop passes the error of the one who reads on.
func TestEmitCanStop(t *testing.T) {
	stop := fmt.Errorf("enough")
	if err := full(t, 400).Sorted(0, func([]byte) error { return stop }); err != stop {
		t.Errorf("error %v", err)
	}
}

func TestAddAllocatesNothing(t *testing.T) {
	l := layout(nil)
	s := NewSorter(folder(t.TempDir()), l, 4000*l.PerRecord())
	rec := record(1, 2, 3, 4)
	for range s.limit {
		if err := s.Add(0, rec); err != nil {
			t.Fatal(err)
		}
	}
	s.run.reset()
	allocs := testing.AllocsPerRun(s.limit-2, func() {
		if err := s.Add(0, rec); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations for a record", allocs)
	}
}
