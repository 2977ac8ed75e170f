package plan_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/graph"
	"dag/engine/plan"
)

func save(t testing.TB, p *plan.Plan) *plan.File {
	t.Helper()
	items, err := p.Save()
	if err != nil {
		t.Fatal(err)
	}
	b, err := (&plan.File{Lake: "lake", Items: items}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	f, err := plan.DecodeFile("x.dagplan", b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// only plans again, restricted to the units of a saved plan.
func (w *world) only(f *plan.File) *plan.Plan {
	sel, _ := w.graph.Select(f.Selection)
	only := map[string]bool{}
	for _, it := range f.Items {
		only[it.Describe()] = true
	}
	p, err := plan.Make(context.Background(), w.graph, w, plan.Request{Selection: sel, Only: only}, time.Now)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func TestSavedPlanDriftsOnlyWhereTheLakeDid(t *testing.T) {
	w := week(t, "2025-08-04", "2025-08-05")
	w.apply(graph.Request{}, false, "")
	delete(w.parts, w.part("silver.t.bars[symbol=ESU5,dt=2025-08-04]"))
	delete(w.parts, w.part("silver.t.bars[symbol=ESU5,dt=2025-08-05]"))
	f := save(t, w.mustPlan(graph.Request{}))

	drifts, err := w.only(f).Drifts(f.Items)
	if err != nil || len(drifts) != 0 {
		t.Fatalf("nothing was touched, and yet: %v, %v", drifts, err)
	}
	w.param = "2" // other items become stale, too: they are not in the saved plan
	w.configure()
	for _, it := range w.only(f).Items {
		if strings.Contains(it.Describe(), "ESZ5") {
			t.Errorf("%s is not in the saved plan", it.Describe())
		}
	}
	drifts, err = w.only(f).Drifts(f.Items)
	if err != nil || len(drifts) == 0 || !strings.HasPrefix(drifts[0].What, "the definition of its stage, a parameter") || drifts[0].Old == drifts[0].New {
		t.Errorf("a parameter was changed, and the drifts are %v (%v)", drifts, err)
	}
	w.param = "1"
	w.configure()

	changed := w.part("bronze.t.events[symbol=ESU5,dt=2025-08-04]")
	m := *w.parts[changed]
	was := m.Digest
	m.Digest = sumOf("changed").String()
	w.parts[changed] = &m
	drifts, err = w.only(f).Drifts(f.Items)
	want := []plan.Drift{{Unit: "bars[symbol=ESU5,dt=2025-08-04]", What: "its input " + changed.String() + " has changed", Old: was, New: m.Digest}}
	if err != nil || !slices.Equal(drifts, want) {
		t.Errorf("drifts %v, want %v (%v)", drifts, want, err)
	}

	w.apply(graph.Request{}, false, "")
	drifts, err = w.only(f).Drifts(f.Items)
	if err != nil || len(drifts) != len(f.Items) || drifts[0].What != "it is up to date by now, and does not run" {
		t.Errorf("drifts %v (%v)", drifts, err)
	}
}

// A unit that cannot run by now was to run when the plan was saved.
func TestBlockedSinceIsADrift(t *testing.T) {
	w := week(t, "2025-08-04")
	w.apply(graph.Request{}, false, "")
	delete(w.parts, w.part("silver.t.bars[symbol=ESU5,dt=2025-08-04]"))
	whole := save(t, w.mustPlan(graph.Request{}))
	delete(w.parts, w.part("silver.t.bars[symbol=ESZ5,dt=2025-08-04]"))
	drifts, err := w.only(whole).Drifts(whole.Items)
	const cause = "silver.t.bars[symbol=ESZ5,dt=2025-08-04] is stale and not selected"
	if err != nil || !slices.Contains(drifts, plan.Drift{Unit: "index[root=ES]", What: "it is blocked by now: " + cause}) {
		t.Errorf("drifts %v (%v)", drifts, err)
	}
	blocked := save(t, w.only(whole))
	if drifts, err = w.only(blocked).Drifts(blocked.Items); err != nil || len(drifts) != 0 {
		t.Errorf("it was blocked when it was saved, and yet: %v (%v)", drifts, err)
	}
	made := w.part("silver.t.bars[symbol=ESZ5,dt=2025-08-04]")
	w.apply(graph.Request{Select: []string{"bars[symbol=ESZ5]"}}, false, "")
	if w.parts[made] == nil {
		t.Fatal("it was not made")
	}
	drifts, err = w.only(blocked).Drifts(blocked.Items)
	if err != nil || !slices.Contains(drifts, plan.Drift{Unit: "index[root=ES]", What: "it was blocked, and is not any more: " + cause}) {
		t.Errorf("drifts %v (%v)", drifts, err)
	}
}

func TestDecodeMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "is not a saved plan",
		"{}":                    "its format is",
		`{"format":"dag.plan"}`: "version 0",
		`{"format":"dag.plan","format_version":9}`: "version 9",
	} {
		if _, err := plan.DecodeFile("x.dagplan", []byte(text)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "x.dagplan") {
			t.Errorf("%q: %v does not say %q", text, err, want)
		}
	}
}

func FuzzDecodeFile(f *testing.F) {
	w := week(f, "2025-08-04")
	items, err := w.mustPlan(graph.Request{}).Save()
	if err != nil {
		f.Fatal(err)
	}
	b, err := (&plan.File{Items: items}).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"format":"dag.plan","format_version":1,"items":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := plan.DecodeFile("x", data)
		if err != nil {
			return
		}
		again, err := file.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := plan.DecodeFile("x", again); err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
	})
}

// sessions lists the first n sessions from a date on.
func sessions(t tb, from string, n int) []string {
	t.Helper()
	d, err := calendar.ParseDay(from)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for ; len(out) < n; d++ {
		if wd := d.Weekday(); wd != time.Saturday && wd != time.Sunday {
			out = append(out, d.String())
		}
	}
	return out
}

func TestWhatBecameOfASavedUnit(t *testing.T) {
	w := week(t, "2025-08-04", "2025-08-05")
	w.apply(graph.Request{}, false, "")
	p := w.only(save(t, w.mustPlan(graph.Request{})))
	const fresh, gone = "it is up to date by now, and does not run", "it has nothing to be made from any more, and does not run"
	for _, c := range []struct{ stage, unit, want string }{
		{"bars", "symbol=ESU5,dt=2025-08-04", fresh},
		{"ingest", "root=ES,dt=2025-08-05", fresh},
		{"index", "root=ES", fresh},
		{"history", "symbol=ESU5,dt=2025-08-04", gone}, // nothing before it
		{"bars", "symbol=ESH6,dt=2025-08-04", gone},
		{"bars", "symbol=ESU5,dt=2026-08-04", gone},
		{"bars", "symbol=ESU5,dt=2025-08-09", gone}, // no session
		{"bars", "symbol=ESU5,dt=never", gone},
		{"bars", "dt=2025-08-04,symbol=ESU5", gone},
		{"bars", "symbol=ESU5", gone},
		{"bars", "", gone},
		{"index", "root=ES,dt=2025-08-04", gone},
		{"bar", "symbol=ESU5,dt=2025-08-04", "the pipeline does not have its stage any more"},
	} {
		item := plan.FileItem{Stage: c.stage, Unit: addr.Keys(c.unit)}
		drifts, err := p.Drifts([]plan.FileItem{item})
		if err != nil || len(drifts) != 1 || drifts[0].What != c.want {
			t.Errorf("%s: %v, %v; want %s", item.Describe(), drifts, err, c.want)
		}
	}
}

// A plan that is applied a second time is compared in a time that grows with its
// items, and not with their square.
func TestDriftsOfWhatIsUpToDateAreLinear(t *testing.T) {
	allocs := func(n int) float64 {
		w := week(t, sessions(t, "2025-01-06", n)...)
		w.apply(graph.Request{}, false, "")
		p, err := w.plan(graph.Request{}, true)
		if err != nil {
			t.Fatal(err)
		}
		f := save(t, p)
		now := w.only(f)
		return testing.AllocsPerRun(1, func() {
			if drifts, err := now.Drifts(f.Items); err != nil || len(drifts) != len(f.Items) {
				t.Fatalf("%d drifts, %v", len(drifts), err)
			}
		})
	}
	if few, many := allocs(10), allocs(40); many > 6*few {
		t.Errorf("four times the items allocate %.0f times, beside %.0f", many, few)
	}
}
