// Package stagetest runs transforms in memory. Task is a stage.Task over record
// batches and files given by a test; Run takes rows in and rows out from the
// files of testdata. Only tests import it.
package stagetest

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"dag/engine/addr"
	"dag/engine/stage"
)

// Task is a stage.Task that lives in memory.
type Task struct {
	// BatchRows re-batches what is read: every batch of a partition but the
	// last has this many rows. 0 leaves batches as they were given.
	BatchRows int

	t       testing.TB
	spec    stage.Spec
	keys    map[string]string
	params  stage.Params
	files   map[string][]stage.File
	inputs  map[string][]*partition
	outputs map[string]*writer // by port and fan-out values, joined by slashes
	tables  map[string]*writer // by port and table
	binary  map[string]*binary // by port and name

	mu      sync.Mutex
	metrics map[string]int64
}

var _ stage.Task = (*Task)(nil)

// NewTask returns a task of a transform with the given spec. params go over the
// defaults of the spec; the batches of inputs are one partition a port, with the
// task's keys. Whatever the engine would refuse before a run ends the test:
// unknown ports and parameters, parameters without a value, inputs that lack
// columns.
func NewTask(t testing.TB, spec stage.Spec, keys map[string]string, params stage.Params, inputs map[string][]arrow.Record) *Task {
	t.Helper()
	task := &Task{
		t: t, spec: spec, keys: keys, params: spec.Defaults(),
		files: map[string][]stage.File{}, inputs: map[string][]*partition{},
		outputs: map[string]*writer{}, tables: map[string]*writer{}, binary: map[string]*binary{}, metrics: map[string]int64{},
	}
	for name, v := range params {
		if !slices.ContainsFunc(spec.Params, func(p stage.Param) bool { return p.Name == name }) {
			t.Fatalf("%s has no parameter %q", spec.Name, name)
		}
		task.params[name] = v
	}
	for _, p := range spec.Params {
		if err := checkParam(p, task.params[p.Name]); err != nil {
			t.Fatalf("%s: parameter %q: %v", spec.Name, p.Name, err)
		}
	}
	for port, records := range inputs {
		task.AddPartition(port, partitionKeys(keys), records...)
	}
	return task
}

// partitionKeys puts keys in the order of names, dt last.
func partitionKeys(keys map[string]string) addr.Keys {
	names := slices.SortedFunc(maps.Keys(keys), func(a, b string) int {
		switch {
		case a == "dt":
			return 1
		case b == "dt":
			return -1
		}
		return cmp.Compare(a, b)
	})
	var pairs []addr.KeyValue
	for _, n := range names {
		pairs = append(pairs, addr.KeyValue{Key: n, Value: keys[n]})
	}
	return addr.MakeKeys(pairs...)
}

func checkParam(p stage.Param, v any) error {
	ok := false
	switch p.Type {
	case stage.String:
		var s string
		if s, ok = v.(string); ok && len(p.Enum) > 0 && !slices.Contains(p.Enum, s) {
			return fmt.Errorf("%q is none of %q", s, p.Enum)
		}
	case stage.Int:
		_, ok = v.(int64)
	case stage.Float:
		_, ok = v.(float64)
	case stage.Bool:
		_, ok = v.(bool)
	case stage.Floats:
		_, ok = v.([]float64)
	case stage.Texts:
		_, ok = v.([]string)
	}
	if !ok {
		return fmt.Errorf("%v (%T) is no %s", v, v, p.Type)
	}
	if p.Check != nil {
		return p.Check(v)
	}
	return nil
}

func (t *Task) input(port string) *stage.Input {
	for i := range t.spec.Inputs {
		if t.spec.Inputs[i].Name == port {
			return &t.spec.Inputs[i]
		}
	}
	t.t.Helper()
	t.t.Fatalf("%s has no input port %q", t.spec.Name, port)
	return nil
}

// AddPartition adds a partition to an input port; partitions are read in the
// order of their keys.
func (t *Task) AddPartition(port string, keys addr.Keys, records ...arrow.Record) {
	t.t.Helper()
	in := t.input(port)
	for _, rec := range records {
		if err := checkInput(in, rec); err != nil {
			t.t.Fatalf("input %q of %s: %v", port, t.spec.Name, err)
		}
	}
	list := append(t.inputs[port], &partition{task: t, port: port, keys: keys, records: records})
	slices.SortStableFunc(list, func(a, b *partition) int { return cmp.Compare(a.keys, b.keys) })
	t.inputs[port] = list
}

// checkInput looks for the columns the port wants.
func checkInput(in *stage.Input, rec arrow.Record) error {
	if in.Raw {
		return fmt.Errorf("the port is raw; it takes files")
	}
	for _, want := range in.Columns.Fields() {
		at := rec.Schema().FieldIndices(want.Name)
		if len(at) == 0 {
			return fmt.Errorf("column %q is missing", want.Name)
		}
		col := rec.Column(at[0])
		if !arrow.TypeEqual(col.DataType(), want.Type) {
			return fmt.Errorf("column %q is %s instead of %s", want.Name, col.DataType(), want.Type)
		}
		if col.NullN() > 0 && !want.Nullable {
			return fmt.Errorf("column %q has nulls, and the port expects none", want.Name)
		}
	}
	return nil
}

// AddFile adds a file to a raw port; files are listed in the order of names.
func (t *Task) AddFile(port, name string, data []byte) {
	t.t.Helper()
	if !t.input(port).Raw {
		t.t.Fatalf("input %q of %s takes batches, not files", port, t.spec.Name)
	}
	list := append(t.files[port], &file{name, data})
	slices.SortStableFunc(list, func(a, b stage.File) int { return cmp.Compare(a.Name(), b.Name()) })
	t.files[port] = list
}

// Key returns a key of the task; asking for one it does not have fails the test.
func (t *Task) Key(name string) string {
	v, ok := t.keys[name]
	if !ok {
		t.t.Errorf("%s asks for the key %q, which the test did not give", t.spec.Name, name)
	}
	return v
}

// Params returns the parameters.
func (t *Task) Params() stage.Params { return t.params }

// Files lists the files added to a raw port.
func (t *Task) Files(port string) []stage.File { return slices.Clone(t.files[port]) }

// Partitions lists the partitions of a port.
func (t *Task) Partitions(port string) []stage.Partition {
	var out []stage.Partition
	for _, p := range t.inputs[port] {
		out = append(out, p)
	}
	return out
}

// Read streams all partitions of a port.
func (t *Task) Read(port string, columns ...string) stage.Batches {
	return func(yield func(arrow.Record, error) bool) {
		for _, p := range t.inputs[port] {
			for rec, err := range p.Read(columns...) {
				if !yield(rec, err) || err != nil {
					return
				}
			}
		}
	}
}

// Count adds to a metric.
func (t *Task) Count(metric string, n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.metrics[metric] += n
}

// Metrics returns what has been counted.
func (t *Task) Metrics() map[string]int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.metrics)
}

// Scratch opens a file in a folder of the test.
func (t *Task) Scratch() (stage.ScratchFile, error) {
	f, err := os.CreateTemp(t.t.TempDir(), "scratch-*")
	if err != nil {
		return nil, err
	}
	t.t.Cleanup(func() { f.Close() }) // the transform may have closed it
	return f, nil
}

// Output opens the writer of a port. Like the engine it refuses values that
// cannot name a partition, and a partition that is opened twice.
func (t *Task) Output(port string, fanOut ...string) (stage.Writer, error) {
	out, err := t.output(port)
	if err != nil {
		return nil, err
	}
	if out.FanOut != (len(fanOut) > 0) {
		return nil, fmt.Errorf("port %q of %s was opened with the fan-out values %q", port, t.spec.Name, fanOut)
	}
	for _, v := range fanOut {
		if err := addr.CheckValue(v); err != nil {
			return nil, err
		}
	}
	id := outputID(port, fanOut)
	if t.outputs[id] != nil {
		return nil, fmt.Errorf("%s opens %s twice", t.spec.Name, id)
	}
	w := &writer{id: id, schema: out.Schema}
	t.outputs[id] = w
	if out.Extends == nil {
		return w, nil
	}
	return t.extend(w, out.Extends)
}

func (t *Task) output(port string) (*stage.Output, error) {
	i := slices.IndexFunc(t.spec.Outputs, func(o stage.Output) bool { return o.Name == port })
	if i < 0 {
		return nil, fmt.Errorf("%s has no output port %q", t.spec.Name, port)
	}
	return &t.spec.Outputs[i], nil
}

func outputID(port string, fanOut []string) string {
	return strings.Join(append([]string{port}, fanOut...), "/")
}

// Rows returns the batches written to a partition, nil if it was not opened.
func (t *Task) Rows(port string, fanOut ...string) []arrow.Record {
	if w := t.outputs[outputID(port, fanOut)]; w != nil {
		return w.records
	}
	return nil
}

// Table returns the rows written to a partition as one record, of no rows if
// there are none.
func (t *Task) Table(port string, fanOut ...string) arrow.Record {
	t.t.Helper()
	for _, o := range t.spec.Outputs {
		if o.Name == port {
			return concat(o.Schema, t.Rows(port, fanOut...))
		}
	}
	t.t.Fatalf("%s has no output port %q", t.spec.Name, port)
	return nil
}

// FanOuts lists the fan-out values a port was opened with, sorted; several
// values of one partition are joined by slashes.
func (t *Task) FanOuts(port string) []string {
	var out []string
	for id := range t.outputs {
		if value, ok := strings.CutPrefix(id, port+"/"); ok {
			out = append(out, value)
		}
	}
	slices.Sort(out)
	return out
}

// writer keeps copies of what is written.
type writer struct {
	id      string
	schema  *arrow.Schema
	records []arrow.Record
	closed  bool
}

func (w *writer) Write(rec arrow.Record) error {
	if w.closed {
		return fmt.Errorf("%s is written after it was closed", w.id)
	}
	if err := checkOutput(w.schema, rec); err != nil {
		return fmt.Errorf("a batch for %s: %w", w.id, err)
	}
	w.records = append(w.records, concat(w.schema, []arrow.Record{rec}))
	return nil
}

func (w *writer) Close() error {
	if w.closed {
		return fmt.Errorf("%s is closed twice", w.id)
	}
	w.closed = true
	return nil
}

// checkOutput holds a batch to the output schema.
func checkOutput(want *arrow.Schema, rec arrow.Record) error {
	if int(rec.NumCols()) != want.NumFields() {
		return fmt.Errorf("it has %d columns instead of %d", rec.NumCols(), want.NumFields())
	}
	for i, f := range want.Fields() {
		col := rec.Column(i)
		switch {
		case rec.ColumnName(i) != f.Name:
			return fmt.Errorf("column %d is %q instead of %q", i+1, rec.ColumnName(i), f.Name)
		case !arrow.TypeEqual(col.DataType(), f.Type):
			return fmt.Errorf("column %q is %s instead of %s", f.Name, col.DataType(), f.Type)
		case col.NullN() > 0 && !f.Nullable:
			return fmt.Errorf("column %q has %d nulls and cannot have any", f.Name, col.NullN())
		case int64(col.Len()) != rec.NumRows():
			return fmt.Errorf("column %q has %d rows in a batch of %d", f.Name, col.Len(), rec.NumRows())
		}
	}
	return nil
}

// file is a raw file in memory.
type file struct {
	name string
	data []byte
}

func (f *file) Name() string                 { return f.name }
func (f *file) Open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.data)), nil }
