package plan

import (
	"math"
	"slices"
	"strings"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/graph"
	"dag/engine/manifest"
)

// stageState is a stage with its units.
type stageState struct {
	plan     *Plan
	def      *graph.Stage
	keys     []*graph.Key // of a unit, without the date
	dateKey  *graph.Key   // nil when units have no date
	sessions *calendar.Sessions
	series   []*unitSeries
	byKeys   map[addr.Keys]*unitSeries
	parts    components
	static   manifest.Sum
	fanOuts  map[addr.Keys]manifest.FanOut // what is recorded, by unit; of fan-out stages
	fanOut   int                           // index of the fan-out output; -1: none
}

// unitSeries is the units of a stage that differ only in their session.
type unitSeries struct {
	stage  *stageState
	keys   addr.Keys
	values map[string]string // the stage's keys, without the date
	days   calendar.Set      // sessions for which there is a unit
	inputs [][]*series       // by input of the stage, ascending by keys
	// outputs by output of the stage; nil for the fan-out output, whose series
	// stand in fan.
	outputs []*series
	fan     map[int][]*series  // by session: the series it feeds, as far as known
	byValue map[string]*series // see fanOutSeries
	status  []status           // by session
}

// status is what was decided about a unit.
type status struct {
	action   Action // "" when it is fresh or there is none
	selected bool
	item     int32 // 1 + ID; 0: none
}

// unitKeys returns the full keys of a unit, the date last.
func (u *unitSeries) unitKeys(session int) addr.Keys {
	if u.stage.dateKey == nil {
		return u.keys
	}
	return u.keys.Insert(math.MaxInt, addr.KeyValue{Key: u.stage.dateKey.Name, Value: u.stage.sessions.Day(session).String()})
}

// expand finds the units of every stage, inputs before outputs, and with them
// the partitions that are to be.
func (p *Plan) expand() error {
	for _, def := range p.Graph.Stages {
		st, err := p.newStage(def)
		if err != nil {
			return err
		}
		p.stages = append(p.stages, st)
		p.joinSeries(st)
		for _, u := range st.series {
			p.extend(u)
		}
	}
	return nil
}

func (p *Plan) newStage(def *graph.Stage) (*stageState, error) {
	st := &stageState{plan: p, def: def, byKeys: map[addr.Keys]*unitSeries{}, fanOut: -1}
	for _, k := range def.UnitKeys() {
		if k.Date {
			st.dateKey, st.sessions = k, p.sessions[k.Calendar]
		} else {
			st.keys = append(st.keys, k)
		}
	}
	st.parts, st.static = staticParts(def)
	for i, o := range def.Outputs {
		if len(o.FanOut) > 0 {
			st.fanOut = i
		}
	}
	if st.fanOut < 0 {
		return st, nil
	}
	var err error
	if st.fanOuts, err = p.lake.FanOuts(def.Addr); st.fanOuts == nil {
		st.fanOuts = map[addr.Keys]manifest.FanOut{}
	}
	return st, err
}

// joinSeries finds the key values of the stage's units: the natural join of
// its inputs' series over the unit's keys. It may be called again after inputs
// have grown; it returns the series that are new.
func (p *Plan) joinSeries(st *stageState) []*unitSeries {
	rows := []map[string]string{{}}
	for i, in := range st.def.Inputs {
		rows = join(rows, st.project(p.datasets[in.From.Addr].series, st.bound(i)))
	}
	var added []*unitSeries
	for _, row := range rows {
		kv := make([]addr.KeyValue, len(st.keys))
		for i, k := range st.keys {
			kv[i] = addr.KeyValue{Key: k.Name, Value: row[k.Name]}
		}
		keys := addr.MakeKeys(kv...)
		u := st.byKeys[keys]
		if u == nil {
			u = &unitSeries{stage: st, keys: keys, values: row, fan: map[int][]*series{}, status: make([]status, st.width())}
			st.byKeys[keys] = u
			added = append(added, u)
		}
		u.read(p.matchInputs(st, row))
	}
	st.series = append(st.series, added...)
	slices.SortFunc(st.series, func(a, b *unitSeries) int { return strings.Compare(string(a.keys), string(b.keys)) })
	for _, u := range added {
		p.connectOutputs(u)
	}
	return added
}

// read sets the series a unit series reads, and tells them.
func (u *unitSeries) read(inputs [][]*series) {
	u.inputs = inputs
	for _, in := range inputs {
		for _, s := range in {
			if !slices.Contains(s.readers, u) {
				s.readers = append(s.readers, u)
			}
		}
	}
}

func (st *stageState) width() int {
	if st.sessions == nil {
		return 1
	}
	return st.sessions.Len()
}

// bound returns the unit's keys whose values an input decides. A window over
// values reads the neighbours of a value that another input has told, if one does.
func (st *stageState) bound(i int) []*graph.Key {
	w := st.def.Inputs[i].Window
	if w == nil || w.Dates {
		return st.keys
	}
	told := slices.ContainsFunc(st.def.Inputs, func(in graph.Input) bool {
		return in.From.Has(w.Key) && !slices.Contains(in.Collect, w.Key) && (in.Window == nil || in.Window.Key != w.Key)
	})
	if !told {
		return st.keys
	}
	return slices.DeleteFunc(slices.Clone(st.keys), func(k *graph.Key) bool { return k.Name == w.Key })
}

// connectOutputs finds or makes the series a unit series writes.
func (p *Plan) connectOutputs(u *unitSeries) {
	u.outputs = make([]*series, len(u.stage.def.Outputs))
	for i, o := range u.stage.def.Outputs {
		if i != u.stage.fanOut {
			if u.outputs[i] = p.outputSeries(u, o, nil); o.To.Unstored {
				u.outputs[i].producer = u
			}
		}
	}
}

// outputSeries returns the series of an output; values are those of its
// fan_out keys, in order: see checkFanOut.
func (p *Plan) outputSeries(u *unitSeries, o graph.Output, values []string) *series {
	d := p.datasets[o.To.Addr]
	var kv []addr.KeyValue
	for _, k := range d.def.Keys {
		if k.Name == d.dateKey {
			continue
		}
		v := u.values[k.Name]
		if i := slices.Index(o.FanOut, k.Name); i >= 0 {
			v = values[i]
		}
		kv = append(kv, addr.KeyValue{Key: k.Name, Value: v})
	}
	return d.add(addr.MakeKeys(kv...))
}

// extend recomputes for which sessions there are units in u that are needed, and
// marks the partitions they are to make. It returns the sessions that are new.
func (p *Plan) extend(u *unitSeries) calendar.Set {
	days := u.sessionsWanted().Intersect(p.needs.units(u))
	fresh := days.Subtract(u.days)
	u.days = u.days.Union(days)
	for _, s := range u.outputs {
		if s != nil {
			s.present = s.present.Union(fresh)
		}
	}
	if u.stage.fanOut >= 0 {
		p.recallFanOut(u, fresh)
	}
	return fresh
}

// sessionsWanted intersects what each input offers.
func (u *unitSeries) sessionsWanted() calendar.Set {
	days := calendar.Span(0, u.stage.width())
	for i, in := range u.stage.def.Inputs {
		if len(u.inputs[i]) == 0 {
			return nil
		}
		offered, bound := u.offered(i, in)
		if bound {
			days = days.Intersect(offered)
		} else if len(offered) == 0 {
			return nil
		}
	}
	return days
}

// offered returns the sessions an input makes possible, and whether they bind
// the unit's session at all: a broadcast and a collect over dates do not.
func (u *unitSeries) offered(i int, in graph.Input) (calendar.Set, bool) {
	var present calendar.Set
	for _, s := range u.inputs[i] {
		present = present.Union(s.present)
	}
	d := u.inputs[i][0].of
	if u.stage.dateKey == nil || d.dateKey != u.stage.dateKey.Name || slices.Contains(in.Collect, d.dateKey) {
		return present, false
	}
	switch {
	case in.Window == nil:
		return present, true
	case !in.Window.Dates:
		return u.together(i, in.Window), true
	}
	meets := present.Window(in.Window.Lo, in.Window.Hi)
	if in.Window.OnShort != "skip" || in.Window.Min <= 1 {
		return meets, true
	}
	return meets.Intersect(atLeast(present, in.Window)), true
}

// together returns the sessions on which enough of an input's series have a
// partition for a window over values: one, or Min where shorter ones are skipped.
func (u *unitSeries) together(i int, w *graph.Window) calendar.Set {
	enough := 1
	if w.OnShort == "skip" {
		enough = w.Min
	}
	count := make([]int, u.stage.width())
	for _, s := range u.inputs[i] {
		s.present.Each(func(d int) { count[d]++ })
	}
	var out []int
	for d, n := range count {
		if n >= enough {
			out = append(out, d)
		}
	}
	return calendar.FromSorted(out)
}

// atLeast returns the sessions whose window holds w.Min members of present, or
// more. A sliding count over the ends of intervals: where a window's first or
// last session enters or leaves a run, the count changes by one a session.
func atLeast(present calendar.Set, w *graph.Window) calendar.Set {
	var out []int
	for _, iv := range present.Window(w.Lo, w.Hi) {
		for d := iv.Lo; d < iv.Hi; d++ {
			if present.Intersect(calendar.Span(d+w.Lo, d+w.Hi+1)).Len() >= w.Min {
				out = append(out, d)
			}
		}
	}
	return calendar.FromSorted(out)
}
