package synthetic

import "dag/stages/internal/dbn"

// packet makes one packet of an instrument: what happened at the exchange at one
// moment, every record with the book after it.
func (s *session) packet(which int) {
	in := s.instruments[which]
	s.begin()
	s.lean(in)
	lag := s.target(which) - in.bid.bestTick()
	gap := in.ask.bestTick() - in.bid.bestTick()
	switch {
	case s.rng.chance(8):
		s.cross(in)
	case lag > 1 || lag < -1, lag != 0 && s.rng.chance(4000):
		s.move(in, lag)
	case gap > 1 && s.rng.chance(5000):
		s.narrow(in)
	case s.rng.chance(1200):
		s.hit(in)
	default:
		s.quote(in)
	}
	s.finish(dbn.MBP10Size)
}

// sides names the side that gains when the price moves in the direction of lag,
// and the other.
func (in *instrument) sides(lag int) (gains, loses *ladder) {
	if lag > 0 {
		return in.bid, in.ask
	}
	return in.ask, in.bid
}

// move takes the book up to three ticks towards the path, more when it is far.
func (s *session) move(in *instrument, lag int) {
	steps := min(max(lag, -lag), 3)
	if lag > 12 || lag < -12 {
		steps = 8
	}
	gains, loses := in.sides(lag)
	for range steps {
		if in.ask.bestTick()-in.bid.bestTick() == 1 {
			s.consume(in, loses)
		}
		s.place(in, gains, gains.best-1, s.rng.between(4, 40))
	}
}

// consume removes the best price of a side, by a trade or by its cancellation.
func (s *session) consume(in *instrument, l *ladder) {
	at := l.best
	size, orders := l.size[at], l.orders[at]
	if s.rng.below(2) == 0 {
		s.fill(in, l, at, size)
	}
	l.take(at, size, orders)
	s.emit(in, 'C', l, at, size, 0)
}

// fill says that n of the resting side at index was traded: the trade with the
// side of the aggressor, or none, then often the fill with that of the resting order.
// The book changes only with the record after these.
func (s *session) fill(in *instrument, l *ladder, at int, n uint32) {
	s.emit(in, 'T', l, at, n, 0)
	aggressor := byte('B' ^ 'A' ^ l.side)
	if s.rng.below(25) == 0 {
		aggressor = 'N'
	}
	const sideAt = 29
	s.buf[s.last+sideAt] = aggressor
	if s.rng.below(2) == 0 {
		s.emit(in, 'F', l, at, n, 0)
	}
}

// place adds an order at a price where there may be none yet; one in two hundred
// is a wall.
func (s *session) place(in *instrument, l *ladder, at, n int) {
	if s.rng.below(200) == 0 {
		n = s.rng.between(100, 400)
	}
	n = l.weigh(n)
	l.add(at, uint32(n))
	s.emit(in, 'A', l, at, uint32(n), 0)
}

// narrow adds an order inside a wide spread.
func (s *session) narrow(in *instrument) {
	l, _ := in.sides(s.rng.sign())
	s.place(in, l, l.best-1, s.rng.between(1, 12))
}

// hit trades a part of the best price of either side; what is left is a
// cancellation of the traded size, or a modification.
func (s *session) hit(in *instrument) {
	_, l := in.sides(s.rng.sign())
	at := l.best
	if l.size[at] < 2 {
		s.place(in, l, at, s.rng.between(1, 12))
		return
	}
	n := uint32(s.rng.between(1, int(min(l.size[at]-1, 20))))
	s.fill(in, l, at, n)
	l.take(at, n, 1+n/4)
	if s.rng.below(2) == 0 {
		s.emit(in, 'C', l, at, n, 0)
	} else {
		s.emit(in, 'M', l, at, l.size[at], 0)
	}
}

// quote adds, cancels or modifies resting orders, mostly near the touch. The more
// there is at a price, the more often it is taken away.
func (s *session) quote(in *instrument) {
	for range 1 + s.rng.below(4)/3 { // one, or two at the same moment
		l, _ := in.sides(s.rng.sign())
		level := min(s.rng.below(l.depth), s.rng.below(l.depth))
		at := l.top[level]
		size, orders := l.size[at], l.orders[at]
		switch n := s.rng.below(100); {
		case n < 12:
			s.modify(in, l, at)
		case uint32(n) < 88-min(size, 40):
			s.place(in, l, at, s.rng.between(1, 12))
		case orders > 1:
			n := uint32(s.rng.between(1, int(2*size/orders)))
			n = min(n, size-1)
			l.take(at, n, 1)
			s.emit(in, 'C', l, at, n, 0)
		case level > 2:
			l.take(at, size, orders)
			s.emit(in, 'C', l, at, size, 0)
		default:
			s.place(in, l, at, s.rng.between(1, 12))
		}
	}
}

// modify changes the size of one order.
func (s *session) modify(in *instrument, l *ladder, at int) {
	if n := uint32(s.rng.between(1, 6)); s.rng.below(2) == 0 || l.size[at] <= n+l.orders[at] {
		l.size[at] += n
	} else {
		l.size[at] -= n
	}
	s.emit(in, 'M', l, at, uint32(s.rng.between(1, 12)), 0)
}

// cross shows a locked or crossed book for one record: an order arrives at or
// beyond the other side's best price, and goes again.
func (s *session) cross(in *instrument) {
	gains, loses := in.sides(s.rng.sign())
	at := gains.index(loses.bestTick()) - s.rng.below(2)
	n := uint32(s.rng.between(1, 12))
	gains.add(at, n)
	s.emit(in, 'A', gains, at, n, 0)
	gains.take(at, n, 1)
	s.emit(in, 'C', gains, at, n, 0)
}

// rebuild clears a book and makes it anew from a snapshot.
func (s *session) rebuild(which int) {
	in := s.instruments[which]
	s.begin()
	for _, l := range []*ladder{in.bid, in.ask} {
		l.clear()
		in.show(l)
	}
	r := &in.rec
	r.Action, r.Side, r.Flags, r.Size, r.Price, r.Depth = 'R', 'N', 0, 0, dbn.UndefPrice, 0
	s.append(r)
	s.finish(dbn.MBP10Size)

	s.begin()
	best := s.target(which)
	for _, l := range []*ladder{in.bid, in.ask} {
		at := l.index(best)
		if l == in.ask {
			at = l.index(best + 1)
		}
		for placed := 0; placed < bookLevels; at++ {
			if placed > 0 && s.rng.below(12) == 0 {
				continue
			}
			l.reveal(at, s.rng)
			if l.size[at] == 0 {
				continue
			}
			l.best = min(l.best, at)
			s.emit(in, 'A', l, at, l.size[at], dbn.FlagSnapshot)
			placed++
		}
	}
	in.bid.open()
	in.ask.open()
	s.finish(dbn.MBP10Size)
}

func (s *session) rebuildAll() {
	for which := range s.instruments {
		s.rebuild(which)
	}
}
