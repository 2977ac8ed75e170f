package plan_test

import (
	"slices"
	"strings"
	"testing"

	"dag/engine/graph"
	"dag/engine/manifest"
	"dag/engine/plan"
)

// read records a unit's inputs and, of a fan-out, its values; it returns the
// content and the symbols of now.
func (w *world) read(work *plan.Work, m *manifest.Manifest) (content string, symbols []string, digests []manifest.Sum) {
	content = work.Stage.ParamsText()
	for _, in := range work.Inputs {
		digest := in.Digest
		if in.Source {
			text := w.raw[work.Keys["root"]][in.File]
			digest = sumOf(text)
			list, rest, _ := strings.Cut(text, ":")
			symbols, content = strings.Fields(list), content+rest
		} else {
			content += in.Digest.String()
		}
		digests = append(digests, digest)
		m.Inputs = append(m.Inputs, manifest.Input{Port: in.Port, Partition: in.Partition.String(), File: in.File, Digest: digest.String()})
	}
	m.FanOut = slices.Concat(work.Before, symbols)
	slices.Sort(m.FanOut)
	m.FanOut = slices.Compact(m.FanOut)
	return content, symbols, digests
}

// TestFanOutOfNothing: what a unit without any value was made from is compared, and
// the reason names what is different.
func TestFanOutOfNothing(t *testing.T) {
	made := func(t *testing.T) *world {
		w := week(t, "2025-08-04")
		w.raw["ES"]["es-2025-08-05.dbn"] = ":empty"
		w.apply(graph.Request{}, false, "")
		equal(t, lines(w.mustPlan(graph.Request{})), nil)
		return w
	}
	for name, c := range map[string]struct {
		change func(w *world)
		want   []string
	}{
		"file changed": {func(w *world) { w.raw["ES"]["es-2025-08-05.dbn"] = "ESU5:now" }, []string{"run ingest[root=ES,dt=2025-08-05] input_changed raw.t.files[root=ES,dt=2025-08-05]"}},
		"file added":   {func(w *world) { w.raw["ES"]["zz-2025-08-05.dbn"] = "ESU5:now" }, []string{"run ingest[root=ES,dt=2025-08-05] input_added raw.t.files[root=ES,dt=2025-08-05]"}},
		"version":      {func(w *world) { w.ingest = 2; w.configure() }, []string{"run ingest[root=ES,dt=2025-08-05] transform_version_changed"}},
		"old record":   {func(w *world) { w.fans["root=ES,dt=2025-08-05"] = manifest.FanOut{} }, []string{"run ingest[root=ES,dt=2025-08-05] missing"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := made(t)
			c.change(w)
			// The unit may make a partition of any symbol, and so is selected by each.
			p := w.mustPlan(graph.Request{Select: []string{"bronze.t.events[symbol=ESU5]"}, Dates: []string{"2025-08-05"}})
			equal(t, lines(p), c.want)
			w.apply(graph.Request{}, false, "")
			equal(t, lines(w.mustPlan(graph.Request{})), nil)
		})
	}
	w := made(t)
	w.ingest = 2
	w.configure()
	r := w.mustPlan(graph.Request{Select: []string{"bronze.t.events"}, Dates: []string{"2025-08-05"}}).Items[0].Reason
	if r.Old != "t.ingest version 1" || r.New != "t.ingest version 2" {
		t.Errorf("from %q to %q", r.Old, r.New)
	}
}

// TestLostRecord: what a unit has emptied is known from its own manifest, also where
// those of its siblings do not name it; what other units made is not the unit's.
func TestLostRecord(t *testing.T) {
	w := week(t, "2025-08-04")
	w.apply(graph.Request{}, false, "")
	w.raw["ES"]["es-2025-08-04.dbn"] = "ESU5:less"
	w.apply(graph.Request{}, false, "")
	for p, m := range w.parts {
		if p.Dataset.Layer == "bronze" {
			m.FanOut = []string{"ESU5"}
		}
	}
	clear(w.fans)
	before := func() []string {
		w.raw["ES"]["es-2025-08-04.dbn"] += "!"
		p := w.mustPlan(graph.Request{})
		work, err := p.Resolve(t.Context(), p.Items[0])
		if err != nil {
			t.Fatal(err)
		}
		return work.Before
	}
	equal(t, before(), []string{"ESU5", "ESZ5"})
	w.parts[w.part("bronze.t.events[symbol=ESZ5,dt=2025-08-04]")].Unit = "root=ES,venue=X,dt=2025-08-04"
	equal(t, before(), []string{"ESU5"})
}
