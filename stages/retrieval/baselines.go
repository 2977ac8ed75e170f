package retrieval

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// Methods of the evaluation, in the order of a query's grades. Those that have
// neighbours come once for each k.
const (
	MethodNeighbours = "nearest"
	MethodMajority   = "majority class"
	MethodPrior      = "base rates"
	MethodUniform    = "uniform"
	MethodRandom     = "random neighbours"
	MethodTimeOfDay  = "same time of day"
)

// method is a way to forecast, with its k or 0.
type method struct {
	name string
	k    int
}

func (o *EvaluateOptions) methods() []method {
	var out []method
	each := func(name string) {
		for _, k := range o.Ks {
			out = append(out, method{name, k})
		}
	}
	each(MethodNeighbours)
	out = append(out, method{name: MethodMajority}, method{name: MethodPrior}, method{name: MethodUniform})
	each(MethodRandom)
	each(MethodTimeOfDay)
	return out
}

// grade is how one forecast did. Confidence is NaN for means over many forecasts.
type grade struct {
	logLoss, brier, accuracy, top2 float64
	precision                      float64 // share of neighbours that went the way of the query
	confidence                     float64 // largest probability
	score                          float64 // expected
}

// logFloor is the least probability that log loss sees (spec 10 §5).
const logFloor = 1e-6

// asked is one query of the evaluation.
type asked struct {
	t         *training
	o         *EvaluateOptions
	bandwidth []float64 // for each k
	y         int       // class of its outcome
	point     []float32
	rng       *rand.Rand
}

// judge grades probabilities. Ties go to the class with the larger share in
// training, then to the first.
func (q *asked) judge(p []float64) grade {
	order := make([]int, len(p))
	for c := range order {
		order[c] = c
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(p[b], p[a]), cmp.Compare(q.t.prior[b], q.t.prior[a]))
	})
	g := grade{logLoss: -math.Log(min(max(p[q.y], logFloor), 1)), confidence: p[order[0]], precision: math.NaN(), score: math.NaN()}
	for c, x := range p {
		if c == q.y {
			x--
		}
		g.brier += x * x
	}
	if order[0] == q.y {
		g.accuracy, g.top2 = 1, 1
	} else if len(order) > 1 && order[1] == q.y {
		g.top2 = 1
	}
	return g
}

// grade grades the forecast of neighbours, for the k at position i.
func (q *asked) grade(hits []Hit, i int) grade {
	f := q.t.foretell(hits, weights(hits, q.bandwidth[i]), q.o.Alpha)
	g := q.judge(f.p)
	same := 0
	for _, h := range hits {
		if way(q.t.classes[q.t.class[h.Row]]) == way(q.t.classes[q.y]) {
			same++
		}
	}
	g.precision, g.score = float64(same)/float64(len(hits)), f.score
	return g
}

// way is the direction of a class: BREAK, BOUNCE or CHOP (spec 10 §4).
func way(class string) string {
	switch {
	case strings.HasSuffix(class, "BREAK"):
		return "BREAK"
	case strings.HasSuffix(class, "BOUNCE"), class == "REJECT":
		return "BOUNCE"
	}
	return class
}

// majority forecasts the most frequent class for certain.
func (q *asked) majority() grade {
	p := make([]float64, len(q.t.prior))
	p[slices.Index(q.t.prior, slices.Max(q.t.prior))] = 1
	return q.shares(p)
}

// prior forecasts the shares of the training set.
func (q *asked) prior() grade { return q.shares(q.t.prior) }

func (q *asked) uniform() grade {
	p := make([]float64, len(q.t.prior))
	for c := range p {
		p[c] = 1 / float64(len(p))
	}
	return q.shares(p)
}

// shares grades a forecast without neighbours as if it had some, whose classes
// have these shares and the mean scores of the training set: their expected
// precision and score. For the base rates, the precision averaged over queries
// is the baseline Σ share_test·share_train of spec 10 §5.
func (q *asked) shares(p []float64) grade {
	g := q.judge(p)
	g.precision, g.score = 0, 0
	for c, share := range p {
		g.score += share * q.t.scores[c]
		if way(q.t.classes[c]) == way(q.t.classes[q.y]) {
			g.precision += share
		}
	}
	return g
}

// random grades the forecast of random rows of pool, which takes the place of the
// nearest and obeys the same rules, for every k: means over many draws. It also
// returns the mean distance of those drawn for the headline. The order of pool changes.
func (q *asked) random(pool []int) ([]grade, float64) {
	distances := map[int]float64{}
	sums := make([]grade, len(q.o.Ks))
	sum, n := 0.0, 0
	for range q.o.Draws {
		hits := q.draw(pool, distances)
		for i, k := range q.o.Ks {
			part := hits[:min(k, len(hits))]
			sums[i].add(q.grade(part, i))
			if k == q.o.Headline {
				for _, h := range part {
					sum += h.Distance
				}
				n += len(part)
			}
		}
	}
	for i := range sums {
		sums[i].divide(float64(q.o.Draws))
		sums[i].confidence = math.NaN() // calibration is of single forecasts
	}
	return sums, sum / float64(n)
}

func (g *grade) fields() []*float64 {
	return []*float64{&g.logLoss, &g.brier, &g.accuracy, &g.top2, &g.precision, &g.confidence, &g.score}
}

func (g *grade) add(o grade) {
	from := o.fields()
	for i, f := range g.fields() {
		*f += *from[i]
	}
}

func (g *grade) divide(n float64) {
	for _, f := range g.fields() {
		*f /= n
	}
}

// draw takes the most neighbours at random, without replacement, in random
// order: the first k of them are a draw of k.
func (q *asked) draw(pool []int, distances map[int]float64) []Hit {
	most := q.o.Ks[len(q.o.Ks)-1]
	hits := make([]Hit, 0, most)
	for i := range pool {
		j := i + q.rng.IntN(len(pool)-i)
		pool[i], pool[j] = pool[j], pool[i]
		r := pool[i]
		if !q.admits(hits, r) {
			continue
		}
		d, ok := distances[r]
		if !ok {
			d = Distance(q.t.flat.row(r), q.point)
			distances[r] = d
		}
		if hits = append(hits, Hit{r, d}); len(hits) == most {
			break
		}
	}
	return hits
}

// admits applies the rules of neighbours to one more row.
func (q *asked) admits(hits []Hit, row int) bool {
	sameDay := 0
	for _, h := range hits {
		if q.t.day[h.Row] == q.t.day[row] {
			sameDay++
			if q.t.chain[h.Row] == q.t.chain[row] {
				return false
			}
		}
	}
	return sameDay < q.o.MaxPerDay
}

// sameTimeMinutes is how near in the time of day a row must be to match.
const sameTimeMinutes = 30

// sameTime returns the rows that trigger within half an hour of a time of day,
// or the least nearest in time if those are fewer.
func sameTime(at int, clock []int, least int) []int {
	rows := make([]int, len(clock))
	for r := range rows {
		rows[r] = r
	}
	apart := func(r int) int { return max(clock[r]-at, at-clock[r]) }
	slices.SortStableFunc(rows, func(a, b int) int { return cmp.Compare(apart(a), apart(b)) })
	n := 0
	for n < len(rows) && (n < least || apart(rows[n]) <= sameTimeMinutes) {
		n++
	}
	return rows[:n]
}
