// Command dag keeps a lake of partitioned Parquet files up to date: it plans
// what is stale and why, and makes it. `dag` alone shows where to begin.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // sessions are counted in zones of exchanges, wherever dag runs

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
)

func main() {
	os.Exit(run(os.Args[1:]))
}

// run is main without the exit.
func run(args []string) int {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200) // a tenth less CPU for batches that live briefly, for a third more memory
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(planHeap)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signal.Notify(signals, syscall.SIGHUP)
	}
	defer signal.Stop(signals)
	go func() {
		cancel(interruption{<-signals})
		for again := range signals {
			if again != syscall.SIGHUP { // a shell passes on the one that the terminal has sent
				os.Exit(interruption{again}.code())
			}
		}
	}()
	a := &app{
		name: programName(os.Args[0]), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		environ: os.Environ(), now: time.Now, log: zerolog.Nop(), notice: func(string) {},
	}
	return a.execute(ctx, args)
}

// execute runs the verb that the arguments name, and returns the exit code.
func (a *app) execute(ctx context.Context, args []string) int {
	root := a.root()
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		a.registerCompletions(root)
	}
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && !a.ran {
		err = usage(err)
	}
	err = errors.Join(err, a.close())
	code := exitCode(ctx, err)
	a.flags.json = a.wantsJSON(args)
	a.report(ctx, cmd, err)
	return code
}

// app is what all verbs share: the outside world and the global flags.
type app struct {
	name           string // of the program, as it is typed
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string
	now            func() time.Time
	flags          globalFlags
	fromEnv        []string    // the global flags that the environment has set
	json           *jsonOutput // stdout, with --json
	shipped        bool        // the project is the one in this program, to be written out
	ran            bool        // a verb began: what fails now is no mistake in flags
	log            zerolog.Logger
	logFile        io.Closer
	notice         func(string) // takes what the lake reports
	phases         []phase
}

// phase is one line of --timings.
type phase struct {
	name string
	took time.Duration
}

// timed runs f as a phase.
func (a *app) timed(name string, f func() error) error {
	start := a.now()
	err := f()
	a.phases = append(a.phases, phase{name, a.now().Sub(start)})
	return err
}
