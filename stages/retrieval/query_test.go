package retrieval_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"dag/stages/retrieval"
)

// ask is a query about an episode of the index.
func ask(t *testing.T, x *retrieval.Index, id int) retrieval.Query {
	t.Helper()
	v, err := x.ReadVectors(id, id+1)
	if err != nil {
		t.Fatal(err)
	}
	e := x.Episodes[id]
	return retrieval.Query{
		EpisodeID: e.EpisodeID, Date: e.Date, Level: e.Level, Direction: e.Direction, Vector: v,
		K: 10, MaxPerDay: 2, Alpha: 1,
	}
}

func answer(t *testing.T, x *retrieval.Index, q retrieval.Query) *retrieval.Answer {
	t.Helper()
	a, err := retrieval.Ask(x, q)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestAskObeysTheRules asks about every tenth episode of a market.
func TestAskObeysTheRules(t *testing.T) {
	x := vectors{25, 32, planted}.index(t, 3)
	for id := 0; id < len(x.Episodes); id += 10 {
		q := ask(t, x, id)
		q.ExcludeChop = id%20 == 0
		a := answer(t, x, q)
		days, chains := map[string]int{}, map[int64]bool{}
		for i, n := range a.Neighbours {
			days[n.Date]++
			switch {
			case n.Date >= q.Date:
				t.Errorf("episode %s of %s sees %s", q.EpisodeID, q.Date, n.EpisodeID)
			case n.Level != q.Level || n.Direction != q.Direction:
				t.Errorf("%s at %s, direction %d, is compared with %s, %d", q.EpisodeID, q.Level, q.Direction, n.EpisodeID, n.Direction)
			case days[n.Date] > 2:
				t.Errorf("%s has more than two neighbours of %s", q.EpisodeID, n.Date)
			case chains[n.Chain]:
				t.Errorf("%s has overlapping neighbours, as %s", q.EpisodeID, n.EpisodeID)
			case q.ExcludeChop && n.Outcome == "CHOP":
				t.Errorf("%s has the neighbour %s, which is CHOP", q.EpisodeID, n.EpisodeID)
			case i > 0 && n.Distance < a.Neighbours[i-1].Distance:
				t.Errorf("neighbour %d of %s is nearer than the one before", i, q.EpisodeID)
			}
			chains[n.Chain] = true
		}
		sum := 0.0
		for _, c := range a.Classes {
			sum += c.Probability
		}
		if a.Episodes > 0 && math.Abs(sum-1) > 1e-12 {
			t.Errorf("probabilities of %s add up to %v", q.EpisodeID, sum)
		}
		if len(a.Neighbours) < q.K && a.Episodes > 40 && !q.ExcludeChop {
			t.Errorf("%s finds %d neighbours among %d", q.EpisodeID, len(a.Neighbours), a.Episodes)
		}
	}
}

// TestAskNeverSeesTheFuture: what lies on later days changes nothing, not even
// a bit.
func TestAskNeverSeesTheFuture(t *testing.T) {
	short, long := vectors{20, 16, planted}.index(t, 5), vectors{25, 16, planted}.index(t, 5)
	for id := 0; id < len(short.Episodes); id += 13 {
		e := short.Episodes[id]
		at := slices.IndexFunc(long.Episodes, func(o retrieval.Episode) bool { return o.EpisodeID == e.EpisodeID })
		a, b := answer(t, short, ask(t, short, id)), answer(t, long, ask(t, long, at))
		for _, x := range []*retrieval.Answer{a, b} {
			for i := range x.Neighbours { // numbered in the index, which differs
				x.Neighbours[i].ID, x.Neighbours[i].Chain = 0, 0
			}
		}
		// Text has the shortest form that is the same number, and NaN as NaN.
		if got, want := fmt.Sprintf("%+v", *b), fmt.Sprintf("%+v", *a); got != want {
			t.Fatalf("%s: %s, with later days %s", e.EpisodeID, want, got)
		}
	}
}

// TestAsOf: an earlier as-of hides more; a later one does not show the own day.
func TestAsOf(t *testing.T) {
	x := vectors{30, 16, noise}.index(t, 1)
	q := ask(t, x, len(x.Episodes)-1)
	q.AsOf = "2023-01-20"
	if a := answer(t, x, q); a.Last >= q.AsOf || a.AsOf != q.AsOf {
		t.Errorf("as of %s: %+v", q.AsOf, a)
	}
	q.AsOf = "2030-01-01"
	if a := answer(t, x, q); a.AsOf != q.Date || a.Last >= q.Date {
		t.Errorf("as of %s: as of %s, last %s", q.AsOf, a.AsOf, a.Last)
	}
}

// TestSelf: a vector that is in the index finds itself at no distance (10 §5).
func TestSelf(t *testing.T) {
	x := vectors{30, 16, noise}.index(t, 1)
	q := ask(t, x, 7)
	id := q.EpisodeID
	q.EpisodeID, q.Date, q.AsOf = "", "", "2030-01-01"
	if a := answer(t, x, q); a.Neighbours[0].EpisodeID != id || a.Neighbours[0].Distance > 1e-5 || a.Neighbours[0].Similarity != 1 {
		t.Errorf("%+v", a.Neighbours[0])
	}
	q.EpisodeID = id
	if a := answer(t, x, q); a.Neighbours[0].EpisodeID == id {
		t.Error("an episode is its own neighbour")
	}
}

// TestThin: an answer that rests on little says so.
func TestThin(t *testing.T) {
	x := vectors{60, 16, noise}.index(t, 1)
	first, last := ask(t, x, 0), ask(t, x, x.Groups[0].To-1)
	if a := answer(t, x, first); !strings.Contains(a.Thin, "no earlier episode") || len(a.Neighbours) > 0 || !math.IsNaN(a.Confidence) || !math.IsNaN(a.Classes[0].BaseRate) {
		t.Errorf("the first: %+v", a)
	}
	if a := answer(t, x, last); a.Thin != "" || a.Confidence < 0 || a.Confidence > 1 || a.Episodes < 100 {
		t.Errorf("the last: %+v", a)
	}
	last.AsOf = "2023-01-20"
	if a := answer(t, x, last); !strings.Contains(a.Thin, "at least 50 on 20 days") {
		t.Errorf("few: %+v", a)
	}
}

func TestBadQueries(t *testing.T) {
	x := vectors{3, 16, noise}.index(t, 1)
	r := rand.New(rand.NewPCG(1, 1))
	good := make([]float64, dimension)
	for j := range good {
		good[j] = r.NormFloat64()
	}
	for want, change := range map[string]func(*retrieval.Query){
		"the vector has 3 values":           func(q *retrieval.Query) { q.Vector = good[:3] },
		"the vector has NaN at 4 (":         func(q *retrieval.Query) { q.Vector = slices.Clone(good); q.Vector[4] = math.NaN() },
		"the vector has -Inf at 5 (":        func(q *retrieval.Query) { q.Vector = slices.Clone(good); q.Vector[5] = math.Inf(-1) },
		`no episode at level "pm_hi"`:       func(q *retrieval.Query) { q.Level = "pm_hi" },
		"the direction is 0":                func(q *retrieval.Query) { q.Direction = 0 },
		"k is 0":                            func(q *retrieval.Query) { q.K = 0 },
		"max-per-day is 0":                  func(q *retrieval.Query) { q.MaxPerDay = 0 },
		"alpha is -1":                       func(q *retrieval.Query) { q.Alpha = -1 },
		"the answer would look into the fu": func(q *retrieval.Query) { q.AsOf = "" },
	} {
		q := retrieval.Query{Level: "pm_high", Direction: 1, Vector: good, AsOf: "2023-02-01", K: 5, MaxPerDay: 2, Alpha: 1}
		change(&q)
		if _, err := retrieval.Ask(x, q); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestReferenceSeesEverything: the reference finds the episode itself, other
// directions and later days (10 ).
func TestReferenceSeesEverything(t *testing.T) {
	x := vectors{10, 16, noise}.index(t, 1)
	q := ask(t, x, 0)
	a, err := retrieval.AskReference(x, retrieval.ReferenceQuery{Level: q.Level, Vector: q.Vector, K: 40})
	if err != nil {
		t.Fatal(err)
	}
	directions, dates := map[int64]bool{}, map[string]bool{}
	for _, n := range a.Neighbours {
		directions[n.Direction], dates[n.Date] = true, true
	}
	if a.Neighbours[0].EpisodeID != q.EpisodeID || a.Neighbours[0].Similarity != 1 || len(directions) != 2 || len(dates) != 10 {
		t.Errorf("%+v, directions %v, dates %v", a.Neighbours[0], directions, dates)
	}
	if _, err := retrieval.AskReference(x, retrieval.ReferenceQuery{Level: "none", Vector: q.Vector, K: 40}); err == nil || !strings.Contains(err.Error(), `no episode at level "none"`) {
		t.Errorf("another level: %v", err)
	}
	none, err := retrieval.AskReference(x, retrieval.ReferenceQuery{Level: q.Level, Vector: q.Vector, K: 40, MinDate: "2030-01-01"})
	if err != nil || len(none.Neighbours) > 0 || none.ExpectedScore != 0 {
		t.Errorf("%+v, %v", none, err)
	}
}
