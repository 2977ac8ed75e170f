package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"dag/engine/diag"
	"dag/engine/lake"
	"dag/engine/view"
)

// The exit codes. 0 is success, and for plan also: there are changes.
const (
	exitInternal  = 1 // internal or I/O error
	exitChanges   = 2 // plan, status --detailed-exitcode: fine, and there is work to do
	exitUsage     = 3 // flags, an unknown address, an invalid configuration
	exitFailed    = 4 // apply: some partitions failed; the rest are committed
	exitDrift     = 5 // a saved plan no longer applies
	exitLease     = 6 // a lease could not be had in time
	exitProblems  = 7 // a check found problems
	exitHangup    = 129
	exitInterrupt = 130
	exitTerminate = 143
)

// exitError ends the program with a code; a nil err has been reported.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// exit ends the program with a code when everything has been said.
func exit(code int) error { return &exitError{code: code} }

// interruption is the cause of a context that a signal ended.
type interruption struct{ signal os.Signal }

func (i interruption) Error() string { return i.signal.String() }

func (i interruption) code() int {
	switch i.signal {
	case syscall.SIGTERM:
		return exitTerminate
	case syscall.SIGHUP:
		return exitHangup
	}
	return exitInterrupt
}

// outliveReaders lets the process go on when whoever read its output is gone, as in
// `dag apply | head -1`, which would end it: what a run makes is not its output.
func outliveReaders() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// unlessUnread is err, unless it says that nobody reads any more.
func unlessUnread(err error) error {
	if errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return err
}

// exitCode is the one place where errors become exit codes.
func exitCode(ctx context.Context, err error) int {
	var ended interruption
	var exit *exitError
	var list *diag.ListError
	var held *lake.LeaseError
	switch {
	case errors.As(context.Cause(ctx), &ended):
		return ended.code()
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &list):
		return exitUsage
	case errors.As(err, &held):
		return exitLease
	}
	return exitInternal
}

// mistake is a user's error with its way out.
func mistake(code, summary, hint string) error {
	return diag.List{{Code: code, Summary: summary, Hint: hint}}.Err()
}

// usage makes a user's error of what cobra says.
func usage(err error) error {
	var list *diag.ListError
	if errors.As(err, &list) {
		return err
	}
	return mistake("usage", err.Error(), "")
}

// report prints an error to stderr and, with --json, to stdout, unless it has been said.
func (a *app) report(ctx context.Context, cmd *cobra.Command, err error) {
	var said *exitError
	var mistakes *diag.ListError
	var ended interruption
	var list diag.List
	switch {
	case err == nil || errors.As(err, &said) && said.err == nil:
		return
	case errors.As(err, &mistakes):
		list = mistakes.List
	case errors.As(context.Cause(ctx), &ended):
		fmt.Fprintf(a.stderr, "stopped: %s\n", ended)
		return
	default:
		list = failure(err)
	}
	a.diagnose(list)
	if a.flags.json {
		a.errorDocument(cmd, list)
	}
}

// failure is an error that is no mistake on the command line: of the machine, or a
// defect.
func failure(err error) diag.List {
	var held *lake.LeaseError
	switch {
	case errors.As(err, &held):
		return diag.FromError(err, "lease_held")
	case ofSystem(err):
		return diag.FromError(err, "io")
	}
	list := diag.FromError(err, "internal")
	list[0].Hint = "this is a defect of dag: please report it, with what --log-file writes"
	return list
}

// ofSystem tells whether the operating system refused something.
func ofSystem(err error) bool {
	var path *fs.PathError
	var link *os.LinkError
	var call *os.SyscallError
	var number syscall.Errno
	return errors.As(err, &path) || errors.As(err, &link) || errors.As(err, &call) || errors.As(err, &number)
}

// diagnose prints diagnostics to stderr. That stderr cannot be written is
// nothing that could be reported.
func (a *app) diagnose(list diag.List) {
	_ = view.Diagnostics(a.stderr, a.style(a.stderr), list)
}
