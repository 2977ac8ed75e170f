package config

import (
	"fmt"
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"dag/engine/calendar"
)

// Strays returns the positions of the names that no assignment has, though but for
// their date they are such as the pattern matches: the day is no session, or it is
// spelt otherwise. What else lies among the files, such as a vendor's notes, is none.
func (p *FilePattern) Strays(names []string, assigned []Assignment, keys map[string]string, dateKey string) ([]int, error) {
	rest := unmatched(len(names), assigned)
	if len(rest) == 0 {
		return nil, nil
	}
	strays := rest[:0]
	for _, i := range rest {
		like, err := p.Resembles(names[i], keys, dateKey)
		if err != nil {
			return nil, err
		}
		if like {
			strays = append(strays, i)
		}
	}
	return strays, nil
}

// unmatched returns the positions, of n names, that no assignment has.
func unmatched(n int, assignments []Assignment) []int {
	used := make([]bool, n)
	for _, a := range assignments {
		for _, i := range a.Files {
			used[i] = true
		}
	}
	var rest []int
	for i, u := range used {
		if !u {
			rest = append(rest, i)
		}
	}
	return rest
}

// Two dates without a common beginning or end.
const someDay, otherDay = "1986-03-17", "2025-01-02"

// Resembles tells whether a name matches the pattern whatever stands where the
// pattern has the date.
func (p *FilePattern) Resembles(name string, keys map[string]string, dateKey string) (bool, error) {
	some, err := p.on(someDay, keys, dateKey)
	if err != nil {
		return false, err
	}
	other, err := p.on(otherDay, keys, dateKey)
	if err != nil {
		return false, err
	}
	i, n := 0, min(len(some), len(other))
	for i < n && some[i] == other[i] {
		i++
	}
	j := 0
	for j < n-i && some[len(some)-1-j] == other[len(other)-1-j] {
		j++
	}
	glob := some
	if some != other {
		glob = some[:i] + "*" + some[len(some)-j:]
	}
	ok, err := doublestar.Match(glob, path.Base(name))
	return ok || err != nil, nil // without the date it may be no pattern
}

// Resembles tells whether a name that a listing of a source passed over looks like one
// of its files; series are the keys of the folder it lies in. An empty name is that of
// a folder, which may hold anything.
func (d *Dataset) Resembles(name string, series map[string]string) (bool, error) {
	if name == "" {
		return true, nil
	}
	date := ""
	if k := d.DateKey(); k != nil {
		date = k.Name
	}
	return d.Files.Resembles(name, series, date)
}

// on is the pattern on a day.
func (p *FilePattern) on(day string, keys map[string]string, dateKey string) (string, error) {
	values := map[string]string{}
	for k, v := range keys {
		values[k] = v
	}
	if dateKey != "" {
		values[dateKey] = day
	}
	return p.Glob(values)
}

// WhyStray says why a name belongs to no session.
func (p *FilePattern) WhyStray(name string, keys map[string]string, dateKey string, cal *calendar.Calendar) (string, error) {
	always := &calendar.Calendar{Name: cal.Name + ", every day", Weekdays: [7]bool{true, true, true, true, true, true, true}}
	assigned, err := p.Assign([]string{name}, keys, dateKey, always)
	if err != nil {
		return "", err
	}
	var days []string
	for _, a := range assigned {
		if cal.IsSession(a.Day) {
			return fmt.Sprintf("%s lies before the first or after the last day of calendar %q", a.Day, cal.Name), nil
		}
		days = append(days, a.Day.String())
	}
	if len(days) > 0 {
		return fmt.Sprintf("calendar %q has no session on %s", cal.Name, strings.Join(days, ", ")), nil
	}
	glob, err := p.on(otherDay, keys, dateKey)
	return fmt.Sprintf("its name holds no date as files has it, which on %s is %s", otherDay, glob), err
}

// Skips returns the files that feed days on both sides of a session which no file
// feeds: a name tells the ends of a span, and the file may hold what lies between.
// Each comes with the first such session.
func (p *FilePattern) Skips(assigned []Assignment, cal *calendar.Calendar) map[int]calendar.Day {
	first, held := map[int]calendar.Day{}, map[calendar.Day]bool{}
	out := map[int]calendar.Day{}
	for _, a := range assigned { // by day
		held[a.Day] = true
		for _, i := range a.Files {
			if _, known := first[i]; !known {
				first[i] = a.Day
			}
			for d := first[i]; d < a.Day; d++ {
				if _, known := out[i]; !known && !held[d] && cal.IsSession(d) {
					out[i] = d
				}
			}
		}
	}
	return out
}
