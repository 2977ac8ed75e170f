package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dag/engine/lake"
	"dag/engine/manifest"
	"dag/engine/plan"
	"dag/engine/view"
)

func (a *app) touchCmd() *cobra.Command {
	var f careFlags
	var reason string
	cmd := &cobra.Command{
		Use:   "touch SELECTOR... --reason TEXT",
		Short: "Declare stale partitions up to date after a harmless change",
		Long: `Declares partitions up to date that are stale because of a change that does not
concern their data: a transform's new version, a renamed parameter, an input that was
written anew with other bytes and the same values. All outputs of a unit are touched together.
The manifest gets the fingerprint of now and keeps who said so: show and why tell the
reason, the time and what had changed. Data that is missing or damaged cannot be
touched, and what waits for a stale input is refused (exit code 7). If the contract has
changed, all rows are held to the new one first.`,
		Example: `  dag touch bar5s --reason 'version 4 only logs more'
  dag touch 'bar5s[dt=2025-08]' --reason 'new default, same value' --dry-run
  dag touch bar5s+ --reason 'renamed the stage'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			text := strings.TrimSpace(reason)
			if text == "" {
				return mistake("usage", "dag touch wants to know why", "give --reason TEXT; it is kept in the manifests")
			}
			return a.care(cmd.Context(), "touch", f, args, true, func(ctx context.Context, c *caring, x *plan.Standing) (view.CareItem, error) {
				return touch(ctx, c, x, text)
			})
		},
	}
	f.register(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why the change does not concern the data, in a `sentence`; required")
	return cmd
}

// touchable are the reasons to run that speak of what data is made from, and not
// of the data.
var touchable = []plan.Code{
	plan.InputChanged, plan.InputAdded, plan.InputRemoved, plan.StageChanged, plan.TransformChanged, plan.ContractChanged, plan.ParamsChanged,
}

func touch(ctx context.Context, c *caring, x *plan.Standing, text string) (view.CareItem, error) {
	switch {
	case x.Trace.State == manifest.Unverified:
		return skipped("not_ours"), nil
	case x.Stage == nil:
		return refused("unmade", ""), nil
	case x.Reason.Code == "":
		return skipped("fresh"), nil
	case x.Pending != nil:
		return refused("pending_input", x.Pending.String()), nil
	case !slices.Contains(touchable, x.Reason.Code):
		return refused("unit_runs", view.Sentence(x.Reason)), nil
	case x.Trace.Fingerprint.String() == x.Fingerprint.Sum:
		return skipped("fresh"), nil
	}
	item := c.done("touched", view.Sentence(x.Reason))
	if c.dry {
		return item, x.Pretend()
	}
	old, err := c.lake.Manifest(x.Partition)
	if err != nil {
		return item, &lake.UnfitError{Err: err}
	}
	m, err := c.record(x)
	if err != nil {
		return item, err
	}
	m.FanOut, m.Metrics, m.Reason, m.Run = old.FanOut, old.Metrics, old.Reason, old.Run
	now := manifest.Touch{
		At: c.app.now().UTC().Format(time.RFC3339Nano), Reason: text,
		Code: string(x.Reason.Code), Detail: x.Reason.Detail(), File: x.Reason.File, Old: x.Reason.Old, New: x.Reason.New, Fingerprint: old.Fingerprint.Sum,
	}
	if x.Reason.Cause != nil {
		now.Cause = x.Reason.Cause.String()
	}
	m.Touched = append(slices.Clone(old.Touched), now)
	trace, err := c.lake.Restate(ctx, lake.Restatement{
		Partition: x.Partition, Seen: x.Trace, Manifest: m, Check: old.Contract.Digest != m.Contract.Digest, Read: func(n int64) { c.read.Add(n) },
	})
	if err == nil {
		x.Now = &trace
	}
	return item, err
}
