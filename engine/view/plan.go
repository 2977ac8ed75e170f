package view

import (
	"cmp"
	"slices"
	"time"

	"dag/engine/addr"
	"dag/engine/graph"
	"dag/engine/plan"
)

// formatVersion is that of every JSON document of this package.
const formatVersion = 1

// Commands makes commands that a reader can paste. Name is the program with
// the flags that find this project and lake again, Selection the selecting
// part of the command line; both are quoted for a shell. Apply runs the plan that is
// shown, where that is something else than applying the selection. Unrecorded: the run
// has no record to be looked up.
type Commands struct {
	Name, Selection, Apply string
	Unrecorded             bool
}

func (c Commands) apply() string { return cmp.Or(c.Apply, c.with("apply", c.Selection)) }

func (c Commands) with(verb, argument string) string {
	s := c.Name + " " + verb
	if argument != "" {
		s += " " + argument
	}
	return s
}

// quote puts an address into single quotes, for the shell.
func quote(address string) string { return "'" + address + "'" }

// PlanDoc is a plan as it is shown, and as JSON: see schemas/plan.schema.json.
type PlanDoc struct {
	Command       string          `json:"command"`
	FormatVersion int             `json:"format_version"`
	Lake          string          `json:"lake"`     // its root
	Datasets      int             `json:"datasets"` // sources not counted
	Stages        int             `json:"stages"`
	Partitions    int             `json:"partitions"` // known, of datasets
	TimingsNS     Timings         `json:"timings_ns"`
	Counts        Counts          `json:"counts"` // units that are selected
	ByStage       []StageDoc      `json:"by_stage"`
	KnownAfter    []KnownAfterDoc `json:"known_after"`
	Items         []ItemDoc       `json:"items"`
	Estimate      *EstimateDoc    `json:"estimate,omitempty"` // where there is something to do
	LeftOut       []LeftOutDoc    `json:"left_out,omitempty"`
	Far           []string        `json:"far,omitempty"`      // folders left out, since no file of a source is near them
	Expected      []ExpectedDoc   `json:"expected,omitempty"` // where raw files belong, if there are none

	planned  int      // items
	blocked  *ItemDoc // the first that is
	groups   []group  // the rows of the table
	selected int      // partitions, counted if there are no items
	unstored int      // of the selected ones, beside those
}

// Timings are how long the phases took.
type Timings struct {
	Config time.Duration `json:"config"`
	Lake   time.Duration `json:"lake"`
	Diff   time.Duration `json:"diff"`
}

// Counts are numbers of units.
type Counts struct {
	Run     int `json:"run"`
	May     int `json:"may"`
	Fresh   int `json:"fresh"`
	Blocked int `json:"blocked"`
}

// StageDoc counts the selected units of one stage.
type StageDoc struct {
	Stage string `json:"stage"`
	Counts
}

// KnownAfterDoc names a stage with units that a fan-out has still to tell.
type KnownAfterDoc struct {
	Stage  string `json:"stage"`
	FanOut string `json:"fan_out"`
	Units  int    `json:"units"` // of the fan-out
	// Blocked: the fan-out is not selected, so they stay unknown.
	Blocked bool `json:"blocked,omitempty"`
}

// NewKnownAfter describes such a stage.
func NewKnownAfter(k plan.KnownAfter) KnownAfterDoc {
	return KnownAfterDoc{k.Stage.String(), k.FanOut.String(), k.Units, k.Blocked}
}

// ItemDoc is one unit of work.
type ItemDoc struct {
	ID         int       `json:"id"`
	Stage      string    `json:"stage"`
	Unit       addr.Keys `json:"unit"`
	Action     string    `json:"action"`
	Reason     ReasonDoc `json:"reason"`
	FirstCause CauseDoc  `json:"first_cause"`
	Blocked    string    `json:"blocked,omitempty"`
	Outputs    []string  `json:"outputs"`
	Deps       []int     `json:"deps"`
	Memory     int64     `json:"memory_bytes"`
}

// EstimateDoc is what the plan will take, by what its stages took before.
type EstimateDoc struct {
	Runs         int           `json:"runs"` // earlier units it is taken from; 0: no history
	Unknown      int           `json:"units_without_history"`
	Workers      int           `json:"workers"`
	Elapsed      time.Duration `json:"elapsed_ns"`
	Critical     time.Duration `json:"critical_path_ns"`
	CriticalPath []string      `json:"critical_path"` // units, first to last
	Write        int64         `json:"write_bytes"`
	Memory       int64         `json:"memory_bytes"` // reserved at once, at most
	Peak         int64         `json:"peak_bytes,omitempty"`
}

// SetEstimate adds what the plan will take with so many workers.
func (d *PlanDoc) SetEstimate(p *plan.Plan, workers int) {
	if len(p.Items) == 0 {
		return
	}
	e := p.Estimate(workers)
	d.Estimate = &EstimateDoc{
		Runs: e.Runs, Unknown: e.Unknown, Workers: workers, Elapsed: e.Elapsed, Critical: e.Critical,
		CriticalPath: []string{}, Write: e.Write, Memory: e.Memory, Peak: e.Peak,
	}
	for _, it := range e.Path {
		d.Estimate.CriticalPath = append(d.Estimate.CriticalPath, it.Describe())
	}
}

// LeftOutDoc is a unit that cannot be for want of a source's file.
type LeftOutDoc struct {
	Stage string    `json:"stage"`
	Unit  addr.Keys `json:"unit"`
	Has   string    `json:"has"`
	Lacks string    `json:"lacks"`
}

// CauseDoc is the end of a chain of causes.
type CauseDoc struct {
	Partition string    `json:"partition,omitempty"`
	Reason    ReasonDoc `json:"reason"`
}

// ExpectedDoc says where the raw files of a source belong.
type ExpectedDoc struct {
	Source string `json:"source"`
	Path   string `json:"path"`  // below the lake root
	Files  string `json:"files"` // pattern, for an example date
}

// SetItems adds the items one by one, which only machines read.
func (d *PlanDoc) SetItems(p *plan.Plan) {
	for _, it := range p.Items {
		d.Items = append(d.Items, newItem(p, it))
	}
}

// NewPlan describes a plan for the lake at root, without its items. config is how
// long loading the configuration took.
func NewPlan(p *plan.Plan, root string, config time.Duration) *PlanDoc {
	doc := &PlanDoc{
		Command: "plan", FormatVersion: formatVersion, Lake: root, Stages: len(p.Graph.Stages), Partitions: p.Partitions(),
		TimingsNS: Timings{Config: config, Lake: p.Timing.Lake, Diff: p.Timing.Diff},
		ByStage:   []StageDoc{}, KnownAfter: []KnownAfterDoc{}, Items: []ItemDoc{},
	}
	for _, d := range p.Graph.Config.Datasets {
		if !d.Source {
			doc.Datasets++
		}
	}
	for _, s := range p.Graph.Stages {
		c := Counts(p.CountStage(s))
		doc.Counts = Counts{doc.Counts.Run + c.Run, doc.Counts.May + c.May, doc.Counts.Fresh + c.Fresh, doc.Counts.Blocked + c.Blocked}
		doc.ByStage = append(doc.ByStage, StageDoc{s.Addr.String(), c})
	}
	for _, k := range p.After {
		doc.KnownAfter = append(doc.KnownAfter, NewKnownAfter(k))
	}
	for _, l := range p.LeftOut() {
		doc.LeftOut = append(doc.LeftOut, LeftOutDoc{l.Stage.String(), l.Unit, l.Has.String(), l.Lacks.String()})
	}
	for _, part := range p.Far {
		doc.Far = append(doc.Far, part.String())
	}
	doc.planned, doc.groups = len(p.Items), groupItems(p)
	if i := slices.IndexFunc(p.Items, func(it *plan.Item) bool { return it.Blocked != "" }); i >= 0 {
		first := newItem(p, p.Items[i])
		doc.blocked = &first
	}
	if len(p.Items) == 0 {
		doc.selected, doc.unstored = p.CountSelected()
	}
	if doc.Partitions == 0 && len(p.Items) == 0 && !doc.Blocked() {
		doc.Expected = expected(p.Graph)
	}
	return doc
}

func newItem(p *plan.Plan, it *plan.Item) ItemDoc {
	first := p.FirstCause(it)
	doc := ItemDoc{
		ID: it.ID, Stage: it.Stage.String(), Unit: it.Unit, Action: string(it.Action), Reason: newReason(it.Reason),
		FirstCause: CauseDoc{Reason: newReason(first.Reason)}, Blocked: it.Blocked, Outputs: []string{}, Deps: it.Deps, Memory: it.Memory,
	}
	if first.Partition != (addr.Partition{}) {
		doc.FirstCause.Partition = first.Partition.String()
	}
	if doc.Deps == nil {
		doc.Deps = []int{}
	}
	for _, o := range it.Outputs {
		doc.Outputs = append(doc.Outputs, o.String())
	}
	return doc
}

// expected lists where a graph's sources look for files.
func expected(g *graph.Graph) []ExpectedDoc {
	const example = "2025-06-05"
	var out []ExpectedDoc
	for _, d := range g.Config.Datasets {
		if !d.Source {
			continue
		}
		e := ExpectedDoc{Source: d.Addr.String()}
		for i, s := range d.Path {
			if i > 0 {
				e.Path += "/"
			}
			if e.Path += s.Prefix; s.Key != "" {
				e.Path += "<" + s.Key + ">" + s.Suffix
			}
		}
		values := map[string]string{}
		for _, k := range d.Keys {
			if values[k.Name] = "<" + k.Name + ">"; k.Date {
				values[k.Name] = example
			}
		}
		if glob, err := d.Files.Glob(values); err == nil {
			e.Files = glob
		}
		out = append(out, e)
	}
	return out
}
