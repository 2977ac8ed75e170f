package levelapproach2m

import "math"

// analysis is one session seen from one level.
type analysis struct {
	settings
	price float64 // of the level
	day   *day
}

// The outcomes of a trigger.
const (
	outcomeBreak  = "BREAK"
	outcomeReject = "REJECT"
	outcomeChop   = "CHOP"
)

// trigger is one episode's candle and what came of it.
type trigger struct {
	at        int     // position among the day's candles
	direction float64 // +1: from below the level, -1: from above
	outcome   string  // empty where it is not known
	score     float64 // ticks; NaN where it is not known
}

// triggers walks the candles (spec 04 §2).
func (a *analysis) triggers() []trigger {
	var out []trigger
	dayDirection := -1.0
	if a.day.bars[0].micro < a.price {
		dayDirection = 1
	}
	last := -a.cooldown - 1
	for i := range a.day.candles {
		c := &a.day.candles[i]
		if i <= last+a.cooldown || c.start < a.opens || c.start >= a.closes {
			continue
		}
		if !a.touched(c) || !a.closesNear(c) {
			continue
		}
		t := trigger{at: i, direction: dayDirection}
		if a.corrected {
			if t.direction = a.directionBefore(c.first); t.direction == 0 {
				continue
			}
		}
		a.label(&t)
		out = append(out, t)
		last = i
	}
	return out
}

// directionBars is how many bars before a trigger candle say from which side
// the price comes.
const directionBars = 12

// directionBefore is the sign of the level minus the mean microprice of the
// bars before position first; 0 where there is none.
func (a *analysis) directionBefore(first int) float64 {
	sum, n := 0.0, 0
	for _, b := range a.day.bars[max(0, first-directionBars):first] {
		if !math.IsNaN(b.micro) {
			sum += b.micro
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sign(a.price - sum/float64(n))
}

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

func (a *analysis) inZone(b *bar) bool {
	return b.trades > 0 && math.Abs(b.lastPx-a.price) <= a.touch
}

func (a *analysis) touched(c *candle) bool {
	for i := c.first; i < c.end; i++ {
		if a.inZone(&a.day.bars[i]) {
			return true
		}
	}
	return false
}

func (a *analysis) closesNear(c *candle) bool { return math.Abs(c.close-a.price) <= a.near }

// distance is the oriented distance u in ticks: above 0 beyond the level.
func (a *analysis) distance(b *bar, direction float64) float64 {
	p := b.micro
	if b.trades > 0 {
		p = b.lastPx
	}
	return direction * (p - a.price) / a.tick
}

// label finds the outcome in the candles after the trigger (spec 04 §3). One
// undefined distance spoils the score in the reference; corrected, only a
// horizon of nothing else does.
func (a *analysis) label(t *trigger) {
	candles := a.day.candles
	end := min(t.at+a.horizon, len(candles)-1)
	if a.corrected && end-t.at < a.horizon {
		t.score = math.NaN()
		return
	}
	first, rest := candles[t.at].end, candles[end].end
	t.outcome, t.score = outcomeChop, 0
	top, bottom, missing := math.Inf(-1), math.Inf(1), 0
	for i := first; i < rest; i++ {
		u := a.distance(&a.day.bars[i], t.direction)
		if math.IsNaN(u) {
			missing++
			continue
		}
		top, bottom = max(top, u), min(bottom, u)
		if t.outcome == outcomeChop && u >= a.move {
			t.outcome = outcomeBreak
		} else if t.outcome == outcomeChop && u <= -a.move {
			t.outcome = outcomeReject
		}
	}
	switch t.outcome {
	case outcomeBreak:
		t.score = top
	case outcomeReject:
		t.score = bottom
	default:
		if a.corrected && missing > 0 && missing == rest-first {
			t.score = math.NaN() // nothing was seen
		}
		return
	}
	if missing > 0 && !a.corrected {
		t.score = math.NaN()
	}
}

// shown returns the candles [from,to) of a trigger's episode.
func (a *analysis) shown(t trigger) (from, to int) {
	return max(0, t.at-a.pre), min(t.at+a.horizon, len(a.day.candles)-1) + 1
}
