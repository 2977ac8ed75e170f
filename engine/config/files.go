package config

import (
	"fmt"
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

// globFunc evaluates e by the keys it uses and remembers what it has evaluated.
func globFunc(e hclsyntax.Expression, s scope, keys []string) func(map[string]string) (string, error) {
	var known sync.Map // of values joined to string
	return func(values map[string]string) (string, error) {
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
	first, last, years, err := p.candidates(names, values, dateKey, cal)
	if err != nil {
		return nil, err
	}
	index := nameIndex{names: names, byPart: map[int]map[string][]int{}}
	var out []Assignment
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
		if files := index.match(glob); files != nil {
			out = append(out, Assignment{d, files})
		}
	}
	return out, nil
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
	index := nameIndex{names: names, byPart: map[int]map[string][]int{}}
	if files := index.match(glob); files != nil {
		return []Assignment{{day, files}}, nil
	}
	return nil, nil
}

// Unmatched returns the positions, of n names, that no assignment has.
func Unmatched(n int, assignments []Assignment) []int {
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

// nameIndex finds the names that match a glob. It looks only at names that
// hold the glob's longest literal part, by an index of all parts of that length.
type nameIndex struct {
	names  []string
	byPart map[int]map[string][]int
}

// literals remembers longestLiteral: every series of a source tries the same globs.
var literals sync.Map

func (x *nameIndex) match(glob string) []int {
	var found []int
	literal, ok := literals.Load(glob)
	if !ok {
		literal, _ = literals.LoadOrStore(glob, longestLiteral(glob))
	}
	for _, i := range x.holding(literal.(string)) {
		if ok, err := doublestar.Match(glob, path.Base(x.names[i])); ok && err == nil {
			found = append(found, i)
		}
	}
	return found
}

// holding lists the names that hold a text, ascending.
func (x *nameIndex) holding(part string) []int {
	n := len(part)
	parts, ok := x.byPart[n]
	if !ok {
		parts = map[string][]int{}
		for i, name := range x.names {
			for j := 0; j+n <= len(name); j++ {
				list := parts[name[j:j+n]]
				if len(list) == 0 || list[len(list)-1] != i {
					parts[name[j:j+n]] = append(list, i)
				}
			}
		}
		x.byPart[n] = parts
	}
	return parts[part]
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
