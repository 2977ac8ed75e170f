package view

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"dag/engine/addr"
	"dag/engine/graph"
	"dag/engine/plan"
)

// group is units of one stage that run, or do not, for the same reason.
type group struct {
	stage   string
	marker  string // + is new, ~ is made again, ? may be made again, ! is blocked
	reason  string
	units   string
	address string // of one of its partitions, for `why`
}

// groupItems sums the items up by stage, marker and first cause, in the order
// of stages and of appearance.
func groupItems(p *plan.Plan) []group {
	type id struct {
		stage          addr.Stage
		marker, reason string
	}
	type members struct {
		id
		details []string
		units   []addr.Keys
		address string
	}
	var order []*members
	byID := map[id]*members{}
	for _, it := range p.Items {
		key := id{stage: it.Stage, marker: marker(p, it)}
		var detail string
		key.reason, detail = groupReason(p, it)
		m := byID[key]
		if m == nil {
			m = &members{id: key, address: it.Describe()}
			byID[key] = m
			order = append(order, m)
		}
		m.units = append(m.units, it.Unit)
		if len(m.details) == 0 || m.details[len(m.details)-1] != detail {
			m.details = append(m.details, detail)
		}
	}
	var out []group
	for _, s := range p.Graph.Stages {
		date := dateKey(s)
		for _, m := range order {
			if m.stage != s.Addr {
				continue
			}
			g := group{stage: s.Addr.String(), marker: m.marker, reason: m.reason, units: units(m.units, date), address: m.address}
			if len(m.details) == 1 && m.details[0] != "" {
				g.reason += "  " + m.details[0]
			}
			out = append(out, g)
		}
	}
	return out
}

func dateKey(s *graph.Stage) *graph.Key {
	for _, k := range s.UnitKeys() {
		if k.Date {
			return k
		}
	}
	return nil
}

// marker of an item: whether any of its outputs is there already is told by
// the reason.
func marker(p *plan.Plan, it *plan.Item) string {
	switch {
	case it.Blocked != "":
		return "!"
	case it.Action == plan.MayRun:
		return "?"
	case it.Reason.Code == plan.MissingOutput:
		return "+"
	}
	return "~"
}

// groupReason returns what items share in a row, and a detail that is shown
// when all of them have it.
func groupReason(p *plan.Plan, it *plan.Item) (string, string) {
	if it.Blocked != "" {
		return "blocked", ""
	}
	r := it.Reason
	switch r.Code {
	case plan.Upstream:
		first := p.FirstCause(it)
		if s := p.Graph.Producer(first.Partition.Dataset); s != nil {
			return "upstream  <- " + s.Addr.String(), ""
		}
		return "upstream", ""
	case plan.InputChanged, plan.InputAdded, plan.InputRemoved:
		if r.Cause != nil {
			return string(r.Code), shortName(*r.Cause)
		}
	case plan.ParamsChanged, plan.TransformChanged:
		return string(r.Code), r.Old + " → " + r.New
	}
	return string(r.Code), ""
}

var markerColors = map[string]color{"+": green, "~": yellow, "?": blue, "!": red}

// Text writes the plan for people.
func (d *PlanDoc) Text(w io.Writer, s Style, c Commands) error {
	p := &printer{w: w, style: s}
	p.printf("dag: %s, %s, %s · config %s, lake %s, diff %s\n\n", plural(d.Datasets, "dataset"), plural(d.Stages, "stage"),
		plural(d.Partitions, "partition"), Duration(d.TimingsNS.Config), Duration(d.TimingsNS.Lake), Duration(d.TimingsNS.Diff))
	switch {
	case len(d.Expected) > 0:
		d.textEmpty(p)
		return p.err
	case d.planned == 0 && !d.Blocked():
		if d.selected == 0 && d.unstored > 0 {
			p.printf("Nothing to do: %s not stored, and made inside those that read them.\n", isAre(d.unstored, "partition"))
		} else {
			p.printf("Nothing to do: %s up to date.\n", isAre(d.selected, "partition"))
		}
		d.textLeftOut(p)
		d.textFar(p)
		return p.err
	}
	d.table(p)
	p.printf("\n")
	d.Summary(p.w, s)
	if len(d.groups) > 0 {
		next := c.with("why", quote(d.groups[0].address))
		if d.Counts.Run+d.Counts.May > 0 {
			next = c.apply() + " · " + next
		}
		p.printf("Next: %s\n", next)
	}
	d.textBlocked(p, c)
	return p.err
}

// Blockage explains the first unit that is blocked by what is not selected, and how to
// make it; nothing if there is none.
func (d *PlanDoc) Blockage(w io.Writer, s Style, c Commands) error {
	p := &printer{w: w, style: s}
	d.textBlocked(p, c)
	return p.err
}

// textBlocked explains the first item that is blocked.
func (d *PlanDoc) textBlocked(p *printer, c Commands) {
	if it := d.blocked; it != nil {
		name := addr.UnitName(it.Stage, it.Unit)
		p.printf("Blocked: %s, since %s. To make that too: %s\n", name, it.Blocked, c.with("apply", quote("+"+name)))
		return
	}
	for _, k := range d.KnownAfter {
		if k.Blocked {
			p.printf("Blocked: %s is known only after %s, which has not run and is not selected. To make that too: %s\n", k.Stage, k.FanOut, c.with("apply", quote("+"+k.Stage)))
			return
		}
	}
}

// Blocked tells that what is selected cannot be known: a fan-out above it has
// not run and is not selected.
func (d *PlanDoc) Blocked() bool {
	return slices.ContainsFunc(d.KnownAfter, func(k KnownAfterDoc) bool { return k.Blocked })
}

// Summary writes the line that counts.
func (d *PlanDoc) Summary(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}
	parts := []string{Count(d.Counts.Run) + " to run"}
	if d.Counts.May > 0 {
		parts = append(parts, Count(d.Counts.May)+" may run")
	}
	if d.Counts.Blocked > 0 {
		parts = append(parts, Count(d.Counts.Blocked)+" blocked")
	}
	parts = append(parts, Count(d.Counts.Fresh)+" fresh")
	line := strings.Join(parts, ", ") + "."
	if n := len(d.KnownAfter); n > 0 && !d.Blocked() {
		line += fmt.Sprintf(" More of %s will be known on the way.", plural(n, "stage"))
	}
	p.printf("%s %s\n", s.paint(bold, "Plan:"), line)
	d.textEstimate(p)
	d.textLeftOut(p)
	d.textFar(p)
	return p.err
}

// textEstimate writes the line that foretells.
func (d *PlanDoc) textEstimate(p *printer) {
	e := d.Estimate
	switch {
	case e == nil:
		return
	case e.Runs == 0:
		p.printf("Estimate: no history.\n")
		return
	}
	p.printf("Estimate: %s at -j %d, ", Duration(e.Elapsed), e.Workers)
	if e.Peak > 0 {
		p.printf("peak at most %s, ", Bytes(e.Peak))
	}
	p.printf("%s reserved, writes %s (from %s", Bytes(e.Memory), Bytes(e.Write), plural(e.Runs, "earlier unit"))
	if e.Unknown > 0 {
		p.printf("; %s without history left out", plural(e.Unknown, "unit"))
	}
	p.printf(")")
	if n := len(e.CriticalPath); n > 1 {
		p.printf(". Critical path %s: %s … %s", Duration(e.Critical), e.CriticalPath[0], e.CriticalPath[n-1])
	}
	p.printf(".\n")
}

// maxLeftOut is how many units textLeftOut names, and how many folders textFar.
const maxLeftOut = 3

// textLeftOut names what cannot be for want of a file.
func (d *PlanDoc) textLeftOut(p *printer) {
	for i, l := range d.LeftOut {
		if i == maxLeftOut {
			p.printf("  … and %s more\n", plural(len(d.LeftOut)-i, "unit"))
			return
		}
		p.printf("%s %s: %s has a file and %s has none.\n", p.style.paint(yellow, "Left out:"), addr.UnitName(l.Stage, l.Unit), l.Has, l.Lacks)
	}
}

// textFar names folders that are not looked at.
func (d *PlanDoc) textFar(p *printer) {
	for i, part := range d.Far {
		if i == maxLeftOut {
			p.printf("  … and %s more\n", plural(len(d.Far)-i, "folder"))
			return
		}
		p.printf("%s %s is more than %d years from every file of a source. Remove its folder, or set first and last of its calendar.\n", p.style.paint(yellow, "Ignored:"), part, plan.FarYears)
	}
}

func (d *PlanDoc) table(p *printer) {
	blocked := d.Counts.Blocked > 0
	t := &table{right: []bool{false, true, true, true, blocked}}
	head := []string{"  stage", "run", "may", "fresh", "reason (first cause)", "partitions"}
	if blocked {
		head = []string{"  stage", "run", "may", "fresh", "blocked", "reason (first cause)", "partitions"}
	}
	t.text(head...)
	for _, s := range d.ByStage {
		first := true
		for _, g := range d.groups {
			if g.stage != s.Stage {
				continue
			}
			row := []cell{{g.marker + " " + s.Stage, markerColors[g.marker]}, {text: Count(s.Run)}, {text: Count(s.May)}, {text: Count(s.Fresh)}}
			if blocked {
				row = append(row, cell{text: Count(s.Blocked)})
			}
			if !first {
				for i := range row {
					row[i].text = ""
				}
				row[0] = cell{g.marker, markerColors[g.marker]}
			}
			t.add(append(row, cell{text: g.reason}, cell{text: g.units})...)
			first = false
		}
		d.knownAfterRow(t, s, first, blocked)
	}
	t.print(p, "")
}

// knownAfterRow adds a row for a stage whose units a fan-out has to tell.
func (d *PlanDoc) knownAfterRow(t *table, s StageDoc, first, blocked bool) {
	for _, k := range d.KnownAfter {
		if k.Stage != s.Stage {
			continue
		}
		row := []string{"? ", "", "", ""}
		if first {
			row = []string{"? " + s.Stage, Count(s.Run), Count(s.May), Count(s.Fresh)}
		}
		if blocked {
			row = append(row, "")
		}
		if k.Blocked && first {
			row[0] = "! " + s.Stage
		}
		t.text(append(row, "known after "+k.FanOut, "of "+plural(k.Units, "unit"))...)
		first = false
	}
}

func (d *PlanDoc) textEmpty(p *printer) {
	p.printf("Nothing to do: there are no raw files yet. In the lake %s they are expected at\n\n", d.Lake)
	t := &table{}
	for _, e := range d.Expected {
		t.text(e.Source, e.Path+"/"+e.Files)
	}
	t.print(p, "  ")
}

// isAre writes "1 unit is", "3 units are".
func isAre(n int, noun string) string {
	if n == 1 {
		return "1 " + noun + " is"
	}
	return plural(n, noun) + " are"
}
