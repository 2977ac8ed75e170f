package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"runtime"

	"github.com/spf13/cobra"

	"dag/engine/view"
	"dag/stages/retrieval"
)

// evaluateFlags steer an evaluation.
type evaluateFlags struct {
	root, semantics string
	options         retrieval.EvaluateOptions
}

func (a *app) similarEvaluateCmd() *cobra.Command {
	f := evaluateFlags{options: retrieval.DefaultEvaluation()}
	cmd := &cobra.Command{
		Use:   "evaluate",
		Short: "Measure whether the nearest set-ups tell anything",
		Long: "Asks about every episode as if it were its day: everything is fitted on earlier\ndays. Compares with the base rates, with chance and with the same time of day, and\n" +
			"says whether there is skill: its 95 % interval, from draws of at least 20 days that\nwere tested, has to exclude chance. The same index and seed give the same numbers.",
		Example: `  dag similar evaluate
  dag similar evaluate --root ES --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.evaluate(cmd.Context(), &f) },
	}
	o, fs := &f.options, cmd.Flags()
	fs.StringVar(&f.root, "root", "", "the `root` whose index is tested, as ES (default: the only one)")
	fs.StringVar(&f.semantics, "semantics", "", "refuse an index of other semantics than `corrected` or reference (default: any)")
	fs.IntVar(&o.MaxPerDay, "max-per-day", o.MaxPerDay, "at most `N` neighbours of one day")
	fs.IntVar(&o.Draws, "draws", o.Draws, "draws of random neighbours for each episode, `N`")
	fs.IntVar(&o.Bootstraps, "bootstraps", o.Bootstraps, "draws of days for the intervals, `N`")
	fs.Uint64Var(&o.Seed, "seed", o.Seed, "of all random choices, `N`")
	fs.IntVarP(&o.Workers, "workers", "j", runtime.GOMAXPROCS(0), "work on `N` days at once; the result is the same")
	return cmd
}

func (a *app) evaluate(ctx context.Context, f *evaluateFlags) error {
	if f.semantics != "" {
		if err := oneOf("--semantics", f.semantics, correctedSemantics, referenceSemantics); err != nil {
			return err
		}
	}
	if err := f.options.Check(); err != nil {
		return mistake("usage", err.Error(), "")
	}
	return a.withIndex(ctx, func(m *marketLake) error {
		x, err := m.openIndex(ctx, f.root, f.semantics)
		if err != nil {
			return err
		}
		defer x.close()
		r, err := retrieval.Evaluate(ctx, x.Index, f.options)
		if err != nil {
			return m.damaged(x, err)
		}
		doc := newEvaluation(r)
		doc.Semantics = x.Semantics
		if doc.NotIndexed = x.notIndexed; x.notIndexed > 0 {
			doc.Warnings = append(doc.Warnings, m.catchUp(x.notIndexed))
		}
		if a.flags.json {
			return view.WriteJSON(a.stdout, doc)
		}
		return doc.text(a.stdout, a.style(a.stdout))
	})
}

// evaluationDoc is what dag similar evaluate says.
type evaluationDoc struct {
	Command       string      `json:"command"`
	FormatVersion int         `json:"format_version"`
	Semantics     string      `json:"semantics"`   // of the index: how its vectors were made
	NotIndexed    int         `json:"not_indexed"` // partitions of set-up vectors that are not in the index as they are now
	Queries       int         `json:"queries"`
	Skipped       int         `json:"skipped"` // episodes without enough before them
	Days          int         `json:"days"`
	First         string      `json:"first_dt,omitempty"`
	Last          string      `json:"last_dt,omitempty"`
	K             int         `json:"headline_k"`
	PerDay        int         `json:"max_per_day"`
	Draws         int         `json:"draws"`
	Bootstraps    int         `json:"bootstraps"`
	Seed          uint64      `json:"seed"`
	Skill         intervalDoc `json:"skill"`
	Lift          intervalDoc `json:"lift"`
	HasSkill      bool        `json:"has_skill"`
	HasLift       bool        `json:"has_lift"`
	Sentence      string      `json:"sentence"`
	Warnings      []string    `json:"warnings"`
	Scores        []scoreDoc  `json:"scores"`
	Health        *healthDoc  `json:"neighbours,omitempty"`
	Levels        []levelDoc  `json:"levels"`
}

type intervalDoc struct {
	Value number64 `json:"value"`
	Low   number64 `json:"low"`
	High  number64 `json:"high"`
}

type scoreDoc struct {
	Method      string   `json:"method"`
	K           int      `json:"k,omitempty"`
	Accuracy    number64 `json:"accuracy"`
	Top2        number64 `json:"top2"`
	Precision   number64 `json:"direction_precision"`
	Lift        number64 `json:"direction_lift"`
	LogLoss     number64 `json:"log_loss"`
	Brier       number64 `json:"brier"`
	Calibration number64 `json:"calibration_error"`
	Pearson     number64 `json:"pearson"`
	Spearman    number64 `json:"spearman"`
	Sign        number64 `json:"sign_agreement"`
}

type healthDoc struct {
	MedianDays number64 `json:"median_days"`
	SameWeek   number64 `json:"same_week"`
	Distance   number64 `json:"mean_distance"`
	Random     number64 `json:"random_distance"`
	Ratio      number64 `json:"distance_ratio"`
}

type levelDoc struct {
	Level     string   `json:"level_type"`
	Direction int64    `json:"approach_direction"`
	Queries   int      `json:"queries"`
	Accuracy  number64 `json:"accuracy"`
	Majority  number64 `json:"majority_accuracy"`
	Skill     number64 `json:"skill"`
	Lift      number64 `json:"lift"`
}

func newEvaluation(r *retrieval.Report) *evaluationDoc {
	interval := func(i retrieval.Interval) intervalDoc {
		return intervalDoc{number64(i.Value), number64(i.Low), number64(i.High)}
	}
	o := r.Options
	d := &evaluationDoc{
		Command: "similar evaluate", FormatVersion: similarFormat, Queries: r.Queries, Skipped: r.Skipped, Days: r.Days, First: r.First, Last: r.Last,
		K: o.Headline, PerDay: o.MaxPerDay, Draws: o.Draws, Bootstraps: o.Bootstraps, Seed: o.Seed,
		Skill: interval(r.Skill), Lift: interval(r.Lift), HasSkill: r.HasSkill, HasLift: r.HasLift,
		Sentence: r.Sentence(), Warnings: append([]string{}, r.Warnings...), Scores: []scoreDoc{}, Levels: []levelDoc{},
	}
	for _, s := range r.Scores {
		d.Scores = append(d.Scores, scoreDoc{
			s.Method, s.K, number64(s.Accuracy), number64(s.Top2), number64(s.Precision), number64(s.Lift), number64(s.LogLoss), number64(s.Brier),
			number64(s.Calibration), number64(s.Pearson), number64(s.Spearman), number64(s.SignAgreement),
		})
	}
	if h := r.Health; r.Queries > 0 {
		d.Health = &healthDoc{number64(h.MedianDays), number64(h.SameWeek), number64(h.Distance), number64(h.Random), number64(h.DistanceRatio)}
	}
	for _, l := range r.Levels {
		d.Levels = append(d.Levels, levelDoc{l.Level, l.Direction, l.Queries, number64(l.Accuracy), number64(l.MajorityAccuracy), number64(l.Skill), number64(l.Lift)})
	}
	return d
}

func (d *evaluationDoc) text(w io.Writer, s view.Style) error {
	p := &lines{w: w}
	p.line("vectors of %s semantics", d.Semantics)
	if d.Queries > 0 {
		p.line("%s episodes on %s days, %s to %s, each asked as of its day; %s had too few before them", view.Count(d.Queries), view.Count(d.Days), d.First, d.Last, view.Count(d.Skipped))
		p.line("")
		p.table(s, d.scoreRows(), "method", "k>", "log loss>", "Brier>", "accuracy>", "top-2>", "same way>", "lift>", "calibration>", "Pearson>", "Spearman>", "sign>")
		p.line("")
		p.table(s, d.levelRows(), "level", "side", "episodes>", "accuracy>", "majority>", "skill>", "lift>")
		p.line("")
		h := d.Health
		p.line("neighbours lie %s days back (median), %s in the same week, at %s of the distance of random ones", fixed(float64(h.MedianDays), 0), share(float64(h.SameWeek)), share(float64(1/h.Ratio)))
		p.line("%s", d.intervals())
		p.line("")
	}
	p.line("%s", d.Sentence)
	for _, warning := range d.Warnings {
		p.line("Note: %s.", warning)
	}
	return p.err
}

// intervals writes skill and lift with their intervals, where these are defined.
func (d *evaluationDoc) intervals() string {
	write := func(i intervalDoc, number func(float64) string) string {
		text := number(float64(i.Value))
		if !math.IsNaN(float64(i.Low)) {
			text += fmt.Sprintf(" (%s to %s)", number(float64(i.Low)), number(float64(i.High)))
		}
		return text
	}
	text := fmt.Sprintf("skill %s · lift %s", write(d.Skill, share), write(d.Lift, func(f float64) string { return fixed(f, 3) }))
	if math.IsNaN(float64(d.Skill.Low)) && math.IsNaN(float64(d.Lift.Low)) {
		return text + " · no intervals"
	}
	return text + fmt.Sprintf(" · 95 %% intervals from %s draws of days", view.Count(d.Bootstraps))
}

func (d *evaluationDoc) scoreRows() [][]string {
	var rows [][]string
	for _, s := range d.Scores {
		k := ""
		if s.K > 0 {
			k = fmt.Sprint(s.K)
		}
		rows = append(rows, []string{
			s.Method, k, fixed(float64(s.LogLoss), 4), fixed(float64(s.Brier), 4), share(float64(s.Accuracy)), share(float64(s.Top2)), share(float64(s.Precision)), fixed(float64(s.Lift), 3),
			fixed(float64(s.Calibration), 3), fixed(float64(s.Pearson), 3), fixed(float64(s.Spearman), 3), share(float64(s.Sign)),
		})
	}
	return rows
}

func (d *evaluationDoc) levelRows() [][]string {
	var rows [][]string
	for _, l := range d.Levels {
		rows = append(rows, []string{
			l.Level, side(l.Direction), view.Count(l.Queries), share(float64(l.Accuracy)), share(float64(l.Majority)), share(float64(l.Skill)), fixed(float64(l.Lift), 3),
		})
	}
	return rows
}
