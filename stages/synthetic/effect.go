package synthetic

// The effect is what a study of such a market should find. From when the price
// sets out for a level until it has stayed there for a while, the book leans to
// the side of the move that follows: to the bids when an approach from below will
// break the level or one from above will turn at it, else to the asks, and to
// neither before a longer stay. At its strongest the new orders of that side are
// mostWeight times as large as usual, and those of the other as much smaller.
// Without an effect no book knows what comes.

// mostWeight is what the strongest effect multiplies the orders of a side by.
const mostWeight = 9

// lean gives the orders that an instrument gets now the weights of the effect.
func (s *session) lean(in *instrument) {
	if s.effect == 0 {
		return
	}
	in.bid.weight, in.ask.weight = 0, 0
	if side := s.sideToCome(); side != 0 {
		gains, loses := in.sides(side)
		more := 10_000 + (mostWeight-1)*s.effect // ten-thousandths
		gains.weight, loses.weight = more/100, 1_000_000/more
	}
}

// sideToCome is the side of the move that the approach of this moment leads to:
// +1 up, -1 down, 0 none.
func (s *session) sideToCome() int {
	at := int(s.now / second)
	for len(s.coming) > 0 && s.coming[0].to <= at {
		s.coming = s.coming[1:]
	}
	if len(s.coming) == 0 || at < s.coming[0].from {
		return 0
	}
	return s.coming[0].side
}
