package plan

import (
	"slices"
	"time"

	"dag/engine/calendar"
)

// samples is how many of a stage's newest partitions tell what one costs.
const samples = 8

// Estimate is what running a plan will take, by what its stages took before. It
// leaves out what nobody knows yet: units behind a fan-out that has not run.
type Estimate struct {
	Runs     int           // how many earlier units it is taken from; 0: no history
	Unknown  int           // items of stages that have never run
	Elapsed  time.Duration // with the given workers: the work shared out, or the critical path if that is longer
	Critical time.Duration // of the longest chain of items
	Path     []*Item       // that chain, first to last
	Write    int64         // bytes
	Memory   int64         // bytes that may be reserved at once
}

// Estimate looks at the manifests of each stage's newest partitions. Items that
// may run count in full: it is an upper bound of them.
func (p *Plan) Estimate(workers int) Estimate {
	var e Estimate
	workers = max(workers, 1)
	costs := map[*stageState]cost{}
	longest := make([]time.Duration, len(p.Items))
	before := make([]int, len(p.Items))
	var total time.Duration
	var memory []int64
	last := -1
	for i, it := range p.Items {
		if it.Blocked != "" {
			continue
		}
		st := it.unit.series.stage
		c, ok := costs[st]
		if !ok {
			c = p.costOf(st)
			costs[st] = c
			e.Runs += c.runs
		}
		if c.runs == 0 {
			e.Unknown++
		}
		total += c.elapsed
		e.Write += c.bytes
		memory = append(memory, it.Memory)
		before[i] = -1
		for _, d := range it.Deps {
			if longest[d] > longest[i] {
				longest[i], before[i] = longest[d], d
			}
		}
		longest[i] += c.elapsed
		if last < 0 || longest[i] > longest[last] {
			last = i
		}
	}
	if e.Runs == 0 {
		return Estimate{Unknown: e.Unknown}
	}
	for i := last; i >= 0; i = before[i] {
		e.Path = append(e.Path, p.Items[i])
	}
	slices.Reverse(e.Path)
	e.Critical = longest[last]
	e.Elapsed = max(e.Critical, total/time.Duration(workers))
	slices.Sort(memory)
	for _, m := range memory[max(0, len(memory)-workers):] {
		e.Memory += m
	}
	return e
}

// cost is the median of a stage's earlier units.
type cost struct {
	runs    int
	elapsed time.Duration
	bytes   int64
}

func (p *Plan) costOf(st *stageState) cost {
	var elapsed, bytes []int64
	for _, o := range st.def.Outputs {
		for _, s := range p.datasets[o.To.Addr].series {
			for _, i := range newest(s, samples) {
				m, err := p.lake.Manifest(s.partition(i))
				if err != nil || m.Stage != st.def.Addr.String() {
					continue
				}
				elapsed, bytes = append(elapsed, m.Run.ElapsedNS), append(bytes, s.cells[i].trace.Bytes)
			}
			if len(elapsed) >= samples {
				break
			}
		}
	}
	if len(elapsed) == 0 {
		return cost{}
	}
	slices.Sort(elapsed)
	slices.Sort(bytes)
	return cost{len(elapsed), time.Duration(elapsed[len(elapsed)/2]), bytes[len(bytes)/2]}
}

// newest returns up to n of the last sessions with data.
func newest(s *series, n int) []int {
	var out []int
	for i := len(s.cells) - 1; i >= 0 && len(out) < n; i-- {
		if t := s.cells[i].trace; t != nil && t.State.HasData() {
			out = append(out, i)
		}
	}
	return out
}

// Day of the item's unit; 0 without one.
func (it *Item) Day() calendar.Day {
	if s := it.unit.series.stage.sessions; s != nil && it.unit.series.stage.dateKey != nil {
		return s.Day(it.unit.session)
	}
	return 0
}
