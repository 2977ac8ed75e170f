package exec_test

import (
	"context"
	"errors"
	"testing"

	"dag/engine/event"
	"dag/engine/stage"
)

// last returns the last events of a unit.
func (w *world) last(unit string) (started event.StepStarted, finished event.StepFinished) {
	for _, e := range w.events {
		switch e := e.(type) {
		case event.StepStarted:
			if e.Unit.String() == unit {
				started = e
			}
		case event.StepFinished:
			if e.Unit.String() == unit {
				finished = e
			}
		}
	}
	return started, finished
}

// TestEventsTellWhatAUnitReadAndMade: the log of a unit is made from them alone.
func TestEventsTellWhatAUnitReadAndMade(t *testing.T) {
	w := newWorld(t)
	w.raw("2025-08-04.txt", "ESU5 1\n")
	w.runs["double"] = func(ctx context.Context, t stage.Task) error {
		t.Count("seen", 3)
		return double(ctx, t)
	}
	w.apply(context.Background(), nil)
	began, ingested := w.last("ingest[root=ES,dt=2025-08-04]")
	if began.Reason != "missing" || began.Chain != nil {
		t.Errorf("since %s, %v: missing says all", began.Reason, began.Chain)
	}
	if in := ingested.Inputs; len(in) != 1 || in[0].File != "2025-08-04.txt" || in[0].Port != "in" || len(in[0].Digest) != 32 {
		t.Errorf("ingest has read %v", in)
	}
	_, doubled := w.last("double[symbol=ESU5,dt=2025-08-04]")
	if len(ingested.Digests) != 1 || len(doubled.Inputs) != 1 || doubled.Inputs[0].Digest != ingested.Digests[0] {
		t.Errorf("ingest made %v, double read %v", ingested.Digests, doubled.Inputs)
	}
	if doubled.Metrics["seen"] != 3 {
		t.Errorf("counted %v", doubled.Metrics)
	}

	w.raw("2025-08-04.txt", "ESU5 2\n")
	w.runs["double"] = func(_ context.Context, t stage.Task) error {
		t.Count("seen", 1)
		return errors.New("no")
	}
	w.apply(context.Background(), nil)
	began, doubled = w.last("double[symbol=ESU5,dt=2025-08-04]")
	if doubled.Result != event.Failed || doubled.Metrics["seen"] != 1 || len(doubled.Inputs) != 1 || doubled.Inputs[0].Digest == ingested.Digests[0] {
		t.Errorf("%s: counted %v, read %v", doubled.Result, doubled.Metrics, doubled.Inputs)
	}
	var codes []string
	for _, c := range began.Chain {
		codes = append(codes, c.Partition+" "+c.Code+" "+c.File)
	}
	equal(t, codes, []string{
		"silver.t.doubled[symbol=ESU5,dt=2025-08-04] input_changed ",
		"bronze.t.events[symbol=ESU5,dt=2025-08-04] input_changed 2025-08-04.txt",
	})
	if c := began.Chain[0]; c.Old != ingested.Digests[0] || c.New != doubled.Inputs[0].Digest {
		t.Errorf("from %s to %s", c.Old, c.New)
	}
}
