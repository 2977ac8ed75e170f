package synthetic

import (
	"testing"
	"time"

	"dag/stages/internal/dbn"
)

// bookFault says what is wrong with the order of a book; its best prices may
// cross.
func bookFault(m *dbn.MBP10) string {
	bids, asks := true, true
	for i, l := range m.Levels {
		if l.BidPx == dbn.UndefPrice != (l.BidSz == 0) || l.AskPx == dbn.UndefPrice != (l.AskSz == 0) {
			return "a level has a price without size, or a size without price"
		}
		if l.BidSz < l.BidCt || l.AskSz < l.AskCt || l.BidSz > 0 && l.BidCt == 0 || l.AskSz > 0 && l.AskCt == 0 {
			return "a level has more orders than size, or size without orders"
		}
		if l.BidSz > 0 && !bids || l.AskSz > 0 && !asks {
			return "a level is empty, and one behind it is not"
		}
		bids, asks = l.BidSz > 0, l.AskSz > 0
		if i == 0 {
			continue
		}
		if before := m.Levels[i-1]; bids && l.BidPx >= before.BidPx || asks && l.AskPx <= before.AskPx {
			return "levels are not sorted"
		}
	}
	return ""
}

func crossed(m *dbn.MBP10) bool {
	l := m.Levels[0]
	return l.BidPx != dbn.UndefPrice && l.AskPx != dbn.UndefPrice && l.BidPx >= l.AskPx
}

func TestBooksAndTimes(t *testing.T) {
	for _, name := range []string{"2025-08-05", "2025-08-08", "2025-01-07"} {
		start, err := parseDay(name)
		if err != nil {
			t.Fatal(err)
		}
		from, to := uint64(start.UnixNano()), uint64(start.AddDate(0, 0, 1).UnixNano())
		_, recs := records(t, small(5, 20_000), name)
		if n := len(recs); n < 19_000 || n > 21_000 {
			t.Errorf("%s has %d records, want about 20000", name, n)
		}
		var last dbn.MBP10
		for i, m := range recs {
			if fault := bookFault(&m); fault != "" {
				t.Fatalf("%s record %d: %s: %+v", name, i, fault, m)
			}
			if m.TsRecv < from || m.TsRecv >= to || m.TsEvent < from || m.TsEvent >= m.TsRecv {
				t.Fatalf("%s record %d: ts_event %d and ts_recv %d are not in order within the day", name, i, m.TsEvent, m.TsRecv)
			}
			if m.TsRecv < last.TsRecv || m.Sequence < last.Sequence {
				t.Fatalf("%s record %d: ts_recv or sequence goes back: %+v after %+v", name, i, m.Trade, last.Trade)
			}
			sameEvent := m.Sequence == last.Sequence
			if sameEvent != (i > 0 && last.Flags&dbn.FlagLast == 0) || sameEvent && m.TsEvent != last.TsEvent {
				t.Fatalf("%s record %d: the packet does not end with its flag: %+v after %+v", name, i, m.Trade, last.Trade)
			}
			last = m
		}
		if last.Flags&dbn.FlagLast == 0 {
			t.Errorf("%s: the last packet does not end", name)
		}
	}
}

func TestTradingBreak(t *testing.T) {
	_, recs := records(t, small(5, 20_000), "2025-08-05")
	_, friday := records(t, small(5, 20_000), "2025-08-08")
	hours := func(recs []dbn.MBP10) (out [24]int) {
		for _, m := range recs {
			out[time.Unix(0, int64(m.TsEvent)).UTC().Hour()]++
		}
		return out
	}
	tuesday, week := hours(recs), hours(friday)
	if tuesday[21] != 0 || tuesday[22] == 0 || tuesday[14] < 4*tuesday[3] {
		t.Errorf("records for each UTC hour of a Tuesday: %v; want none from 21 to 22, most at 14", tuesday)
	}
	if sum := week[21] + week[22] + week[23]; sum != 0 {
		t.Errorf("%d records after the end of a Friday", sum)
	}
}

// TestContents counts what later stages must cope with.
func TestContents(t *testing.T) {
	const n = 60_000
	r, recs := records(t, small(1, n), "2025-08-05")
	kinds, count := map[string]int{}, map[string]int{}
	symbols := r.Metadata.SymbolMap()
	var before uint64
	for i := range recs {
		m := &recs[i]
		kinds[string(rune(m.Action))+string(rune(m.Side))]++
		symbol, ok := symbols.Lookup(m.InstrumentID, m.TsRecv)
		if !ok {
			t.Fatalf("record %d: instrument %d has no symbol", i, m.InstrumentID)
		}
		count[symbol]++
		for name, is := range map[string]bool{
			"crossed": crossed(m), "snapshot": m.Flags&dbn.FlagSnapshot != 0, "bad ts": m.Flags&dbn.FlagBadTS != 0,
			"bad book": m.Flags&dbn.FlagBadBook != 0, "out of order": m.TsEvent < before,
			"one-sided": (m.Levels[0].BidSz == 0) != (m.Levels[0].AskSz == 0), "empty": m.Levels[0].BidSz == 0 && m.Levels[0].AskSz == 0,
			"negative": m.Price < 0, "tie": m.TsEvent == before,
		} {
			if is {
				count[name]++
			}
		}
		before = m.TsEvent
	}
	for _, kind := range []string{"AA", "AB", "CA", "CB", "MA", "MB", "TA", "TB", "FA", "FB", "TN"} {
		if kinds[kind] < n/500 {
			t.Errorf("%d records of action and side %s, want at least %d: %v", kinds[kind], kind, n/500, kinds)
		}
	}
	for name, want := range map[string][2]int{
		"ESU5": {n * 7 / 10, n * 9 / 10}, "ESZ5": {n / 20, n / 4}, "ESU5-ESZ5": {n / 50, n / 8},
		"crossed": {n / 5000, n / 1000}, "bad ts": {5, n / 1000}, "bad book": {5, n / 1000}, "out of order": {n / 5000, n / 500},
		"snapshot": {6 * 20, 8 * 20}, "one-sided": {6 * 10, 8 * 10}, "empty": {6, 8}, "negative": {1, n / 8}, "tie": {n / 5, n},
	} {
		if got := count[name]; got < want[0] || got > want[1] {
			t.Errorf("%s: %d, want from %d to %d", name, got, want[0], want[1])
		}
	}
}

// outcomes repeats spec 04 §§1–3 in small: candles of two minutes of the front
// contract's trades, triggers at a level, and what came of them.
func outcomes(path []candle, level float64) (found map[string]int) {
	found = map[string]int{}
	for i := 0; i < len(path); i++ {
		if abs(path[i].close-level) > 1 {
			continue
		}
		dir, outcome := 1.0, "chop"
		if i > 0 && path[i-1].close > level {
			dir = -1
		}
		for _, c := range path[i+1 : min(i+7, len(path))] {
			lo, hi := dir*(c.low-level), dir*(c.high-level)
			if max(lo, hi) >= 2 {
				outcome = "break"
				break
			}
			if min(lo, hi) <= -2 {
				outcome = "reject"
				break
			}
		}
		found[outcome]++
		found[map[float64]string{1: "from below", -1: "from above"}[dir]]++
		i += 3
	}
	return found
}

type candle struct{ low, high, close float64 }

func abs(x float64) float64 { return max(x, -x) }

// candles of two minutes of the trades in the New York seconds [from,to).
func candles(trades []dbn.MBP10, midnight uint64, from, to int) (out []candle) {
	at := -1
	for _, m := range trades {
		second := int(m.TsEvent/1e9) - int(midnight/1e9)
		if second < from || second >= to {
			continue
		}
		px := float64(m.Price) / 1e9
		if second/120 != at {
			at = second / 120
			out = append(out, candle{px, px, px})
		}
		c := &out[len(out)-1]
		c.low, c.high, c.close = min(c.low, px), max(c.high, px), px
	}
	return out
}

// frontTrades are the trades of the front contract whose book is not crossed.
func frontTrades(t *testing.T, s *session) []dbn.MBP10 {
	t.Helper()
	var trades []dbn.MBP10
	front := s.instruments[0].rec.InstrumentID
	err := s.run(func(rec []byte) error {
		const actionAt = 28
		if rec[actionAt] != 'T' || dbn.InstrumentID(rec) != front {
			return nil
		}
		var m dbn.MBP10
		err := m.Decode(rec)
		if !crossed(&m) {
			trades = append(trades, m)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return trades
}

func TestEveryOutcomeWithinAWeek(t *testing.T) {
	cfg := Default()
	days, err := cfg.Sessions()
	if err != nil {
		t.Fatal(err)
	}
	for _, seed := range []uint64{1, 2} {
		cfg.Seed = seed
		total := map[string]int{}
		for _, name := range days {
			s, err := newSession(cfg, name)
			if err != nil {
				t.Fatal(err)
			}
			trades := frontTrades(t, s)
			midnight := s.dayStart + uint64(s.midnight)*second
			for _, window := range [][2]int{{preMarketStart, openingStart}, {openingStart, openingRangeEnd}} {
				lo, hi := 1e9, 0.0
				for _, c := range candles(trades, midnight, window[0], window[1]) {
					lo, hi = min(lo, c.low), max(hi, c.high)
				}
				for _, level := range []float64{lo, hi} {
					for k, n := range outcomes(candles(trades, midnight, openingRangeEnd, 12*3600+1800), level) {
						total[k] += n
					}
				}
			}
		}
		t.Logf("seed %d: %v", seed, total)
		for k, want := range map[string]int{"break": 8, "reject": 8, "chop": 4, "from above": 8, "from below": 8} {
			if total[k] < want {
				t.Errorf("seed %d: %d of %q within a week, want at least %d: %v", seed, total[k], k, want, total)
			}
		}
	}
}
