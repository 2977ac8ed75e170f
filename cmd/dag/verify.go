package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"dag/engine/addr"
	"dag/engine/graph"
	"dag/engine/lake"
	"dag/engine/manifest"
	"dag/engine/plan"
	"dag/engine/view"
)

func (a *app) verifyCmd() *cobra.Command {
	var sel selectFlags
	workers := runtime.GOMAXPROCS(0)
	cmd := &cobra.Command{
		Use:   "verify [SELECTOR]...",
		Short: "Read all data again and hold it to the manifests",
		Long: `Reads the data files of partitions again and holds them to the SHA-256 in their manifests,
and raw files to the digest that was taken when they were last read: finds bytes that a
disk has flipped, edits by others, half-written output and, without a selection, orphans:
folders that are no partition of the configuration. It changes nothing. Exit code 7 if
there are problems; each comes with its way out.`,
		Example: `  dag verify
  dag verify --layer silver --symbol ESU5 --dates 2025-08-01:2025-08-15
  dag verify --json | jq -r '.problems[].path'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := sel.request(args)
			if err != nil {
				return err
			}
			if workers < 1 {
				return mistake("usage", fmt.Sprintf("--workers is %d", workers), "at least one file has to be read")
			}
			return a.verify(cmd.Context(), r, workers)
		},
	}
	sel.register(cmd.Flags())
	cmd.Flags().IntVarP(&workers, "workers", "j", workers, "how many `partitions` are read at once")
	return cmd
}

func (a *app) verify(ctx context.Context, r graph.Request, workers int) error {
	p, sel, err := a.loadSelected(r)
	if err != nil {
		return err
	}
	return p.look(ctx, plan.Request{Selection: sel}, func(made *plan.Plan, l *lake.Lake) error {
		v := &verification{project: p, lake: l, doc: view.NewVerify(), commands: a.commands("")}
		start := a.now()
		jobs, total, err := v.jobs(ctx, made)
		if err != nil {
			return err
		}
		end := a.showBytes("of "+view.Bytes(total)+" verified", v.read.Load)
		err = v.run(ctx, jobs, workers)
		end()
		if err == nil && sel.Everything {
			err = v.orphans(ctx, made)
		}
		if err != nil {
			return err
		}
		v.doc.ElapsedNS = a.now().Sub(start).Nanoseconds()
		v.doc.Sort()
		err = a.print(v.doc, func() error { return v.doc.Text(a.stdout, a.style(a.stdout)) })
		if err == nil && len(v.doc.Problems) > 0 {
			return exit(exitProblems)
		}
		return err
	})
}

// verification is one run of verify.
type verification struct {
	project  *project
	lake     *lake.Lake
	commands view.Commands
	read     atomic.Int64 // bytes

	mu  sync.Mutex
	doc *view.VerifyDoc
}

// verifyJob looks at one partition, or at one file of a source.
type verifyJob func(ctx context.Context, read func(int64)) (lake.Verified, error)

// jobs lists what is to be read, and how many bytes that is.
func (v *verification) jobs(ctx context.Context, made *plan.Plan) ([]verifyJob, int64, error) {
	var jobs []verifyJob
	var total int64
	wanted := map[addr.Dataset]map[addr.Keys]bool{} // partitions of sources
	made.EachPartition(func(s plan.PartitionState) {
		if s.Source {
			d := s.Partition.Dataset
			if wanted[d] == nil {
				wanted[d] = map[addr.Keys]bool{}
			}
			wanted[d][s.Partition.Keys] = true
			return
		}
		if s.State == plan.MissingNow || s.State == plan.Unstored {
			return
		}
		total += s.Bytes
		jobs = append(jobs, func(ctx context.Context, read func(int64)) (lake.Verified, error) {
			return v.lake.Verify(ctx, s.Partition, read)
		})
	})
	for d, keys := range wanted {
		more, size, err := v.sourceJobs(ctx, d, keys)
		if err != nil {
			return nil, 0, err
		}
		jobs, total = append(jobs, more...), total+size
	}
	return jobs, total, nil
}

// sourceJobs lists the files of wanted partitions of a source, after looking up
// what the manifests of its readers say of them.
func (v *verification) sourceJobs(ctx context.Context, d addr.Dataset, wanted map[addr.Keys]bool) ([]verifyJob, int64, error) {
	for _, st := range v.project.graph.Stages {
		if !slices.ContainsFunc(st.Inputs, func(in graph.Input) bool { return in.From.Addr == d }) {
			continue
		}
		for _, o := range st.Outputs {
			if err := v.lake.Learn(ctx, o.To.Addr); err != nil {
				return nil, 0, err
			}
		}
	}
	t, err := v.lake.Table(ctx, d, nil)
	if err != nil {
		return nil, 0, err
	}
	var jobs []verifyJob
	var total int64
	for _, s := range t.Series {
		files, err := v.project.sourceFiles(d, s, wanted)
		if err != nil {
			return nil, 0, err
		}
		for _, i := range files {
			total += s.Files[i].Size
			jobs = append(jobs, func(ctx context.Context, read func(int64)) (lake.Verified, error) {
				return v.lake.VerifySource(ctx, d, s.Keys, s.Files[i].Name, read)
			})
		}
	}
	return jobs, total, nil
}

// sourceFiles returns the positions of a series' files that feed any of the wanted
// partitions, each once.
func (p *project) sourceFiles(d addr.Dataset, s manifest.Series, wanted map[addr.Keys]bool) ([]int, error) {
	def := p.dataset(d)
	names := make([]string, len(s.Files))
	for i, f := range s.Files {
		names[i] = f.Name
	}
	date := def.DateKey()
	days := map[string]bool{} // of wanted partitions of this series
	for keys := range wanted {
		if !within(s.Keys, keys) {
			continue
		}
		if date == nil {
			return filesOf(def, names, keys)
		}
		day, _ := keys.Get(date.Name)
		days[day] = true
	}
	if len(days) == 0 {
		return nil, nil
	}
	values := map[string]string{}
	for _, kv := range s.Keys.Pairs() {
		values[kv.Key] = kv.Value
	}
	assigned, err := def.Files.Assign(names, values, date.Name, date.Calendar)
	if err != nil {
		return nil, fmt.Errorf("files of %s: %w", d, err)
	}
	var out []int
	for _, a := range assigned {
		if days[a.Day.String()] {
			out = append(out, a.Files...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// run does the jobs, several at once.
func (v *verification) run(ctx context.Context, jobs []verifyJob, workers int) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	for _, job := range jobs {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			found, err := job(ctx, func(n int64) { v.read.Add(n) })
			if err != nil {
				return err
			}
			v.add(found)
			return nil
		})
	}
	return g.Wait()
}

func (v *verification) add(found lake.Verified) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.doc.Partitions++
	v.doc.Files += found.Files
	v.doc.Bytes += found.Bytes
	if found.Unrecorded {
		v.doc.Unrecorded++
	}
	for _, x := range found.Problems {
		v.doc.Add(view.ProblemDoc{Code: string(x.Kind), Partition: x.Partition, Path: x.Path, Old: x.Old, New: x.New, Detail: x.Detail}, v.commands)
	}
}

// orphans looks for folders that are no partition.
func (v *verification) orphans(ctx context.Context, made *plan.Plan) error {
	var looked atomic.Int64
	end := v.project.app.showPhase(func() (string, int64) { return "folders looked at", looked.Load() })
	list, err := v.lake.Orphans(ctx, made.Knows, func() { looked.Add(1) })
	end()
	for _, o := range list {
		v.doc.Add(view.ProblemDoc{Code: string(o.Kind), Partition: o.Name, Path: o.Path, Detail: o.Why}, v.commands)
	}
	return err
}
