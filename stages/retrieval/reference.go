package retrieval

import (
	"cmp"
	"math"
	"slices"

	"dag/stages/internal/setupindex"
)

// ReferenceQuery is a query as the reference system takes it (spec 10 §1): no
// bound on time, no direction, filters after a search for 2k.
type ReferenceQuery struct {
	Level            string
	Vector           []float64
	K                int
	MinDate, MaxDate string // inclusive; empty: none
	ExcludeChop      bool
}

// ReferenceAnswer is what the reference system says (spec 10 §2).
type ReferenceAnswer struct {
	Neighbours           []Neighbour // with similarity 1/(1+D)
	Classes              []string
	Weighted, Unweighted []float64 // by class
	ExpectedScore        float64
	MeanDistance         float64
	MeanSimilarity       float64
	RetrievalConfidence  float64
	OutcomeConfidence    float64
}

// AskReference answers a query with reference semantics. Distances are rounded
// to float32, as the library that the reference uses returns them.
func AskReference(x *Index, q ReferenceQuery) (*ReferenceAnswer, error) {
	if err := q.Check(x); err != nil {
		return nil, err
	}
	var episodes []Episode
	var raw []float64
	for _, g := range x.Groups {
		if g.Level != q.Level {
			continue
		}
		part, err := x.GroupVectors(&g)
		if err != nil {
			return nil, err
		}
		episodes, raw = append(episodes, x.Episodes[g.From:g.To]...), append(raw, part...)
	}
	return askReference(x.Classes, episodes, raw, int(x.Dimension), q)
}

// Check refuses a query that cannot be answered.
func (q *ReferenceQuery) Check(x *Index) error {
	if !slices.Contains(x.Levels(), q.Level) {
		return noLevel(x, q.Level)
	}
	// What the reference does not look at is filled in.
	known := Query{EpisodeID: "-", Level: q.Level, Direction: 1, Vector: q.Vector, AsOf: "-", K: q.K, MaxPerDay: 1}
	return known.Check(x)
}

// askReference searches the episodes of one level, whose vectors are raw.
func askReference(classes []string, episodes []Episode, raw []float64, d int, q ReferenceQuery) (*ReferenceAnswer, error) {
	order := make([]int, len(episodes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := &episodes[a], &episodes[b]
		return cmp.Or(cmp.Compare(x.Date, y.Date), cmp.Compare(x.Trigger, y.Trigger), cmp.Compare(x.EpisodeID, y.EpisodeID))
	})
	moments := setupindex.NewMoments(d)
	for _, i := range order {
		moments.Add(raw[i*d:][:d])
	}
	scale := moments.Scale()
	point, vector := make([]float32, d), make([]float32, d)
	scale.Apply(point, q.Vector)
	hits := make([]Hit, len(order))
	for row, i := range order {
		scale.Apply(vector, raw[i*d:][:d])
		hits[row] = Hit{row, float64(float32(Distance(point, vector)))}
	}
	slices.SortFunc(hits, compareHits)
	a := &ReferenceAnswer{Classes: classes}
	for _, h := range hits[:min(2*q.K, len(hits))] {
		e := episodes[order[h.Row]]
		if q.MinDate != "" && e.Date < q.MinDate || q.MaxDate != "" && e.Date > q.MaxDate || q.ExcludeChop && e.Outcome == chop {
			continue
		}
		if len(a.Neighbours) == q.K {
			break
		}
		a.Neighbours = append(a.Neighbours, Neighbour{e, h.Distance, 1 / (1 + h.Distance)})
	}
	a.fill()
	return a, nil
}

// fill computes the distribution of outcomes (spec 10 §2).
func (a *ReferenceAnswer) fill() {
	a.Weighted, a.Unweighted = make([]float64, len(a.Classes)), make([]float64, len(a.Classes))
	n := float64(len(a.Neighbours))
	if n == 0 {
		return
	}
	var total, score, distance float64
	for _, h := range a.Neighbours {
		c := slices.Index(a.Classes, h.Outcome)
		a.Weighted[c] += h.Similarity
		a.Unweighted[c]++
		total += h.Similarity
		score += h.Similarity * h.Score
		distance += h.Distance
	}
	for c := range a.Classes {
		a.Weighted[c] /= total + 1e-9
		a.Unweighted[c] /= n
	}
	a.ExpectedScore = score / (total + 1e-9)
	a.MeanDistance, a.MeanSimilarity = distance/n, total/n
	a.RetrievalConfidence = math.Min(1, 1.5*a.MeanSimilarity)
	a.OutcomeConfidence = slices.Max(a.Unweighted)
}
