package plan

import (
	"fmt"
	"slices"
	"strings"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/diag"
	"dag/engine/graph"
)

// Words of `state:` beside the states. The state stale stands for all that is
// not fresh there.
const (
	FailedWord  = "failed"  // not fresh, and its unit failed when it last ran
	blockedWord = "blocked" // not fresh, and needs something that cannot be made
)

// StateWords lists what a selector may name after `state:`.
func StateWords() []string {
	words := make([]string, len(States), len(States)+2)
	for i, s := range States {
		words[i] = string(s)
	}
	return append(words, FailedWord, blockedWord)
}

// ReasonWords lists what a selector may name after `reason:`.
func ReasonWords() []string {
	words := make([]string, len(Codes))
	for i, c := range Codes {
		words[i] = string(c)
	}
	return words
}

// CheckWords reports the states and reasons of a selection that do not exist.
func CheckWords(s *graph.Selection) diag.List {
	var list diag.List
	for _, w := range s.Wanted {
		known := StateWords()
		switch w.Kind {
		case graph.KindReason:
			known = ReasonWords()
		case graph.KindState:
		default:
			continue
		}
		if slices.Contains(known, w.Pattern) {
			continue
		}
		d := diag.Diagnostic{Code: "bad_selector", Summary: fmt.Sprintf("%q names no %s", w.Term, w.Kind), Hint: "there are " + strings.Join(known, ", ")}
		if near := diag.Nearest(w.Pattern, known); near != "" {
			d.Hint = fmt.Sprintf("did you mean %q?", w.Kind+":"+near)
		}
		list = append(list, d)
	}
	return list
}

// Narrow returns the plan as seen through another selection, for EachPartition.
func (p *Plan) Narrow(s *graph.Selection) *Plan {
	out := *p
	out.Request.Selection, out.matches = s, nil
	out.match()
	return &out
}

// match finds what the selection starts from, where it asks for relatives of
// partitions that are known only now.
func (p *Plan) match() {
	if p.Request.Selection.NeedsMatch() {
		p.matches = p.Request.Selection.Match(p.eachEnv)
	}
}

// eachEnv calls f for every series of a dataset, and for every unit series whose
// fan-out into it has never run.
func (p *Plan) eachEnv(a addr.Dataset, f func(graph.Env)) {
	d := p.datasets[a]
	for _, s := range d.series {
		e := p.seriesEnv(s)
		e.Full = s.known()
		f(e)
	}
	st := p.fanOutInto(a)
	if st == nil {
		return
	}
	for _, u := range st.series {
		e := p.fanOutEnv(u)
		e.Full = u.unknownDays()
		f(e)
	}
}

// unknownDays are the sessions whose fan-out has never run.
func (u *unitSeries) unknownDays() calendar.Set {
	var in []int
	u.days.Each(func(i int) {
		if _, known := u.fan[i]; !known {
			in = append(in, i)
		}
	})
	return calendar.FromSorted(in)
}

func (p *Plan) seriesEnv(s *series) graph.Env {
	e := p.env(s.values, s.of.sessions)
	e.State = func(kind, name string) calendar.Set { return p.sessionsIn(s, kind, name) }
	return e
}

// fanOutEnv stands for the partitions that a fan-out has still to tell.
func (p *Plan) fanOutEnv(u *unitSeries) graph.Env {
	e := p.env(u.values, u.stage.sessions)
	e.FanOut = true
	e.State = func(kind, name string) calendar.Set { return p.unknownIn(u, kind, name) }
	return e
}

func (p *Plan) env(values map[string]string, sessions *calendar.Sessions) graph.Env {
	full := calendar.Span(0, 1)
	if sessions != nil {
		full = calendar.Span(0, sessions.Len())
	}
	if p.known == nil {
		p.known = graph.NewKnown(p.values)
	}
	return graph.Env{
		Value:    func(key string) (string, bool) { v, ok := values[key]; return v, ok },
		Sessions: sessions, Full: full, Dated: sessions != nil, Known: p.known, Matches: p.matches,
	}
}

// values lists the values of a key that are seen, own or derived, in order.
func (p *Plan) values(key string) []string {
	var out []string
	for _, d := range p.datasets {
		for _, s := range d.series {
			if v, ok := s.values[key]; ok {
				out = append(out, v)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// sessionsIn returns the sessions of a series in a state, or not fresh for a
// reason.
func (p *Plan) sessionsIn(s *series, kind, name string) calendar.Set {
	u := p.maker(s)
	var in []int
	s.known().Each(func(i int) {
		pending := s.cells[i].pending != settled && u != nil
		match := false
		switch {
		case kind == graph.KindState && name == blockedWord:
			match = pending && p.stuckUnits()[unitRef{u, i}]
		case kind == graph.KindState && name == FailedWord:
			match = pending && s.cells[i].failed
		case kind == graph.KindState:
			match = s.inState(i, name)
		case pending:
			match = p.verdicts[unitRef{u, i}].reason.Code == Code(name)
		default:
			match = Code(name) == UnverifiedOutput && s.state(i) == Unverified
		}
		if match {
			in = append(in, i)
		}
	})
	return calendar.FromSorted(in)
}

// inState matches the words of a selector: stale covers all that is not fresh.
func (s *series) inState(session int, name string) bool {
	state := s.state(session)
	if name == string(Stale) {
		return slices.Contains([]State{Stale, MissingNow, Broken}, state)
	}
	return string(state) == name
}

// unknownIn is sessionsIn for what a fan-out has still to tell: it is missing.
func (p *Plan) unknownIn(u *unitSeries, kind, name string) calendar.Set {
	var in []int
	u.unknownDays().Each(func(i int) {
		v, match := p.verdicts[unitRef{u, i}], false
		switch {
		case v.action == "":
		case kind == graph.KindReason:
			match = v.reason.Code == Code(name)
		case name == FailedWord:
			match = u.failed(i)
		case name == blockedWord:
			match = p.stuckUnits()[unitRef{u, i}]
		default:
			match = name == string(MissingNow) || name == string(Stale)
		}
		if match {
			in = append(in, i)
		}
	})
	return calendar.FromSorted(in)
}

// failed tells whether the unit failed when it last ran.
func (u *unitSeries) failed(session int) bool {
	f := u.stage.plan.Request.Failed
	return f != nil && f(u.stage.def.Addr, u.unitKeys(session))
}

// stuckUnits are the units that cannot run whatever is selected: something they
// read is not there, or is stuck itself.
func (p *Plan) stuckUnits() map[unitRef]bool {
	if p.stuck != nil {
		return p.stuck
	}
	p.stuck = map[unitRef]bool{}
	for _, st := range p.stages {
		for _, u := range st.series {
			u.days.Each(func(i int) {
				v := p.verdicts[unitRef{u, i}]
				if v.action == "" {
					return
				}
				is := v.blocked != ""
				u.eachRead(i, func(s *series, d int) {
					is = is || s.cells[d].pending != settled && p.stuck[unitRef{p.maker(s), d}]
				})
				if is {
					p.stuck[unitRef{u, i}] = true
				}
			})
		}
	}
	return p.stuck
}
