package plan

import (
	"dag/engine/addr"
	"dag/engine/calendar"
)

// UnknownUnit is a selected unit of a fan-out that has never run, or never well:
// which partitions of Dataset it makes is known only when it has. It stands for them
// where partitions are listed or counted, as missing.
type UnknownUnit struct {
	Dataset addr.Dataset
	Stage   addr.Stage
	Unit    addr.Keys
	Action  Action
	Code    Code
	Failed  bool         // when it last ran
	Day     calendar.Day // 0: it has no date
}

// Describe writes the unit as people read it: ingest[root=ES,dt=2025-08-05].
func (x UnknownUnit) Describe() string { return addr.UnitName(x.Stage.String(), x.Unit) }

// EachUnknown calls f for every selected unit whose partitions are not known yet, by
// dataset, keys and session.
func (p *Plan) EachUnknown(f func(UnknownUnit)) {
	for _, def := range p.Graph.Config.Datasets {
		filter := p.Request.Selection.Dataset(def.Addr)
		st := p.fanOutInto(def.Addr)
		if filter == nil || st == nil {
			continue
		}
		for _, u := range st.series {
			filter(p.fanOutEnv(u)).Intersect(u.unknownDays()).Each(func(i int) {
				v := p.verdicts[unitRef{u, i}]
				x := UnknownUnit{
					Dataset: def.Addr, Stage: st.def.Addr, Unit: u.unitKeys(i), Action: v.action, Code: v.reason.Code, Failed: u.failed(i),
				}
				if st.sessions != nil {
					x.Day = st.sessions.Day(i)
				}
				f(x)
			})
		}
	}
}

// fanOutInto is the stage that fans out into a dataset; nil if none does.
func (p *Plan) fanOutInto(a addr.Dataset) *stageState {
	producer := p.Graph.Producer(a)
	if producer == nil {
		return nil
	}
	st := p.stages[p.Graph.Position(producer.Addr)]
	if st.fanOut < 0 || st.def.Outputs[st.fanOut].To.Addr != a {
		return nil
	}
	return st
}
