package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
			"In the repository of dag the market goes into the lake " + demoLake + ". Elsewhere it becomes a\nproject, " + demoProject + ", with the shipped pipelines and contracts written out.",
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
	fs.Float64Var(&cfg.Effect, "effect", cfg.Effect, "how plainly the book tells what price will do at a level, `0` to 1: 0 is a fair market")
	fs.Uint64Var(&cfg.Seed, "seed", cfg.Seed, "another `number` makes another market")
	fs.StringVar(&cfg.Start, "start", cfg.Start, "the first `date`")
	fs.IntVarP(&f.workers, "workers", "j", f.workers, "how many `units` run at once")
	fs.StringVar(&f.progress, "progress", "auto", "`auto`, tty, plain, json or none")
	return cmd
}

func (a *app) demo(ctx context.Context, args []string, cfg synthetic.Config, f applyFlags) error {
	if err := a.placeDemo(args); err != nil {
		return err
	}
	p, err := a.load()
	if err != nil {
		return err
	}
	cfg.Holidays = p.holidays()
	var made synthetic.Summary
	err = a.timed("market", func() (err error) {
		made, err = synthetic.Write(p.lakeRoot(), cfg)
		return err
	})
	if err != nil {
		return mistakeOr(err)
	}
	if !a.flags.quiet {
		fmt.Fprintf(a.stderr, "Market: %d sessions from %s, %s events and %s of options, %s of DBN in %s\n",
			len(made.Days), made.Days[0], view.Count(made.Records), view.Count(made.OptionRecords), view.Bytes(made.Bytes+made.OptionBytes), filepath.Join(p.lakeRoot(), "raw"))
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

// mistakeOr makes a user's error of a market that cannot be; trouble with files
// stays what it is.
func mistakeOr(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return err
	}
	return mistake("usage", err.Error(), "")
}

// placeDemo sets the global flags to where the demo is to be.
func (a *app) placeDemo(args []string) error {
	if root, err := a.findProject(); err == nil && isRepository(root) {
		if len(args) > 0 {
			a.flags.lake = args[0]
		} else if a.flags.lake == "" {
			a.flags.lake = filepath.Join(root, filepath.FromSlash(demoLake))
			if here, err := os.Getwd(); err == nil {
				if rel, err := filepath.Rel(here, a.flags.lake); err == nil {
					a.flags.lake = rel
				}
			}
		}
		return nil
	}
	a.flags.project = demoProject
	if len(args) > 0 {
		a.flags.project = args[0]
	}
	if err := writeOut(pipelines.FS, filepath.Join(a.flags.project, pipelinesDir)); err != nil {
		return fmt.Errorf("writing the project: %w", err)
	}
	return writeOut(contracts.FS, filepath.Join(a.flags.project, contractsDir))
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
