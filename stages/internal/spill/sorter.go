// Package spill sorts more records than fit into memory: bounded runs are sorted
// and go to one scratch file, and are merged at the end. Records have a fixed
// size and may be split into groups, each of which is read back by itself.
package spill

import (
	"cmp"
	"math"
	"slices"
	"unsafe"

	"dag/engine/stage"
)

const (
	// chunkRecords is by how many records the memory grows.
	chunkRecords = 1024
	// gatherRecords is how many sorted records are handed on at once.
	gatherRecords = 64
	// movesPerKey is up to what disorder moving keys beats sorting them.
	movesPerKey = 8
)

// Key is what records are sorted by: TS, then Seq, then Tie in the order of the
// layout. Records equal in all three stay in the order they were added.
type Key struct {
	TS  uint64
	Seq uint32
	Tie uint32
	pos int32 // of the record within its run; makes any sort a stable one
}

// Layout describes the records of a sort.
type Layout struct {
	Size int                   // of every record, in bytes
	Key  func(rec []byte) Key  // of a record; it gets all bytes from the record on
	Ties func(a, b uint32) int // compares Ties as cmp.Compare does; nil: they do not count
}

// PerRecord is the memory that a record takes until it is spilled: itself, its
// key twice, its group.
func (l *Layout) PerRecord() int { return l.Size + 2*int(unsafe.Sizeof(Key{})) + 4 }

// compare leaves the order of equal records open.
func (l *Layout) compare(a, b Key) int {
	switch {
	case a.TS != b.TS:
		return cmp.Compare(a.TS, b.TS)
	case a.Seq != b.Seq:
		return cmp.Compare(a.Seq, b.Seq)
	case l.Ties == nil || a.Tie == b.Tie:
		return 0
	}
	return l.Ties(a.Tie, b.Tie)
}

// total is the order of the records of a run.
func (l *Layout) total(a, b Key) int {
	if c := l.compare(a, b); c != 0 {
		return c
	}
	return cmp.Compare(a.pos, b.pos)
}

// sort puts keys in their total order. Records mostly come in order but for a
// few that are late by a little: those are moved up one by one, and only if that
// takes more than movesPerKey steps a key all are sorted.
func (l *Layout) sort(keys []Key) {
	moves := movesPerKey * len(keys)
	for i := 1; i < len(keys); i++ {
		k, at := keys[i], i
		for ; at > 0 && moves > 0 && l.total(k, keys[at-1]) < 0; at-- {
			keys[at] = keys[at-1]
			moves--
		}
		keys[at] = k
		if moves == 0 {
			slices.SortFunc(keys, l.total)
			return
		}
	}
}

// Scratch gives out files to spill to; a stage.Task is one.
type Scratch interface {
	Scratch() (stage.ScratchFile, error)
}

// Sorter takes records in input order and returns those of each group sorted.
// It holds a run of records; a full run is sorted and spilled to one scratch
// file, group after group. Merging reads with the same memory. It is for one
// goroutine.
type Sorter struct {
	layout  Layout
	scratch Scratch
	budget  int // bytes
	limit   int // records of a run

	chunks [][]byte // the run's records in input order, chunkRecords each
	keys   []Key    // of the run's records, in input order
	groups []int32  // of the run's records
	runs   []int    // records of each group in the run
	totals []int    // records of each group, spilled ones included

	grouped []Key // keys by group, made by group
	ends    []int // where each group's keys end in grouped

	spill    stage.ScratchFile // nil until a run is full
	spilled  int64             // bytes in it
	segments [][]segment       // by group, in input order
	gather   []byte
}

// segment is the records of a group in one spilled run.
type segment struct {
	offset  int64
	records int
	first   Key
}

// NewSorter returns a sorter that stays within budget bytes, or one record if
// that is more. Close it when done.
func NewSorter(scratch Scratch, layout Layout, budget int) *Sorter {
	return &Sorter{
		layout: layout, scratch: scratch, budget: budget,
		limit:  max(1, min(budget/layout.PerRecord(), math.MaxInt32)),
		gather: make([]byte, 0, gatherRecords*layout.Size),
	}
}

// Add copies a record in. Groups are numbered from 0.
func (s *Sorter) Add(group int32, rec []byte) error {
	n := len(s.keys)
	if n == s.limit {
		if err := s.spillRun(); err != nil {
			return err
		}
		n = 0
	}
	for int(group) >= len(s.totals) {
		s.runs, s.totals, s.segments = append(s.runs, 0), append(s.totals, 0), append(s.segments, nil)
	}
	if n/chunkRecords == len(s.chunks) {
		s.chunks = append(s.chunks, make([]byte, min(chunkRecords, s.limit-n)*s.layout.Size))
	}
	k := s.layout.Key(rec)
	k.pos = int32(n)
	s.keys, s.groups = append(s.keys, k), append(s.groups, group)
	s.runs[group]++
	s.totals[group]++
	copy(s.at(k.pos), rec)
	return nil
}

// at is a record of the run.
func (s *Sorter) at(pos int32) []byte {
	return s.chunks[pos/chunkRecords][int(pos%chunkRecords)*s.layout.Size:][:s.layout.Size]
}

// Records counts what a group has.
func (s *Sorter) Records(group int32) int {
	if int(group) >= len(s.totals) {
		return 0
	}
	return s.totals[group]
}

// group puts the keys of the run group by group, each in input order.
func (s *Sorter) group() {
	s.grouped = slices.Grow(s.grouped[:0], len(s.keys))[:len(s.keys)]
	s.ends = s.ends[:0]
	start := 0
	for _, n := range s.runs {
		s.ends = append(s.ends, start)
		start += n
	}
	for i, k := range s.keys {
		at := &s.ends[s.groups[i]]
		s.grouped[*at] = k
		*at++
	}
}

// fromRun yields the run's records of a group, sorted, in blocks, and returns
// their keys. The run must have been grouped.
func (s *Sorter) fromRun(group int, emit func(block []byte) error) ([]Key, error) {
	end := s.ends[group]
	keys := s.grouped[end-s.runs[group] : end]
	s.layout.sort(keys)
	block := s.gather[:0]
	for _, k := range keys {
		block = append(block, s.at(k.pos)...)
		if len(block) == cap(block) {
			if err := emit(block); err != nil {
				return nil, err
			}
			block = block[:0]
		}
	}
	if len(block) > 0 {
		return keys, emit(block)
	}
	return keys, nil
}

// spillRun writes the run to the scratch file and begins another.
func (s *Sorter) spillRun() error {
	if s.spill == nil {
		f, err := s.scratch.Scratch()
		if err != nil {
			return err
		}
		s.spill = f
	}
	s.group()
	for id, n := range s.runs {
		if n == 0 {
			continue
		}
		start := s.spilled
		keys, err := s.fromRun(id, func(block []byte) error {
			n, err := s.spill.Write(block)
			s.spilled += int64(n)
			return err
		})
		if err != nil {
			return err
		}
		s.segments[id] = append(s.segments[id], segment{offset: start, records: n, first: keys[0]})
	}
	s.keys, s.groups = s.keys[:0], s.groups[:0]
	clear(s.runs)
	return nil
}

// Finish ends the input. If anything was spilled, the last run is too, and its
// memory is free for merging.
func (s *Sorter) Finish() error {
	if s.spill == nil {
		s.group()
		return nil
	}
	if err := s.spillRun(); err != nil {
		return err
	}
	s.chunks, s.keys, s.groups, s.grouped = nil, nil, nil, nil
	return nil
}

// Sorted yields all records of a group in order, in blocks of whole records
// that are good until emit returns. Finish must have been called. A group
// without records yields nothing.
func (s *Sorter) Sorted(group int32, emit func(block []byte) error) error {
	if s.Records(group) == 0 {
		return nil
	}
	if s.spill == nil {
		_, err := s.fromRun(int(group), emit)
		return err
	}
	m := merger{layout: &s.layout, src: s.spill, budget: s.budget}
	return m.merge(s.segments[group], emit)
}

// Close lets go of the scratch file, which the engine removes.
func (s *Sorter) Close() {
	if s.spill != nil {
		s.spill.Close() // it only served this sort
	}
}
