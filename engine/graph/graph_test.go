package graph_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/apache/arrow/go/v17/arrow"

	"dag/engine/addr"
	"dag/engine/config"
	"dag/engine/diag"
	"dag/engine/graph"
	"dag/engine/stage"
)

type copying struct{}

func (copying) Spec() stage.Spec {
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Int64}}, nil)
	return stage.Spec{Name: "t.copy", Version: 1, Inputs: []stage.Input{{Name: "in", Columns: schema}}, Outputs: []stage.Output{{Name: "out", Schema: schema}}}
}
func (copying) Run(context.Context, stage.Task) error { return nil }

// reading is copying from raw files.
type reading struct{ copying }

func (reading) Spec() stage.Spec {
	s := copying{}.Spec()
	s.Name, s.Inputs = "t.read", []stage.Input{{Name: "in", Raw: true}}
	return s
}

func transformFor(from string) string {
	if from == "raw" {
		return "t.read"
	}
	return "t.copy"
}

// build makes a graph of datasets by "to < from" lines; stages are named as
// what they write.
func build(t *testing.T, lines ...string) (*graph.Graph, diag.List) {
	t.Helper()
	hcl := `lake { root = "lake" }
key "k" { type = string }
source "raw" "t" "raw" {
  keys  = ["k"]
  path  = "raw/${key.k}"
  files = "*"
}
`
	for _, l := range lines {
		to, from, _ := strings.Cut(l, " < ")
		hcl += `dataset "silver" "t" "` + to + `" {
  keys     = ["k"]
  path     = "` + to + `/${key.k}"
  contract = "t.avsc"
}
stage "` + to + `" {
  transform = "` + transformFor(from) + `"
  input "in" { from = ` + reference(from) + ` }
  output "out" { to = dataset.silver.t.` + to + ` }
}
`
	}
	cfg, list := config.Load(config.Options{
		Dir: ".", Pipelines: fstest.MapFS{"p.hcl": {Data: []byte(hcl)}},
		Contracts:  fstest.MapFS{"t.avsc": {Data: []byte(`{"type":"record","name":"T","fields":[{"name":"x","type":"long"}]}`)}},
		Transforms: []stage.Transform{copying{}, reading{}},
	})
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return graph.Build(cfg)
}

func reference(name string) string {
	if name == "raw" {
		return "source.raw.t.raw"
	}
	return "dataset.silver.t." + name
}

func TestCycleIsNamedWithItsPath(t *testing.T) {
	_, list := build(t, "a < c", "b < a", "c < b", "d < a")
	if len(list) != 1 {
		t.Fatalf("diagnostics %v", list)
	}
	want := "a → silver.t.a → b → silver.t.b → c → silver.t.c → a"
	if list[0].Code != "cycle" || list[0].Detail != want || list[0].Range.File == "" || list[0].Range.Line == 0 {
		t.Errorf("got %+v, want the path %s", list[0], want)
	}
}

func TestStageThatReadsWhatItWrites(t *testing.T) {
	_, list := build(t, "a < a")
	if len(list) != 1 || list[0].Detail != "a → silver.t.a → a" {
		t.Errorf("got %v", list)
	}
}

func TestReachAndOrder(t *testing.T) {
	g, list := build(t, "a < raw", "b < a", "c < b", "d < a")
	if list.HasErrors() {
		t.Fatal(list)
	}
	var order []string
	for _, s := range g.Stages {
		order = append(order, s.Addr.Name)
	}
	if strings.Join(order, " ") != "a b d c" {
		t.Errorf("order %v", order)
	}
	pos := func(name string) int { return g.Position(addr.Stage{Name: name}) }
	if r := g.Reach(pos("a"), 1, g.Downstream); len(r) != 3 || r[pos("c")] {
		t.Errorf("one step below a: %v", r)
	}
	if r := g.Reach(pos("c"), -1, g.Upstream); len(r) != 3 || r[pos("d")] {
		t.Errorf("above c: %v", r)
	}
	if p := g.Producer(addr.Dataset{Layer: "silver", Product: "t", Table: "b"}); p == nil || p.Addr.Name != "b" {
		t.Errorf("b is made by %v", p)
	}
}

func TestTwoCyclesAreTwoDiagnostics(t *testing.T) {
	_, list := build(t, "a < b", "b < a", "c < d", "d < c")
	if len(list) != 2 {
		t.Errorf("got %v", list)
	}
}
