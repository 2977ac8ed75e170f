package plan

import (
	"fmt"
	"maps"
	"math"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/graph"
	"dag/engine/manifest"
)

// seriesID finds a series of a source among the tables.
type seriesID struct{ table, series int }

// fileDays are a source's files by day, as positions; a file may feed several.
type fileDays map[calendar.Day][]int

// assignment is what becomes of a series of files.
type assignment struct {
	days   fileDays
	strays int // files that feed no day, though they look like it
}

// dayRange is a run of days, both inclusive.
type dayRange struct{ first, last calendar.Day }

func (r dayRange) has(d calendar.Day) bool { return r.first <= d && d <= r.last }

// ranges are, by calendar, the days from the first to the last of which there is
// something.
type ranges map[*calendar.Calendar]dayRange

func (s ranges) add(c *calendar.Calendar, d calendar.Day) {
	r, ok := s[c]
	if !ok {
		r = dayRange{d, d}
	}
	s[c] = dayRange{min(r.first, d), max(r.last, d)}
}

// FarYears is how far a dataset's folder may lie from all files of sources. Every
// series has a cell for each session, so that one stray folder of the year 9999 would
// cost gigabytes.
const FarYears = 30

const farDays = FarYears * 366

// number makes the session numbering of every calendar: from its first to its last
// day, or over all days that sources have files of and that datasets have folders of
// which do not lie far from those.
func (p *Plan) number(tables []*manifest.Table) (map[seriesID]assignment, error) {
	assigned, files, err := p.assignFiles(tables)
	if err != nil {
		return nil, err
	}
	all := maps.Clone(files)
	for i, t := range tables {
		def := p.Graph.Config.Datasets[i]
		if key := def.DateKey(); key != nil && !def.Source {
			near := nearby(key.Calendar, files)
			for j := range t.Series {
				p.seeFolders(def, &t.Series[j], near, all)
			}
		}
	}
	for _, c := range p.Graph.Config.Calendars {
		r, ok := all[c]
		if c.First != 0 {
			r.first = c.First
		}
		if c.Last != 0 {
			r.last = c.Last
		}
		if !ok {
			r = dayRange{1, 0}
		}
		p.sessions[c] = c.Sessions(r.first, r.last)
	}
	return assigned, nil
}

// assignFiles assigns the files of all sources to days.
func (p *Plan) assignFiles(tables []*manifest.Table) (map[seriesID]assignment, ranges, error) {
	assigned, files := map[seriesID]assignment{}, ranges{}
	for i, t := range tables {
		def := p.Graph.Config.Datasets[i]
		key := def.DateKey()
		if key == nil || !def.Source {
			continue
		}
		for j, s := range t.Series {
			a, err := assign(def, key, s)
			if err != nil {
				return nil, nil, fmt.Errorf("files of %s[%s]: %w", def.Addr, s.Keys, err)
			}
			for d := range a.days {
				files.add(key.Calendar, d)
			}
			assigned[seriesID{i, j}] = a
		}
	}
	return assigned, files, nil
}

// nearby are the days that do not lie far from the files of sources: all where there
// are no files, and all before a first and after a last day that the calendar sets,
// since those decide.
func nearby(c *calendar.Calendar, files ranges) dayRange {
	near := dayRange{math.MinInt32, math.MaxInt32}
	f, ok := files[c]
	if ok && c.First == 0 {
		near.first = f.first - farDays
	}
	if ok && c.Last == 0 {
		near.last = f.last + farDays
	}
	return near
}

// seeFolders adds the days of a series' folders that lie near, and notes the others.
func (p *Plan) seeFolders(def *graph.Dataset, s *manifest.Series, near dayRange, all ranges) {
	c := def.DateKey().Calendar
	if s.First <= s.Last && near.has(s.First) && near.has(s.Last) {
		all.add(c, s.First)
		all.add(c, s.Last)
		return
	}
	for i := range s.Parts {
		if d := s.Parts[i].Day; near.has(d) {
			all.add(c, d)
		} else {
			p.Far = append(p.Far, addr.Partition{Dataset: def.Addr, Keys: withDate(def, s.Keys, d)})
		}
	}
}

// assign asks the source's file pattern which day each file belongs to.
func assign(def *graph.Dataset, key *graph.Key, s manifest.Series) (a assignment, err error) {
	names := make([]string, len(s.Files))
	for i, f := range s.Files {
		names[i] = f.Name
	}
	values := map[string]string{}
	for _, kv := range s.Keys.Pairs() {
		values[kv.Key] = kv.Value
	}
	got, err := def.Files.Assign(names, values, key.Name, key.Calendar)
	if err != nil {
		return a, err
	}
	a.days = fileDays{}
	for _, g := range got {
		a.days[g.Day] = g.Files
	}
	strays, err := def.Files.Strays(names, got, values, key.Name)
	a.strays = len(strays)
	return a, err
}
