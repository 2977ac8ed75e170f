// Package config turns the HCL and Avro text of a project into typed values
// with source ranges, and finds every mistake that can be found without a
// lake. It reads no storage and knows no single partition.
package config

import (
	"regexp"
	"time"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/contract"
	"dag/engine/diag"
	"dag/engine/stage"
)

// Config is one evaluated configuration. Slices are in address order; nothing
// in it changes after Load.
type Config struct {
	Dir       string // the project's folder; names in ranges are relative to it
	LakeRoot  string // as evaluated; not made absolute
	Variables []*Variable
	Calendars []*calendar.Calendar
	Keys      []*Key
	Datasets  []*Dataset // sources and datasets
	Stages    []*Stage
}

// Variable is a declared variable with its value.
type Variable struct {
	Name        string
	Description string
	Value       string // JSON of the value
	Origin      string // "default", "--var", "DAG_VAR_x" or a file's name
	Range       diag.Range
}

// Key is a partition key.
type Key struct {
	Name     string
	Date     bool               // type = date
	Calendar *calendar.Calendar // of a date key
	Pattern  *regexp.Regexp     // nil: any value addr.CheckValue accepts
	// DeriveFrom names the key that Derive computes this key's value from;
	// empty for a key that is never derived.
	DeriveFrom string
	// Derive is the evaluated expression; false when it has no value there.
	// Safe for concurrent use.
	Derive func(value string) (string, bool)
	Range  diag.Range

	patternText string // Pattern as it was written
}

// Dataset is a dataset or a source.
type Dataset struct {
	Addr        addr.Dataset
	Source      bool
	Description string
	Keys        []*Key // in declared order: the identity of a partition
	// Derived are the keys that Keys imply without naming them: a dataset with
	// symbol has root too.
	Derived []*Key
	// Path from the lake root to a partition's folder (dataset) or to the
	// folder that holds the files (source), one element a path segment. Keys
	// that the HCL path does not name are appended for datasets.
	Path []Segment
	// Files are the glob patterns of a source: by the partition's key values,
	// evaluated from HCL. Nil for datasets.
	Files        *FilePattern
	Contract     *contract.Contract // nil for sources
	ContractPath string             // relative to contracts/
	Tables       []Table            // what a partition holds beside its rows, by name
	Sort         []string           // columns each file is sorted by
	// Unstored datasets are never written: the stage that makes one runs inside
	// those that read it.
	Unstored bool
	Tags     []string
	Range    diag.Range
}

// Table is a table that every partition of a dataset holds beside its rows.
type Table struct {
	Name         string
	Contract     *contract.Contract
	ContractPath string // relative to contracts/
}

// Segment is one folder name with key values in it: "symbol=${key.symbol}" is
// {Prefix: "symbol=", Key: "symbol"}. Without Key it is the literal Prefix.
type Segment struct {
	Prefix string
	Key    string
	Suffix string
}

// Stage is one stage instance.
type Stage struct {
	Addr        addr.Stage
	Description string
	Transform   stage.Transform
	Spec        stage.Spec // of Transform
	Inputs      []Input    // in the spec's order
	Outputs     []Output   // in the spec's order
	Params      stage.Params
	Timeout     time.Duration // 0: none
	CPU         float64       // cores one unit uses; 1 by default
	Memory      int64         // bytes one unit may need; 0: the spec's
	Attempts    int           // at least 1
	Backoff     time.Duration // before the second attempt; doubled for each further
	Tags        []string
	Range       diag.Range
}

// Input connects a port to a dataset.
type Input struct {
	Port    string
	From    *Dataset
	Window  *Window  // nil: identity
	Collect []string // keys of From that are collapsed
	Range   diag.Range
}

// Window selects partitions of one key relative to the unit's own value: by
// sessions of a date key's calendar, or among the sorted values that are seen.
type Window struct {
	Key     string
	Dates   bool   // Key is a date
	Lo, Hi  int    // sessions, or values, relative to the unit's: [-7, -1]
	Min     int    // how many must exist; Hi-Lo+1 unless given
	OnShort string // "fail", "skip" or "run"
	Range   diag.Range
}

// Output connects a port to a dataset.
type Output struct {
	Port   string
	To     *Dataset
	FanOut []string
	Range  diag.Range
}
