// Package spill sorts more records than fit into memory: bounded runs are sorted
// and go to one scratch file, and are merged at the end. Records have a fixed
// size and may be split into groups, each of which is read back by itself.
package spill

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"unsafe"

	"dag/engine/parallel"
	"dag/engine/stage"
)

const (
	// chunkRecords is by how many records the memory grows.
	chunkRecords = 1024
	// gatherRecords is how many sorted records are handed on at once.
	gatherRecords = 64
	// writeBytes is from how many bytes on they are written.
	writeBytes = 256 << 10
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
	Size int                   // of every record, in bytes: whole words of 8
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
// It holds two runs of records: while one is filled, the other, which is full, is
// sorted and spilled to one scratch file, group after group. Merging reads with
// the same memory. It is for one goroutine.
type Sorter struct {
	layout  Layout
	scratch Scratch
	budget  int // bytes
	limit   int // records of a run

	run    *run         // being filled
	other  *run         // free, or being spilled; nil until a run is full
	busy   func() error // waits for the end of spilling; nil while nothing is spilled
	err    error        // the first of spilling: nothing works after it
	totals []int        // records of each group, spilled ones included

	spill    stage.ScratchFile // nil until a run is full
	spilled  int64             // bytes in it
	segments [][]segment       // by group, in input order
	encoded  []byte
}

// segment is the records of a group in one spilled run.
type segment struct {
	offset  int64
	bytes   int64
	records int
	first   Key
}

// NewSorter returns a sorter whose records stay within budget bytes, or two records
// if that is more; half a megabyte is for writing them. Close it when done.
func NewSorter(scratch Scratch, layout Layout, budget int) *Sorter {
	if layout.Size%wordBytes != 0 {
		panic(fmt.Sprintf("spill: records of %d bytes are not of whole words", layout.Size))
	}
	limit := max(1, min(budget/2/layout.PerRecord(), math.MaxInt32))
	return &Sorter{layout: layout, scratch: scratch, budget: budget, limit: limit, run: newRun(layout, limit)}
}

// Add copies a record in. Groups are numbered from 0.
func (s *Sorter) Add(group int32, rec []byte) error {
	if s.run.len() == s.limit {
		if err := s.spillRun(); err != nil {
			return err
		}
	}
	for int(group) >= len(s.totals) {
		s.totals = append(s.totals, 0)
	}
	s.totals[group]++
	s.run.add(group, rec)
	return nil
}

// Records counts what a group has.
func (s *Sorter) Records(group int32) int {
	if int(group) >= len(s.totals) {
		return 0
	}
	return s.totals[group]
}

// spillRun leaves the run to a goroutine and goes on with the other, once that has
// been spilled.
func (s *Sorter) spillRun() error {
	if err := s.wait(); err != nil {
		return err
	}
	if s.spill == nil {
		f, err := s.scratch.Scratch()
		if err != nil {
			return err
		}
		s.spill, s.other = f, newRun(s.layout, s.limit)
	}
	full := s.run
	s.run, s.other = s.other, full
	s.busy = parallel.Go(func() error { return s.write(full) })
	return nil
}

// wait returns once nothing is being spilled.
func (s *Sorter) wait() error {
	if s.busy == nil {
		return s.err
	}
	wait := s.busy
	s.busy = nil
	s.err = wait()
	return s.err
}

// write appends a run to the scratch file and empties it.
func (s *Sorter) write(r *run) error {
	r.group()
	for group, n := range r.counts {
		for len(s.segments) <= group {
			s.segments = append(s.segments, nil)
		}
		if n == 0 {
			continue
		}
		keys := r.sorted(group)
		start := s.spilled
		if err := s.writeRecords(r, keys); err != nil {
			return err
		}
		s.segments[group] = append(s.segments[group], segment{offset: start, bytes: s.spilled - start, records: n, first: keys[0]})
	}
	r.reset()
	return nil
}

// writeRecords writes the records of the keys, each as what it changes of the one before.
func (s *Sorter) writeRecords(r *run, keys []Key) error {
	before := make([]byte, s.layout.Size)
	out := s.encoded[:0]
	for i, k := range keys {
		rec := r.at(k.pos)
		out = appendChanges(out, before, rec)
		before = rec
		if len(out) < writeBytes && i < len(keys)-1 {
			continue
		}
		n, err := s.spill.Write(out)
		s.spilled += int64(n)
		if err != nil {
			return err
		}
		out = out[:0]
	}
	s.encoded = out
	return nil
}

// Finish ends the input. If anything was spilled, the last run is too, and its
// memory is free for merging.
func (s *Sorter) Finish() error {
	if s.spill == nil {
		s.run.group()
		return nil
	}
	if err := s.spillRun(); err != nil {
		return err
	}
	err := s.wait()
	s.run, s.other, s.encoded = nil, nil, nil
	return err
}

// Sorted yields all records of a group in order, in blocks of whole records
// that are good until emit returns. Finish must have been called. A group
// without records yields nothing.
func (s *Sorter) Sorted(group int32, emit func(block []byte) error) error {
	if s.Records(group) == 0 {
		return nil
	}
	if s.spill == nil {
		return s.run.emit(int(group), emit)
	}
	m := merger{layout: &s.layout, src: s.spill, budget: s.budget}
	return m.merge(s.segments[group], emit)
}

// Close lets go of the scratch file, which the engine removes.
func (s *Sorter) Close() {
	s.wait() // its error ended the sort, or does not matter any more
	if s.spill != nil {
		s.spill.Close() // it only served this sort
	}
}
