package retrieval

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"dag/stages/internal/setupindex"
)

// EvaluateOptions steer the walk-forward evaluation of spec 10 §5.
type EvaluateOptions struct {
	Ks          []int // numbers of neighbours, ascending
	Headline    int   // the one of Ks that the headline is about
	MaxPerDay   int
	Alpha       float64
	MinDates    int // training dates and
	MinEpisodes int // episodes that a level needs before it is tested
	Draws       int // of random neighbours for each query
	Bootstraps  int // draws of days
	Seed        uint64
	Workers     int // goroutines; the result does not depend on it
}

// DefaultEvaluation are the options of spec 10 §5.
func DefaultEvaluation() EvaluateOptions {
	return EvaluateOptions{
		Ks: []int{5, 10, 20}, Headline: 10, MaxPerDay: DefaultMaxPerDay, Alpha: DefaultAlpha,
		MinDates: enoughDates, MinEpisodes: enoughEpisodes, Draws: 100, Bootstraps: 1000, Seed: 1, Workers: 1,
	}
}

// Check refuses options that mean nothing.
func (o *EvaluateOptions) Check() error {
	switch {
	case len(o.Ks) == 0 || o.Ks[0] < 1 || !slices.IsSorted(o.Ks) || !slices.Contains(o.Ks, o.Headline):
		return fmt.Errorf("the numbers of neighbours are %v, with %d as headline: they must ascend from 1 on, and the headline be one of them", o.Ks, o.Headline)
	case !(o.Alpha > 0):
		return fmt.Errorf("alpha is %v, not above 0", o.Alpha)
	}
	for _, n := range []struct {
		name  string
		value int
	}{
		{"max-per-day", o.MaxPerDay}, {"min-dates", o.MinDates}, {"min-episodes", o.MinEpisodes},
		{"draws", o.Draws}, {"bootstraps", o.Bootstraps}, {"jobs", o.Workers},
	} {
		if n.value < 1 {
			return fmt.Errorf("%s is %d, not at least 1", n.name, n.value)
		}
	}
	return nil
}

// Evaluate tests the retrieval on every date of an index as if it were that
// date: everything is fitted on earlier dates, and every episode of the date is
// asked about (spec 10 §5). Random choices depend on the seed alone.
func Evaluate(ctx context.Context, x *Index, o EvaluateOptions) (*Report, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	clock, err := clockTimes(x.Episodes)
	if err != nil {
		return nil, err
	}
	e := evaluation{x: x, o: o, clock: clock}
	results := make([][]tested, len(x.Episodes)) // by the first episode of each group's date
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.SetLimit(o.Workers)
	for i := range x.Groups {
		if err := e.group(ctx, tasks, &x.Groups[i], results); err != nil {
			return nil, err
		}
	}
	if err := tasks.Wait(); err != nil {
		return nil, err
	}
	all := slices.Concat(results...)
	return e.report(all), nil
}

// evaluation is one run.
type evaluation struct {
	x     *Index
	o     EvaluateOptions
	clock []int // minute of the New York day of each episode's trigger
}

// group starts a task for each date of a group.
func (e *evaluation) group(ctx context.Context, tasks *errgroup.Group, g *Group, results [][]tested) error {
	raw, err := e.x.GroupVectors(g)
	if err != nil {
		return err
	}
	moments := setupindex.NewMoments(int(e.x.Dimension))
	from, enough := g.From, false
	for i := range g.Dates {
		d := &g.Dates[i]
		to := from + int(d.Count)
		if !enough {
			episodes, dates := levelBefore(e.x, g.Level, d.Date)
			enough = episodes >= e.o.MinEpisodes && dates >= e.o.MinDates
		}
		if enough && from > g.From {
			fold := fold{evaluation: e, g: g, raw: raw, date: d.Date, moments: moments.Clone(), from: from, to: to}
			tasks.Go(func() (err error) {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				results[fold.from], err = fold.run()
				return err
			})
		}
		moments.Merge(d.Moments())
		from = to
	}
	return nil
}

// clockTimes are the minutes of the New York day at which episodes trigger.
func clockTimes(episodes []Episode) ([]int, error) {
	ny, err := time.LoadLocation("America/New_York")
	if err != nil {
		return nil, err
	}
	out := make([]int, len(episodes))
	for i := range episodes {
		t := time.Unix(0, episodes[i].Trigger).In(ny)
		out[i] = t.Hour()*60 + t.Minute()
	}
	return out, nil
}

// fold is one date of one group: its episodes are asked about, those before
// are the training set.
type fold struct {
	*evaluation
	g        *Group
	raw      []float64
	date     string
	moments  *setupindex.Moments
	from, to int // of the date's episodes
}

// tested is a query and how each method did on it.
type tested struct {
	*Episode
	grades []grade // by method, see methods
	health []pair  // the neighbours of the headline
	random float64 // mean distance to random neighbours of the headline
}

// pair is a query and one of its neighbours.
type pair struct {
	days     int
	sameWeek bool
	distance float64
}

func (f *fold) run() ([]tested, error) {
	t, err := newTraining(f.x, f.g, f.raw, f.date, f.moments, false)
	if err != nil {
		return nil, err
	}
	d := int(f.x.Dimension)
	points := make([]float32, (f.to-f.from)*d)
	for i := range f.to - f.from {
		t.scale.Apply(points[i*d:][:d], f.raw[(f.from-f.g.From+i)*d:][:d])
	}
	most := f.o.Ks[len(f.o.Ks)-1]
	found, err := t.flat.Search(points, most, t.rules(f.o.MaxPerDay))
	if err != nil {
		return nil, err
	}
	usual, err := t.usualDistances(f.o.Ks, f.o.MaxPerDay)
	if err != nil {
		return nil, err
	}
	h := make([]float64, len(usual))
	for i := range h {
		h[i] = median(usual[i])
	}
	out := make([]tested, 0, len(found))
	for i, hits := range found {
		e := &f.x.Episodes[f.from+i]
		q := asked{t: t, o: &f.o, bandwidth: h, y: slices.Index(t.classes, e.Outcome), point: points[i*d:][:d],
			rng: rand.New(rand.NewPCG(f.o.Seed, uint64(e.ID)))}
		result, err := f.test(&q, e, hits)
		if err != nil {
			return nil, err
		}
		out = append(out, result)
	}
	return out, nil
}

// test grades all methods on one query.
func (f *fold) test(q *asked, e *Episode, hits []Hit) (tested, error) {
	out := tested{Episode: e}
	all := make([]int, q.t.flat.Rows())
	for r := range all {
		all[r] = r
	}
	near := sameTime(f.clock[e.ID], f.clock[f.g.From:][:len(all)], f.o.Ks[len(f.o.Ks)-1])
	random, distance := q.random(all)
	matched, _ := q.random(near)
	out.random = distance
	for i, k := range f.o.Ks {
		out.grades = append(out.grades, q.grade(hits[:min(k, len(hits))], i))
	}
	out.grades = append(out.grades, q.majority(), q.prior(), q.uniform())
	out.grades = append(append(out.grades, random...), matched...)
	day, err := time.Parse(time.DateOnly, e.Date)
	if err != nil {
		return out, fmt.Errorf("episode %s: %w", e.EpisodeID, err)
	}
	for _, h := range hits[:min(f.o.Headline, len(hits))] {
		other, err := time.Parse(time.DateOnly, q.t.episodes[h.Row].Date)
		if err != nil {
			return out, fmt.Errorf("episode %s: %w", q.t.episodes[h.Row].EpisodeID, err)
		}
		out.health = append(out.health, newPair(day, other, h.Distance))
	}
	return out, nil
}

func newPair(day, other time.Time, distance float64) pair {
	year, week := day.ISOWeek()
	otherYear, otherWeek := other.ISOWeek()
	return pair{int(day.Sub(other).Hours() / 24), year == otherYear && week == otherWeek, distance}
}
