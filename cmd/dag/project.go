package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"dag/contracts"
	"dag/engine/config"
	"dag/engine/contract"
	"dag/engine/diag"
	"dag/engine/graph"
	"dag/engine/lake"
	"dag/engine/plan"
	"dag/engine/view"
	"dag/pipelines"
	"dag/stages"
)

// Folders of a project.
const (
	pipelinesDir = "pipelines"
	contractsDir = "contracts"
)

// project is a loaded configuration with its graph.
type project struct {
	app    *app
	root   string // the folder with pipelines/
	config *config.Config
	graph  *graph.Graph
	loaded time.Duration // how long loading took
	failed bool          // plans are to tell what failed last
}

// findProject returns the folder with pipelines/: -C, or here, or the nearest
// above.
func (a *app) findProject() (string, error) {
	if a.flags.project != "" {
		if !a.shipped && !isDir(filepath.Join(a.flags.project, pipelinesDir)) {
			return "", mistake("no_project", fmt.Sprintf("%s has no folder pipelines/", a.flags.project), "-C names the folder that holds pipelines/")
		}
		return a.flags.project, nil
	}
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := here; ; dir = filepath.Dir(dir) {
		if isDir(filepath.Join(dir, pipelinesDir)) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", mistake("no_project", "there is no folder pipelines/ here or above",
				fmt.Sprintf("name the project with -C DIR, or make one: %s demo DIR", a.name))
		}
	}
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// load finds the project and evaluates it. Warnings are printed; mistakes are
// the error.
func (a *app) load() (*project, error) {
	p, list, err := a.loadAll()
	if err == nil {
		err = list.Err()
	}
	if err != nil {
		return nil, err
	}
	if len(list) > 0 {
		a.diagnose(list)
	}
	return p, nil
}

// loadAll also returns the diagnostics; with errors among them the project has
// no graph.
func (a *app) loadAll() (*project, diag.List, error) {
	root, err := a.findProject()
	if err != nil {
		return nil, nil, err
	}
	vars, err := a.vars()
	if err != nil {
		return nil, nil, err
	}
	p := &project{app: a, root: root}
	pipes, contr := os.DirFS(filepath.Join(root, pipelinesDir)), os.DirFS(filepath.Join(root, contractsDir))
	if a.shipped {
		pipes, contr = pipelines.FS, contracts.FS
	}
	var list diag.List
	start := a.now()
	p.config, list = config.Load(config.Options{
		Dir: root, Pipelines: pipes, Contracts: contr,
		Transforms: stages.All(), Vars: vars, VarFiles: a.flags.varFiles, Environ: a.environ, LakeRoot: a.flags.lake,
	})
	// What evaluated well is enough to find cycles beside other mistakes.
	g, cycles := graph.Build(p.config)
	for i := range cycles {
		cycles[i].Source = sourceLine(root, cycles[i].Range)
	}
	list = append(list, cycles...)
	list.Sort()
	if !list.HasErrors() {
		p.graph = g
	}
	p.loaded = a.now().Sub(start)
	a.phases = append(a.phases, phase{"config", p.loaded})
	return p, list, nil
}

// sourceLine is the line a diagnostic points at; empty if it cannot be read.
func sourceLine(root string, r diag.Range) string {
	b, err := os.ReadFile(filepath.Join(root, r.File))
	if err != nil {
		return ""
	}
	lines := strings.Split(string(b), "\n")
	if r.Line < 1 || r.Line > len(lines) {
		return ""
	}
	return strings.TrimSuffix(lines[r.Line-1], "\r")
}

// vars are the values of --var by name.
func (a *app) vars() (map[string]string, error) {
	vars := map[string]string{}
	for _, v := range a.flags.vars {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return nil, mistake("usage", fmt.Sprintf("--var %q is not name=value", v), "as in --var lake=/data/lake")
		}
		vars[name] = value
	}
	return vars, nil
}

// lakeRoot is where the lake is: a relative root counts from here when it
// comes from a flag, else from the project.
func (p *project) lakeRoot() string {
	if root := p.config.LakeRoot; p.app.flags.lake != "" || filepath.IsAbs(root) {
		return root
	}
	return filepath.Join(p.root, p.config.LakeRoot)
}

// openLake opens the lake of a project. What it reports goes to app.notice.
func (p *project) openLake(o lake.Options) (*lake.Lake, error) {
	root := p.lakeRoot()
	if err := checkLakeRoot(root); err != nil {
		return nil, err
	}
	o.Now, o.Notice = p.app.now, func(s string) { p.app.notice(s) }
	layouts := make([]lake.Layout, len(p.config.Datasets))
	for i, d := range p.config.Datasets {
		layouts[i] = layout(d)
	}
	return lake.Open(root, layouts, o)
}

// checkLakeRoot refuses a root that can be no lake.
func checkLakeRoot(root string) error {
	if strings.Contains(root, "://") {
		return mistake("lake_root", fmt.Sprintf("the lake root %q is a URL; this version keeps lakes in folders", root), "")
	}
	if info, err := os.Stat(root); err == nil && !info.IsDir() {
		return mistake("lake_root", fmt.Sprintf("the lake root %s is a file", root), "a lake is a folder")
	}
	return nil
}

// layout is what the lake needs to know of a dataset.
func layout(d *config.Dataset) lake.Layout {
	l := lake.Layout{Addr: d.Addr, Source: d.Source, Contract: d.Contract, ContractPath: d.ContractPath, Sort: d.Sort}
	for _, t := range d.Tables {
		if l.Tables == nil {
			l.Tables = map[string]*contract.Contract{}
		}
		l.Tables[t.Name] = t.Contract
	}
	for _, k := range d.Keys {
		l.Keys = append(l.Keys, lake.Key{Name: k.Name, Date: k.Date, Check: k.CheckPattern})
	}
	for _, s := range d.Path {
		l.Path = append(l.Path, lake.Segment(s))
	}
	return l
}

// look plans for a verb that only reads, and calls f with the plan. The index
// cache is saved where that is possible.
func (p *project) look(ctx context.Context, r plan.Request, f func(*plan.Plan, *lake.Lake) error) error {
	l, err := p.openLake(lake.Options{})
	if err != nil {
		return err
	}
	made, err := p.plan(ctx, l, r)
	if err == nil {
		err = f(made, l)
	}
	if e := l.Close(); e != nil {
		p.app.log.Warn().Err(e).Msg("the index cache was not saved")
	}
	return err
}

// plan makes a plan and notes how long its phases took.
func (p *project) plan(ctx context.Context, l *lake.Lake, r plan.Request) (*plan.Plan, error) {
	if _, err := os.Stat(p.lakeRoot()); errors.Is(err, os.ErrNotExist) {
		p.app.diagnose(diag.List{{Severity: diag.Warning, Code: "lake_root", Summary: fmt.Sprintf("there is no folder %s yet", p.lakeRoot()), Hint: "is it the right one, and is its disk mounted? --lake names another"}})
	}
	r.Compared = new(atomic.Int64)
	if p.failed || wantsFailed(r.Selection) {
		r.Failed = p.failedLast(l)
	}
	end := p.app.showPhase(func() (string, int64) {
		if n := r.Compared.Load(); n > 0 {
			return "units compared", n
		}
		return "partitions looked at", l.Looked()
	})
	made, err := plan.Make(ctx, p.graph, l, r, p.app.now)
	end()
	if err != nil {
		return nil, err
	}
	p.app.phases = append(p.app.phases, phase{"lake", made.Timing.Lake}, phase{"diff", made.Timing.Diff})
	p.app.log.Info().Int("items", len(made.Items)).Int("partitions", made.Partitions()).Msg("planned")
	return made, nil
}

// showPhase shows what count counts while that takes long; the function it
// returns ends it.
func (a *app) showPhase(count func() (string, int64)) func() {
	if a.flags.quiet || a.flags.json {
		return func() {}
	}
	return view.Phase(a.stderr, view.PhaseOptions{Size: a.canvas(a.stderr), Now: a.now, After: time.After}, count)
}

// runID names a run by its time and process.
func (a *app) runID() string {
	return a.now().UTC().Format("20060102T150405.000") + "-" + strconv.Itoa(os.Getpid())
}
