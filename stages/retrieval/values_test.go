package retrieval

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"dag/stages/internal/setupindex"
)

var classes = []string{"BREAK", "REJECT", "CHOP"}

// TestAnswerValues: three neighbours at 0, 2 and 4, a bandwidth of 2, and so the
// weights 1, 1/e and 1/e².
func TestAnswerValues(t *testing.T) {
	tr := &training{
		classes: classes, prior: []float64{0.5, 0.25, 0.25}, score: 1.5, class: []int{0, 0, 1},
		episodes: []Episode{{EpisodeID: "a", Score: 10}, {EpisodeID: "b", Score: 4}, {EpisodeID: "c", Score: -6}},
	}
	a := &Answer{}
	a.fill(tr, &Query{K: 3, Alpha: 1}, []Hit{{0, 0}, {1, 2}, {2, 4}}, []float64{1, 2, 2, 4})
	const e1, e2 = 0.36787944117144233, 0.1353352832366127
	w := 1 + e1 + e2
	for name, pair := range map[string][2]float64{
		"similarity of c": {a.Neighbours[2].Similarity, e2},
		"bandwidth":       {a.Bandwidth, 2},
		"p(BREAK)":        {a.Classes[0].Probability, (1 + e1 + 0.5) / (w + 1)},
		"p(REJECT)":       {a.Classes[1].Probability, (e2 + 0.25) / (w + 1)},
		"p(CHOP)":         {a.Classes[2].Probability, 0.25 / (w + 1)},
		"base rate":       {a.Classes[0].BaseRate, 0.5},
		"lift of CHOP":    {a.Classes[2].Lift, 1 / (w + 1)},
		"expected score":  {a.ExpectedScore, (10 + 4*e1 - 6*e2) / w},
		"effective n":     {a.EffectiveN, w * w / (1 + e1*e1 + e2*e2)},
		"mean distance":   {a.MeanDistance, 2},
		"confidence":      {a.Confidence, 0.75},
	} {
		if !near(pair[0], pair[1]) {
			t.Errorf("%s is %v, want %v", name, pair[0], pair[1])
		}
	}
	b := &Answer{}
	if b.fill(tr, &Query{K: 3, Alpha: 1}, nil, nil); b.ExpectedScore != 1.5 || b.Classes[0].Probability != 0.5 || b.EffectiveN != 0 {
		t.Errorf("without neighbours: %+v", b)
	}
}

func TestThinReasons(t *testing.T) {
	good := Answer{Neighbours: make([]Neighbour, 10), LevelEpisodes: 50, LevelDates: 20, Confidence: 0.5, EffectiveN: 5}
	for _, c := range []struct {
		want   string
		weight float64
		change func(*Answer)
	}{
		{"", 1, func(*Answer) {}},
		{"no earlier episode", 1, func(a *Answer) { a.Neighbours = nil }},
		{"only 49 earlier episodes on 20 days", 1, func(a *Answer) { a.LevelEpisodes = 49 }},
		{"only 50 earlier episodes on 19 days", 1, func(a *Answer) { a.LevelDates = 19 }},
		{"only 9 of 10 neighbours", 1, func(a *Answer) { a.Neighbours = a.Neighbours[:9] }},
		{"nothing like it has been seen", 1, func(a *Answer) { a.Confidence = 0 }},
		{"weigh less than the base rates", 0.99, func(*Answer) {}},
		{"weigh less than the base rates", math.NaN(), func(*Answer) {}},
		{"weigh as much as 4.9", 1, func(a *Answer) { a.EffectiveN = 4.9 }},
		{"weigh as much as NaN", 1, func(a *Answer) { a.EffectiveN = math.NaN() }},
	} {
		a := good
		c.change(&a)
		if got := a.thin(&Query{K: 10, Alpha: 1}, c.weight); !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// line is an index of one group whose vectors are single numbers, normalised as
// they are: two overlapping episodes on the first day, one on each of three more.
func line(t *testing.T, excludeChop bool) *training {
	t.Helper()
	x := &Index{Parameters: setupindex.Parameters{Classes: classes, Dimension: 1}}
	for i, e := range []Episode{
		{Date: "2023-01-02", Outcome: "BREAK", Score: 8}, {Date: "2023-01-02", Outcome: "BREAK", Score: 10}, {Date: "2023-01-03", Outcome: "CHOP", Chain: 1},
		{Date: "2023-01-04", Outcome: "REJECT", Score: -6, Chain: 2}, {Date: "2023-01-05", Outcome: "REJECT", Score: -99, Chain: 3},
	} {
		e.ID = int64(i)
		x.Episodes = append(x.Episodes, e)
	}
	tr, err := newTraining(x, &Group{To: 5}, []float64{0, 1, 3, 7, 9}, "2023-01-05", setupindex.NewMoments(1), excludeChop)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestTrainingValues(t *testing.T) {
	tr := line(t, false)
	if !slices.Equal(tr.prior, []float64{0.5, 0.25, 0.25}) || tr.score != 3 || !slices.Equal(tr.scores, []float64{9, -6, 0}) || tr.dates != 3 || tr.first != "2023-01-02" || tr.last != "2023-01-04" {
		t.Errorf("%+v", tr)
	}
	usual, err := tr.usualDistances([]int{1}, 2)
	if err != nil || !slices.Equal(usual[0], []float64{4, 4, 9, 16}) { // without the own day
		t.Errorf("usual distances are %v, %v", usual, err)
	}
	found, err := tr.flat.Search([]float32{0.4}, 3, tr.rules(2))
	var rows []int
	for _, h := range found[0] {
		rows = append(rows, h.Row)
	}
	if err != nil || !slices.Equal(rows, []int{0, 2, 3}) { // 1 overlaps 0
		t.Errorf("the nearest are %v, %v", rows, err)
	}
	if tr := line(t, true); len(tr.episodes) != 3 || tr.score != 4 || tr.scores[2] != 4 || tr.prior[2] != 0 {
		t.Errorf("without CHOP: %+v", tr)
	}
}

// reportCase is a query on each of so many days, at the one level of an index: in
// the first half of days they do well, in the second not.
func reportCase(days int) (*evaluation, []tested) {
	x := &Index{Parameters: setupindex.Parameters{Classes: classes}}
	for i := range days + 1 {
		x.Episodes = append(x.Episodes, Episode{ID: int64(i), Date: fmt.Sprintf("2023-01-%02d", i+2)})
	}
	n := int64(days + 1)
	x.Groups = []Group{{Level: "pm_high", Direction: 1, To: days + 1, Dates: []setupindex.Date{{Date: "2023-01-02", Count: n, Classes: []int64{2 * n / 3, n - 2*n/3, 0}}}}}
	o := DefaultEvaluation()
	o.Ks, o.Headline = []int{1}, 1
	all := make([]tested, days)
	for at := range all {
		i := 2 * at / days
		q := []struct{ loss, precision, accuracy float64 }{{0.5, 1, 1}, {1.4, 0.5, 0}}[i]
		g := make([]grade, len(o.methods())) // nearest, majority, base rates, uniform, random, time of day
		g[0] = grade{logLoss: q.loss, precision: q.precision, accuracy: q.accuracy, confidence: 0.5}
		g[1] = grade{accuracy: 1}
		g[2] = grade{logLoss: 1, precision: 0.5}
		g[4] = grade{precision: 0.6}
		all[at] = tested{Episode: &x.Episodes[at+1], grades: g, random: 9 + 6*float64(i), health: []pair{{2 + 8*i, i == 0, 4 + 4*float64(i)}}}
	}
	return &evaluation{x: x, o: o}, all
}

// TestReportValues: a draw of 20 days has 6 to 14 of the good ones in 95 % of cases.
func TestReportValues(t *testing.T) {
	e, all := reportCase(20)
	r := e.report(all)
	level := r.Levels[0]
	for name, pair := range map[string][2]float64{
		"skill": {r.Skill.Value, 0.05}, "skill, low": {r.Skill.Low, 1 - (6*0.5+14*1.4)/20}, "skill, high": {r.Skill.High, 1 - (14*0.5+6*1.4)/20},
		"lift, low": {r.Lift.Low, (6*1 + 14*0.5) / (20 * 0.6)}, "lift, high": {r.Lift.High, (14*1 + 6*0.5) / (20 * 0.6)},
		"lift": {r.Lift.Value, 1.25}, "median of days": {r.Health.MedianDays, 6}, "same week": {r.Health.SameWeek, 0.5},
		"distance": {r.Health.Distance, 6}, "random distance": {r.Health.Random, 12}, "ratio": {r.Health.DistanceRatio, 2},
		"level accuracy": {level.Accuracy, 0.5}, "level majority": {level.MajorityAccuracy, 1}, "level skill": {level.Skill, 0.05}, "level lift": {level.Lift, 1.25},
		"precision": {r.Scores[0].Precision, 0.75}, "direction lift": {r.Scores[0].Lift, 1.5}, "of base rates": {r.Scores[2].Lift, 1},
		"log loss": {r.Scores[0].LogLoss, 0.95}, "calibration": {r.Scores[0].Calibration, 0.5},
	} {
		if !near(pair[0], pair[1]) {
			t.Errorf("%s is %v, want %v", name, pair[0], pair[1])
		}
	}
	if r.HasSkill || !r.HasLift || r.Queries != 20 || r.Skipped != 1 || r.Days != 20 || r.First != "2023-01-03" {
		t.Errorf("%+v", r)
	}
	if want := []string{"66.7 % of all outcomes are BREAK: there is little to tell apart"}; !slices.Equal(r.Warnings, want) {
		t.Errorf("warnings %q, want %q", r.Warnings, want)
	}
	for i := range all {
		all[i].random = 8
	}
	if r := e.report(all); !strings.Contains(fmt.Sprint(r.Warnings), "only 1.33 times as far off") {
		t.Errorf("warnings %q", r.Warnings)
	}
}

// TestFewDays: however good they were, 19 days are no ground for a claim, and 20
// are.
func TestFewDays(t *testing.T) {
	for days, claim := range map[int]bool{1: false, 2: false, 19: false, 20: true} {
		e, all := reportCase(days)
		for i := range all {
			all[i].grades[0].logLoss, all[i].grades[0].precision = 0.5, 1
		}
		r := e.report(all)
		if r.HasSkill != claim || r.HasLift != claim || !near(r.Skill.Value, 0.5) {
			t.Errorf("%d days: skill %+v, lift %+v", days, r.Skill, r.Lift)
		}
		want := fmt.Sprintf("Skill cannot be told from chance: of the 20 days that it takes only %d could be tested. ", days)
		for _, i := range []Interval{r.Skill, r.Lift} {
			if !claim && (!math.IsNaN(i.Low) || !math.IsNaN(i.High) || !strings.HasPrefix(r.Sentence(), want)) {
				t.Errorf("%d days: interval %+v, %s", days, i, r.Sentence())
			}
		}
	}
}

// TestOneClass: where base rates foretell every outcome but for rounding there is
// no skill to be had, and no number to say so.
func TestOneClass(t *testing.T) {
	e, all := reportCase(20)
	for i := range all {
		all[i].grades[0].logLoss, all[i].grades[2].logLoss, all[i].grades[0].precision, all[i].grades[4].precision = 2e-16*float64(i%2), 1e-16, 1, 1
	}
	r := e.report(all)
	if r.HasSkill || r.HasLift || !math.IsNaN(r.Skill.Value) || !math.IsNaN(r.Skill.Low) || !math.IsNaN(r.Skill.High) || !math.IsNaN(r.Levels[0].Skill) || r.Lift.Value != 1 {
		t.Errorf("skill %+v, lift %+v, level %+v", r.Skill, r.Lift, r.Levels[0])
	}
	if want := "There is nothing to forecast: over 20 episodes on 20 days, all outcomes of each level and side are of one class."; r.Sentence() != want {
		t.Errorf("%s", r.Sentence())
	}
	all[7].grades[2].logLoss = 1 // of the one day that is different most draws have something to tell, many none
	r = e.report(all)
	if r.HasSkill || !(r.Skill.Value > 0.99) || !math.IsNaN(r.Skill.Low) || !math.IsNaN(r.Skill.High) || !strings.Contains(r.Sentence(), "interval of the skill undefined") {
		t.Errorf("one day that differs: skill %+v: %s", r.Skill, r.Sentence())
	}
	for i := range all {
		all[i].grades[2].logLoss, all[i].grades[4].precision = 1, 0
	}
	if r = e.report(all); r.HasLift || !math.IsNaN(r.Lift.Value) || !strings.Contains(r.Sentence(), "no random neighbours went the same way") {
		t.Errorf("lift %+v: %s", r.Lift, r.Sentence())
	}
}

// TestCertain: a forecast that adds up to more than 1 by rounding has no negative
// loss.
func TestCertain(t *testing.T) {
	q := asked{t: &training{prior: []float64{1, 0, 0}}}
	if g := q.judge([]float64{1 + 1e-15, 0, 0}); g.logLoss != 0 {
		t.Errorf("log loss %v", g.logLoss)
	}
}

func TestSameWeek(t *testing.T) {
	for dates, want := range map[[2]string]pair{
		{"2023-01-06", "2023-01-02"}: {4, true, 3}, {"2023-01-09", "2023-01-06"}: {3, false, 3},
		{"2024-01-03", "2023-01-04"}: {364, false, 3}, // both in week 1
	} {
		day, err := time.Parse(time.DateOnly, dates[0])
		other, err2 := time.Parse(time.DateOnly, dates[1])
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		if got := newPair(day, other, 3); got != want {
			t.Errorf("%v: %+v, want %+v", dates, got, want)
		}
	}
}

// TestLevelBefore counts both sides, and a date once.
func TestLevelBefore(t *testing.T) {
	day := func(date string, n int64) setupindex.Date { return setupindex.Date{Date: date, Count: n} }
	x := &Index{Groups: []Group{
		{Level: "a", Direction: -1, Dates: []setupindex.Date{day("1", 2), day("3", 1)}}, {Level: "a", Direction: 1, Dates: []setupindex.Date{day("1", 4), day("2", 8)}},
		{Level: "b", Direction: 1, Dates: []setupindex.Date{day("0", 16)}},
	}}
	if n, dates := levelBefore(x, "a", "3"); n != 14 || dates != 2 {
		t.Errorf("%d episodes on %d dates, want 14 on 2", n, dates)
	}
}
