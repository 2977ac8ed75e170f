package view

import (
	"io"
	"time"
)

// IndexDoc is a rebuilt index, see schemas/index_rebuild.schema.json.
type IndexDoc struct {
	Command       string          `json:"command"`
	FormatVersion int             `json:"format_version"`
	Datasets      []IndexEntryDoc `json:"datasets"`
	ElapsedNS     int64           `json:"elapsed_ns"`
}

// IndexEntryDoc is one dataset or source of an index.
type IndexEntryDoc struct {
	Dataset string `json:"dataset"`
	Source  bool   `json:"source"`
	Entries int    `json:"entries"` // partitions; of a source, files
}

// NewIndex returns an empty document.
func NewIndex() *IndexDoc {
	return &IndexDoc{Command: "index rebuild", FormatVersion: formatVersion, Datasets: []IndexEntryDoc{}}
}

// Text writes how much was read.
func (d *IndexDoc) Text(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}
	parts, files := 0, 0
	for _, x := range d.Datasets {
		if x.Source {
			files += x.Entries
		} else {
			parts += x.Entries
		}
	}
	p.printf("Index: %s and %s of %s read anew in %s.\n", plural(parts, "partition"), plural(files, "raw file"), plural(len(d.Datasets), "dataset"), Duration(time.Duration(d.ElapsedNS)))
	return p.err
}
