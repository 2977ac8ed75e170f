package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/rogpeppe/go-internal/txtar"

	"dag/engine/calendar"
	"dag/engine/diag"
	"dag/engine/stage"
)

// declared is a transform that is never run.
type declared stage.Spec

func (d declared) Spec() stage.Spec { return stage.Spec(d) }

func (d declared) Run(context.Context, stage.Task) error {
	return errors.New("a declared transform does not run")
}

func columns(fields ...arrow.Field) *arrow.Schema { return arrow.NewSchema(fields, nil) }

var (
	tsColumn    = arrow.Field{Name: "ts", Type: arrow.PrimitiveTypes.Int64}
	priceColumn = arrow.Field{Name: "price", Type: arrow.PrimitiveTypes.Float64, Nullable: true}
	closeColumn = arrow.Field{Name: "close", Type: arrow.PrimitiveTypes.Float64, Nullable: true}
)

// transforms are those that the test projects name.
func transforms() []stage.Transform {
	events := stage.Input{Name: "events", Columns: columns(tsColumn, priceColumn)}
	bars := stage.Output{Name: "bars", Schema: columns(tsColumn, closeColumn)}
	return []stage.Transform{
		declared{Name: "test.ingest", Version: 1, Inputs: []stage.Input{{Name: "dbn", Raw: true}},
			Outputs: []stage.Output{{Name: "events", Schema: columns(tsColumn, priceColumn), FanOut: true}}},
		declared{Name: "test.bars", Version: 2, Memory: 1 << 20, Inputs: []stage.Input{events}, Outputs: []stage.Output{bars}, Params: []stage.Param{
			{Name: "width", Type: stage.Int, Default: int64(5), Doc: "seconds", Check: func(v any) error {
				if v.(int64) <= 0 {
					return errors.New("a bar has at least one second")
				}
				return nil
			}},
			{Name: "tick", Type: stage.Float, Default: 0.25},
			{Name: "mode", Type: stage.String, Default: "corrected", Enum: []string{"corrected", "reference"}},
			{Name: "strict", Type: stage.Bool, Default: false},
			{Name: "edges", Type: stage.Floats, Default: []float64{1, 2}},
			{Name: "names", Type: stage.Texts, Default: []string{}},
		}},
		declared{Name: "test.level", Version: 1, Inputs: []stage.Input{events, {Name: "history", Columns: columns(tsColumn, closeColumn)}},
			Outputs: []stage.Output{bars}, Params: []stage.Param{{Name: "level", Type: stage.String, Doc: "which level"}}},
		declared{Name: "test.history", Version: 1, Inputs: []stage.Input{{Name: "history", Columns: columns(tsColumn, closeColumn)}}, Outputs: []stage.Output{bars}},
		declared{Name: "test.stamp", Version: 1, Inputs: []stage.Input{events}, Outputs: []stage.Output{{Name: "bars", Schema: columns(tsColumn, closeColumn),
			Extends: &stage.Extension{Port: "events", Adds: []string{"close"}}}}},
		declared{Name: "test.index", Version: 1, Inputs: []stage.Input{events}, Outputs: []stage.Output{{Name: "bars", Schema: columns(tsColumn, closeColumn),
			Tables: []stage.Table{{Name: "dates", Schema: columns(tsColumn, closeColumn)}, {Name: "features", Schema: columns(closeColumn)}}}}},
		declared{Name: "test.pair", Version: 1, Inputs: []stage.Input{events}, Outputs: []stage.Output{bars, {Name: "more", Schema: columns(tsColumn, closeColumn)}}},
		declared{Name: "test.wrong", Version: 1,
			Inputs:  []stage.Input{{Name: "events", Columns: columns(arrow.Field{Name: "ts", Type: arrow.BinaryTypes.String}, arrow.Field{Name: "price", Type: arrow.PrimitiveTypes.Float64}, arrow.Field{Name: "size", Type: arrow.PrimitiveTypes.Int64})}},
			Outputs: []stage.Output{{Name: "bars", Schema: columns(closeColumn, tsColumn, priceColumn)}}},
	}
}

// project holds the files of one test: names begin with pipelines/ or contracts/.
type project map[string]string

func readBase(t testing.TB) project {
	t.Helper()
	a, err := txtar.ParseFile("testdata/base.txtar")
	if err != nil {
		t.Fatal(err)
	}
	p := project{}
	for _, f := range a.Files {
		p[f.Name] = string(f.Data)
	}
	return p
}

// with returns p with more files; an empty text removes one.
func (p project) with(files map[string]string) project {
	q := project{}
	for name, text := range p {
		q[name] = text
	}
	for name, text := range files {
		q[name] = text
		if text == "" {
			delete(q, name)
		}
	}
	return q
}

func (p project) folder(prefix string) fs.FS {
	m := fstest.MapFS{}
	for name, text := range p {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			m[rest] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	return m
}

func (p project) options() Options {
	return Options{Dir: "project", Pipelines: p.folder(pipelinesFolder), Contracts: p.folder(contractsFolder), Transforms: transforms()}
}

// load loads p and fails the test on any diagnostic.
func (p project) load(t testing.TB) *Config {
	t.Helper()
	return mustLoad(t, p.options())
}

func mustLoad(t testing.TB, o Options) *Config {
	t.Helper()
	c, ds := Load(o)
	if len(ds) > 0 {
		t.Fatal(render(ds))
	}
	return c
}

// render prints diagnostics in full, as the archives hold them.
func render(ds diag.List) string {
	var b strings.Builder
	for _, d := range ds {
		fmt.Fprintf(&b, "%s: %s %s: %s\n", d.Range, d.Severity, d.Code, d.Summary)
		for _, part := range []struct{ head, text string }{{"  | ", strings.TrimSpace(d.Source)}, {"  ", d.Detail}, {"  -> ", d.Hint}} {
			if part.text != "" {
				b.WriteString(part.head + part.text + "\n")
			}
		}
	}
	return b.String()
}

func (c *Config) stage(t testing.TB, name string) *Stage {
	t.Helper()
	i := slices.IndexFunc(c.Stages, func(s *Stage) bool { return s.Addr.String() == name })
	if i < 0 {
		t.Fatalf("no stage %s", name)
	}
	return c.Stages[i]
}

func (c *Config) dataset(t testing.TB, name string) *Dataset {
	t.Helper()
	i := slices.IndexFunc(c.Datasets, func(d *Dataset) bool { return d.Addr.String() == name })
	if i < 0 {
		t.Fatalf("no dataset %s", name)
	}
	return c.Datasets[i]
}

func writeFile(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func day(t testing.TB, text string) calendar.Day {
	t.Helper()
	d, err := calendar.ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
