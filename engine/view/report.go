package view

import (
	"cmp"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"dag/engine/event"
	"dag/engine/graph"
)

// ReportDoc is the report of one run, see schemas/report.schema.json.
type ReportDoc struct {
	RunDoc
	Units  []TimedUnit `json:"units"`
	Stages []CostDoc   `json:"stages"` // the dearest first
}

// TimedUnit is a unit with when it began and ended.
type TimedUnit struct {
	UnitDoc
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// CostDoc is what the units of a stage took together.
type CostDoc struct {
	Stage     string `json:"stage"`
	Units     int    `json:"units"`
	ElapsedNS int64  `json:"elapsed_ns"`
	Rows      int64  `json:"rows"`
	Bytes     int64  `json:"bytes"`
}

// Report collects the events of a run.
type Report struct {
	events []EventDoc
}

// Sink takes events in, by one at a time.
func (r *Report) Sink(e event.Event) {
	if _, ok := e.(event.StepProgress); !ok {
		r.events = append(r.events, NewEvent(e))
	}
}

// Doc describes the run.
func (r *Report) Doc(run RunDoc) *ReportDoc {
	d := &ReportDoc{RunDoc: run, Units: []TimedUnit{}, Stages: []CostDoc{}}
	d.Command = "report"
	starts := map[string]time.Time{}
	for _, e := range r.events {
		if e.Event == "step_started" {
			if _, again := starts[e.Stage+e.Unit]; !again {
				starts[e.Stage+e.Unit] = e.Time
			}
		}
	}
	costs := map[string]*CostDoc{}
	ends := map[string]time.Time{}
	for _, e := range r.events {
		if e.Event == "step_finished" {
			ends[e.Stage+e.Unit] = e.Time
		}
	}
	for _, u := range Units(r.events) {
		end := ends[u.Stage+u.Unit]
		start, began := starts[u.Stage+u.Unit]
		if !began {
			start = end
		}
		d.Units = append(d.Units, TimedUnit{u, start, end})
		c := costs[u.Stage]
		if c == nil {
			c = &CostDoc{Stage: u.Stage}
			costs[u.Stage] = c
		}
		c.Units++
		c.ElapsedNS, c.Rows, c.Bytes = c.ElapsedNS+u.ElapsedNS, c.Rows+u.RowsOut, c.Bytes+u.Bytes
	}
	for _, stage := range sortedKeys(costs) {
		d.Stages = append(d.Stages, *costs[stage])
	}
	slices.SortStableFunc(d.Stages, func(a, b CostDoc) int { return cmp.Compare(b.ElapsedNS, a.ElapsedNS) })
	return d
}

// failures are the units that did not succeed.
func (d *ReportDoc) failures() []TimedUnit {
	return slices.DeleteFunc(slices.Clone(d.Units), func(u TimedUnit) bool {
		return u.Result != string(event.Failed) && u.Result != string(event.Blocked)
	})
}

// Markdown writes the report as a page for a ticket or a chat.
func (d *ReportDoc) Markdown(w io.Writer, selected func(graph.Request) string) error {
	p := &printer{w: w}
	p.printf("# Run %s: %s\n\n", d.RunID, d.State)
	p.printf("- started %s, took %s\n- lake `%s`\n- selection `%s`\n- units: %s\n\n", whenText(d.StartedAt), Duration(time.Duration(d.ElapsedNS)), d.Lake, selected(d.Selection), countsText(d.Counts))
	if failed := d.failures(); len(failed) > 0 {
		p.printf("## Failures\n\n")
		for _, u := range failed {
			p.printf("- `%s` %s: %s\n", u.Name(), u.Result, strings.ReplaceAll(u.Error+u.Because, "\n", " "))
		}
		p.printf("\n")
	}
	p.printf("## By cost\n\n| stage | units | time | rows | bytes |\n| --- | ---: | ---: | ---: | ---: |\n")
	for _, c := range d.Stages {
		p.printf("| %s | %s | %s | %s | %s |\n", c.Stage, Count(c.Units), Duration(time.Duration(c.ElapsedNS)), Count(c.Rows), Bytes(c.Bytes))
	}
	return p.err
}

// HTML writes the report as one page that needs nothing else.
func (d *ReportDoc) HTML(w io.Writer, g *graph.Graph, selected func(graph.Request) string) error {
	return page.Execute(w, map[string]any{
		"Run": d, "Selection": selected(d.Selection), "Started": whenText(d.StartedAt), "Took": Duration(time.Duration(d.ElapsedNS)),
		"Counts": countsText(d.Counts), "Failures": d.failures(), "Costs": d.costRows(), "Timeline": d.timeline(), "Graph": drawStages(g, d.Units),
	})
}

func (d *ReportDoc) costRows() [][]string {
	var rows [][]string
	for _, c := range d.Stages {
		rows = append(rows, []string{c.Stage, Count(c.Units), Duration(time.Duration(c.ElapsedNS)), Count(c.Rows), Bytes(c.Bytes)})
	}
	return rows
}

// shape is a rectangle with a title.
type shape struct {
	X, Y, W      float64
	Class, Title string
}

const timelineWidth, laneHeight = 960.0, 12.0

// timeline lays the units out by time, those that overlap in different lanes.
func (d *ReportDoc) timeline() map[string]any {
	units := slices.DeleteFunc(slices.Clone(d.Units), func(u TimedUnit) bool { return !u.End.After(u.Start) })
	slices.SortStableFunc(units, func(a, b TimedUnit) int { return a.Start.Compare(b.Start) })
	if len(units) == 0 {
		return nil
	}
	first, last := units[0].Start, units[0].End
	for _, u := range units {
		if u.End.After(last) {
			last = u.End
		}
	}
	scale := timelineWidth / max(1e-9, last.Sub(first).Seconds())
	var ends []time.Time
	var shapes []shape
	for _, u := range units {
		lane := slices.IndexFunc(ends, func(end time.Time) bool { return !end.After(u.Start) })
		if lane < 0 {
			lane = len(ends)
			ends = append(ends, time.Time{})
		}
		ends[lane] = u.End
		shapes = append(shapes, shape{
			X: u.Start.Sub(first).Seconds() * scale, Y: float64(lane) * laneHeight, W: max(1, u.End.Sub(u.Start).Seconds()*scale),
			Class: u.Result, Title: fmt.Sprintf("%s: %s, %s", u.Name(), u.Result, Duration(u.End.Sub(u.Start))),
		})
	}
	return map[string]any{"Width": timelineWidth, "Height": float64(len(ends)) * laneHeight, "Shapes": shapes}
}

const boxWidth, boxHeight, boxGapX, boxGapY = 150.0, 24.0, 40.0, 10.0

// drawStages draws the stages in columns, each to the right of what it reads, by
// the worst result of its units.
func drawStages(g *graph.Graph, units []TimedUnit) map[string]any {
	worst := map[string]string{}
	order := []string{string(event.Failed), string(event.Blocked), string(event.Canceled), string(event.Done), string(event.Skipped), string(event.CutOff)}
	for _, u := range units {
		if old, ok := worst[u.Stage]; !ok || slices.Index(order, u.Result) < slices.Index(order, old) {
			worst[u.Stage] = u.Result
		}
	}
	column, row := map[string]int{}, map[int]int{}
	at := map[string]shape{}
	var boxes []shape
	type line struct{ X1, Y1, X2, Y2 float64 }
	var lines []line
	width, height := 0.0, 0.0
	for _, st := range g.Stages {
		name := st.Addr.String()
		var reads []string
		for _, in := range st.Inputs {
			if p := g.Producer(in.From.Addr); p != nil {
				reads = append(reads, p.Addr.String())
				column[name] = max(column[name], column[p.Addr.String()]+1)
			}
		}
		c := column[name]
		b := shape{X: float64(c) * (boxWidth + boxGapX), Y: float64(row[c]) * (boxHeight + boxGapY), W: boxWidth, Class: worst[name], Title: name}
		row[c]++
		at[name] = b
		boxes = append(boxes, b)
		width, height = max(width, b.X+boxWidth), max(height, b.Y+boxHeight)
		for _, r := range reads {
			from := at[r]
			lines = append(lines, line{from.X + boxWidth, from.Y + boxHeight/2, b.X, b.Y + boxHeight/2})
		}
	}
	return map[string]any{"Width": width, "Height": height, "Boxes": boxes, "Lines": lines, "BoxHeight": boxHeight}
}

var page = template.Must(template.New("report").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>dag run {{.Run.RunID}}</title>
<style>
body { font: 14px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 1000px; padding: 0 1em; color: #222 }
table { border-collapse: collapse } td, th { padding: .2em .8em; text-align: right; border-bottom: 1px solid #ddd } td:first-child, th:first-child { text-align: left }
code { background: #f4f4f4; padding: 0 .2em } svg { overflow: visible; max-width: 100%; height: auto } pre { white-space: pre-wrap; background: #fff3f3; padding: .5em }
rect { fill: #ccc } .done { fill: #4a9d5b } .cut_off { fill: #a9cdb1 } .skipped { fill: #d9d9d9 } .failed { fill: #c9372c } .blocked { fill: #e6a23c } .canceled { fill: #8c8c8c }
line { stroke: #bbb } text { font: 11px system-ui, sans-serif; fill: #111 }
</style>
<h1>Run {{.Run.RunID}}: {{.Run.State}}</h1>
<p>Started {{.Started}}, took {{.Took}}. Lake <code>{{.Run.Lake}}</code>, selection <code>{{.Selection}}</code>. Units: {{.Counts}}.</p>
{{if .Failures}}<h2>Failures</h2>{{range .Failures}}<p><b>{{.Name}}</b> {{.Result}}</p><pre>{{.Error}}{{.Because}}</pre>{{end}}{{end}}
<h2>Graph</h2>
<svg viewBox="0 0 {{.Graph.Width}} {{.Graph.Height}}" width="{{.Graph.Width}}">
{{range .Graph.Lines}}<line x1="{{.X1}}" y1="{{.Y1}}" x2="{{.X2}}" y2="{{.Y2}}"/>
{{end}}{{$h := .Graph.BoxHeight}}{{range .Graph.Boxes}}<g transform="translate({{.X}} {{.Y}})"><rect class="{{.Class}}" width="{{.W}}" height="{{$h}}" rx="4"/><text x="6" y="16">{{.Title}}</text></g>
{{end}}</svg>
{{with .Timeline}}<h2>Timeline</h2>
<svg viewBox="0 0 {{.Width}} {{.Height}}" width="{{.Width}}">
{{range .Shapes}}<rect class="{{.Class}}" x="{{.X}}" y="{{.Y}}" width="{{.W}}" height="10"><title>{{.Title}}</title></rect>
{{end}}</svg>{{end}}
<h2>By cost</h2>
<table><tr><th>stage</th><th>units</th><th>time</th><th>rows</th><th>bytes</th></tr>
{{range .Costs}}<tr>{{range .}}<td>{{.}}</td>{{end}}</tr>
{{end}}</table>
</html>
`))
