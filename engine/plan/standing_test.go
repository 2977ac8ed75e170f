package plan_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"dag/engine/addr"
	"dag/engine/graph"
	"dag/engine/manifest"
	"dag/engine/plan"
)

// restate records what f lets pass as made from what is there now.
func (w *world) restate(r graph.Request, whole bool, f func(*plan.Standing) bool) (seen []string) {
	w.t.Helper()
	err := w.mustPlan(r).EachStanding(context.Background(), whole, func(list []*plan.Standing) error {
		if len(list) == 0 {
			w.t.Fatal("an empty list")
		}
		for _, x := range list {
			seen = append(seen, x.Partition.String())
			if !f(x) {
				continue
			}
			m := *w.parts[x.Partition]
			m.Stage, m.Unit, m.Fingerprint, m.FanOut, m.Inputs = x.Stage.Addr.String(), x.Unit, x.Fingerprint, x.FanOut, nil
			for _, in := range x.Inputs {
				m.Inputs = append(m.Inputs, manifest.Input{Port: in.Port, Partition: in.Partition.String(), File: in.File, Digest: in.Digest.String()})
			}
			w.parts[x.Partition] = &m
			delete(w.state, x.Partition)
			if err := x.Pretend(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return seen
}

// TestAdoptedIsFresh: what another tool wrote gets the fingerprints that a run
// would have recorded, and nothing is to be done afterwards.
func TestAdoptedIsFresh(t *testing.T) {
	w := week(t, fiveDays...)
	w.apply(graph.Request{}, false, "")
	made := maps.Clone(w.parts)
	clear(w.fans)
	for p, m := range w.parts {
		w.state[p] = manifest.Unverified
		w.parts[p] = &manifest.Manifest{Digest: m.Digest}
	}
	seen := w.restate(graph.Request{}, false, func(x *plan.Standing) bool {
		if x.Trace.State != manifest.Unverified || x.Pending != nil || len(x.Absent) > 0 || x.Reason.Code != "" {
			t.Errorf("%+v", x)
		}
		return true
	})
	if len(seen) != len(made) {
		t.Errorf("%d of %d were seen", len(seen), len(made))
	}
	for p, m := range made {
		if got := w.parts[p]; got.Fingerprint != m.Fingerprint || got.Unit != m.Unit || !slices.Equal(got.FanOut, m.FanOut) {
			t.Errorf("%s: %+v, a run recorded %+v", p, got, m)
		}
	}
	equal(t, lines(w.mustPlan(graph.Request{})), nil)
}

// TestTouchedIsFresh: after a change of parameters, recording what is there for
// the stage settles everything below it too.
func TestTouchedIsFresh(t *testing.T) {
	w := week(t, "2025-08-04", "2025-08-05")
	w.apply(graph.Request{}, false, "")
	w.param = "2"
	w.configure()
	if len(lines(w.mustPlan(graph.Request{}))) == 0 {
		t.Fatal("nothing is stale")
	}
	var below []string
	w.restate(graph.Request{}, true, func(x *plan.Standing) bool {
		if x.Reason.Code == plan.ParamsChanged {
			return true
		}
		if x.Reason.Code != "" {
			below = append(below, x.Partition.String()+" "+string(x.Reason.Code))
		}
		return false
	})
	equal(t, below, nil) // judged anew, they are fresh
	equal(t, lines(w.mustPlan(graph.Request{})), nil)
}

func TestStandingTellsWhatIsInTheWay(t *testing.T) {
	w := week(t, "2025-08-04")
	w.apply(graph.Request{}, false, "")
	bars := "silver.t.bars[symbol=ESU5,dt=2025-08-04]"
	look := func() (out plan.Standing) {
		w.restate(graph.Request{Select: []string{bars}}, false, func(x *plan.Standing) bool { out = *x; return false })
		return out
	}
	bronze := w.part("bronze.t.events[symbol=ESU5,dt=2025-08-04]")
	w.state[bronze] = manifest.Incomplete
	if x := look(); x.Pending == nil || *x.Pending != bronze || x.Reason.Code != plan.Upstream {
		t.Errorf("%+v", x)
	}
	// All of ESU5's bronze is gone, and so are the raw files.
	w.raw, w.fans = map[string]map[string]string{}, map[addr.Keys]manifest.FanOut{}
	for p := range w.parts {
		if p.Dataset == bronze.Dataset {
			delete(w.parts, p)
			delete(w.state, p)
		}
	}
	x := look()
	if x.Pending != nil || len(x.Absent) != 1 || x.Absent[0] != bronze.Dataset || x.Unit != "symbol=ESU5,dt=2025-08-04" || len(x.Inputs) > 0 {
		t.Errorf("%+v", x)
	}
}

// TestWholeUnits: what one output of a unit means for another.
func TestWholeUnits(t *testing.T) {
	w := week(t, "2025-08-04")
	w.apply(graph.Request{}, false, "")
	none := func(*plan.Standing) bool { return false }
	one := graph.Request{Select: []string{"bronze.t.events[symbol=ESU5]"}}
	equal(t, w.restate(one, false, none), []string{"bronze.t.events[symbol=ESU5,dt=2025-08-04]"})
	equal(t, w.restate(one, true, none), []string{"bronze.t.events[symbol=ESU5,dt=2025-08-04]", "bronze.t.events[symbol=ESZ5,dt=2025-08-04]"})
}

func TestKnows(t *testing.T) {
	w := week(t, "2025-08-04", "2025-08-05")
	w.apply(graph.Request{}, false, "")
	p := w.mustPlan(graph.Request{})
	for text, want := range map[string]bool{
		"silver.t.bars[symbol=ESU5,dt=2025-08-05]":  true,
		"silver.t.bars[symbol=ESX9,dt=2025-08-05]":  true, // not there, but it could be
		"silver.t.bars[symbol=ESU5,dt=2025-08-09]":  false,
		"silver.t.other[symbol=ESU5,dt=2025-08-05]": false,
		"raw.t.files[root=ES,dt=2025-08-05]":        false,
	} {
		if got := p.Knows(w.part(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
