package plan

import (
	"maps"
	"slices"
	"strings"

	"dag/engine/addr"
	"dag/engine/graph"
)

// project reduces series to the distinct values of keys they have.
func (st *stageState) project(all []*series, keys []*graph.Key) []map[string]string {
	var out []map[string]string
	seen := map[string]bool{}
	for _, s := range all {
		row, id := map[string]string{}, ""
		for _, k := range keys {
			if v, ok := s.values[k.Name]; ok {
				row[k.Name] = v
				id += k.Name + "=" + v + ","
			}
		}
		if !seen[id] {
			seen[id] = true
			out = append(out, row)
		}
	}
	return out
}

// join is the natural join of two relations, each of whose rows have the same
// columns.
func join(a, b []map[string]string) []map[string]string {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	var shared []string
	for k := range a[0] {
		if _, ok := b[0][k]; ok {
			shared = append(shared, k)
		}
	}
	id := func(row map[string]string) string {
		var id strings.Builder
		for _, k := range shared {
			id.WriteString(row[k])
			id.WriteByte(',')
		}
		return id.String()
	}
	index := make(map[string][]map[string]string, len(b))
	for _, y := range b {
		index[id(y)] = append(index[id(y)], y)
	}
	var out []map[string]string
	for _, x := range a {
		for _, y := range index[id(x)] {
			if row, ok := merge(x, y); ok {
				out = append(out, row)
			}
		}
	}
	return out
}

func merge(x, y map[string]string) (map[string]string, bool) {
	row := make(map[string]string, len(x)+len(y))
	for k, v := range x {
		row[k] = v
	}
	for k, v := range y {
		if old, ok := row[k]; ok && old != v {
			return nil, false
		}
		row[k] = v
	}
	return row, true
}

// matchInputs finds, for each input, the series that go with a unit's values.
func (p *Plan) matchInputs(st *stageState, row map[string]string) [][]*series {
	out := make([][]*series, len(st.def.Inputs))
	for i, in := range st.def.Inputs {
		d := p.datasets[in.From.Addr]
		if w := in.Window; w != nil && !w.Dates {
			out[i] = d.neighbours(row, w)
			continue
		}
		if s := d.exact(row); s != nil {
			out[i] = []*series{s}
			continue
		}
		for _, s := range d.series {
			if _, ok := merge(row, s.values); ok {
				out[i] = append(out[i], s)
			}
		}
	}
	return out
}

// neighbours returns the series that a window over values reads: those whose
// value of the key stands at Lo to Hi from the unit's own, among all that are
// seen beside the unit's other values. The unit's own counts as seen.
func (d *dataset) neighbours(row map[string]string, w *graph.Window) []*series {
	rest := maps.Clone(row)
	delete(rest, w.Key)
	var near []*series
	values := []string{row[w.Key]}
	for _, s := range d.series {
		if _, ok := merge(rest, s.values); ok {
			near, values = append(near, s), append(values, s.values[w.Key])
		}
	}
	slices.Sort(values)
	values = slices.Compact(values)
	at, _ := slices.BinarySearch(values, row[w.Key])
	values = values[min(max(at+w.Lo, 0), len(values)):min(max(at+w.Hi+1, 0), len(values))]
	return slices.DeleteFunc(near, func(s *series) bool { return !slices.Contains(values, s.values[w.Key]) })
}

// exact returns the one series whose own keys are all among the values.
func (d *dataset) exact(values map[string]string) *series {
	var kv []addr.KeyValue
	for _, k := range d.def.Keys {
		if k.Name == d.dateKey {
			continue
		}
		v, ok := values[k.Name]
		if !ok {
			return nil
		}
		kv = append(kv, addr.KeyValue{Key: k.Name, Value: v})
	}
	return d.byKeys[addr.MakeKeys(kv...)]
}
