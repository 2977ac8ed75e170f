package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dag/engine/graph"
	"dag/engine/plan"
	"dag/engine/view"
)

// planSuffix is how saved plans are named, so that they are known by it.
const planSuffix = ".dagplan"

// isPlanFile tells whether the one argument is a saved plan: by its name, or a file
// whose name selects nothing. A file that is named as a stage is not taken for one.
func (a *app) isPlanFile(args []string) bool {
	if len(args) != 1 {
		return false
	}
	if strings.HasSuffix(args[0], planSuffix) {
		return true
	}
	if info, err := os.Stat(args[0]); err != nil || !info.Mode().IsRegular() {
		return false
	}
	if strings.ContainsRune(args[0], filepath.Separator) {
		return true
	}
	p, list, err := a.loadAll()
	if err != nil || list.HasErrors() {
		return true // the project's own mistakes are told either way
	}
	_, err = p.choose(graph.Request{Select: args})
	return err != nil
}

// applyFile runs a saved plan: its units, selected as they were. What is not as
// it was when the plan was made is planned again and told.
func (a *app) applyFile(ctx context.Context, name string, f applyFlags) error {
	data, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return mistake("no_file", fmt.Sprintf("there is no saved plan %s", name), "`dag plan --out "+shellQuote(name)+"` writes one")
	}
	if err != nil {
		return err
	}
	file, err := plan.DecodeFile(name, data)
	if err != nil {
		return mistake("bad_plan", err.Error(), "")
	}
	if err := a.adopt(file); err != nil {
		return err
	}
	now, err := a.load()
	if err != nil {
		return err
	}
	if a.flags.vars, err = now.differing(file.Variables); err != nil {
		return err
	}
	p, sel, err := a.loadSelected(file.Selection)
	if err != nil {
		return err
	}
	only := map[string]bool{}
	for _, it := range file.Items {
		only[it.Describe()] = true
	}
	_, err = p.run(ctx, plan.Request{Selection: sel, Force: file.Force, Only: only}, f, "", func(made *plan.Plan) error {
		return a.drifts(made, file, f.strict)
	})
	return err
}

// adopt takes the lake of a saved plan over; flags that say otherwise are a mistake, and
// so are variables.
func (a *app) adopt(file *plan.File) error {
	if a.givenVariables() || a.flags.lake != "" && !slices.Contains(a.fromEnv, "lake") {
		return mistake("usage", "a saved plan has its own lake and variables", "leave --lake, --var and --var-file out, or plan again")
	}
	a.flags.lake = file.Lake
	return nil
}

// drifts tells what has changed since a plan was saved.
func (a *app) drifts(made *plan.Plan, file *plan.File, strict bool) error {
	drifts, err := made.Drifts(file.Items)
	if err != nil {
		return err
	}
	if err := view.Drifts(a.stderr, a.style(a.stderr), drifts); err != nil {
		return err
	}
	if strict && len(drifts) > 0 {
		return &exitError{exitDrift, mistake("stale_plan", fmt.Sprintf("the saved plan no longer applies: %d differences", len(drifts)), "plan again, or apply without --strict")}
	}
	return nil
}
