package view

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"dag/engine/manifest"
	"dag/engine/plan"
)

// ShowDoc is one partition in detail, see schemas/show.schema.json.
type ShowDoc struct {
	Command       string             `json:"command"`
	FormatVersion int                `json:"format_version"`
	Partition     PartitionDoc       `json:"partition"`
	Path          string             `json:"path,omitempty"`     // its folder, below the lake root
	Manifest      *manifest.Manifest `json:"manifest,omitempty"` // of data that dag wrote
	Columns       []ColumnDoc        `json:"columns"`
	Head          [][]any            `json:"head,omitempty"`  // the first rows, by column
	Files         []FileDoc          `json:"files,omitempty"` // of a source
}

// ColumnDoc is a column with statistics of its values.
type ColumnDoc struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Nullable bool   `json:"nullable"`
	Nulls    int64  `json:"nulls"`
	Min      any    `json:"min"` // null without a value, or where there is no order
	Max      any    `json:"max"`
	Doc      string `json:"doc,omitempty"`
}

// FileDoc is one file of a source.
type FileDoc struct {
	Path  string `json:"path"`
	Bytes int64  `json:"bytes"`
}

// NewShow returns a document without columns.
func NewShow(p PartitionDoc) *ShowDoc {
	return &ShowDoc{Command: "show", FormatVersion: formatVersion, Partition: p, Columns: []ColumnDoc{}}
}

// Text writes the partition for people.
func (d *ShowDoc) Text(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}
	p.printf("%s\n", s.paint(bold, d.Partition.Partition))
	t := &table{}
	t.text("state", d.Partition.State)
	if d.Path != "" {
		t.text("folder", d.Path)
	}
	if d.Partition.State == string(plan.Unstored) {
		t.text("rows", Count(d.Partition.Rows)+" · made to be shown, as those that read it make it")
	}
	for _, f := range d.Files {
		t.text("file", f.Path+" · "+Bytes(f.Bytes))
	}
	if d.Manifest != nil {
		d.manifestRows(t)
	}
	t.print(p, "  ")
	if len(d.Columns) > 0 {
		p.printf("\n")
		d.columnTable().print(p, "")
	}
	if len(d.Head) > 0 {
		p.printf("\n")
		d.headTable().print(p, "")
	}
	return p.err
}

func (d *ShowDoc) manifestRows(t *table) {
	m := d.Manifest
	t.text("rows", Count(m.RowCount)+" · "+Bytes(d.Partition.Bytes))
	t.text("made by", fmt.Sprintf("%s (%s version %d)", m.Stage, m.Transform, m.Version))
	t.text("made at", fmt.Sprintf("%s, in %s, run %s", utcTime(m.Run.StartedAt), Duration(time.Duration(m.Run.ElapsedNS)), m.Run.ID))
	t.text("because", recordedReason(recordedDoc(m.Reason), m.Reason.Detail, d.Partition.Partition))
	for _, x := range m.Touched {
		t.text("touched", utcTime(x.At)+" · "+x.Reason+" · "+touchedReason(x, d.Partition.Partition))
	}
	for i, in := range m.Inputs {
		if i == maxInputs {
			t.text("", "and "+Count(len(m.Inputs)-i)+" more; --json has them all")
			break
		}
		name := in.Partition
		if in.File != "" {
			name = in.File
		}
		t.text("input", name+" · "+shortDigest(in.Digest))
	}
	t.text("contract", m.Contract.Path)
	t.text("digest", m.Digest)
	t.text("fingerprint", m.Fingerprint.Sum)
	for _, name := range sortedKeys(m.Metrics) {
		t.text(name, Count(m.Metrics[name]))
	}
}

// maxInputs is how many inputs the text names.
const maxInputs = 8

func (d *ShowDoc) columnTable() *table {
	t := &table{right: []bool{false, false, true}}
	t.text("column", "type", "nulls", "min", "max")
	for _, c := range d.Columns {
		typ := c.Type
		if c.Nullable {
			typ += "?"
		}
		t.text(c.Name, typ, Count(c.Nulls), valueText(c.Min), valueText(c.Max))
	}
	return t
}

func (d *ShowDoc) headTable() *table {
	t := &table{right: make([]bool, len(d.Columns))}
	var names []string
	for i, c := range d.Columns {
		names = append(names, c.Name)
		t.right[i] = !strings.HasPrefix(c.Type, "utf8")
	}
	t.text(names...)
	for _, row := range d.Head {
		var texts []string
		for _, v := range row {
			texts = append(texts, valueText(v))
		}
		t.text(texts...)
	}
	return t
}

// maxValue is how long a value of a table is, in characters.
const maxValue = 40

func valueText(v any) string {
	if v == nil {
		return "-"
	}
	s := fmt.Sprint(v)
	if utf8.RuneCountInString(s) > maxValue {
		s = string([]rune(s)[:maxValue-1]) + "…"
	}
	return s
}
