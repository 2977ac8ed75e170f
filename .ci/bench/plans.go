package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	var rows []row
	if _, err := exec.LookPath("ninja"); err == nil {
		ninja := func() (cost, error) { return run("ninja", "-C", root) }
		if _, err := ninja(); err != nil { // it writes its log
			return err
		}
		rows = append(rows, row{name: "`ninja` on the same file graph", run: ninja})
	}
	walk := len(rows)
	rows = append(rows,
		row{name: "a bare walk: list and stat", run: func() (cost, error) { return walked(root) }},
		row{name: "`dag plan`", run: plan},
	)
	if err := inTurn(9, rows); err != nil {
		return err
	}
	touched := []row{{name: "`dag plan`, one source file touched", run: func() (cost, error) {
		if err := touchOne(root); err != nil {
			return cost{}, err
		}
		return plan()
	}}}
	if err := inTurn(5, touched); err != nil {
		return err
	}
	cold := []row{{name: "`dag plan`, its index deleted", run: func() (cost, error) {
		if err := os.RemoveAll(filepath.Join(root, ".dag", "index")); err != nil {
			return cost{}, err
		}
		return plan()
	}}}
	if err := inTurn(3, cold); err != nil {
		return err
	}
	var ninja cost
	if walk > 0 {
		ninja = rows[0].took
	}
	for _, r := range slices.Concat(rows, touched, cold) {
		t.row(r.name+", "+grouped(n)+" partitions", r.took.seconds(), r.took.times(ninja), r.took.times(rows[walk].took), r.took.peak())
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
