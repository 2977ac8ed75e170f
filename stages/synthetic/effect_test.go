package synthetic

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"dag/stages/internal/dbn"
)

// lean is what the book showed in the approaches that lead to one side.
type lean struct {
	records   float64
	imbalance float64 // of the sizes at all levels, summed over records
}

// leans sums the front's records up over all approaches of some sessions, by the
// side of the move that follows.
func leans(t *testing.T, cfg Config, days []string) map[int]lean {
	t.Helper()
	out := map[int]lean{}
	for _, name := range days {
		s, err := newSession(cfg, name)
		if err != nil {
			t.Fatal(err)
		}
		approaches := slices.Clone(s.coming)
		var m dbn.MBP10
		err = s.run(func(rec []byte) error {
			if err := m.Decode(rec); err != nil {
				return err
			}
			at := int((m.TsEvent - s.dayStart) / second)
			i := slices.IndexFunc(approaches, func(a approach) bool { return a.from <= at && at < a.to })
			if i < 0 || m.InstrumentID != s.instruments[0].rec.InstrumentID {
				return nil
			}
			l := out[approaches[i].side]
			l.add(&m)
			out[approaches[i].side] = l
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func (l *lean) add(m *dbn.MBP10) {
	bids, asks := 0.0, 0.0
	for _, v := range m.Levels {
		bids, asks = bids+float64(v.BidSz), asks+float64(v.AskSz)
	}
	l.records++
	l.imbalance += (bids - asks) / (bids + asks + 1)
}

// TestEffect holds the book to what Config.Effect says: with it the sizes lean to
// the side of the move to come, more so if it is stronger; without it they do
// not.
func TestEffect(t *testing.T) {
	cfg := Study()
	cfg.Seed, cfg.Days = 3, 6
	days, err := cfg.Sessions()
	if err != nil {
		t.Fatal(err)
	}
	last := 0.0
	for _, tc := range []struct{ effect, least, most float64 }{{0, -0.1, 0.1}, {0.3, 0.2, 1}, {1, 0.5, 1}} {
		cfg.Effect = tc.effect
		all := leans(t, cfg, days)
		up, down, stay := all[1], all[-1], all[0]
		if up.records < 2000 || down.records < 2000 || stay.records < 500 {
			t.Fatalf("effect %v: %v records before moves up, %v down, %v before stays", tc.effect, up.records, down.records, stay.records)
		}
		imbalance := (up.imbalance/up.records - down.imbalance/down.records) / 2
		t.Logf("effect %v: %.3f to the side of the move to come, %.3f to the bids before stays", tc.effect, imbalance, stay.imbalance/stay.records)
		if imbalance < tc.least || imbalance > tc.most {
			t.Errorf("effect %v: the book leans to the side of the move to come by %v, want from %v to %v", tc.effect, imbalance, tc.least, tc.most)
		}
		if tc.effect > 0 && imbalance <= last {
			t.Errorf("effect %v: the book leans by %v, and with a weaker effect by %v", tc.effect, imbalance, last)
		}
		if side := stay.imbalance / stay.records; math.Abs(side) > 0.2 {
			t.Errorf("effect %v: the book leans by %v before a stay", tc.effect, side)
		}
		last = imbalance
	}
}

// TestApproachesForetellThePath compares what an approach is said to lead to with
// the path after it.
func TestApproachesForetellThePath(t *testing.T) {
	cfg := Study()
	cfg.Days = 20
	days, err := cfg.Sessions()
	if err != nil {
		t.Fatal(err)
	}
	sides := map[int]int{}
	for _, name := range days {
		s, err := newSession(cfg, name)
		if err != nil {
			t.Fatal(err)
		}
		end := 0
		for _, a := range s.coming {
			if a.from < end || a.to <= a.from {
				t.Fatalf("%s: an approach of [%d,%d) after one until %d", name, a.from, a.to, end)
			}
			end = a.to
			sides[a.side]++
			if moved := firstMove(s.path[a.to:a.to+300], 8*fine); a.side != 0 && moved != a.side {
				t.Errorf("%s: after an approach of [%d,%d) to side %d the path goes to %d", name, a.from, a.to, a.side, moved)
			}
		}
	}
	if sides[1] < 50 || sides[-1] < 50 || sides[0] < 20 {
		t.Errorf("approaches by side: %v", sides)
	}
}

// firstMove is the side to which a path first goes so far from its beginning.
func firstMove(path []int32, far int32) int {
	for _, v := range path {
		if v-path[0] >= far {
			return 1
		} else if path[0]-v >= far {
			return -1
		}
	}
	return 0
}

func TestEffectLeavesThePath(t *testing.T) {
	cfg := Study()
	strong := cfg
	strong.Effect = 1
	plain, err := newSession(cfg, "2025-01-07")
	if err != nil {
		t.Fatal(err)
	}
	planted, err := newSession(strong, "2025-01-07")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(plain.path, planted.path) || !slices.Equal(plain.coming, planted.coming) {
		t.Error("the effect changes the path")
	}
	a, b := day(t, cfg, "2025-01-07"), day(t, strong, "2025-01-07")
	if bytes.Equal(a, b) {
		t.Error("the effect changes nothing")
	}
	if !bytes.Equal(b, day(t, strong, "2025-01-07")) {
		t.Error("two runs with an effect differ")
	}
}

// TestStudyIsLean wants books as sound as those of the other markets, of one
// contract.
func TestStudyIsLean(t *testing.T) {
	cfg := Study()
	cfg.Effect = 1
	r, recs := records(t, cfg, "2025-01-07")
	if len(r.Metadata.Symbols) != 1 || r.Metadata.Symbols[0] != "ESH5" {
		t.Errorf("symbols %q, want ESH5 alone", r.Metadata.Symbols)
	}
	if n := len(recs); n < 7600 || n > 8400 {
		t.Errorf("%d records, want about 8000", n)
	}
	for i := range recs {
		if fault := bookFault(&recs[i]); fault != "" {
			t.Fatalf("record %d: %s: %+v", i, fault, recs[i])
		}
	}
}
