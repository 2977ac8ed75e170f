package retrieval_test

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"dag/stages/retrieval"
)

// quick are fewer draws than the defaults.
func quick() retrieval.EvaluateOptions {
	o := retrieval.DefaultEvaluation()
	o.Draws, o.Bootstraps, o.Workers = 5, 200, 2
	return o
}

func TestEvaluateFindsWhatIsThere(t *testing.T) {
	r, err := retrieval.Evaluate(t.Context(), vectors{45, 16, planted}.index(t, 1), quick())
	if err != nil {
		t.Fatal(err)
	}
	if !r.HasSkill || !r.HasLift || !strings.HasPrefix(r.Sentence(), "There is skill: ") {
		t.Errorf("skill %+v, lift %+v: %s", r.Skill, r.Lift, r.Sentence())
	}
}

func TestEvaluateFindsNothingInNoise(t *testing.T) {
	r, err := retrieval.Evaluate(t.Context(), vectors{45, 16, noise}.index(t, 1), quick())
	if err != nil {
		t.Fatal(err)
	}
	if r.HasSkill || r.HasLift || !strings.HasPrefix(r.Sentence(), "There is no skill: ") {
		t.Errorf("skill %+v, lift %+v: %s", r.Skill, r.Lift, r.Sentence())
	}
}

// TestEvaluateClaimsRarely looks at one and at enough days of pure noise.
func TestEvaluateClaimsRarely(t *testing.T) {
	const seeds, warmUp = 8, 13 // days until 50 episodes of a level have been
	for _, c := range []struct{ days, skills, lifts int }{{1, 0, 0}, {20, 0, 2}} {
		skills, lifts := 0, 0
		for seed := range uint64(seeds) {
			o := quick()
			o.MinDates, o.Ks, o.Draws = warmUp, []int{10}, 2
			r, err := retrieval.Evaluate(t.Context(), vectors{warmUp + c.days, 16, noise}.index(t, seed), o)
			if err != nil {
				t.Fatal(err)
			}
			if r.Days != c.days {
				t.Fatalf("%d days were tested, want %d", r.Days, c.days)
			}
			if r.HasSkill {
				skills++
			}
			if r.HasLift {
				lifts++
			}
		}
		t.Logf("%d days: skill of %d, lift of %d of %d seeds", c.days, skills, lifts, seeds)
		if skills > c.skills || lifts > c.lifts {
			t.Errorf("%d days of noise: skill is claimed of %d and lift of %d of %d seeds, want %d and %d at most", c.days, skills, lifts, seeds, c.skills, c.lifts)
		}
	}
}

// TestEvaluateAsksAsAQueryDoes: the log loss of the evaluation is that of the
// answers to queries, one by one.
func TestEvaluateAsksAsAQueryDoes(t *testing.T) {
	x := vectors{30, 16, planted}.index(t, 2)
	r, err := retrieval.Evaluate(t.Context(), x, quick())
	if err != nil {
		t.Fatal(err)
	}
	sum, n := 0.0, 0
	for id, e := range x.Episodes {
		if e.Date < r.First {
			continue
		}
		for _, c := range answer(t, x, ask(t, x, id)).Classes {
			if c.Name == e.Outcome {
				sum -= math.Log(c.Probability)
				n++
			}
		}
	}
	for _, s := range r.Scores {
		if s.Method == retrieval.MethodNeighbours && s.K == 10 && (n != r.Queries || math.Abs(s.LogLoss-sum/float64(n)) > 1e-12) {
			t.Errorf("log loss %v of %d queries, asked one by one %v of %d", s.LogLoss, r.Queries, sum/float64(n), n)
		}
	}
	if r.Queries+r.Skipped != len(x.Episodes) || r.Days != 10 {
		t.Errorf("%d tested on %d days and %d skipped of %d on 30 days", r.Queries, r.Days, r.Skipped, len(x.Episodes))
	}
}

func TestEvaluateDoesNotDependOnWorkers(t *testing.T) {
	x := vectors{40, 16, planted}.index(t, 1)
	o := quick()
	var last *retrieval.Report
	for _, workers := range []int{1, 3} {
		o.Workers = workers
		r, err := retrieval.Evaluate(t.Context(), x, o)
		if err != nil {
			t.Fatal(err)
		}
		r.Options.Workers = 0
		if r.Scores = comparable(r.Scores); last != nil && !reflect.DeepEqual(r, last) {
			t.Errorf("%d workers: %+v, one: %+v", workers, r, last)
		}
		last = r
	}
}

// comparable replaces NaN, which equals nothing.
func comparable(scores []retrieval.Score) []retrieval.Score {
	for i := range scores {
		s := &scores[i]
		for _, f := range []*float64{&s.Precision, &s.Calibration, &s.Pearson, &s.Spearman, &s.SignAgreement} {
			if *f != *f {
				*f = -2
			}
		}
	}
	return scores
}

// BenchmarkEvaluate is two years of episodes with the defaults.
func BenchmarkEvaluate(b *testing.B) {
	x := vectors{500, 12, noise}.index(b, 1)
	o := retrieval.DefaultEvaluation()
	o.Workers = 2
	for b.Loop() {
		if _, err := retrieval.Evaluate(b.Context(), x, o); err != nil {
			b.Fatal(err)
		}
	}
}

// TestEvaluateWaitsForEpisodes: with four episodes of a level a day, 50 are there
// after 13 days, and 5 dates after five.
func TestEvaluateWaitsForEpisodes(t *testing.T) {
	x := vectors{16, 16, noise}.index(t, 1)
	for _, c := range []struct{ dates, episodes, days int }{{5, 50, 3}, {14, 50, 2}, {5, 1, 11}} {
		o := quick()
		o.MinDates, o.MinEpisodes, o.Draws = c.dates, c.episodes, 1
		r, err := retrieval.Evaluate(t.Context(), x, o)
		if err != nil {
			t.Fatal(err)
		}
		if r.Days != c.days || r.Queries != 16*c.days {
			t.Errorf("%+v: %d queries on %d days", c, r.Queries, r.Days)
		}
	}
}

func TestEvaluateOptions(t *testing.T) {
	for want, change := range map[string]func(*retrieval.EvaluateOptions){
		"draws is 0, not at least 1": func(o *retrieval.EvaluateOptions) { o.Draws = 0 },
		"jobs is -1":                 func(o *retrieval.EvaluateOptions) { o.Workers = -1 },
		"alpha is 0":                 func(o *retrieval.EvaluateOptions) { o.Alpha = 0 },
		"must ascend":                func(o *retrieval.EvaluateOptions) { o.Headline = 7 },
	} {
		o := quick()
		change(&o)
		if err := o.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
