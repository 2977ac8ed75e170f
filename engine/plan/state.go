package plan

import (
	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/graph"
	"dag/engine/manifest"
)

// State of a partition as people ask for it.
type State string

// The states. A partition is in exactly one.
const (
	Fresh      State = "fresh"
	Empty      State = "empty" // fresh, with no rows
	Unverified State = "unverified"
	Stale      State = "stale"    // has data; will run or may run
	MissingNow State = "missing"  // has no data; will be made
	Broken     State = "broken"   // a folder without readable data
	Unstored   State = "unstored" // never written: made inside those that read it
)

// States lists them, from the best to the worst.
var States = []State{Fresh, Empty, Unverified, Unstored, Stale, MissingNow, Broken}

// PartitionState is one partition with its state.
type PartitionState struct {
	Partition addr.Partition
	State     State
	Action    Action // of the unit that makes it; "" if fresh
	Code      Code   // why, when it is not fresh
	Failed    bool   // it is not fresh, and its unit failed when it last ran
	Rows      int64
	Bytes     int64
	Day       calendar.Day // 0 in a dataset without dates
	Source    bool
}

// known returns the sessions of which there is a folder, a file or a wish.
func (s *series) known() calendar.Set {
	var in []int
	for i := range s.cells {
		if s.cells[i].trace != nil && s.cells[i].trace.State != manifest.Missing {
			in = append(in, i)
		}
	}
	return s.present.Union(calendar.FromSorted(in))
}

// state of one known partition.
func (s *series) state(session int) State {
	c := &s.cells[session]
	has := s.of.def.Source || c.trace != nil && c.trace.State.HasData()
	switch {
	case s.of.def.Source:
		return Fresh
	case s.of.def.Unstored:
		return Unstored
	case c.pending != settled && has:
		return Stale
	case c.pending != settled:
		if c.trace != nil && c.trace.State != manifest.Missing {
			return Broken
		}
		return MissingNow
	case !has && c.trace != nil:
		return Broken
	case !has:
		return MissingNow
	case c.trace.State == manifest.Unverified:
		return Unverified
	case c.trace.Rows == 0:
		return Empty
	}
	return Fresh
}

// EachPartition calls f for every selected partition of the given datasets and
// sources that is known, by dataset, keys and session.
func (p *Plan) EachPartition(f func(PartitionState)) {
	for _, def := range p.Graph.Config.Datasets {
		filter := p.Request.Selection.Dataset(def.Addr)
		if filter == nil {
			continue
		}
		d := p.datasets[def.Addr]
		for _, s := range d.series {
			p.chosenOf(s, filter).Each(func(i int) { f(p.partitionState(s, i)) })
		}
	}
}

// CountSelected counts the selected partitions that are known, of datasets that are
// stored and of those that are not.
func (p *Plan) CountSelected() (stored, unstored int) {
	for _, def := range p.Graph.Config.Datasets {
		filter := p.Request.Selection.Dataset(def.Addr)
		if filter == nil || def.Source {
			continue
		}
		n := 0
		for _, s := range p.datasets[def.Addr].series {
			n += p.chosenOf(s, filter).Len()
		}
		if def.Unstored {
			unstored += n
		} else {
			stored += n
		}
	}
	return stored, unstored
}

func (p *Plan) partitionState(s *series, session int) PartitionState {
	out := PartitionState{Partition: s.partition(session), State: s.state(session), Source: s.of.def.Source}
	if s.of.sessions != nil {
		out.Day = s.of.sessions.Day(session)
	}
	c := &s.cells[session]
	if c.trace != nil {
		out.Rows, out.Bytes = c.trace.Rows, c.trace.Bytes
	}
	for _, i := range s.byDay[session] {
		out.Bytes += s.files[i].Size
	}
	if c.pending != settled {
		out.Failed = c.failed
		if u, i, ok := p.makerOf(s, session); ok {
			v := p.verdicts[unitRef{u, i}]
			out.Action, out.Code = v.action, v.reason.Code
		}
	}
	return out
}

// makerOf finds the unit that makes a partition.
func (p *Plan) makerOf(s *series, session int) (*unitSeries, int, bool) {
	u := p.maker(s)
	if u == nil || session >= len(u.status) || !u.days.Has(session) {
		return nil, 0, false
	}
	found := false
	u.eachOutput(session, func(o *series) { found = found || o == s })
	return u, session, found
}

// maker finds the units that make the partitions of a series; nil for none.
func (p *Plan) maker(s *series) *unitSeries {
	producer := p.Graph.Producer(s.of.def.Addr)
	if producer == nil {
		return nil
	}
	st := p.stages[p.Graph.Position(producer.Addr)]
	kv := make([]addr.KeyValue, len(st.keys))
	for i, k := range st.keys {
		kv[i] = addr.KeyValue{Key: k.Name, Value: s.values[k.Name]}
	}
	return st.byKeys[addr.MakeKeys(kv...)]
}

// Counts are how many units of a stage are in which state, among the selected.
type Counts struct{ Run, May, Fresh, Blocked int }

// CountStage counts the selected units of a stage.
func (p *Plan) CountStage(s *graph.Stage) Counts {
	var c Counts
	for _, u := range p.stages[p.Graph.Position(s.Addr)].series {
		u.days.Each(func(i int) {
			st := &u.status[i]
			switch {
			case !st.selected:
			case st.item != 0 && p.Items[st.item-1].Blocked != "":
				c.Blocked++
			case st.action == WillRun:
				c.Run++
			case st.action == MayRun:
				c.May++
			default:
				c.Fresh++
			}
		})
	}
	return c
}

// Partitions counts all known partitions of datasets.
func (p *Plan) Partitions() int {
	n := 0
	for _, d := range p.datasets {
		if d.def.Source || d.def.Unstored {
			continue
		}
		for _, s := range d.series {
			n += s.present.Len()
		}
	}
	return n
}
