package main

import (
	"context"

	"github.com/spf13/cobra"

	"dag/engine/manifest"
	"dag/engine/plan"
	"dag/engine/view"
)

func (a *app) invalidateCmd() *cobra.Command {
	var f careFlags
	cmd := &cobra.Command{
		Use:   "invalidate SELECTOR...",
		Short: "Mark partitions stale: the next apply makes them again",
		Long: `Marks partitions stale, those of other tools too: it takes their _SUCCESS away, under
their lease. The data stays where it is until the next apply has made them again; if
that comes out the same, nothing below is made again. It acts at once; --dry-run shows
what it would do. What could not be made again, since its inputs are gone, is refused
(exit code 7).`,
		Example: `  dag invalidate 'bar5s[symbol=ESU5,dt=2025-08-14]'
  dag invalidate --layer silver --symbol ESU5 --dates 2025-08-01:2025-08-15 --dry-run
  dag invalidate state:unverified`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.care(cmd.Context(), "invalidate", f, args, false, invalidate)
		},
	}
	f.register(cmd)
	return cmd
}

func invalidate(ctx context.Context, c *caring, x *plan.Standing) (view.CareItem, error) {
	switch {
	case !x.Trace.State.HasData():
		return skipped("stale"), nil
	case x.Stage == nil:
		return refused("unmade", ""), nil
	case len(x.Absent) > 0:
		return refused("lost", names(x.Absent)), nil
	case c.dry:
		return c.done("", ""), nil
	}
	done, err := c.lake.Invalidate(ctx, x.Partition)
	if err != nil || !done {
		return skipped("stale"), err
	}
	x.Now = &manifest.Trace{Day: x.Trace.Day, State: manifest.Incomplete}
	return c.done("", ""), nil
}
