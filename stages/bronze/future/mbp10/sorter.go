package mbp10

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"dag/engine/stage"
	"dag/stages/internal/dbn"
	"dag/stages/internal/mbp10"
)

const (
	recordSize = mbp10.RecordSize
	// chunkRecords is by how many records the memory grows.
	chunkRecords = 1024
	// gatherRecords is how many sorted records are handed on at once.
	gatherRecords = 64
	// perRecord is what a record takes: itself, its key twice, its contract.
	perRecord = recordSize + 2*16 + 4
)

// key is what records are sorted by. The position makes the order total, so
// that any sort is a stable one.
type key struct {
	ts  uint64
	seq uint32
	pos int32 // of the record within its run
}

func (k key) compare(o key) int {
	return cmp.Or(cmp.Compare(k.ts, o.ts), cmp.Compare(k.seq, o.seq), cmp.Compare(k.pos, o.pos))
}

// after tells whether k comes after o whatever their positions.
func (k key) after(o key) bool { return k.ts > o.ts || k.ts == o.ts && k.seq > o.seq }

func keyOf(rec []byte) key {
	return key{ts: dbn.TsEvent(rec), seq: binary.LittleEndian.Uint32(rec[atSeq:])}
}

// sorter takes records in input order and returns those of each contract
// sorted. It holds a run of records; a full run is sorted and spilled to one
// scratch file, contract after contract. Merging reads with the same memory.
type sorter struct {
	task   stage.Task
	budget int // bytes
	limit  int // records of a run

	chunks [][]byte // the run's records in input order, chunkRecords each
	keys   []key    // of the run's records, in input order
	ids    []int32  // their contracts
	runs   []int    // records of each contract in the run
	totals []int    // records of each contract, spilled ones included

	grouped []key // keys by contract, made by group
	ends    []int // where each contract's keys end in grouped

	spill    stage.ScratchFile // nil until a run is full
	spilled  int64             // bytes in it
	segments [][]segment       // by contract, in input order
	gather   []byte
}

// segment is the records of a contract in one spilled run.
type segment struct {
	offset  int64
	records int
	first   key
}

func newSorter(t stage.Task, budget int) *sorter {
	return &sorter{task: t, budget: budget, limit: min(budget/perRecord, math.MaxInt32), gather: make([]byte, 0, gatherRecords*recordSize)}
}

// add copies a record in. Contracts are numbered from 0.
func (s *sorter) add(contract int32, rec []byte) error {
	n := len(s.keys)
	if n == s.limit {
		if err := s.spillRun(); err != nil {
			return err
		}
		n = 0
	}
	for int(contract) >= len(s.totals) {
		s.runs, s.totals, s.segments = append(s.runs, 0), append(s.totals, 0), append(s.segments, nil)
	}
	if n/chunkRecords == len(s.chunks) {
		s.chunks = append(s.chunks, make([]byte, min(chunkRecords, s.limit-n)*recordSize))
	}
	k := keyOf(rec)
	k.pos = int32(n)
	s.keys, s.ids = append(s.keys, k), append(s.ids, contract)
	s.runs[contract]++
	s.totals[contract]++
	copy(s.at(k.pos), rec)
	return nil
}

// at is a record of the run.
func (s *sorter) at(pos int32) []byte {
	return s.chunks[pos/chunkRecords][int(pos%chunkRecords)*recordSize:][:recordSize]
}

// records counts what a contract has.
func (s *sorter) records(contract int32) int {
	if int(contract) >= len(s.totals) {
		return 0
	}
	return s.totals[contract]
}

// group puts the keys of the run contract by contract, each in input order.
func (s *sorter) group() {
	s.grouped = slices.Grow(s.grouped[:0], len(s.keys))[:len(s.keys)]
	s.ends = s.ends[:0]
	start := 0
	for _, n := range s.runs {
		s.ends = append(s.ends, start)
		start += n
	}
	for i, k := range s.keys {
		at := &s.ends[s.ids[i]]
		s.grouped[*at] = k
		*at++
	}
}

// fromRun yields the run's records of a contract, sorted, in blocks, and
// returns their keys. The run must have been grouped.
func (s *sorter) fromRun(contract int, emit func(block []byte) error) ([]key, error) {
	end := s.ends[contract]
	keys := s.grouped[end-s.runs[contract] : end]
	if !slices.IsSortedFunc(keys, key.compare) {
		slices.SortFunc(keys, key.compare)
	}
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
func (s *sorter) spillRun() error {
	if s.spill == nil {
		f, err := s.task.Scratch()
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
	s.keys, s.ids = s.keys[:0], s.ids[:0]
	clear(s.runs)
	return nil
}

// finish ends the input. If anything was spilled, the last run is too, and its
// memory is free for merging.
func (s *sorter) finish() error {
	if s.spill == nil {
		s.group()
		return nil
	}
	if err := s.spillRun(); err != nil {
		return err
	}
	s.chunks, s.keys, s.ids, s.grouped = nil, nil, nil, nil
	return nil
}

// sorted yields all records of a contract in order, in blocks of whole records
// that are good until emit returns. finish must have been called, and the
// contract have records.
func (s *sorter) sorted(contract int32, emit func(block []byte) error) error {
	if s.spill == nil {
		_, err := s.fromRun(int(contract), emit)
		return err
	}
	return merge(s.spill, s.segments[contract], s.budget, emit)
}

// close lets go of the scratch file, which the engine removes.
func (s *sorter) close() {
	if s.spill != nil {
		s.spill.Close() // it only served this run
	}
}
