package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"dag/engine/manifest"
	"dag/engine/view"
)

func (a *app) schemaCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [NAME]",
		Short: "Print the JSON Schema of what dag writes",
		Long:  "Prints the JSON Schema (draft 2020-12) of a JSON that dag writes; without a name, their names.",
		Example: `  dag schema
  dag schema plan
  dag schema events      # the lines of apply --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.schema(args) },
	}
}

func (a *app) schema(args []string) error {
	ours := marketSchemas()
	ours["manifest"] = manifest.Schema()
	names := append(view.SchemaNames(), slices.Collect(maps.Keys(ours))...)
	slices.Sort(names)
	if len(args) == 0 {
		_, err := fmt.Fprintln(a.stdout, strings.Join(names, "\n"))
		return err
	}
	b := view.Schema(args[0])
	if own := ours[args[0]]; own != nil {
		b = own
	}
	if b == nil {
		hint := didYouMean(args[0], names)
		if hint == "" {
			hint = "there are " + strings.Join(names, ", ")
		}
		return mistake("unknown_schema", fmt.Sprintf("there is no schema %q", args[0]), hint)
	}
	_, err := a.stdout.Write(b)
	return err
}
