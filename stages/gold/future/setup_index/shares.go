package setupindex

import (
	"fmt"
	"math"
)

// enoughForShares is how many episodes make a share worth looking at (spec 10 §5
// tests no level with fewer). The outcomes of few days hang together: the interval
// alone refuses one of 20 fair markets of a week.
const enoughForShares = 50

// aboveShare counts the classes of levels whose share is above max_class_share,
// but not beyond doubt.
const aboveShare = "shares_above_max_class_share"

// checkShares counts the outcomes, and refuses a level that has nearly one alone
// beyond doubt: what a fair market does by chance is published.
func (g *gathering) checkShares(most float64) error {
	for _, class := range g.family.Classes {
		g.task.Count("outcome_"+class, 0)
	}
	rest := g.episodes
	for len(rest) > 0 {
		level, n := rest[0].Level, 0
		counts := map[string]int{}
		for n < len(rest) && rest[n].Level == level {
			counts[rest[n].Outcome]++
			n++
		}
		rest = rest[n:]
		for _, class := range g.family.Classes {
			k := counts[class]
			g.task.Count("outcome_"+class, int64(k))
			if float64(k) <= most*float64(n) {
				continue
			}
			if n >= enoughForShares && lowestShare(k, n) > most {
				return fmt.Errorf("%d of %d outcomes at %s are %s, beyond doubt more than the share of %v that max_class_share allows: such an index cannot tell one set-up from another; raise max_class_share if it is to be published all the same", k, n, level, class, most)
			}
			g.task.Count(aboveShare, 1)
		}
	}
	return nil
}

// z95 is exceeded by 5 % of a standard normal distribution.
const z95 = 1.6448536269514722

// lowestShare is the share that k of n hint at when chance has been as kind to k as
// it is in one of 20 cases: the lower end of Wilson's one-sided interval of 95 %.
func lowestShare(k, n int) float64 {
	p, m := float64(k)/float64(n), float64(n)
	const zz = z95 * z95
	return (p + zz/(2*m) - z95*math.Sqrt(p*(1-p)/m+zz/(4*m*m))) / (1 + zz/m)
}
