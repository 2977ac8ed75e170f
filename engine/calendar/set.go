package calendar

// Interval is the half-open run of sessions [Lo,Hi).
type Interval struct{ Lo, Hi int }

// Set is a set of sessions as ordered, disjoint, non-touching intervals. A
// Set is a value: its operations return new ones and change nothing. The zero
// Set is empty.
type Set []Interval

// Span is the set of the sessions [lo,hi).
func Span(lo, hi int) Set {
	if hi <= lo {
		return nil
	}
	return Set{{lo, hi}}
}

// FromSorted makes a set of ascending session numbers; repeats are allowed.
func FromSorted(sessions []int) Set {
	var s Set
	for _, i := range sessions {
		s = s.extend(Interval{i, i + 1})
	}
	return s
}

// extend appends an interval that starts at or after the last one's start.
func (s Set) extend(iv Interval) Set {
	if n := len(s); n > 0 && iv.Lo <= s[n-1].Hi {
		s[n-1].Hi = max(s[n-1].Hi, iv.Hi)
		return s
	}
	return append(s, iv)
}

// Len is the number of sessions in the set.
func (s Set) Len() int {
	n := 0
	for _, iv := range s {
		n += iv.Hi - iv.Lo
	}
	return n
}

// Has tells whether session i is in the set.
func (s Set) Has(i int) bool {
	lo, hi := 0, len(s)
	for lo < hi {
		m := (lo + hi) / 2
		if s[m].Hi <= i {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo < len(s) && s[lo].Lo <= i
}

// Each calls f for every session in ascending order.
func (s Set) Each(f func(i int)) {
	for _, iv := range s {
		for i := iv.Lo; i < iv.Hi; i++ {
			f(i)
		}
	}
}

// Union returns the sessions of either set.
func (s Set) Union(o Set) Set {
	if len(s) == 0 {
		return o
	}
	if len(o) == 0 {
		return s
	}
	out := make(Set, 0, len(s)+len(o))
	i, j := 0, 0
	for i < len(s) || j < len(o) {
		if j == len(o) || i < len(s) && s[i].Lo <= o[j].Lo {
			out = out.extend(s[i])
			i++
		} else {
			out = out.extend(o[j])
			j++
		}
	}
	return out
}

// Intersect returns the sessions of both sets.
func (s Set) Intersect(o Set) Set {
	var out Set
	for i, j := 0, 0; i < len(s) && j < len(o); {
		if lo, hi := max(s[i].Lo, o[j].Lo), min(s[i].Hi, o[j].Hi); lo < hi {
			out = append(out, Interval{lo, hi})
		}
		if s[i].Hi < o[j].Hi {
			i++
		} else {
			j++
		}
	}
	return out
}

// Subtract returns the sessions of s that are not in o.
func (s Set) Subtract(o Set) Set {
	var out Set
	j := 0
	for _, iv := range s {
		lo := iv.Lo
		for j < len(o) && o[j].Hi <= lo {
			j++
		}
		for k := j; k < len(o) && o[k].Lo < iv.Hi; k++ {
			if o[k].Lo > lo {
				out = append(out, Interval{lo, o[k].Lo})
			}
			lo = max(lo, o[k].Hi)
		}
		if lo < iv.Hi {
			out = append(out, Interval{lo, iv.Hi})
		}
	}
	return out
}

// Window returns the sessions whose window [i+lo, i+hi] meets s: where the
// members of s are inputs, it is the set of the outputs that may read one of
// them. It is arithmetic on intervals, whatever the width of the window.
func (s Set) Window(lo, hi int) Set {
	var out Set
	for _, iv := range s {
		out = out.extend(Interval{iv.Lo - hi, iv.Hi - lo})
	}
	return out
}
