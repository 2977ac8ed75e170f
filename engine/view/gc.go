package view

import "io"

// GCDoc is what gc found and removed, see schemas/gc.schema.json.
type GCDoc struct {
	Command       string        `json:"command"`
	FormatVersion int           `json:"format_version"`
	Removing      bool          `json:"removing"` // with --yes
	Leftovers     []LeftoverDoc `json:"leftovers"`
	Bytes         int64         `json:"bytes"` // of what may go
}

// LeftoverDoc is something that nobody needs.
type LeftoverDoc struct {
	Kind    string `json:"kind"`
	Path    string `json:"path"` // relative to the lake root
	Bytes   int64  `json:"bytes"`
	Owner   string `json:"owner,omitempty"` // who left it, or the partition it was
	Removed bool   `json:"removed"`
	Error   string `json:"error,omitempty"` // why it could not be removed
}

// NewGC returns an empty document.
func NewGC(removing bool) *GCDoc {
	return &GCDoc{Command: "gc", FormatVersion: formatVersion, Removing: removing, Leftovers: []LeftoverDoc{}}
}

// leftoverWords say what each kind is.
var leftoverWords = map[string]string{
	"staging":      "staging of a run that has ended",
	"lease":        "lease of a process that has ended",
	"lease_draft":  "lease that was never taken",
	"index":        "index of a dataset that is not in the configuration",
	"fan_out":      "record of a stage that is not in the configuration",
	"run":          "record of a run beyond those that are kept",
	"orphan":       "partition that the configuration has no place for",
	"foreign_data": "no partition, of another tool: never removed",
}

// Add notes a leftover.
func (d *GCDoc) Add(x LeftoverDoc) {
	if x.Kind != "foreign_data" {
		d.Bytes += x.Bytes
	}
	d.Leftovers = append(d.Leftovers, x)
}

// Failed tells whether something could not be removed.
func (d *GCDoc) Failed() bool {
	for _, x := range d.Leftovers {
		if x.Error != "" {
			return true
		}
	}
	return false
}

// Text writes a line a leftover, and how to remove them.
func (d *GCDoc) Text(w io.Writer, s Style, c Commands) error {
	p := &printer{w: w, style: s}
	if len(d.Leftovers) == 0 {
		p.printf("There is nothing to remove.\n")
		return p.err
	}
	t := &table{right: []bool{false, true}}
	n := 0
	for _, x := range d.Leftovers {
		mark := cell{text: "may go", color: yellow}
		switch {
		case x.Kind == "foreign_data":
			mark = cell{text: "stays", color: dim}
		case x.Error != "":
			mark = cell{text: "failed", color: red}
		case x.Removed:
			mark = cell{text: "removed", color: green}
		}
		if x.Kind != "foreign_data" {
			n++
		}
		t.add(mark, cell{text: Bytes(x.Bytes)}, cell{text: x.Path}, cell{text: leftoverWords[x.Kind]}, cell{text: x.Owner})
	}
	t.print(p, "")
	for _, x := range d.Leftovers {
		if x.Error != "" {
			p.printf("%s %s\n", s.paint(red, "error:"), x.Error)
		}
	}
	switch {
	case d.Removing:
		p.printf("GC: %s, %s.\n", plural(n, "leftover"), Bytes(d.Bytes))
	case n > 0:
		p.printf("GC: %s, %s. Nothing was removed; to remove them: %s\n", plural(n, "leftover"), Bytes(d.Bytes), c.with("gc", "--yes"))
	}
	return p.err
}
