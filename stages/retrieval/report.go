package retrieval

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Report is what an evaluation found. What is undefined is NaN.
type Report struct {
	Options     EvaluateOptions
	Queries     int // episodes that were asked about
	Skipped     int // episodes without enough before them
	Days        int // dates tested
	First, Last string
	Scores      []Score
	// Skill is 1 - logloss(nearest)/logloss(base rates), Lift the precision of the
	// nearest over that of random neighbours; both for the headline. Their intervals
	// are undefined where fewer than enoughDates dates were tested.
	Skill, Lift       Interval
	HasSkill, HasLift bool // the interval excludes 0, or 1, and lies above
	Health            Health
	Levels            []LevelScore
	Warnings          []string
}

// Score is one method over all queries.
type Score struct {
	Method                           string
	K                                int // 0 for methods without neighbours
	Accuracy, Top2, Precision        float64
	Lift                             float64 // Precision over that of the base rates (spec 10 §4, with the exact baseline)
	LogLoss, Brier, Calibration      float64
	Pearson, Spearman, SignAgreement float64 // of expected and actual score
}

// Health says what neighbours the headline had.
type Health struct {
	MedianDays    float64 // between a query and its neighbours
	SameWeek      float64 // share of neighbours
	Distance      float64 // mean
	Random        float64 // mean distance to random neighbours
	DistanceRatio float64 // Random/Distance; 1.5 or more is expected
}

// LevelScore is the headline at one level and direction.
type LevelScore struct {
	Level            string
	Direction        int64
	Queries          int
	Accuracy         float64
	MajorityAccuracy float64
	Skill            float64
	Lift             float64
}

// largestShare is the share of one class beyond which outcomes tell little.
const largestShare = 0.6

// leastRatio is how much farther off than the nearest random neighbours are
// expected to be (spec 10 §5).
const leastRatio = 1.5

// report sums the queries up.
func (e *evaluation) report(all []tested) *Report {
	r := &Report{Options: e.o, Queries: len(all), Skipped: len(e.x.Episodes) - len(all), Warnings: e.warnings()}
	nan := math.NaN()
	r.Skill, r.Lift = Interval{nan, nan, nan}, Interval{nan, nan, nan}
	if len(all) == 0 {
		return r
	}
	methods := e.o.methods()
	for i, m := range methods {
		r.Scores = append(r.Scores, score(m, i, all))
	}
	h := headline{
		nearest: slices.Index(methods, method{MethodNeighbours, e.o.Headline}), random: slices.Index(methods, method{MethodRandom, e.o.Headline}),
		prior: slices.Index(methods, method{name: MethodPrior}), majority: slices.Index(methods, method{name: MethodMajority}),
	}
	for i := range r.Scores {
		r.Scores[i].Lift = r.Scores[i].Precision / r.Scores[h.prior].Precision
	}
	days := h.byDay(all)
	r.Days = len(days)
	r.First, r.Last = days[0].date, days[len(days)-1].date
	r.Skill, r.Lift = bootstrap(days, e.o.Bootstraps, e.o.Seed)
	r.HasSkill, r.HasLift = r.Skill.Low > 0, r.Lift.Low > 1
	if r.Health = health(all); !(r.Health.DistanceRatio >= leastRatio) {
		r.Warnings = append(r.Warnings, fmt.Sprintf("random neighbours are only %.2f times as far off as the nearest; %v times is expected of vectors that tell set-ups apart", r.Health.DistanceRatio, leastRatio))
	}
	for i := range e.x.Groups {
		r.Levels = append(r.Levels, h.level(&e.x.Groups[i], all)...)
	}
	return r
}

// warnings name what makes an index a bad ground for any forecast.
func (e *evaluation) warnings() []string {
	var out []string
	for c, name := range e.x.Classes {
		n := int64(0)
		for _, g := range e.x.Groups {
			for _, d := range g.Dates {
				n += d.Classes[c]
			}
		}
		if share := float64(n) / float64(len(e.x.Episodes)); share > largestShare {
			out = append(out, percent(share)+" of all outcomes are "+name+": there is little to tell apart")
		}
	}
	return out
}

func score(m method, i int, all []tested) Score {
	n := len(all)
	columns := make([][]float64, len((&grade{}).fields()))
	actual := make([]float64, n)
	for q := range all {
		actual[q] = all[q].Score
		for c, f := range all[q].grades[i].fields() {
			columns[c] = append(columns[c], *f)
		}
	}
	s := Score{
		Method: m.name, K: m.k, LogLoss: mean(columns[0]), Brier: mean(columns[1]), Accuracy: mean(columns[2]), Top2: mean(columns[3]),
		Precision: mean(columns[4]), Calibration: math.NaN(), Pearson: math.NaN(), Spearman: math.NaN(), SignAgreement: math.NaN(),
	}
	if !math.IsNaN(mean(columns[5])) {
		s.Calibration = calibrationError(columns[5], columns[2])
	}
	if expected := columns[6]; !math.IsNaN(mean(expected)) {
		s.Pearson, s.Spearman, s.SignAgreement = pearson(expected, actual), spearman(expected, actual), signAgreement(expected, actual)
	}
	return s
}

// headline holds the places of the methods that it compares.
type headline struct{ nearest, random, prior, majority int }

// daySum sums the queries of a date up.
type daySum struct {
	date                       string
	queries                    int
	loss, priorLoss            float64
	precision, randomPrecision float64
}

func (h *headline) byDay(all []tested) []daySum {
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b tested) int { return cmp.Compare(a.Date, b.Date) })
	var out []daySum
	for _, q := range sorted {
		if n := len(out); n == 0 || out[n-1].date != q.Date {
			out = append(out, daySum{date: q.Date})
		}
		out[len(out)-1].addQuery(h, &q)
	}
	return out
}

func (d *daySum) addQuery(h *headline, q *tested) {
	d.add(&daySum{
		queries: 1, loss: q.grades[h.nearest].logLoss, priorLoss: q.grades[h.prior].logLoss,
		precision: q.grades[h.nearest].precision, randomPrecision: q.grades[h.random].precision,
	})
}

func (d *daySum) add(o *daySum) {
	d.queries += o.queries
	d.loss += o.loss
	d.priorLoss += o.priorLoss
	d.precision += o.precision
	d.randomPrecision += o.randomPrecision
}

// leastLoss is the mean log loss up to which base rates leave nothing to forecast:
// what rounding leaves of 0.
const leastLoss = 1e-12

// ratios are skill and lift of summed days, NaN where there is nothing to compare
// with: skill if base rates foretell every outcome, lift if no random neighbour
// went the way of its query.
func (d *daySum) ratios() (skill, lift float64) {
	skill, lift = math.NaN(), math.NaN()
	if d.priorLoss > leastLoss*float64(d.queries) {
		skill = 1 - d.loss/d.priorLoss
	}
	if d.randomPrecision > 0 {
		lift = d.precision / d.randomPrecision
	}
	return skill, lift
}

// bootstrapStream separates its random numbers from those of queries.
const bootstrapStream = 1 << 63

// bootstrap draws days with replacement: episodes of one day depend on each
// other, days less so (10 Q-6). Draws of a few days are hardly different from one
// another, so an interval of theirs would be far too narrow: there is none.
func bootstrap(days []daySum, draws int, seed uint64) (skill, lift Interval) {
	var whole daySum
	for i := range days {
		whole.add(&days[i])
	}
	var skills, lifts []float64
	rng := rand.New(rand.NewPCG(seed, bootstrapStream))
	for range draws {
		if len(days) < enoughDates {
			break
		}
		var sum daySum
		for range days {
			sum.add(&days[rng.IntN(len(days))])
		}
		s, l := sum.ratios()
		skills, lifts = append(skills, s), append(lifts, l)
	}
	s, l := whole.ratios()
	return newInterval(s, skills), newInterval(l, lifts)
}

func health(all []tested) Health {
	var days, distances, random []float64
	week := 0.0
	for _, q := range all {
		random = append(random, q.random)
		for _, p := range q.health {
			days, distances = append(days, float64(p.days)), append(distances, p.distance)
			if p.sameWeek {
				week++
			}
		}
	}
	slices.Sort(days)
	h := Health{MedianDays: median(days), SameWeek: week / float64(len(days)), Distance: mean(distances), Random: mean(random)}
	h.DistanceRatio = h.Random / h.Distance
	return h
}

// level is the headline of one group; nothing if it was not tested.
func (h *headline) level(g *Group, all []tested) []LevelScore {
	var sum daySum
	s := LevelScore{Level: g.Level, Direction: g.Direction}
	for _, q := range all {
		if int(q.ID) < g.From || int(q.ID) >= g.To {
			continue
		}
		s.Queries++
		s.Accuracy += q.grades[h.nearest].accuracy
		s.MajorityAccuracy += q.grades[h.majority].accuracy
		sum.addQuery(h, &q)
	}
	if s.Queries == 0 {
		return nil
	}
	s.Accuracy /= float64(s.Queries)
	s.MajorityAccuracy /= float64(s.Queries)
	s.Skill, s.Lift = sum.ratios()
	return []LevelScore{s}
}
