package view

import (
	"time"

	"dag/engine/addr"
	"dag/engine/event"
)

// forecast tells how long a run will go on: what its units took in earlier runs,
// corrected by what they take in this one; without earlier runs, by this one's rate.
type forecast struct {
	workers int
	stages  map[addr.Stage]*pace
	running map[string]started
}

// pace is what units of a stage take.
type pace struct {
	each time.Duration // in earlier runs; 0: there are none
	left int           // units that have not ended
	ran  int           // units that ran to an end in this run
	took time.Duration // those
}

// started is a running unit.
type started struct {
	stage addr.Stage
	at    time.Time
}

func newForecast() *forecast {
	return &forecast{workers: 1, stages: map[addr.Stage]*pace{}, running: map[string]started{}}
}

func (f *forecast) sink(e event.Event) {
	switch e := e.(type) {
	case event.RunStarted:
		f.workers = max(e.Workers, 1)
		f.add(e.Work)
	case event.Grown:
		f.add(e.Work)
	case event.StepStarted:
		if _, again := f.running[e.Unit.String()]; !again {
			f.running[e.Unit.String()] = started{e.Unit.Stage, e.Time}
		}
	case event.StepFinished:
		_, ran := f.running[e.Unit.String()]
		delete(f.running, e.Unit.String())
		p := f.of(e.Unit.Stage)
		p.left = max(p.left-1, 0)
		if ran && e.Result != event.Canceled {
			p.ran, p.took = p.ran+1, p.took+e.Elapsed
		}
	}
}

func (f *forecast) of(s addr.Stage) *pace {
	p := f.stages[s]
	if p == nil {
		p = &pace{}
		f.stages[s] = p
	}
	return p
}

func (f *forecast) add(work []event.Work) {
	for _, w := range work {
		p := f.of(w.Stage)
		p.left += w.Units
		p.each = w.Each
	}
}

// caution is the share of all the work foretold that has to be done before the pace
// of this run weighs as much as that of earlier ones.
const caution = 0.1

// correction is how much longer units take in this run than in earlier ones.
func (f *forecast) correction() float64 {
	var foretold, before, took time.Duration
	for _, p := range f.stages {
		if p.each > 0 {
			foretold += p.each * time.Duration(p.left+p.ran)
			before += p.each * time.Duration(p.ran)
			took += p.took
		}
	}
	prior := caution * foretold.Seconds()
	if prior == 0 {
		return 1
	}
	return (took.Seconds() + prior) / (before.Seconds() + prior)
}

// mean is what a unit of this run took, of whichever stage; 0 before the first.
func (f *forecast) mean() time.Duration {
	n, took := 0, time.Duration(0)
	for _, p := range f.stages {
		n, took = n+p.ran, took+p.took
	}
	if n == 0 {
		return 0
	}
	return took / time.Duration(n)
}

// expected is what a unit of each stage with units left will take; false where
// nothing tells.
func (f *forecast) expected() (map[addr.Stage]time.Duration, bool) {
	each, correction, mean := map[addr.Stage]time.Duration{}, f.correction(), f.mean()
	for s, p := range f.stages {
		switch {
		case p.left == 0:
		case p.each > 0:
			each[s] = time.Duration(float64(p.each) * correction)
		case p.ran > 0:
			each[s] = p.took / time.Duration(p.ran)
		case mean > 0:
			each[s] = mean
		default:
			return nil, false
		}
	}
	return each, true
}

// over tells that no unit is left.
func (f *forecast) over() bool {
	for _, p := range f.stages {
		if p.left > 0 {
			return false
		}
	}
	return true
}

// left is how long it will go on: the work shared out among the workers, or what is
// left of the longest unit if that is more. False: nothing tells.
func (f *forecast) left(now time.Time) (time.Duration, bool) {
	each, ok := f.expected()
	if !ok {
		return 0, false
	}
	var work, longest time.Duration
	for s, d := range each {
		work += d * time.Duration(f.stages[s].left)
	}
	for _, r := range f.running {
		d := each[r.stage]
		done := min(now.Sub(r.at), d)
		work -= done
		longest = max(longest, d-done)
	}
	return max(work/time.Duration(f.workers), longest), true
}
