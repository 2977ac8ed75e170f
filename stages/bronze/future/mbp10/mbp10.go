// Package mbp10 splits the vendor's MBP-10 files of a day into the book events
// of each outright contract: spec 02 §A with its defects B-1 to B-10 decided by
// spec 00. Both semantics give the same rows.
//
// Kept are mbp-10 records whose ts_recv falls on the UTC day dt (B-5), whose
// instrument is mapped to an outright of the root (B-3, B-8), and whose best bid
// is below the best ask where both are there (B-4). Everything left out is
// counted: records_read is the sum of records_kept and all dropped_ metrics but
// dropped_crossed_trades, which is a part of dropped_crossed.
//
// Rows are sorted stably by (ts_event, sequence); ties stay in the order of the
// records, files in the order of their names (B-2). Memory stays within
// sort_memory whatever the size of the files: what does not fit goes to a scratch
// file in sorted runs, which are merged at the end.
package mbp10

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"

	"dag/engine/parallel"
	"dag/engine/stage"
	"dag/stages/internal/dbn"
	"dag/stages/internal/mbp10"
	"dag/stages/internal/spill"
)

const (
	batchRows     = 16_384 // a page of what is written, which is encoded where it lies
	minSortMemory = 64 << 10
)

// New returns the transform.
func New() stage.Transform { return transform{} }

type transform struct{}

func (transform) Spec() stage.Spec {
	return stage.Spec{
		Name:    "bronze.future.mbp10",
		Version: 1,
		Summary: "Book events of every outright contract in the vendor's MBP-10 files of a day",
		Inputs:  []stage.Input{{Name: "dbn", Doc: "DBN files of schema mbp-10, or of a live capture, plain or zstd", Raw: true}},
		Outputs: []stage.Output{{Name: "events", Doc: "One row an event, by contract, ascending by ts_event and sequence", Schema: mbp10.BronzeSchema(), FanOut: true}},
		Params: []stage.Param{
			mbp10.SemanticsParam("no difference here"),
			{Name: "max_unmapped_fraction", Type: stage.Float, Default: 0.01, Check: fraction,
				Doc: "largest part of the day's records that may have no symbol; more fails the stage"},
			{Name: "sort_memory", Type: stage.Int, Default: int64(64 << 20), Check: sortMemory,
				Doc: "bytes for records to be sorted; what does not fit into half of them goes to disk"},
		},
		Memory: 256 << 20,
	}
}

func fraction(v any) error {
	if f := v.(float64); !(f >= 0 && f <= 1) {
		return fmt.Errorf("%v is not between 0 and 1", f)
	}
	return nil
}

func sortMemory(v any) error {
	if n := v.(int64); n < minSortMemory {
		return fmt.Errorf("%d is less than the %d bytes it takes", n, minSortMemory)
	}
	return nil
}

// newSorter sorts raw records by (ts_event, sequence); contracts are its groups.
func newSorter(t stage.Task, budget int) *spill.Sorter {
	key := func(rec []byte) spill.Key {
		return spill.Key{TS: dbn.TsEvent(rec), Seq: binary.LittleEndian.Uint32(rec[atSeq:])}
	}
	return spill.NewSorter(t, spill.Layout{Size: mbp10.RecordSize, Key: key}, budget)
}

// Run reads the files one after the other, then writes contract after contract
// in the order of symbols.
func (transform) Run(ctx context.Context, t stage.Task) error {
	p := t.Params()
	day, err := mbp10.Day(t.Key("dt"))
	if err != nil {
		return fmt.Errorf("key dt: %w", err)
	}
	s := newSorter(t, int(p.Int("sort_memory")))
	defer s.Close()
	r := &router{sorter: s, root: t.Key("root"), day: day, contracts: map[string]int32{}}
	files := t.Files("dbn")
	for _, f := range files {
		if err := r.file(ctx, f); err != nil {
			return err
		}
	}
	r.counts.report(t)
	if err := r.counts.check(t.Key("dt"), len(files), p.Float("max_unmapped_fraction")); err != nil {
		return err
	}
	return write(ctx, t, s, r.symbols())
}

// write writes the contracts, of which at most two batches are in memory: one is
// built while the other is written.
func write(ctx context.Context, t stage.Task, s *spill.Sorter, symbols []contract) error {
	if err := s.Finish(); err != nil {
		return err
	}
	builders := &[2]*mbp10.Builder{mbp10.NewBuilder(batchRows), mbp10.NewBuilder(batchRows)}
	for _, c := range symbols {
		if err := writeContract(ctx, t, s, c, builders); err != nil {
			return fmt.Errorf("contract %s: %w", c.symbol, err)
		}
	}
	return nil
}

func writeContract(ctx context.Context, t stage.Task, s *spill.Sorter, c contract, builders *[2]*mbp10.Builder) error {
	w, err := t.Output("events", c.symbol)
	if err != nil {
		return err
	}
	for b, err := range parallel.Ahead(rows(ctx, s, c, builders), nil, nil) {
		if err != nil {
			return err
		}
		rec := b.Take()
		err := w.Write(rec)
		rec.Release()
		if err != nil {
			return err
		}
	}
	return w.Close()
}

// errEnough ends the merge of rows that nobody wants any more.
var errEnough = errors.New("the rows are not wanted")

// rows yields builders with the contract's rows, in turns: one is good until the
// next but one is asked for.
func rows(ctx context.Context, s *spill.Sorter, c contract, builders *[2]*mbp10.Builder) iter.Seq2[*mbp10.Builder, error] {
	return func(yield func(*mbp10.Builder, error) bool) {
		for _, b := range builders {
			b.SetSymbol(c.symbol)
		}
		n := 0
		b := builders[n]
		err := s.Sorted(c.id, func(block []byte) error {
			for len(block) > 0 {
				if block = b.Append(block); b.Rows() < batchRows {
					continue
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				if !yield(b, nil) {
					return errEnough
				}
				n++
				b = builders[n%len(builders)]
			}
			return nil
		})
		switch {
		case errors.Is(err, errEnough):
		case err != nil:
			yield(nil, err)
		case b.Rows() > 0:
			yield(b, nil)
		}
	}
}
