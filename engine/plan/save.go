package plan

import (
	"encoding/json"
	"fmt"

	"dag/engine/addr"
	"dag/engine/graph"
)

// FileFormat and FileVersion identify a saved plan.
const (
	FileFormat  = "dag.plan"
	FileVersion = 1
)

// File is a saved plan: what was to run, and what it was decided from.
type File struct {
	Format        string            `json:"format"`
	FormatVersion int               `json:"format_version"`
	Variables     map[string]string `json:"variables"` // all, as --var takes them
	Lake          string            `json:"lake"`      // the root, as given or configured
	Force         bool              `json:"force,omitempty"`
	Selection     graph.Request     `json:"selection"`
	Items         []FileItem        `json:"items"`
}

// FileItem is one saved item with its preconditions.
type FileItem struct {
	Stage   string    `json:"stage"`
	Unit    addr.Keys `json:"unit"`
	Action  Action    `json:"action"`
	Reason  Code      `json:"reason"`
	Blocked string    `json:"blocked,omitempty"`
	// Definition sums up the stage: its definition, parameters, transform and contract.
	Definition string      `json:"definition"`
	Inputs     []FileInput `json:"inputs"`
	Outputs    []FileInput `json:"outputs"`
}

// FileInput is a partition, or a source's file, and the digest it had; the
// digest is empty where there was none or it was not known. That of a source's file is
// its size and time of change, SIZE@NANOSECONDS.
type FileInput struct {
	Partition string `json:"partition"`
	File      string `json:"file,omitempty"`
	Digest    string `json:"digest,omitempty"`
}

const maxFileItems = 10_000_000

// Save describes the plan's items with their preconditions.
func (p *Plan) Save() ([]FileItem, error) {
	items := make([]FileItem, len(p.Items))
	for i, it := range p.Items {
		saved, err := p.saveItem(it)
		if err != nil {
			return nil, err
		}
		items[i] = saved
	}
	return items, nil
}

func (p *Plan) saveItem(it *Item) (FileItem, error) {
	out := FileItem{Stage: it.Stage.String(), Unit: it.Unit, Action: it.Action, Reason: it.Reason.Code, Blocked: it.Blocked, Definition: it.unit.series.stage.static.String(), Inputs: []FileInput{}, Outputs: []FileInput{}}
	u, session := it.unit.series, it.unit.session
	g, err := p.preconditions(u, session)
	if err != nil {
		return out, err
	}
	for i := range g.refs {
		r := &g.refs[i]
		in := FileInput{Partition: r.partition().String(), File: r.fileName()}
		if r.file != nil {
			// Size and time stand in for content: a plan does not read files that
			// nothing was made of yet.
			in.Digest = fmt.Sprintf("%d@%d", r.file.Size, r.file.ModTime)
		} else {
			in.Digest = r.digest.String()
		}
		out.Inputs = append(out.Inputs, in)
	}
	u.eachOutput(session, func(s *series) {
		o := FileInput{Partition: s.partition(session).String()}
		if t := s.cells[session].trace; t != nil {
			o.Digest = t.Digest.String()
		}
		out.Outputs = append(out.Outputs, o)
	})
	return out, nil
}

// Definitions sums up each stage: its definition, parameters, transform and
// contract.
func (p *Plan) Definitions() map[string]string {
	out := map[string]string{}
	for _, st := range p.stages {
		out[st.def.Addr.String()] = st.static.String()
	}
	return out
}

// Encode writes a saved plan as JSON.
func (f *File) Encode() ([]byte, error) {
	f.Format, f.FormatVersion = FileFormat, FileVersion
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the plan: %w", err)
	}
	return append(b, '\n'), nil
}

// DecodeFile reads a saved plan; name is for messages.
func DecodeFile(name string, data []byte) (*File, error) {
	var f File
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("%s is not a saved plan: %w; `dag plan --out FILE` writes one", name, err)
	}
	switch {
	case f.Format != FileFormat:
		return nil, fmt.Errorf("%s is not a saved plan: its format is %q, not %q; `dag plan --out FILE` writes one", name, f.Format, FileFormat)
	case f.FormatVersion != FileVersion:
		return nil, fmt.Errorf("%s has version %d of the plan format; this dag reads version %d: plan again", name, f.FormatVersion, FileVersion)
	case len(f.Items) > maxFileItems:
		return nil, fmt.Errorf("%s holds %d items, more than the %d allowed", name, len(f.Items), maxFileItems)
	}
	return &f, nil
}

// Drift is how one saved item differs from what would be planned now.
type Drift struct {
	Unit string
	What string
	// Old and New are digests, of a source's files as FileInput has them; empty where
	// one of them tells nothing.
	Old, New string
}

// Drifts compares a saved plan's items with those of p, which was made from
// them: see Request.Only.
func (p *Plan) Drifts(saved []FileItem) ([]Drift, error) {
	now := map[string]*Item{}
	for _, it := range p.Items {
		now[it.Describe()] = it
	}
	var out []Drift
	for _, s := range saved {
		id := s.Describe()
		it, ok := now[id]
		if !ok {
			out = append(out, Drift{Unit: id, What: p.gone(s)})
			continue
		}
		fresh, err := p.saveItem(it)
		if err != nil {
			return nil, err
		}
		switch {
		case s.Blocked == "" && fresh.Blocked != "":
			out = append(out, Drift{Unit: id, What: "it is blocked by now: " + fresh.Blocked})
		case s.Blocked != "" && fresh.Blocked == "":
			out = append(out, Drift{Unit: id, What: "it was blocked, and is not any more: " + s.Blocked})
		}
		if s.Definition != fresh.Definition {
			out = append(out, Drift{Unit: id, What: "the definition of its stage, a parameter, the transform or the contract has changed", Old: s.Definition, New: fresh.Definition})
		}
		out = append(out, driftOf(id, "input", s.Inputs, fresh.Inputs)...)
		out = append(out, driftOf(id, "output", s.Outputs, fresh.Outputs)...)
	}
	return out, nil
}

// gone says why a saved unit is not in the plan any more.
func (p *Plan) gone(f FileItem) string {
	for _, st := range p.stages {
		if st.def.Addr.String() != f.Stage {
			continue
		}
		if st.has(f.Unit) {
			return "it is up to date by now, and does not run"
		}
		return "it has nothing to be made from any more, and does not run"
	}
	return "the pipeline does not have its stage any more"
}

// has tells whether the stage has the unit.
func (st *stageState) has(unit addr.Keys) bool {
	date := ""
	if st.dateKey != nil {
		date = st.dateKey.Name
	}
	keys, session, err := splitDate(unit, date, st.sessions)
	u := st.byKeys[keys]
	return err == nil && u != nil && u.days.Has(session) && u.unitKeys(session) == unit
}

// Describe names the unit as Item.Describe does.
func (f FileItem) Describe() string {
	return addr.UnitName(f.Stage, f.Unit)
}

func driftOf(unit, kind string, was, now []FileInput) []Drift {
	type id struct{ partition, file string }
	old := map[id]string{}
	for _, w := range was {
		old[id{w.Partition, w.File}] = w.Digest
	}
	var out []Drift
	for _, n := range now {
		key := id{n.Partition, n.File}
		digest, ok := old[key]
		delete(old, key)
		switch {
		case !ok, digest == "" && n.Digest != "":
			out = append(out, Drift{Unit: unit, What: fmt.Sprintf("its %s %s was not there", kind, n.label())})
		case digest != "" && n.Digest == "":
			out = append(out, Drift{Unit: unit, What: fmt.Sprintf("its %s %s is gone", kind, n.label())})
		case digest != n.Digest:
			out = append(out, Drift{Unit: unit, What: fmt.Sprintf("its %s %s has changed", kind, n.label()), Old: digest, New: n.Digest})
		}
	}
	for _, w := range was {
		if _, gone := old[id{w.Partition, w.File}]; gone {
			out = append(out, Drift{Unit: unit, What: fmt.Sprintf("its %s %s is gone", kind, w.label())})
		}
	}
	return out
}

func (f FileInput) label() string {
	if f.File == "" {
		return f.Partition
	}
	return f.Partition + " " + f.File
}
