package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"dag/engine/view"
)

func (a *app) explainCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [CODE]",
		Short: "Explain the code of a mistake, a reason or a problem",
		Long: `Explains a code: what it means, an example, and the way out. Mistakes have their code in
brackets; reasons are those of plan and why, problems those of verify. Without a code it
lists all of them. Codes are stable.`,
		Example: "  dag explain\n  dag explain unknown_dataset\n  dag explain upstream --json",
		Args:    cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return codeNames(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{""}
			}
			return a.explain(args[0])
		},
	}
}

// explain explains a code; lists all for an empty one.
func (a *app) explain(code string) error {
	doc, err := view.NewExplain(code)
	switch {
	case err != nil:
		return err
	case len(doc.Codes) == 0:
		return mistake("unknown_code", fmt.Sprintf("there is no code %q", code), orElse(didYouMean(code, codeNames()), "`dag explain` lists all codes"))
	case code == "":
		return a.print(doc, func() error { return doc.List(a.stdout, a.style(a.stdout)) })
	}
	return a.print(doc, func() error { return doc.Text(a.stdout, a.style(a.stdout)) })
}

// codeNames are the codes that can be explained.
func codeNames() []string {
	all, err := view.Codes()
	if err != nil {
		return nil
	}
	var names []string
	for _, c := range all {
		names = append(names, c.Code)
	}
	return names
}
