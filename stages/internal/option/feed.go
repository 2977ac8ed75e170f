package option

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"dag/engine/stage"
	"dag/stages/internal/dbn"
	"dag/stages/internal/mbp10"
)

// recordsPerCheck is how often a cancelled run is noticed.
const recordsPerCheck = 4096

// eachRecord calls take for every record of a file of one of the schemas. A
// record is good until take returns.
func eachRecord(ctx context.Context, f stage.File, what string, schemas []dbn.Schema, take func(in *dbn.Reader, rec []byte) error) (err error) {
	src, err := f.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	in, err := dbn.NewReader(src, f.Name())
	if err != nil {
		return err
	}
	defer in.Close()
	if !slices.Contains(schemas, in.Metadata.Schema) {
		return fmt.Errorf("%s: the file holds records of schema %s; for %s this stage reads %v", f.Name(), in.Metadata.Schema, what, schemas)
	}
	for {
		rec, err := in.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if in.Records()%recordsPerCheck == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := take(in, rec); err != nil {
			return fmt.Errorf("%s: record %d, before byte %d: %w", f.Name(), in.Records()-1, in.Offset(), err)
		}
	}
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
		err := eachRecord(ctx, f, "definitions", []dbn.Schema{dbn.SchemaDefinition, dbn.SchemaMixed}, func(in *dbn.Reader, rec []byte) error {
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
		err := eachRecord(ctx, file, f.what, f.schemas, func(in *dbn.Reader, rec []byte) error {
			if d.symbols == nil {
				d.symbols = in.Metadata.SymbolMap()
			}
			r, err := f.record(d, in.Metadata.Version, rec)
			f.counts.n[r]++
			return err
		})
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
