package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"dag/engine/view"
)

func (a *app) validateCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "validate",
		Short: "Check files, references, contracts and mappings, without lake and network",
		Example: `  dag validate
  dag validate --var semantics=reference
  dag validate --json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.validate() },
	}
}

func (a *app) validate() error {
	p, list, err := a.loadAll()
	if err != nil {
		return err
	}
	if a.flags.json {
		if err := view.WriteJSON(a.stdout, view.NewDiagnostics("validate", list)); err != nil {
			return err
		}
		if list.HasErrors() {
			return exit(exitUsage)
		}
		return nil
	}
	if list.HasErrors() {
		return list.Err()
	}
	a.diagnose(list)
	_, err = fmt.Fprintf(a.stdout, "Valid: %s in %s.\n", p.extent(), p.root)
	return err
}

// extent says how large the configuration is.
func (p *project) extent() string {
	sources := 0
	for _, d := range p.config.Datasets {
		if d.Source {
			sources++
		}
	}
	return view.Extent(sources, len(p.config.Datasets)-sources, len(p.config.Stages))
}
