package synthetic

// The path is the price of the front contract for every second of the UTC day,
// planned before any event: how many events a day has does not change it.

const (
	secondsPerDay = 86_400
	fine          = 256 // units of the path in one tick

	preMarketStart    = 5 * 3600 // seconds of the New York day
	openingStart      = 9*3600 + 1800
	openingRangeEnd   = openingStart + 900
	levelPlayEnd      = 13*3600 + 1800
	levelSwing        = 400 // ticks around the middle, from week to week
	middleTicks       = 24_000
	maxDeviationTicks = 900
)

// baseTicks is the level of the market on a day: weekly marks, and straight lines
// between them. It depends on the seed and the day alone.
func baseTicks(cfg Config, dayNumber int64) int {
	week, left := dayNumber/7, int(dayNumber%7)
	mark := func(w int64) int { return newRandom(cfg, streamLevel, w).between(-levelSwing, levelSwing) }
	return middleTicks + (mark(week)*(7-left)+mark(week+1)*left)/7
}

// planner walks through a day second by second.
type planner struct {
	rng        random
	out        []int32 // in fine units, relative to base; one for each second so far
	price      int
	midnight   int // of New York, in seconds of the UTC day
	approaches []approach
}

// approach is the time in which the price comes up to a level and stays there,
// and what it does then. The times of a day ascend and do not overlap.
type approach struct {
	from, to int // seconds of the UTC day: [from,to)
	side     int // of the move that follows: +1 up, -1 down, 0 none
}

// planPath returns the day's path in fine units above or below its base, and
// the approaches to a level on it.
func planPath(rng random, midnight int) ([]int32, []approach) {
	p := &planner{rng: rng, out: make([]int32, 0, secondsPerDay), midnight: midnight, price: rng.between(-8, 8) * fine}
	p.wander(midnight+preMarketStart, 50)
	p.preMarket()
	pmLow, pmHigh := p.extremes(preMarketStart, openingStart)
	p.openingRange()
	orLow, orHigh := p.extremes(openingStart, openingRangeEnd)
	levels := [4]int{pmHigh, pmLow, orHigh, orLow}
	for len(p.out) < midnight+levelPlayEnd {
		p.playLevel(levels[p.rng.below(len(levels))])
	}
	p.wander(secondsPerDay, 120)
	return p.out, p.approaches
}

// step moves one second towards aim, due in left seconds, with noise.
func (p *planner) step(aim, left, noise int) {
	if len(p.out) == secondsPerDay {
		return
	}
	p.price += (aim-p.price)/max(left, 1) + p.rng.between(-noise, noise)
	p.price = min(max(p.price, -maxDeviationTicks*fine), maxDeviationTicks*fine)
	p.out = append(p.out, int32(p.price))
}

// leg goes to aim within seconds. Now and then the price jumps on the way.
func (p *planner) leg(aim, seconds, noise int) {
	for left := seconds; left > 0; left-- {
		if p.rng.chance(12) {
			p.price += p.rng.sign() * p.rng.between(2, 5) * fine
		}
		p.step(aim, left, noise)
	}
}

// hold stays within a few ticks of aim.
func (p *planner) hold(aim, ticks, seconds int) {
	for left := seconds; left > 0; left -= 30 {
		target := aim + p.rng.between(-ticks*fine, ticks*fine)
		for i := range min(30, left) {
			p.step(target, 30-i, fine/4)
		}
	}
}

// wander lets the price drift back to the base until a second of the UTC day.
func (p *planner) wander(until, noise int) {
	for len(p.out) < until {
		p.step(0, 3600, noise)
	}
}

// preMarket goes to both ends of a range, in either order, and back inside.
func (p *planner) preMarket() {
	middle, side := p.price, p.rng.sign()
	until := p.midnight + openingStart
	for _, s := range []int{side, -side} {
		p.leg(middle+s*p.rng.between(25, 50)*fine, p.rng.between(2400, 3600), 100)
		p.leg(middle+p.rng.between(-15, 15)*fine, p.rng.between(1200, 2400), 100)
	}
	if left := until - len(p.out); left > 0 {
		p.leg(middle+p.rng.between(-15, 15)*fine, left, 80)
	}
}

// openingRange swings within the first quarter of an hour.
func (p *planner) openingRange() {
	middle, side := p.price, p.rng.sign()
	p.leg(middle+side*p.rng.between(10, 20)*fine, 300, 120)
	p.leg(middle-side*p.rng.between(10, 20)*fine, 360, 120)
	p.leg(middle+p.rng.between(-8, 8)*fine, p.midnight+openingRangeEnd-len(p.out), 120)
}

// playLevel brings the price to a level and lets it break the level, turn back or
// stay. Spec 04 §3 asks for 8 ticks within 12 minutes, so a break or a turn goes
// further than that, and a stay lasts longer and remains closer.
func (p *planner) playLevel(level int) {
	from, side := len(p.out), 0
	dir := 1 // the way the level is approached
	if p.price > level {
		dir = -1
	}
	if away := dir * (level - p.price); away < 14*fine {
		p.leg(level-dir*p.rng.between(14, 20)*fine, p.rng.between(90, 180), 80)
	}
	travel := dir * (level - p.price) / fine
	p.leg(level+p.rng.between(-2, 2)*fine, min(60+4*travel, 480), 90)
	p.hold(level, 2, p.rng.between(90, 200))
	to := len(p.out)
	switch beyond := dir * p.rng.between(12, 22) * fine; p.rng.below(5) {
	case 0, 1:
		side = dir
		p.leg(level+beyond, p.rng.between(90, 260), 90)
		p.hold(level+beyond, 3, 60)
	case 2, 3:
		side = -dir
		p.leg(level-beyond, p.rng.between(90, 260), 90)
		p.hold(level-beyond, 3, 60)
	default:
		p.hold(level, 3, 900)
	}
	p.approaches = append(p.approaches, approach{from, to, side})
}

// extremes are the lowest and the highest price, in whole ticks, between two
// seconds of the New York day.
func (p *planner) extremes(from, to int) (lo, hi int) {
	window := p.out[p.midnight+from : p.midnight+to]
	lo, hi = int(window[0]), int(window[0])
	for _, v := range window {
		lo, hi = min(lo, int(v)), max(hi, int(v))
	}
	return floorDiv(lo, fine) * fine, floorDiv(hi, fine) * fine
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}
