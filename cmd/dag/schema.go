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
	names, texts := schemaTexts()
	if len(args) == 0 {
		return a.print(view.NewSchemas(names), func() error {
			_, err := fmt.Fprintln(a.stdout, strings.Join(names, "\n"))
			return err
		})
	}
	b, ok := texts[args[0]]
	if !ok {
		return mistake("unknown_schema", fmt.Sprintf("there is no schema %q", args[0]), orElse(didYouMean(args[0], names), "there are "+strings.Join(names, ", ")))
	}
	_, err := a.stdout.Write(b)
	return err
}

// schemaTexts are the schemas of all that dag writes, by their sorted names.
func schemaTexts() ([]string, map[string][]byte) {
	texts := marketSchemas()
	texts["manifest"] = manifest.Schema()
	for _, name := range view.SchemaNames() {
		texts[name] = view.Schema(name)
	}
	return slices.Sorted(maps.Keys(texts)), texts
}
