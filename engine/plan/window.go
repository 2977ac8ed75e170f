package plan

import (
	"math/bits"

	"dag/engine/calendar"
	"dag/engine/graph"
	"dag/engine/manifest"
)

// A window over dates enters a fingerprint as one sum over its members: their
// hashes added up. So the sum of a window is a difference of two running sums, and
// planning a window of 60 sessions costs what one of a single session does.

// members is a number of partitions or files with their hashes added up, modulo
// 2^128. Like every digest here it tells accidents apart, not forgeries.
type members struct {
	n      int
	hi, lo uint64
}

// plus adds the members of o.
func (m members) plus(o members) members {
	lo, carry := bits.Add64(m.lo, o.lo, 0)
	hi, _ := bits.Add64(m.hi, o.hi, carry)
	return members{m.n + o.n, hi, lo}
}

// minus takes the members of o away.
func (m members) minus(o members) members {
	lo, borrow := bits.Sub64(m.lo, o.lo, 0)
	hi, _ := bits.Sub64(m.hi, o.hi, borrow)
	return members{m.n - o.n, hi, lo}
}

// member hashes one partition or file.
func member(h *manifest.Hasher, r *ref) members {
	r.describe(h.Reset("member"))
	hi, lo := h.Done().Halves()
	return members{1, hi, lo}
}

// running are sums over the sessions of a series before each session, and one
// more: of [lo,hi) it is at(hi) minus at(lo).
type running struct {
	members []members
	pending []int32 // how many partitions are to be made again
}

// windows are running sums for the inputs of a unit series, nil where an input is
// no window over dates of a stored dataset. The memory serves one unit series after
// the other.
type windows [][]running // by input, by series of the input

// sum prepares w for the units of u.
func (w windows) sum(p *Plan, u *unitSeries) windows {
	for len(w) < len(u.inputs) {
		w = append(w, nil)
	}
	w = w[:len(u.inputs)]
	for i, in := range u.stage.def.Inputs {
		w[i] = w[i][:0]
		if !condensable(in) {
			continue
		}
		for _, s := range u.inputs[i] {
			if len(w[i]) < cap(w[i]) {
				w[i] = w[i][:len(w[i])+1]
			} else {
				w[i] = append(w[i], running{})
			}
			w[i][len(w[i])-1].sum(p.memberHasher, in.Port, s)
		}
	}
	return w
}

// condensable tells whether an input's partitions can enter as running sums.
func condensable(in graph.Input) bool {
	return in.Window != nil && in.Window.Dates && !in.From.Source && !in.From.Unstored
}

func (r *running) sum(h *manifest.Hasher, port string, s *series) {
	r.members, r.pending = append(r.members[:0], members{}), append(r.pending[:0], 0)
	for d := range s.cells {
		c, m, n := &s.cells[d], r.members[d], r.pending[d]
		if c.pending != settled {
			n++
		}
		if c.trace != nil && c.trace.State.HasData() {
			m = m.plus(member(h, &ref{port: port, series: s, session: d, digest: c.trace.Digest}))
		}
		r.members, r.pending = append(r.members, m), append(r.pending, n)
	}
}

// condensed notes the sessions [lo,hi) of a series in one ref. It is false where
// some of them are to be made again: those have to be named.
func (g *gathered) condensed(port string, s *series, r *running, lo, hi int) bool {
	if r.pending[hi] != r.pending[lo] {
		return false
	}
	if m := r.members[hi].minus(r.members[lo]); m.n > 0 {
		g.refs = append(g.refs, ref{port: port, series: s, session: lo, windowed: true, members: m})
	}
	return true
}

// hasWindows tells whether units of the stage read a condensable window.
func (st *stageState) hasWindows() bool {
	for _, in := range st.def.Inputs {
		if condensable(in) {
			return true
		}
	}
	return false
}

// windowsOf prepares running sums for some sessions of u; nil where that costs more
// than it saves, or u reads no windows.
func (p *Plan) windowsOf(u *unitSeries, days calendar.Set) windows {
	if len(days) == 0 || days.Len() == 1 || !u.stage.hasWindows() {
		return nil
	}
	p.windows = p.windows.sum(p, u)
	return p.windows
}
