package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// small is a project without datasets, for what comes before them.
func small(main string) project {
	return project{"pipelines/main.hcl": "lake { root = \"lake\" }\n" + main}
}

func TestVariablePrecedence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "second.dagvars")
	writeFile(t, file, `who = "second file"`)
	o := small(`variable "who" { default = "default" }`).options()
	o.Pipelines = fstest.MapFS{
		"main.hcl":        {Data: []byte("lake { root = \"lake\" }\nvariable \"who\" { default = \"default\" }")},
		"b.auto.dagvars":  {Data: []byte(`who = "auto b"`)},
		"a.auto.dagvars":  {Data: []byte(`who = "auto a"`)},
		"in/c.hcl":        {Data: []byte(`locals { x = var.who }`)},
		"in/no.dagvars":   {Data: []byte(`who = "not read"`)},
		".hidden/bad.hcl": {Data: []byte(`}`)},
	}
	o.Environ = []string{"DAG_VAR_who=environment", "DAG_VAR_other=x", "who=no", "broken"}
	o.VarFiles = []string{"testdata/vars/given.dagvars", file}
	o.Vars = map[string]string{"who": "flag"}
	check := func(value, origin string) {
		t.Helper()
		v := mustLoad(t, o).Variables[0]
		if v.Value != `"`+value+`"` || v.Origin != origin {
			t.Errorf("got %s from %s, want %q from %s", v.Value, v.Origin, value, origin)
		}
	}
	check("flag", "--var")
	o.Vars = nil
	check("second file", file)
	o.VarFiles = o.VarFiles[:1]
	check("file", "testdata/vars/given.dagvars")
	o.VarFiles = nil
	check("auto b", "pipelines/b.auto.dagvars")
	m := o.Pipelines.(fstest.MapFS)
	delete(m, "b.auto.dagvars")
	delete(m, "a.auto.dagvars")
	check("environment", "DAG_VAR_who")
	o.Environ = []string{"DAG_VAR_who="}
	check("default", "default")
	o.Environ = nil
	check("default", "default")
}

func TestVariableTypes(t *testing.T) {
	o := small(`
variable "n" { type = number }
variable "l" { type = list(string) }
variable "o" {
  type = object({ a = string, b = optional(number, 7) })
}
variable "free" {}
variable "none" {
  type    = string
  default = null
}
`).options()
	o.Vars = map[string]string{"n": "5", "l": `["a", "b"]`, "o": `{ a = "x" }`, "free": "[text"}
	got := map[string]string{}
	for _, v := range mustLoad(t, o).Variables {
		got[v.Name] = v.Value
	}
	want := map[string]string{"n": "5", "l": `["a","b"]`, "o": `{"a":"x","b":7}`, "free": `"[text"`, "none": "null"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestExpressions evaluates expressions by way of the lake's root.
func TestExpressions(t *testing.T) {
	for expr, want := range map[string]string{
		`join(",", [for l in local.levels : upper(l) if l != "b"])`: "A,C",
		`local.deep.list[1]`:                                             "y",
		`replace("2025-06-05", "-", "")`:                                 "20250605",
		`replace("2025-06-05", "/-0/", "-")`:                             "2025-6-5",
		`"${length("abc")}${length([1, 2])}${length({ a = 1 })}"`:        "321",
		`try(local.deep.absent, "fallback")`:                             "fallback",
		`can(regex("^a$", "b")) ? "yes" : "no"`:                          "no",
		`jsonencode(merge({ a = 1 }, { b = [true] }))`:                   `{"a":1,"b":[true]}`,
		`jsondecode("{\"a\":\"z\"}").a`:                                  "z",
		`csvdecode(file("in/rows.csv"))[1].b`:                            "4",
		`format("%s-%03d", join("", sort(toset(["b", "a", "b"]))), 7)`:   "ab-007",
		`formatdate("YYYYMMDD", "2025-06-05T00:00:00Z")`:                 "20250605",
		`"${max(1, 9, 3)}${min(4, 2)}${join("", range(3))}"`:             "92012",
		`startswith("ESU5", "ES") && !endswith("ESU5", "6") ? "y" : "n"`: "y",
		`strcontains("abc", "bc") ? tostring(tonumber("5")) : ""`:        "5",
		`element(split("/", "a/b"), 1)`:                                  "b",
		`local.late`:                                                     "early and late",
		`tomap({ a = "v" })["a"]`:                                        "v",
	} {
		p := project{
			"pipelines/main.hcl": "lake { root = " + expr + " }\nlocals {\n late = \"${local.early} and late\"\n early = \"early\"\n}",
			"pipelines/z.hcl":    `locals { levels = ["a", "b", "c"] }` + "\n" + `locals { deep = { list = ["x", "y"] } }`, "pipelines/in/rows.csv": "a,b\n1,2\n3,4\n",
		}
		if got := p.load(t).LakeRoot; got != want {
			t.Errorf("%s is %q, want %q", expr, got, want)
		}
	}
}

func TestLakeRootOverride(t *testing.T) {
	o := small("").options()
	o.LakeRoot = "elsewhere"
	if got := mustLoad(t, o).LakeRoot; got != "elsewhere" {
		t.Errorf("the root is %q", got)
	}
	o.Pipelines = fstest.MapFS{"main.hcl": {Data: []byte("locals { a = 1 }")}}
	if got := mustLoad(t, o).LakeRoot; got != "elsewhere" {
		t.Errorf("without a lake block the root is %q", got)
	}
}

// TestNesting: what would take the parser's whole stack is a mistake with its place.
func TestNesting(t *testing.T) {
	deep := func(open, close string, n int) string {
		return "locals {\n  a = " + strings.Repeat(open, n) + "1" + strings.Repeat(close, n) + "\n}\n"
	}
	for name, text := range map[string]string{
		"parentheses": deep("(", ")", 200_000), "lists": deep("[", "]", 200_000), "objects": deep("{a=", "}", 200_000),
		"templates": deep(`"${`, `}"`, 200_000), "signs": deep("-", "", 1_000_000), "negations": deep("!", "", 1_000_000), "open": deep("(", "", 200_000),
	} {
		_, list := Load(readBase(t).with(map[string]string{"pipelines/deep.hcl": text}).options())
		if len(list) != 1 || list[0].Code != codeSyntax || list[0].Range.File != "pipelines/deep.hcl" || list[0].Range.Line != 2 || len(list[0].Source) > maxSource {
			t.Errorf("%s: %.300s", name, render(list))
		}
		if _, list := Format([]byte(text), "x.hcl"); !list.HasErrors() {
			t.Errorf("%s are formatted", name)
		}
	}
	text := deep("(", ")", 900) + "# " + strings.Repeat("-(", 5000) + "\n"
	if _, list := Load(readBase(t).with(map[string]string{"pipelines/deep.hcl": text}).options()); list.HasErrors() {
		t.Errorf("900 parentheses and a comment: %v", list)
	}
	given := readBase(t).with(map[string]string{"pipelines/v.hcl": "variable \"v\" { type = list(number) }\n"}).options()
	given.Vars = map[string]string{"v": strings.Repeat("[", 200_000)}
	if _, list := Load(given); !list.HasErrors() {
		t.Error("a variable is nested without end")
	}
}

func TestNoFiles(t *testing.T) {
	_, ds := Load(Options{Pipelines: fstest.MapFS{"readme.txt": {Data: []byte("hello")}}, Contracts: fstest.MapFS{}})
	if got := render(ds); !strings.Contains(got, "there is no *.hcl file in pipelines/") {
		t.Error(got)
	}
	_, ds = Load(Options{Pipelines: os.DirFS(filepath.Join(t.TempDir(), "absent")), Contracts: fstest.MapFS{}})
	if got := render(ds); !strings.Contains(got, "the pipelines cannot be read") {
		t.Error(got)
	}
}

// full is the base project with every feature of a stage.
func full(t testing.TB) project {
	return readBase(t).with(map[string]string{"pipelines/full.hcl": `
locals { levels = { pm_high = 3, or_low = 4 } }

dataset "silver" "future" "levels" {
  for_each    = local.levels
  name        = "bars_${each.key}"
  description = "bars of ${each.key}, ${each.value}"
  keys        = ["symbol", "dt"]
  path        = "silver/symbol=${key.symbol}/table=bars_${each.key}"
  contract    = "bars.avsc"
  tags        = ["level", each.key]
}

stage "bars" {
  transform = "test.bars"
  input "events" { from = dataset.bronze.future.events }
  output "bars" { to = dataset.silver.future.bars }
  params = {
    width  = 60
    mode   = "reference"
    edges  = [0.5, 1]
    strict = null
  }
  timeout = "90s"
  tags    = ["slow"]
  resources {
    cpu    = 0.5
    memory = "512MiB"
  }
  retry {
    attempts = 3
    backoff  = "2s"
  }
}

stage "level" {
  for_each  = local.levels
  transform = "test.level"
  input "history" {
    from = dataset.silver.future.bars
    window {
      key      = "dt"
      sessions = [-7, -1]
      min      = each.value
      on_short = "run"
    }
  }
  input "events" { from = each.key == "x" ? dataset.silver.future.bars : dataset.bronze.future.events }
  output "bars" { to = dataset.silver.future["bars_${each.key}"] }
  params = { level = each.key }
}

stage "index" {
  transform = "test.history"
  input "history" {
    from    = dataset.silver.future.bars
    collect = ["symbol", "dt"]
  }
  output "bars" { to = dataset.gold.future.index }
}
`})
}

func TestStages(t *testing.T) {
	c := full(t).load(t)
	bars := c.stage(t, "bars")
	if bars.Timeout != 90*time.Second || bars.CPU != 0.5 || bars.Memory != 512<<20 || bars.Attempts != 3 || bars.Backoff != 2*time.Second {
		t.Errorf("resources are %+v", bars)
	}
	if got, want := bars.ParamsText(), `{"edges":[0.5,1],"mode":"reference","names":[],"strict":false,"tick":0.25,"width":60}`; got != want {
		t.Errorf("params are %s, want %s", got, want)
	}
	level := c.stage(t, `level["pm_high"]`)
	if got := []string{level.Inputs[0].Port, level.Inputs[1].Port}; !slices.Equal(got, []string{"events", "history"}) {
		t.Errorf("ports are in the order %v", got)
	}
	want := "input events from bronze.future.events\n" +
		"input history from silver.future.bars window dt [-7,-1] min 3 on_short run\n" +
		"output bars to silver.future.bars_pm_high\n"
	if got := level.Definition(); got != want {
		t.Errorf("the definition is\n%swant\n%s", got, want)
	}
	if got := c.stage(t, "index").Definition(); got != "input history from silver.future.bars collect symbol,dt\noutput bars to gold.future.index\n" {
		t.Errorf("the definition is\n%s", got)
	}
	for name, want := range map[string]string{"bars": "symbol dt", `level["or_low"]`: "symbol dt", "index": "root", "ingest": "root dt"} {
		if got := strings.Join(keyNames(c.stage(t, name).UnitKeys()), " "); got != want {
			t.Errorf("the units of %s are %q, want %q", name, got, want)
		}
	}
	if d := c.dataset(t, "silver.future.bars_or_low"); d.Description != "bars of or_low, 4" || !slices.Equal(d.Tags, []string{"level", "or_low"}) {
		t.Errorf("the dataset is %+v", d)
	}
}

// TestDefinitionIgnores changes what a rerun must not depend on.
func TestDefinitionIgnores(t *testing.T) {
	a, files := full(t).load(t), full(t)
	text := files["pipelines/full.hcl"]
	for _, r := range [][2]string{{`timeout = "90s"`, `timeout = "91s"`}, {`attempts = 3`, `attempts = 4`}, {"512MiB", "513MiB"}, {`["slow"]`, `["fast"]`}, {"stage \"bars\" {", "# why\nstage \"bars\" {\n  description = \"more\""}} {
		if !strings.Contains(text, r[0]) {
			t.Fatalf("%s is not there", r[0])
		}
		text = strings.ReplaceAll(text, r[0], r[1])
	}
	b := files.with(map[string]string{"pipelines/full.hcl": text}).load(t)
	if x, y := a.stage(t, "bars"), b.stage(t, "bars"); x.Definition() != y.Definition() || x.ParamsText() != y.ParamsText() {
		t.Errorf("%s%s\nis not\n%s%s", x.Definition(), x.ParamsText(), y.Definition(), y.ParamsText())
	}
}

// TestReferencesAreValues passes references through for_each and expressions.
func TestReferencesAreValues(t *testing.T) {
	c := readBase(t).with(map[string]string{"pipelines/ref.hcl": `
stage "bars" {
  for_each  = { one = dataset.silver.future.bars }
  transform = "test.bars"
  input "events" { from = [for d in [dataset.bronze.future["events"]] : d][0] }
  output "bars" { to = each.value }
}
`}).load(t)
	if got := c.stage(t, `bars["one"]`).Definition(); got != "input events from bronze.future.events\noutput bars to silver.future.bars\n" {
		t.Errorf("the definition is\n%s", got)
	}
}

// TestCollapseUnits is a stage of one root that reads all its contracts.
func TestCollapseUnits(t *testing.T) {
	c := readBase(t).with(map[string]string{"pipelines/front.hcl": `
dataset "gold" "future" "front" {
  keys     = ["dt", "root"]
  path     = "gold/dt=${key.dt}"
  contract = "bars.avsc"
}
stage "front" {
  transform = "test.bars"
  input "events" {
    from    = dataset.bronze.future.events
    collect = ["symbol"]
  }
  output "bars" { to = dataset.gold.future.front }
}
`}).load(t)
	if got := keyNames(c.stage(t, "front").UnitKeys()); !slices.Equal(got, []string{"root", "dt"}) {
		t.Errorf("the units are %v", got)
	}
	d := c.dataset(t, "gold.future.front")
	if got, err := d.Folder(map[string]string{"dt": "2025-06-05", "root": "ES"}); err != nil || got != "gold/dt=2025-06-05/root=ES" {
		t.Errorf("the folder is %q, %v", got, err)
	}
}

// TestConcurrentUse evaluates derive and files from many goroutines.
func TestConcurrentUse(t *testing.T) {
	c := readBase(t).load(t)
	source := c.dataset(t, "raw.future.dbn")
	events := c.dataset(t, "bronze.future.events")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for j := range 50 {
				month := string(rune('1' + (i+j)%9))
				glob, err := source.Files.Glob(map[string]string{"dt": "2025-0" + month + "-01"})
				if err != nil || glob != "*20250"+month+"01*.{dbn,dbn.zst}" {
					t.Errorf("glob is %q, %v", glob, err)
				}
				if got := events.Values(map[string]string{"symbol": "ESU" + month})["root"]; got != "ES" {
					t.Errorf("root is %q", got)
				}
			}
		}()
	}
	wg.Wait()
}

func FuzzLoad(f *testing.F) {
	base := readBase(f)
	for name, text := range full(f) {
		if strings.HasSuffix(name, ".hcl") {
			f.Add(text)
		}
	}
	f.Add(`locals { a = "${local.a}${key.x}${[for x in each.y : x...]}" }`)
	f.Add(`key "k" { derive = key.symbol[0] ? null : try(1/0, key.dt...) }`)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4096 {
			return
		}
		o := base.with(map[string]string{"pipelines/fuzz.hcl": text}).options()
		c, ds := Load(o)
		if !ds.HasErrors() {
			if _, err := json.Marshal(Resolved(c)); err != nil {
				t.Error(err)
			}
		}
		Format([]byte(text), "fuzz.hcl")
	})
}
