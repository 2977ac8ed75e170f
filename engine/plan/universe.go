package plan

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/graph"
	"dag/engine/manifest"
)

// dataset is a dataset or source with everything known of its partitions.
type dataset struct {
	def      *graph.Dataset
	dateKey  string             // "" without a date key
	sessions *calendar.Sessions // of the date key's calendar; nil without one
	series   []*series          // ascending by keys
	byKeys   map[addr.Keys]*series
}

// series is the partitions of a dataset that differ only in their session.
type series struct {
	of     *dataset
	keys   addr.Keys         // without the date
	values map[string]string // own and derived keys, without the date
	// present are the sessions whose partition has data now or is to be made.
	present calendar.Set
	cells   []cell // by session; one cell in a dataset without dates
	files   []manifest.SourceFile
	// byDay lists, for a source, the positions in files of each session.
	byDay map[int][]int
	// readers are the unit series that read this one.
	readers []*unitSeries
	// producer makes the partitions of a dataset that is not stored, inside the
	// units that read them; nil for all others.
	producer *unitSeries
}

// cell is one partition.
type cell struct {
	trace   *manifest.Trace // nil: no folder
	maker   int32           // 1 + ID of the item that makes it; 0: none
	pending pending
	failed  bool // the unit that makes it failed when it last ran; told of what is pending
}

// pending says what is to become of a partition.
type pending uint8

const (
	settled pending = iota
	mayChange
	willChange
)

func (d *dataset) width() int {
	if d.sessions == nil {
		return 1
	}
	return d.sessions.Len()
}

// add returns the series of keys, making it if need be.
func (d *dataset) add(keys addr.Keys) *series {
	if s := d.byKeys[keys]; s != nil {
		return s
	}
	s := &series{of: d, keys: keys, values: valuesOf(d.def, keys), cells: make([]cell, d.width())}
	d.byKeys[keys] = s
	i, _ := slices.BinarySearchFunc(d.series, keys, func(s *series, k addr.Keys) int {
		if s.keys < k {
			return -1
		}
		return 1
	})
	d.series = slices.Insert(d.series, i, s)
	return s
}

// partition names the partition of a session.
func (s *series) partition(session int) addr.Partition {
	return addr.Partition{Dataset: s.of.def.Addr, Keys: s.of.fullKeys(s.keys, session)}
}

// fullKeys puts the date where the dataset declares it.
func (d *dataset) fullKeys(keys addr.Keys, session int) addr.Keys {
	if d.dateKey == "" {
		return keys
	}
	return withDate(d.def, keys, d.sessions.Day(session))
}

// withDate puts a date where the dataset declares its date key.
func withDate(def *graph.Dataset, keys addr.Keys, day calendar.Day) addr.Keys {
	at := 0
	for !def.Keys[at].Date {
		at++
	}
	return keys.Insert(at, addr.KeyValue{Key: def.Keys[at].Name, Value: day.String()})
}

// split takes the date off a partition's keys.
func (d *dataset) split(keys addr.Keys) (series addr.Keys, session int, err error) {
	return splitDate(keys, d.dateKey, d.sessions)
}

// splitDate takes the date off the keys of a partition or a unit.
func splitDate(keys addr.Keys, date string, sessions *calendar.Sessions) (series addr.Keys, session int, err error) {
	var rest []addr.KeyValue
	for _, kv := range keys.Pairs() {
		if kv.Key != date {
			rest = append(rest, kv)
			continue
		}
		day, err := calendar.ParseDay(kv.Value)
		if err != nil {
			return "", 0, err
		}
		i, ok := sessions.Index(day)
		if !ok {
			return "", 0, fmt.Errorf("%s is no session that the lake has anything of", kv.Value)
		}
		session = i
	}
	return addr.MakeKeys(rest...), session, nil
}

// load reads the traces of all datasets, as far as they are needed, decides which
// sessions there are, and lays the traces out by session.
func (p *Plan) load(ctx context.Context) error {
	tables := make([]*manifest.Table, len(p.Graph.Config.Datasets))
	wants := make([]manifest.Want, len(tables))
	for i, def := range p.Graph.Config.Datasets {
		if def.Unstored { // what may lie there is of an earlier day, and nobody's
			tables[i] = &manifest.Table{Dataset: def.Addr}
			continue
		}
		wants[i] = p.needs.want(p, def)
		t, err := p.lake.Table(ctx, def.Addr, wants[i])
		if err != nil {
			return fmt.Errorf("reading the partitions of %s: %w", def.Addr, err)
		}
		tables[i] = t
	}
	assigned, err := p.number(tables)
	if err != nil {
		return err
	}
	for i, def := range p.Graph.Config.Datasets {
		d := &dataset{def: def, byKeys: map[addr.Keys]*series{}}
		if k := def.DateKey(); k != nil {
			d.dateKey, d.sessions = k.Name, p.sessions[k.Calendar]
		}
		p.datasets[def.Addr] = d
		for j := range tables[i].Series {
			a := assigned[seriesID{i, j}]
			d.fill(&tables[i].Series[j], a.days, wants[i])
			if wants[i] == nil || wants[i](tables[i].Series[j].Keys) != nil {
				p.Unused += a.strays
			}
		}
		if err := p.countPassed(def, tables[i], wants[i]); err != nil {
			return err
		}
	}
	return nil
}

// countPassed adds what was passed over of a source and looks like one of its files;
// of folders, where all of them were asked for.
func (p *Plan) countPassed(def *graph.Dataset, t *manifest.Table, want manifest.Want) error {
	for _, x := range t.Passed {
		if x.Name == "" && want != nil {
			continue
		}
		like, err := def.Resembles(x.Name, valuesOf(def, x.Series))
		if err != nil {
			return err
		}
		if like {
			p.Unused++
		}
	}
	return nil
}

// fill lays one table's series out by session.
func (d *dataset) fill(t *manifest.Series, days fileDays, want manifest.Want) {
	s := d.add(t.Keys)
	s.files = t.Files
	var present []int
	for i := range t.Parts {
		session := 0
		if d.sessions != nil {
			var ok bool
			if session, ok = d.sessions.Index(t.Parts[i].Day); !ok {
				continue
			}
		}
		s.cells[session].trace = &t.Parts[i]
		if t.Parts[i].State.HasData() {
			present = append(present, session)
		}
	}
	if d.def.Source {
		if want != nil {
			wanted := want(t.Keys)
			maps.DeleteFunc(days, func(day calendar.Day, _ []int) bool { return wanted == nil || !wanted(day) })
		}
		present = d.fillFiles(s, days)
	}
	s.present = calendar.FromSorted(present)
}

// fillFiles notes which files feed which session of a source.
func (d *dataset) fillFiles(s *series, days fileDays) []int {
	s.byDay = map[int][]int{}
	if d.sessions == nil {
		if len(s.files) == 0 {
			return nil
		}
		for i := range s.files {
			s.byDay[0] = append(s.byDay[0], i)
		}
		return []int{0}
	}
	for day, files := range days {
		if i, ok := d.sessions.Index(day); ok {
			s.byDay[i] = files
		}
	}
	return slices.Sorted(maps.Keys(s.byDay))
}
