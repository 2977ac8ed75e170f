package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"dag/engine/view"
)

func (a *app) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version of this program",
		Example: "  dag version\n  dag version --json",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return a.version() },
	}
}

// version comes from what the go command has put into the binary.
func (a *app) version() error {
	doc := view.VersionDoc{Command: "version", FormatVersion: 1, Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		doc.Version = info.Main.Version
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				doc.Revision = s.Value
			case "vcs.modified":
				doc.Modified = s.Value == "true"
			}
		}
	}
	if a.flags.json {
		return view.WriteJSON(a.stdout, doc)
	}
	_, err := fmt.Fprintf(a.stdout, "dag %s (%s, %s)\n", doc.Version, doc.Go, doc.Platform)
	return err
}
