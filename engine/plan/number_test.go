package plan_test

import (
	"testing"

	"dag/engine/calendar"
	"dag/engine/graph"
	"dag/engine/manifest"
	"dag/engine/plan"
)

// Days that only datasets have folders of count as far as they lie near what sources
// have files of: a stray folder does not give every series a cell for each session of
// eight thousand years.
func TestFoldersFarFromAllFiles(t *testing.T) {
	const made, later = "2025-08-04", "2026-08-04"
	for name, c := range map[string]struct {
		day     string // of one more folder
		noFiles bool
		last    string // of the calendar
		seen    []string
		far     bool
	}{
		"years later":        {day: "2055-08-04", seen: []string{made, later, "2055-08-04"}},
		"years earlier":      {day: "1995-08-04", seen: []string{"1995-08-04", made, later}},
		"far in the future":  {day: "9999-08-04", seen: []string{made, later}, far: true},
		"far in the past":    {day: "0003-08-04", seen: []string{made, later}, far: true},
		"no files":           {day: "2099-08-04", noFiles: true, seen: []string{made, later, "2099-08-04"}},
		"the calendar lasts": {day: "2099-08-04", last: "2099-12-31", seen: []string{made, later, "2099-08-04"}},
		"the calendar ends":  {day: "2099-08-04", last: "2026-12-31", seen: []string{made, later}},
	} {
		t.Run(name, func(t *testing.T) {
			w := week(t, made)
			w.extra = "# " + name // a graph of its own
			w.configure()
			w.apply(graph.Request{}, false, "")
			w.graph.Config.Calendars[0].Last, _ = calendar.ParseDay(c.last)
			if c.noFiles {
				clear(w.raw)
			}
			for day, state := range map[string]manifest.State{later: manifest.Unverified, c.day: manifest.Incomplete} {
				p := w.part("silver.t.bars[symbol=ESU5,dt=" + day + "]")
				w.parts[p], w.state[p] = &manifest.Manifest{}, state
			}
			p := w.mustPlan(graph.Request{})
			var seen, far []string
			p.EachPartition(func(s plan.PartitionState) {
				if symbol, _ := s.Partition.Keys.Get("symbol"); s.Partition.Dataset.Table == "bars" && symbol == "ESU5" {
					seen = append(seen, s.Day.String())
				}
			})
			equal(t, seen, c.seen)
			for _, part := range p.Far {
				far = append(far, part.String())
			}
			if want := []string{"silver.t.bars[symbol=ESU5,dt=" + c.day + "]"}; c.far {
				equal(t, far, want)
			} else {
				equal(t, far, nil)
			}
		})
	}
}
