package config

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"dag/engine/calendar"
)

// FilePattern finds the files of a source's partitions.
type FilePattern struct {
	// Glob returns the pattern for a partition's key values; evaluated from
	// HCL. Safe for concurrent use.
	Glob func(values map[string]string) (string, error)
	// Keys are the keys that the pattern uses, sorted; only they matter to Glob.
	Keys []string

	tried sync.Map // what dayGlobs made
}

// Assignment is the files that belong to one day.
type Assignment struct {
	Day   calendar.Day
	Files []int // positions in the names given, ascending
}

// sampleDay stands for any date where a pattern is tried out.
const sampleDay = "2025-01-02"

// readFiles makes a FilePattern of the files argument of a source.
func (d declaration) readFiles(ds *Dataset) {
	e := d.expr("files")
	if e == nil {
		return
	}
	p := &FilePattern{Keys: keysIn(e)}
	sample := map[string]cty.Value{}
	for _, k := range ds.Keys {
		sample[k.Name] = cty.UnknownVal(cty.String)
		if k.Date {
			sample[k.Name] = cty.StringVal(sampleDay)
		}
	}
	s := d.scope.with("key", cty.ObjectVal(sample))
	if !d.checkNames(e, s) {
		return
	}
	v, problems := value(e, s.ctx)
	switch {
	case problems.HasErrors():
		d.eval(e, s) // reports it
		return
	case v.IsNull() || v.Type() != cty.String && v.Type() != cty.DynamicPseudoType:
		d.error(codeType, e.Range(), "files must be a string", "it is "+show(v), "")
		return
	case v.IsKnown():
		d.checkGlob(e, v.AsString())
	}
	if k := ds.DateKey(); k != nil && !slices.Contains(p.Keys, k.Name) && !slices.ContainsFunc(ds.Path, func(s Segment) bool { return s.Key == k.Name }) {
		d.error(codeFiles, e.Range(), fmt.Sprintf("neither path nor files of %s names its key %s", d.title, k.Name), "each file would belong to every session", fmt.Sprintf("put key.%s into files", k.Name))
	}
	p.Glob = globFunc(e, d.scope, p.Keys)
	ds.Files = p
}

func (d declaration) checkGlob(e hclsyntax.Expression, glob string) {
	switch {
	case glob == "" || !doublestar.ValidatePattern(glob):
		d.error(codeFiles, e.Range(), fmt.Sprintf("files of %s is not a glob pattern", d.title), fmt.Sprintf("on %s it is %q", sampleDay, glob), "")
	case strings.Contains(glob, "/"):
		d.error(codeFiles, e.Range(), fmt.Sprintf("files of %s names a folder", d.title), fmt.Sprintf("on %s it is %q", sampleDay, glob), "put folders into path; files matches names only")
	}
}

// globFunc evaluates e by the keys it uses, and remembers what HCL has evaluated.
func globFunc(e hclsyntax.Expression, s scope, keys []string) func(map[string]string) (string, error) {
	pieces, plain := piecesOf(e, s)
	var known sync.Map // of values joined to string
	return func(values map[string]string) (string, error) {
		if plain {
			if glob, ok := fill(pieces, values); ok && doublestar.ValidatePattern(glob) {
				return glob, nil
			}
		}
		joined := ""
		for _, k := range keys {
			v, ok := values[k]
			if !ok {
				return "", fmt.Errorf("files needs a value of key %s", k)
			}
			joined += v + "/"
		}
		if glob, ok := known.Load(joined); ok {
			return glob.(string), nil
		}
		vars := make(map[string]cty.Value, len(keys))
		for _, k := range keys {
			vars[k] = cty.StringVal(values[k])
		}
		v, ds := value(e, s.with("key", cty.ObjectVal(vars)).ctx)
		if ds.HasErrors() {
			return "", fmt.Errorf("files cannot be evaluated for %s: %s", strings.TrimSuffix(joined, "/"), flatten(ds[0].Detail))
		}
		if v.IsNull() || !v.IsKnown() || v.Type() != cty.String || !doublestar.ValidatePattern(v.AsString()) {
			return "", fmt.Errorf("files is no glob pattern for %s: %s", strings.TrimSuffix(joined, "/"), show(v))
		}
		known.Store(joined, v.AsString())
		return v.AsString(), nil
	}
}

// Assign tells which names belong to which sessions. keys are the values of
// the source's other keys; cal is the calendar of dateKey. Days without a file
// are left out; days ascend; a name may belong to several, or to none.
//
// Where the pattern does not use dateKey (or it is empty) there is a single
// Assignment: its Day is the value of dateKey in keys, or zero.
func (p *FilePattern) Assign(names []string, keys map[string]string, dateKey string, cal *calendar.Calendar) ([]Assignment, error) {
	if dateKey == "" || !slices.Contains(p.Keys, dateKey) {
		return p.assignAll(names, keys, dateKey)
	}
	values := make(map[string]string, len(keys)+1)
	for k, v := range keys {
		values[k] = v
	}
	tried, err := p.dayGlobs(names, values, dateKey, cal)
	if err != nil {
		return nil, err
	}
	found := make([][]int, len(tried.days))
	for i, name := range names {
		tried.match(path.Base(name), func(day int) {
			if n := len(found[day]); n == 0 || found[day][n-1] != i {
				found[day] = append(found[day], i)
			}
		})
	}
	var out []Assignment
	for i, files := range found {
		if files != nil {
			out = append(out, Assignment{tried.days[i], files})
		}
	}
	return out, nil
}

// dayGlobs are the globs of the days that are tried, by the longest text that a
// name must hold to match: a name is looked up by its parts, whatever the number
// of days.
type dayGlobs struct {
	days      []calendar.Day
	globs     []string
	byLiteral map[string][]int // positions in days
	lengths   []int            // of the literals
}

// dayGlobs evaluates the pattern for every day that names may be of. Series whose
// other keys the pattern does not use share what was made for the first of them.
func (p *FilePattern) dayGlobs(names []string, values map[string]string, dateKey string, cal *calendar.Calendar) (*dayGlobs, error) {
	first, last, years, err := p.candidates(names, values, dateKey, cal)
	if err != nil {
		return nil, err
	}
	id := fmt.Sprint(cal.Name, first, last, slices.Sorted(maps.Keys(years)))
	for _, k := range p.Keys {
		if k != dateKey {
			id += "/" + values[k]
		}
	}
	if known, ok := p.tried.Load(id); ok {
		return known.(*dayGlobs), nil
	}
	out := &dayGlobs{byLiteral: map[string][]int{}}
	for d := first; d <= last; d++ {
		if !cal.IsSession(d) {
			continue
		}
		text := d.String()
		if years != nil && !years[text[:4]] {
			d = lastOfYear(d)
			continue
		}
		values[dateKey] = text
		glob, err := p.Glob(values)
		if err != nil {
			return nil, err
		}
		out.add(d, glob)
	}
	p.tried.Store(id, out)
	return out, nil
}

func (g *dayGlobs) add(d calendar.Day, glob string) {
	literal := longestLiteral(glob)
	if !slices.Contains(g.lengths, len(literal)) {
		g.lengths = append(g.lengths, len(literal))
	}
	g.byLiteral[literal] = append(g.byLiteral[literal], len(g.days))
	g.days, g.globs = append(g.days, d), append(g.globs, glob)
}

// match calls f with the position of every day that a name belongs to, with some
// more than once.
func (g *dayGlobs) match(name string, f func(day int)) {
	for _, n := range g.lengths {
		for j := 0; j+n <= len(name); j++ {
			for _, day := range g.byLiteral[name[j:j+n]] {
				if ok, err := doublestar.Match(g.globs[day], name); ok && err == nil {
					f(day)
				}
			}
		}
	}
}

func (p *FilePattern) assignAll(names []string, keys map[string]string, dateKey string) ([]Assignment, error) {
	glob, err := p.Glob(keys)
	if err != nil {
		return nil, err
	}
	var day calendar.Day
	if v := keys[dateKey]; v != "" {
		if day, err = calendar.ParseDay(v); err != nil {
			return nil, err
		}
	}
	var files []int
	for i, name := range names {
		if ok, err := doublestar.Match(glob, path.Base(name)); ok && err == nil {
			files = append(files, i)
		}
	}
	if files == nil {
		return nil, nil
	}
	return []Assignment{{day, files}}, nil
}

// The days that are tried when neither calendar nor names bound them.
const firstYear, lastYear = 1990, 2060

// candidates bounds the days whose pattern is tried: the calendar's own
// bounds, and the years that stand in the names if the pattern spells years
// with four digits. years is nil where any year may be.
func (p *FilePattern) candidates(names []string, values map[string]string, dateKey string, cal *calendar.Calendar) (first, last calendar.Day, years map[string]bool, err error) {
	first, last = cal.First, cal.Last
	if first == 0 {
		first, _ = calendar.ParseDay(fmt.Sprintf("%d-01-01", firstYear))
	}
	if last == 0 {
		last, _ = calendar.ParseDay(fmt.Sprintf("%d-12-31", lastYear))
	}
	for _, sample := range []string{"2031-07-09", "2048-12-30"} {
		values[dateKey] = sample
		glob, err := p.Glob(values)
		if err != nil {
			return 0, 0, nil, err
		}
		if !strings.Contains(longestLiteral(glob), sample[:4]) {
			return first, last, nil, nil
		}
	}
	return first, last, yearsIn(names), nil
}

// lastOfYear is the 31 December of d's year.
func lastOfYear(d calendar.Day) calendar.Day {
	last, err := calendar.ParseDay(d.String()[:4] + "-12-31")
	if err != nil {
		return d // a year that is not written with four digits
	}
	return last
}

// yearsIn collects every run of four digits in names that can be a year.
func yearsIn(names []string) map[string]bool {
	years := map[string]bool{}
	for _, n := range names {
		for i := 0; i+4 <= len(n); i++ {
			if y := n[i : i+4]; y >= "1900" && y <= "2200" && !years[y] && strings.Trim(y, "0123456789") == "" {
				years[y] = true
			}
		}
	}
	return years
}

// longestLiteral is the longest text that every name matching glob holds.
func longestLiteral(glob string) string {
	best, run, depth := "", []byte(nil), 0
	for i := 0; i < len(glob); i++ {
		c := glob[i]
		switch {
		case c == '{':
			depth++
		case c == '}' && depth > 0:
			depth--
		case c == '[':
			for i++; i < len(glob) && glob[i] != ']'; i++ {
				if glob[i] == '\\' {
					i++
				}
			}
		case c == '*' || c == '?' || depth > 0:
			if c == '\\' {
				i++
			}
		default:
			if c == '\\' && i+1 < len(glob) {
				i++
			}
			if run = append(run, glob[i]); len(run) > len(best) {
				best = string(run)
			}
			continue
		}
		run = run[:0]
	}
	return best
}
