package retrieval

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"dag/stages/internal/setupvector"
)

// Context reads off a vector at which level and from which side it is. A vector that
// does not say so is none of the index.
func Context(x *Index, vector []float64) (level string, direction int64, err error) {
	if err := checkVector(x, vector); err != nil {
		return "", 0, err
	}
	var said []string
	ones, others := 0, 0
	for j, name := range x.Features {
		l, ok := strings.CutPrefix(name, setupvector.LevelFeature)
		if !ok {
			continue
		}
		said = append(said, fmt.Sprintf("%v at %d (%s)", vector[j], j, name))
		switch vector[j] {
		case 0:
		case 1:
			ones++
			level = l
		default:
			others++
		}
	}
	if ones != 1 || others > 0 {
		return "", 0, fmt.Errorf("the vector is at no one level: it has %s, of which one has to be 1 and the others 0", strings.Join(said, ", "))
	}
	at := slices.Index(x.Features, setupvector.DirectionFeature)
	if d := vector[at]; d != 1 && d != -1 {
		return "", 0, fmt.Errorf("the vector comes from no side: it has %v at %d (%s), neither 1 (from below the level) nor -1 (from above)", d, at, x.Features[at])
	}
	return level, int64(vector[at]), nil
}

// checkVector refuses a vector that is not as long as those of the index, or not of
// numbers.
func checkVector(x *Index, vector []float64) error {
	if int64(len(vector)) != x.Dimension {
		return fmt.Errorf("the vector has %d values, and those of the index have %d", len(vector), x.Dimension)
	}
	for j, v := range vector {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("the vector has %v at %d (%s)", v, j, x.Features[j])
		}
	}
	return nil
}
