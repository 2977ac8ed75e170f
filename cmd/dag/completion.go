package main

import (
	"context"
	_ "embed"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dag/engine/view"
)

// The scripts ask `dag __complete WORD...`, which cobra answers, and differ from
// those it generates in that they leave selectors whole: those have brackets,
// quotes and = in them.
var (
	//go:embed completion/dag.bash
	bashCompletion string
	//go:embed completion/dag.zsh
	zshCompletion string
	//go:embed completion/dag.fish
	fishCompletion string
)

func (a *app) completionCmd() *cobra.Command {
	scripts := map[string]string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}
	shells := []string{"bash", "zsh", "fish"}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "Print what makes a shell complete dag's verbs, flags and selectors",
		Long: `Prints a script that makes the shell complete verbs, flags and their values, datasets,
stages, tags, states and reasons, and within brackets the keys and the values that the
lake has.`,
		Example: `  source <(dag completion bash)      # in ~/.bashrc
  source <(dag completion zsh)       # in ~/.zshrc, after compinit
  dag completion fish | source       # in ~/.config/fish/config.fish`,
		Args:      oneArgument("a shell: bash, zsh or fish"),
		ValidArgs: shells,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := oneOf("the shell", args[0], shells...); err != nil {
				return err
			}
			_, err := io.WriteString(a.stdout, scripts[args[0]])
			return err
		},
	}
}

// flagWords are the values of flags that take one of a few words.
var flagWords = map[string][]string{
	"color":      {"auto", "always", "never"},
	"log-format": {"text", "json"},
	"progress":   {"auto", "tty", "plain", "json", "none"},
	"format":     {"dot", "mermaid", "json"},
	"level":      {"stage", "dataset", "partition"},
	"refresh":    {"index", "list", "verify"},
	"order":      {"newest", "oldest"},
}

// registerCompletions tells cobra what to offer for every flag and argument in
// the tree below cmd. The tree then serves for nothing else.
func (a *app) registerCompletions(cmd *cobra.Command) {
	register := func(f *pflag.Flag) {
		if _, there := cmd.GetFlagCompletionFunc(f.Name); !there {
			_ = cmd.RegisterFlagCompletionFunc(f.Name, a.flagCompletion(f)) // it fails for what is registered
			_, f.Usage = pflag.UnquoteUsage(f)                              // it is shown as it stands
		}
	}
	cmd.PersistentFlags().VisitAll(register)
	cmd.Flags().VisitAll(register)
	if cmd.ValidArgsFunction == nil && len(cmd.ValidArgs) == 0 {
		cmd.ValidArgsFunction = a.argumentCompletion(cmd)
	}
	for _, sub := range cmd.Commands() {
		a.registerCompletions(sub)
	}
}

func (a *app) flagCompletion(f *pflag.Flag) cobra.CompletionFunc {
	if words := flagWords[f.Name]; words != nil {
		return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveKeepOrder)
	}
	switch f.Name {
	case "select", "exclude":
		return a.completing((*completer).selector)
	case "symbol":
		return a.completing((*completer).symbol)
	case "dt", "start-date", "end-date", "as-of":
		return a.completing((*completer).date)
	case "dates":
		return a.completing((*completer).dates)
	case "layer":
		return a.completing((*completer).layer)
	case "product-type":
		return a.completing((*completer).product)
	case "var":
		return a.completing((*completer).variable)
	case "run":
		return a.completing((*completer).run)
	case "lake":
		return directories
	}
	switch kind, _ := pflag.UnquoteUsage(f); kind {
	case "file":
		return cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)
	case "folder":
		return directories
	}
	return cobra.NoFileCompletions
}

func directories(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// argumentCompletion goes by what the verb's usage calls its arguments.
func (a *app) argumentCompletion(cmd *cobra.Command) cobra.CompletionFunc {
	_, arguments, _ := strings.Cut(cmd.Use, " ")
	means := func(word string) bool { return strings.Contains(arguments, word) }
	switch {
	case means("SELECTOR") && means(".dagplan"):
		return a.completing((*completer).selectorOrPlan)
	case means("SELECTOR"):
		return a.completing((*completer).selector)
	case means("PARTITION"):
		return first(a.completing((*completer).partition))
	case means("dir") || means("DIR"):
		return directories
	case means("FILE") || means("file"):
		return cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)
	case means("RUN"):
		return a.completing((*completer).run)
	case cmd.Name() == "break":
		return a.completing((*completer).lease)
	case cmd.Name() == "schema":
		return first(cobra.FixedCompletions(schemaNames(), cobra.ShellCompDirectiveNoFileComp))
	}
	return cobra.NoFileCompletions
}

// first offers nothing after one argument.
func first(f cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return f(cmd, args, typed)
	}
}

// choice is one way to go on.
type choice struct {
	text  string
	about string
	open  bool // more has to follow, without a space
}

// completionTime is how long the lake is asked; what it has told till then is
// offered.
const completionTime = time.Second

// maxFollowed ends the search for a choice that is none.
const maxFollowed = 8

// completing makes a completion of a function that lists the choices for what is
// typed so far. It is silent about errors: where there is no project, there is
// nothing to offer. A single choice that has to go on is followed by those after it.
func (a *app) completing(f func(*completer, string) []choice) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		quiet := *a
		quiet.stderr, quiet.flags.quiet = io.Discard, true
		c := &completer{}
		if p, err := quiet.load(); err == nil {
			c.project = p
			defer c.close()
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
		defer cancel()
		c.ctx = ctx
		list := c.choose(f, typed)
		for n := 0; len(list) == 1 && list[0].open && n < maxFollowed; n++ {
			next := c.choose(f, list[0].text)
			if len(next) == 0 {
				break
			}
			list = next
		}
		directive := cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
		out := make([]cobra.Completion, len(list))
		for i, ch := range list {
			if out[i] = ch.text; ch.about != "" {
				out[i] = cobra.CompletionWithDesc(ch.text, ch.about)
			}
			if ch.open {
				directive |= cobra.ShellCompDirectiveNoSpace
			}
		}
		return out, directive
	}
}

// choose returns the choices that begin with what is typed, each once.
func (c *completer) choose(f func(*completer, string) []choice, typed string) []choice {
	var out []choice
	if c.project == nil {
		return nil
	}
	for _, ch := range f(c, typed) {
		if strings.HasPrefix(ch.text, typed) && !slices.ContainsFunc(out, func(o choice) bool { return o.text == ch.text }) {
			out = append(out, ch)
		}
	}
	return out
}

// selectorOrPlan also offers saved plans.
func (c *completer) selectorOrPlan(typed string) []choice {
	list := c.selector(typed)
	if strings.ContainsAny(typed, `*?[\`) {
		return list
	}
	files, err := filepath.Glob(typed + "*.dagplan")
	if err != nil {
		return list
	}
	for _, f := range files {
		list = append(list, choice{text: f, about: "a saved plan"})
	}
	return list
}

// schemaNames lists what `dag schema` knows.
func schemaNames() []string {
	names := append(view.SchemaNames(), "manifest")
	for name := range marketSchemas() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
