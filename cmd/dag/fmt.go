package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"dag/engine/config"
	"dag/engine/diag"
	"dag/engine/view"
)

// fmtFlags say what to do with a file that is not in canonical format; both
// leave it alone.
type fmtFlags struct{ check, diff bool }

func (a *app) fmtCmd() *cobra.Command {
	var f fmtFlags
	cmd := &cobra.Command{
		Use:   "fmt [FILE | FOLDER]... | -",
		Short: "Put HCL files into canonical format",
		Long:  "Puts HCL files into canonical format and prints the names of those it changed: all of\npipelines/, or the files and folders named; - reads stdin and writes stdout.",
		Example: `  dag fmt
  dag fmt --check --diff
  dag fmt - < draft.hcl
  dag fmt --check --json`,
		RunE: func(_ *cobra.Command, args []string) error { return a.fmt(args, f) },
	}
	cmd.Flags().BoolVar(&f.check, "check", false, "change nothing; exit code 7 if a file is not in canonical format")
	cmd.Flags().BoolVar(&f.diff, "diff", false, "change nothing; print the differences")
	return cmd
}

func (a *app) fmt(args []string, f fmtFlags) error {
	if len(args) == 1 && args[0] == "-" {
		return a.fmtStdin(f)
	}
	if len(args) == 0 {
		root, err := a.findProject()
		if err != nil {
			return err
		}
		args = []string{filepath.Join(root, pipelinesDir)}
	}
	var list diag.List
	doc := view.NewFiles("fmt")
	for _, arg := range args {
		err := filepath.WalkDir(arg, func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if e.IsDir() || path != arg && filepath.Ext(path) != ".hcl" {
				return nil
			}
			c, l, err := a.fmtFile(path, f)
			doc.Add(path, c)
			list = append(list, l...)
			return err
		})
		if errors.Is(err, fs.ErrNotExist) {
			return mistake("no_file", fmt.Sprintf("there is no file or folder %s", arg), "`dag fmt` alone formats the pipelines of the project")
		}
		if err != nil {
			return err
		}
	}
	if list.HasErrors() {
		return list.Err()
	}
	if a.flags.json {
		if err := view.WriteJSON(a.stdout, doc); err != nil {
			return err
		}
	}
	if doc.Changed() && f.check {
		return exit(exitProblems)
	}
	return nil
}

func (a *app) fmtStdin(f fmtFlags) error {
	src, err := io.ReadAll(a.stdin)
	if err != nil {
		return fmt.Errorf("reading stdin: %w", err)
	}
	out, list := config.Format(src, "stdin")
	switch {
	case list.HasErrors():
		return list.Err()
	case a.flags.json:
		doc := view.NewFiles("fmt")
		doc.Add("stdin", !bytes.Equal(src, out))
		err = view.WriteJSON(a.stdout, doc)
	case f.diff:
		_, err = a.stdout.Write(diff.Diff("stdin", src, "stdin, formatted", out))
	case !f.check:
		_, err = a.stdout.Write(out)
	}
	if err == nil && f.check && !bytes.Equal(src, out) {
		return exit(exitProblems)
	}
	return err
}

// fmtFile formats one file and tells whether it was not in canonical format.
func (a *app) fmtFile(path string, f fmtFlags) (changed bool, list diag.List, err error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return false, nil, err
	}
	out, list := config.Format(src, path)
	if list.HasErrors() || bytes.Equal(src, out) {
		return false, list, nil
	}
	switch {
	case a.flags.json:
	case f.diff:
		_, err = a.stdout.Write(diff.Diff(path, src, path+", formatted", out))
	default:
		_, err = fmt.Fprintln(a.stdout, path)
	}
	if err != nil || f.check || f.diff {
		return true, nil, err
	}
	return true, nil, replaceFile(path, out)
}

// replaceFile writes a file whole or not at all, and keeps its permissions.
func replaceFile(path string, data []byte) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Chmod(info.Mode()), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
