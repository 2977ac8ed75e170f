package plan_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing/fstest"
	"time"

	"github.com/apache/arrow/go/v17/arrow"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/config"
	"dag/engine/graph"
	"dag/engine/manifest"
	"dag/engine/plan"
	"dag/engine/stage"
)

// The pipeline of the tests: raw files of a root fan out to symbols; a chain, a
// window and a collect follow.
const pipeline = `
lake { root = "lake" }
calendar "cme" {
  timezone = "America/New_York"
  weekdays = ["mon", "tue", "wed", "thu", "fri"]
}
key "root" {
  type    = string
  pattern = "^[A-Z]{1,4}$"
  derive  = regex("^([A-Z]+?)[HMUZ][0-9]$", key.symbol)[0]
}
key "symbol" {
  type    = string
  pattern = "^[A-Z0-9]{1,8}$"
}
key "dt" {
  type     = date
  calendar = calendar.cme
}
source "raw" "t" "files" {
  keys  = ["root", "dt"]
  path  = "raw/${key.root}"
  files = "*${key.dt}*"
}
dataset "bronze" "t" "events" {
  keys     = ["symbol", "dt"]
  path     = "bronze/${key.symbol}"
  contract = "t.avsc"
}
stage "ingest" {
  transform = "t.ingest"
  input "in" { from = source.raw.t.files }
  output "out" {
    to      = dataset.bronze.t.events
    fan_out = ["symbol"]
  }
}
dataset "silver" "t" "bars" {
  keys     = ["symbol", "dt"]
  path     = "bars/${key.symbol}"
  contract = "t.avsc"
}
stage "bars" {
  transform = "t.copy"
  input "in" { from = dataset.bronze.t.events }
  output "out" { to = dataset.silver.t.bars }
  params = { factor = PARAM }
}
dataset "silver" "t" "history" {
  keys     = ["symbol", "dt"]
  path     = "history/${key.symbol}"
  contract = "t.avsc"
}
stage "history" {
  transform = "t.copy"
  input "in" {
    from = dataset.silver.t.bars
    window {
      key      = "dt"
      sessions = [-2, -1]
      min      = 1
      on_short = "skip"
    }
  }
  output "out" { to = dataset.silver.t.history }
}
dataset "gold" "t" "index" {
  keys     = ["root"]
  path     = "index/${key.root}"
  contract = "t.avsc"
}
stage "index" {
  transform = "t.copy"
  input "in" {
    from    = dataset.silver.t.bars
    collect = ["symbol", "dt"]
  }
  output "out" { to = dataset.gold.t.index }
}
`

const avsc = `{"type":"record","name":"T","namespace":"t","fields":[{"name":"x","type":"long"}]}`

// fake is a transform that is never run: the simulation makes the outputs.
type fake struct{ spec stage.Spec }

func (f fake) Spec() stage.Spec                      { return f.spec }
func (f fake) Run(context.Context, stage.Task) error { return errors.New("not run here") }

// copyMemory is what t.copy says that it needs.
const copyMemory = 64 << 20

// transforms are those of the pipeline; ingest is the version of what fans out.
func transforms(ingest, version int) []stage.Transform {
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Int64}}, nil)
	factor := stage.Param{Name: "factor", Type: stage.Int, Default: int64(1)}
	return []stage.Transform{
		fake{stage.Spec{Name: "t.ingest", Version: ingest, Inputs: []stage.Input{{Name: "in", Raw: true}}, Outputs: []stage.Output{{Name: "out", Schema: schema, FanOut: true}}}},
		fake{stage.Spec{Name: "t.pair", Version: 1, Inputs: []stage.Input{{Name: "a", Columns: schema}, {Name: "b", Columns: schema}}, Outputs: []stage.Output{{Name: "out", Schema: schema}}}},
		fake{stage.Spec{Name: "t.copy", Version: version, Memory: copyMemory, Inputs: []stage.Input{{Name: "in", Columns: schema}}, Outputs: []stage.Output{{Name: "out", Schema: schema}}, Params: []stage.Param{factor}}},
	}
}

// tb is what the simulation needs of a test, or of a property's run.
type tb interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// world is a lake in memory with its source files. The content of a partition
// is the sum of what it is made from, so that equal inputs give equal bytes.
type world struct {
	t       tb
	graph   *graph.Graph
	ingest  int // version of t.ingest
	version int // of t.copy
	param   string
	extra   string                       // HCL beside the pipeline
	raw     map[string]map[string]string // root → file name → content, "ESU5 ESZ5:text" lists the symbols
	parts   map[addr.Partition]*manifest.Manifest
	state   map[addr.Partition]manifest.State // where it is not Complete
	fans    map[addr.Keys]manifest.FanOut
	hashed  int
	pick    func(n int) int // which of n items that are ready runs next; nil: the first
	ran     []string        // units, in order, of the last apply
	cutOff  []string
}

func newWorld(t tb) *world {
	w := &world{t: t, ingest: 1, version: 1, param: "1", raw: map[string]map[string]string{}, parts: map[addr.Partition]*manifest.Manifest{}, state: map[addr.Partition]manifest.State{}, fans: map[addr.Keys]manifest.FanOut{}}
	w.configure()
	return w
}

// graphs keeps the configurations that were loaded, by parameter and version.
var graphs sync.Map

func (w *world) configure() {
	w.t.Helper()
	key := fmt.Sprint(w.param, "@", w.ingest, "@", w.version, w.extra)
	if g, ok := graphs.Load(key); ok {
		w.graph = g.(*graph.Graph)
		return
	}
	cfg, list := config.Load(config.Options{
		Dir:        ".",
		Pipelines:  fstest.MapFS{"p.hcl": {Data: []byte(strings.Replace(pipeline, "PARAM", w.param, 1) + w.extra)}},
		Contracts:  fstest.MapFS{"t.avsc": {Data: []byte(avsc)}},
		Transforms: transforms(w.ingest, w.version),
	})
	if err := list.Err(); err != nil {
		w.t.Fatal(err)
	}
	g, list := graph.Build(cfg)
	if err := list.Err(); err != nil {
		w.t.Fatal(err)
	}
	graphs.Store(key, g)
	w.graph = g
}

func sumOf(text string) manifest.Sum { return manifest.NewHasher("test").Text(text).Done() }

func (w *world) Table(_ context.Context, d addr.Dataset, want manifest.Want) (*manifest.Table, error) {
	t := &manifest.Table{Dataset: d}
	if d.Layer == "raw" {
		for _, root := range slices.Sorted(maps.Keys(w.raw)) {
			s := manifest.Series{Keys: addr.Keys("root=" + root)}
			for _, name := range slices.Sorted(maps.Keys(w.raw[root])) {
				f := manifest.SourceFile{Name: name}
				if want == nil || want(s.Keys) != nil {
					f.Size = int64(len(w.raw[root][name]))
				}
				s.Files = append(s.Files, f)
			}
			t.Series = append(t.Series, s)
		}
		return t, nil
	}
	series := map[addr.Keys][]manifest.Trace{}
	for p, m := range w.parts {
		if p.Dataset != d {
			continue
		}
		var rest []addr.KeyValue
		tr := manifest.Trace{State: manifest.Complete, Rows: 1}
		if s, ok := w.state[p]; ok {
			tr.State = s
		}
		if tr.State == manifest.Complete {
			tr.Fingerprint, _ = manifest.ParseSum(m.Fingerprint.Sum)
		}
		tr.Digest, _ = manifest.ParseSum(m.Digest)
		for _, kv := range p.Keys.Pairs() {
			if kv.Key == "dt" {
				tr.Day, _ = calendar.ParseDay(kv.Value)
			} else {
				rest = append(rest, kv)
			}
		}
		k := addr.MakeKeys(rest...)
		series[k] = append(series[k], tr)
	}
	for _, k := range slices.Sorted(maps.Keys(series)) {
		parts := series[k]
		slices.SortFunc(parts, func(a, b manifest.Trace) int { return int(a.Day - b.Day) })
		s := manifest.Series{Keys: k, First: parts[0].Day, Last: parts[len(parts)-1].Day}
		for _, tr := range parts {
			if want == nil || want(k) != nil && want(k)(tr.Day) {
				s.Parts = append(s.Parts, tr)
			}
		}
		t.Series = append(t.Series, s)
	}
	return t, nil
}

func (w *world) Manifest(p addr.Partition) (*manifest.Manifest, error) {
	if m := w.parts[p]; m != nil && w.state[p] == manifest.Missing {
		return m, nil
	}
	return nil, fmt.Errorf("no manifest of %s", p)
}

func (w *world) Digest(_ context.Context, _ addr.Dataset, series addr.Keys, file string) (manifest.Sum, error) {
	w.hashed++
	root, _ := series.Get("root")
	return sumOf(w.raw[root][file]), nil
}

func (w *world) FanOuts(s addr.Stage) (map[addr.Keys]manifest.FanOut, error) {
	if s.Name == "ingest" {
		return maps.Clone(w.fans), nil
	}
	return nil, nil
}

func (w *world) plan(r graph.Request, force bool) (*plan.Plan, error) {
	sel, list := w.graph.Select(r)
	if err := list.Err(); err != nil {
		return nil, err
	}
	return plan.Make(context.Background(), w.graph, w, plan.Request{Selection: sel, Force: force}, time.Now)
}

// apply runs a plan to its end, one item whose deps have ended after the other.
// fail names a unit that fails.
func (w *world) apply(r graph.Request, force bool, fail string) *plan.Plan {
	w.t.Helper()
	p, err := w.plan(r, force)
	if err != nil {
		w.t.Fatal(err)
	}
	w.ran, w.cutOff = nil, nil
	const (
		ended  = 1
		failed = 2
	)
	done := map[int]int{}
	for {
		it := w.next(p, done)
		if it == nil {
			break
		}
		blocked := it.Blocked != "" || slices.ContainsFunc(it.Deps, func(d int) bool { return done[d] == failed })
		if blocked || it.Describe() == fail {
			done[it.ID] = failed
			continue
		}
		done[it.ID] = ended
		for _, gone := range w.runItem(p, it).Skipped {
			if done[gone.ID] != 0 {
				w.t.Fatalf("%s is skipped and has ended", gone.Describe())
			}
			done[gone.ID] = ended
		}
	}
	if len(done) != len(p.Items) {
		w.t.Fatalf("%d of %d items ended", len(done), len(p.Items))
	}
	return p
}

// recorded is a reason as a manifest keeps it.
func recorded(r plan.Reason) manifest.Reason {
	m := manifest.Reason{Code: string(r.Code), File: r.File, Old: r.Old, New: r.New}
	if r.Cause != nil {
		m.Cause = r.Cause.String()
	}
	return m
}

func (w *world) runItem(p *plan.Plan, it *plan.Item) plan.Growth {
	w.t.Helper()
	work, err := p.Resolve(context.Background(), it)
	if err != nil {
		w.t.Fatalf("%s: %v", it.Describe(), err)
	}
	if work.Fresh {
		w.cutOff = append(w.cutOff, it.Describe())
		p.Settled(it)
		return plan.Growth{}
	}
	w.ran = append(w.ran, it.Describe())
	o := work.Stage.Outputs[0]
	m := manifest.Manifest{Stage: it.Stage.String(), Unit: it.Unit, Reason: recorded(work.Causes[0].Reason)}
	content, symbols, digests := w.read(work, &m)
	m.Fingerprint = work.Fingerprint(digests)
	values := [][]string{nil}
	if len(o.FanOut) > 0 {
		values = nil
		for _, v := range m.FanOut {
			values = append(values, []string{v})
		}
	}
	var made []plan.Made
	for _, v := range values {
		out, err := work.Output(o, v)
		if err != nil {
			w.t.Fatal(err)
		}
		each := m
		each.Dataset, each.Keys = out.Dataset.String(), out.Keys
		digest := sumOf(content + strings.Join(v, ","))
		if v != nil && !slices.Contains(symbols, v[0]) {
			digest = sumOf("empty")
		}
		each.Digest = digest.String()
		w.parts[out] = &each
		delete(w.state, out)
		fp, _ := manifest.ParseSum(each.Fingerprint.Sum)
		made = append(made, plan.Made{Partition: out, Fingerprint: fp, Digest: digest, Rows: 1})
	}
	p.Committed(it, made)
	if len(o.FanOut) == 0 {
		return plan.Growth{}
	}
	record := manifest.FanOut{Values: m.FanOut}
	if len(m.FanOut) == 0 {
		record.Made = work.Made(m.Inputs, digests)
	}
	w.fans[it.Unit] = record
	return p.FanOut(it, m.FanOut)
}

func (w *world) part(text string) addr.Partition {
	w.t.Helper()
	p, err := addr.ParsePartition(text)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}
