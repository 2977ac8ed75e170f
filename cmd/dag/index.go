package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"dag/engine/lake"
	"dag/engine/view"
)

func (a *app) indexCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "index rebuild",
		Short:   "Look at every folder of the lake anew",
		Example: "  dag index rebuild",
		Args:    cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return mistake("usage", "dag index wants to be told what to do", "`dag index rebuild`")
			}
			return mistake("unknown_verb", fmt.Sprintf("dag index has no verb %q", args[0]), "there is rebuild")
		},
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "rebuild",
		Short: "Forget the index and read every manifest again",
		Long: `Forgets the index, the cache of what the lake's folders say, and reads every manifest
again. It is never needed for the index to be right: a folder that has changed is read
again anyhow. It is the way out of a file system that does not keep times.`,
		Example: "  dag index rebuild",
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.rebuildIndex(cmd.Context()) },
	})
	return cmd
}

func (a *app) rebuildIndex(ctx context.Context) error {
	return a.withLake(func(_ *project, l *lake.Lake) error {
		start := a.now()
		end := a.showPhase(func() (string, int64) { return "partitions looked at", l.Looked() })
		list, err := l.RebuildIndex(ctx)
		end()
		if err != nil {
			return err
		}
		doc := view.NewIndex()
		for _, r := range list {
			doc.Datasets = append(doc.Datasets, view.IndexEntryDoc{Dataset: r.Dataset.String(), Source: r.Source, Entries: r.Entries})
		}
		doc.ElapsedNS = a.now().Sub(start).Nanoseconds()
		return a.print(doc, func() error { return doc.Text(a.stdout, a.style(a.stdout)) })
	})
}
