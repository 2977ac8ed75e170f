package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"dag/engine/diag"
	"dag/engine/event"
	"dag/engine/exec"
	"dag/engine/graph"
	"dag/engine/lake"
	"dag/engine/plan"
	"dag/engine/view"
)

// applyFlags are those of `apply` besides the selection.
type applyFlags struct {
	workers     int
	memory      string
	keepGoing   bool
	failFast    bool
	maxFailures int
	force       bool
	strict      bool
	lockTimeout time.Duration
	progress    string
	guard       guardFlags
	reports     reportFlags
}

// defaults are the values without any flag.
func (f *applyFlags) defaults() {
	*f = applyFlags{workers: runtime.GOMAXPROCS(0), keepGoing: true, lockTimeout: lake.DefaultLockTimeout, progress: "auto"}
}

func (a *app) applyCmd() *cobra.Command {
	var sel selectFlags
	var f applyFlags
	f.defaults()
	cmd := &cobra.Command{
		Use:   "apply [SELECTOR]... | FILE.dagplan",
		Short: "Make what is stale or missing, in parallel; run it again to resume",
		Long:  "Makes what is stale or missing, in parallel, and resumes by being run again. It never asks:\nthe preview is `plan`. A saved plan runs exactly; what has changed since is planned again.",
		Example: `  dag apply
  dag apply --symbol ESU5 --dates 2025-08-01:2025-08-15 -j 8
  dag apply '+bar5s[dt=2025-08-14]' --memory 8GiB
  dag plan --out f.dagplan && dag apply f.dagplan --strict
  dag apply --json | jq -c 'select(.result == "failed")'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := sel.request(args)
			if err != nil {
				return err
			}
			if f.failFast && f.keepGoing && cmd.Flags().Changed("keep-going") {
				return mistake("usage", "--fail-fast and --keep-going say the opposite", "give one of them")
			}
			if a.isPlanFile(args) {
				if cmd.Flags().Changed("force") || requestText(r) != shellQuote(args[0]) {
					return mistake("usage", "a saved plan has its own selection and --force", "run it without: dag apply "+shellQuote(args[0]))
				}
				return a.applyFile(cmd.Context(), args[0], f)
			}
			if f.strict {
				return mistake("usage", "--strict is for a saved plan, and none is named", "save one with `dag plan --out FILE.dagplan` and apply that, or leave --strict out")
			}
			return a.apply(cmd.Context(), r, f)
		},
	}
	sel.register(cmd.Flags())
	fs := cmd.Flags()
	fs.IntVarP(&f.workers, "workers", "j", f.workers, "how many `units` run at once")
	fs.StringVar(&f.memory, "memory", "", "what running units may need together, as in `8GiB` (default: three quarters of the machine's)")
	fs.BoolVar(&f.keepGoing, "keep-going", f.keepGoing, "after a failure, finish what does not depend on it")
	fs.BoolVar(&f.failFast, "fail-fast", false, "after a failure, start nothing new")
	fs.IntVar(&f.maxFailures, "max-failures", 0, "start nothing new after `N` failures; 0: never stop")
	fs.BoolVar(&f.force, "force", false, "run what is selected, fresh or not")
	fs.BoolVar(&f.strict, "strict", false, "with a saved plan: exit code 5 if anything has changed since")
	fs.DurationVar(&f.lockTimeout, "lock-timeout", f.lockTimeout, "how long to wait for another process that writes the same partition")
	fs.StringVar(&f.progress, "progress", "auto", "`auto`, tty, plain, json (events on stderr) or none")
	f.guard.register(fs)
	f.reports.register(fs)
	return cmd
}

func (a *app) apply(ctx context.Context, r graph.Request, f applyFlags) error {
	p, sel, err := a.loadSelected(r)
	if err != nil {
		return err
	}
	_, err = p.run(ctx, plan.Request{Selection: sel, Force: f.force}, f, requestText(r), nil)
	return err
}

// run plans and executes. check, if it is there, looks at the plan first.
func (p *project) run(ctx context.Context, r plan.Request, f applyFlags, selection string, check func(*plan.Plan) error) (outcome exec.Outcome, err error) {
	outliveReaders()
	options, rails, err := p.app.execution(f)
	if err != nil {
		return outcome, err
	}
	defer keepHeap(options.Memory, options.Workers)()
	l, err := p.openSwept(ctx, f, options.RunID)
	if err != nil {
		return outcome, err
	}
	defer p.app.closeLake(l)
	made, err := p.plan(ctx, l, r)
	if err == nil && check != nil {
		err = check(made)
	}
	if err != nil {
		return outcome, err
	}
	doc := view.NewPlan(made, p.lakeRoot(), p.loaded)
	doc.SetEstimate(made, f.workers)
	if err := holdBack(rails, doc.Counts); err != nil {
		return outcome, err
	}
	if err := p.app.announce(doc, len(made.Items), selection); err != nil {
		return outcome, err
	}
	if len(made.Items) == 0 && !p.app.flags.json && !f.reports.asked() {
		return outcome, unknowable(made)
	}
	written, err := f.reports.open()
	if err != nil {
		return outcome, err
	}
	outcome, err = p.execute(ctx, made, l, options, written, f.progress, p.app.commands(selection))
	if !p.app.flags.json && !p.app.flags.quiet {
		err = errors.Join(err, unlessUnread(doc.Blockage(p.app.stdout, p.app.style(p.app.stdout), p.app.commands(selection))))
	}
	if err == nil {
		err = unknowable(made)
	}
	return outcome, err
}

// execution is what the flags say of how a plan is to run: mistakes in them are met
// before anything is planned.
func (a *app) execution(f applyFlags) (exec.Options, []rail, error) {
	if err := f.check(); err != nil {
		return exec.Options{}, nil, err
	}
	memory, err := f.memoryLimit()
	if err != nil {
		return exec.Options{}, nil, err
	}
	o := exec.Options{
		Workers: f.workers, Memory: memory, FailFast: f.failFast || !f.keepGoing, MaxFailures: f.maxFailures, Strict: f.strict,
		RunID: a.runID(), Now: a.now, After: time.After, Heap: heapInUse,
	}
	if err := f.guard.options(&o, a.now()); err != nil {
		return o, nil, err
	}
	rails, err := f.guard.rails()
	return o, rails, err
}

// openSwept opens the lake for a run, without what earlier ones left.
func (p *project) openSwept(ctx context.Context, f applyFlags, id string) (*lake.Lake, error) {
	timeout := f.lockTimeout
	if timeout == 0 {
		timeout = -1 // lake.Options: not at all
	}
	l, err := p.openLake(lake.Options{LockTimeout: timeout, RunID: id, Workers: f.workers})
	if err != nil {
		return nil, err
	}
	if err := l.Sweep(ctx); err != nil {
		p.app.diagnose(diag.List{{Severity: diag.Warning, Code: "sweep", Summary: "not everything that an earlier run left could be removed", Detail: err.Error()}})
	}
	p.endKilled(l)
	return l, nil
}

// announce says what is about to be done or, on stdout, that there is nothing to do.
func (a *app) announce(doc *view.PlanDoc, items int, selection string) error {
	if a.flags.quiet || a.flags.json {
		return nil
	}
	if items == 0 {
		return unlessUnread(doc.Text(a.stdout, a.style(a.stdout), a.commands(selection)))
	}
	return unlessUnread(doc.Summary(a.stderr, a.style(a.stderr)))
}

// unknowable is the exit code of a plan with stages below a fan-out that has
// neither run nor been selected: what was asked for is not all there.
func unknowable(made *plan.Plan) error {
	if slices.ContainsFunc(made.After, func(k plan.KnownAfter) bool { return k.Blocked }) {
		return exit(exitFailed)
	}
	return nil
}

// execute runs a plan, shows it, and turns what became of it into an error.
func (p *project) execute(ctx context.Context, made *plan.Plan, l *lake.Lake, o exec.Options, written *reports, progress string, c view.Commands) (exec.Outcome, error) {
	a := p.app
	tally := view.NewTally()
	kept := p.record(made, l, o)
	c.Unrecorded = kept.record == nil
	show, end := a.renderer(progress, c)
	var mu sync.Mutex
	sink := event.Tee(tally.Sink, a.logEvent, show, kept.sink, written.sink)
	locked := func(e event.Event) {
		mu.Lock()
		defer mu.Unlock()
		sink(e)
	}
	o.Events = locked
	before := a.notice
	a.notice = func(text string) { locked(event.Notice{Time: a.now(), Text: text}) }
	var outcome exec.Outcome
	err := a.timed("apply", func() (err error) {
		outcome, err = exec.Run(ctx, made, l, o)
		return err
	})
	a.notice = before
	end()
	if err == nil {
		err = verdict(ctx, outcome)
	}
	kept.end(ctx, outcome, err)
	if werr := written.close(p, kept.doc); werr != nil {
		a.diagnose(diag.List{{Severity: diag.Warning, Code: "report", Summary: "the report of this run could not be written", Detail: werr.Error()}})
	}
	var code *exitError
	if err != nil && !outcome.Interrupted && !errors.As(err, &code) {
		return outcome, err
	}
	if lost := a.lost(); lost != nil {
		return outcome, lost
	}
	if !a.flags.json && !a.flags.quiet {
		if err := unlessUnread(tally.Summary(a.stdout, a.style(a.stdout), c)); err != nil {
			return outcome, err
		}
	}
	return outcome, err
}

// verdict is the exit code of a run, see the table of codes.
func verdict(ctx context.Context, o exec.Outcome) error {
	switch {
	case o.Interrupted:
		return context.Cause(ctx)
	case o.WriteError:
		return exit(exitInternal)
	case o.LeaseHeld:
		return exit(exitLease)
	case o.Drifted:
		return exit(exitDrift)
	case o.Counts[event.Failed]+o.Counts[event.Blocked] > 0:
		return exit(exitFailed)
	}
	return nil
}

// frameEvery is how often the live view is drawn.
const frameEvery = 120 * time.Millisecond

// renderer returns what shows a run, and what ends it.
func (a *app) renderer(progress string, c view.Commands) (event.Sink, func()) {
	none := func() {}
	if a.flags.json {
		return view.JSON(a.stdout), none
	}
	size := a.canvas(a.stderr)
	style := a.style(a.stderr)
	switch {
	case progress == "json":
		return view.JSON(a.stderr), none
	case progress == "none" || a.flags.quiet:
		return view.Failures(a.stderr, style, c), none
	case progress == "tty" || progress == "auto" && size != nil:
		frames := time.NewTicker(frameEvery)
		t := view.NewTTY(a.stderr, view.TTYOptions{Style: style, Commands: c, Now: a.now, Size: size, Refresh: frames.C})
		return t.Sink, func() {
			frames.Stop()
			t.Close()
		}
	}
	return view.Plain(a.stderr, style, c), none
}

func checkWorkers(n int) error {
	if n < 1 {
		return mistake("usage", fmt.Sprintf("--workers is %d", n), "at least one unit has to run")
	}
	return nil
}

// checkLockTimeout refuses a time to wait that is none.
func checkLockTimeout(d time.Duration) error {
	if d < 0 {
		return mistake("usage", fmt.Sprintf("--lock-timeout is %s", d), "0s does not wait at all")
	}
	return nil
}

// check looks at flags that have few values.
func (f *applyFlags) check() error {
	if err := checkWorkers(f.workers); err != nil {
		return err
	}
	if f.maxFailures < 0 {
		return mistake("usage", fmt.Sprintf("--max-failures is %d", f.maxFailures), "0 never stops")
	}
	if err := checkLockTimeout(f.lockTimeout); err != nil {
		return err
	}
	if err := f.reports.check(); err != nil {
		return err
	}
	return oneOf("--progress", f.progress, "auto", "tty", "plain", "json", "none")
}
