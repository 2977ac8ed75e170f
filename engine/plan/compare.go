package plan

import (
	"context"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/manifest"
)

// verdict is what was found out about one unit.
type verdict struct {
	action  Action // "" when it is fresh, or cannot be
	reason  Reason
	blocked string
	absent  bool // it cannot be made, and nothing says that it should
}

// compare decides about every unit of every stage, inputs before outputs.
func (p *Plan) compare(ctx context.Context) error {
	for _, st := range p.stages {
		for _, u := range st.series {
			if err := p.compareSeries(ctx, u, u.days); err != nil {
				return err
			}
		}
	}
	return nil
}

// compareSeries decides about some sessions of a unit series and marks what
// is pending.
func (p *Plan) compareSeries(ctx context.Context, u *unitSeries, days calendar.Set) error {
	if p.Request.Compared != nil {
		p.Request.Compared.Add(int64(days.Len()))
	}
	w := p.windowsOf(u, days)
	for _, iv := range days {
		for i := iv.Lo; i < iv.Hi; i++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			v, err := p.judge(ctx, u, i, w)
			if err != nil {
				return err
			}
			u.mark(i, v)
			if v.action != "" {
				p.verdicts[unitRef{u, i}] = v
			}
		}
	}
	return nil
}

// mark notes a verdict in the cells of the unit's outputs.
func (u *unitSeries) mark(session int, v verdict) {
	u.status[session].action = v.action
	state := settled
	switch v.action {
	case WillRun:
		state = willChange
	case MayRun:
		state = mayChange
	}
	failed := v.action != "" && u.failed(session)
	u.eachOutput(session, func(s *series) {
		s.cells[session].pending, s.cells[session].failed = state, failed
		if v.absent && s.cells[session].trace == nil {
			s.present = s.present.Subtract(calendar.Span(session, session+1))
		}
	})
}

// eachOutput calls f for the series of every known output of a session.
func (u *unitSeries) eachOutput(session int, f func(*series)) {
	for _, s := range u.outputs {
		if s != nil {
			f(s)
		}
	}
	for _, s := range u.fan[session] {
		f(s)
	}
}

func (u *unitSeries) countOutputs(session int) (n int) {
	u.eachOutput(session, func(*series) { n++ })
	return n
}

// judge decides about one unit; w are the running sums of its windows, where there
// are some.
func (p *Plan) judge(ctx context.Context, u *unitSeries, session int, w windows) (verdict, error) {
	if u.stage.fused() {
		return verdict{}, nil // it runs inside those that read it
	}
	if u.stage.fanOut >= 0 {
		if _, known := u.fan[session]; !known {
			return verdict{action: WillRun, reason: Reason{Code: MissingOutput}}, nil
		}
	}
	if p.force != nil && p.force(u, session) {
		return p.judgeInputs(ctx, u, session, verdict{action: WillRun, reason: Reason{Code: Forced}}, false, w)
	}
	worst, compared := u.outputState(session)
	if worst.action != "" {
		return p.judgeInputs(ctx, u, session, worst, false, w)
	}
	if !compared {
		return verdict{}, nil // somebody else's data: fresh, whatever its inputs are
	}
	return p.judgeInputs(ctx, u, session, verdict{}, true, w)
}

// outputState looks at the unit's folders: the first that is not whole makes
// it run. compared tells that there is a fingerprint to compare: one of them has
// it, or where there are none the unit's record.
func (u *unitSeries) outputState(session int) (v verdict, compared bool) {
	none := true
	u.eachOutput(session, func(s *series) {
		none = false
		state := manifest.Missing
		if t := s.cells[session].trace; t != nil {
			state = t.State
		}
		code := stateCodes[state]
		compared = compared || state == manifest.Complete
		if code == "" || v.action != "" {
			return
		}
		part := s.partition(session)
		v = verdict{action: WillRun, reason: Reason{Code: code, Cause: &part}}
	})
	return v, compared || none
}

var stateCodes = map[manifest.State]Code{
	manifest.Missing:            MissingOutput,
	manifest.Incomplete:         IncompleteOutput,
	manifest.UnreadableManifest: UnreadableOutput,
	manifest.OutputChanged:      OutputChanged,
}

// judgeInputs completes a verdict by what the unit reads. With compare it
// holds the outputs' fingerprints against the one they would get now.
func (p *Plan) judgeInputs(ctx context.Context, u *unitSeries, session int, v verdict, compare bool, w windows) (verdict, error) {
	p.gathering.reset()
	g := &p.gathering
	if err := p.gatherCondensed(ctx, g, u, session, compare, w); err != nil {
		return verdict{}, err
	}
	if g.lacking != "" {
		// Nothing to make it from: what lies there stays as it is, and what does
		// not lie there is not to be.
		return verdict{absent: true}, nil
	}
	if compare {
		switch {
		case w == nil:
			v = p.compareOutputs(u, session, g)
		case !p.asRecorded(u, session, g): // what differs has to be named
			return p.judgeInputs(ctx, u, session, v, compare, nil)
		}
		if v.action == "" && len(g.changing) > 0 {
			v = verdict{action: MayRun, reason: Reason{Code: Upstream}}
			part := g.changing[0].series.partition(g.changing[0].session)
			v.reason.Cause = &part
		}
	}
	if v.action != "" {
		v.blocked = g.short
	}
	return v, nil
}

// asRecorded tells whether all outputs, of which there are some, were made from
// what was gathered.
func (p *Plan) asRecorded(u *unitSeries, session int, g *gathered) bool {
	now, same, none := p.total(u.stage, g), true, true
	u.eachOutput(session, func(s *series) {
		t := s.cells[session].trace
		same = same && (t == nil || t.State != manifest.Complete || t.Fingerprint == now)
		none = false
	})
	return same && !none
}

// total is the fingerprint that the outputs would get from what was gathered.
func (p *Plan) total(st *stageState, g *gathered) manifest.Sum {
	return total(p.hasher, st.static, inputsSum(p.hasher, p.memberHasher, g.refs))
}

// compareOutputs finds the first output whose fingerprint is not the one it
// would get from the inputs as they lie in the lake now.
func (p *Plan) compareOutputs(u *unitSeries, session int, g *gathered) verdict {
	now, none := p.total(u.stage, g), true
	var v verdict
	u.eachOutput(session, func(s *series) {
		none = false
		t := s.cells[session].trace
		if v.action != "" || t == nil || t.State != manifest.Complete || t.Fingerprint == now {
			return
		}
		part := s.partition(session)
		m, err := p.lake.Manifest(part)
		if err != nil {
			v = verdict{action: WillRun, reason: Reason{Code: UnreadableOutput, Cause: &part}}
			return
		}
		v = p.outdated(u.stage, m.Made(), g)
	})
	if none {
		return p.compareRecord(u, session, g, now)
	}
	return v
}

// compareRecord does the same for a fan-out that has made no value: no manifest
// says from what, but its record.
func (p *Plan) compareRecord(u *unitSeries, session int, g *gathered, now manifest.Sum) verdict {
	switch made := u.stage.fanOuts[u.unitKeys(session)].Made; {
	case made == nil:
		return verdict{action: WillRun, reason: Reason{Code: MissingOutput}}
	case made.Fingerprint.Sum == now.String():
		return verdict{}
	default:
		return p.outdated(u.stage, made, g)
	}
}

// outdated is the verdict about what was made from something else than what was
// gathered.
func (p *Plan) outdated(st *stageState, was *manifest.Made, g *gathered) verdict {
	v := verdict{action: WillRun, reason: p.differ(st, was, g.refs)}
	if v.reason.Code == InputRemoved && g.stillComing(v.reason.Cause) {
		return verdict{}
	}
	return v
}

// stillComing tells whether an input that the manifest names and that has no
// data now is about to be made again: its digest decides then.
func (g *gathered) stillComing(p *addr.Partition) bool {
	for i := range g.changing {
		c := &g.changing[i]
		if c.absent && p != nil && c.series.partition(c.session) == *p {
			return true
		}
	}
	return false
}
