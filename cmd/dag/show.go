package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"dag/engine/addr"
	"dag/engine/config"
	"dag/engine/exec"
	"dag/engine/lake"
	"dag/engine/plan"
	"dag/engine/stage"
	"dag/engine/view"
)

func (a *app) showCmd() *cobra.Command {
	var resolved bool
	var head int
	cmd := &cobra.Command{
		Use:   "show PARTITION | --resolved",
		Short: "Show a partition: manifest, schema, statistics, rows; or the evaluated configuration",
		Example: `  dag show 'bar5s[symbol=ESU5,dt=2025-08-14]'
  dag show 'approach["or_low"][symbol=ESU5,dt=2025-08-14]' --head 5
  dag show --resolved`,
		Args: func(cmd *cobra.Command, args []string) error {
			if resolved && len(args) == 0 {
				return nil
			}
			return oneArgument("a partition, as in 'bar5s[symbol=ESU5,dt=2025-08-14]', or --resolved")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case resolved && len(args) > 0:
				return mistake("usage", "--resolved shows the configuration, and takes no partition", "")
			case resolved:
				return a.showResolved()
			case head < 0:
				return mistake("usage", fmt.Sprintf("--head is %d", head), "give the number of rows to print")
			}
			return a.show(cmd.Context(), args[0], head)
		},
	}
	cmd.Flags().BoolVar(&resolved, "resolved", false, "print the evaluated configuration as JSON")
	cmd.Flags().IntVar(&head, "head", 0, "print the first `N` rows")
	return cmd
}

func (a *app) showResolved() error {
	p, err := a.load()
	if err != nil {
		return err
	}
	return view.WriteJSON(a.stdout, view.NewResolved(config.Resolved(p.config)))
}

func (a *app) show(ctx context.Context, text string, head int) error {
	p, meant, err := a.loadFor(text)
	if err != nil {
		return err
	}
	return p.lookAround(ctx, meant, func(made *plan.Plan, l *lake.Lake) error {
		part, err := onePartition(made, meant, text)
		if err != nil {
			return err
		}
		e, err := made.Explain(part)
		if err != nil {
			return err
		}
		doc := view.NewShow(view.NewPartition(e.State))
		doc.Manifest = e.Last
		def := p.dataset(part.Dataset)
		if def.Source {
			err = showFiles(ctx, doc, def, l, part)
		} else {
			err = showData(ctx, doc, def, l, made, part, head)
		}
		if err != nil {
			return err
		}
		if a.flags.json {
			return view.WriteJSON(a.stdout, doc)
		}
		return doc.Text(a.stdout, a.style(a.stdout))
	})
}

// dataset returns a dataset or source of the project that a plan has named.
func (p *project) dataset(d addr.Dataset) *config.Dataset {
	i, _ := slices.BinarySearchFunc(p.config.Datasets, d, func(d *config.Dataset, a addr.Dataset) int { return d.Addr.Compare(a) })
	return p.config.Datasets[i]
}

// showFiles lists the files of a source's partition.
func showFiles(ctx context.Context, doc *view.ShowDoc, def *config.Dataset, l *lake.Lake, part addr.Partition) error {
	t, err := l.Table(ctx, def.Addr, nil)
	if err != nil {
		return err
	}
	for _, s := range t.Series {
		if !within(s.Keys, part.Keys) {
			continue
		}
		folder, err := l.SourceFolder(def.Addr, s.Keys)
		if err != nil {
			return err
		}
		names := make([]string, len(s.Files))
		for i, f := range s.Files {
			names[i] = f.Name
		}
		picked, err := filesOf(def, names, part.Keys)
		if err != nil {
			return err
		}
		for _, i := range picked {
			doc.Files = append(doc.Files, view.FileDoc{Path: folder + "/" + names[i], Bytes: s.Files[i].Size})
		}
	}
	return nil
}

// within tells whether all keys of a series are among those of a partition.
func within(series, part addr.Keys) bool {
	for _, kv := range series.Pairs() {
		if v, ok := part.Get(kv.Key); !ok || v != kv.Value {
			return false
		}
	}
	return true
}

// filesOf returns the positions of the files that belong to a partition.
func filesOf(def *config.Dataset, names []string, keys addr.Keys) ([]int, error) {
	date := def.DateKey()
	if date == nil {
		all := make([]int, len(names))
		for i := range all {
			all[i] = i
		}
		return all, nil
	}
	values := map[string]string{}
	for _, kv := range keys.Pairs() {
		values[kv.Key] = kv.Value
	}
	days, err := def.Files.Assign(names, values, date.Name, date.Calendar)
	if err != nil {
		return nil, fmt.Errorf("files of %s: %w", def.Addr, err)
	}
	for _, d := range days {
		if d.Day.String() == values[date.Name] {
			return d.Files, nil
		}
	}
	return nil, nil
}

// showData reads a partition for the statistics of its columns and its first
// rows. One without data shows its columns alone.
func showData(ctx context.Context, doc *view.ShowDoc, def *config.Dataset, l *lake.Lake, made *plan.Plan, part addr.Partition, head int) error {
	if def.Unstored {
		return showFused(ctx, doc, def, l, made, part, head)
	}
	folder, err := l.Folder(part)
	if err != nil {
		return err
	}
	doc.Path = folder
	stats := newStatistics(def.Contract)
	if slices.Contains([]string{string(plan.MissingNow), string(plan.Broken)}, doc.Partition.State) {
		doc.Columns = stats.columns()
		return nil
	}
	in, err := l.OpenPartition(part)
	if err != nil {
		return unreadable(ctx, err, "`dag plan` looks at it again, and `dag apply` makes it anew; --force makes anew what another tool wrote")
	}
	defer in.Close() // read only: nothing can be lost
	err = showRows(doc, stats, stage.Batches(in.Read(ctx)), head)
	return unreadable(ctx, err, "`dag verify "+shellQuote(part.String())+"` compares its files with what is recorded of them")
}

// unreadable is an error of data that is not what it should be.
func unreadable(ctx context.Context, err error, hint string) error {
	if err == nil || ctx.Err() != nil || ofSystem(err) {
		return err
	}
	return &exitError{exitInternal, mistake("unreadable_data", err.Error(), hint)}
}

// showFused makes a partition that is not stored, to look at it.
func showFused(ctx context.Context, doc *view.ShowDoc, def *config.Dataset, l *lake.Lake, made *plan.Plan, part addr.Partition, head int) error {
	w, ok, err := made.Fused(ctx, part)
	if err != nil {
		return err
	}
	stats := newStatistics(def.Contract)
	if !ok {
		doc.Columns = stats.columns()
		return nil
	}
	err = showRows(doc, stats, exec.ReadFused(ctx, l, w), head)
	return unreadable(ctx, err, "it is made from what is stored, to be looked at: `dag verify` tells whether that is whole")
}

func showRows(doc *view.ShowDoc, stats *statistics, rows stage.Batches, head int) error {
	n := int64(0)
	for rec, err := range rows {
		if err != nil {
			return err
		}
		doc.Head = append(doc.Head, firstRows(rec, head-len(doc.Head))...)
		n += rec.NumRows()
		stats.add(rec)
	}
	doc.Partition.Rows, doc.Columns = n, stats.columns()
	return nil
}
