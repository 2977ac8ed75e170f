package main

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"dag/engine/graph"
	"dag/engine/lake"
	"dag/engine/manifest"
	"dag/engine/plan"
	"dag/engine/view"
)

func (a *app) adoptCmd() *cobra.Command {
	var f careFlags
	cmd := &cobra.Command{
		Use:   "adopt SELECTOR...",
		Short: "Write manifests for data of another tool, without making it again",
		Long: `Writes manifests for partitions that another tool has made (state unverified), with the
fingerprint that their inputs give now: the next plan says that they are up to date,
and from then on it sees what changes. All rows are read first and held to the contract
and to the declared order; the data files are not changed. Inputs of which the lake
holds nothing are left out. What would be made from inputs that are yet to be made is
refused (exit code 7): apply those first. A manifest of the other tool is kept beside.`,
		Example: `  dag adopt --layer all --dry-run
  dag adopt state:unverified
  dag adopt 'silver.future.*[symbol=ESU5]' --dates 2025-08-04:2025-08-08`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.care(cmd.Context(), "adopt", f, args, false, adopt)
		},
	}
	f.register(cmd)
	return cmd
}

func adopt(ctx context.Context, c *caring, x *plan.Standing) (view.CareItem, error) {
	switch x.Trace.State {
	case manifest.Complete:
		return skipped("own"), nil
	case manifest.Incomplete:
		return refused("incomplete", ""), nil
	case manifest.UnreadableManifest, manifest.OutputChanged:
		return refused("broken", ""), nil
	}
	switch {
	case x.Stage == nil:
		return refused("unmade", ""), nil
	case x.Pending != nil:
		return refused("pending_made", x.Pending.String()), nil
	case x.Reason.Code != "":
		return refused("unit_runs", view.Sentence(x.Reason)), nil
	}
	item := c.done("", "")
	if len(x.Absent) > 0 {
		item = c.done("without_inputs", names(x.Absent))
	}
	if c.dry {
		return item, x.Pretend()
	}
	start := c.app.now()
	m, err := c.record(x)
	if err != nil {
		return item, err
	}
	m.Reason = manifest.Reason{Code: manifest.Adopted}
	m.Run = manifest.Run{ID: c.runID, StartedAt: start.UTC().Format(time.RFC3339Nano)}
	if len(x.FanOut) > 0 {
		if err := c.lake.SetFanOut(x.Stage.Addr, x.Unit, manifest.FanOut{Values: x.FanOut}); err != nil {
			return item, err
		}
	}
	now, err := c.lake.Restate(ctx, lake.Restatement{
		Partition: x.Partition, Seen: x.Trace, Manifest: m, Files: files(x), Read: func(n int64) { c.read.Add(n) },
	})
	if err == nil {
		x.Now = &now
	}
	return item, err
}

// record is the manifest of a partition as its unit would write it now, but for
// what only a run knows.
func (c *caring) record(x *plan.Standing) (*manifest.Manifest, error) {
	to := output(x)
	m := &manifest.Manifest{
		Stage: x.Stage.Addr.String(), Unit: x.Unit, Transform: x.Stage.Spec.Name, Version: x.Stage.Spec.Version,
		Contract: manifest.Contract{Path: to.To.ContractPath, Digest: to.To.Contract.Digest},
		Params:   x.Stage.Params, Definition: x.Stage.DefinitionLines(), Fingerprint: x.Fingerprint, FanOut: x.FanOut,
	}
	var err error
	m.Inputs, _, err = c.inputs(x.Inputs)
	return m, err
}

// inputs records what a unit would read now, with the digests in their order.
func (c *caring) inputs(list []plan.InputRef) ([]manifest.Input, []manifest.Sum, error) {
	inputs, digests := make([]manifest.Input, len(list)), make([]manifest.Sum, len(list))
	for i, in := range list {
		record := manifest.Input{Port: in.Port, Partition: in.Partition.String(), Digest: in.Digest.String()}
		digests[i] = in.Digest
		switch {
		case in.Source:
			folder, err := c.lake.SourceFolder(in.Partition.Dataset, in.Series)
			if err != nil {
				return nil, nil, err
			}
			record.File, record.Bytes, record.ModTime = folder+"/"+in.File, in.Size, in.ModTime
		case in.Fused != nil:
			read, sums, err := c.inputs(in.Fused.Inputs)
			if err != nil {
				return nil, nil, err
			}
			record.Made = in.Fused.Made(read, sums)
		}
		inputs[i] = record
	}
	return inputs, digests, nil
}

// output is the port that writes a partition.
func output(x *plan.Standing) *graph.Output {
	i := slices.IndexFunc(x.Stage.Outputs, func(o graph.Output) bool { return o.To.Addr == x.Partition.Dataset })
	return &x.Stage.Outputs[i]
}

// files are the binary files that the transform declares beside the rows.
func files(x *plan.Standing) []string {
	port := output(x).Port
	for _, o := range x.Stage.Spec.Outputs {
		if o.Name == port {
			return o.Files
		}
	}
	return nil
}
