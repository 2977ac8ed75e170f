package lake

import (
	"fmt"
	"strings"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/contract"
)

// Key is one key of a dataset or source, in declared order.
type Key struct {
	Name string
	Date bool // its values are dates, YYYY-MM-DD
	// Check says why a value that addr.CheckValue accepts, and that is a date where
	// the key is one, cannot be one of this key; nil accepts them all.
	Check func(string) error
}

// Segment is one folder of a path: Prefix + value of Key + Suffix, or the
// literal Prefix where Key is empty.
type Segment struct {
	Prefix string
	Key    string
	Suffix string
}

// Layout says where a dataset or source lies and what its rows look like.
type Layout struct {
	Addr   addr.Dataset
	Source bool
	Keys   []Key // the identity of a partition, in declared order
	// Path from the lake root to a partition's folder, or to the folder that
	// holds a source's files. Every key of a dataset is in it.
	Path         []Segment
	Contract     *contract.Contract // nil for sources
	ContractPath string             // relative to contracts/, for messages
	Sort         []string           // columns the rows are sorted by, ascending
	// Tables that every partition holds beside its rows.
	Tables map[string]*contract.Contract
}

// table is a Layout with what listing needs worked out once.
type table struct {
	Layout
	date int // position of the date key in Keys; -1 without one
	last int // position of the last segment with a key in Path; -1 without one
}

func newTable(l Layout) (*table, error) {
	t := &table{Layout: l, date: -1, last: -1}
	inPath := map[string]bool{}
	for i, s := range l.Path {
		if s.Key == "" {
			if s.Prefix == "" || s.Prefix == "." || s.Prefix == ".." || strings.ContainsAny(s.Prefix, `/\`) {
				return nil, fmt.Errorf("%s: %q is not one folder name of its path", l.Addr, s.Prefix)
			}
			continue
		}
		t.last = i
		inPath[s.Key] = true
		if t.key(s.Key) < 0 {
			return nil, fmt.Errorf("%s: its path names the key %q, which it does not have", l.Addr, s.Key)
		}
	}
	for i, k := range l.Keys {
		if k.Date && t.date >= 0 {
			return nil, fmt.Errorf("%s: it has two date keys, %s and %s", l.Addr, l.Keys[t.date].Name, k.Name)
		}
		if k.Date {
			t.date = i
		}
		if !l.Source && !inPath[k.Name] {
			return nil, fmt.Errorf("%s: two of its partitions would share a folder, since its path does not hold the key %q", l.Addr, k.Name)
		}
	}
	if len(l.Path) == 0 {
		return nil, fmt.Errorf("%s: it has no path", l.Addr)
	}
	if !l.Source && l.Contract == nil {
		return nil, fmt.Errorf("%s: it has no contract", l.Addr)
	}
	return t, nil
}

// key returns the position of a key, or -1.
func (t *table) key(name string) int {
	for i := range t.Keys {
		if t.Keys[i].Name == name {
			return i
		}
	}
	return -1
}

// check says why v cannot be a value of key k.
func (t *table) check(k int, v string) error {
	if err := addr.CheckValue(v); err != nil {
		return fmt.Errorf("%s: key %s: %w", t.Addr, t.Keys[k].Name, err)
	}
	if t.Keys[k].Date {
		if _, err := calendar.ParseDay(v); err != nil {
			return fmt.Errorf("%s: key %s: %w", t.Addr, t.Keys[k].Name, err)
		}
	}
	if c := t.Keys[k].Check; c != nil {
		if err := c(v); err != nil { // it names the key
			return fmt.Errorf("%s: %w", t.Addr, err)
		}
	}
	return nil
}

// folder renders the path of a partition, relative to the lake root, and
// fails for keys that do not belong to the dataset or cannot be folder names.
func (t *table) folder(keys addr.Keys) (string, error) {
	pairs := keys.Pairs()
	if len(pairs) != len(t.Keys) {
		return "", fmt.Errorf("%s[%s]: it has the %d keys %s", t.Addr, keys, len(t.Keys), t.keyNames())
	}
	for i, kv := range pairs {
		if kv.Key != t.Keys[i].Name {
			return "", fmt.Errorf("%s[%s]: key %d is %q; its keys are %s", t.Addr, keys, i+1, kv.Key, t.keyNames())
		}
		if err := t.check(i, kv.Value); err != nil {
			return "", err
		}
	}
	return t.render(t.Path, keys), nil
}

// render joins segments with the values of keys, which have been checked.
func (t *table) render(segments []Segment, keys addr.Keys) string {
	parts := make([]string, len(segments))
	for i, s := range segments {
		v := ""
		if s.Key != "" {
			v, _ = keys.Get(s.Key)
		}
		parts[i] = s.Prefix + v + s.Suffix
	}
	return strings.Join(parts, "/")
}

func (t *table) keyNames() string {
	names := make([]string, len(t.Keys))
	for i, k := range t.Keys {
		names[i] = k.Name
	}
	return strings.Join(names, ", ")
}

// match returns the key's value in the name of a folder, and false for a
// folder that is something else.
func (t *table) match(s Segment, k int, name string) (string, bool) {
	if len(name) <= len(s.Prefix)+len(s.Suffix) || !strings.HasPrefix(name, s.Prefix) || !strings.HasSuffix(name, s.Suffix) {
		return "", false
	}
	v := name[len(s.Prefix) : len(name)-len(s.Suffix)]
	return v, t.check(k, v) == nil
}

// seriesKeys joins the values of all keys but the date; a source's keys that
// its path does not hold have no value and are left out.
func (t *table) seriesKeys(values []string) addr.Keys {
	kv := make([]addr.KeyValue, 0, len(values))
	for i, v := range values {
		if i != t.date && v != "" {
			kv = append(kv, addr.KeyValue{Key: t.Keys[i].Name, Value: v})
		}
	}
	return addr.MakeKeys(kv...)
}

// split parts the keys of a partition into those of its series and the day.
func (t *table) split(keys addr.Keys) (addr.Keys, calendar.Day) {
	values := make([]string, len(t.Keys))
	for i, k := range t.Keys {
		values[i], _ = keys.Get(k.Name)
	}
	return t.seriesKeys(values), t.day(keys)
}

// day is the value of the date key; 0 without one.
func (t *table) day(keys addr.Keys) calendar.Day {
	if t.date < 0 {
		return 0
	}
	v, _ := keys.Get(t.Keys[t.date].Name)
	d, err := calendar.ParseDay(v)
	if err != nil {
		return 0
	}
	return d
}

// seriesEnd is the number of segments before the one with the date key: file
// names of a source are relative to them.
func (t *table) seriesEnd() int {
	for i, s := range t.Path {
		if s.Key != "" && t.key(s.Key) == t.date {
			return i
		}
	}
	return len(t.Path)
}
