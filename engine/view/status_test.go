package view

import (
	"bytes"
	"strings"
	"testing"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/plan"
)

func TestStatusText(t *testing.T) {
	doc := NewStatus()
	for i, s := range []plan.State{plan.Fresh, plan.Stale, plan.Broken, plan.Empty, plan.Fresh, plan.MissingNow} {
		day := calendar.Day(20_300 + i)
		doc.Add(plan.PartitionState{Partition: part(bars, day.String()), State: s, Rows: 1000, Bytes: 5000, Day: day})
	}
	for i := range 4 {
		day := calendar.Day(20_301 + i)
		doc.Add(plan.PartitionState{Partition: part(raw, day.String()), State: plan.Fresh, Bytes: 1 << 20, Day: day, Source: true})
	}
	doc.Add(plan.PartitionState{Partition: addr.Partition{Dataset: addr.Dataset{Layer: "gold", Product: "future", Table: "index"}}, State: plan.Unverified})
	var b bytes.Buffer
	if err := doc.Text(&b, Style{}); err != nil {
		t.Fatal(err)
	}
	unknown, below := NewStatus(), NewStatus()
	ingest := addr.Stage{Name: "ingest"}
	for i, failed := range []bool{true, false} {
		day := calendar.Day(20_300 + i)
		unknown.AddUnknown(plan.UnknownUnit{Dataset: bars, Stage: ingest, Unit: addr.Keys("root=ES,dt=" + day.String()), Failed: failed, Day: day})
	}
	after := []plan.KnownAfter{{Stage: addr.Stage{Name: "bar5s"}, FanOut: ingest, Units: 2}, {Stage: addr.Stage{Name: "index"}, FanOut: ingest, Units: 2}}
	unknown.SetKnownAfter(after)
	below.SetKnownAfter(after[:1])
	for _, doc := range []*StatusDoc{unknown, below, NewStatus()} {
		b.WriteString("---\n")
		if err := doc.Text(&b, Style{}); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "status.txt", b.String())
	for _, d := range []*StatusDoc{doc, unknown, below} {
		if !d.Stale() {
			t.Error("a document with something to do is not stale")
		}
	}
}

// TestStripOfManySessions draws one mark for several sessions: the worst.
func TestStripOfManySessions(t *testing.T) {
	doc := NewStatus()
	for i := range 120 {
		state := plan.Fresh
		if i == 5 {
			state = plan.Stale
		}
		day := calendar.Day(20_000 + i)
		doc.Add(plan.PartitionState{Partition: part(bars, day.String()), State: state, Day: day})
	}
	axis := doc.axis()
	if got := doc.Datasets[0].strip(axis); got != "██▒"+strings.Repeat("█", 57) {
		t.Errorf("strip %q", got)
	}
	if got := axisTitle(axis); got != "2024-10-04..2025-01-31 (a mark is 2 sessions)" {
		t.Errorf("title %q", got)
	}
}
