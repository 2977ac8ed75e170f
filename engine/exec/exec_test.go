package exec_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"dag/engine/addr"
	"dag/engine/config"
	"dag/engine/contract"
	"dag/engine/event"
	"dag/engine/exec"
	"dag/engine/graph"
	"dag/engine/lake"
	"dag/engine/plan"
	"dag/engine/stage"
)

// The pipeline of the tests: text files of "SYMBOL number" lines fan out, are
// doubled, and summed over all symbols and days.
const pipeline = `
lake { root = "lake" }
calendar "all" {
  timezone = "UTC"
  weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
}
key "root" {
  type   = string
  derive = substr(key.symbol, 0, 2)
}
key "symbol" {
  type    = string
  pattern = "^[A-Z0-9]{3,8}$"
}
key "dt" {
  type     = date
  calendar = calendar.all
}
source "raw" "t" "files" {
  keys  = ["root", "dt"]
  path  = "raw/${key.root}"
  files = "${key.dt}.txt"
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
  RETRY
}
dataset "silver" "t" "doubled" {
  keys     = ["symbol", "dt"]
  path     = "doubled/${key.symbol}"
  contract = "t.avsc"
}
stage "double" {
  transform = "t.double"
  input "in" { from = dataset.bronze.t.events }
  output "out" { to = dataset.silver.t.doubled }
}
dataset "gold" "t" "total" {
  keys     = ["root"]
  path     = "total/${key.root}"
  contract = "t.avsc"
  tables   = { counts = "t.avsc" }
}
stage "total" {
  transform = "t.total"
  input "in" {
    from    = dataset.silver.t.doubled
    collect = ["symbol", "dt"]
  }
  output "out" { to = dataset.gold.t.total }
}
`

const avsc = `{"type":"record","name":"T","namespace":"t","fields":[{"name":"x","type":"long"}]}`

var schema = arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Int64}}, nil)

// transform runs a function.
type transform struct {
	spec stage.Spec
	run  func(ctx context.Context, t stage.Task) error
}

func (f transform) Spec() stage.Spec                            { return f.spec }
func (f transform) Run(ctx context.Context, t stage.Task) error { return f.run(ctx, t) }

func write(w stage.Writer, values ...int64) error {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(values, nil)
	col := b.NewInt64Array()
	defer col.Release()
	rec := array.NewRecord(schema, []arrow.Array{col}, int64(len(values)))
	defer rec.Release()
	if err := w.Write(rec); err != nil {
		return err
	}
	return w.Close()
}

func ingest(_ context.Context, t stage.Task) error {
	bySymbol := map[string][]int64{}
	var symbols []string
	for _, f := range t.Files("in") {
		r, err := f.Open()
		if err != nil {
			return err
		}
		s := bufio.NewScanner(r)
		for s.Scan() {
			symbol, number, _ := strings.Cut(s.Text(), " ")
			n, err := strconv.ParseInt(number, 10, 64)
			if err != nil {
				return errors.Join(fmt.Errorf("%s: %q is no number", f.Name(), number), r.Close())
			}
			if bySymbol[symbol] == nil {
				symbols = append(symbols, symbol)
			}
			bySymbol[symbol] = append(bySymbol[symbol], n)
		}
		if err := errors.Join(s.Err(), r.Close()); err != nil {
			return err
		}
	}
	for _, s := range symbols {
		w, err := t.Output("out", s)
		if err != nil {
			return err
		}
		if err := write(w, bySymbol[s]...); err != nil {
			return err
		}
	}
	t.Count("symbols", int64(len(symbols)))
	return nil
}

func values(t stage.Task) ([]int64, error) {
	var out []int64
	for rec, err := range t.Read("in", "x") {
		if err != nil {
			return nil, err
		}
		out = append(out, rec.Column(0).(*array.Int64).Int64Values()...)
	}
	return out, nil
}

func double(_ context.Context, t stage.Task) error {
	in, err := values(t)
	if err != nil {
		return err
	}
	for i := range in {
		in[i] *= 2
	}
	w, err := t.Output("out")
	if err != nil {
		return err
	}
	return write(w, in...)
}

func total(_ context.Context, t stage.Task) error {
	in, err := values(t)
	if err != nil {
		return err
	}
	sum := int64(0)
	for _, v := range in {
		sum += v
	}
	counts, err := t.OutputTable("out", "counts")
	if err != nil {
		return err
	}
	if err := write(counts, int64(len(in))); err != nil {
		return err
	}
	w, err := t.Output("out")
	if err != nil {
		return err
	}
	f, err := t.OutputFile("out", "sum.txt")
	if err != nil {
		return err
	}
	fmt.Fprint(f, sum)
	return errors.Join(write(w, sum), f.Close())
}

// world is a project with its lake in a folder.
type world struct {
	t      testing.TB
	root   string
	runs   map[string]func(context.Context, stage.Task) error
	retry  string
	edit   func(hcl string) string // of the pipeline; nil: none
	spec   func(*stage.Spec)       // changes what a transform declares; nil: none
	events []event.Event
}

func newWorld(t testing.TB) *world {
	return &world{t: t, root: filepath.Join(t.TempDir(), "lake"), runs: map[string]func(context.Context, stage.Task) error{"ingest": ingest, "double": double, "total": total}}
}

func (w *world) raw(name, text string) {
	w.t.Helper()
	dir := filepath.Join(w.root, "raw", "ES")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) open() (*graph.Graph, *lake.Lake) {
	w.t.Helper()
	var list []stage.Transform
	for _, name := range slices.Sorted(maps.Keys(w.runs)) {
		s := stage.Spec{Name: "t." + name, Version: 1, Inputs: []stage.Input{{Name: "in", Columns: schema}}, Outputs: []stage.Output{{Name: "out", Schema: schema}}}
		if name == "ingest" {
			s.Inputs[0] = stage.Input{Name: "in", Raw: true}
			s.Outputs[0].FanOut = true
		}
		if name == "total" {
			s.Outputs[0].Tables = []stage.Table{{Name: "counts", Schema: schema}}
			s.Outputs[0].Files = []string{"sum.txt", "never.bin"}
		}
		if w.spec != nil {
			w.spec(&s)
		}
		list = append(list, transform{s, w.runs[name]})
	}
	hcl := strings.Replace(pipeline, "RETRY", w.retry, 1)
	if w.edit != nil {
		hcl = w.edit(hcl)
	}
	cfg, diags := config.Load(config.Options{
		Dir: ".", Pipelines: fstest.MapFS{"p.hcl": {Data: []byte(hcl)}},
		Contracts: fstest.MapFS{"t.avsc": {Data: []byte(avsc)}}, Transforms: list,
	})
	if err := diags.Err(); err != nil {
		w.t.Fatal(err)
	}
	g, diags := graph.Build(cfg)
	if err := diags.Err(); err != nil {
		w.t.Fatal(err)
	}
	var layouts []lake.Layout
	for _, d := range cfg.Datasets {
		l := lake.Layout{Addr: d.Addr, Source: d.Source, Contract: d.Contract, ContractPath: d.ContractPath, Sort: d.Sort}
		for _, t := range d.Tables {
			l.Tables = map[string]*contract.Contract{t.Name: t.Contract}
		}
		for _, k := range d.Keys {
			l.Keys = append(l.Keys, lake.Key{Name: k.Name, Date: k.Date, Check: k.CheckPattern})
		}
		for _, s := range d.Path {
			l.Path = append(l.Path, lake.Segment(s))
		}
		layouts = append(layouts, l)
	}
	lk, err := lake.Open(w.root, layouts, lake.Options{LockTimeout: 5 * time.Second})
	if err != nil {
		w.t.Fatal(err)
	}
	return g, lk
}

func (w *world) plan(g *graph.Graph, lk *lake.Lake) *plan.Plan {
	w.t.Helper()
	sel, _ := g.Select(graph.Request{})
	p, err := plan.Make(context.Background(), g, lk, plan.Request{Selection: sel}, time.Now)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) options() exec.Options {
	return exec.Options{
		Workers: 4, RunID: "test", Now: time.Now,
		After:  func(time.Duration) <-chan time.Time { c := make(chan time.Time, 1); c <- time.Time{}; return c },
		Events: func(e event.Event) { w.events = append(w.events, e) },
	}
}

func (w *world) apply(ctx context.Context, change func(*exec.Options)) exec.Outcome {
	w.t.Helper()
	w.events = nil
	g, lk := w.open()
	o := w.options()
	if change != nil {
		change(&o)
	}
	out, err := exec.Run(ctx, w.plan(g, lk), lk, o)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := lk.Close(); err != nil {
		w.t.Fatal(err)
	}
	return out
}

// finished lists units by result, sorted.
func (w *world) finished(r event.Result) []string {
	var out []string
	for _, e := range w.events {
		if f, ok := e.(event.StepFinished); ok && f.Result == r {
			out = append(out, f.Unit.String())
		}
	}
	slices.Sort(out)
	return out
}

func (w *world) value(part string) []int64 {
	w.t.Helper()
	_, lk := w.open()
	p, err := addr.ParsePartition(part)
	if err != nil {
		w.t.Fatal(err)
	}
	in, err := lk.OpenPartition(p)
	if err != nil {
		w.t.Fatal(err)
	}
	defer in.Close()
	var out []int64
	for rec, err := range in.Read(context.Background(), "x") {
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, rec.Column(0).(*array.Int64).Int64Values()...)
	}
	return out
}

func equal[T comparable](t *testing.T, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestFromRawToTotal(t *testing.T) {
	w := newWorld(t)
	w.raw("2025-08-04.txt", "ESU5 1\nESZ5 2\nESU5 3\n")
	w.raw("2025-08-05.txt", "ESU5 10\n")
	w.apply(context.Background(), nil)
	equal(t, w.finished(event.Done), []string{
		"double[symbol=ESU5,dt=2025-08-04]", "double[symbol=ESU5,dt=2025-08-05]", "double[symbol=ESZ5,dt=2025-08-04]",
		"ingest[root=ES,dt=2025-08-04]", "ingest[root=ES,dt=2025-08-05]", "total[root=ES]",
	})
	equal(t, w.value("gold.t.total[root=ES]"), []int64{32})
	w.apply(context.Background(), nil)
	if len(w.finished(event.Done)) != 0 {
		t.Errorf("a second apply ran %v", w.finished(event.Done))
	}
}

func TestDeletedPartitionRunsAloneWithTheSameBytes(t *testing.T) {
	w := newWorld(t)
	w.raw("2025-08-04.txt", "ESU5 1\nESZ5 2\n")
	w.apply(context.Background(), nil)
	file := filepath.Join(w.root, "bronze", "ESU5", "dt=2025-08-04", "part-00000.parquet")
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sibling := filepath.Join(w.root, "bronze", "ESZ5", "dt=2025-08-04")
	was, err := os.Stat(sibling)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Dir(file)); err != nil {
		t.Fatal(err)
	}
	w.apply(context.Background(), nil)
	equal(t, w.finished(event.Done), []string{"ingest[root=ES,dt=2025-08-04]"})
	if n := len(w.finished(event.CutOff)); n != 3 {
		t.Errorf("%d units were cut off: %v", n, w.finished(event.CutOff))
	}
	after, err := os.ReadFile(file)
	if err != nil || string(after) != string(before) {
		t.Errorf("the bytes differ (%v)", err)
	}
	if is, err := os.Stat(sibling); err != nil || !os.SameFile(was, is) {
		t.Errorf("the sibling was replaced (%v)", err)
	}
}

func TestFailureStopsOnlyWhatNeedsIt(t *testing.T) {
	w := newWorld(t)
	w.raw("2025-08-04.txt", "ESU5 1\n")
	w.raw("2025-08-05.txt", "ESU5 x\n")
	out := w.apply(context.Background(), nil)
	equal(t, w.finished(event.Failed), []string{"ingest[root=ES,dt=2025-08-05]"})
	equal(t, w.finished(event.Done), []string{"double[symbol=ESU5,dt=2025-08-04]", "ingest[root=ES,dt=2025-08-04]"})
	equal(t, w.finished(event.Blocked), []string{"total[root=ES]"})
	if out.Counts[event.Failed] != 1 {
		t.Errorf("counts %v", out.Counts)
	}
	w.raw("2025-08-05.txt", "ESU5 2\n")
	w.apply(context.Background(), nil)
	equal(t, w.value("gold.t.total[root=ES]"), []int64{6})
}

func TestFailFastStartsNothingNew(t *testing.T) {
	w := newWorld(t)
	for d := 1; d <= 9; d++ {
		w.raw(fmt.Sprintf("2025-08-0%d.txt", d), "ESU5 x\n")
	}
	out := w.apply(context.Background(), func(o *exec.Options) { o.Workers, o.FailFast = 1, true })
	if out.Counts[event.Failed] != 1 || out.Counts[event.Canceled] != 8 {
		t.Errorf("counts %v", out.Counts)
	}
}

func TestHostileSymbolsNeverBecomeFolders(t *testing.T) {
	for _, symbol := range []string{"../x", "ES/U5", "ES", strings.Repeat("E", 1000), "es_5"} {
		w := newWorld(t)
		w.raw("2025-08-04.txt", symbol+" 1\n")
		w.apply(context.Background(), nil)
		equal(t, w.finished(event.Failed), []string{"ingest[root=ES,dt=2025-08-04]"})
		if _, err := os.Stat(filepath.Join(w.root, "bronze")); err == nil {
			t.Errorf("%.20q made a folder", symbol)
		}
	}
}

func TestRetriesWithGrowingPauses(t *testing.T) {
	w := newWorld(t)
	w.retry = "retry {\n attempts = 3\n backoff = \"2s\"\n }"
	w.raw("2025-08-04.txt", "ESU5 1\n")
	attempts := 0
	w.runs["ingest"] = func(ctx context.Context, t stage.Task) error {
		if attempts++; attempts < 3 {
			return errors.New("not yet")
		}
		return ingest(ctx, t)
	}
	w.apply(context.Background(), nil)
	var waits []time.Duration
	for _, e := range w.events {
		if r, ok := e.(event.StepRetried); ok {
			waits = append(waits, r.Wait)
		}
	}
	equal(t, waits, []time.Duration{2 * time.Second, 4 * time.Second})
	equal(t, w.value("gold.t.total[root=ES]"), []int64{2})
}

func TestTimeoutFailsTheUnit(t *testing.T) {
	w := newWorld(t)
	w.retry = `timeout = "1ms"`
	w.raw("2025-08-04.txt", "ESU5 1\n")
	w.runs["ingest"] = func(ctx context.Context, _ stage.Task) error {
		<-ctx.Done()
		return ctx.Err()
	}
	w.apply(context.Background(), nil)
	for _, e := range w.events {
		if f, ok := e.(event.StepFinished); ok && f.Result == event.Failed {
			if !strings.Contains(f.Err.Error(), "timeout of 1ms") {
				t.Errorf("the error is %v", f.Err)
			}
			return
		}
	}
	t.Error("nothing failed")
}

func TestPanicIsAnErrorOfItsUnit(t *testing.T) {
	w := newWorld(t)
	w.raw("2025-08-04.txt", "ESU5 1\nESZ5 1\n")
	w.runs["double"] = func(ctx context.Context, t stage.Task) error {
		if t.Key("symbol") == "ESZ5" {
			panic("index out of range")
		}
		return double(ctx, t)
	}
	w.apply(context.Background(), nil)
	equal(t, w.finished(event.Failed), []string{"double[symbol=ESZ5,dt=2025-08-04]"})
	equal(t, w.finished(event.Done), []string{"double[symbol=ESU5,dt=2025-08-04]", "ingest[root=ES,dt=2025-08-04]"})
}

func TestInterruptLeavesNothingBehind(t *testing.T) {
	w := newWorld(t)
	w.raw("2025-08-04.txt", "ESU5 1\n")
	w.raw("2025-08-05.txt", "ESU5 1\n")
	ctx, cancel := context.WithCancel(context.Background())
	w.runs["ingest"] = func(ctx context.Context, t stage.Task) error {
		out, err := t.Output("out", "ESU5")
		if err != nil {
			return err
		}
		if err := write(out, 1); err != nil {
			return err
		}
		cancel()
		<-ctx.Done()
		return ctx.Err()
	}
	out := w.apply(ctx, func(o *exec.Options) { o.Workers = 1 })
	if !out.Interrupted || out.Counts[event.Canceled] != 2 {
		t.Errorf("outcome %+v", out)
	}
	if left, _ := filepath.Glob(filepath.Join(w.root, ".dag", "tmp", "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if left, _ := filepath.Glob(filepath.Join(w.root, ".dag", "leases", "*.json")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestTwoAppliesAtOnceMakeEverythingOnce(t *testing.T) {
	w := newWorld(t)
	for d := 1; d <= 5; d++ {
		w.raw(fmt.Sprintf("2025-08-0%d.txt", d), "ESU5 1\nESZ5 2\n")
	}
	var mu sync.Mutex
	runs := map[string]int{}
	w.runs["double"] = func(ctx context.Context, t stage.Task) error {
		mu.Lock()
		runs[t.Key("symbol")+t.Key("dt")]++
		mu.Unlock()
		return double(ctx, t)
	}
	var wait sync.WaitGroup
	for range 2 {
		g, lk := w.open()
		p := w.plan(g, lk)
		wait.Add(1)
		go func() {
			defer wait.Done()
			o := w.options()
			o.Events = nil
			out, err := exec.Run(context.Background(), p, lk, o)
			if err != nil || out.Counts[event.Failed] > 0 {
				t.Errorf("%+v, %v", out, err)
			}
			if err := lk.Close(); err != nil {
				t.Error(err)
			}
		}()
	}
	wait.Wait()
	equal(t, w.value("gold.t.total[root=ES]"), []int64{30})
	if len(runs) != 10 {
		t.Errorf("%d units ran", len(runs))
	}
	g, lk := w.open()
	if p := w.plan(g, lk); len(p.Items) != 0 {
		t.Errorf("left to do: %s", p.Items[0].Describe())
	}
}

// What a partition holds beside its rows is committed with them, opened or not.
func TestTablesAndFilesAreCommitted(t *testing.T) {
	w := newWorld(t)
	w.raw("2025-01-01.txt", "ESH5 1\nESH5 2\n")
	w.apply(context.Background(), nil)
	dir := filepath.Join(w.root, "total", "ES")
	if b, err := os.ReadFile(filepath.Join(dir, "sum.txt")); string(b) != "6" || err != nil {
		t.Errorf("sum.txt holds %q, %v", b, err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "never.bin")); len(b) > 0 || err != nil {
		t.Errorf("never.bin holds %q, %v", b, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "counts.parquet")); err != nil {
		t.Error(err)
	}
}
