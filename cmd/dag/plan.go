package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"dag/engine/graph"
	"dag/engine/lake"
	"dag/engine/plan"
	"dag/engine/view"
)

// planFlags are those of `plan` besides the selection.
type planFlags struct {
	out      string
	detailed bool
	force    bool
	workers  int
	guard    guardFlags
}

func (a *app) planCmd() *cobra.Command {
	var sel selectFlags
	f := planFlags{workers: runtime.GOMAXPROCS(0)}
	cmd := &cobra.Command{
		Use:   "plan [SELECTOR]...",
		Short: "Show what would run, and why",
		Long:  "Shows what `apply` would run, and why. It takes no lock and writes nothing but the index cache.",
		Example: `  dag plan
  dag plan --symbol ESU5 --dates 2025-08-01:2025-08-15
  dag plan '+bar5s[dt=2025-08]' --out friday.dagplan
  dag plan --detailed-exitcode     # 2: there is work to do`,
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := sel.request(args)
			if err != nil {
				return err
			}
			return a.plan(cmd.Context(), r, f)
		},
	}
	sel.register(cmd.Flags())
	cmd.Flags().StringVar(&f.out, "out", "", "save the plan to a `file` for `dag apply FILE`")
	cmd.Flags().BoolVar(&f.detailed, "detailed-exitcode", false, "exit code 2 if there is work to do")
	cmd.Flags().BoolVar(&f.force, "force", false, "run what is selected, fresh or not")
	cmd.Flags().IntVarP(&f.workers, "workers", "j", f.workers, "estimate for so many `units` at once")
	f.guard.registerFailOn(cmd.Flags())
	return cmd
}

func (a *app) plan(ctx context.Context, r graph.Request, f planFlags) error {
	if err := checkWorkers(f.workers); err != nil {
		return err
	}
	rails, err := f.guard.rails()
	if err != nil {
		return err
	}
	p, sel, err := a.loadSelected(r)
	if err != nil {
		return err
	}
	return p.look(ctx, plan.Request{Selection: sel, Force: f.force}, func(made *plan.Plan, _ *lake.Lake) error {
		p.tellRaw(made)
		doc := view.NewPlan(made, p.lakeRoot(), p.loaded)
		doc.SetEstimate(made, f.workers)
		if a.flags.json {
			doc.SetItems(made)
			err = view.WriteJSON(a.stdout, doc)
		} else {
			c := a.commands(requestText(r))
			c.Apply = a.applyCommand(requestText(r), f)
			err = doc.Text(a.stdout, a.style(a.stdout), c)
		}
		if err == nil {
			err = holdBack(rails, doc.Counts)
		}
		if err == nil && f.out != "" {
			err = p.save(made, f.out)
		}
		if err == nil && f.detailed && (len(made.Items) > 0 || doc.Blocked()) {
			return exit(exitChanges)
		}
		return err
	})
}

// applyCommand runs what a plan has shown, with its flags that matter to it.
func (a *app) applyCommand(selection string, f planFlags) string {
	workers := ""
	if f.workers != runtime.GOMAXPROCS(0) {
		workers = fmt.Sprintf(" -j %d", f.workers)
	}
	if f.out != "" {
		return a.applySaved(f.out) + workers
	}
	parts := []string{a.commands("").Name, "apply" + workers}
	if f.force {
		parts = append(parts, "--force")
	}
	if selection != "" {
		parts = append(parts, selection)
	}
	return strings.Join(parts, " ")
}

// applySaved runs a saved plan, which has its own lake and variables.
func (a *app) applySaved(name string) string {
	bare := app{name: a.name, flags: globalFlags{project: a.flags.project}}
	if !strings.HasSuffix(name, planSuffix) && filepath.Base(name) == name {
		name = "." + string(filepath.Separator) + name // it may be named as a stage
	}
	return bare.commands("").Name + " apply " + shellQuote(name)
}

// variables are the values of all variables, as --var takes them: those with their
// default too, which may be another when a plan is applied or a run is retried.
func (p *project) variables() (map[string]string, error) {
	vars := map[string]string{}
	for _, v := range p.config.Variables {
		vars[v.Name] = v.Value
		if strings.HasPrefix(v.Value, `"`) { // --var takes text as it is
			var text string
			if err := json.Unmarshal([]byte(v.Value), &text); err != nil {
				return nil, fmt.Errorf("variable %s: %w", v.Name, err)
			}
			vars[v.Name] = text
		}
	}
	return vars, nil
}

// save writes a plan with everything that `apply` needs to make it again.
func (p *project) save(made *plan.Plan, name string) error {
	items, err := made.Save()
	if err != nil {
		return err
	}
	vars, err := p.variables()
	if err != nil {
		return err
	}
	f := plan.File{Variables: vars, Force: made.Request.Force, Selection: made.Request.Selection.Request, Items: items}
	if f.Lake, err = filepath.Abs(p.lakeRoot()); err != nil {
		return err
	}
	b, err := f.Encode()
	if err != nil {
		return err
	}
	if err := os.WriteFile(name, b, 0o644); err != nil {
		return unwritable("--out", err)
	}
	if !p.app.flags.quiet {
		fmt.Fprintf(p.app.stderr, "saved: %s runs exactly this plan\n", p.app.applySaved(name))
	}
	return nil
}
