package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"dag/engine/view"
)

// write writes the document as the flags want it.
func (d *similarDoc) write(a *app) error {
	if a.flags.json {
		return view.WriteJSON(a.stdout, d)
	}
	return d.text(a.stdout, a.style(a.stdout))
}

func (d *similarDoc) text(w io.Writer, s view.Style) error {
	p := &lines{w: w}
	p.line("%s", d.title())
	if t := d.Training; t != nil {
		if t.Episodes == 0 {
			p.line("as of %s: no earlier episode", d.Query.AsOf)
		} else {
			p.line("as of %s: %s earlier episodes on %s days, %s to %s", d.Query.AsOf, view.Count(t.Episodes), view.Count(t.Dates), t.First, t.Last)
		}
	} else {
		p.line("reference semantics: every date is seen, its own too, from both sides")
	}
	if len(d.Neighbours) > 0 {
		p.line("")
		p.table(s, d.neighbourRows(), "date", "contract", "time", "distance>", "similarity>", "outcome", "score>")
		p.line("")
		p.table(s, d.outcomeRows(), d.outcomeHeader()...)
		p.line("")
		p.line("%s", d.summary())
	}
	if d.catchUp != "" {
		p.line("Note: %s.", d.catchUp)
	}
	if d.Thin != "" {
		p.line("The sample is too thin to rely on: %s.", d.Thin)
	}
	return p.err
}

// title says what was asked about, and what came of it.
func (d *similarDoc) title() string {
	q := d.Query
	text := q.Level
	if price := float64(q.Price); !math.IsNaN(price) {
		text += " @ " + fixed(price, 2)
	}
	if d.Semantics != referenceSemantics || q.EpisodeID != "" {
		text += " " + side(q.Direction)
	}
	if q.EpisodeID == "" {
		return text + ", a vector of no episode"
	}
	text = fmt.Sprintf("%s · %s · %s %s New York · %s", text, q.Symbol, q.Date, clock(q.Trigger), q.EpisodeID)
	if q.Outcome != "" {
		text += fmt.Sprintf("\nit ended %s, %s ticks", q.Outcome, signed(float64(q.Score)))
	}
	return text
}

func side(direction int64) string {
	if direction > 0 {
		return "from below"
	}
	return "from above"
}

// clock is a time of day in New York; a zone that cannot be loaded gives UTC.
func clock(ns int64) string {
	t := time.Unix(0, ns).UTC()
	if ny, err := time.LoadLocation("America/New_York"); err == nil {
		t = t.In(ny)
	}
	return t.Format("15:04")
}

func (d *similarDoc) neighbourRows() [][]string {
	var rows [][]string
	for _, n := range d.Neighbours {
		rows = append(rows, []string{
			n.Date, n.Symbol, clock(n.Trigger), fixed(float64(n.Distance), 2), fixed(float64(n.Similarity), 3), n.Outcome, signed(float64(n.Score)),
		})
	}
	return rows
}

func (d *similarDoc) outcomeHeader() []string {
	if d.Semantics == referenceSemantics {
		return []string{"outcome", "probability>", "share>"}
	}
	return []string{"outcome", "probability>", "base rate>", "lift>"}
}

func (d *similarDoc) outcomeRows() [][]string {
	var rows [][]string
	for _, o := range d.Outcomes {
		row := []string{o.Outcome, share(float64(o.Probability))}
		if d.Semantics == referenceSemantics {
			row = append(row, share(float64(*o.Unweighted)))
		} else {
			row = append(row, share(float64(*o.BaseRate)), fixed(float64(*o.Lift), 2))
		}
		rows = append(rows, row)
	}
	return rows
}

func (d *similarDoc) summary() string {
	text := fmt.Sprintf("expected score %s ticks", signed(float64(d.ExpectedScore)))
	if d.Semantics == referenceSemantics {
		return fmt.Sprintf("%s · retrieval confidence %s · outcome confidence %s", text, share(float64(*d.RetrievalConfidence)), share(float64(*d.OutcomeConfidence)))
	}
	text += fmt.Sprintf(" · effective sample %s of %d neighbours", fixed(float64(*d.EffectiveN), 1), len(d.Neighbours))
	if c := float64(*d.Confidence); !math.IsNaN(c) {
		text += fmt.Sprintf(" · %s of earlier episodes have neighbours no nearer than these", share(c))
	}
	return text
}

// fixed writes a number to some digits, – where it is undefined.
func fixed(f float64, digits int) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "–"
	}
	return strconv.FormatFloat(f, 'f', digits, 64)
}

// signed writes a score in ticks.
func signed(f float64) string {
	if f > 0 {
		return "+" + fixed(f, 2)
	}
	return fixed(f, 2)
}

// share writes a fraction as a percentage.
func share(f float64) string {
	if math.IsNaN(f) {
		return "–"
	}
	return fixed(100*f, 1) + " %"
}

// lines writes lines and remembers the first error.
type lines struct {
	w   io.Writer
	err error
}

func (p *lines) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// table writes rows under a header; columns whose name ends in > stand to the
// right.
func (p *lines) table(s view.Style, rows [][]string, header ...string) {
	right := make([]bool, len(header))
	names := make([]string, len(header))
	for i, h := range header {
		names[i] = h
		if h[len(h)-1] == '>' {
			right[i], names[i] = true, h[:len(h)-1]
		}
	}
	if p.err == nil {
		p.err = view.Table(p.w, s, right, append([][]string{names}, rows...))
	}
}
