package synthetic

import "time"

// activity is how a day's events spread: seconds of the New York day, and the
// share of the events that fall between. The trading break has none.
var activity = []struct{ from, to, weight int }{
	{-6 * 3600, 2 * 3600, 5},
	{2 * 3600, preMarketStart, 5},
	{preMarketStart, 8 * 3600, 9},
	{8 * 3600, openingStart, 11},
	{openingStart, openingRangeEnd, 8},
	{openingRangeEnd, 10*3600 + 1800, 14},
	{10*3600 + 1800, 12*3600 + 1800, 24},
	{12*3600 + 1800, levelPlayEnd, 8},
	{levelPlayEnd, 15 * 3600, 6},
	{15 * 3600, 16 * 3600, 6},
	{16 * 3600, breakStart, 1},
	{breakStart, breakEnd, 0},
	{breakEnd, 21 * 3600, 3},
}

const (
	breakStart = 17 * 3600
	breakEnd   = 18 * 3600
)

// stretch is a part of the day with a number of events.
type stretch struct {
	from, to int // seconds of the UTC day
	events   int
}

// stretches spreads events over the UTC day. A Friday ends with the break.
func stretches(events, midnight int, friday bool) []stretch {
	var out []stretch
	total := 0
	for _, a := range activity {
		s := stretch{max(a.from+midnight, 0), min(a.to+midnight, secondsPerDay), a.weight}
		if s.from < s.to && a.weight > 0 && (!friday || a.from < breakStart) {
			out, total = append(out, s), total+a.weight
		}
	}
	for i := range out {
		out[i].events = events * out[i].events / total
	}
	return out
}

// newYorkMidnight is where the New York day begins within the UTC day of the same
// date, in seconds: 4 hours in summer, else 5. Summer time lasts from the second
// Sunday of March to the first of November (since 2007); sessions are never on
// the Sunday of the change itself.
func newYorkMidnight(day time.Time) int {
	begin, end := nthWeekday(day.Year(), time.March, time.Sunday, 2), nthWeekday(day.Year(), time.November, time.Sunday, 1)
	if !day.Before(begin) && day.Before(end) {
		return 4 * 3600
	}
	return 5 * 3600
}

func nthWeekday(year int, month time.Month, weekday time.Weekday, n int) time.Time {
	first := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
	return first.AddDate(0, 0, (int(weekday)-int(first.Weekday())+7)%7+7*(n-1))
}

// contract is one quarterly month.
type contract struct {
	year  int
	month time.Month
}

// frontContract is the one that most trade on a day: the nearest whose third
// Friday is at least five days ahead, which is when most have moved to the next.
func frontContract(day time.Time) contract {
	c := contract{day.Year(), (day.Month() + 2) / 3 * 3}
	if day.AddDate(0, 0, 5).After(nthWeekday(c.year, c.month, time.Friday, 3)) {
		return c.next()
	}
	return c
}

func (c contract) next() contract {
	if c.month == time.December {
		return contract{c.year + 1, time.March}
	}
	return contract{c.year, c.month + 3}
}

// symbol is the root, the letter of the month and the last digit of the year.
func (c contract) symbol(root string) string {
	return root + string("HMUZ"[c.month/3-1]) + string(rune('0'+c.year%10))
}

// id is the same for a contract on every day.
func (c contract) id() uint32 { return uint32(c.year*12) + uint32(c.month) }
