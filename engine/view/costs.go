package view

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"dag/engine/addr"
	"dag/engine/event"
)

// maxCosts is how many stages the summary of a run names.
const maxCosts = 6

// costs are what the stages of a run took.
type costs map[addr.Stage]*stageCost

type stageCost struct {
	units   int
	elapsed time.Duration // of all units, which ran side by side
	rows    int64
	bytes   int64
	peak    int64
}

// add takes in a unit that ran.
func (c costs) add(e event.StepFinished) {
	if e.Elapsed == 0 {
		return
	}
	s := c[e.Unit.Stage]
	if s == nil {
		s = &stageCost{}
		c[e.Unit.Stage] = s
	}
	s.units++
	s.elapsed += e.Elapsed
	s.rows += e.RowsOut
	s.bytes += e.Bytes
	s.peak = max(s.peak, e.PeakBytes)
}

// table names the dearest stages; it is empty where one stage was all.
func (c costs) table() *table {
	t := &table{right: []bool{false, true, true, true, true, true}}
	if len(c) < 2 {
		return t
	}
	byTime := slices.SortedFunc(maps.Keys(c), func(a, b addr.Stage) int {
		return cmp.Or(cmp.Compare(c[b].elapsed, c[a].elapsed), cmp.Compare(a.String(), b.String()))
	})
	t.text("by cost", "units", "time", "rows", "written", "peak")
	var rest stageCost
	for i, name := range byTime {
		s := c[name]
		if i < maxCosts || len(byTime) == maxCosts+1 {
			t.text(s.row(name.String())...)
			continue
		}
		rest.units, rest.elapsed, rest.rows, rest.bytes, rest.peak = rest.units+s.units, rest.elapsed+s.elapsed, rest.rows+s.rows, rest.bytes+s.bytes, max(rest.peak, s.peak)
	}
	if rest.units > 0 {
		t.text(rest.row("… and " + plural(len(byTime)-maxCosts, "stage") + " more")...)
	}
	return t
}

func (s *stageCost) row(name string) []string {
	peak := ""
	if s.peak > 0 {
		peak = Bytes(s.peak)
	}
	return []string{name, Count(s.units), Duration(s.elapsed), Count(s.rows), Bytes(s.bytes), peak}
}
