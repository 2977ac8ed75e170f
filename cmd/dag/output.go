package main

import (
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"dag/engine/diag"
	"dag/engine/view"
)

// jsonOutput is stdout with --json: what has gone into it decides what may still be said.
type jsonOutput struct {
	w       io.Writer
	written bool
	err     error // the first; an event's sink has nobody to tell
}

func (o *jsonOutput) Write(b []byte) (int, error) {
	o.written = true
	n, err := o.w.Write(b)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

// watchOutput has what goes to stdout noted, with --json. Text wants the terminal itself.
func (a *app) watchOutput() {
	if a.flags.json {
		a.json = &jsonOutput{w: a.stdout}
		a.stdout = a.json
	}
}

// lost is the error by which events have not come to whom they were for.
func (a *app) lost() error {
	if a.json == nil {
		return nil
	}
	return unlessUnread(a.json.err)
}

// wantsJSON tells whether --json was meant, also where a mistake has kept the flags from
// being read.
func (a *app) wantsJSON(args []string) bool {
	if a.ran || a.flags.json {
		return a.flags.json
	}
	env, err := strconv.ParseBool(a.getenv(environmentForm("json")))
	return slices.Contains(args, "--json") || err == nil && env
}

// errorDocument writes diagnostics to stdout for who reads JSON: an event a line where
// the verb writes those, else one document unless the verb has written its own. That
// stdout cannot be written is told by the exit code alone.
func (a *app) errorDocument(cmd *cobra.Command, list diag.List) {
	verb := strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
	switch {
	case a.json != nil && a.json.err != nil:
	case slices.Contains(facts[verb].documents, "events"):
		_ = view.ErrorEvents(a.stdout, a.now(), list)
	case a.json == nil || !a.json.written:
		_ = view.WriteJSON(a.stdout, view.NewDiagnostics(verb, list))
	}
}
