package exec

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"dag/engine/addr"
	"dag/engine/event"
	"dag/engine/lake"
	"dag/engine/manifest"
	"dag/engine/parallel"
	"dag/engine/plan"
	"dag/engine/stage"
)

// stepResult is what one run of a unit came to.
type stepResult struct {
	elapsed         time.Duration
	rowsIn, rowsOut int64
	bytes           int64
	peak            int64 // see manifest.Run
	unchanged       int
	made            []plan.Made
	inputs          []event.Input
	metrics         manifest.Metrics
	fansOut         bool
	values          []string // of a fan-out, as they are recorded
}

// step runs a unit once: lease, read, transform, check, write, commit.
func (r *runner) step(ctx context.Context, w *plan.Work) (res stepResult, err error) {
	start := r.o.Now()
	defer func() { res.elapsed = r.o.Now().Sub(start) }()
	if w.Stage.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, w.Stage.Timeout, fmt.Errorf("it ran into its timeout of %s", w.Stage.Timeout))
		defer cancel()
	}
	lease, err := r.lake.Lease(ctx, leaseName(w))
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, lease.Release()) }()
	if err := r.moved(ctx, w); err != nil {
		return res, err
	}
	staging, err := r.lake.Begin()
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, staging.Discard()) }()
	t := newTask(ctx, r, w, staging)
	defer t.close()
	err = r.transform(ctx, t)
	t.measure()
	res.rowsIn, res.inputs = t.rowsIn.Load(), planned(w)
	if err == nil {
		err = r.commit(ctx, t, start, &res)
	}
	res.peak = t.peak.Load()
	res.metrics = t.metricsCopy()
	return res, err
}

// leaseName stands for all outputs of a unit: no other unit writes any of them.
func leaseName(w *plan.Work) addr.Partition {
	return addr.Partition{Dataset: w.Stage.Outputs[0].To.Addr, Keys: w.Item.Unit}
}

// PanicError is what a transform's panic becomes. Its message has no stack, which
// is for the log.
type PanicError struct {
	Transform string
	Value     any
	Stack     []byte
}

// Trace is the stack of the panic, for logs.
func (e *PanicError) Trace() []byte { return e.Stack }

func (e *PanicError) Error() string {
	return fmt.Sprintf("the transform %s has a bug and panicked: %v", e.Transform, e.Value)
}

// transform runs the stage's code. A panic in it is a bug of the transform and
// becomes an error of the unit; the others go on.
func (r *runner) transform(ctx context.Context, t *task) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case *parallel.Panic:
			err = &PanicError{Transform: t.work.Stage.Spec.Name, Value: p.Value, Stack: p.Stack}
		default:
			err = &PanicError{Transform: t.work.Stage.Spec.Name, Value: p, Stack: debug.Stack()}
		}
	}()
	if err := t.work.Stage.Transform.Run(ctx, t); err != nil {
		if cause := context.Cause(ctx); cause != nil && ctx.Err() != nil && !errors.Is(err, cause) {
			return fmt.Errorf("%w (%w)", cause, ctx.Err())
		}
		return err
	}
	return ctx.Err()
}

// manifest is what is recorded of every output of a task, but for its contract.
func (r *runner) manifest(t *task, start time.Time, inputs []manifest.Input, digests []manifest.Sum, values []string) manifest.Manifest {
	return manifest.Manifest{
		Stage: t.work.Item.Stage.String(), Unit: t.work.Item.Unit,
		Transform: t.work.Stage.Spec.Name, Version: t.work.Stage.Spec.Version,
		Params: t.work.Stage.Params, Definition: t.work.Stage.DefinitionLines(), Fingerprint: t.work.Fingerprint(digests), Inputs: inputs, FanOut: values,
		Metrics: t.metricsCopy(), Reason: reasonRecord(t.work.Causes[0].Reason),
		Run: manifest.Run{ID: r.o.RunID, StartedAt: start.UTC().Format(time.RFC3339Nano), ElapsedNS: r.o.Now().Sub(start).Nanoseconds(), PeakBytes: t.peak.Load()},
	}
}

// commit publishes what the transform wrote, with the manifests that say from
// what.
func (r *runner) commit(ctx context.Context, t *task, start time.Time, res *stepResult) error {
	if err := t.closeWriters(); err != nil {
		return err
	}
	t.measure()
	inputs, digests, err := t.inputs()
	if err != nil {
		return err
	}
	res.inputs = read(t.work, digests)
	outputs, values, err := t.outputs()
	if err != nil {
		return err
	}
	m := r.manifest(t, start, inputs, digests, values)
	var list []lake.Output
	for _, o := range outputs {
		if t.work.Keep[o.partition] {
			continue // somebody else's data, which only --force replaces
		}
		copied := m
		copied.Contract = manifest.Contract{Path: o.def.To.ContractPath, Digest: o.def.To.Contract.Digest}
		list = append(list, lake.Output{Partition: o.partition, Manifest: &copied})
	}
	if t.fanOut != nil {
		// Before anything is published the record names what was and what will be:
		// after a crash between two outputs the next plan misses none of them.
		record := manifest.FanOut{Values: values}
		if len(values) == 0 {
			record.Made = t.work.Made(inputs, digests)
		}
		if err := r.lake.SetFanOut(t.work.Item.Stage, t.work.Item.Unit, record); err != nil {
			return err
		}
		res.fansOut, res.values = true, values
	}
	r.done <- ending{item: t.work.Item, yields: true}
	committed, err := t.staging.Commit(ctx, list)
	if err != nil {
		return err
	}
	sum, err := manifest.ParseSum(m.Fingerprint.Sum)
	if err != nil {
		return err
	}
	for _, c := range committed {
		res.made = append(res.made, plan.Made{Partition: c.Partition, Fingerprint: sum, Digest: c.Digest, Rows: c.Rows, Bytes: c.Bytes})
		res.rowsOut += c.Rows
		res.bytes += c.Bytes
		if c.Unchanged {
			res.unchanged++
		}
	}
	return nil
}

// union of two lists, sorted, without repeats.
func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// isWriteError tells a lake that is full or may not be written from a mistake
// in data.
func isWriteError(err error) bool {
	return slices.ContainsFunc([]error{syscall.ENOSPC, syscall.EROFS, syscall.EDQUOT, fs.ErrPermission}, func(e error) bool {
		return errors.Is(err, e)
	})
}

var _ stage.Task = (*task)(nil)
