// Package setupvectors makes a vector of 256 numbers of every approach to a
// session level: the five candles up to the trigger, how they change, and their
// context (spec 09 §7; package setupvector has the layout). Nothing in it is later
// than the close of the trigger candle; the outcome stands beside it.
//
// Rows of all four levels are sorted by trigger and episode id, and numbered in
// that order (G-8). Episodes whose outcome is not known yet are kept, with null
// outcome: they can be asked for, and the index leaves them out (G-13). A contract
// that is not the front month of the date, a date contaminated by the roll, and
// one without front month have an empty partition; metrics count what that drops.
//
// A candle of the window that does not exist counts as zeros, as does a value
// that is missing or infinite. With semantics = "corrected" the ratios
// late_over_early are clipped to ±1000 after that; with "reference" they are not.
package setupvectors

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/apache/arrow/go/v17/arrow/array"

	"dag/engine/stage"
	"dag/stages/internal/mbp10"
	format "dag/stages/internal/setupindex"
	"dag/stages/internal/setupvector"
)

// New returns the transform.
func New() stage.Transform { return transform{} }

type transform struct{}

// frontMonthPort and outPort are names of ports; those of the approaches are the
// levels.
const (
	frontMonthPort = "front_month"
	outPort        = "vectors"
)

func (transform) Spec() stage.Spec {
	spec := stage.Spec{
		Name:    "gold.future.setup_vectors",
		Version: 1,
		Summary: "A vector of 256 numbers for every approach to a session level in the front month",
		Outputs: []stage.Output{{Name: outPort, Doc: "One row for each approach", Schema: format.Schema(vectorColumns())}},
		Params:  []stage.Param{mbp10.SemanticsParam("late_over_early is not clipped")},
		Memory:  48 << 20,
	}
	for _, level := range setupvector.Levels() {
		spec.Inputs = append(spec.Inputs, stage.Input{Name: level, Doc: "Candles around the approaches to " + level, Columns: format.Schema(candleColumns())})
	}
	spec.Inputs = append(spec.Inputs, stage.Input{Name: frontMonthPort, Doc: "The front month of the root on the date: at most one row", Columns: format.Schema(frontMonthColumns())})
	return spec
}

// Run reads the approaches of a session, a few hundred rows, as a whole.
func (transform) Run(_ context.Context, t stage.Task) error {
	out, err := t.Output(outPort)
	if err != nil {
		return err
	}
	front, reason, err := readFrontMonth(t)
	if err != nil {
		return err
	}
	if reason != "" {
		n, err := countEpisodes(t)
		if err != nil {
			return err
		}
		t.Count("dropped_"+reason, n)
		return out.Close()
	}
	g := gathering{byID: map[string]*episode{}}
	for _, level := range setupvector.Levels() {
		if err := g.read(t, level); err != nil {
			return fmt.Errorf("port %s: %w", level, err)
		}
	}
	rows, err := g.vectors(t, front)
	if err != nil {
		return err
	}
	return format.Write(out, vectorColumns(), rows)
}

// readFrontMonth returns the row of the date, or why no vector is wanted.
func readFrontMonth(t stage.Task) (front frontMonth, reason string, err error) {
	rows, err := format.Read(frontMonthColumns(), t.Read(frontMonthPort, format.Names(frontMonthColumns())...))
	switch {
	case err != nil:
		return front, "", fmt.Errorf("port %s: %w", frontMonthPort, err)
	case len(rows) > 1:
		return front, "", fmt.Errorf("port %s: %d rows for %s, of %s and %s; a date has one front month", frontMonthPort, len(rows), t.Key("dt"), rows[0].symbol, rows[1].symbol)
	case len(rows) == 0:
		return front, "no_front_month", nil
	case rows[0].contaminated:
		reason = "roll_contaminated"
	case rows[0].symbol != t.Key("symbol"):
		reason = "not_front_month"
	}
	return rows[0], reason, nil
}

// countEpisodes counts the triggers of all levels.
func countEpisodes(t stage.Task) (n int64, err error) {
	for _, level := range setupvector.Levels() {
		for rec, err := range t.Read(level, isTriggerColumn) {
			if err != nil {
				return 0, err
			}
			col, ok := rec.Column(0).(*array.Boolean)
			if !ok {
				return 0, fmt.Errorf("port %s: column %s is %s, not bool", level, isTriggerColumn, rec.Column(0).DataType())
			}
			for i := range col.Len() {
				if col.Value(i) {
					n++
				}
			}
		}
	}
	return n, nil
}

// vectors are the rows of the partition in order.
func (g *gathering) vectors(t stage.Task, front frontMonth) ([]vector, error) {
	episodes := slices.SortedFunc(maps.Values(g.byID), func(a, b *episode) int {
		return cmp.Or(cmp.Compare(a.Trigger, b.Trigger), cmp.Compare(a.EpisodeID, b.EpisodeID))
	})
	rows := make([]vector, len(episodes))
	clip := t.Params().String("semantics") == mbp10.Corrected
	for i, e := range episodes {
		if err := e.check(); err != nil {
			return nil, err
		}
		values, err := e.window.Vector(clip)
		if err != nil {
			return nil, fmt.Errorf("episode %s: %w", e.EpisodeID, err)
		}
		rows[i] = vector{Setup: format.Setup{Episode: e.Episode, Vector: values, Front: true}, frontMonth: front}
		rows[i].ID, rows[i].Date, rows[i].Symbol = int64(i), t.Key("dt"), t.Key("symbol")
	}
	return rows, nil
}
