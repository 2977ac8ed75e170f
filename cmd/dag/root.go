package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dag/engine/diag"
)

const firstScreen = `dag keeps a lake of partitioned Parquet files up to date: it plans what is stale
and why, makes exactly that in parallel, and can explain every file it made.

Begin here:
  dag demo                         make a small synthetic market and its features
  dag plan                         what would run, and why
  dag apply                        run it
  dag status                       which partitions are fresh, stale or missing

Look closer:
  dag graph | dot -Tsvg > g.svg    draw the pipeline
  dag ls 'bar5s[dt=2025-06]'       addresses of partitions
  dag show 'ADDRESS' --head 5      one partition: rows, columns, where it came from
  dag why 'ADDRESS'                why it would run, or why it last ran

Write a pipeline:
  dag validate                     check the files, without lake and network
  dag fmt                          put them into canonical format
  dag show --resolved              what every expression comes to
  dag schema plan                  the shape of any JSON that dag writes

dag VERB --help has examples. dag --help lists all verbs and global flags.
`

const helpTemplate = `{{with .Long}}{{.}}{{else}}{{.Short}}{{end}}
{{if .HasExample}}
Examples:
{{.Example}}
{{end}}{{if .Runnable}}
Usage:
  {{.UseLine}}
{{end}}{{if .HasAvailableSubCommands}}
Verbs:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}
{{end}}{{if .HasAvailableLocalFlags}}
Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}
{{end}}{{if .HasAvailableInheritedFlags}}
Global flags (each also as DAG_NAME in the environment):
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}
{{end}}
`

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
	root.RunE = func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownVerb(root, args[0])
		}
		_, err := fmt.Fprint(a.stdout, firstScreen)
		return err
	}
	a.flags.register(root.PersistentFlags())
	root.SetHelpTemplate(helpTemplate)
	root.SetFlagErrorFunc(flagError)
	cobra.EnableCommandSorting = false
	root.AddCommand(
		a.demoCmd(), a.planCmd(), a.applyCmd(), a.statusCmd(), a.graphCmd(), a.lsCmd(), a.showCmd(), a.whyCmd(), a.similarCmd(),
		a.validateCmd(), a.fmtCmd(), a.schemaCmd(), a.versionCmd(),
	)
	return root
}

func unknownVerb(root *cobra.Command, name string) error {
	var known []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			known = append(known, c.Name())
		}
	}
	hint := didYouMean(name, known)
	if hint == "" {
		hint = "the verbs are " + strings.Join(known, ", ")
	}
	return mistake("unknown_verb", fmt.Sprintf("there is no verb %q", name), hint)
}

// flagError turns what pflag says into a diagnostic with the nearest flag.
func flagError(cmd *cobra.Command, err error) error {
	d := diag.Diagnostic{Code: "usage", Summary: err.Error(), Hint: fmt.Sprintf("`%s --help` lists the flags", cmd.CommandPath())}
	if name, ok := strings.CutPrefix(err.Error(), "unknown flag: --"); ok {
		var known []string
		add := func(f *pflag.Flag) { known = append(known, f.Name) }
		cmd.LocalFlags().VisitAll(add)
		cmd.InheritedFlags().VisitAll(add)
		d.Summary = fmt.Sprintf("%s has no flag --%s", cmd.CommandPath(), name)
		if near := diag.Nearest(name, known); near != "" {
			d.Hint = fmt.Sprintf("did you mean --%s?", near)
		}
	}
	return diag.List{d}.Err()
}
