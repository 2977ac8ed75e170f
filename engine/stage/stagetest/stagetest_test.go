package stagetest

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/rogpeppe/go-internal/txtar"

	"dag/engine/stage"
)

// sums writes the running sum of x for every name; a missing x is missing in
// the output and counted.
type sums struct{ version int }

var (
	rowsSchema = arrow.NewSchema([]arrow.Field{
		{Name: "name", Type: arrow.BinaryTypes.String},
		{Name: "x", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	}, nil)
	sumsSchema = arrow.NewSchema([]arrow.Field{
		{Name: "name", Type: arrow.BinaryTypes.String},
		{Name: "sum", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		{Name: "n", Type: arrow.PrimitiveTypes.Int64},
	}, nil)
)

func (s sums) Spec() stage.Spec {
	return stage.Spec{
		Name: "test.sums", Version: max(s.version, 1),
		Inputs:  []stage.Input{{Name: "rows", Columns: rowsSchema}},
		Outputs: []stage.Output{{Name: "sums", Schema: sumsSchema, FanOut: true}},
		Params:  []stage.Param{{Name: "start", Type: stage.Float, Default: 0.0}},
	}
}

func (s sums) Run(_ context.Context, t stage.Task) error {
	rows := map[string]*array.RecordBuilder{}
	total := map[string]float64{}
	for rec, err := range t.Read("rows", "x", "name") {
		if err != nil {
			return err
		}
		x, names := rec.Column(0).(*array.Float64), rec.Column(1).(*array.String)
		for i := range x.Len() {
			name := strings.Clone(names.Value(i))
			if rows[name] == nil {
				rows[name] = array.NewRecordBuilder(memory.DefaultAllocator, sumsSchema)
				total[name] = t.Params().Float("start")
			}
			b := rows[name]
			b.Field(0).(*array.StringBuilder).Append(name)
			b.Field(2).(*array.Int64Builder).Append(int64(b.Field(2).Len()))
			if x.IsNull(i) {
				t.Count("missing", 1)
				b.Field(1).AppendNull()
				continue
			}
			total[name] += x.Value(i)
			b.Field(1).(*array.Float64Builder).Append(total[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		w, err := t.Output("sums", name)
		if err != nil {
			return err
		}
		if err := w.Write(rows[name].NewRecord()); err != nil {
			return err
		}
	}
	return nil
}

func TestRun(t *testing.T) { Run(t, sums{}) }

// run applies edits to the good archive and returns what the harness says.
func run(t *testing.T, transform stage.Transform, edits ...string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/sum.txt")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for i := 0; i < len(edits); i += 2 {
		if !strings.Contains(text, edits[i]) {
			t.Fatalf("testdata/sum.txt has no %q", edits[i])
		}
		text = strings.Replace(text, edits[i], edits[i+1], 1)
	}
	archive := txtar.Parse([]byte(text))
	task, err := newFixture(t, transform.Spec(), archive)
	if err == nil {
		err = runCase(t, transform, task, archive)
	}
	return fmt.Sprint(err)
}

func TestMistakesAreFound(t *testing.T) {
	for _, c := range []struct {
		name  string
		edits []string
		want  string
	}{
		{"other value", []string{"a,13.5", "a,13.6"}, `out/sums/a: row 2, column "sum": got "13.5", want "13.6"`},
		{"value instead of missing", []string{"b,\n-- digest", "b,0\n-- digest"}, `row 2, column "sum": got "", want "0"`},
		{"other rows", []string{"a,13.5\n", ""}, "2 rows, want 1"},
		{"other type", []string{"-- out/sums/a --\nname:string,sum:float64", "-- out/sums/a --\nname:string,sum:int64", "a,13.5", "a,13"}, `column "sum" is float64, want int64`},
		{"no such column", []string{"-- out/sums/a --\nname:string,sum:float64", "-- out/sums/a --\nname:string,total:float64"}, `no column "total"`},
		{"partition not expected", []string{"-- out/sums/b --\nname:string,sum:float64\nb,14\nb,\n", ""}, "output sums/b is not expected"},
		{"partition not there", []string{"out/sums/b", "out/sums/c"}, `out/sums/c: there is no such partition; there are ["a" "b"]`},
		{"metrics", []string{`{"missing":1}`, `{"missing":2}`}, "metrics: got map[missing:1], want map[missing:2]"},
		{"error expected", []string{"-- metrics", "-- error --\nboom\n-- metrics"}, `want one with "boom"`},
		{"unknown parameter", []string{`"start"`, `"begin"`}, `no parameter "begin"`},
		{"parameter of another type", []string{`{"start": 10}`, `{"start": "x"}`}, `"start"`},
		{"header without type", []string{"name:string,x:float64\nb,4", "name,x:float64\nb,4"}, `header cell "name"`},
		{"bad cell", []string{"b,4", "b,four"}, `row 1, column "x"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := run(t, sums{}, c.edits...); !strings.Contains(got, c.want) {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestSmallDifferencesPass(t *testing.T) {
	if got := run(t, sums{}, "a,13.5", "a,13.50000000001"); got != "<nil>" {
		t.Error(got)
	}
}

func TestDigestGuardsTheVersion(t *testing.T) {
	if got := run(t, sums{}, "b,4", "b,5"); !strings.Contains(got, "raise the Version") {
		t.Errorf("changed output passes: %s", got)
	}
	if got := run(t, sums{version: 2}); !strings.Contains(got, "the digest is of Version 1") {
		t.Errorf("a raised version passes with the old digest: %s", got)
	}
}

func TestRewriteMakesTheArchivePass(t *testing.T) {
	data, err := os.ReadFile("testdata/sum.txt")
	if err != nil {
		t.Fatal(err)
	}
	archive := txtar.Parse([]byte(strings.Replace(string(data), "b,4", "b,5", 1)))
	again := func() *Task {
		task, err := newFixture(t, sums{}.Spec(), archive)
		if err != nil {
			t.Fatal(err)
		}
		return task
	}
	task := again()
	if err := (sums{}).Run(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	rewrite(task, archive)
	if err := runCase(t, sums{}, again(), archive); err != nil {
		t.Error(err)
	}
	if text := string(section(archive, "out/sums/b").Data); text != "name:string,sum:float64\nb,15\nb,\n" {
		t.Errorf("out/sums/b was rewritten as %q", text)
	}
}

// lengths counts batches: what no transform may do.
type lengths struct{ sums }

func (l lengths) Run(ctx context.Context, t stage.Task) error {
	for _, err := range t.Read("rows") {
		if err != nil {
			return err
		}
		t.Count("missing", 1)
	}
	return l.sums.Run(ctx, t)
}

// noise lets the number of batches into the last digits of what it writes.
type noise struct{ sums }

func (n noise) Run(ctx context.Context, t stage.Task) error {
	start := t.Params().Float("start")
	for _, err := range t.Read("rows") {
		if err != nil {
			return err
		}
		start += 1e-13
	}
	return n.sums.Run(ctx, startingAt{t, start})
}

type startingAt struct {
	stage.Task
	start float64
}

func (s startingAt) Params() stage.Params { return stage.Params{"start": s.start} }

func TestBatchSizeMustNotMatter(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/sum.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		transform stage.Transform
		ok        bool
	}{{sums{}, true}, {lengths{}, false}, {noise{}, false}} {
		task, err := newFixture(t, c.transform.Spec(), archive)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.transform.Run(t.Context(), task); err != nil {
			t.Fatal(err)
		}
		if err := checkBatches(t, c.transform, task, archive); (err == nil) != c.ok {
			t.Errorf("%T: %v", c.transform, err)
		}
	}
}

func parse(t *testing.T, schema *arrow.Schema, text string) arrow.Record {
	t.Helper()
	tbl, err := parseTable(text)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := tbl.record(schema)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func TestColumnOfNullsIsReadBack(t *testing.T) {
	text := "x:float64\n1\n\"\"\n2\n"
	rec := parse(t, arrow.NewSchema(nil, nil), text)
	if rec.NumRows() != 3 || rec.Column(0).NullN() != 1 {
		t.Fatalf("%v has %d rows and %d nulls, want 3 and 1", rec, rec.NumRows(), rec.Column(0).NullN())
	}
	if got := format(rec, nil, -1); got != text {
		t.Errorf("printed as %q, want %q", got, text)
	}
}

func TestBatchRows(t *testing.T) {
	rec := parse(t, rowsSchema, "name:string,x:float64\na,1\na,2\na,3\n")
	task := NewTask(t, sums{}.Spec(), map[string]string{"dt": "2025-08-04"}, nil, map[string][]arrow.Record{"rows": {rec, rec}})
	task.BatchRows = 4
	var sizes []int64
	for rec, err := range task.Read("rows") {
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, rec.NumRows())
	}
	if !slices.Equal(sizes, []int64{4, 2}) {
		t.Errorf("batches of %v rows, want 4 and 2", sizes)
	}
}

func TestWriterRefuses(t *testing.T) {
	good := "name:string,sum:float64,n:int64\na,1,1\n"
	open := arrow.NewSchema(nil, nil) // every column nullable
	for _, c := range []struct{ name, text, want string }{
		{"a null", "name:string,sum:float64,n:int64\na,1,\n", `column "n" has 1 nulls`},
		{"another order", "sum:float64,name:string,n:int64\n1,a,1\n", `column 1 is "sum" instead of "name"`},
		{"another type", "name:string,sum:int64,n:int64\na,1,1\n", `column "sum" is int64`},
		{"fewer columns", "name:string,sum:float64\na,1\n", "2 columns instead of 3"},
	} {
		task := NewTask(t, sums{}.Spec(), nil, nil, nil)
		w, err := task.Output("sums", "a")
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(parse(t, open, good)); err != nil {
			t.Fatal(err)
		}
		if err := w.Write(parse(t, open, c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

func TestOutputRefuses(t *testing.T) {
	task := NewTask(t, sums{}.Spec(), nil, nil, nil)
	if _, err := task.Output("sums", "a"); err != nil {
		t.Fatal(err)
	}
	for _, values := range [][]string{{"a"}, {"../x"}, {"ES/U5"}, {""}, {}} {
		if _, err := task.Output("sums", values...); err == nil {
			t.Errorf("the values %q are accepted", values)
		}
	}
	if _, err := task.Output("other"); err == nil {
		t.Error("an unknown port is accepted")
	}
}
