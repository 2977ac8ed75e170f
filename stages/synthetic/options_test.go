package synthetic

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dag/stages/internal/dbn"

	"github.com/google/go-cmp/cmp"
)

const optionDay = "2025-08-05"

func withOptions(events int) Config {
	cfg := small(1, 20_000)
	cfg.OptionEvents = events
	return cfg
}

func optionFileOf(t testing.TB, cfg Config, name string, schema dbn.Schema) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := WriteOptionDay(&out, cfg, name, schema); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// decodeOptions reads a file of options with the reader of the stages.
func decodeOptions[R any](t testing.TB, cfg Config, schema dbn.Schema, decode func(*R, []byte) error) (*dbn.SymbolMap, []R) {
	t.Helper()
	r, err := dbn.NewReader(bytes.NewReader(optionFileOf(t, cfg, optionDay, schema)), schema.String())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.Metadata.Schema != schema {
		t.Fatalf("the file of %s says that it holds %s", schema, r.Metadata.Schema)
	}
	var out []R
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r.Metadata.SymbolMap(), out
		}
		if err != nil {
			t.Fatal(err)
		}
		var v R
		if err := decode(&v, rec); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
}

func quotesOf(t testing.TB, cfg Config) (*dbn.SymbolMap, []dbn.MBP1) {
	t.Helper()
	return decodeOptions(t, cfg, dbn.SchemaMBP1, (*dbn.MBP1).Decode)
}

func tradesOf(t testing.TB, cfg Config) []dbn.Trade {
	t.Helper()
	_, out := decodeOptions(t, cfg, dbn.SchemaTrades, (*dbn.Trade).Decode)
	return out
}

func TestOptionsSameConfigSameBytes(t *testing.T) {
	cfg := withOptions(2000)
	other, busier := cfg, cfg
	other.Seed, busier.OptionEvents = 2, 3000
	alike := cfg
	alike.Events, alike.Effect, alike.FrontOnly, alike.Start, alike.Days = 5000, 1, true, "2025-07-01", 50
	for _, f := range optionFiles {
		first := optionFileOf(t, cfg, optionDay, f.schema)
		if !bytes.Equal(first, optionFileOf(t, cfg, optionDay, f.schema)) {
			t.Errorf("%s: two runs of one configuration differ", f.schema)
		}
		if !bytes.Equal(first, optionFileOf(t, alike, optionDay, f.schema)) {
			t.Errorf("%s depends on the events of futures or on the days of the market", f.schema)
		}
		if bytes.Equal(first, optionFileOf(t, cfg, "2025-08-06", f.schema)) || bytes.Equal(first, optionFileOf(t, other, optionDay, f.schema)) {
			t.Errorf("%s is the same for another day or seed", f.schema)
		}
		if quotes := f.schema == dbn.SchemaMBP1 || f.schema == dbn.SchemaTrades; quotes == bytes.Equal(first, optionFileOf(t, busier, optionDay, f.schema)) {
			t.Errorf("%s with more events: the same bytes are %v", f.schema, quotes)
		}
	}
}

// TestOptionsPinned is TestPinned for the files of options.
func TestOptionsPinned(t *testing.T) {
	got := map[string]string{}
	for _, f := range optionFiles {
		s, err := newOptionSession(withOptions(2000), optionDay, f.schema)
		if err != nil {
			t.Fatal(err)
		}
		h := sha256.New()
		if err := s.run(func(rec []byte) error { _, err := h.Write(rec); return err }); err != nil {
			t.Fatal(err)
		}
		got[f.table] = hex.EncodeToString(h.Sum(nil))[:16]
	}
	want := map[string]string{
		"definition_dbn": "56cf46d303f0b13b", "trades_dbn": "2b257e35e3a633b1",
		"mbp_1_dbn": "48f05a493822e0af", "statistics_dbn": "8b87d12e3141ebba",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sha256 of the records (-want +got):\n%s", diff)
	}
}

// quoteFault says what is wrong with a record of quotes that follows another.
func quoteFault(q, before *dbn.MBP1) string {
	l := q.Level
	switch {
	case l.BidPx == dbn.UndefPrice != (l.BidSz == 0) || l.AskPx == dbn.UndefPrice != (l.AskSz == 0):
		return "a side has a price without size, or a size without price"
	case l.BidSz < l.BidCt || l.AskSz < l.AskCt:
		return "a side has more orders than size"
	case l.BidSz > 0 && l.AskSz > 0 && l.BidPx >= l.AskPx:
		return "the quotes cross"
	case l.BidSz > 0 && l.BidPx%(optionTick*cent) != 0 || l.AskSz > 0 && l.AskPx%(optionTick*cent) != 0:
		return "a price is off the tick"
	case q.TsRecv < before.TsRecv || q.Sequence < before.Sequence || q.TsEvent >= q.TsRecv:
		return "times or sequence are out of order"
	}
	return ""
}

// quoteKinds is what a record is an example of.
func quoteKinds(q *dbn.MBP1) map[string]bool {
	l := q.Level
	return map[string]bool{
		string(rune(q.Action)) + string(rune(q.Side)): true,
		"no trade":  q.Action == 'T' && (q.Price == dbn.UndefPrice || q.Size == 0),
		"empty":     l.BidSz == 0 && l.AskSz == 0,
		"one-sided": (l.BidSz == 0) != (l.AskSz == 0),
		"negative":  l.BidSz > 0 && l.BidPx < 0,
	}
}

func TestOptionQuotes(t *testing.T) {
	_, quotes := quotesOf(t, withOptions(12_000))
	count := map[string]int{}
	var before dbn.MBP1
	for i := range quotes {
		q := &quotes[i]
		if fault := quoteFault(q, &before); fault != "" || q.RType != dbn.RTypeMBP1 {
			t.Fatalf("record %d: %s: %+v after %+v", i, fault, q, before)
		}
		before = *q
		for kind, is := range quoteKinds(q) {
			if is {
				count[kind]++
			}
		}
	}
	for kind, least := range map[string]int{
		"AA": 1000, "AB": 1000, "MA": 100, "MB": 100, "CA": 100, "CB": 100, "TA": 100, "TB": 100, "TN": 20, "RN": 2 * 29,
		"one-sided": 300, "empty": 60, "negative": 10, "no trade": 2,
	} {
		if count[kind] < least {
			t.Errorf("%d records of %q, want at least %d: %v", count[kind], kind, least, count)
		}
	}
}

// TestQuotesFollowTheFuture compares the quotes with what an option is worth
// when the future is where its own file has it.
func TestQuotesFollowTheFuture(t *testing.T) {
	cfg := withOptions(12_000)
	symbols, quotes := quotesOf(t, cfg)
	chain := newChain(cfg, mustDay(t, optionDay))
	byID := map[uint32]*option{}
	for _, o := range chain.options {
		byID[o.id] = o
	}
	future := middles(t, cfg)
	off, both := 0, 0
	for i, q := range quotes {
		l, o := q.Level, byID[q.InstrumentID]
		if symbol, ok := symbols.Lookup(q.InstrumentID, q.TsRecv); !ok || o == nil || symbol != o.symbol {
			t.Fatalf("record %d: instrument %d is %q", i, q.InstrumentID, symbol)
		}
		if q.Action != 'A' || l.BidSz == 0 || l.AskSz == 0 || q.TsEvent < future[0].ts {
			continue
		}
		both++
		worth := chain.value(o, middleAt(future, q.TsEvent))
		if abs(float64(l.BidPx+l.AskPx)/2/cent-float64(worth)) > 250 {
			off++
		}
	}
	if both < 5000 || off > both/50 {
		t.Errorf("%d of %d quotes are more than 2.5 points off what the future says", off, both)
	}
}

// middle is the middle of the front future's best prices, in cents, from a moment
// on.
type middle struct {
	ts    uint64
	cents int
}

func middles(t *testing.T, cfg Config) (out []middle) {
	t.Helper()
	_, recs := records(t, cfg, optionDay)
	for _, m := range recs {
		if l := m.Levels[0]; m.InstrumentID == 24309 && l.BidSz > 0 && l.AskSz > 0 {
			out = append(out, middle{m.TsEvent, int((l.BidPx + l.AskPx) / 2 / cent)})
		}
	}
	return out
}

func middleAt(list []middle, ts uint64) int {
	at := list[0].cents
	for lo, hi := 0, len(list); lo < hi; {
		if m := (lo + hi) / 2; list[m].ts <= ts {
			at, lo = list[m].cents, m+1
		} else {
			hi = m
		}
	}
	return at
}

func mustDay(t *testing.T, name string) time.Time {
	t.Helper()
	d, err := parseDay(name)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestOptionTrades finds every trade among the quotes, at the price of the side
// that its aggressor took.
func TestOptionTrades(t *testing.T) {
	cfg := withOptions(12_000)
	_, quotes := quotesOf(t, cfg)
	var want []dbn.Trade
	for _, q := range quotes {
		if q.Action != 'T' {
			continue
		}
		trade := q.Trade
		trade.RType = dbn.RTypeTrade
		want = append(want, trade)
		if at := map[byte]int64{'B': q.Level.AskPx, 'A': q.Level.BidPx}[q.Side]; q.Side != 'N' && q.Price != dbn.UndefPrice && q.Price != at {
			t.Errorf("a trade of side %c at %d; the quotes are %+v", q.Side, q.Price, q.Level)
		} else if q.Side == 'N' && q.Price != dbn.UndefPrice && q.Price != q.Level.BidPx && q.Price != q.Level.AskPx {
			t.Errorf("a trade at %d, neither bid nor ask: %+v", q.Price, q.Level)
		}
	}
	if diff := cmp.Diff(want, tradesOf(t, cfg)); diff != "" {
		t.Errorf("trades (-among the quotes +in their file):\n%s", diff)
	}
}

func TestWriteOptions(t *testing.T) {
	root, cfg := t.TempDir(), withOptions(1500)
	cfg.Events, cfg.Days, cfg.Start = 1500, 2, optionDay
	sum, err := Write(root, cfg)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, name := range []string{"20250805", "20250806"} {
		for _, s := range [][2]string{{"definition", "definition"}, {"trades", "trades"}, {"mbp_1", "mbp-1"}, {"statistics", "statistics"}} {
			want = append(want, filepath.Join(root, "raw/source=databento/product_type=future_option/symbol=ES/table="+s[0]+"_dbn/glbx-mdp3-"+name+"."+s[1]+".dbn.zst"))
		}
	}
	if diff := cmp.Diff(want, sum.OptionFiles); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	size := int64(0)
	for _, f := range sum.OptionFiles {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if sum.OptionBytes != size || sum.OptionRecords < 3400 || sum.OptionRecords > 4400 || len(sum.Files) != 2 {
		t.Errorf("summary %+v; the files have %d bytes", sum, size)
	}
}

func TestNoOptions(t *testing.T) {
	sum, err := Write(t.TempDir(), small(1, 1000))
	if err != nil {
		t.Fatal(err)
	}
	if len(sum.OptionFiles) != 0 || sum.OptionRecords != 0 {
		t.Errorf("options are switched off, and there are %v", sum.OptionFiles)
	}
	for name, tc := range map[string]struct {
		cfg    Config
		schema dbn.Schema
		want   string
	}{
		"off":    {small(1, 1000), dbn.SchemaTrades, "it has no options"},
		"schema": {withOptions(2000), dbn.SchemaMBP10, "no mbp-10 files of options"},
	} {
		if _, err := WriteOptionDay(io.Discard, tc.cfg, optionDay, tc.schema); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, tc.want)
		}
	}
}

// TestMemory wants as many allocations for a long day as for a short one.
func TestMemory(t *testing.T) {
	allocations := func(run func(events int), events int) float64 {
		return testing.AllocsPerRun(1, func() { run(events) })
	}
	discard := func([]byte) error { return nil }
	for name, run := range map[string]func(int){
		"futures": func(events int) {
			s, err := newSession(small(1, events), optionDay)
			if err == nil {
				err = s.run(discard)
			}
			if err != nil {
				t.Error(err)
			}
		},
		"options": func(events int) {
			s, err := newOptionSession(withOptions(events), optionDay, dbn.SchemaMBP1)
			if err == nil {
				err = s.run(discard)
			}
			if err != nil {
				t.Error(err)
			}
		},
	} {
		if few, many := allocations(run, 2000), allocations(run, 20_000); many > few+20 {
			t.Errorf("%s: %v allocations for 2000 events, %v for 20000", name, few, many)
		}
	}
}
