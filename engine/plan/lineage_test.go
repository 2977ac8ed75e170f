package plan

import (
	"testing"

	"dag/engine/addr"
)

// TestFollowedAsFarAsAsked: what was cut off by the depth stands in for no more than
// that; what was followed to its end stands in for everything.
func TestFollowedAsFarAsAsked(t *testing.T) {
	f := followed{}
	at := func() *Lineage { return &Lineage{Partition: addr.Partition{Keys: "dt=2025-08-05"}} }
	if f.repeats(at(), 1) {
		t.Error("it has not occurred")
	}
	cut := at()
	cut.cut = true
	f.end(cut, 2)
	if l := at(); f.repeats(l, 3) || l.Repeated {
		t.Error("two steps stand in for three")
	}
	if l := at(); !f.repeats(l, 2) || !l.Repeated || !l.cut {
		t.Error("two steps stand in for two, and there are more")
	}
	f.end(at(), 3)
	if l := at(); !f.repeats(l, 9) || l.cut {
		t.Error("all steps stand in for any number")
	}
}
