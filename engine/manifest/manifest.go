// Package manifest says what is recorded of a partition: the manifest beside
// its data, the fingerprint that decides staleness, component by component,
// and the compact Trace that planning compares. It touches no storage.
package manifest

import "dag/engine/addr"

// File names inside a partition's folder.
const (
	FileName    = "_MANIFEST.json"
	SuccessName = "_SUCCESS"
	DataName    = "part-00000.parquet"
)

// TableName is the file of a table that a partition holds beside its rows.
func TableName(table string) string { return table + ".parquet" }

// Format and FormatVersion identify our manifests.
const (
	Format        = "dag.manifest"
	FormatVersion = 1
)

// Manifest is the record beside a partition's data. Its JSON is the stable
// format documented in lake/README.md.
type Manifest struct {
	Format        string      `json:"format"`
	FormatVersion int         `json:"format_version"`
	Dataset       string      `json:"dataset"`
	Keys          addr.Keys   `json:"keys"`
	Stage         string      `json:"stage"`
	Unit          addr.Keys   `json:"unit"` // the unit's keys; differ from Keys where a stage fans out
	Transform     string      `json:"transform"`
	Version       int         `json:"transform_version"`
	Contract      Contract    `json:"contract"`
	Params        any         `json:"params"`               // as evaluated, for people; map[string]any
	Definition    []string    `json:"definition,omitempty"` // of the stage, a line a port; absent in older ones
	Fingerprint   Fingerprint `json:"fingerprint"`
	Inputs        []Input     `json:"inputs"`
	FanOut        []string    `json:"fan_out,omitempty"` // as FanOut.Values when it was made
	Files         []File      `json:"files"`
	Digest        string      `json:"digest"` // Sum over Files
	RowCount      int64       `json:"row_count"`
	Metrics       Metrics     `json:"metrics,omitempty"`
	Reason        Reason      `json:"reason"` // why this run was made
	Run           Run         `json:"run"`
	Touched       []Touch     `json:"touched,omitempty"` // the oldest first
}

// Contract names the contract the data was checked against.
type Contract struct {
	Path   string `json:"path"` // relative to contracts/
	Digest string `json:"digest"`
}

// Input is one input partition that was read, or one file of a source.
type Input struct {
	Port      string `json:"port"`
	Partition string `json:"partition"`
	Digest    string `json:"digest"`
	// Of a source's file only:
	File    string `json:"file,omitempty"` // path relative to the lake root
	Bytes   int64  `json:"bytes,omitempty"`
	ModTime int64  `json:"mtime_ns,omitempty"`
	// Made is how an input that is not stored was made, in the unit that read it.
	// Its Digest is the fingerprint then.
	Made *Made `json:"made,omitempty"`
}

// Made is what something was made from, and by what.
type Made struct {
	Stage       string      `json:"stage"`
	Transform   string      `json:"transform"`
	Version     int         `json:"transform_version"`
	Contract    Contract    `json:"contract"`
	Params      any         `json:"params"` // as in Manifest
	Definition  []string    `json:"definition,omitempty"`
	Fingerprint Fingerprint `json:"fingerprint"`
	Inputs      []Input     `json:"inputs"`
}

// Made is what m says of how the partition was made.
func (m *Manifest) Made() *Made {
	return &Made{
		Stage: m.Stage, Transform: m.Transform, Version: m.Version, Contract: m.Contract, Params: m.Params, Definition: m.Definition,
		Fingerprint: m.Fingerprint, Inputs: m.Inputs,
	}
}

// FanOut is what the record of a fan-out stage says of a unit.
type FanOut struct {
	// Values are those of every partition that the unit has made: one that it has
	// emptied since stays its own.
	Values []string `json:"values"`
	// Made is what the unit was made from. It is there only where no value is: all
	// others have manifests.
	Made *Made `json:"made,omitempty"`
}

// File is one data file of the partition.
type File struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Size is the number of bytes in files.
func Size(files []File) int64 {
	var n int64
	for _, f := range files {
		n += f.Bytes
	}
	return n
}

// Metrics are counts made by the transform.
type Metrics map[string]int64

// Adopted is the code of a manifest that was written for the data of another
// tool. No unit ran.
const Adopted = "adopted"

// Reason is why a unit ran.
type Reason struct {
	Code   string `json:"code"`
	Detail string `json:"detail,omitempty"` // the rest in one line, for people
	Cause  string `json:"cause,omitempty"`  // the partition that the code speaks of
	File   string `json:"file,omitempty"`   // of a source
	Old    string `json:"old,omitempty"`    // the values that differ: digests, parameters, versions
	New    string `json:"new,omitempty"`
	// Through leads on from a cause that is not stored, down to what is: such data
	// has no manifest of its own that could tell.
	Through []Step `json:"through,omitempty"`
}

// Step is the reason of a partition that is not stored.
type Step struct {
	Partition string `json:"partition"`
	Reason
}

// Run says by which apply and how dearly the partition was made. Nothing in
// it enters a fingerprint.
type Run struct {
	ID        string `json:"id"`
	StartedAt string `json:"started_at"` // RFC 3339, UTC
	ElapsedNS int64  `json:"elapsed_ns"`
	// PeakBytes is the most heap, garbage included, that the whole process had in use
	// whenever the unit read or wrote a batch: its plan and the units that ran beside
	// this one are in it, so that the unit itself took no more. 0: not measured.
	PeakBytes int64 `json:"peak_bytes,omitempty"`
}

// Touch says that a person declared the data up to date after a change that did
// not concern it. Fingerprint and inputs of the manifest are those of now; what
// was recorded before is named here.
type Touch struct {
	At          string `json:"at"` // RFC 3339, UTC
	Reason      string `json:"reason"`
	Code        string `json:"code"` // what had changed, as a reason to run
	Detail      string `json:"detail,omitempty"`
	Cause       string `json:"cause,omitempty"` // this and the next three as in Reason
	File        string `json:"file,omitempty"`
	Old         string `json:"old,omitempty"`
	New         string `json:"new,omitempty"`
	Fingerprint string `json:"fingerprint"` // the sum recorded before
}

// Fingerprint is what a partition was made from, by component; each is the hex
// of a Sum. Sum covers the others.
type Fingerprint struct {
	Sum        string `json:"sum"`
	Definition string `json:"definition"`
	Params     string `json:"params"`
	Transform  string `json:"transform"`
	Contract   string `json:"contract"`
	Inputs     string `json:"inputs"`
}
