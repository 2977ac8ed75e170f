// Package calendar counts trading sessions. Dates are day numbers, sessions
// are positions in a calendar; everything is integer arithmetic, and no time
// zone is looked at.
package calendar

import (
	"fmt"
	"sort"
	"time"
)

// Day is a date as days since 1970-01-01.
type Day int32

const secondsPerDay = 86_400

// ParseDay reads YYYY-MM-DD, strictly.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a date; dates are written YYYY-MM-DD", s)
	}
	return Day(t.Unix() / secondsPerDay), nil
}

func (d Day) time() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

func (d Day) String() string {
	var b [len(time.DateOnly)]byte
	return string(d.Append(b[:0]))
}

// Append adds the date as text, YYYY-MM-DD. It is what planning does for every
// partition.
func (d Day) Append(b []byte) []byte {
	year, month, day := d.time().Date()
	if year < 0 || year > 9999 {
		return d.time().AppendFormat(b, time.DateOnly)
	}
	digits := func(v int) (byte, byte) { return byte('0' + v/10), byte('0' + v%10) }
	c, d2 := digits(year / 100)
	y, y2 := digits(year % 100)
	m, m2 := digits(int(month))
	n, n2 := digits(day)
	return append(b, c, d2, y, y2, '-', m, m2, '-', n, n2)
}

// Weekday of the date.
func (d Day) Weekday() time.Weekday { return time.Weekday(((int(d)+4)%7 + 7) % 7) }

// Calendar says which days are sessions. It has no beginning and no end of
// its own unless First and Last are set.
type Calendar struct {
	Name     string
	Timezone string // IANA name; for people and transforms
	Weekdays [7]bool
	Holidays map[Day]bool
	First    Day // zero: the oldest session for which a source has a file
	Last     Day // zero: the newest such session
}

// IsSession tells whether d is a trading day.
func (c *Calendar) IsSession(d Day) bool {
	return c.Weekdays[d.Weekday()] && !c.Holidays[d]
}

// Sessions numbers the sessions between two days, both inclusive: session i is
// the i-th of them. The numbering is what Sets and windows are made of.
func (c *Calendar) Sessions(first, last Day) *Sessions {
	s := &Sessions{first: first}
	if last < first {
		return s
	}
	s.index = make([]int32, int(last-first)+1)
	for d := first; d <= last; d++ {
		s.index[d-first] = -1
		if c.IsSession(d) {
			s.index[d-first] = int32(len(s.days))
			s.days = append(s.days, d)
		}
	}
	return s
}

// Sessions is a numbered run of sessions; immutable.
type Sessions struct {
	first Day
	days  []Day
	index []int32 // by day - first; -1 where the day is no session
}

// Len is the number of sessions.
func (s *Sessions) Len() int { return len(s.days) }

// Day returns session i.
func (s *Sessions) Day(i int) Day { return s.days[i] }

// Index returns the number of the session on d, and false if d is none.
func (s *Sessions) Index(d Day) (int, bool) {
	if o := int(d - s.first); o >= 0 && o < len(s.index) && s.index[o] >= 0 {
		return int(s.index[o]), true
	}
	return 0, false
}

// Between returns the numbers of the sessions from a to b, both inclusive, as
// the half-open interval [lo,hi).
func (s *Sessions) Between(a, b Day) Interval {
	lo := sort.Search(len(s.days), func(i int) bool { return s.days[i] >= a })
	hi := sort.Search(len(s.days), func(i int) bool { return s.days[i] > b })
	return Interval{lo, max(lo, hi)}
}
