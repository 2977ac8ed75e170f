package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dag/engine/diag"
)

// helpTemplate has the examples first.
const helpTemplate = `{{.Short}}
{{if .HasExample}}
Examples:
{{.Example}}
{{end}}{{with .Long}}
{{.}}
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

// helpful gives a command and all below it messages with a way out, and help that is
// the same on every machine.
func helpful(c *cobra.Command) {
	if f := c.Flags().Lookup("workers"); f != nil {
		f.DefValue = "one a core"
	}
	if check := c.Args; check != nil {
		c.Args = func(cmd *cobra.Command, args []string) error {
			err := check(cmd, args)
			var said *diag.ListError
			if err == nil || errors.As(err, &said) {
				return err
			}
			return wrongArguments(cmd, args)
		}
	}
	for _, sub := range c.Commands() {
		helpful(sub)
	}
}

// wrongArguments says what a verb takes and what it was given.
func wrongArguments(cmd *cobra.Command, args []string) error {
	_, takes, some := strings.Cut(cmd.Use, " ")
	if !some {
		takes = "no arguments"
	}
	given := "none"
	if len(args) > 0 {
		given = strings.Join(args, " ")
	}
	return mistake("usage", fmt.Sprintf("%s takes %s, and was given %s", cmd.CommandPath(), takes, given), fmt.Sprintf("`%s --help` has examples", cmd.CommandPath()))
}

// helpCmd stands in for cobra's, which takes any word for a verb.
func helpCmd() *cobra.Command {
	return &cobra.Command{
		Use: "help [VERB]", Short: "Print the help of a verb", Hidden: true, Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			verb, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownVerb(cmd.Root(), strings.Join(args, " "))
			}
			return verb.Help()
		},
	}
}

func unknownVerb(root *cobra.Command, name string) error {
	var known []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			known = append(known, c.Name())
		}
	}
	return mistake("unknown_verb", fmt.Sprintf("there is no verb %q", name), orElse(didYouMean(name, known), "the verbs are "+strings.Join(known, ", ")))
}

// flagError turns what pflag says into a diagnostic with the way out.
func flagError(cmd *cobra.Command, err error) error {
	path := cmd.CommandPath()
	help := fmt.Sprintf("`%s --help` lists the flags", path)
	var unknown *pflag.NotExistError
	var noValue *pflag.ValueRequiredError
	var badValue *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		return mistake("usage", fmt.Sprintf("%s has no flag %s", path, typedFlag(unknown)), orElse(flagHint(cmd, unknown), help))
	case errors.As(err, &noValue):
		f := noValue.GetFlag()
		kind, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if noValue.GetSpecifiedShortnames() != "" {
			name = "-" + f.Shorthand
		}
		return mistake("usage", fmt.Sprintf("%s wants a value: %s", name, orElse(kind, "value")), usage)
	case errors.As(err, &badValue):
		f := badValue.GetFlag()
		_, usage := pflag.UnquoteUsage(f)
		return mistake("usage", fmt.Sprintf("--%s cannot be %q: it takes %s", f.Name, badValue.GetValue(), flagTakes(f)), usage)
	}
	return mistake("usage", err.Error(), help)
}

// typedFlag is an unknown flag as it was typed.
func typedFlag(e *pflag.NotExistError) string {
	if letters := e.GetSpecifiedShortnames(); letters != "" {
		return "-" + letters
	}
	return "--" + e.GetSpecifiedName()
}

// flagHint names the flag that is meant: one of the verb, with two dashes, the
// nearest, or the same of other verbs.
func flagHint(cmd *cobra.Command, e *pflag.NotExistError) string {
	name := strings.TrimLeft(typedFlag(e), "-")
	var known []string
	add := func(f *pflag.Flag) { known = append(known, f.Name) }
	cmd.LocalFlags().VisitAll(add)
	cmd.InheritedFlags().VisitAll(add)
	for _, k := range known {
		if k == name && len(name) > 1 {
			return fmt.Sprintf("flags of more than one letter have two dashes: --%s", name)
		}
	}
	if len(name) == 1 && e.GetSpecifiedShortnames() == "" && (cmd.LocalFlags().ShorthandLookup(name) != nil || cmd.InheritedFlags().ShorthandLookup(name) != nil) {
		return fmt.Sprintf("flags of one letter have one dash: -%s", name)
	}
	if others := verbsWith(cmd.Root(), name); len(others) > 0 {
		return "it is a flag of " + strings.Join(others, ", ")
	}
	if near := diag.Nearest(name, known); near != "" && len(name) > 1 {
		return fmt.Sprintf("did you mean --%s?", near)
	}
	return ""
}

// verbsWith are the verbs that have a flag of a name or letter of their own.
func verbsWith(root *cobra.Command, name string) []string {
	var verbs []string
	for _, c := range root.Commands() {
		f := c.LocalNonPersistentFlags()
		if f.Lookup(name) != nil || len(name) == 1 && f.ShorthandLookup(name) != nil {
			verbs = append(verbs, c.CommandPath())
		}
	}
	return verbs
}

// flagTakes says what the values of a flag are.
func flagTakes(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "int", "int64", "uint64":
		return "a whole number"
	case "float64":
		return "a number"
	case "bool":
		return "true or false"
	case "duration":
		return "a length of time, as 10s or 2m"
	}
	return "a " + f.Value.Type()
}
