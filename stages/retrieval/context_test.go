package retrieval_test

import (
	"strings"
	"testing"

	"dag/stages/internal/setupvector"
	"dag/stages/retrieval"
)

// TestContext reads off the vectors that the stage makes where they are, and refuses
// what is nowhere.
func TestContext(t *testing.T) {
	x := vectors{3, 16, noise}.index(t, 1)
	for _, level := range setupvector.Levels() {
		for _, direction := range []int64{1, -1} {
			w := setupvector.Window{Level: level, Direction: direction}
			v, err := w.Vector(true)
			if err != nil {
				t.Fatal(err)
			}
			l, d, err := retrieval.Context(x, v)
			if err != nil || l != level || d != direction {
				t.Errorf("%s %d: %s %d, %v", level, direction, l, d, err)
			}
			check := func(want string, at int, value float64) {
				old := v[at]
				v[at] = value
				if _, _, err := retrieval.Context(x, v); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%v at %d: %v, want %q", value, at, err, want)
				}
				v[at] = old
			}
			for at := 248; at < 252; at++ {
				check("the vector is at no one level: it has ", at, 0.5)
				check("the vector is at no one level: it has ", at, 1-v[at])
			}
			check("it has 0 at 252 (approach_direction)", 252, 0)
			check("it has 2 at 252 (approach_direction)", 252, 2)
		}
	}
	if _, _, err := retrieval.Context(x, make([]float64, 3)); err == nil || !strings.Contains(err.Error(), "the vector has 3 values") {
		t.Errorf("three values: %v", err)
	}
}
