package plan

import (
	"slices"
	"time"

	"dag/engine/calendar"
	"dag/engine/manifest"
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
	// Peak is the most heap that the process will need, by what was measured before:
	// as many units side by side as there are workers, of the stages that needed most.
	// 0: of some stage nothing was measured.
	Peak int64
}

// Estimate looks at the manifests of each stage's newest partitions. Items that
// may run count in full: it is an upper bound of them.
func (p *Plan) Estimate(workers int) Estimate {
	var e Estimate
	workers = max(workers, 1)
	seen := map[*stageState]bool{}
	longest := make([]time.Duration, len(p.Items))
	before := make([]int, len(p.Items))
	var total time.Duration
	var memory, peaks []int64
	last := -1
	for i, it := range p.Items {
		if it.Blocked != "" {
			continue
		}
		c := p.CostOf(it)
		if st := it.unit.series.stage; !seen[st] {
			seen[st] = true
			e.Runs += c.Runs
		}
		if c.Runs == 0 {
			e.Unknown++
		}
		total += c.Elapsed
		e.Write += c.Bytes
		memory, peaks = append(memory, it.Memory), append(peaks, c.Peak)
		before[i] = -1
		for _, d := range it.Deps {
			if longest[d] > longest[i] {
				longest[i], before[i] = longest[d], d
			}
		}
		longest[i] += c.Elapsed
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
	e.Memory = greatest(memory, workers)
	if !slices.Contains(peaks, 0) {
		e.Peak = greatest(peaks, workers)
	}
	return e
}

// greatest is the sum of the n greatest values.
func greatest(values []int64, n int) int64 {
	slices.Sort(values)
	sum := int64(0)
	for _, v := range values[max(0, len(values)-n):] {
		sum += v
	}
	return sum
}

// Cost is what a stage's newest units took.
type Cost struct {
	Runs    int           // how many of them; 0: no history
	Elapsed time.Duration // the median
	Bytes   int64         // written, the median
	// Peak is the median of what was measured, see manifest.Run: not the least, which
	// is that of the smallest day. What ran beside the units is in it. 0: none was.
	Peak int64
}

// CostOf is what an item's stage took before this plan was made, or before the first
// item of it was.
func (p *Plan) CostOf(it *Item) Cost { return p.costOf(it.unit.series.stage) }

func (p *Plan) costOf(st *stageState) Cost {
	c, ok := p.costs[st]
	if !ok {
		c = p.measured(st)
		p.costs[st] = c
	}
	return c
}

// memoryOf is what a unit of u is to reserve: what the stage declares in its block;
// otherwise the transform's own figure, which holds for the largest unit, or what was
// measured if that is less.
func (p *Plan) memoryOf(u *unitSeries) int64 {
	def := u.stage.def
	fused := u.fusedMemory()
	if def.Memory > 0 {
		return def.Memory + fused
	}
	own, peak := def.Spec.Memory+fused, p.costOf(u.stage).Peak // fused stages are measured with it
	if own == 0 || peak > 0 && peak < own {
		return peak
	}
	return own
}

// measured reads the manifests of a stage's newest units.
func (p *Plan) measured(st *stageState) Cost {
	var elapsed, bytes, peaks []int64
	for _, o := range st.def.Outputs {
		for _, s := range p.datasets[o.To.Addr].series {
			for _, i := range newest(s, samples) {
				m, err := p.lake.Manifest(s.partition(i))
				if err != nil || m.Stage != st.def.Addr.String() || m.Reason.Code == manifest.Adopted {
					continue
				}
				elapsed, bytes = append(elapsed, m.Run.ElapsedNS), append(bytes, s.cells[i].trace.Bytes)
				if m.Run.PeakBytes > 0 {
					peaks = append(peaks, m.Run.PeakBytes)
				}
			}
			if len(elapsed) >= samples {
				break
			}
		}
	}
	if len(elapsed) == 0 {
		return Cost{}
	}
	slices.Sort(elapsed)
	slices.Sort(bytes)
	c := Cost{Runs: len(elapsed), Elapsed: time.Duration(elapsed[len(elapsed)/2]), Bytes: bytes[len(bytes)/2]}
	if len(peaks) > 0 {
		slices.Sort(peaks)
		c.Peak = peaks[len(peaks)/2]
	}
	return c
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
