package option

import (
	"context"
	"fmt"
	"math"

	"dag/engine/stage"
	"dag/stages/internal/dbn"
	"dag/stages/internal/mbp10"
)

// atFlags is where the flags stand in a raw trade or quote (spec 12).
const atFlags = 30

// reads says which schemas files are read of.
func reads(what string, schemas []dbn.Schema) string {
	return fmt.Sprintf("for %s this stage reads %v", what, schemas)
}

// readChain reads the definitions of the task's day, those whose ts_recv falls
// on its UTC day dt, and counts them.
func readChain(ctx context.Context, t stage.Task, needExpiry bool) (*Chain, error) {
	day, err := mbp10.Day(t.Key("dt"))
	if err != nil {
		return nil, fmt.Errorf("key dt: %w", err)
	}
	c, err := newChain(t.Key("root"), needExpiry)
	if err != nil {
		return nil, err
	}
	var read, other, otherDays int64
	var d dbn.Definition
	for _, f := range t.Files("definitions") {
		schemas := []dbn.Schema{dbn.SchemaDefinition, dbn.SchemaMixed}
		err := dbn.EachRecord(ctx, f, reads("definitions", schemas), schemas, func(in *dbn.Reader, rec []byte) error {
			read++
			if dbn.RType(rec) != dbn.RTypeDefinition {
				other++
				return nil
			}
			if err := d.Decode(rec, in.Metadata.Version); err != nil {
				return err
			}
			if mbp10.UTCDay(d.TsRecv) != day {
				otherDays++
				return nil
			}
			c.define(&d)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	c.learn()
	t.Count("definitions_records_read", read)
	t.Count("definitions_dropped_other_record_type", other)
	t.Count("definitions_dropped_other_day", otherDays)
	t.Count("definitions_instruments", int64(len(c.definitions)))
	t.Count("definitions_strike_not_of_symbol", c.differing())
	return c, nil
}

// feed reads the raw files of a port and hands on the events of the day that are
// of options of the chain.
type feed struct {
	kind
	port   string
	prefix string // of metrics
	chain  *Chain
	take   func(e *event) (reason, error) // keeps it, or tells why not

	day    int64 // UTC, of ts_recv
	event  event // at hand
	spans  dbn.Spans
	counts counts
}

// run reads the files one after the other, in the order of their names, and
// counts.
func (f *feed) run(ctx context.Context, t stage.Task) (err error) {
	if f.day, err = mbp10.Day(t.Key("dt")); err != nil {
		return fmt.Errorf("key dt: %w", err)
	}
	for _, file := range t.Files(f.port) {
		d := &decisions{feed: f, known: map[uint32]decision{}}
		f.spans.Begin(file.Name())
		err := dbn.EachRecord(ctx, file, reads(f.what, f.schemas), f.schemas, func(in *dbn.Reader, rec []byte) error {
			if d.symbols == nil {
				d.symbols = in.Metadata.SymbolMap()
			}
			r, err := f.record(d, in.Metadata.Version, rec)
			f.counts.n[r]++
			return err
		})
		if err == nil {
			err = f.spans.End(func(id int32) string { return f.chain.option(id).Symbol })
		}
		if err != nil {
			return err
		}
	}
	f.counts.report(t, f.prefix, f.own)
	return f.counts.check(t, f.what, f.chain)
}

// record takes a record, or tells why not.
func (f *feed) record(d *decisions, version uint8, rec []byte) (reason, error) {
	rtype := dbn.RType(rec)
	if !f.accepts(rtype) {
		if rtype == dbn.RTypeSymbolMapping {
			return otherRecord, d.apply(rec)
		}
		return otherRecord, nil
	}
	e := &f.event
	*e = event{}
	r, err := f.decode(rec, version, e)
	if err != nil {
		return r, err
	}
	if mbp10.UTCDay(e.tsRecv) != f.day {
		return otherDay, nil
	}
	of, err := d.of(dbn.InstrumentID(rec), e.tsRecv)
	switch {
	case err != nil:
		return r, err
	case of.reason != kept:
		return of.reason, nil
	case e.tsEvent > math.MaxInt64:
		return noTsEvent, nil
	case r != kept:
		return r, nil
	}
	e.option = of.option
	if rtype == dbn.RTypeStatistics || rec[atFlags]&dbn.FlagSnapshot == 0 { // a part may begin with one of what came before
		f.spans.Add(e.option, e.tsRecv)
	}
	return f.take(e)
}

// decision is what an instrument's records come to.
type decision struct {
	option int32
	reason reason
}

// decisions remembers what the instruments of a file are, so that a record
// costs one look-up. All records asked for are of one UTC day.
type decisions struct {
	feed    *feed
	symbols *dbn.SymbolMap
	known   map[uint32]decision
}

// of returns the option that an instrument is, or why its records are dropped.
func (d *decisions) of(instrument uint32, ts uint64) (decision, error) {
	if known, ok := d.known[instrument]; ok {
		return known, nil
	}
	out := decision{reason: unmapped}
	if symbol, ok := d.symbols.Lookup(instrument, ts); ok && symbol != "" {
		var err error
		if out.option, out.reason, err = d.feed.chain.resolve(symbol, instrument); err != nil {
			return out, err
		}
		if c := &d.feed.counts; c.undefined == "" && (out.reason == noDefinition || out.reason == unparseable) {
			c.undefined = fmt.Sprintf("%q (instrument %d)", symbol, instrument)
		}
	}
	d.known[instrument] = out
	return out, nil
}

// apply takes in a mapping of a live capture.
func (d *decisions) apply(rec []byte) error {
	var m dbn.SymbolMapping
	if err := m.Decode(rec); err != nil {
		return err
	}
	d.symbols.Apply(&m)
	delete(d.known, m.InstrumentID)
	return nil
}
