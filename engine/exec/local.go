package exec

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"dag/engine/addr"
	"dag/engine/event"
	"dag/engine/lake"
	"dag/engine/plan"
)

// Options say how to run a plan.
type Options struct {
	Workers  int
	Memory   int64 // bytes that running units may declare together; 0: no limit
	FailFast bool  // start nothing new after the first failure
	// MaxFailures stops as FailFast does after so many; 0: never.
	MaxFailures int
	// Strict makes a unit fail whose inputs or outputs are not what they were
	// when it was planned; otherwise it is planned anew.
	Strict bool
	// Limit is how many units may start, 0: all; Until is when to stop starting.
	// What is left then is skipped.
	Limit int
	Until time.Time
	// Order of units that are ready; "": by the weight of what waits for them.
	Order  Order
	RunID  string
	Events event.Sink
	Now    func() time.Time
	// Heap returns the bytes of the process's heap that are in use; nil: what units
	// take is not measured.
	Heap func() int64
	// After is time.After, or a clock of a test's own.
	After func(time.Duration) <-chan time.Time
}

// Order is by which dates units are started first.
type Order string

// The orders.
const (
	Newest Order = "newest"
	Oldest Order = "oldest"
)

// Outcome is what became of a run.
type Outcome struct {
	Counts      map[event.Result]int
	Interrupted bool
	LeaseHeld   bool // a unit failed because another process kept its lease
	WriteError  bool // a unit failed because the lake could not be written
	Drifted     bool // with Strict: the lake was not what it was when it was planned
}

// runner drives the queue. Only its run loop touches the plan and the queue.
type runner struct {
	plan    *plan.Plan
	lake    *lake.Lake
	o       Options
	queue   *Queue
	done    chan ending
	idle    chan func() // taken by goroutines that wait for another unit; closed at the end
	outcome Outcome
	emitMu  sync.Mutex
	failing bool
	looks   map[int]int // by item: how often it was planned anew
	began   int         // units that have started
}

// ending is what a step's goroutine reports.
type ending struct {
	item   *plan.Item
	result stepResult
	err    error
	yields bool // it has not ended, and only waits for the disk from now on
}

// Run runs the items of a plan. Failures of units are events and counts, not
// an error. When ctx ends, running steps are cancelled and nothing new starts.
func Run(ctx context.Context, p *plan.Plan, l *lake.Lake, o Options) (Outcome, error) {
	r := &runner{
		plan: p, lake: l, o: o, done: make(chan ending), idle: make(chan func()),
		queue:   NewQueue(Limits{Workers: o.Workers, Memory: o.Memory}),
		outcome: Outcome{Counts: map[event.Result]int{}}, looks: map[int]int{},
	}
	defer close(r.idle)
	start := o.Now()
	r.emit(r.started(start))
	r.add(p.Items)
	r.loop(ctx)
	for _, id := range r.queue.Rest() {
		if why := r.enough(); why != "" && !r.failing && ctx.Err() == nil {
			r.finish(p.Items[id], stepResult{}, event.Skipped, nil, why)
			continue
		}
		r.finish(p.Items[id], stepResult{}, event.Canceled, nil, "the run was stopped before it started")
	}
	r.outcome.Interrupted = ctx.Err() != nil
	r.emit(event.RunFinished{Time: o.Now(), RunID: o.RunID, Elapsed: o.Now().Sub(start), Counts: r.outcome.Counts})
	return r.outcome, nil
}

func (r *runner) started(now time.Time) event.RunStarted {
	e := event.RunStarted{Time: now, RunID: r.o.RunID, Workers: r.o.Workers, Memory: r.o.Memory, LakeRoot: r.lake.Root()}
	for _, it := range r.plan.Items {
		switch {
		case it.Blocked != "":
		case it.Action == plan.MayRun:
			e.MayRun++
		default:
			e.WillRun++
		}
	}
	e.Work = r.work(r.plan.Items)
	return e
}

// work counts items by stage, in the order of their first.
func (r *runner) work(items []*plan.Item) []event.Work {
	var out []event.Work
	at := map[addr.Stage]int{}
	for _, it := range items {
		i, ok := at[it.Stage]
		if !ok {
			i = len(out)
			at[it.Stage] = i
			out = append(out, event.Work{Stage: it.Stage, Each: r.plan.CostOf(it).Elapsed})
		}
		out[i].Units++
	}
	return out
}

// add gives items to the queue and reports those that can never run.
func (r *runner) add(items []*plan.Item) {
	nodes := make([]Node, len(items))
	for i, it := range items {
		nodes[i] = Node{ID: it.ID, Deps: it.Deps, Order: r.order(it), Memory: it.Memory, CPU: it.CPU, Dead: it.Blocked != ""}
	}
	blocked := r.queue.Add(nodes...)
	for _, it := range items {
		if it.Blocked != "" {
			r.finish(it, stepResult{}, event.Blocked, nil, it.Blocked)
		}
	}
	r.block(blocked)
}

// order is an item's place among those that are ready.
func (r *runner) order(it *plan.Item) int {
	switch r.o.Order {
	case Newest:
		return -int(it.Day())
	case Oldest:
		return int(it.Day())
	}
	return 0
}

// enough says why nothing more is to start although nothing went wrong; "" if more
// may.
func (r *runner) enough() string {
	switch {
	case r.o.Limit > 0 && r.began >= r.o.Limit:
		return fmt.Sprintf("only %d were to run", r.o.Limit)
	case !r.o.Until.IsZero() && !r.o.Now().Before(r.o.Until):
		return "nothing was to start after " + r.o.Until.Format(time.DateTime)
	}
	return ""
}

func (r *runner) block(blocked []Blocked) {
	for _, b := range blocked {
		if it := r.plan.Items[b.ID]; it.Blocked == "" {
			r.finish(it, stepResult{}, event.Blocked, nil, r.plan.Items[b.By].Describe()+" did not succeed")
		}
	}
}

// loop starts what may start and takes in what has ended, until nothing runs
// and nothing may start.
func (r *runner) loop(ctx context.Context) {
	for {
		for ctx.Err() == nil && !r.failing && r.enough() == "" {
			id, ok := r.queue.Next()
			if !ok {
				break
			}
			r.start(ctx, r.plan.Items[id])
		}
		if r.queue.Running() == 0 {
			return
		}
		r.take(ctx, <-r.done)
	}
}

// start resolves an item: it is cut off, fails at once, or runs.
func (r *runner) start(ctx context.Context, it *plan.Item) {
	w, err := r.plan.Resolve(ctx, it)
	if err != nil {
		go func() { r.done <- ending{item: it, err: err} }()
		return
	}
	if w.Fresh {
		r.cutOff(ctx, w)
		return
	}
	if r.looks[it.ID] == 0 {
		r.began++
	}
	r.spawn(func() {
		res, err := r.attempts(ctx, w)
		r.done <- ending{item: it, result: res, err: err}
	})
}

// spawn runs f on a goroutine whose last unit has ended, if there is one: its stack
// has grown already.
func (r *runner) spawn(f func()) {
	select {
	case r.idle <- f:
	default:
		go func() {
			for ; f != nil; f = <-r.idle {
				f()
			}
		}()
	}
}

// cutOff ends an item whose outputs are what its inputs give.
func (r *runner) cutOff(ctx context.Context, w *plan.Work) {
	it, because := w.Item, ""
	r.plan.Settled(it)
	if r.looks[it.ID] > 0 {
		because = "another apply made it meanwhile"
		r.growFromLake(ctx, w)
	}
	r.queue.End(it.ID, true)
	r.finish(it, stepResult{}, event.CutOff, nil, because)
}

// fail ends an item that did not succeed, and what needs it.
func (r *runner) fail(e ending) {
	blocked := r.queue.End(e.item.ID, false)
	result := event.Failed
	if errors.Is(e.err, context.Canceled) {
		result = event.Canceled
	} else {
		r.countFailure(e.err)
	}
	r.finish(e.item, e.result, result, e.err, "")
	r.block(blocked)
}

// take brings what a step did into the plan and the queue.
func (r *runner) take(ctx context.Context, e ending) {
	var moved *movedError
	switch {
	case e.yields:
		r.queue.Yield(e.item.ID)
		return
	case errors.As(e.err, &moved):
		r.lookAgain(ctx, e.item, moved)
		return
	case e.err != nil:
		r.fail(e)
		return
	}
	r.plan.Committed(e.item, e.result.made)
	if e.result.fansOut {
		r.grow(e)
	}
	r.queue.End(e.item.ID, true)
	r.finish(e.item, e.result, event.Done, nil, "")
}

// grow puts what a fan-out has told into the queue.
func (r *runner) grow(e ending) {
	g := r.plan.FanOut(e.item, e.result.values)
	if len(g.Added) > 0 {
		added := make([]event.Unit, len(g.Added))
		for i, it := range g.Added {
			added[i] = unitOf(it)
		}
		r.emit(event.Grown{Time: r.o.Now(), Unit: unitOf(e.item), Values: e.result.values, Added: len(added), Units: added, Work: r.work(g.Added)})
	}
	r.add(g.Added)
	for _, it := range g.Relinked {
		r.block(r.queue.SetDeps(it.ID, it.Deps))
	}
	for _, it := range g.Skipped {
		if r.queue.Skip(it.ID) {
			r.finish(it, stepResult{}, event.Skipped, nil, "what it was to read is not there")
		}
	}
	for _, it := range g.Blocked {
		blocked, ok := r.queue.Block(it.ID)
		if ok {
			r.finish(it, stepResult{}, event.Blocked, nil, it.Blocked)
		}
		r.block(blocked)
	}
}

func (r *runner) countFailure(err error) {
	var held *lake.LeaseError
	r.outcome.LeaseHeld = r.outcome.LeaseHeld || errors.As(err, &held)
	r.outcome.WriteError = r.outcome.WriteError || isWriteError(err)
	n := r.outcome.Counts[event.Failed] + 1
	// A lake that cannot be written fails everything else as well.
	r.failing = r.failing || r.outcome.WriteError || r.o.FailFast || r.o.MaxFailures > 0 && n >= r.o.MaxFailures
}

func (r *runner) finish(it *plan.Item, res stepResult, result event.Result, err error, because string) {
	r.outcome.Counts[result]++
	f := event.StepFinished{
		Time: r.o.Now(), Unit: unitOf(it), Result: result, Err: err, Because: because,
		Elapsed: res.elapsed, RowsIn: res.rowsIn, RowsOut: res.rowsOut, Bytes: res.bytes, Unchanged: res.unchanged,
		PeakBytes: res.peak, Inputs: res.inputs, Metrics: res.metrics,
	}
	for _, m := range res.made {
		f.Partitions, f.Digests = append(f.Partitions, m.Partition), append(f.Digests, m.Digest.String())
	}
	r.emit(f)
}

// emit passes an event on; steps emit too, hence the lock.
func (r *runner) emit(e event.Event) {
	r.emitMu.Lock()
	defer r.emitMu.Unlock()
	if r.o.Events != nil {
		r.o.Events(e)
	}
}

func unitOf(it *plan.Item) event.Unit { return event.Unit{Stage: it.Stage, Keys: it.Unit} }

// attempts runs a step, and again with growing pauses as the stage allows,
// unless the run has been cancelled.
func (r *runner) attempts(ctx context.Context, w *plan.Work) (stepResult, error) {
	for attempt := 1; ; attempt++ {
		r.emit(event.StepStarted{Time: r.o.Now(), Unit: unitOf(w.Item), Reason: string(w.Causes[0].Reason.Code), Attempt: attempt, Chain: chainOf(w)})
		res, err := r.step(ctx, w)
		if err == nil || attempt >= w.Stage.Attempts || ctx.Err() != nil || errors.As(err, new(*movedError)) {
			return res, err
		}
		wait := w.Stage.Backoff << min(attempt-1, 16)
		r.emit(event.StepRetried{Time: r.o.Now(), Unit: unitOf(w.Item), Attempt: attempt, Err: err, Wait: wait})
		select {
		case <-ctx.Done():
			return res, fmt.Errorf("waiting to try again: %w", ctx.Err())
		case <-r.o.After(wait):
		}
	}
}
