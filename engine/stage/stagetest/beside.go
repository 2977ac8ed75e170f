package stagetest

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"

	"dag/engine/stage"
	"dag/engine/zip"
)

// extending completes what is written by the rows of an input, as the engine does.
type extending struct {
	*writer
	zip  *zip.Zip
	own  *arrow.Schema
	rows int64 // of the input
}

func (t *Task) extend(w *writer, e *stage.Extension) (stage.Writer, error) {
	parts := t.inputs[e.Port]
	if len(parts) != 1 {
		return nil, fmt.Errorf("%s goes on from input %q, which has %d partitions", w.id, e.Port, len(parts))
	}
	return &extending{
		writer: w, rows: parts[0].Rows(), own: zip.Given(e, w.schema),
		zip: zip.New(e, w.schema, parts[0].Read(zip.Read(e, w.schema)...)),
	}, nil
}

func (x *extending) Write(rec arrow.Record) error {
	if err := checkOutput(x.own, rec); err != nil {
		return fmt.Errorf("a batch for %s: %w", x.id, err)
	}
	return x.zip.Each(rec, x.writer.Write)
}

func (x *extending) Close() error {
	x.zip.Close()
	if x.zip.Rows() != x.rows {
		return fmt.Errorf("%s gets %d rows, the input has %d", x.id, x.zip.Rows(), x.rows)
	}
	return x.writer.Close()
}

// OutputTable opens the writer of a further table of a port, once.
func (t *Task) OutputTable(port, name string) (stage.Writer, error) {
	out, err := t.output(port)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(out.Tables, func(x stage.Table) bool { return x.Name == name })
	id := outputID(port, []string{name})
	if i < 0 || t.tables[id] != nil {
		return nil, fmt.Errorf("%s has no table %s to open, or opens it twice", t.spec.Name, id)
	}
	t.tables[id] = &writer{id: id, schema: out.Tables[i].Schema}
	return t.tables[id], nil
}

// OutputFile opens the writer of a binary file of a port, once.
func (t *Task) OutputFile(port, name string) (io.WriteCloser, error) {
	out, err := t.output(port)
	if err != nil {
		return nil, err
	}
	id := outputID(port, []string{name})
	if !slices.Contains(out.Files, name) || t.binary[id] != nil {
		return nil, fmt.Errorf("%s has no file %s to open, or opens it twice", t.spec.Name, id)
	}
	t.binary[id] = &binary{id: id}
	return t.binary[id], nil
}

// TableBeside returns the rows written to a further table of a port as one
// record, of no rows if it was not opened.
func (t *Task) TableBeside(port, name string) arrow.Record {
	t.t.Helper()
	out, err := t.output(port)
	if err != nil {
		t.t.Fatal(err)
	}
	for _, x := range out.Tables {
		if x.Name == name {
			var records []arrow.Record
			if w := t.tables[outputID(port, []string{name})]; w != nil {
				records = w.records
			}
			return concat(x.Schema, records)
		}
	}
	t.t.Fatalf("%s has no table %q beside %q", t.spec.Name, name, port)
	return nil
}

// FileBeside returns the bytes of a binary file of a port.
func (t *Task) FileBeside(port, name string) []byte {
	if b := t.binary[outputID(port, []string{name})]; b != nil {
		return b.Bytes()
	}
	return nil
}

// binary is a file kept in memory.
type binary struct {
	bytes.Buffer
	id     string
	closed bool
}

func (b *binary) Write(p []byte) (int, error) {
	if b.closed {
		return 0, fmt.Errorf("%s is written after it was closed", b.id)
	}
	return b.Buffer.Write(p)
}

func (b *binary) Close() error {
	if b.closed {
		return fmt.Errorf("%s is closed twice", b.id)
	}
	b.closed = true
	return nil
}
