package plan

import (
	"strings"

	"dag/engine/addr"
)

// Code is why a unit runs, or may run. The set is closed.
type Code string

// The reasons.
const (
	MissingOutput    Code = "missing"
	IncompleteOutput Code = "incomplete"
	UnreadableOutput Code = "unreadable_manifest"
	OutputChanged    Code = "output_changed"
	InputChanged     Code = "input_changed"
	InputAdded       Code = "input_added"
	InputRemoved     Code = "input_removed"
	StageChanged     Code = "stage_changed"
	TransformChanged Code = "transform_version_changed"
	ContractChanged  Code = "contract_changed"
	ParamsChanged    Code = "params_changed"
	Forced           Code = "forced"
	Upstream         Code = "upstream"
	KnownAfterFanOut Code = "known_after"
	UnverifiedOutput Code = "unverified" // not stale: shown where a state is shown
)

// Codes lists the closed set, in the order they are explained.
var Codes = []Code{
	MissingOutput, IncompleteOutput, UnreadableOutput, OutputChanged, InputChanged, InputAdded, InputRemoved, StageChanged,
	TransformChanged, ContractChanged, ParamsChanged, Forced, Upstream, KnownAfterFanOut, UnverifiedOutput,
}

// Reason is a Code with what it is about.
type Reason struct {
	Code Code `json:"code"`
	// Cause is the partition the code speaks of: the missing output, the input
	// that changed, or for Upstream the input that reruns.
	Cause *addr.Partition `json:"-"`
	// File is the source's file that changed, where the cause is a source.
	File string `json:"file,omitempty"`
	// Old and New are the values that differ, where there are any.
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
	// Through leads on from a Cause that is not stored and has changed, down to what
	// is stored.
	Through []Link `json:"-"`
}

// links are what a partition's reason has to say.
func (r Reason) links(part addr.Partition) []Link {
	return append([]Link{{part, r}}, r.Through...)
}

// followsInput tells whether the cause is an input, which may have a cause in turn.
func (r Reason) followsInput() bool {
	return r.Cause != nil && (r.Code == Upstream || r.Code == InputChanged || r.Code == InputAdded)
}

// Detail is what the reason is about, as manifests record it.
func (r Reason) Detail() string {
	var parts []string
	if r.Cause != nil {
		parts = append(parts, r.Cause.String())
	}
	for _, s := range []string{r.File, r.Old, r.New} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, " · ")
}

// Action is what becomes of a unit that is not fresh.
type Action string

// The actions.
const (
	WillRun Action = "run"
	MayRun  Action = "may" // released as up to date if its inputs come out the same
)

// Item is one unit of work: a stage instance and its input-side key values.
type Item struct {
	ID     int
	Stage  addr.Stage
	Unit   addr.Keys
	Action Action
	Reason Reason
	// Blocked says what stands in the way of running it: an input that is
	// stale, and not in the plan. Empty for what can run.
	Blocked string
	// Outputs that are known. A fan-out that never ran has none.
	Outputs []addr.Partition
	Unknown bool // its outputs are known only after it has run
	// Deps are the items that must end before this one is looked at.
	Deps   []int
	Memory int64   // bytes to reserve; 0: unknown
	CPU    float64 // cores to reserve

	unit    unitRef
	started bool // it has been resolved: it runs, or has ended
	made    bool // it has committed
}

// unitRef finds the unit again: its series and its session (0 if undated).
type unitRef struct {
	series  *unitSeries
	session int
}
