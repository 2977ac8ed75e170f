package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"dag/engine/lake"
	"dag/engine/view"
)

func (a *app) lockCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "lock ls|break",
		Short:   "List the leases of who is writing, or take one away",
		Example: "  dag lock ls\n  dag lock break 'silver.future.market_by_price_10_bar5s[symbol=ESU5,dt=2025-08-14]' --force",
		Args:    cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			known := []string{"ls", "break"}
			if len(args) == 0 {
				return mistake("usage", "dag lock wants ls or break", "`dag lock ls` lists leases")
			}
			return mistake("unknown_verb", fmt.Sprintf("dag lock has no verb %q", args[0]), orElse(didYouMean(args[0], known), "there are ls and break"))
		},
	}
	var force bool
	ls := &cobra.Command{
		Use:   "ls",
		Short: "List the leases: who writes what, since when, and whether they live",
		Long: `Lists the leases: which process writes what, since when, when it was last heard of and
whether it lives. A process of another machine or container, or from before a restart of
this one, counts as gone once its heartbeat was seen to stand still for 2 minutes, by an
apply or by several, since clocks may differ; until then it may be shown as silent.`,
		Example: "  dag lock ls\n  dag lock ls --json",
		Args:    noArguments,
		RunE:    func(*cobra.Command, []string) error { return a.locks() },
	}
	take := &cobra.Command{
		Use:   "break NAME...",
		Short: "Take a lease away",
		Long: `Takes leases away, by the names that lock ls shows. The lease of a process that has ended
needs no breaking: whoever wants it takes it over. With --force it is taken from a
living process too: what that one is about to publish then fails, but for what it is
putting in place at that moment.`,
		Example: "  dag lock break 'silver.future.market_by_price_10_bar5s[symbol=ESU5,dt=2025-08-14]' --force",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return mistake("usage", "dag lock break wants the name of a lease", "`dag lock ls` lists them")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.breakLocks(args, force) },
	}
	take.Flags().BoolVar(&force, "force", false, "take it from a living process too")
	cmd.AddCommand(ls, take)
	return cmd
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// withLake opens the project's lake for a verb that needs no plan.
func (a *app) withLake(f func(*project, *lake.Lake) error) error {
	p, err := a.load()
	if err != nil {
		return err
	}
	l, err := p.openLake(lake.Options{LockTimeout: -1, RunID: a.runID()})
	if err != nil {
		return err
	}
	defer a.closeLake(l)
	return f(p, l)
}

func (a *app) locks() error {
	return a.withLake(func(_ *project, l *lake.Lake) error {
		leases, err := l.Leases()
		if err != nil {
			return err
		}
		doc := view.NewLocks(a.now())
		for _, h := range leases {
			if h.Draft {
				continue // it is no lease yet
			}
			doc.Leases = append(doc.Leases, view.LeaseDoc{
				Name: h.Name, File: h.File, PID: h.PID, Host: h.Host, Run: h.Run, Alive: !h.Dead, Silent: h.Silent,
				Taken: h.Taken.UTC().Format(time.RFC3339Nano), Heartbeat: h.Heartbeat.UTC().Format(time.RFC3339Nano),
			})
		}
		return a.print(doc, func() error { return doc.Text(a.stdout, a.style(a.stdout), a.commands("")) })
	})
}

func (a *app) breakLocks(list []string, force bool) error {
	return a.withLake(func(_ *project, l *lake.Lake) error {
		var broken []string
		for _, name := range list {
			ok, err := l.BreakLease(name, force)
			var living *lake.LivingError
			switch {
			case errors.As(err, &living):
				return &exitError{exitLease, mistake("lease_held", living.Error(), "end that process, or give --force: what it is about to publish then fails")}
			case err != nil:
				return err
			case !ok:
				return noLease(l, name)
			}
			broken = append(broken, name)
		}
		doc := view.NewBrokenLock(broken)
		return a.print(doc, func() error { return doc.Text(a.stdout, a.style(a.stdout)) })
	})
}

// noLease is the mistake of a name that no lease has.
func noLease(l *lake.Lake, name string) error {
	leases, err := l.Leases()
	if err != nil {
		return err
	}
	var known []string
	for _, h := range leases {
		known = append(known, h.Name)
	}
	hint := "there are no leases"
	if len(known) > 0 {
		slices.Sort(known)
		hint = orElse(didYouMean(name, known), "`dag lock ls` lists them")
	}
	return mistake("unknown_lease", fmt.Sprintf("there is no lease %q", name), hint)
}
