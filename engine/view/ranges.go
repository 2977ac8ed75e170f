package view

import (
	"strconv"
	"strings"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/graph"
)

// How many ranges of dates, and how many series, a line names.
const maxNamed = 3

// dates is a run of sessions, both ends inclusive.
type dates struct{ first, last calendar.Day }

// spans joins ascending days to runs of sessions with nothing between them.
func spans(days []calendar.Day, c *calendar.Calendar) []dates {
	var out []dates
	for _, d := range days {
		if n := len(out); n > 0 && out[n-1].last < d && adjacent(out[n-1].last, d, c) {
			out[n-1].last = d
			continue
		}
		out = append(out, dates{d, d})
	}
	return out
}

// adjacent tells whether no session lies between a and b.
func adjacent(a, b calendar.Day, c *calendar.Calendar) bool {
	for d := a + 1; d < b; d++ {
		if c.IsSession(d) {
			return false
		}
	}
	return true
}

// text writes 2025-08-15..08-25: the year is not repeated.
func (d dates) text() string {
	first, last := d.first.String(), d.last.String()
	if d.first == d.last {
		return first
	}
	if first[:5] == last[:5] {
		last = last[5:]
	}
	return first + ".." + last
}

// units compresses the keys of a stage's units: ESU5 · 2025-08-15..08-25.
// Series with the same dates share them; what does not fit is counted.
func units(keys []addr.Keys, date *graph.Key) string {
	series := map[string][]calendar.Day{}
	var names []string
	for _, k := range keys {
		name, day := splitUnit(k, date)
		if _, ok := series[name]; !ok {
			names = append(names, name)
			series[name] = nil
		}
		if day != nil {
			series[name] = append(series[name], *day)
		}
	}
	return joinSeries(names, series, date)
}

func splitUnit(k addr.Keys, date *graph.Key) (string, *calendar.Day) {
	var values []string
	var day *calendar.Day
	for _, kv := range k.Pairs() {
		if date != nil && kv.Key == date.Name {
			if d, err := calendar.ParseDay(kv.Value); err == nil {
				day = &d
				continue
			}
		}
		values = append(values, kv.Value)
	}
	return strings.Join(values, " "), day
}

// joinSeries names the series by their common dates, in order of appearance.
func joinSeries(names []string, series map[string][]calendar.Day, date *graph.Key) string {
	byDates := map[string][]string{}
	var order []string
	for _, n := range names {
		text := ""
		if date != nil {
			text = spansText(spans(series[n], date.Calendar))
		}
		if _, ok := byDates[text]; !ok {
			order = append(order, text)
		}
		byDates[text] = append(byDates[text], n)
	}
	var parts []string
	for i, text := range order {
		if i == maxNamed {
			parts = append(parts, "+"+strconv.Itoa(len(order)-i)+" more")
			break
		}
		var line []string
		for _, s := range []string{some(byDates[text]), text} {
			if s != "" {
				line = append(line, s)
			}
		}
		parts = append(parts, strings.Join(line, " · "))
	}
	return strings.Join(parts, "; ")
}

func spansText(list []dates) string {
	var texts []string
	for _, d := range list {
		texts = append(texts, d.text())
	}
	return some(texts)
}

// some joins the first few texts and counts the others.
func some(texts []string) string {
	if len(texts) > maxNamed+1 {
		return strings.Join(texts[:maxNamed], ", ") + ", +" + strconv.Itoa(len(texts)-maxNamed)
	}
	return strings.Join(texts, ", ")
}
