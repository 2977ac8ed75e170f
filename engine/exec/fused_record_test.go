package exec_test

import (
	"context"
	"errors"
	"testing"

	"dag/engine/manifest"
	"dag/engine/plan"
	"dag/engine/stage"
)

// The parts of the chain in the tests of fused stages.
const (
	eventsPart  = "bronze.t.events[symbol=ESU5,dt=2025-08-04]"
	doubledPart = "silver.t.doubled[symbol=ESU5,dt=2025-08-04]"
	copiedPart  = "silver.t.copied[symbol=ESU5,dt=2025-08-04]"
)

// manifestOf reads what is recorded of a partition.
func (w *world) manifestOf(t *testing.T, part string) *manifest.Manifest {
	t.Helper()
	_, lk := w.open()
	m, err := lk.Manifest(partition(t, part))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestFusedInputIsRecorded: the reader's manifest says how what is not stored was made,
// and why it came out otherwise.
func TestFusedInputIsRecorded(t *testing.T) {
	w := fusedWorld(t, false)
	w.raw("2025-08-04.txt", "ESU5 1\n")
	w.apply(context.Background(), nil)
	before, events := w.manifestOf(t, copiedPart), w.manifestOf(t, eventsPart)
	made := before.Inputs[0].Made
	if made == nil || made.Stage != "double" || made.Fingerprint.Sum != before.Inputs[0].Digest {
		t.Fatalf("its input is recorded as %+v, made by %+v", before.Inputs[0], made)
	}
	if len(made.Inputs) != 1 || made.Inputs[0].Partition != eventsPart || made.Inputs[0].Digest != events.Digest || made.Inputs[0].Made != nil {
		t.Errorf("that was made from %+v", made.Inputs)
	}

	w.raw("2025-08-04.txt", "ESU5 7\n")
	w.apply(context.Background(), nil)
	after, eventsNow := w.manifestOf(t, copiedPart), w.manifestOf(t, eventsPart)
	r := after.Reason
	if r.Code != string(plan.InputChanged) || r.Cause != doubledPart || r.Old != before.Inputs[0].Digest || r.New != after.Inputs[0].Digest {
		t.Errorf("it was made because %+v", r)
	}
	want := manifest.Step{Partition: doubledPart, Reason: manifest.Reason{Code: string(plan.InputChanged), Cause: eventsPart, Old: events.Digest, New: eventsNow.Digest}}
	if len(r.Through) != 1 || r.Through[0].Partition != want.Partition || r.Through[0].Code != want.Code || r.Through[0].Cause != want.Cause || r.Through[0].Old != want.Old || r.Through[0].New != want.New {
		t.Errorf("through %+v, want %+v", r.Through, want)
	}
}

// TestLineageThroughFused follows manifests through what is not stored, both ways, and
// says where something else would be made now.
func TestLineageThroughFused(t *testing.T) {
	ctx := context.Background()
	w := fusedWorld(t, false)
	w.raw("2025-08-04.txt", "ESU5 1\n")
	w.apply(ctx, nil)
	g, lk := w.open()
	p := w.plan(g, lk)

	up, err := p.Read(ctx, partition(t, copiedPart), 9)
	equal(t, flat(up), []string{copiedPart, doubledPart + " unstored", eventsPart, "raw.t.files[root=ES,dt=2025-08-04]"})
	if err != nil || up.Steps[0].Now != up.Steps[0].Digest {
		t.Errorf("%+v, %v", up, err)
	}
	direct, err := p.Read(ctx, partition(t, doubledPart), 9)
	equal(t, flat(direct), flat(up)[1:])
	if err != nil || direct.Digest != up.Steps[0].Digest {
		t.Errorf("%+v, %v", direct, err)
	}
	down, err := p.ReadBy(ctx, partition(t, eventsPart), 9)
	equal(t, flat(down), []string{eventsPart, doubledPart + " unstored", copiedPart})
	if err != nil || down.Steps[0].Now != up.Steps[0].Digest {
		t.Errorf("%+v, %v", down, err)
	}

	w.raw("2025-08-04.txt", "ESU5 7\n")
	w.runs["copy"] = func(context.Context, stage.Task) error { return errors.New("its last output stays") }
	w.apply(ctx, nil)
	g, lk = w.open()
	up, err = w.plan(g, lk).Read(ctx, partition(t, copiedPart), 9)
	if err != nil || up.Steps[0].Now == up.Steps[0].Digest || up.Steps[0].Steps[0].Now == up.Steps[0].Steps[0].Digest {
		t.Errorf("what was read is another now: %+v, %v", up, err)
	}
}

// flat lists a lineage that does not branch.
func flat(l plan.Lineage) []string {
	text := l.Partition.String()
	if l.Unstored {
		text += " unstored"
	}
	out := []string{text}
	for _, s := range l.Steps {
		out = append(out, flat(s)...)
	}
	return out
}
