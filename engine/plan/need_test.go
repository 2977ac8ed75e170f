package plan_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/graph"
	"dag/engine/manifest"
	"dag/engine/plan"
)

// seen is what a plan says of what is selected.
func seen(p *plan.Plan, err error) []string {
	if err != nil {
		return []string{err.Error()}
	}
	out := lines(p)
	p.EachPartition(func(s plan.PartitionState) {
		out = append(out, fmt.Sprintf("%s %s %s %s", s.Partition, s.State, s.Action, s.Code))
	})
	p.EachUnknown(func(x plan.UnknownUnit) { out = append(out, fmt.Sprintf("unknown %+v", x)) })
	for _, a := range p.After {
		out = append(out, fmt.Sprintf("after %+v", a))
	}
	return out
}

// TestSelectionIsDecidedAsInTheWhole: a plan that looks only at what decides about
// the selection says of it what one says that looks at everything.
func TestSelectionIsDecidedAsInTheWhole(t *testing.T) {
	terms := []string{
		"bars", "bars[symbol=ESU5]", "bars[symbol=ES*]", "*.t.*[dt=2025-08-05]", "state:stale", "index", "index+", "+state:missing", "1+index[root=NQ]",
		"(ingest,!state:fresh)", "raw.t.files", "history[dt=2025-08-06]", "!bars[symbol=ESU5]", "+history[symbol=ESZ5,dt=2025-08-06]", "spread[symbol=ESZ5]", "below[dt=2025-08-04]",
		"reason:missing", "(bars,state:missing)+", "(bars,!events[symbol=ESU5])+",
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := week(rt, "2025-08-04", "2025-08-05", "2025-08-06")
		w.raw["NQ"] = map[string]string{"nq-2025-08-04.dbn": "NQU5:x", "nq-2025-08-06.dbn": "NQU5:y"}
		w.extra = rapid.SampledFrom([]string{"", spread, chain}).Draw(rt, "extra")
		w.configure()
		if rapid.Bool().Draw(rt, "made") {
			w.apply(graph.Request{}, false, "")
		}
		for range rapid.IntRange(0, 3).Draw(rt, "changes") {
			change(rt, w)
		}
		if rapid.IntRange(0, 3).Draw(rt, "raw is gone") == 0 {
			delete(w.raw, "ES")
		}
		r := graph.Request{
			Select:  rapid.SliceOfN(rapid.SampledFrom(terms), 0, 2).Draw(rt, "select"),
			Exclude: rapid.SliceOfN(rapid.SampledFrom(terms), 0, 1).Draw(rt, "exclude"),
			Dates:   rapid.SampledFrom([][]string{nil, {"2025-08-05"}, {"2025-08-05..2025-08-06"}, {"2025-08-07"}}).Draw(rt, "dates"),
		}
		if v := rapid.SampledFrom([]string{"", "ES", "ESU5", "ESX9"}).Draw(rt, "symbol"); v != "" {
			r.AnyKey = graph.AnyKey{Keys: []string{"symbol", "root"}, Values: []string{v}}
		}
		sel, list := w.graph.Select(r)
		if list.HasErrors() {
			return
		}
		all, _ := w.graph.Select(graph.Request{})
		force := rapid.Bool().Draw(rt, "force")
		make := func(within *graph.Selection) []string {
			return seen(plan.Make(context.Background(), w.graph, w, plan.Request{Selection: sel, Within: within, Force: force}, time.Now))
		}
		if got, want := make(nil), make(all); !slices.Equal(got, want) {
			rt.Fatalf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
		}
	})
}

// counted is a lake that notes which traces it was asked for.
type counted struct {
	*world
	asked map[string]bool
}

func (c counted) Table(ctx context.Context, d addr.Dataset, want manifest.Want) (*manifest.Table, error) {
	t, err := c.world.Table(ctx, d, want)
	for _, s := range t.Series {
		for _, tr := range s.Parts {
			c.asked[fmt.Sprintf("%s %s %s", d.Table, s.Keys, tr.Day)] = true
		}
		if len(s.Files) > 0 && (want == nil || want(s.Keys) != nil) {
			c.asked[fmt.Sprintf("%s %s", d.Table, s.Keys)] = true
		}
	}
	return t, err
}

// TestOnlyWhatIsNeededIsLookedAt: a partition, what it is made from and with, and
// nothing else.
func TestOnlyWhatIsNeededIsLookedAt(t *testing.T) {
	w := twoRoots(t)
	for text, want := range map[string][]string{
		"bars[symbol=ESU5,dt=2025-08-05]": {
			"bars symbol=ESU5 2025-08-05", "events symbol=ESU5 2025-08-05", "events symbol=ESZ5 2025-08-05", "files root=ES",
		},
		"history[symbol=NQU5,dt=2025-08-05]": {
			"bars symbol=NQU5 2025-08-04", "events symbol=NQU5 2025-08-04", "files root=NQ", "history symbol=NQU5 2025-08-05",
		},
		"index[root=NQ]": {
			"bars symbol=NQU5 2025-08-04", "bars symbol=NQU5 2025-08-05", "events symbol=NQU5 2025-08-04", "events symbol=NQU5 2025-08-05", "files root=NQ", "index root=NQ ",
		},
	} {
		sel, list := w.graph.Select(graph.Request{Select: []string{text}})
		if list.HasErrors() {
			t.Fatal(list)
		}
		c := counted{w, map[string]bool{}}
		if _, err := plan.Make(t.Context(), w.graph, c, plan.Request{Selection: sel}, time.Now); err != nil {
			t.Fatal(err)
		}
		var got []string
		for a := range c.asked {
			got = append(got, strings.TrimSuffix(a, calendar.Day(0).String()))
		}
		slices.Sort(got)
		equal(t, got, want)
	}
}
