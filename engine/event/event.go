// Package event says what happened during an apply, as plain structs, to
// whoever listens. It makes no words and no decisions.
package event

import (
	"time"

	"dag/engine/addr"
)

// Event is one of the structs below.
type Event interface{ isEvent() }

// Sink receives events, in order, one at a time. It must not block for long.
type Sink func(Event)

// Tee returns a Sink that passes every event to each of sinks in turn.
func Tee(sinks ...Sink) Sink {
	return func(e Event) {
		for _, s := range sinks {
			s(e)
		}
	}
}

// Unit names one run of a stage instance. It is what all step events carry.
type Unit struct {
	Stage addr.Stage
	Keys  addr.Keys // the unit's own keys: [root=ES,dt=2025-08-04]
}

func (u Unit) String() string { return addr.UnitName(u.Stage.String(), u.Keys) }

// Result is how a unit ended.
type Result string

// The results of a unit.
const (
	Done     Result = "done"
	CutOff   Result = "cut_off" // may run, and its inputs came out the same
	Skipped  Result = "skipped" // short window with on_short = "skip"
	Failed   Result = "failed"
	Blocked  Result = "blocked" // something it needs failed or is not selected
	Canceled Result = "canceled"
)

// Work is how many units of a stage there are to end, and what one takes.
type Work struct {
	Stage addr.Stage
	Units int
	Each  time.Duration // by earlier runs; 0: there are none
}

// RunStarted opens the stream.
type RunStarted struct {
	Time     time.Time
	RunID    string
	WillRun  int
	MayRun   int
	Workers  int
	Memory   int64
	LakeRoot string
	Work     []Work // units that are blocked included
}

// StepStarted says that a unit began, or begins again after a failure.
type StepStarted struct {
	Time    time.Time
	Unit    Unit
	Reason  string // code from the closed set
	Attempt int    // from 1
	// Chain leads from the unit to the first cause; empty where the code says all.
	Chain []Cause
}

// Cause is one link of a chain: a partition, and why it is not as it was.
type Cause struct {
	Partition string
	Code      string
	About     string // the partition that the code speaks of
	File      string // of a source
	Old, New  string // the values that differ
}

// Input is a partition, or a source's file, that a unit reads.
type Input struct {
	Port      string
	Partition addr.Partition
	File      string // of a source
	Digest    string // of what was there; empty: it was not read to its end
}

// StepProgress counts what a running unit has read and written so far.
type StepProgress struct {
	Time    time.Time
	Unit    Unit
	RowsIn  int64
	RowsOut int64
}

// StepRetried says that an attempt failed and another will follow.
type StepRetried struct {
	Time    time.Time
	Unit    Unit
	Attempt int
	Err     error
	Wait    time.Duration
}

// StepReplanned says that a unit was planned anew right before it ran.
type StepReplanned struct {
	Time        time.Time
	Unit        Unit
	Differences []string // what is not as it was when it was planned
}

// StepFinished ends a unit, whichever way.
type StepFinished struct {
	Time       time.Time
	Unit       Unit
	Result     Result
	Err        error         // of Failed
	Because    string        // of Blocked and Skipped: what stood in the way
	Elapsed    time.Duration // 0 if it never started
	RowsIn     int64
	RowsOut    int64
	Bytes      int64            // written
	PeakBytes  int64            // see manifest.Run; 0 if it was not measured
	Partitions []addr.Partition // committed
	Digests    []string         // of their content, in the same order
	Unchanged  int              // of them, how many came out with the bytes they had
	Inputs     []Input          // that it read, or was to read; none if it never started
	Metrics    map[string]int64 // counted by the transform, up to a failure
}

// Grown says that a fan-out made values the plan did not know.
type Grown struct {
	Time   time.Time
	Unit   Unit
	Values []string
	Added  int    // units added to the plan
	Units  []Unit // those
	Work   []Work // the same, by stage
}

// Notice is a fact worth a line: a dead owner's lease taken over, leftovers swept.
type Notice struct {
	Time time.Time
	Text string
}

// RunFinished closes the stream.
type RunFinished struct {
	Time    time.Time
	RunID   string
	Elapsed time.Duration
	Counts  map[Result]int
}

func (RunStarted) isEvent()    {}
func (StepStarted) isEvent()   {}
func (StepProgress) isEvent()  {}
func (StepRetried) isEvent()   {}
func (StepReplanned) isEvent() {}
func (StepFinished) isEvent()  {}
func (Grown) isEvent()         {}
func (Notice) isEvent()        {}
func (RunFinished) isEvent()   {}
