package graph

import (
	"fmt"
	"strings"
	"time"

	"dag/engine/calendar"
)

// days is an inclusive range of dates, or a glob over them.
type days struct {
	first, last calendar.Day
	glob        string
}

const (
	minDay calendar.Day = -1 << 30
	maxDay calendar.Day = 1 << 30
)

// parseDays reads a date, a month (2025-06), a year, a range of them: A..B, with
// either end left out for an open one, or a glob over dates: 2025-*-01.
func parseDays(s string) (days, error) {
	if isGlob(s) && validGlob(s) {
		return days{minDay, maxDay, s}, nil
	}
	from, to, isRange := strings.Cut(s, "..")
	if !isRange {
		return parsePeriod(s)
	}
	out := days{first: minDay, last: maxDay}
	if from != "" {
		d, err := parsePeriod(from)
		if err != nil {
			return days{}, err
		}
		out.first = d.first
	}
	if to != "" {
		d, err := parsePeriod(to)
		if err != nil {
			return days{}, err
		}
		out.last = d.last
	}
	if out.last < out.first {
		return days{}, fmt.Errorf("the range %s ends before it begins", s)
	}
	return out, nil
}

func parsePeriod(s string) (days, error) {
	for layout, next := range map[string]func(time.Time) time.Time{
		time.DateOnly: func(t time.Time) time.Time { return t.AddDate(0, 0, 1) },
		"2006-01":     func(t time.Time) time.Time { return t.AddDate(0, 1, 0) },
		"2006":        func(t time.Time) time.Time { return t.AddDate(1, 0, 0) },
	} {
		if len(s) != len(layout) {
			continue
		}
		if t, err := time.Parse(layout, s); err == nil {
			return days{first: dayOf(t), last: dayOf(next(t)) - 1}, nil
		}
	}
	return days{}, fmt.Errorf("%q is not a date; write YYYY-MM-DD, YYYY-MM, YYYY, a range A..B of them, or a pattern such as 2025-*-01", s)
}

func dayOf(t time.Time) calendar.Day { return calendar.Day(t.Unix() / 86_400) }

// sessions returns the sessions that are meant.
func (d days) sessions(s *calendar.Sessions) calendar.Set {
	iv := s.Between(d.first, d.last)
	span := calendar.Span(iv.Lo, iv.Hi)
	if d.glob == "" || d.glob == "*" {
		return span
	}
	var in []int
	span.Each(func(i int) {
		if glob(d.glob, s.Day(i).String()) {
			in = append(in, i)
		}
	})
	return calendar.FromSorted(in)
}
