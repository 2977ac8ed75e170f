// Package stage is the seam between the engine and the work: what a transform
// declares of itself (Spec) and what it is given when it runs (Task). A
// transform sees record batches and opened files, never paths, HCL or the lake.
package stage

import (
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/apache/arrow/go/v17/arrow"

	"dag/engine/addr"
)

// Transform is one kind of work that a stage block can name.
//
// Run must be a pure function of its inputs and parameters: the same input
// gives the same output, whatever the batch size, time or machine. It is called
// by many goroutines at once, each with a Task of its own.
type Transform interface {
	Spec() Spec
	Run(ctx context.Context, t Task) error
}

// Spec is everything the engine knows of a transform before it runs.
type Spec struct {
	Name    string // as HCL names it: "silver.future.bar5s"
	Version int    // raised whenever the same input would give other output
	Summary string // one line for people
	Inputs  []Input
	Outputs []Output
	Params  []Param
	Memory  int64 // bytes one run may need at its peak, unless the stage declares it
}

// Input is a port that data comes in by.
type Input struct {
	Name string
	Doc  string
	// Raw ports get opened files of a source; the others get record batches.
	Raw bool
	// Columns the transform reads, with the types it expects. The dataset
	// connected to the port must have them; it may have more. Nil for Raw.
	Columns *arrow.Schema
}

// Output is a port that data goes out by.
type Output struct {
	Name string
	Doc  string
	// Schema of every batch written to the port: names, order, types,
	// nullability. It must equal the contract of the dataset.
	Schema *arrow.Schema
	// FanOut ports take key values that only the data tells.
	FanOut bool
	// Extends says that the rows of this port are those of an input, in order.
	// nil: they are the transform's own. Not for FanOut ports.
	Extends *Extension
	// Tables that a partition holds beside its rows, such as the parameters of
	// an index. The dataset names a contract for each. Not for FanOut ports.
	Tables []Table
	// Files are the names of binary files that a partition holds beside its
	// tables. Not for FanOut ports.
	Files []string
}

// Extension is how a port's rows go on from an input's. For every row of the input
// the transform writes a row of the columns Adds, in the order of the schema; the
// engine passes all others on, without decoding where it can. With Filter it
// writes the column of Keep instead, and the engine passes on the rows kept.
type Extension struct {
	Port   string // the input: one partition of a dataset, with all columns passed on
	Adds   []string
	Filter bool
}

// Keep is what is written for a port that filters: a row for each of the input's.
var Keep = arrow.NewSchema([]arrow.Field{{Name: "keep", Type: arrow.FixedWidthTypes.Boolean}}, nil)

// Table is a further table of an output partition.
type Table struct {
	Name   string // of the dataset's contract for it; its file is Name.parquet
	Doc    string
	Schema *arrow.Schema // as an Output's
}

// ParamType is the type of a parameter. The Go type of its value stands beside.
type ParamType string

// The types of parameters.
const (
	String ParamType = "string"         // string
	Int    ParamType = "int"            // int64
	Float  ParamType = "float"          // float64
	Bool   ParamType = "bool"           // bool
	Floats ParamType = "list of floats" // []float64
	Texts  ParamType = "list of text"   // []string
)

// Param declares one parameter. A parameter without a Default is required.
type Param struct {
	Name    string
	Type    ParamType
	Default any      // of the Go type that Type names; nil: required
	Enum    []string // allowed values of a String; empty: any
	Doc     string
	// Check says why a value of the right type cannot be; nil: any can.
	Check func(v any) error
}

// Params are the evaluated parameters of one stage: every declared one is
// there, with its default if HCL says nothing.
type Params map[string]any

// String returns a String parameter; asking for an undeclared one is a bug in the
// transform and panics, as with the other getters.
func (p Params) String(name string) string { return get[string](p, name) }

// Int returns an Int parameter.
func (p Params) Int(name string) int64 { return get[int64](p, name) }

// Float returns a Float parameter.
func (p Params) Float(name string) float64 { return get[float64](p, name) }

// Bool returns a Bool parameter.
func (p Params) Bool(name string) bool { return get[bool](p, name) }

// Floats returns a Floats parameter; the caller must not change it.
func (p Params) Floats(name string) []float64 { return get[[]float64](p, name) }

// Texts returns a Texts parameter; the caller must not change it.
func (p Params) Texts(name string) []string { return get[[]string](p, name) }

func get[T any](p Params, name string) T {
	v, ok := p[name].(T)
	if !ok {
		panic(fmt.Sprintf("stage: parameter %q is %T", name, p[name]))
	}
	return v
}

// Defaults returns the parameters of s that have defaults, with those.
func (s Spec) Defaults() Params {
	p := Params{}
	for _, d := range s.Params {
		if d.Default != nil {
			p[d.Name] = d.Default
		}
	}
	return p
}

// Batches yields record batches in order. A yielded record is valid until the
// next one is asked for; Retain it to keep it. After an error nothing follows.
type Batches = iter.Seq2[arrow.Record, error]

// Task is one run of a transform over one unit: a stage instance and its
// input-side key values. It is used by one goroutine at a time, except Count.
type Task interface {
	// Key returns the unit's value of a key, such as "root", "symbol" or "dt".
	Key(name string) string
	// Params returns the evaluated parameters.
	Params() Params
	// Files lists the raw files of a Raw port in name order.
	Files(port string) []File
	// Read streams all partitions of a port, in key order, with the named
	// columns in the named order; no names mean all columns.
	Read(port string, columns ...string) Batches
	// Partitions lists the partitions of a port, in key order, to be read one
	// by one: for windows and collects.
	Partitions(port string) []Partition
	// Output opens the writer of a port. A fan-out port takes one value for
	// each of its fan_out keys, in declared order; others take none. A value
	// that cannot become a partition (pattern, path) is an error that names it.
	// A port that is never opened is committed empty, with its schema.
	Output(port string, fanOut ...string) (Writer, error)
	// OutputTable opens the writer of a further table of a port. One that is
	// never opened is committed empty.
	OutputTable(port, table string) (Writer, error)
	// OutputFile opens the writer of a binary file of a port. One that is never
	// opened is committed with no bytes. Close ends it.
	OutputFile(port, name string) (io.WriteCloser, error)
	// Count adds n to a metric of the manifest, such as "dropped_spread".
	Count(metric string, n int64)
	// Scratch opens a new file in the unit's staging for spilled data; the
	// engine removes it after the run.
	Scratch() (ScratchFile, error)
}

// Writer takes the batches of one output partition. Schema and nullability
// are checked against the contract on every Write. Close ends the partition's
// data and frees its memory; the engine closes what a transform leaves open.
type Writer interface {
	Write(rec arrow.Record) error
	Close() error
}

// File is one raw input file.
type File interface {
	Name() string // path relative to the lake root, for messages
	// Open starts reading at the beginning. The engine hashes what is read, so
	// a file is read to its end once; a second Open reads it again.
	Open() (io.ReadCloser, error)
}

// Partition is one input partition of a port.
type Partition interface {
	Keys() addr.Keys
	Rows() int64
	Read(columns ...string) Batches
}

// ScratchFile is a temporary file.
type ScratchFile interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.Seeker
	io.Closer
}
