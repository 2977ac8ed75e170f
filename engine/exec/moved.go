package exec

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"dag/engine/event"
	"dag/engine/plan"
)

// maxLooks is how often a unit is looked at anew because something it reads or
// writes changed between the look and the lease.
const maxLooks = 5

// movedError ends an attempt before it began: the lake is not what the unit was
// resolved against.
type movedError struct {
	seen []plan.Seen
	// values are what a fan-out of which nothing was known has made meanwhile.
	values []string
}

func (e *movedError) Error() string {
	what := make([]string, len(e.seen))
	for i, s := range e.seen {
		what[i] = s.What()
	}
	return "since it was planned, " + strings.Join(what, ", ")
}

// moved compares, under the lease, a unit's inputs and outputs with what it was
// resolved against.
func (r *runner) moved(ctx context.Context, w *plan.Work) error {
	seen, err := r.movedInputs(ctx, w, nil)
	if err != nil {
		return err
	}
	for _, out := range w.Outputs {
		t, err := r.lake.Current(ctx, out.Partition)
		if err != nil {
			return err
		}
		if t.State != out.Trace.State || t.Digest != out.Trace.Digest || t.Fingerprint != out.Trace.Fingerprint {
			seen = append(seen, plan.Seen{Partition: out.Partition, Output: true, Trace: t})
		}
	}
	made, values, err := r.madeMeanwhile(ctx, w)
	if err != nil {
		return err
	}
	if seen = append(seen, made...); seen != nil {
		return &movedError{seen, values}
	}
	return nil
}

// madeMeanwhile lists what another process has made, wholly, of a fan-out unit of
// which the plan knows no output, and the values it has recorded for it.
func (r *runner) madeMeanwhile(ctx context.Context, w *plan.Work) (made []plan.Seen, values []string, err error) {
	if !w.Item.Unknown {
		return nil, nil, nil
	}
	record, _, err := r.lake.FanOut(w.Item.Stage, w.Item.Unit)
	if err != nil {
		return nil, nil, err
	}
	for _, out := range w.Stage.Outputs {
		if len(out.FanOut) == 0 {
			continue
		}
		for _, v := range record.Values {
			p, err := w.Output(out, strings.Split(v, ","))
			if err != nil {
				return nil, nil, nil // the record is of another stage than that of now
			}
			t, err := r.lake.Current(ctx, p)
			if err != nil {
				return nil, nil, err
			}
			if !t.State.HasData() {
				return nil, nil, nil // it was begun, and is made here
			}
			made = append(made, plan.Seen{Partition: p, Output: true, Trace: t})
		}
	}
	return made, record.Values, nil
}

// movedInputs appends the inputs that are not what they were, those of fused stages
// among them.
func (r *runner) movedInputs(ctx context.Context, w *plan.Work, seen []plan.Seen) ([]plan.Seen, error) {
	for _, in := range w.Inputs {
		switch {
		case in.Source:
			s, ok, err := r.movedFile(in)
			if err != nil {
				return nil, err
			}
			if !ok {
				seen = append(seen, s)
			}
		case in.Fused != nil:
			var err error
			if seen, err = r.movedInputs(ctx, in.Fused, seen); err != nil {
				return nil, err
			}
		default:
			t, err := r.lake.Current(ctx, in.Partition)
			if err != nil {
				return nil, err
			}
			if t.Digest != in.Digest || !t.State.HasData() {
				seen = append(seen, plan.Seen{Partition: in.Partition, Trace: t})
			}
		}
	}
	return seen, nil
}

// movedFile looks at a source's file; true if it is what it was.
func (r *runner) movedFile(in plan.InputRef) (plan.Seen, bool, error) {
	seen := plan.Seen{Partition: in.Partition, File: in.File}
	f, err := r.lake.OpenSource(in.Partition.Dataset, in.Series, in.File)
	if errors.Is(err, fs.ErrNotExist) {
		seen.Gone = true
		return seen, false, nil
	}
	if err != nil {
		return seen, false, err
	}
	seen.Size, seen.ModTime = f.Size(), f.ModTime()
	return seen, seen.Size == in.Size && seen.ModTime == in.ModTime, nil
}

// lookAgain plans one unit anew after something it reads or writes has changed.
func (r *runner) lookAgain(ctx context.Context, it *plan.Item, moved *movedError) {
	what := make([]string, len(moved.seen))
	for i, s := range moved.seen {
		what[i] = s.What()
	}
	r.emit(event.StepReplanned{Time: r.o.Now(), Unit: unitOf(it), Differences: what})
	r.looks[it.ID]++
	switch {
	case r.o.Strict:
		r.outcome.Drifted = true
		r.fail(ending{item: it, err: fmt.Errorf("%w; plan again, or apply without --strict", moved)})
	case r.looks[it.ID] >= maxLooks:
		r.fail(ending{item: it, err: fmt.Errorf("%w, for the %dth time; is another process writing this lake?", moved, maxLooks)})
	default:
		r.plan.Observe(moved.seen)
		if moved.values != nil {
			r.grow(ending{item: it, result: stepResult{values: moved.values}})
		}
		r.start(ctx, it)
	}
}

// growFromLake lets the plan grow by a fan-out unit that another process made:
// the manifest of one output names all values.
func (r *runner) growFromLake(ctx context.Context, w *plan.Work) {
	for _, out := range w.Stage.Outputs {
		if len(out.FanOut) == 0 {
			continue
		}
		values := r.madeValues(w)
		var made []plan.Made
		for _, v := range values {
			p, err := w.Output(out, strings.Split(v, ","))
			if err != nil {
				continue // FanOut passes it over as well
			}
			if t, err := r.lake.Current(ctx, p); err == nil && t.State.HasData() {
				made = append(made, plan.Made{Partition: p, Fingerprint: t.Fingerprint, Digest: t.Digest, Rows: t.Rows, Bytes: t.Bytes})
			}
		}
		r.plan.Committed(w.Item, made)
		r.grow(ending{item: w.Item, result: stepResult{values: values}})
	}
}

// madeValues reads the values of a fan-out unit off its outputs.
func (r *runner) madeValues(w *plan.Work) []string {
	for _, o := range w.Outputs {
		if m, err := r.lake.Manifest(o.Partition); err == nil && m.Stage == w.Item.Stage.String() {
			return union(w.Before, m.FanOut)
		}
	}
	return w.Before
}
