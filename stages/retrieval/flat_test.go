package retrieval

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// scanAll is the search as it is defined: every distance, sorted, rules applied
// from the nearest on.
func scanAll(f *Flat, q []float32, query, k int, rules Rules) []Hit {
	var all []Hit
	for r := range f.Rows() {
		if rules.Skip == nil || !rules.Skip(query, r) {
			all = append(all, Hit{r, Distance(f.row(r), q)})
		}
	}
	slices.SortFunc(all, compareHits)
	if rules.PerDay == 0 {
		return all[:min(k, len(all))]
	}
	var out []Hit
	days, chains := map[int32]int{}, map[string]bool{}
	for _, h := range all {
		day, chain := int32(0), ""
		if rules.Day != nil {
			day = rules.Day[h.Row]
		}
		if rules.Chain != nil {
			chain = fmt.Sprint(day, rules.Chain[h.Row])
		}
		if len(out) == k || days[day] == rules.PerDay || chains[chain] {
			continue
		}
		days[day]++
		if chain != "" {
			chains[chain] = true
		}
		out = append(out, h)
	}
	return out
}

// TestSearchIsExact compares with the definition, on vectors of which many are
// equal or nearly so, far from the origin, tiny, or large.
func TestSearchIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for trial := range 60 {
		dim, n, nq := 1+r.IntN(40), r.IntN(300), 1+r.IntN(70)
		scale := math.Pow(10, float64(r.IntN(5)-2))
		if trial%10 == 9 {
			scale = 1e-23 // products underflow
		}
		offset := float64(r.IntN(3)) * 100 * scale
		x := make([]float32, n*dim)
		for i := range x {
			x[i] = float32(offset + scale*math.Round(4*r.NormFloat64())/4)
		}
		f, err := NewFlat(dim, x)
		if err != nil {
			t.Fatal(err)
		}
		q := make([]float32, nq*dim)
		for i := range q {
			q[i] = float32(offset + scale*r.NormFloat64())
		}
		if n > 0 {
			copy(q, x[:dim])
		}
		rules := Rules{}
		if trial%2 == 1 {
			rules.PerDay = 1 + r.IntN(3)
			for i := range n {
				rules.Day = append(rules.Day, int32(i/5))
				rules.Chain = append(rules.Chain, int64(i/2))
			}
			rules.Skip = func(query, row int) bool { return row%7 == query%7 }
		}
		k := 1 + r.IntN(20)
		got, err := f.Search(q, k, rules)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if want := scanAll(f, q[i*dim:][:dim], i, k, rules); !slices.Equal(got[i], want) {
				t.Fatalf("trial %d, query %d of %d × %d, k %d:\ngot  %v\nwant %v", trial, i, n, dim, k, got[i], want)
			}
		}
	}
}

func TestFlatRefusesBadVectors(t *testing.T) {
	for _, x := range [][]float32{{1, 2, 3}, {1, float32(math.NaN())}, {float32(math.Inf(1)), 1}} {
		if _, err := NewFlat(2, x); err == nil {
			t.Errorf("%v is taken", x)
		}
	}
	f, err := NewFlat(2, []float32{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range [][]float32{{1}, {1, float32(math.NaN())}} {
		if _, err := f.Search(q, 1, Rules{}); err == nil {
			t.Errorf("the query %v is taken", q)
		}
	}
}

// benchFlat is the size that the comparison with FAISS names.
func benchFlat(b *testing.B, n, dim int) *Flat {
	r := rand.New(rand.NewPCG(1, 1))
	x := make([]float32, n*dim)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	f, err := NewFlat(dim, x)
	if err != nil {
		b.Fatal(err)
	}
	return f
}

func BenchmarkSearch(b *testing.B) {
	f := benchFlat(b, 100_000, 256)
	for _, nq := range []int{1, 64} {
		b.Run(fmt.Sprint("queries=", nq), func(b *testing.B) {
			q := slices.Clone(f.x[:nq*f.dim])
			for b.Loop() {
				if _, err := f.Search(q, 20, Rules{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
