package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"dag/contracts"
	"dag/engine/graph"
	"dag/engine/lake"
	"dag/engine/plan"
	"dag/engine/view"
	"dag/pipelines"
	"dag/stages/synthetic"
)

// Where the demo goes, unless it is told.
const (
	demoLake    = "lake/demo" // in the repository of dag itself, whose pipelines it uses
	demoProject = "dag-demo"  // elsewhere: a project of its own
)

func (a *app) demoCmd() *cobra.Command {
	cfg := synthetic.Default()
	var f applyFlags
	f.defaults()
	cmd := &cobra.Command{
		Use:   "demo [DIR]",
		Short: "Make a small synthetic market and its features: the five-minute start",
		Long: "Makes a small synthetic market, real DBN files of a market that never was, applies the\nshipped pipeline to it, and shows what it built. Run again, it finds nothing to do.\n\n" +
			"In the repository of dag the market goes into the lake " + demoLake + ". Elsewhere it becomes a\nproject, " + demoProject + ", with the shipped pipelines and contracts written out. A lake that holds\nother raw files is refused, and the environment does not name the place.",
		Example: `  dag demo
  dag demo /tmp/market
  dag demo --days 20 --events 200000 --seed 7`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.demo(cmd.Context(), args, cfg, f) },
	}
	fs := cmd.Flags()
	fs.IntVar(&cfg.Days, "days", cfg.Days, "trading `sessions` to make")
	fs.IntVar(&cfg.Events, "events", cfg.Events, "about this many `events` a session")
	fs.IntVar(&cfg.OptionEvents, "option-events", cfg.OptionEvents, "about this many option `quotes` a session; 0: no options")
	fs.BoolVar(&cfg.FrontOnly, "front-only", cfg.FrontOnly, "one contract instead of several")
	fs.Float64Var(&cfg.Effect, "effect", cfg.Effect, "how plainly the book tells what price will do at a level, a `share` from 0 to 1: 0 is a fair market")
	fs.Uint64Var(&cfg.Seed, "seed", cfg.Seed, "another `number` makes another market")
	fs.StringVar(&cfg.Start, "start", cfg.Start, "the first `date`")
	fs.IntVarP(&f.workers, "workers", "j", f.workers, "how many `units` run at once")
	fs.StringVar(&f.progress, "progress", "auto", "`auto`, tty, plain, json or none")
	return cmd
}

func (a *app) demo(ctx context.Context, args []string, cfg synthetic.Config, f applyFlags) error {
	if _, err := cfg.Sessions(); err != nil { // before there is a folder
		return mistakeOr(err)
	}
	if err := f.check(); err != nil {
		return err
	}
	if err := a.placeDemo(args); err != nil {
		return err
	}
	p, err := a.load()
	if err != nil {
		return err
	}
	made, err := p.market(cfg)
	if err != nil {
		return err
	}
	if err := a.settleDemo(); err != nil {
		return fmt.Errorf("writing the project: %w", err)
	}
	if !a.flags.quiet {
		fmt.Fprintf(a.stderr, "Market: %s from %s, %s events and %s of options, %s of DBN in %s\n",
			view.Plural(len(made.Days), "session"), made.Days[0], view.Count(made.Records), view.Count(made.OptionRecords), view.Bytes(made.Bytes+made.OptionBytes), filepath.Join(p.lakeRoot(), "raw"))
	}
	all, err := p.choose(graph.Request{})
	if err != nil {
		return err
	}
	if _, err := p.run(ctx, plan.Request{Selection: all}, f, "", nil); err != nil {
		return err
	}
	if a.flags.json || a.flags.quiet {
		return nil
	}
	return p.lookAround(ctx, nil, func(made *plan.Plan, l *lake.Lake) error { return p.tour(ctx, made, l) })
}

// market writes the raw files, in a lake that has no others.
func (p *project) market(cfg synthetic.Config) (made synthetic.Summary, err error) {
	root := p.lakeRoot()
	if err := checkLakeRoot(root); err != nil {
		return made, err
	}
	if err := ownLake(root); err != nil {
		return made, err
	}
	cfg.Holidays = p.holidays()
	err = p.app.timed("market", func() (err error) {
		made, err = synthetic.Write(root, cfg)
		return err
	})
	var foreign *synthetic.ForeignError
	if errors.As(err, &foreign) {
		return made, notADemo(root, fmt.Sprintf("%s is not what this demo would write", foreign.Path))
	}
	return made, mistakeOr(err)
}

// ownLake refuses a lake that is no demo's: something is in it, and no raw files. Those
// there are, synthetic.Write looks at.
func ownLake(root string) error {
	entries, err := os.ReadDir(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	other := ""
	for _, e := range entries {
		switch {
		case e.Name() == "raw":
			return nil
		case other == "" && !strings.HasPrefix(e.Name(), "."):
			other = filepath.Join(root, e.Name())
		}
	}
	if other != "" {
		return notADemo(root, other+" is there, and no raw files of a demo")
	}
	return nil
}

func notADemo(place, found string) error {
	return mistake("demo_place", found, fmt.Sprintf("a demo has a folder of its own: name another, or delete %s if it is an earlier demo's", place))
}

// mistakeOr makes a user's error of a market that cannot be; trouble with files
// stays what it is.
func mistakeOr(err error) error {
	if err == nil || ofSystem(err) {
		return err
	}
	return mistake("usage", err.Error(), "")
}

// placeDemo sets the global flags to where the demo is to be: its argument, a flag
// that says the same, or the default. The environment speaks of real lakes and does
// not count.
func (a *app) placeDemo(args []string) error {
	if len(args) > 0 && args[0] == "" {
		return mistake("usage", `dag demo "" names no folder`, "name one, or leave it out")
	}
	lakeElsewhere := a.fromEnvironmentOnly("lake") || a.fromEnvironmentOnly("var-file") || a.getenv("DAG_VAR_lake") != ""
	if a.fromEnvironmentOnly("lake") {
		a.flags.lake = ""
	}
	if a.fromEnvironmentOnly("project") && !isRepository(a.flags.project) {
		a.flags.project = ""
	}
	if root, err := a.findProject(); err == nil && isRepository(root) {
		return a.placeDemoLake(args, root)
	}
	place := demoProject
	switch {
	case len(args) > 0 && a.flags.project != "":
		return mistake("usage", "the place of the demo is given twice, by DIR and by -C", "leave one out")
	case len(args) > 0:
		place = args[0]
	case a.flags.project != "":
		place = a.flags.project
	}
	a.flags.project = place
	if lakeElsewhere && a.flags.lake == "" {
		a.flags.lake = filepath.Join(place, "lake")
	}
	a.shipped = !isDir(filepath.Join(place, pipelinesDir))
	if !a.shipped && !hasShipped(place) {
		return notADemo(place, fmt.Sprintf("%s is a project with other pipelines", place))
	}
	return nil
}

// placeDemoLake places a demo that uses the pipelines of the repository.
func (a *app) placeDemoLake(args []string, root string) error {
	switch {
	case len(args) > 0 && a.flags.lake != "":
		return mistake("usage", "the place of the demo is given twice, by DIR and by --lake", "leave one out")
	case len(args) > 0:
		a.flags.lake = args[0]
	case a.flags.lake == "":
		a.flags.lake = filepath.Join(root, filepath.FromSlash(demoLake))
		if here, err := os.Getwd(); err == nil {
			if rel, err := filepath.Rel(here, a.flags.lake); err == nil {
				a.flags.lake = rel
			}
		}
	}
	return nil
}

// settleDemo writes the shipped project out where the demo has none yet.
func (a *app) settleDemo() error {
	if !a.shipped {
		return nil
	}
	a.shipped = false
	return errors.Join(writeOut(contracts.FS, filepath.Join(a.flags.project, contractsDir)), writeOut(pipelines.FS, filepath.Join(a.flags.project, pipelinesDir)))
}

// hasShipped tells whether a project has pipelines of those that a demo writes.
func hasShipped(project string) bool {
	names, _ := fs.Glob(pipelines.FS, "*.hcl") // fails for a bad pattern only
	return slices.ContainsFunc(names, func(name string) bool {
		_, err := os.Stat(filepath.Join(project, pipelinesDir, name))
		return err == nil
	})
}

// isRepository tells whether a folder holds the sources of this program.
func isRepository(root string) bool {
	b, err := os.ReadFile(filepath.Join(root, "go.mod"))
	first, _, _ := bytes.Cut(b, []byte("\n"))
	return err == nil && strings.TrimSpace(string(first)) == "module dag"
}

// writeOut copies what is embedded into a folder. A file that is there stays as
// it is: somebody may have edited it.
func writeOut(from fs.FS, dir string) error {
	return fs.WalkDir(from, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if e.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		if _, err := os.Lstat(to); err == nil {
			return nil
		}
		b, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		return os.WriteFile(to, b, 0o644)
	})
}

// holidays are the days on which no calendar of the project has a session, as
// YYYY-MM-DD.
func (p *project) holidays() map[string]bool {
	days := map[string]bool{}
	for _, c := range p.config.Calendars {
		for d := range c.Holidays {
			days[d.String()] = true
		}
	}
	return days
}
