package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"dag/engine/diag"
	"dag/engine/view"
)

// globalFlags are those of every verb. Each has an environment form: --log-file
// is DAG_LOG_FILE; variables are DAG_VAR_name.
type globalFlags struct {
	project   string
	lake      string
	vars      []string
	varFiles  []string
	verbose   bool
	quiet     bool
	json      bool
	color     string
	logFile   string
	logFormat string
	timings   bool
}

func (f *globalFlags) register(fs *pflag.FlagSet) {
	fs.StringVarP(&f.project, "project", "C", "", "the project: the `folder` with pipelines/ (default: here or the nearest above)")
	fs.StringVar(&f.lake, "lake", "", "lake root, in place of the configured one")
	fs.StringArrayVar(&f.vars, "var", nil, "set a variable, as `name=value`; repeatable")
	fs.StringArrayVar(&f.varFiles, "var-file", nil, "read variables from a `file`; repeatable")
	fs.BoolVarP(&f.verbose, "verbose", "v", false, "say more on stderr")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "no progress and no summary")
	fs.BoolVar(&f.json, "json", false, "JSON on stdout, of the schemas that dag schema prints")
	fs.StringVar(&f.color, "color", "auto", "`auto`, always or never")
	fs.StringVar(&f.logFile, "log-file", "", "append a log to a `file`")
	fs.StringVar(&f.logFormat, "log-format", "text", "of --log-file: `text` or json")
	fs.BoolVar(&f.timings, "timings", false, "say on stderr how long each phase took")
}

// fromEnvironment sets the global flags that are not on the command line.
func (a *app) fromEnvironment(fs *pflag.FlagSet) error {
	var err error
	fs.VisitAll(func(f *pflag.Flag) {
		name := environmentForm(f.Name)
		value := a.getenv(name)
		if value == "" || f.Changed || f.Name == "var" || err != nil {
			return
		}
		if fs.Set(f.Name, value) != nil {
			_, use := pflag.UnquoteUsage(f)
			err = mistake("usage", fmt.Sprintf("the environment variable %s is %q: it takes %s", name, value, flagTakes(f)), use)
		}
		a.fromEnv = append(a.fromEnv, f.Name)
	})
	return err
}

// givenVariables tells whether the command line sets variables. Those of the
// environment are set for every command.
func (a *app) givenVariables() bool {
	return len(a.flags.vars) > 0 || len(a.flags.varFiles) > 0 && !slices.Contains(a.fromEnv, "var-file")
}

// fromEnvironmentOnly tells whether a global flag is set, and not on the command line.
func (a *app) fromEnvironmentOnly(flag string) bool { return slices.Contains(a.fromEnv, flag) }

// environmentForm is the variable that stands for a global flag.
func environmentForm(flag string) string {
	return "DAG_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// getenv is a variable of the environment; one that is empty counts as not set.
func (a *app) getenv(name string) string {
	for _, e := range a.environ {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}

// prepare reads the environment, checks the global flags and opens the log,
// before any verb.
func (a *app) prepare(cmd *cobra.Command, _ []string) error {
	if err := noneEmpty(cmd.Flags()); err != nil {
		return err
	}
	if err := a.fromEnvironment(cmd.Root().PersistentFlags()); err != nil {
		return err
	}
	if err := oneOf("--color", a.flags.color, "auto", "always", "never"); err != nil {
		return err
	}
	if err := oneOf("--log-format", a.flags.logFormat, "text", "json"); err != nil {
		return err
	}
	a.ran = true
	a.watchOutput()
	return a.openLog()
}

// noneEmpty refuses flags that are given without a value, as by a variable of the shell
// that is not set: to leave one out means everything, which nobody may have meant.
func noneEmpty(fs *pflag.FlagSet) error {
	var list diag.List
	fs.Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if several, ok := f.Value.(pflag.SliceValue); ok {
			values = several.GetSlice()
		}
		if len(values) == 0 || slices.Contains(values, "") {
			list = append(list, diag.Diagnostic{Code: "usage", Summary: fmt.Sprintf("--%s is empty", f.Name), Hint: "give it one, or leave the flag out"})
		}
	})
	return list.Err()
}

// oneOf checks a flag that takes one of a few words.
func oneOf(flag, value string, words ...string) error {
	for _, w := range words {
		if value == w {
			return nil
		}
	}
	return mistake("usage", fmt.Sprintf("%s %q is not one of %s", flag, value, strings.Join(words, ", ")), didYouMean(value, words))
}

// didYouMean is a hint at the nearest name, or nothing.
func didYouMean(name string, known []string) string {
	if near := diag.Nearest(name, known); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	return ""
}

// openLog sends the log to --log-file, and with -v to stderr.
func (a *app) openLog() error {
	var sinks []io.Writer
	if a.flags.verbose {
		sinks = append(sinks, zerolog.ConsoleWriter{Out: a.stderr, NoColor: !a.style(a.stderr).Color, TimeFormat: "15:04:05"})
	}
	if a.flags.logFile != "" {
		f, err := os.OpenFile(a.flags.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return unwritable("--log-file", err)
		}
		a.logFile = f
		if a.flags.logFormat == "json" {
			sinks = append(sinks, f)
		} else {
			sinks = append(sinks, zerolog.ConsoleWriter{Out: f, NoColor: true, TimeFormat: "2006-01-02T15:04:05.000Z07:00"})
		}
	}
	if len(sinks) > 0 {
		a.log = zerolog.New(zerolog.MultiLevelWriter(sinks...)).With().Timestamp().Logger()
	}
	return nil
}

// close ends what prepare began.
func (a *app) close() error {
	if a.flags.timings && len(a.phases) > 0 {
		parts := make([]string, len(a.phases))
		for i, p := range a.phases {
			parts[i] = p.name + " " + view.Duration(p.took)
		}
		fmt.Fprintf(a.stderr, "timings: %s\n", strings.Join(parts, " · "))
	}
	if a.logFile == nil {
		return nil
	}
	return a.logFile.Close()
}

// style is how text on w is to look.
func (a *app) style(w io.Writer) view.Style {
	width, terminal := a.terminal(w)
	s := view.Style{Width: width}
	switch a.flags.color {
	case "always":
		s.Color = true
	case "auto", "":
		s.Color = terminal && a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb"
	}
	return s
}

// terminal returns the width of w, and whether it is a terminal at all.
func (a *app) terminal(w io.Writer) (int, bool) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, true
	}
	return width, true
}

// canvas returns how large a terminal is at any moment; nil if w is none, or cannot
// be drawn over.
func (a *app) canvas(w io.Writer) view.Size {
	if _, terminal := a.terminal(w); !terminal || a.getenv("TERM") == "dumb" {
		return nil
	}
	fd := int(w.(*os.File).Fd())
	return func() (int, int) {
		columns, rows, err := term.GetSize(fd)
		if err != nil {
			return 0, 0
		}
		return columns, rows
	}
}

// programName is how the reader started the program, to be typed again.
func programName(arg string) string {
	switch {
	case strings.Contains(arg, "go-build"):
		return "go run ./cmd/dag"
	case strings.HasPrefix(arg, "./") || strings.HasPrefix(arg, "../"):
		return filepath.ToSlash(arg)
	}
	return "dag"
}

// commands makes commands for the reader with the flags that find this project
// and lake again.
func (a *app) commands(selection string) view.Commands {
	parts := []string{a.name}
	add := func(flag, value string) {
		if value != "" {
			parts = append(parts, flag, shellQuote(value))
		}
	}
	add("-C", a.flags.project)
	add("--lake", a.flags.lake)
	for _, v := range a.flags.varFiles {
		add("--var-file", v)
	}
	for _, v := range a.flags.vars {
		add("--var", v)
	}
	return view.Commands{Name: strings.Join(parts, " "), Selection: selection}
}

// shellQuote puts what a shell would take apart into single quotes.
func shellQuote(s string) string {
	const safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+@%"
	if s != "" && strings.Trim(s, safe) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// unwritable is the mistake of a flag that names a file which cannot be written.
func unwritable(flag string, err error) error {
	return mistake("unwritable_file", fmt.Sprintf("%s: %s", flag, err), "name a file in a folder that exists and may be written")
}
