package main

import (
	"github.com/spf13/cobra"

	"dag/engine/view"
)

// root returns the command with all its verbs.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:               "dag",
		Short:             "Keeps a lake of partitioned Parquet files up to date",
		Args:              cobra.ArbitraryArgs,
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: a.prepare,
	}
	version := root.Flags().Bool("version", false, "as `dag version`")
	root.RunE = func(_ *cobra.Command, args []string) error {
		if *version {
			return a.version()
		}
		if len(args) > 0 {
			return unknownVerb(root, args[0])
		}
		return view.FirstScreen(a.stdout, a.style(a.stdout), view.Commands{Name: a.name})
	}
	a.flags.register(root.PersistentFlags())
	root.SetHelpTemplate(helpTemplate)
	root.SetHelpCommand(helpCmd())
	root.SetFlagErrorFunc(flagError)
	cobra.EnableCommandSorting = false
	root.AddCommand(
		a.demoCmd(), a.planCmd(), a.applyCmd(), a.statusCmd(), a.graphCmd(), a.lsCmd(), a.showCmd(), a.whyCmd(), a.similarCmd(),
		a.runsCmd(), a.logsCmd(), a.retryCmd(), a.diffCmd(), a.lineageCmd(), a.mapCmd(),
		a.verifyCmd(), a.invalidateCmd(), a.adoptCmd(), a.touchCmd(), a.gcCmd(), a.lockCmd(), a.indexCmd(), a.doctorCmd(),
		a.validateCmd(), a.fmtCmd(), a.schemaCmd(), a.explainCmd(), a.docsCmd(), a.completionCmd(), a.versionCmd(),
	)
	helpful(root)
	return root
}
