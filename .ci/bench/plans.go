package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// plans measures finding nothing to do: with and without the index, and with one
// source file changed, beside ninja on the same file graph and a walk that only
// lists and stats the same folders.
func plans(dag, dir string, sizes []string) (string, error) {
	lakes := filepath.Join(dir, "lakes")
	make := exec.Command("go", "test", "./cmd/dag", "-run", "^$", "-bench", "PlanUpToDate", "-benchtime", "1x", "-timeout", "3h")
	make.Env = append(os.Environ(), "DAG_BENCH_LAKES="+lakes, "DAG_BENCH_PARTITIONS="+strings.Join(sizes, ","))
	if out, err := make.CombinedOutput(); err != nil {
		return "", fmt.Errorf("making the lakes: %w\n%s", err, out)
	}
	t := newTable("finding nothing to do: six stages × contracts × days", "CPU s", "× `ninja`", "× a bare walk", "peak MB")
	for _, n := range sizes {
		if err := planned(t, dag, lakes, n); err != nil {
			return "", err
		}
	}
	return t.String(), nil
}

func planned(t *table, dag, lakes, n string) error {
	root := filepath.Join(lakes, n)
	plan := func() (cost, error) { return run(dag, "-C", lakes, "--lake", root, "plan") }
	time.Sleep(3 * time.Second) // folders this young are read again, see lake/README.md
	if _, err := plan(); err != nil {
		return err
	}
	ninja := func() (cost, error) { return run("ninja", "-C", root) }
	if _, err := exec.LookPath("ninja"); err != nil {
		ninja = func() (cost, error) { return cost{}, nil }
	} else if _, err := ninja(); err != nil { // it writes its log
		return err
	}
	rows := []struct {
		name string
		runs int
		run  func() (cost, error)
		took cost
	}{
		{name: "`ninja` on the same file graph", runs: 5, run: ninja},
		{name: "a bare walk: list and stat", runs: 5, run: func() (cost, error) { return walked(root) }},
		{name: "`dag plan`", runs: 5, run: plan},
		{name: "`dag plan`, one source file touched", runs: 3, run: func() (cost, error) {
			if err := touchOne(root); err != nil {
				return cost{}, err
			}
			return plan()
		}},
		{name: "`dag plan`, its index deleted", runs: 3, run: func() (cost, error) {
			if err := os.RemoveAll(filepath.Join(root, ".dag", "index")); err != nil {
				return cost{}, err
			}
			return plan()
		}},
	}
	for i := range rows {
		var err error
		if rows[i].took, err = median(rows[i].runs, rows[i].run); err != nil {
			return err
		}
	}
	for _, r := range rows {
		if r.took.cpu > 0 {
			t.row(r.name+", "+grouped(n)+" partitions", r.took.seconds(), r.took.times(rows[0].took), r.took.times(rows[1].took), r.took.peak())
		}
	}
	return nil
}

// touchOne sets the time of one source file to now; its content stays.
func touchOne(root string) error {
	files, err := filepath.Glob(filepath.Join(root, "raw/*/*/*/*/*.dbn"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no source files in %s (%v)", root, err)
	}
	now := time.Now()
	return os.Chtimes(files[len(files)/2], now, now)
}
