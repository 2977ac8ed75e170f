package view

import (
	"io"

	"dag/engine/plan"
)

// maxDrifts is how many units Drifts names.
const maxDrifts = 10

// Drifts writes what has changed since a plan was saved: the first difference
// of each unit.
func Drifts(w io.Writer, s Style, drifts []plan.Drift) error {
	p := &printer{w: w, style: s}
	var units []plan.Drift
	for _, d := range drifts {
		if len(units) == 0 || units[len(units)-1].Unit != d.Unit {
			units = append(units, d)
		}
	}
	for i, d := range units {
		if i == maxDrifts {
			p.printf("… and %s more\n", plural(len(units)-i, "unit"))
			break
		}
		p.printf("%s %s: %s\n", s.paint(yellow, "changed since the plan was saved:"), d.Unit, d.What)
	}
	return p.err
}
