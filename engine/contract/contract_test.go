package contract

import (
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/google/go-cmp/cmp"
)

// record is the text of an Avro record with these fields.
func record(fields string) []byte {
	return []byte(`{"type": "record", "name": "Row", "namespace": "test.x", "fields": [` + fields + `]}`)
}

func mustParse(t testing.TB, fields string) *Contract {
	t.Helper()
	c, ds := Parse("contracts/row.avsc", record(fields))
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	return c
}

const allTypes = `
	{"name": "l", "type": "long", "doc": "ns UTC"},
	{"name": "i", "type": "int"},
	{"name": "d", "type": ["null", "double"]},
	{"name": "f", "type": ["float", "null"]},
	{"name": "s", "type": "string"},
	{"name": "b", "type": {"type": "boolean"}},
	{"name": "y", "type": "bytes"},
	{"name": "v", "type": {"type": "array", "items": "double"}},
	{"name": "w", "type": ["null", {"type": "array", "items": ["null", "double"]}], "default": null}`

func TestParse(t *testing.T) {
	c := mustParse(t, allTypes)
	want := []arrow.Field{
		{Name: "l", Type: arrow.PrimitiveTypes.Int64},
		{Name: "i", Type: arrow.PrimitiveTypes.Int32},
		{Name: "d", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		{Name: "f", Type: arrow.PrimitiveTypes.Float32, Nullable: true},
		{Name: "s", Type: arrow.BinaryTypes.String},
		{Name: "b", Type: arrow.FixedWidthTypes.Boolean},
		{Name: "y", Type: arrow.BinaryTypes.Binary},
		{Name: "v", Type: arrow.ListOfNonNullable(arrow.PrimitiveTypes.Float64)},
		{Name: "w", Type: arrow.ListOf(arrow.PrimitiveTypes.Float64), Nullable: true},
	}
	if !c.Schema.Equal(arrow.NewSchema(want, nil)) {
		t.Errorf("the schema is %s", c.Schema)
	}
	if c.Name != "test.x.Row" || len(c.Docs) != len(want) || c.Docs[0] != "ns UTC" || c.Docs[1] != "" {
		t.Errorf("name %s, docs %q", c.Name, c.Docs)
	}
}

func TestParseMistakes(t *testing.T) {
	const path = "contracts/row.avsc"
	for text, want := range map[string]string{
		"":                                path + ":1:1: error: this is not JSON: unexpected end of JSON input",
		"{\n  \"type\": \"record\"\n":     path + ":2:19: error: this is not JSON: unexpected end of JSON input",
		"{\n \"a\": tru }":                path + ":2:10: error: this is not JSON: invalid character ' ' in literal true (expecting 'e')",
		`"long"`:                          path + ": error: the schema is the type long, not a record",
		`{"type": "enum"}`:                path + ": error: this is not an Avro schema: ",
		string(record("")):                path + ": error: record test.x.Row has no fields",
		string(record(`{"name": "a"}`)):   path + ": error: this is not an Avro schema: ",
		string(record(`{"name": "a b"}`)): path + ": error: this is not an Avro schema: ",
		string(record("{\"name\": \"a\", \"type\": \"long\"},\n{\"name\": \"a\", \"type\": \"long\"}")):             path + ": error: this is not an Avro schema: duplicate field name \"a\"",
		string(record("\n  {\"name\": \"a\", \"type\": {\"type\": \"map\", \"values\": \"long\"}}")):                path + ":2:4: error: field a of Row has the type map",
		string(record("\n  {\"name\": \"a\", \"type\": [\"long\", \"double\"]}")):                                   path + ":2:4: error: field a of Row has the union of long, double",
		string(record("\n  {\"name\": \"a\", \"type\": {\"type\": \"int\", \"logicalType\": \"date\"}}")):           path + ":2:4: error: field a of Row has the logical type date",
		string(record("\n  {\"name\": \"a\", \"type\": {\"type\": \"array\", \"items\": [\"long\", \"double\"]}}")): path + ":2:4: error: field a of Row has an array of the union of long, double",
		string(record("\n  {\"name\": \"Row\", \"type\": \"long\"},\n  {\"name\": \"b\", \"type\": [\"null\"]}")):   path + ":3:4: error: field b of Row has the union of null",
		string(record("\n  {\"name\": \"a\", \"type\": {\"type\": \"fixed\", \"name\": \"F\", \"size\": 4}}")):      path + ":2:4: error: field a of Row has the type fixed",
		string(record("\n  {\"name\": \"a\", \"type\": {\"type\": \"record\", \"name\": \"In\", \"fields\": []}}")): path + ":2:4: error: field a of Row has the type record",
	} {
		c, ds := Parse(path, []byte(text))
		if c != nil || len(ds) != 1 || !strings.HasPrefix(ds[0].String(), want) {
			t.Errorf("%s\ngives %v\nwant  %s", text, ds, want)
		}
	}
	// All fields at once, each with its line.
	_, ds := Parse(path, record("\n{\"name\": \"a\", \"type\": {\"type\": \"map\", \"values\": \"long\"}},\n{\"name\": \"b\", \"type\": [\"null\"]}"))
	if len(ds) != 2 || ds[0].Range.Line != 2 || ds[1].Range.Line != 3 || ds[1].Source != `{"name": "b", "type": ["null"]}]}` {
		t.Errorf("got %+v", ds)
	}
}

func TestDigest(t *testing.T) {
	base := mustParse(t, `{"name": "a", "type": "long"}, {"name": "b", "type": "double"}`).Digest
	if again := mustParse(t, "{\"name\": \"a\",\n \"type\": \"long\", \"doc\": \"x\"}, {\"name\": \"b\", \"type\": {\"type\": \"double\"}, \"default\": 1}").Digest; again != base {
		t.Error("documentation, defaults or formatting change the digest")
	}
	for _, other := range []string{
		`{"name": "b", "type": "double"}, {"name": "a", "type": "long"}`,
		`{"name": "a", "type": "int"}, {"name": "b", "type": "double"}`,
		`{"name": "a", "type": "long"}, {"name": "b", "type": ["null", "double"]}`,
		`{"name": "a", "type": "long"}, {"name": "c", "type": "double"}`,
		`{"name": "a", "type": "long"}`,
	} {
		if mustParse(t, other).Digest == base {
			t.Errorf("%s has the same digest", other)
		}
	}
	list := mustParse(t, `{"name": "a", "type": {"type": "array", "items": "long"}}`).Digest
	if mustParse(t, `{"name": "a", "type": {"type": "array", "items": ["null", "long"]}}`).Digest == list {
		t.Error("the nullability of a list's items leaves the digest alone")
	}
}

func TestCompare(t *testing.T) {
	want := mustParse(t, `{"name": "a", "type": "long"}, {"name": "b", "type": ["null", "double"]}, {"name": "c", "type": "string"}, {"name": "d", "type": "int"}`).Schema
	got := arrow.NewSchema([]arrow.Field{
		{Name: "c", Type: arrow.BinaryTypes.String},
		{Name: "a", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		{Name: "b", Type: arrow.PrimitiveTypes.Float64},
		{Name: "e", Type: arrow.PrimitiveTypes.Int64},
		{Name: "a", Type: arrow.PrimitiveTypes.Int64},
	}, nil)
	diffs := []string{
		"column a is float64 instead of int64",
		"column a is nullable and should not be",
		"column b is not nullable and should be",
		"column d is missing",
		"column e is unexpected",
		"column a is there twice",
		"the order differs: column c stands where a should",
	}
	if d := cmp.Diff(diffs, Compare(want, got)); d != "" {
		t.Error(d)
	}
	meta := arrow.NewMetadata([]string{"k"}, []string{"v"})
	same := arrow.NewSchema(append([]arrow.Field(nil), want.Fields()...), &meta)
	if got := Compare(want, same); got != nil {
		t.Errorf("a schema differs from its copy: %v", got)
	}
}

// batch builds one record; a column is a slice, with nil for null.
func batch(t testing.TB, s *arrow.Schema, fill func(b *array.RecordBuilder)) arrow.Record {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	defer b.Release()
	fill(b)
	rec := b.NewRecord()
	t.Cleanup(rec.Release)
	return rec
}

func TestCheck(t *testing.T) {
	c := mustParse(t, `{"name": "ts", "type": "long"}, {"name": "px", "type": ["null", "double"]}, {"name": "v", "type": {"type": "array", "items": "double"}}`)
	fill := func(times []int64, valid []bool, lists [][]float64) func(*array.RecordBuilder) {
		return func(b *array.RecordBuilder) {
			b.Field(0).(*array.Int64Builder).AppendValues(times, valid)
			for range times {
				b.Field(1).AppendNull()
			}
			for _, l := range lists {
				lb := b.Field(2).(*array.ListBuilder)
				lb.Append(true)
				for _, x := range l {
					if x < 0 {
						lb.ValueBuilder().AppendNull()
					} else {
						lb.ValueBuilder().(*array.Float64Builder).Append(x)
					}
				}
			}
		}
	}
	good := batch(t, c.Schema, fill([]int64{1, 2}, nil, [][]float64{{1}, {}}))
	if err := c.Check(good); err != nil {
		t.Error(err)
	}
	empty := good.NewSlice(1, 1)
	defer empty.Release()
	if err := c.Check(empty); err != nil {
		t.Error(err)
	}
	bad := batch(t, c.Schema, fill([]int64{1, 2, 3, 4}, []bool{true, false, true, false}, [][]float64{{1}, {2, 3}, {4, -1}, {}}))
	want := "the data does not keep to contract test.x.Row: column ts has 2 nulls and may have none, the first in row 1 of the batch; " +
		"column v has a null inside the list of row 2 of the batch and may have none"
	err := c.Check(bad)
	var e *Error
	if err == nil || err.Error() != want || !errors.As(err, &e) || len(e.Problems) != 2 {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	// A slice of which the nulls are no part is sound.
	head := bad.NewSlice(0, 1)
	defer head.Release()
	if err := c.Check(head); err != nil {
		t.Error(err)
	}
	other := arrow.NewSchema([]arrow.Field{{Name: "ts", Type: arrow.PrimitiveTypes.Int32}}, nil)
	err = c.Check(batch(t, other, func(*array.RecordBuilder) {}))
	if want := "column ts is int32 instead of int64; column px is missing; column v is missing"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestCheckAllocatesNothing(t *testing.T) {
	c := mustParse(t, `{"name": "ts", "type": "long"}, {"name": "px", "type": ["null", "double"]}`)
	rec := batch(t, c.Schema, func(b *array.RecordBuilder) {
		b.Field(0).(*array.Int64Builder).AppendValues([]int64{1, 2}, nil)
		b.Field(1).(*array.Float64Builder).AppendValues([]float64{1, 2}, nil)
	})
	if n := testing.AllocsPerRun(100, func() {
		if err := c.Check(rec); err != nil {
			t.Fatal(err)
		}
	}); n > 1 { // the list of fields
		t.Errorf("a check allocates %v times", n)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(string(record(allTypes)))
	f.Add(string(record(`{"name": "a", "type": {"type": "map", "values": "long"}}`)))
	f.Add(`{"type": "record", "name": "R", "fields": [{"name": "r", "type": "R"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		c, ds := Parse("x.avsc", []byte(text))
		if (c == nil) != ds.HasErrors() {
			t.Errorf("contract %v with diagnostics %v", c, ds)
		}
	})
}
