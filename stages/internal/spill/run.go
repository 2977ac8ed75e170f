package spill

import "slices"

// run is as many records as are sorted at once.
type run struct {
	layout Layout
	limit  int // of records

	chunks [][]byte // the records in input order, chunkRecords each
	keys   []Key    // of the records, in input order
	groups []int32  // of the records
	counts []int    // records of each group

	grouped []Key // keys by group, made by group
	ends    []int // where each group's keys end in grouped
	gather  []byte
}

func newRun(layout Layout, limit int) *run { return &run{layout: layout, limit: limit} }

func (r *run) len() int { return len(r.keys) }

func (r *run) add(group int32, rec []byte) {
	n := len(r.keys)
	for int(group) >= len(r.counts) {
		r.counts = append(r.counts, 0)
	}
	if n/chunkRecords == len(r.chunks) {
		r.chunks = append(r.chunks, make([]byte, min(chunkRecords, r.limit-n)*r.layout.Size))
	}
	k := r.layout.Key(rec)
	k.pos = int32(n)
	r.keys, r.groups = append(r.keys, k), append(r.groups, group)
	r.counts[group]++
	copy(r.at(k.pos), rec)
}

// at is a record.
func (r *run) at(pos int32) []byte {
	return r.chunks[pos/chunkRecords][int(pos%chunkRecords)*r.layout.Size:][:r.layout.Size]
}

func (r *run) reset() {
	r.keys, r.groups = r.keys[:0], r.groups[:0]
	clear(r.counts)
}

// group puts the keys group by group, each in input order.
func (r *run) group() {
	r.grouped = slices.Grow(r.grouped[:0], len(r.keys))[:len(r.keys)]
	r.ends = r.ends[:0]
	start := 0
	for _, n := range r.counts {
		r.ends = append(r.ends, start)
		start += n
	}
	for i, k := range r.keys {
		at := &r.ends[r.groups[i]]
		r.grouped[*at] = k
		*at++
	}
}

// sorted returns the keys of a group in order. The run must have been grouped.
func (r *run) sorted(group int) []Key {
	end := r.ends[group]
	keys := r.grouped[end-r.counts[group] : end]
	r.layout.sort(keys)
	return keys
}

// emit yields the records of a group, sorted, in blocks.
func (r *run) emit(group int, emit func(block []byte) error) error {
	if r.gather == nil {
		r.gather = make([]byte, 0, gatherRecords*r.layout.Size)
	}
	block := r.gather
	for _, k := range r.sorted(group) {
		block = append(block, r.at(k.pos)...)
		if len(block) == cap(block) {
			if err := emit(block); err != nil {
				return err
			}
			block = block[:0]
		}
	}
	if len(block) > 0 {
		return emit(block)
	}
	return nil
}
