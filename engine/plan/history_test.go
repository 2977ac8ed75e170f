package plan_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"dag/engine/graph"
	"dag/engine/manifest"
	"dag/engine/plan"
)

// history writes how a partition came to be, by manifests alone.
func (w *world) history(part string) []string {
	w.t.Helper()
	e, err := w.mustPlan(graph.Request{}).Explain(w.part(part))
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, h := range e.History {
		again := ""
		if h.Again {
			again = " made again"
		}
		out = append(out, fmt.Sprintf("%s %s %s%s", h.Partition, h.Reason.Code, h.Reason.Cause, again))
	}
	return out
}

const (
	historyOf6 = "silver.t.history[symbol=ESU5,dt=2025-08-06]"
	barsOf5    = "silver.t.bars[symbol=ESU5,dt=2025-08-05]"
	eventsOf5  = "bronze.t.events[symbol=ESU5,dt=2025-08-05]"
)

// TestHistoryLeadsToTheFirstCause: what a unit was planned for is that an input may
// change; what is recorded is the input that did, and what changed that.
func TestHistoryLeadsToTheFirstCause(t *testing.T) {
	w := week(t, "2025-08-04", "2025-08-05", "2025-08-06")
	w.apply(graph.Request{}, false, "")
	equal(t, w.history(historyOf6), []string{historyOf6 + " missing " + historyOf6})
	w.raw["ES"]["es-2025-08-05.dbn"] = "ESU5 ESZ5:other"
	p := w.apply(graph.Request{}, false, "")
	want := []string{
		historyOf6 + " input_changed " + barsOf5,
		barsOf5 + " input_changed " + eventsOf5,
		eventsOf5 + " input_changed raw.t.files[root=ES,dt=2025-08-05]",
	}
	equal(t, w.history(historyOf6), want)
	m := w.parts[w.part(historyOf6)]
	if m.Reason.New != w.parts[w.part(barsOf5)].Digest || m.Reason.Old == "" || m.Reason.Old == m.Reason.New {
		t.Errorf("from %q to %q, and the input is %q", m.Reason.Old, m.Reason.New, w.parts[w.part(barsOf5)].Digest)
	}
	for _, it := range p.Items {
		if it.Describe() != "history[symbol=ESU5,dt=2025-08-06]" {
			continue
		}
		work, err := p.Resolve(context.Background(), it)
		if err != nil || !work.Fresh || work.Causes != nil {
			t.Errorf("%v: what is fresh has no cause to run: %v", err, work.Causes)
		}
	}
}

// TestHistoryEndsWhereAnInputWasMadeAgain: the reason that the input had then is not
// recorded any more.
func TestHistoryEndsWhereAnInputWasMadeAgain(t *testing.T) {
	w := week(t, "2025-08-04", "2025-08-05", "2025-08-06")
	w.apply(graph.Request{}, false, "")
	w.raw["ES"]["es-2025-08-05.dbn"] = "ESU5 ESZ5:other"
	w.apply(graph.Request{}, false, "")
	w.parts[w.part(barsOf5)].Digest = strings.Repeat("0", 32)
	equal(t, w.history(historyOf6), []string{historyOf6 + " input_changed " + barsOf5 + " made again"})
}

// TestHistoryEndsWhereAnInputWasMadeLater: the same content for another reason.
func TestHistoryEndsWhereAnInputWasMadeLater(t *testing.T) {
	w := week(t, "2025-08-04", "2025-08-05", "2025-08-06")
	w.apply(graph.Request{}, false, "")
	w.raw["ES"]["es-2025-08-05.dbn"] = "ESU5 ESZ5:other"
	w.apply(graph.Request{}, false, "")
	w.parts[w.part(historyOf6)].Run.StartedAt = "2025-08-07T12:00:00.5Z"
	w.parts[w.part(barsOf5)].Run.StartedAt = "2025-08-07T12:00:00.49Z"
	if got := w.history(historyOf6); len(got) != 3 {
		t.Errorf("its input was made before it: %q", got)
	}
	w.parts[w.part(barsOf5)].Run.StartedAt = "2025-08-07T12:00:00.51Z"
	equal(t, w.history(historyOf6), []string{historyOf6 + " input_changed " + barsOf5 + " made again"})
}

// TestCutOffIsNoCause: an input that was looked at again and came out the same has led
// to nothing.
func TestCutOffIsNoCause(t *testing.T) {
	w := week(t, "2025-08-04", "2025-08-05", "2025-08-06")
	w.apply(graph.Request{}, false, "")
	delete(w.parts, w.part(eventsOf5)) // made with the same bytes, so that bars are cut off
	h := w.parts[w.part(historyOf6)]
	for i := range h.Inputs {
		if h.Inputs[i].Partition == barsOf5 {
			h.Inputs[i].Digest = strings.Repeat("1", 32)
		}
	}
	h.Fingerprint.Sum = strings.Repeat("1", 32)
	p := w.mustPlan(graph.Request{})
	for _, it := range p.Items {
		if it.Describe() != "history[symbol=ESU5,dt=2025-08-06]" {
			w.runItem(p, it)
			continue
		}
		work, err := p.Resolve(context.Background(), it)
		if err != nil || len(work.Causes) != 1 || work.Causes[0].Reason.Code != plan.InputChanged {
			t.Fatalf("%v: %v", err, work.Causes)
		}
		return
	}
	t.Error("there is no such item")
}

// TestCausesWhileItRuns: the chain of a unit that runs ends where nothing ran before it.
func TestCausesWhileItRuns(t *testing.T) {
	w := week(t, "2025-08-04", "2025-08-05")
	w.apply(graph.Request{}, false, "")
	delete(w.parts, w.part(eventsOf5))
	w.parts[w.part(barsOf5)].Inputs[0].Digest = strings.Repeat("1", 32)
	w.parts[w.part(barsOf5)].Fingerprint.Sum = strings.Repeat("1", 32)
	p := w.mustPlan(graph.Request{})
	chains := map[string]string{}
	for _, it := range p.Items {
		work, err := p.Resolve(context.Background(), it)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range work.Causes {
			chains[it.Describe()] += fmt.Sprintf("%s %s;", l.Partition, l.Reason.Code)
		}
		if it.Stage.Name == "bars" {
			break
		}
		w.runItem(p, it)
	}
	if got, want := chains["ingest[root=ES,dt=2025-08-05]"], eventsOf5+" missing;"; got != want {
		t.Errorf("ingest: %s", got)
	}
	if got, want := chains["bars[symbol=ESU5,dt=2025-08-05]"], barsOf5+" input_changed;"+eventsOf5+" missing;"; got != want {
		t.Errorf("bars: %s", got)
	}
}

// tree writes a lineage, a line a step.
func tree(l plan.Lineage, indent string) []string {
	line := indent + l.Partition.String()
	if l.File != "" {
		line = indent + l.File
	}
	if l.Repeated {
		line += " repeated"
	}
	out := []string{line}
	for _, s := range l.Steps {
		out = append(out, tree(s, indent+" ")...)
	}
	return out
}

func TestLineageShowsEachPartitionOnce(t *testing.T) {
	w := week(t, "2025-08-04", "2025-08-05", "2025-08-06")
	w.apply(graph.Request{}, false, "")
	p := w.mustPlan(graph.Request{})
	up, err := p.Read(context.Background(), w.part(historyOf6), 9)
	if err != nil {
		t.Fatal(err)
	}
	if up.Steps[0].Digest != w.parts[up.Steps[0].Partition].Digest || up.Steps[0].Now != up.Steps[0].Digest {
		t.Errorf("digests %q and %q", up.Steps[0].Digest, up.Steps[0].Now)
	}
	times := map[string]int{}
	for _, line := range tree(up, "") {
		times[strings.TrimSpace(line)]++
	}
	for line, n := range times {
		if n > 1 && !strings.HasSuffix(line, "repeated") {
			t.Errorf("%s stands there %d times", line, n)
		}
	}
	for _, depth := range []int{1, 9} {
		down, err := p.ReadBy(context.Background(), w.part(barsOf5), depth)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(tree(down, ""), "\n")
		if !strings.Contains(got, " "+historyOf6) || strings.Contains(got, "2025-08-04]") {
			t.Errorf("depth %d:\n%s", depth, got)
		}
	}
	if _, err := p.Read(context.Background(), w.part("raw.t.files[root=ES,dt=2025-08-05]"), 9); !errors.Is(err, plan.ErrSource) {
		t.Errorf("a source: %v", err)
	}
}

// TestMappingOfWhatIsNotThere: an input that is missing is why there is no unit.
func TestMappingOfWhatIsNotThere(t *testing.T) {
	w := week(t, "2025-08-04", "2025-08-06")
	w.apply(graph.Request{}, false, "")
	p := w.mustPlan(graph.Request{})
	inputs, err := p.Mapping(w.part(barsOf5))
	if err != nil || len(inputs) != 1 {
		t.Fatalf("%v: %v", err, inputs)
	}
	if in := inputs[0]; in.Partition != w.part(eventsOf5) || in.State != plan.MissingNow {
		t.Errorf("%v", in)
	}
	for _, part := range []string{"silver.t.bars[symbol=ESH6,dt=2025-08-05]", "raw.t.files[root=ES,dt=2025-08-06]", "silver.t.none[symbol=ESU5,dt=2025-08-06]"} {
		if _, err := p.Mapping(w.part(part)); err == nil {
			t.Errorf("%s has a mapping", part)
		}
	}
}

// TestReasonsHaveOldAndNew: what differs is told from the manifest alone, and kept in
// the next one.
func TestReasonsHaveOldAndNew(t *testing.T) {
	other := strings.Repeat("1", 32)
	for name, c := range map[string]struct {
		was            func(m *manifest.Manifest)
		code, old, new string
	}{
		"a port": {func(m *manifest.Manifest) {
			m.Fingerprint.Definition = other
			m.Definition = []string{"input in from bronze.t.other", "output out to silver.t.bars"}
		}, "stage_changed", "input in from bronze.t.other", "input in from bronze.t.events"},
		"a port more": {func(m *manifest.Manifest) {
			m.Fingerprint.Definition = other
			m.Definition = []string{"output out to silver.t.bars"}
		}, "stage_changed", "(none)", "input in from bronze.t.events"},
		"a definition that was not recorded": {func(m *manifest.Manifest) {
			m.Fingerprint.Definition = other
		}, "stage_changed", "", ""},
		"a version": {func(m *manifest.Manifest) {
			m.Fingerprint.Transform, m.Transform, m.Version = other, "t.copy", 0
		}, "transform_version_changed", "t.copy version 0", "t.copy version 1"},
		"the contract's path": {func(m *manifest.Manifest) {
			m.Fingerprint.Contract, m.Contract.Path = other, "old.avsc"
		}, "contract_changed", "old.avsc", "t.avsc"},
		"the contract": {func(m *manifest.Manifest) {
			m.Fingerprint.Contract, m.Contract = other, manifest.Contract{Path: "t.avsc", Digest: other}
		}, "contract_changed", other, "DIGEST"},
	} {
		t.Run(name, func(t *testing.T) {
			w := week(t, "2025-08-05")
			w.apply(graph.Request{}, false, "")
			m := w.parts[w.part(barsOf5)]
			m.Fingerprint.Sum = other
			c.was(m)
			for _, d := range w.graph.Config.Datasets {
				if c.new == "DIGEST" && d.Contract != nil {
					c.new = d.Contract.Digest
				}
			}
			w.apply(graph.Request{}, false, "")
			if r := w.parts[w.part(barsOf5)].Reason; r.Code != c.code || r.Old != c.old || r.New != c.new {
				t.Errorf("%s from %q to %q, not %s from %q to %q", r.Code, r.Old, r.New, c.code, c.old, c.new)
			}
		})
	}
}
