package retrieval

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestMetrics(t *testing.T) {
	x, y := []float64{1, 2, 3, 4}, []float64{1, 4, 9, 16}
	for name, c := range map[string][2]float64{
		"pearson":           {pearson(x, y), 25 / math.Sqrt(5*129)},
		"spearman":          {spearman(x, y), 1},
		"spearman reversed": {spearman(x, []float64{3, 2, 1, 0}), -1},
		"sign agreement":    {signAgreement([]float64{1, -1, 0, 2}, []float64{2, 3, 1, 1}), 2.0 / 3},
		"quantile":          {quantile([]float64{0, 10, 20}, 0.25), 5},
		"quantile, end":     {quantile([]float64{0, 10, 20}, 1), 20},
		"median":            {median([]float64{1, 2, 4, 8}), 3},
	} {
		if math.Abs(c[0]-c[1]) > 1e-12 {
			t.Errorf("%s is %v, want %v", name, c[0], c[1])
		}
	}
	if got := ranks([]float64{5, 1, 5, 0}); !slices.Equal(got, []float64{3.5, 2, 3.5, 1}) {
		t.Errorf("ranks are %v", got)
	}
	if !math.IsNaN(pearson(x, []float64{1, 1, 1, 1})) {
		t.Error("a constant correlates")
	}
}

// TestCalibrationError: twenty forecasts of 60 % that come true half the time,
// and twenty of 90 % that always do.
func TestCalibrationError(t *testing.T) {
	var confidence, accuracy []float64
	for i := range 20 {
		confidence, accuracy = append(confidence, 0.6, 0.9), append(accuracy, float64(i%2), 1)
	}
	if got := calibrationError(confidence, accuracy); math.Abs(got-0.1) > 1e-12 {
		t.Errorf("%v, want 0.1", got)
	}
}

func TestJudge(t *testing.T) {
	q := asked{t: &training{classes: []string{"BREAK", "REJECT", "CHOP"}, prior: []float64{0.3, 0.5, 0.2}, scores: []float64{10, -6, 0}}, y: 1}
	g := q.judge([]float64{0.4, 0.4, 0.2}) // a tie goes to the larger share
	if g.accuracy != 1 || g.top2 != 1 || math.Abs(g.logLoss+math.Log(0.4)) > 1e-12 || math.Abs(g.brier-0.56) > 1e-12 || g.confidence != 0.4 {
		t.Errorf("%+v", g)
	}
	if g := q.judge([]float64{0.5, 0.1, 0.4}); g.accuracy != 0 || g.top2 != 0 {
		t.Errorf("the least likely: %+v", g)
	}
	if g := q.judge([]float64{1, 0, 0}); math.Abs(g.logLoss+math.Log(1e-6)) > 1e-12 {
		t.Errorf("log loss has no floor: %+v", g)
	}
	if g := q.majority(); g.accuracy != 1 || g.logLoss != 0 {
		t.Errorf("majority: %+v", g)
	}
	if g := q.prior(); g.precision != 0.5 || g.score != 0 {
		t.Errorf("base rates: %+v", g)
	}
	if g := q.uniform(); math.Abs(g.precision-1.0/3) > 1e-12 || math.Abs(g.score-4.0/3) > 1e-12 {
		t.Errorf("uniform: %+v", g)
	}
}

func TestWay(t *testing.T) {
	for class, want := range map[string]string{"STRONG_BREAK": "BREAK", "WEAK_BREAK": "BREAK", "BREAK": "BREAK", "REJECT": "BOUNCE", "WEAK_BOUNCE": "BOUNCE", "CHOP": "CHOP"} {
		if got := way(class); got != want {
			t.Errorf("%s goes %s, want %s", class, got, want)
		}
	}
}

func TestSameTime(t *testing.T) {
	clock := []int{600, 660, 631, 570, 800}
	if got := sameTime(600, clock, 1); !slices.Equal(got, []int{0, 3}) {
		t.Errorf("within half an hour: %v", got)
	}
	if got := sameTime(600, clock, 4); !slices.Equal(got, []int{0, 3, 2, 1}) {
		t.Errorf("at least four: %v", got)
	}
	if got := sameTime(600, clock, 9); len(got) != 5 {
		t.Errorf("more than there are: %v", got)
	}
}

// TestDrawIsWithoutReplacement: random neighbours are as those of a query.
func TestDrawIsWithoutReplacement(t *testing.T) {
	f, err := NewFlat(1, []float32{0, 1, 2, 3, 4, 5})
	if err != nil {
		t.Fatal(err)
	}
	o := DefaultEvaluation()
	q := asked{
		t: &training{flat: f, day: []int32{1, 1, 1, 2, 2, 3}, chain: []int64{1, 2, 3, 4, 4, 5}}, o: &o, point: []float32{0}, rng: rand.New(rand.NewPCG(1, 1)),
	}
	for range 100 {
		hits := q.draw([]int{0, 1, 2, 3, 4, 5}, map[int]float64{})
		days := map[int32]int{}
		for _, h := range hits {
			days[q.t.day[h.Row]]++
			if h.Distance != float64(h.Row*h.Row) {
				t.Errorf("row %d is at %v", h.Row, h.Distance)
			}
		}
		if days[1] != 2 || days[2] != 1 || days[3] != 1 {
			t.Fatalf("drawn %v", hits)
		}
	}
}

func TestBootstrap(t *testing.T) {
	days := make([]daySum, 50)
	for i := range days {
		days[i] = daySum{loss: 1 + float64(i%2)/10, priorLoss: 1.2, precision: 2, randomPrecision: 1}
	}
	skill, lift := bootstrap(days, 500, 1)
	if math.Abs(skill.Value-0.125) > 1e-12 || !(skill.Low < skill.Value && skill.Value < skill.High && skill.Low > 0.1105 && skill.Low < 0.1165 && skill.High > 0.1335 && skill.High < 0.1395) {
		t.Errorf("skill %+v", skill)
	}
	if lift != (Interval{2, 2, 2}) {
		t.Errorf("lift %+v", lift)
	}
	again, _ := bootstrap(days, 500, 1)
	if again != skill {
		t.Errorf("the same seed gives %+v and %+v", skill, again)
	}
}
