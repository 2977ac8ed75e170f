package view

import (
	"cmp"
	"io"

	"dag/engine/plan"
)

// MapDoc is what the mapping names for a partition, see schemas/map.schema.json.
type MapDoc struct {
	Command       string      `json:"command"`
	FormatVersion int         `json:"format_version"`
	Partition     string      `json:"partition"`
	Inputs        []MappedDoc `json:"inputs"`
}

// MappedDoc is one input.
type MappedDoc struct {
	Port      string   `json:"port"`
	Partition string   `json:"partition"`
	State     string   `json:"state"`
	Files     []string `json:"files,omitempty"` // of a source
}

// NewMap describes a mapping.
func NewMap(partition string, inputs []plan.Mapped) *MapDoc {
	d := &MapDoc{Command: "map", FormatVersion: formatVersion, Partition: partition, Inputs: []MappedDoc{}}
	for _, in := range inputs {
		d.Inputs = append(d.Inputs, MappedDoc{in.Port, in.Partition.String(), string(in.State), in.Files})
	}
	return d
}

// Text writes a line an input.
func (d *MapDoc) Text(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}
	if len(d.Inputs) == 0 {
		p.printf("%s is made from nothing that is there.\n", d.Partition)
		return p.err
	}
	t := &table{}
	for _, in := range d.Inputs {
		name := in.Partition
		for _, f := range in.Files {
			name += "  " + f
		}
		t.text(in.Port, in.State, name)
	}
	t.print(p, "")
	return p.err
}

// LineageDoc is what was read, or what read it, see schemas/lineage.schema.json.
type LineageDoc struct {
	Command       string  `json:"command"`
	FormatVersion int     `json:"format_version"`
	Direction     string  `json:"direction"` // up or down
	Root          StepDoc `json:"root"`
}

// StepDoc is one partition or file of a lineage.
type StepDoc struct {
	Port      string    `json:"port,omitempty"`
	Partition string    `json:"partition"`
	File      string    `json:"file,omitempty"`
	Stage     string    `json:"stage,omitempty"`
	Digest    string    `json:"digest"`             // that was read: up, of this one; down, of the one above it
	Now       string    `json:"now,omitempty"`      // that lies there now, of this one
	Unstored  bool      `json:"unstored,omitempty"` // made inside its readers: digests are fingerprints
	Repeated  bool      `json:"repeated,omitempty"` // its steps stand where it first occurs
	Steps     []StepDoc `json:"steps"`
}

// NewLineage describes a lineage.
func NewLineage(direction string, l plan.Lineage) *LineageDoc {
	return &LineageDoc{Command: "lineage", FormatVersion: formatVersion, Direction: direction, Root: newStep(l)}
}

func newStep(l plan.Lineage) StepDoc {
	d := StepDoc{Port: l.Port, Partition: l.Partition.String(), File: l.File, Stage: l.Stage, Digest: l.Digest, Now: l.Now, Unstored: l.Unstored, Repeated: l.Repeated, Steps: []StepDoc{}}
	for _, s := range l.Steps {
		d.Steps = append(d.Steps, newStep(s))
	}
	return d
}

// Text writes a tree. Up, each has the digest that was read; down, each has its own,
// and the one it read where that is not what lies there now.
func (d *LineageDoc) Text(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}
	d.Root.text(p, "", "", d.Direction == "down", d.Root.Now)
	return p.err
}

// text writes a step and those below it; above is what lies now at the step above.
func (d StepDoc) text(p *printer, lead, below string, down bool, above string) {
	line, digest := cmp.Or(d.File, d.Partition), d.Digest
	if down {
		digest = d.Now
	}
	if digest != "" {
		line += "  " + shortDigest(digest)
	}
	if d.Stage != "" {
		line += "  by " + d.Stage
	}
	if d.Unstored {
		line += p.style.paint(dim, "  (not stored)")
	}
	if d.Repeated {
		line += "  (see above)"
	}
	switch {
	case down && lead != "" && above != "" && d.Digest != above:
		line += p.style.paint(yellow, "  (has read "+shortDigest(d.Digest)+")")
	case !down && d.File == "" && d.Now == "":
		line += p.style.paint(yellow, "  (is gone)")
	case !down && d.File == "" && d.Now != d.Digest:
		line += p.style.paint(yellow, "  (is another now)")
	}
	p.printf("%s%s\n", lead, line)
	for i, step := range d.Steps {
		mark, next := "├─ ", "│  "
		if i == len(d.Steps)-1 {
			mark, next = "└─ ", "   "
		}
		step.text(p, below+mark, below+next, down, d.Now)
	}
}
