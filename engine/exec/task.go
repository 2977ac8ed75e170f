package exec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/arrow/go/v17/arrow"

	"dag/engine/addr"
	"dag/engine/event"
	"dag/engine/graph"
	"dag/engine/lake"
	"dag/engine/manifest"
	"dag/engine/plan"
	"dag/engine/stage"
)

// progressEvery is how often a running unit reports its rows.
const progressEvery = 200 * time.Millisecond

// task is the stage.Task of one attempt.
type task struct {
	reader
	ctx     context.Context
	run     *runner
	staging *lake.Staging
	fanOut  *graph.Output // nil unless the stage fans out
	opened  []*output

	metricsMu       sync.Mutex
	metrics         manifest.Metrics
	counted         map[*plan.Work]bool // fused stages whose metrics are in
	rowsIn, rowsOut atomic.Int64
	peak            atomic.Int64 // see measure
	reported        time.Time
}

// output is one output partition of the unit.
type output struct {
	def       *graph.Output
	partition addr.Partition
	value     string // of a fan-out
	writer    *lake.Writer
	taken     bool // the transform has asked for the rows' writer
	task      *task
}

func newTask(ctx context.Context, r *runner, w *plan.Work, s *lake.Staging) *task {
	t := &task{ctx: ctx, run: r, staging: s, metrics: manifest.Metrics{}, counted: map[*plan.Work]bool{}}
	t.reader = reader{work: w, from: &opened{
		ctx: ctx, lake: r.lake, parts: map[addr.Partition]*lake.Partition{}, files: map[string]*lake.SourceFile{},
		read: func(rows int64) { t.progress(&t.rowsIn, rows) }, fused: t.countFused, scratch: s.Scratch,
	}}
	for i := range w.Stage.Outputs {
		if len(w.Stage.Outputs[i].FanOut) > 0 {
			t.fanOut = &w.Stage.Outputs[i]
		}
	}
	return t
}

// countFused takes the metrics of a fused stage once, under its name: a reader may
// have read it more than once.
func (t *task) countFused(w *plan.Work, m manifest.Metrics) {
	if t.counted[w] {
		return
	}
	t.counted[w] = true
	for name, n := range m {
		t.Count(w.Stage.Addr.String()+"."+name, n)
	}
}

func (t *task) Count(metric string, n int64) {
	t.metricsMu.Lock()
	defer t.metricsMu.Unlock()
	t.metrics[metric] += n
}

func (t *task) metricsCopy() manifest.Metrics {
	t.metricsMu.Lock()
	defer t.metricsMu.Unlock()
	return maps.Clone(t.metrics)
}

// measure looks at the process's heap, and keeps the most that it was while this
// unit ran. It is looked at with every batch that is read or written, and at the end.
func (t *task) measure() {
	if t.run.o.Heap == nil {
		return
	}
	n := t.run.o.Heap()
	for was := t.peak.Load(); n > was && !t.peak.CompareAndSwap(was, n); was = t.peak.Load() {
	}
}

// progress counts rows and reports them now and then.
func (t *task) progress(count *atomic.Int64, rows int64) {
	count.Add(rows)
	t.measure()
	now := t.run.o.Now()
	if now.Sub(t.reported) < progressEvery {
		return
	}
	t.reported = now
	t.run.emit(event.StepProgress{Time: now, Unit: unitOf(t.work.Item), RowsIn: t.rowsIn.Load(), RowsOut: t.rowsOut.Load()})
}

func (t *task) Output(port string, fanOut ...string) (stage.Writer, error) {
	o, err := t.openOutput(port, fanOut)
	if err != nil {
		return nil, err
	}
	if o.taken {
		return nil, fmt.Errorf("%s is written twice by one unit", o.partition)
	}
	o.taken = true
	return o, nil
}

func (t *task) OutputTable(port, table string) (stage.Writer, error) {
	o, err := t.openOutput(port, nil)
	if err != nil {
		return nil, err
	}
	return o.writer.Table(table)
}

func (t *task) OutputFile(port, name string) (io.WriteCloser, error) {
	o, err := t.openOutput(port, nil)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(o.spec().Files, name) {
		return nil, fmt.Errorf("the transform %s declares no file %q at port %q", t.work.Stage.Spec.Name, name, port)
	}
	return o.writer.File(name)
}

// openOutput opens the partition of a port, once.
func (t *task) openOutput(port string, fanOut []string) (*output, error) {
	def := t.outputDef(port)
	if def == nil {
		return nil, fmt.Errorf("the transform %s has no output port %q", t.work.Stage.Spec.Name, port)
	}
	p, err := t.work.Output(*def, fanOut)
	if err != nil {
		return nil, err
	}
	for _, o := range t.opened {
		if o.partition == p {
			return o, nil
		}
	}
	o := &output{def: def, partition: p, value: strings.Join(fanOut, ","), task: t}
	if o.writer, err = t.openWriter(o); err != nil {
		return nil, err
	}
	t.opened = append(t.opened, o)
	return o, nil
}

func (t *task) openWriter(o *output) (*lake.Writer, error) {
	e := o.spec().Extends
	if e == nil {
		return t.staging.Partition(o.partition)
	}
	var from *plan.InputRef
	for i := range t.work.Inputs {
		in := &t.work.Inputs[i]
		switch {
		case in.Port != e.Port:
		case from != nil:
			return nil, fmt.Errorf("port %q goes on from input %q, which has several partitions", o.def.Port, e.Port)
		default:
			from = in
		}
	}
	if from == nil {
		return nil, fmt.Errorf("port %q goes on from input %q, which has no partition", o.def.Port, e.Port)
	}
	if from.Fused != nil {
		return t.staging.ExtendRead(o.partition, t.from.partition(from).Read, e)
	}
	in, err := t.from.open(from.Partition)
	if err != nil {
		return nil, err
	}
	return t.staging.Extend(t.ctx, o.partition, in, e)
}

func (t *task) outputDef(port string) *graph.Output {
	for i := range t.work.Stage.Outputs {
		if t.work.Stage.Outputs[i].Port == port {
			return &t.work.Stage.Outputs[i]
		}
	}
	return nil
}

func (o *output) Write(rec arrow.Record) error {
	if err := o.task.ctx.Err(); err != nil {
		return err
	}
	if err := o.writer.Write(rec); err != nil {
		return err
	}
	o.task.progress(&o.task.rowsOut, rec.NumRows())
	return nil
}

func (o *output) Close() error { return o.writer.Close() }

// spec is what the transform declares of the port.
func (o *output) spec() *stage.Output {
	outputs := o.task.work.Stage.Spec.Outputs
	i := slices.IndexFunc(outputs, func(s stage.Output) bool { return s.Name == o.def.Port })
	return &outputs[i]
}

// closeWriters ends all rows; a port with binary files holds each of them, even
// if nothing was written to it.
func (t *task) closeWriters() error {
	for i := range t.work.Stage.Spec.Outputs {
		out := &t.work.Stage.Spec.Outputs[i]
		for _, name := range out.Files {
			o, err := t.openOutput(out.Name, nil)
			if err != nil {
				return err
			}
			if o.writer.Holds(name) {
				continue
			}
			if _, err := o.writer.File(name); err != nil {
				return err
			}
		}
	}
	for _, o := range t.opened {
		if err := o.writer.Close(); err != nil {
			return err
		}
	}
	return nil
}

// close lets go of the inputs.
func (t *task) close() { t.from.close() }

// outputs lists everything to commit: what was opened; each port that was not,
// empty; and empty partitions for the values a fan-out made before and does not
// make any more. values are those of the fan-out, old and new, sorted.
func (t *task) outputs() (list []*output, values []string, err error) {
	list = slices.Clone(t.opened)
	add := func(def *graph.Output, fanOut []string) {
		p, perr := t.work.Output(*def, fanOut)
		list, err = append(list, &output{def: def, partition: p}), errors.Join(err, perr)
	}
	var made []string
	for i := range t.work.Stage.Outputs {
		def := &t.work.Stage.Outputs[i]
		if def != t.fanOut && !slices.ContainsFunc(list, func(o *output) bool { return o.def == def }) {
			add(def, nil)
		}
	}
	if t.fanOut == nil {
		return list, nil, err
	}
	for _, o := range list {
		if o.def == t.fanOut {
			made = append(made, o.value)
		}
	}
	values = union(t.work.Before, made)
	for _, v := range values {
		if !slices.Contains(made, v) {
			add(t.fanOut, strings.Split(v, ","))
		}
	}
	return list, values, err
}

// inputs records what was read, with the digests of what was really there.
func (t *task) inputs() ([]manifest.Input, []manifest.Sum, error) { return t.from.inputs(t.work) }
