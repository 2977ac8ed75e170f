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
	"dag/engine/graph"
	"dag/engine/manifest"
	"dag/engine/plan"
)

// selected lists the partitions that selectors mean, as table[keys].
func (w *world) selected(r graph.Request, failed ...string) []string {
	w.t.Helper()
	p, err := w.planFailed(r, failed)
	if err != nil {
		w.t.Fatalf("%v: %v", r, err)
	}
	var out []string
	p.EachPartition(func(s plan.PartitionState) {
		out = append(out, s.Partition.Dataset.Table+"["+string(s.Partition.Keys)+"]")
	})
	p.EachUnknown(func(x plan.UnknownUnit) { out = append(out, x.Describe()) })
	return out
}

func (w *world) planFailed(r graph.Request, failed []string) (*plan.Plan, error) {
	sel, list := w.graph.Select(r)
	if !list.HasErrors() {
		list = append(list, plan.CheckWords(sel)...)
	}
	if err := list.Err(); err != nil {
		return nil, err
	}
	return plan.Make(context.Background(), w.graph, w, plan.Request{Selection: sel, Failed: func(s addr.Stage, unit addr.Keys) bool {
		return slices.Contains(failed, s.String()+"["+string(unit)+"]")
	}}, time.Now)
}

// twoRoots is a lake of two days of ES and NQ that has been made.
func twoRoots(t *testing.T) *world {
	w := week(t, "2025-08-04", "2025-08-05")
	w.raw["NQ"] = map[string]string{"nq-2025-08-04.dbn": "NQU5:x", "nq-2025-08-05.dbn": "NQU5:y"}
	w.apply(graph.Request{}, false, "")
	return w
}

func TestSelectorsOverStates(t *testing.T) {
	w := twoRoots(t)
	gone := w.part("silver.t.bars[symbol=ESU5,dt=2025-08-05]")
	delete(w.parts, gone)
	w.state[w.part("silver.t.history[symbol=ESZ5,dt=2025-08-05]")] = manifest.Unverified
	for text, want := range map[string][]string{
		"state:missing":                           {"bars[symbol=ESU5,dt=2025-08-05]"},
		"reason:missing":                          {"bars[symbol=ESU5,dt=2025-08-05]"},
		"reason:upstream":                         {"index[root=ES]"},
		"reason:unverified":                       {"history[symbol=ESZ5,dt=2025-08-05]"},
		"state:unverified,history":                {"history[symbol=ESZ5,dt=2025-08-05]"},
		"state:stale":                             {"index[root=ES]", "bars[symbol=ESU5,dt=2025-08-05]"},
		"state:stale[root=NQ] state:missing,bars": {"bars[symbol=ESU5,dt=2025-08-05]"},
		"state:missing+":                          {"index[root=ES]", "bars[symbol=ESU5,dt=2025-08-05]"},
		"1+state:missing":                         {"events[symbol=ESU5,dt=2025-08-05]", "bars[symbol=ESU5,dt=2025-08-05]"},
		"+state:missing": {
			"events[symbol=ESU5,dt=2025-08-05]", "files[root=ES,dt=2025-08-05]", "bars[symbol=ESU5,dt=2025-08-05]",
		},
		"1+reason:upstream": {
			"index[root=ES]",
			"bars[symbol=ESU5,dt=2025-08-04]", "bars[symbol=ESU5,dt=2025-08-05]", "bars[symbol=ESZ5,dt=2025-08-04]", "bars[symbol=ESZ5,dt=2025-08-05]",
		},
		"(bars,!state:fresh)+1":                    {"index[root=ES]", "bars[symbol=ESU5,dt=2025-08-05]"},
		"+(bars,state:missing),bronze.*":           {"events[symbol=ESU5,dt=2025-08-05]"},
		"bars[symbol=NQ*] bars,state:missing":      {"bars[symbol=ESU5,dt=2025-08-05]", "bars[symbol=NQU5,dt=2025-08-04]", "bars[symbol=NQU5,dt=2025-08-05]"},
		"bars[dt=*-05],!bars[root=ES]":             {"bars[symbol=NQU5,dt=2025-08-05]"},
		"bars[symbol={NQU5,ESZ5},dt=..2025-08-04]": {"bars[symbol=ESZ5,dt=2025-08-04]", "bars[symbol=NQU5,dt=2025-08-04]"},
	} {
		equal(t, w.selected(graph.Request{Select: []string{text}}), want)
	}
	equal(t, w.selected(graph.Request{Select: []string{"bars"}, Exclude: []string{"state:fresh"}}), []string{"bars[symbol=ESU5,dt=2025-08-05]"})
}

func TestWhatFailedLast(t *testing.T) {
	w := twoRoots(t)
	delete(w.parts, w.part("silver.t.bars[symbol=ESU5,dt=2025-08-05]"))
	w.raw["ES"]["es-2025-08-06.dbn"] = "ESU5:z"
	failed := []string{"bars[symbol=ESU5,dt=2025-08-05]", "bars[symbol=ESU5,dt=2025-08-04]", "ingest[root=ES,dt=2025-08-06]"}
	// What failed and is fresh since counts no more.
	equal(t, w.selected(graph.Request{Select: []string{"state:failed"}}, failed...), []string{"bars[symbol=ESU5,dt=2025-08-05]", "ingest[root=ES,dt=2025-08-06]"})
	equal(t, w.selected(graph.Request{Select: []string{"state:failed+"}}, failed...), []string{
		"index[root=ES]", "bars[symbol=ESU5,dt=2025-08-05]", "history[symbol=ESU5,dt=2025-08-06]", "ingest[root=ES,dt=2025-08-06]",
	})
	p, err := w.planFailed(graph.Request{Select: []string{"+state:failed"}}, failed)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, lines(p), []string{"run ingest[root=ES,dt=2025-08-06] missing", "run bars[symbol=ESU5,dt=2025-08-05] missing silver.t.bars[symbol=ESU5,dt=2025-08-05]"})
}

// A unit of a fan-out that has never run stands for what it will make.
func TestUnitsWhosePartitionsNobodyKnows(t *testing.T) {
	w := twoRoots(t)
	w.raw["ES"]["es-2025-08-06.dbn"] = "ESU5:z"
	w.raw["YM"] = map[string]string{"ym-2025-08-04.dbn": "YMU5:x"}
	es, ym := "ingest[root=ES,dt=2025-08-06]", "ingest[root=YM,dt=2025-08-04]"
	for text, want := range map[string][]string{
		"state:missing":                  {es, ym},
		"reason:missing":                 {es, ym},
		"state:stale,bronze.*":           {es, ym},
		"bronze.t.events[dt=2025-08-06]": {es},
		"ingest[root=YM]":                {ym},
		"1+bars[symbol=YM*],bronze.*":    {es, ym},
		"bars,state:missing":             nil, // of them nobody knows anything at all
		"state:stale,!ingest[root=ES*]":  {ym},
	} {
		equal(t, slices.DeleteFunc(w.selected(graph.Request{Select: []string{text}}), func(x string) bool { return !strings.HasPrefix(x, "ingest") }), want)
	}
	p := w.mustPlan(graph.Request{Select: []string{"bronze.t.events[root=YM]"}})
	p.EachUnknown(func(x plan.UnknownUnit) {
		if x.Dataset.Table != "events" || x.Day.String() != "2025-08-04" || x.Action != plan.WillRun || x.Code != plan.MissingOutput || x.Failed {
			t.Errorf("%+v", x)
		}
	})
	w.apply(graph.Request{}, false, "")
	w.mustPlan(graph.Request{}).EachUnknown(func(x plan.UnknownUnit) { t.Errorf("%s has run", x.Describe()) })
}

// What a fan-out made, and is gone with what it was made from, is gone for good.
func TestLostPartitions(t *testing.T) {
	w := twoRoots(t)
	delete(w.raw["ES"], "es-2025-08-05.dbn")
	gone := func(part string) { delete(w.parts, w.part(part)) }
	lost := func(r graph.Request) []string {
		var out []string
		for _, part := range w.mustPlan(r).Lost() {
			out = append(out, part.String())
		}
		return out
	}
	equal(t, lost(graph.Request{}), nil)
	gone("bronze.t.events[symbol=ESZ5,dt=2025-08-05]")
	gone("bronze.t.events[symbol=NQU5,dt=2025-08-05]") // its raw file is there
	gone("silver.t.bars[symbol=ESU5,dt=2025-08-05]")   // events are
	want := []string{"bronze.t.events[symbol=ESZ5,dt=2025-08-05]"}
	equal(t, lost(graph.Request{}), want)
	equal(t, lost(graph.Request{Select: []string{"bars"}}), nil)
	delete(w.raw, "ES")
	gone("bronze.t.events[symbol=ESU5,dt=2025-08-04]")
	equal(t, lost(graph.Request{}), []string{"bronze.t.events[symbol=ESU5,dt=2025-08-04]", want[0]})
}

// A glob over contracts takes along the raw files of their roots, and of no other.
func TestAncestorsOfAGlob(t *testing.T) {
	w := twoRoots(t)
	equal(t, w.selected(graph.Request{Select: []string{"+bars[symbol=ES*5,dt=2025-08-04],raw.*"}}), []string{"files[root=ES,dt=2025-08-04]"})
	equal(t, w.selected(graph.Request{Select: []string{"+bars[symbol=N*,dt=2025-08-04],raw.*"}}), []string{"files[root=NQ,dt=2025-08-04]"})
	// Of a root whose contracts nobody knows yet, nothing can be ruled out.
	w.raw["YM"] = map[string]string{"ym-2025-08-04.dbn": "YMU5:x"}
	equal(t, w.selected(graph.Request{Select: []string{"+bars[symbol=ES*5,dt=2025-08-04],raw.*"}}), []string{"files[root=ES,dt=2025-08-04]", "files[root=YM,dt=2025-08-04]"})
	// What an index collects are all contracts.
	got := w.selected(graph.Request{Select: []string{"1+index[root=ES],bars"}})
	if len(got) != 4 || !strings.HasPrefix(got[3], "bars[symbol=ESZ5") {
		t.Errorf("an index of ES is made from %v", got)
	}
}

func TestStuckUnits(t *testing.T) {
	w := newWorld(t)
	w.extra = `
dataset "gold" "t" "week" {
  keys     = ["symbol", "dt"]
  path     = "week/${key.symbol}"
  contract = "t.avsc"
}
stage "week" {
  transform = "t.copy"
  input "in" {
    from = dataset.silver.t.bars
    window {
      key      = "dt"
      sessions = [-1, 0]
    }
  }
  output "out" { to = dataset.gold.t.week }
}
dataset "gold" "t" "after" {
  keys     = ["symbol", "dt"]
  path     = "after/${key.symbol}"
  contract = "t.avsc"
}
stage "after" {
  transform = "t.copy"
  input "in" { from = dataset.gold.t.week }
  output "out" { to = dataset.gold.t.after }
}
`
	w.configure()
	w.raw["ES"] = map[string]string{"es-2025-08-04.dbn": "ESU5:x", "es-2025-08-05.dbn": "ESU5:y"}
	w.apply(graph.Request{}, false, "")
	equal(t, w.selected(graph.Request{Select: []string{"state:blocked"}}), []string{"after[symbol=ESU5,dt=2025-08-04]", "week[symbol=ESU5,dt=2025-08-04]"})
}

func TestEmptySelectorsNameWhatThereIs(t *testing.T) {
	w := twoRoots(t)
	for want, r := range map[string]graph.Request{
		`did you mean "state:stale"?`:           {Select: []string{"state:stael"}},
		`did you mean "reason:input_changed"?`:  {Exclude: []string{"reason:inputs_changed"}},
		"there are fresh, empty":                {Select: []string{"state:wonderful"}},
		"there are partitions with state:fresh": {Select: []string{"bars,state:missing"}},
		"everything is fresh":                   {Select: []string{"reason:upstream+"}},
		`there is no symbol "ESX5"; did you me`: {Select: []string{"+bars[symbol=ESX5]"}},
		`there is no symbol "GC*"; there are E`: {Select: []string{"+bars[symbol=GC*]"}},
		`there is no "ESX5"; did you mean "ES`:  {AnyKey: graph.AnyKey{Keys: []string{"symbol", "root"}, Values: []string{"ESX5"}}},
		"does not match":                        {Select: []string{"bars[symbol=esu5]"}},
		"braces unevenly":                       {Select: []string{"bars[symbol={ES]"}},
		`did you mean "symbol"?`:                {Select: []string{"bars[symbl=ES]"}},
		"there are no tags":                     {Select: []string{"tag:slow"}},
		`did you mean "silver.t.history"?`:      {Select: []string{"silver.t.histori"}},
		"near to it: history, silver.t.history": {Select: []string{"hist"}},
	} {
		_, err := w.planFailed(r, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v does not say %q", r, err, want)
		}
	}
	// What is left out need not be there.
	w.selected(graph.Request{Select: []string{"bars"}, Exclude: []string{"bars[symbol=ESX5]", "state:missing"}})
}

// TestSelectorAlgebra holds the operators to the sets they are named after.
func TestSelectorAlgebra(t *testing.T) {
	w := twoRoots(t)
	delete(w.parts, w.part("silver.t.bars[symbol=ESU5,dt=2025-08-05]"))
	whole := w.selected(graph.Request{})
	set := func(rt *rapid.T, text string) map[string]bool {
		out := map[string]bool{}
		p, err := w.planFailed(graph.Request{Select: []string{text}}, nil)
		if err != nil {
			if !strings.Contains(err.Error(), "the selection matches no") {
				rt.Fatalf("%s: %v", text, err)
			}
			return out
		}
		p.EachPartition(func(s plan.PartitionState) {
			out[s.Partition.Dataset.Table+"["+string(s.Partition.Keys)+"]"] = true
		})
		return out
	}
	terms := []string{"bars", "bars[symbol=ES*]", "*.t.*[dt=2025-08-05]", "state:stale", "index+", "+state:missing", "1+index[root=NQ]", "(ingest,!state:fresh)", "raw.t.files"}
	rapid.Check(t, func(rt *rapid.T) {
		a, b := rapid.SampledFrom(terms).Draw(rt, "a"), rapid.SampledFrom(terms).Draw(rt, "b")
		inA, inB := set(rt, a), set(rt, b)
		for text, member := range map[string]func(x string) bool{
			fmt.Sprintf("%s %s", a, b):         func(x string) bool { return inA[x] || inB[x] },
			fmt.Sprintf("%s,%s", a, b):         func(x string) bool { return inA[x] && inB[x] },
			fmt.Sprintf("%s,!%s", a, b):        func(x string) bool { return inA[x] && !inB[x] },
			fmt.Sprintf("!(%s %s)", a, b):      func(x string) bool { return !inA[x] && !inB[x] },
			fmt.Sprintf("(%s %s),%s", a, b, b): func(x string) bool { return inB[x] },
		} {
			got := set(rt, text)
			for _, x := range whole {
				if got[x] != member(x) {
					rt.Fatalf("%s: %s is selected: %v", text, x, got[x])
				}
			}
		}
	})
}
