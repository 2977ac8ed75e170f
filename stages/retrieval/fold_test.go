package retrieval

import (
	"math"
	"testing"

	"dag/stages/internal/setupindex"
)

// lastOfLine is the fold of the last episode of line: it lies at 9 and is a REJECT.
// Of those before only the CHOP at 3 triggered within half an hour of its time.
func lastOfLine(t *testing.T, ks ...int) tested {
	t.Helper()
	x := &Index{Parameters: setupindex.Parameters{Classes: classes, Dimension: 1}}
	x.Episodes = append(x.Episodes, line(t, false).episodes...)
	x.Episodes = append(x.Episodes, Episode{ID: 4, Date: "2023-01-05", Outcome: "REJECT", Score: -99, Chain: 3})
	o := DefaultEvaluation()
	o.Ks, o.Headline, o.Draws = ks, ks[0], 7
	e := &evaluation{x: x, o: o, clock: []int{700, 701, 600, 702, 610}}
	f := fold{evaluation: e, g: &Group{To: 5}, raw: []float64{0, 1, 3, 7, 9}, date: "2023-01-05", moments: setupindex.NewMoments(1), from: 4, to: 5}
	list, err := f.run()
	if err != nil || len(list) != 1 {
		t.Fatalf("%d queries, %v", len(list), err)
	}
	return list[0]
}

// expectGrade compares all numbers of a grade.
func expectGrade(t *testing.T, name string, got, want grade) {
	t.Helper()
	of := want.fields()
	for i, v := range got.fields() {
		if !near(*v, *of[i]) && !(math.IsNaN(*v) && math.IsNaN(*of[i])) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
			return
		}
	}
}

// TestFoldValues holds one query to numbers worked out by hand. The base rates are
// 1/2, 1/4, 1/4. The nearest of other days are 4, 4, 9 and 16 off, squared, so that
// the bandwidth is 6.5. The nearest of the query is the REJECT at 7, 4 off, which
// weighs exp(-4/6.5); the one of its time of day is 36 off and weighs exp(-36/6.5).
func TestFoldValues(t *testing.T) {
	q := lastOfLine(t, 1)
	nearest, sameTime := math.Exp(-4/6.5), math.Exp(-36/6.5)
	square := func(x float64) float64 { return x * x }
	third := 1.0 / 3
	want := map[string]grade{
		MethodNeighbours: {
			logLoss: math.Log((nearest + 1) / (nearest + 0.25)), confidence: (nearest + 0.25) / (nearest + 1),
			brier:    square(0.5/(nearest+1)) + square(0.75/(nearest+1)) + square(0.25/(nearest+1)),
			accuracy: 1, top2: 1, precision: 1, score: -6,
		},
		MethodMajority: {logLoss: 6 * math.Ln10, brier: 2, top2: 1, confidence: 1, score: 9},
		MethodPrior:    {logLoss: math.Log(4), brier: 0.875, top2: 1, precision: 0.25, confidence: 0.5, score: 3},
		MethodUniform:  {logLoss: math.Log(3), brier: 2 * third, top2: 1, precision: third, confidence: third, score: 1},
		MethodTimeOfDay: {
			logLoss: math.Log(4 * (1 + sameTime)), confidence: math.NaN(),
			brier: square(0.25/(1+sameTime)-1) + square(0.5/(1+sameTime)) + square((0.25+sameTime)/(1+sameTime)),
		},
	}
	for i, m := range (&EvaluateOptions{Ks: []int{1}}).methods() {
		if m.name == MethodRandom {
			continue // a mean over draws
		}
		expectGrade(t, m.name, q.grades[i], want[m.name])
		delete(want, m.name)
	}
	if len(want) > 0 {
		t.Errorf("no method was graded of %v", want)
	}
	if len(q.health) != 1 || q.health[0] != (pair{days: 1, sameWeek: true, distance: 4}) {
		t.Errorf("neighbours %+v", q.health)
	}
	if q.random < 4 || q.random > 81 {
		t.Errorf("random neighbours are %v off, those there are from 4 to 81", q.random)
	}
}

// TestFoldOfTwoNeighbours: without episodes that overlap, the two nearest of other
// days are 29, 20, 10 and 26 off on average; the bandwidth is 23.
func TestFoldOfTwoNeighbours(t *testing.T) {
	q := lastOfLine(t, 1, 2)
	a, b := math.Exp(-4.0/23), math.Exp(-36.0/23)
	p := []float64{0.5 / (a + b + 1), (a + 0.25) / (a + b + 1), (b + 0.25) / (a + b + 1)}
	expectGrade(t, "two nearest", q.grades[1], grade{
		logLoss: -math.Log(p[1]), brier: p[0]*p[0] + (p[1]-1)*(p[1]-1) + p[2]*p[2],
		accuracy: 1, top2: 1, precision: 0.5, confidence: p[1], score: -6 * a / (a + b),
	})
}
