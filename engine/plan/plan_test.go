package plan_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dag/engine/graph"
	"dag/engine/manifest"
	"dag/engine/plan"
)

// week fills the world with sessions of ES, of which each file holds two symbols.
func week(t tb, days ...string) *world {
	w := newWorld(t)
	w.raw["ES"] = map[string]string{}
	for _, d := range days {
		w.raw["ES"]["es-"+d+".dbn"] = "ESU5 ESZ5:" + d
	}
	return w
}

var fiveDays = []string{"2025-08-04", "2025-08-05", "2025-08-06", "2025-08-07", "2025-08-08"}

func (w *world) mustPlan(r graph.Request) *plan.Plan {
	w.t.Helper()
	p, err := w.plan(r, false)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// lines writes the items of a plan, for comparison.
func lines(p *plan.Plan) []string {
	var out []string
	for _, it := range p.Items {
		cause := ""
		if it.Reason.Cause != nil {
			cause = " " + it.Reason.Cause.String()
		}
		if it.Blocked != "" {
			cause += " BLOCKED " + it.Blocked
		}
		out = append(out, fmt.Sprintf("%s %s %s%s", it.Action, it.Describe(), it.Reason.Code, cause))
	}
	return out
}

func equal(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestFirstApplyGrowsThroughTheFanOut(t *testing.T) {
	w := week(t, "2025-08-04", "2025-08-05")
	p := w.mustPlan(graph.Request{})
	equal(t, lines(p), []string{"run ingest[root=ES,dt=2025-08-04] missing", "run ingest[root=ES,dt=2025-08-05] missing"})
	if len(p.After) != 3 || p.After[0].Units != 2 {
		t.Errorf("known after the fan-out: %v", p.After)
	}
	w.apply(graph.Request{}, false, "")
	if want := 2 + 4 + 2 + 1; len(w.ran) != want {
		t.Errorf("%d units ran, want %d: %v", len(w.ran), want, w.ran)
	}
	if last := w.ran[len(w.ran)-1]; last != "index[root=ES]" && w.ran[len(w.ran)-2] != "index[root=ES]" {
		t.Errorf("the index ran before its members: %v", w.ran)
	}
	if n := len(w.parts[w.part("gold.t.index[root=ES]")].Inputs); n != 4 {
		t.Errorf("the index read %d partitions, want 4", n)
	}
	equal(t, lines(w.mustPlan(graph.Request{})), nil)
}

func TestDeletedPartitionRunsAloneAndIsCutOff(t *testing.T) {
	w := week(t, fiveDays...)
	w.apply(graph.Request{}, false, "")
	gone := w.part("silver.t.bars[symbol=ESU5,dt=2025-08-05]")
	delete(w.parts, gone)
	got := lines(w.mustPlan(graph.Request{}))
	slices.Sort(got)
	equal(t, got, []string{
		"may history[symbol=ESU5,dt=2025-08-06] upstream silver.t.bars[symbol=ESU5,dt=2025-08-05]",
		"may history[symbol=ESU5,dt=2025-08-07] upstream silver.t.bars[symbol=ESU5,dt=2025-08-05]",
		"may index[root=ES] upstream silver.t.bars[symbol=ESU5,dt=2025-08-05]",
		"run bars[symbol=ESU5,dt=2025-08-05] missing silver.t.bars[symbol=ESU5,dt=2025-08-05]",
	})
	w.apply(graph.Request{}, false, "")
	equal(t, w.ran, []string{"bars[symbol=ESU5,dt=2025-08-05]"})
	if len(w.cutOff) != 3 {
		t.Errorf("cut off %v", w.cutOff)
	}
}

func TestReasons(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *world)
		first  string
	}{
		"source changed": {func(w *world) { w.raw["ES"]["es-2025-08-05.dbn"] = "ESU5 ESZ5:new" }, "run ingest[root=ES,dt=2025-08-05] input_changed raw.t.files[root=ES,dt=2025-08-05]"},
		"source added":   {func(w *world) { w.raw["ES"]["more-2025-08-05.dbn"] = "ESU5:more" }, "run ingest[root=ES,dt=2025-08-05] input_added raw.t.files[root=ES,dt=2025-08-05]"},
		"incomplete": {func(w *world) {
			w.state[w.part("silver.t.bars[symbol=ESU5,dt=2025-08-05]")] = manifest.Incomplete
		}, "run bars[symbol=ESU5,dt=2025-08-05] incomplete silver.t.bars[symbol=ESU5,dt=2025-08-05]"},
		"manifest broken": {func(w *world) {
			w.state[w.part("silver.t.bars[symbol=ESU5,dt=2025-08-05]")] = manifest.UnreadableManifest
		}, "run bars[symbol=ESU5,dt=2025-08-05] unreadable_manifest silver.t.bars[symbol=ESU5,dt=2025-08-05]"},
		"data changed": {func(w *world) {
			w.state[w.part("silver.t.bars[symbol=ESU5,dt=2025-08-05]")] = manifest.OutputChanged
		}, "run bars[symbol=ESU5,dt=2025-08-05] output_changed silver.t.bars[symbol=ESU5,dt=2025-08-05]"},
		"parameter": {func(w *world) { w.param = "2"; w.configure() }, "run bars[symbol=ESU5,dt=2025-08-04] params_changed"},
		"version":   {func(w *world) { w.version = 2; w.configure() }, "run bars[symbol=ESU5,dt=2025-08-04] transform_version_changed"},
	} {
		t.Run(name, func(t *testing.T) {
			w := week(t, "2025-08-04", "2025-08-05")
			w.apply(graph.Request{}, false, "")
			c.change(w)
			got := lines(w.mustPlan(graph.Request{}))
			if len(got) == 0 || got[0] != c.first {
				t.Errorf("got %v, want first %q", got, c.first)
			}
			w.apply(graph.Request{}, false, "")
			equal(t, lines(w.mustPlan(graph.Request{})), nil)
		})
	}
}

func TestParameterReasonNamesTheValues(t *testing.T) {
	w := week(t, "2025-08-04")
	w.apply(graph.Request{}, false, "")
	for _, m := range w.parts {
		if m.Stage == "bars" {
			m.Params = map[string]any{"factor": 1.0}
		}
	}
	w.param = "2"
	w.configure()
	r := w.mustPlan(graph.Request{}).Items[0].Reason
	if r.Old != "factor = 1" || r.New != "factor = 2" {
		t.Errorf("from %q to %q", r.Old, r.New)
	}
}

func TestUnverifiedIsFreshWhateverHappensAbove(t *testing.T) {
	w := week(t, "2025-08-04")
	w.apply(graph.Request{}, false, "")
	for _, s := range []string{"ESU5", "ESZ5"} {
		w.state[w.part("silver.t.bars[symbol="+s+",dt=2025-08-04]")] = manifest.Unverified
	}
	w.param = "2"
	w.configure()
	w.raw["ES"]["es-2025-08-04.dbn"] = "ESU5 ESZ5:new"
	for _, l := range lines(w.mustPlan(graph.Request{})) {
		if strings.Contains(l, "bars[") && !strings.Contains(l, "ingest") {
			t.Errorf("planned %s", l)
		}
	}
}

func TestLostSourceLeavesWhatIsThere(t *testing.T) {
	w := week(t, "2025-08-04", "2025-08-05")
	w.apply(graph.Request{}, false, "")
	delete(w.raw["ES"], "es-2025-08-04.dbn")
	equal(t, lines(w.mustPlan(graph.Request{})), nil)
}

func TestFailureBlocksOnlyWhatNeedsIt(t *testing.T) {
	w := week(t, "2025-08-04", "2025-08-05")
	w.apply(graph.Request{}, false, "ingest[root=ES,dt=2025-08-05]")
	for _, u := range w.ran {
		if strings.Contains(u, "bars") && strings.Contains(u, "08-05") || strings.HasPrefix(u, "index") {
			t.Errorf("%s ran", u)
		}
	}
	if !slices.Contains(w.ran, "bars[symbol=ESU5,dt=2025-08-04]") {
		t.Errorf("an independent day did not run: %v", w.ran)
	}
	w.apply(graph.Request{}, false, "")
	equal(t, lines(w.mustPlan(graph.Request{})), nil)
}

func TestSelection(t *testing.T) {
	for name, c := range map[string]struct {
		r    graph.Request
		want []string
	}{
		"date":           {graph.Request{Dates: []string{"2025-08-05"}}, []string{"run ingest[root=ES,dt=2025-08-05] missing"}},
		"range":          {graph.Request{Dates: []string{"2025-08-05:2025-08-06"}}, []string{"run ingest[root=ES,dt=2025-08-05] missing", "run ingest[root=ES,dt=2025-08-06] missing"}},
		"contract":       {graph.Request{AnyKey: graph.AnyKey{Keys: []string{"symbol", "root"}, Values: []string{"ESU5"}}, Dates: []string{"2025-08-05"}}, []string{"run ingest[root=ES,dt=2025-08-05] missing"}},
		"slice upwards":  {graph.Request{Select: []string{"+bars[symbol=ESU5,dt=2025-08-05]"}}, []string{"run ingest[root=ES,dt=2025-08-05] missing"}},
		"window upwards": {graph.Request{Select: []string{"+history[dt=2025-08-06]"}}, []string{"run ingest[root=ES,dt=2025-08-04] missing", "run ingest[root=ES,dt=2025-08-05] missing"}},
		"exclude":        {graph.Request{Exclude: []string{"*.t.*[dt=2025-08-05..2025-08-08]"}}, []string{"run ingest[root=ES,dt=2025-08-04] missing"}},
	} {
		t.Run(name, func(t *testing.T) {
			equal(t, lines(week(t, fiveDays...).mustPlan(c.r)), c.want)
		})
	}
}

func TestSelectionOfOneContractRunsOnlyIt(t *testing.T) {
	w := week(t, "2025-08-04", "2025-08-05")
	w.apply(graph.Request{AnyKey: graph.AnyKey{Keys: []string{"symbol", "root"}, Values: []string{"ESU5"}}}, false, "")
	for _, u := range w.ran {
		if strings.Contains(u, "ESZ5") || strings.HasPrefix(u, "index") {
			t.Errorf("%s ran", u)
		}
	}
	if !slices.Contains(w.ran, "history[symbol=ESU5,dt=2025-08-05]") {
		t.Errorf("ran only %v", w.ran)
	}
}

func TestUnselectedStaleInputBlocks(t *testing.T) {
	w := week(t, "2025-08-04")
	w.apply(graph.Request{}, false, "")
	delete(w.parts, w.part("silver.t.bars[symbol=ESU5,dt=2025-08-04]"))
	p := w.mustPlan(graph.Request{Select: []string{"index"}})
	equal(t, lines(p), []string{"may index[root=ES] upstream silver.t.bars[symbol=ESU5,dt=2025-08-04] BLOCKED silver.t.bars[symbol=ESU5,dt=2025-08-04] is stale and not selected"})
}

func TestForceRunsWhatIsSelected(t *testing.T) {
	w := week(t, "2025-08-04")
	w.apply(graph.Request{}, false, "")
	w.apply(graph.Request{Select: []string{"bars[symbol=ESU5]"}}, true, "")
	equal(t, w.ran, []string{"bars[symbol=ESU5,dt=2025-08-04]"})
}

func TestEmptySelectionsAreErrors(t *testing.T) {
	w := week(t, "2025-08-04")
	w.apply(graph.Request{}, false, "")
	for want, r := range map[string]graph.Request{
		`did you mean "bars"?`:                   {Select: []string{"barz"}},
		`did you mean "ESU5"?`:                   {AnyKey: graph.AnyKey{Keys: []string{"symbol", "root"}, Values: []string{"ESU6"}}},
		"sessions from 2025-08-04 to 2025-08-04": {Dates: []string{"2025-09-01"}},
		`"2025-8-4" is not a date`:               {Dates: []string{"2025-8-4"}},
		"ends before it begins":                  {Dates: []string{"2025-08-05:2025-08-04"}},
		`"colour" in bars[colour=red] is no key`: {Select: []string{"bars[colour=red]"}},
		"lacks its closing bracket":              {Select: []string{"bars[dt=2025"}},
	} {
		_, err := w.plan(r, false)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v does not say %q", r, err, want)
		}
	}
}

func TestNothingIsHashedForAFirstPlan(t *testing.T) {
	w := week(t, fiveDays...)
	w.mustPlan(graph.Request{})
	if w.hashed != 0 {
		t.Errorf("%d files were hashed of which nothing has been made", w.hashed)
	}
}

// TestApplyAlwaysSettles changes a lake at random: after an apply nothing is
// left to do, what was cut off has not run, the content is what an apply from
// nothing gives, and all that the fan-out ever made is made from what there is.
func TestApplyAlwaysSettles(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := week(rt, "2025-08-04", "2025-08-05", "2025-08-06")
		w.extra = rapid.SampledFrom([]string{"", spread, chain}).Draw(rt, "extra")
		w.configure()
		w.pick = rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "order"), 0)).IntN
		for range rapid.IntRange(1, 4).Draw(rt, "rounds") {
			for range rapid.IntRange(1, 3).Draw(rt, "changes") {
				change(rt, w)
			}
			if rapid.IntRange(0, 3).Draw(rt, "fails") == 0 {
				w.apply(graph.Request{}, false, "ingest[root=ES,dt=2025-08-05]")
				continue
			}
			w.settle(rt)
		}
		w.settle(rt)
		fresh := newWorld(rt)
		fresh.raw, fresh.param, fresh.ingest, fresh.version, fresh.extra = w.raw, w.param, w.ingest, w.version, w.extra
		fresh.configure()
		fresh.apply(graph.Request{}, false, "")
		for p, m := range fresh.parts {
			if slices.Contains([]string{"index", "history", "spread", "below", "daily", "chain"}, p.Dataset.Table) {
				continue // they also read what a fan-out has made empty
			}
			if got := w.parts[p]; got == nil || got.Digest != m.Digest {
				rt.Fatalf("%s is not what a fresh lake holds", p)
			}
		}
		w.restate(graph.Request{Select: []string{"bronze.t.events"}}, false, func(x *plan.Standing) bool {
			if was := w.parts[x.Partition].Fingerprint; was != x.Fingerprint {
				rt.Fatalf("%s is not made from what is there", x.Partition)
			}
			return false
		})
	})
}

// change does one thing to the lake or to the pipeline.
func change(rt *rapid.T, w *world) {
	days := []string{"2025-08-04", "2025-08-05", "2025-08-06"}
	day := rapid.SampledFrom(days).Draw(rt, "day")
	switch rapid.IntRange(0, 5).Draw(rt, "kind") {
	case 0:
		symbols := rapid.SampledFrom([]string{"", "ESU5", "ESU5 ESZ5", "ESZ5 ESH6"}).Draw(rt, "symbols")
		w.raw["ES"]["es-"+day+".dbn"] = symbols + ":" + rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "text")
	case 1, 2:
		var all []string
		for p := range w.parts {
			all = append(all, p.String())
		}
		if slices.Sort(all); len(all) > 0 {
			delete(w.parts, w.part(rapid.SampledFrom(all).Draw(rt, "partition")))
		}
	case 3:
		w.param = rapid.SampledFrom([]string{"1", "2"}).Draw(rt, "param")
		w.configure()
	case 4:
		clear(w.fans)
	case 5:
		w.ingest = rapid.IntRange(1, 2).Draw(rt, "ingest")
		w.configure()
	}
}

func TestUnknownUnitsBelowAnUnselectedFanOutAreBlocked(t *testing.T) {
	w := week(t, "2025-08-04", "2025-08-05")
	p := w.mustPlan(graph.Request{Select: []string{"bars"}})
	if len(p.Items) != 0 || len(p.After) != 1 || !p.After[0].Blocked || p.After[0].Units != 2 {
		t.Errorf("items %v, after %+v", lines(p), p.After)
	}
	w.apply(graph.Request{Dates: []string{"2025-08-04"}}, false, "")
	if p := w.mustPlan(graph.Request{Dates: []string{"2025-08-04"}}); len(p.After) != 0 {
		t.Errorf("of another day: %+v", p.After)
	}
}

func TestForeignOutputsOfAFanOutAreFresh(t *testing.T) {
	w := week(t, "2025-08-04")
	w.apply(graph.Request{}, false, "")
	clear(w.fans)
	for _, s := range []string{"ESU5", "ESZ5"} {
		w.state[w.part("bronze.t.events[symbol="+s+",dt=2025-08-04]")] = manifest.Unverified
	}
	for _, l := range lines(w.mustPlan(graph.Request{})) {
		if strings.Contains(l, "ingest[") {
			t.Errorf("planned %s", l)
		}
	}
}

func TestOneForeignSiblingFreezesNothing(t *testing.T) {
	w := week(t, "2025-08-04")
	w.apply(graph.Request{}, false, "")
	foreign := w.part("bronze.t.events[symbol=ESU5,dt=2025-08-04]")
	w.state[foreign] = manifest.Unverified
	w.raw["ES"]["es-2025-08-04.dbn"] = "ESU5 ESZ5:new"
	p := w.mustPlan(graph.Request{})
	if len(p.Items) == 0 || p.Items[0].Reason.Code != plan.InputChanged {
		t.Fatalf("planned %v", lines(p))
	}
	work, err := p.Resolve(t.Context(), p.Items[0])
	if err != nil || !work.Keep[foreign] || len(work.Keep) != 1 {
		t.Errorf("kept %v (%v)", work.Keep, err)
	}
}

func TestOneDatasetThroughTwoPorts(t *testing.T) {
	w := week(t, "2025-08-04", "2025-08-05")
	w.extra = `
dataset "silver" "t" "pair" {
  keys     = ["symbol", "dt"]
  path     = "pair/${key.symbol}"
  contract = "t.avsc"
}
stage "pair" {
  transform = "t.pair"
  input "a" { from = dataset.silver.t.bars }
  input "b" { from = dataset.silver.t.bars }
  output "out" { to = dataset.silver.t.pair }
}
`
	w.configure()
	w.apply(graph.Request{}, false, "")
	m := w.parts[w.part("silver.t.pair[symbol=ESU5,dt=2025-08-04]")]
	if m == nil || len(m.Inputs) != 2 || m.Inputs[0].Partition != m.Inputs[1].Partition {
		t.Errorf("made from %+v", m)
	}
	equal(t, lines(w.mustPlan(graph.Request{})), nil)
}
