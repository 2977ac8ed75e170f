package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"dag/engine/addr"
	"dag/engine/config"
	"dag/engine/lake"
	"dag/engine/manifest"
)

// series is what the lake has of one series of partitions.
type series struct {
	values map[string]string // own and derived keys, without the date
	dates  []string
}

// maxOffered is how many dates are offered; of more, the months or years.
const maxOffered = 40

// grouped returns the values that begin with what is typed. Dates that are too
// many stand for themselves by month or year.
func grouped(values []string, typed string) []string {
	values = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return !strings.HasPrefix(v, typed) })
	for _, length := range []int{len("2025-08"), len("2025")} {
		if len(values) <= maxOffered || !slices.ContainsFunc(values, isDate) || len(typed) >= length {
			break
		}
		for i, v := range values {
			values[i] = v[:min(length, len(v))]
		}
		values = slices.Compact(values)
	}
	return values
}

// isDate tells a date, a month or a year by its look.
func isDate(v string) bool {
	return len(v) >= 4 && strings.Trim(v[:4], "0123456789") == "" && (len(v) == 4 || v[4] == '-')
}

// values lists what a key has in datasets, beside conditions on other keys. Where
// those datasets have nothing yet, every dataset is asked.
func (c *completer) values(datasets []*config.Dataset, key string, have map[string]string) []string {
	found := map[string]bool{}
	ask := func(datasets []*config.Dataset) {
		for _, d := range datasets {
			if !d.Has(key) {
				continue
			}
			date := d.DateKey()
			for _, s := range c.series(d) {
				switch v, ok := s.values[key]; {
				case !s.agrees(have):
				case ok:
					found[v] = true
				case date != nil && date.Name == key:
					for _, day := range s.dates {
						found[day] = true
					}
				}
			}
		}
	}
	if ask(datasets); len(found) == 0 {
		ask(c.project.config.Datasets)
	}
	return slices.Sorted(maps.Keys(found))
}

// agrees tells whether the series goes with conditions on its keys.
func (s series) agrees(have map[string]string) bool {
	for key, pattern := range have {
		if v, ok := s.values[key]; ok {
			if match, err := doublestar.Match(pattern, v); err != nil || !match {
				return false
			}
		}
	}
	return true
}

// opened returns the lake; nil if there is none.
func (c *completer) opened() *lake.Lake {
	if c.lake == nil {
		c.lake, _ = c.project.openLake(lake.Options{NoWrite: true})
	}
	return c.lake
}

// series lists what the lake has of a dataset. What cannot be read is left out.
func (c *completer) series(d *config.Dataset) []series {
	if list, ok := c.seen[d.Addr]; ok {
		return list
	}
	if c.seen == nil {
		c.seen = map[addr.Dataset][]series{}
	}
	var out []series
	if l := c.opened(); l != nil && !d.Unstored {
		if t, err := l.Table(c.ctx, d.Addr, nil); err == nil {
			for _, s := range t.Series {
				out = append(out, newSeries(d, s))
			}
		}
	}
	c.seen[d.Addr] = out
	return out
}

func newSeries(d *config.Dataset, s manifest.Series) series {
	own := map[string]string{}
	for _, kv := range s.Keys.Pairs() {
		own[kv.Key] = kv.Value
	}
	out := series{values: d.Values(own)}
	for i := range s.Parts {
		out.dates = append(out.dates, s.Parts[i].Day.String())
	}
	date := d.DateKey()
	if !d.Source || date == nil {
		return out
	}
	names := make([]string, len(s.Files))
	for i, f := range s.Files {
		names[i] = f.Name
	}
	days, err := d.Files.Assign(names, own, date.Name, date.Calendar)
	if err != nil {
		return out // a plan says what is wrong with the names
	}
	for _, day := range days {
		out.dates = append(out.dates, day.Day.String())
	}
	return out
}

func (c *completer) close() {
	if c.lake != nil {
		_ = c.lake.Close() // it was only read
	}
}

// symbol offers contracts and roots.
func (c *completer) symbol(string) []choice {
	var out []choice
	for _, key := range symbolKeys {
		for _, v := range c.values(nil, key, nil) {
			out = append(out, choice{text: v, about: key})
		}
	}
	return out
}

// date offers the dates of which the lake has something.
func (c *completer) date(typed string) []choice {
	var out []choice
	for _, v := range c.allDates(typed) {
		out = append(out, choice{text: v, open: len(v) < len("2025-08-04")})
	}
	return out
}

// dates offers a range of dates or a list of them.
func (c *completer) dates(typed string) []choice {
	i := strings.LastIndexAny(typed, ":,") + 1
	var out []choice
	for _, v := range c.allDates(typed[i:]) {
		out = append(out, choice{text: typed[:i] + v, open: true})
	}
	return out
}

// allDates lists the dates of sources; without any, those of datasets.
func (c *completer) allDates(typed string) []string {
	found := map[string]bool{}
	for _, source := range []bool{true, false} {
		for _, d := range c.project.config.Datasets {
			if d.Source != source {
				continue
			}
			for _, s := range c.series(d) {
				for _, day := range s.dates {
					found[day] = true
				}
			}
		}
		if len(found) > 0 {
			break
		}
	}
	return grouped(slices.Sorted(maps.Keys(found)), typed)
}

func (c *completer) layer(string) []choice {
	out := c.parts(func(d addr.Dataset) string { return d.Layer })
	return append(out, choice{text: "all"})
}

func (c *completer) product(string) []choice {
	return c.parts(func(d addr.Dataset) string { return d.Product })
}

func (c *completer) parts(part func(addr.Dataset) string) []choice {
	var out []choice
	for _, d := range c.project.config.Datasets {
		out = append(out, choice{text: part(d.Addr)})
	}
	return out
}

// lease offers the names of leases.
func (c *completer) lease(string) []choice {
	var out []choice
	if l := c.opened(); l != nil {
		leases, _ := l.Leases()
		for _, h := range leases {
			out = append(out, choice{text: h.Name})
		}
	}
	return out
}

// run offers the runs that are recorded, the newest first.
func (c *completer) run(string) []choice {
	var out []choice
	if l := c.opened(); l != nil {
		runs, _ := l.Runs()
		for _, r := range runs[:min(len(runs), remembered)] {
			ch := choice{text: r.ID}
			if _, doc, err := readRun(r); err == nil {
				ch.about = string(doc.State) + " · " + selectionText(doc.Selection)
			}
			out = append(out, ch)
		}
		if len(out) > 0 {
			out = append(out, choice{text: "last", about: "the newest run"})
		}
	}
	return out
}

func (c *completer) variable(string) []choice {
	var out []choice
	for _, v := range c.project.config.Variables {
		out = append(out, choice{text: v.Name + "=", about: headline(v.Description), open: true})
	}
	return out
}
