package mbp10

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"dag/engine/stage"
	"dag/stages/internal/dbn"
	"dag/stages/internal/mbp10"
	"dag/stages/internal/spill"
)

// Places in a raw record (spec 12).
const (
	atAction = 28
	atSide   = 29
	atFlags  = 30
	atTsRecv = 32
	atSeq    = 44
	atBidPx  = 48
	atAskPx  = 56
)

// contract is an outright and its number within the run.
type contract struct {
	symbol string
	id     int32
}

// What an instrument's records come to, instead of the number of a contract.
const (
	unmapped    int32 = -1
	notOutright int32 = -2
)

// counts are the metrics of the run.
type counts struct {
	read, kept, notMBP10, otherDay, unmapped, notOutright, noTsEvent, crossed, crossedTrades int64
}

func (c *counts) report(t stage.Task) {
	t.Count("records_read", c.read)
	t.Count("records_kept", c.kept)
	t.Count("dropped_not_mbp10", c.notMBP10)
	t.Count("dropped_other_day", c.otherDay)
	t.Count("dropped_unmapped", c.unmapped)
	t.Count("dropped_not_outright", c.notOutright)
	t.Count("dropped_no_ts_event", c.noTsEvent)
	t.Count("dropped_crossed", c.crossed)
	t.Count("dropped_crossed_trades", c.crossedTrades)
}

// check fails a day with too many unmapped records, or with no others.
func (c *counts) check(dt string, files int, maxUnmapped float64) error {
	ofDay := c.read - c.notMBP10 - c.otherDay
	if float64(c.unmapped) > maxUnmapped*float64(ofDay) {
		return fmt.Errorf("%s: %d of %d records have no symbol in the files' mappings, more than max_unmapped_fraction = %v allows; fetch the files again with their mappings, or raise the parameter", dt, c.unmapped, ofDay, maxUnmapped)
	}
	if c.kept == 0 {
		return fmt.Errorf("%s: nothing is left of %d records in %d files: %d are not mbp-10, %d were received on another UTC day, %d have no symbol, %d are of no outright contract of the root, %d have no ts_event, %d have a locked or crossed book",
			dt, c.read, files, c.notMBP10, c.otherDay, c.unmapped, c.notOutright, c.noTsEvent, c.crossed)
	}
	return nil
}

// router reads files and sends the records that are kept to the sorter.
type router struct {
	sorter    *spill.Sorter
	root      string
	day       int64            // UTC, of ts_recv
	contracts map[string]int32 // number of each outright seen
	spans     dbn.Spans
	counts    counts
}

// symbols lists the contracts that have records, in the order of symbols.
func (r *router) symbols() []contract {
	var out []contract
	for symbol, id := range r.contracts {
		if r.sorter.Records(id) > 0 {
			out = append(out, contract{symbol, id})
		}
	}
	slices.SortFunc(out, func(a, b contract) int { return strings.Compare(a.symbol, b.symbol) })
	return out
}

func (r *router) file(ctx context.Context, f stage.File) error {
	d := &decisions{router: r, known: map[uint32]int32{}}
	r.spans.Begin(f.Name())
	const reads = "this stage reads mbp-10, or a live capture of mixed records"
	err := dbn.EachRecord(ctx, f, reads, []dbn.Schema{dbn.SchemaMBP10, dbn.SchemaMixed}, func(in *dbn.Reader, rec []byte) error {
		if d.symbols == nil {
			d.symbols = in.Metadata.SymbolMap()
		}
		return r.record(d, rec)
	})
	if err != nil {
		return err
	}
	return r.spans.End(func(id int32) string {
		for symbol, of := range r.contracts {
			if of == id {
				return symbol
			}
		}
		return ""
	})
}

// record counts a record and keeps it or not.
func (r *router) record(d *decisions, rec []byte) error {
	c := &r.counts
	c.read++
	rtype := dbn.RType(rec)
	if rtype != dbn.RTypeMBP10 {
		c.notMBP10++
		if rtype == dbn.RTypeSymbolMapping {
			return d.apply(rec)
		}
		return nil
	}
	if err := dbn.CheckMBP10(rec); err != nil {
		return err
	}
	rec = rec[:mbp10.RecordSize] // ts_out may follow
	tsRecv := binary.LittleEndian.Uint64(rec[atTsRecv:])
	if mbp10.UTCDay(tsRecv) != r.day {
		c.otherDay++
		return nil
	}
	id := d.of(dbn.InstrumentID(rec), tsRecv)
	switch {
	case id == unmapped:
		c.unmapped++
	case id == notOutright:
		c.notOutright++
	case dbn.TsEvent(rec) > math.MaxInt64:
		c.noTsEvent++
	case crossed(rec):
		c.crossed++
		if rec[atAction] == 'T' {
			c.crossedTrades++
		}
	case !letter(rec[atAction]) || !letter(rec[atSide]):
		return fmt.Errorf("action %q and side %q must be letters", rec[atAction], rec[atSide])
	default:
		c.kept++
		if rec[atFlags]&dbn.FlagSnapshot == 0 { // each part may begin with one of what came before
			r.spans.Add(id, tsRecv)
		}
		return r.sorter.Add(id, rec)
	}
	return nil
}

// crossed tells whether both best prices are defined, and the bid is not below
// the ask.
func crossed(rec []byte) bool {
	bid := int64(binary.LittleEndian.Uint64(rec[atBidPx:]))
	ask := int64(binary.LittleEndian.Uint64(rec[atAskPx:]))
	return bid != dbn.UndefPrice && ask != dbn.UndefPrice && bid >= ask
}

func letter(b byte) bool { return b >= 'A' && b <= 'Z' }

// decisions remembers what the instruments of a file are, so that a record
// costs one look-up. All records asked for are of one UTC day.
type decisions struct {
	router  *router
	symbols *dbn.SymbolMap
	known   map[uint32]int32
}

// of returns the contract of an instrument, or why it has none.
func (d *decisions) of(instrument uint32, ts uint64) int32 {
	if id, ok := d.known[instrument]; ok {
		return id
	}
	id := unmapped
	if symbol, ok := d.symbols.Lookup(instrument, ts); ok && symbol != "" {
		id = d.router.contract(symbol)
	}
	d.known[instrument] = id
	return id
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

// contract numbers the outrights of the root in the order of their appearance.
func (r *router) contract(symbol string) int32 {
	if !outright(r.root, symbol) {
		return notOutright
	}
	id, ok := r.contracts[symbol]
	if !ok {
		id = int32(len(r.contracts))
		r.contracts[symbol] = id
	}
	return id
}

// outright tells whether symbol is ROOT[FGHJKMNQUVXZ]\d{1,2} (B-8).
func outright(root, symbol string) bool {
	rest, ok := strings.CutPrefix(symbol, root)
	if !ok || len(rest) < 2 || len(rest) > 3 || !strings.Contains("FGHJKMNQUVXZ", rest[:1]) {
		return false
	}
	for _, c := range []byte(rest[1:]) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
