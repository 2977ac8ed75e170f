package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// walkRoot, in the environment, makes this program the walk itself.
const walkRoot = "DAG_BENCH_WALK"

// walked runs a bare walk as a process of its own.
func walked(root string) (cost, error) {
	self, err := os.Executable()
	if err != nil {
		return cost{}, err
	}
	if err := os.Setenv(walkRoot, root); err != nil {
		return cost{}, err
	}
	defer os.Unsetenv(walkRoot)
	return run(self)
}

// walk lists every folder down to the partitions, and stats those.
func walk(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		switch {
		case strings.HasPrefix(name, "dt="):
			var st syscall.Stat_t
			if err := syscall.Stat(filepath.Join(dir, name), &st); err != nil {
				return err
			}
		case strings.Contains(name, "="):
			if err := walk(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}
