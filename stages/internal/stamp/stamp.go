// Package stamp adds New York time to rows: the column ts_event_est of spec 03
// §1. All other columns, and the order of rows, stay.
package stamp

import (
	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"dag/engine/stage"
	"dag/stages/internal/mbp10"
)

// Column is the name of the column that is added.
const Column = "ts_event_est"

var (
	field = arrow.Field{Name: Column, Type: arrow.BinaryTypes.String}
	added = arrow.NewSchema([]arrow.Field{field}, nil)
)

// Schema is in with the column after the one named, which holds ns UTC.
func Schema(in *arrow.Schema, after string) *arrow.Schema {
	at := in.FieldIndices(after)[0] + 1
	fields := append([]arrow.Field{}, in.Fields()[:at]...)
	fields = append(fields, field)
	return arrow.NewSchema(append(fields, in.Fields()[at:]...), nil)
}

// Output is the port that Run writes: the rows of the input port of the same name,
// whose columns are in, with Column after the one named.
func Output(port, doc string, in *arrow.Schema, after string) stage.Output {
	return stage.Output{
		Name: port, Doc: doc, Schema: Schema(in, after),
		Extends: &stage.Extension{Port: port, Adds: []string{Column}},
	}
}

// Run makes the column of a port that Output describes from the column after,
// int64 ns UTC. Memory does not depend on the number of rows.
func Run(t stage.Task, port, after string) error {
	s, err := newStamper()
	if err != nil {
		return err
	}
	w, err := t.Output(port)
	if err != nil {
		return err
	}
	for rec, err := range t.Read(port, after) {
		if err != nil {
			return err
		}
		stamps := s.stamp(rec)
		err = w.Write(stamps)
		stamps.Release()
		if err != nil {
			return err
		}
	}
	return w.Close()
}

// stamper makes the column. Its buffers serve one batch after the other.
type stamper struct {
	ny      *mbp10.NewYork
	text    []byte
	offsets []int32
}

func newStamper() (*stamper, error) {
	ny, err := mbp10.NewNewYork()
	return &stamper{ny: ny}, err
}

// stamp returns the column for a batch whose only column is the time. It is good
// until the next call.
func (s *stamper) stamp(rec arrow.Record) arrow.Record {
	n := int(rec.NumRows())
	if len(s.text) < n*mbp10.StampSize || s.offsets == nil {
		s.text = make([]byte, n*mbp10.StampSize)
		s.offsets = mbp10.Offsets(n, mbp10.StampSize)
	}
	for i, ts := range rec.Column(0).(*array.Int64).Int64Values() {
		s.ny.Stamp(s.text[i*mbp10.StampSize:], ts)
	}
	stamps := mbp10.FixedTexts(s.text, s.offsets, n)
	defer stamps.Release()
	return array.NewRecord(added, []arrow.Array{stamps}, rec.NumRows())
}
