package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"dag/engine/addr"
	"dag/engine/diag"
	"dag/engine/lake"
	"dag/engine/plan"
	"dag/engine/view"
)

// careFlags are those of invalidate, adopt and touch.
type careFlags struct {
	selectFlags
	dry         bool
	workers     int
	lockTimeout time.Duration
}

func (f *careFlags) register(cmd *cobra.Command) {
	f.selectFlags.register(cmd.Flags())
	fs := cmd.Flags()
	fs.BoolVar(&f.dry, "dry-run", false, "show what would be done, and do nothing")
	fs.IntVarP(&f.workers, "workers", "j", runtime.GOMAXPROCS(0), "how many `partitions` are read at once")
	fs.DurationVar(&f.lockTimeout, "lock-timeout", lake.DefaultLockTimeout, "how long to wait for another process that writes the same partition")
}

// check looks at flags that have few values.
func (f *careFlags) check() error {
	if f.workers < 1 {
		return mistake("usage", fmt.Sprintf("--workers is %d", f.workers), "at least one partition has to be looked at")
	}
	return checkLockTimeout(f.lockTimeout)
}

// caring is one run of invalidate, adopt or touch.
type caring struct {
	app   *app
	lake  *lake.Lake
	dry   bool
	runID string
	read  atomic.Int64 // bytes
	held  atomic.Int64 // partitions that another process was writing
}

// care calls do for the selected partitions of which there is a folder, inputs
// before outputs, several of a stage at once, and shows what became of them.
func (a *app) care(ctx context.Context, verb string, f careFlags, args []string, whole bool, do func(context.Context, *caring, *plan.Standing) (view.CareItem, error)) error {
	if err := f.check(); err != nil {
		return err
	}
	r, err := f.request(args)
	if err != nil {
		return err
	}
	p, sel, err := a.loadSelected(r)
	if err != nil {
		return err
	}
	if sel.Everything && r.Layer == "" {
		return mistake("usage", "dag "+verb+" wants to be told which partitions", "give a selector; --layer all means everything, and --dry-run only shows")
	}
	timeout := f.lockTimeout
	if timeout == 0 {
		timeout = -1 // lake.Options: not at all
	}
	c := &caring{app: a, dry: f.dry, runID: a.runID()}
	if c.lake, err = p.openLake(lake.Options{LockTimeout: timeout, RunID: c.runID}); err != nil {
		return err
	}
	defer a.closeLake(c.lake)
	made, err := p.plan(ctx, c.lake, plan.Request{Selection: sel})
	if err != nil {
		return err
	}
	doc := view.NewCare(verb, f.dry)
	end := a.showBytes("read", func() int64 { return c.read.Load() + c.lake.Hashed() })
	err = made.EachStanding(ctx, whole, func(list []*plan.Standing) error { return c.each(ctx, f.workers, list, doc, do) })
	end()
	if err != nil {
		return err
	}
	if len(doc.Partitions) == 0 && onlySources(made) {
		return mistake("usage", "what is selected is delivered, not made", "select datasets, such as what is made of it")
	}
	next := a.commands(requestText(r))
	if sel.NeedsState() {
		next.Selection = "" // what was done is in another state now
	}
	if err := a.print(doc, func() error { return doc.Text(a.stdout, a.style(a.stdout), next) }); err != nil {
		return err
	}
	switch {
	case c.held.Load() > 0:
		return exit(exitLease)
	case doc.Refused():
		return exit(exitProblems)
	}
	return nil
}

// onlySources tells whether all that is selected is partitions of sources.
func onlySources(made *plan.Plan) bool {
	sources, others := 0, 0
	made.EachPartition(func(s plan.PartitionState) {
		if s.Source {
			sources++
		} else {
			others++
		}
	})
	return sources > 0 && others == 0
}

// each handles the partitions of one stage and notes them in their order.
func (c *caring) each(ctx context.Context, workers int, list []*plan.Standing, doc *view.CareDoc, do func(context.Context, *caring, *plan.Standing) (view.CareItem, error)) error {
	items := make([]view.CareItem, len(list))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	for i, x := range list {
		g.Go(func() error {
			item, err := do(ctx, c, x)
			if item, err = c.refusal(item, err); err != nil {
				return err
			}
			item.Partition = x.Partition.String()
			items[i] = item
			return nil
		})
	}
	err := g.Wait()
	for _, item := range items {
		if item.Partition != "" {
			doc.Add(item)
		}
	}
	return err
}

// refusal makes an item of an error that concerns one partition alone.
func (c *caring) refusal(item view.CareItem, err error) (view.CareItem, error) {
	var held *lake.LeaseError
	var unfit *lake.UnfitError
	var changed *lake.ChangedError
	switch {
	case errors.As(err, &held):
		c.held.Add(1)
		return refused("leased", held.Error()), nil
	case errors.As(err, &unfit):
		return refused("unfit", unfit.Error()), nil
	case errors.As(err, &changed):
		return refused("changed", ""), nil
	}
	return item, err
}

func refused(code, detail string) view.CareItem {
	return view.CareItem{Result: view.CareRefused, Code: code, Detail: detail}
}

func skipped(code string) view.CareItem { return view.CareItem{Result: view.CareSkipped, Code: code} }

// done is the result of what was done, or would be.
func (c *caring) done(code, detail string) view.CareItem {
	if c.dry {
		return view.CareItem{Result: view.CareWould, Code: code, Detail: detail}
	}
	return view.CareItem{Result: view.CareDone, Code: code, Detail: detail}
}

// names joins addresses of datasets.
func names(list []addr.Dataset) string {
	out := make([]string, len(list))
	for i, d := range list {
		out[i] = d.String()
	}
	return strings.Join(out, ", ")
}

// print writes a document as JSON or as text.
func (a *app) print(doc any, text func() error) error {
	if a.flags.json {
		return view.WriteJSON(a.stdout, doc)
	}
	return text()
}

// showBytes shows how many bytes have been read while that takes long.
func (a *app) showBytes(what string, n func() int64) func() {
	if a.flags.quiet || a.flags.json {
		return func() {}
	}
	return view.Phase(a.stderr, view.PhaseOptions{Size: a.canvas(a.stderr), Now: a.now, After: time.After, Number: view.Bytes}, func() (string, int64) {
		bytes := n()
		if bytes == 0 {
			return "", 0
		}
		return what, bytes
	})
}

// closeLake ends a verb that had to write: a lost index costs time alone.
func (a *app) closeLake(l *lake.Lake) {
	if err := l.Close(); err != nil {
		a.diagnose(diag.List{{Severity: diag.Warning, Code: "index", Summary: "the index cache could not be saved", Detail: err.Error()}})
	}
}
