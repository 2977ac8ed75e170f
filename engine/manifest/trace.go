package manifest

import (
	"encoding/hex"

	"dag/engine/addr"
	"dag/engine/calendar"
)

// Sum is 128 bits of a SHA-256: a digest of content or a fingerprint. The
// zero Sum means unknown.
type Sum [16]byte

func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// State is what the folder of a partition says about itself.
type State uint8

// The states of a partition's folder. Only Complete and Unverified have data
// that may be read.
const (
	Missing            State = iota // no folder
	Incomplete                      // a folder without _SUCCESS
	UnreadableManifest              // _SUCCESS is ours, its manifest is gone, broken or another
	OutputChanged                   // _SUCCESS and manifest are ours, a data file is gone, or not what it was
	Unverified                      // _SUCCESS of somebody else
	Complete
)

// HasData tells whether the partition may be read.
func (s State) HasData() bool { return s == Complete || s == Unverified }

// Trace is what planning needs to know of one partition; small, since a lake
// has millions.
type Trace struct {
	Day         calendar.Day // of the date key; 0 in a dataset without one
	State       State
	Fingerprint Sum // as recorded in the manifest; zero unless Complete
	Digest      Sum // of the content
	Rows        int64
	Bytes       int64
}

// SourceFile is one file of a source's folder.
type SourceFile struct {
	Name    string
	Size    int64
	ModTime int64 // ns since the epoch
	Digest  Sum   // zero: not known without reading the file
}

// Series is all partitions of a dataset with the same keys but for the date.
type Series struct {
	Keys  addr.Keys // without the date key, in declared order
	Parts []Trace   // of a dataset, ascending by Day
	// First and Last are the days of the first and the last folder there is, asked
	// for or not; Last < First where there is none.
	First, Last calendar.Day
	Files       []SourceFile
	// Files of a source's folder by name: which partition each belongs to is
	// decided by the source's file pattern.
}

// Table is what the lake holds of one dataset or source; Series ascend by Keys.
type Table struct {
	Dataset addr.Dataset
	Series  []Series
	Passed  []PassedOver // of a source
}

// PassedOver is a name below a source's folders that is none of its files, and why.
type PassedOver struct {
	Path   string    // relative to the lake root
	Series addr.Keys // and Name, as a file's, where it lies among the files of a series
	Name   string
	Why    string
}

// Want says what is asked of a table: of a series, given by its keys without the
// date, which days. A nil Want asks for everything, a nil result for nothing of
// the series.
type Want func(series addr.Keys) func(calendar.Day) bool
