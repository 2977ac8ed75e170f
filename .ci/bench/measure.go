package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cost is what one run of a process took.
type cost struct {
	cpu time.Duration
	rss int64 // bytes, the most at once
}

// run measures one process; its output is kept for the error.
func run(name string, args ...string) (cost, error) {
	c, _, err := output(name, args...)
	return c, err
}

// output measures one process and returns what it prints.
func output(name string, args ...string) (cost, string, error) {
	cmd := exec.Command(name, args...)
	var out, mistakes strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &mistakes
	if err := cmd.Run(); err != nil {
		return cost{}, "", fmt.Errorf("%s %s: %w\n%s%s", filepath.Base(name), strings.Join(args, " "), err, out.String(), mistakes.String())
	}
	rss := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
	if runtime.GOOS == "linux" {
		rss *= 1024
	}
	return cost{cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), rss: rss}, out.String(), nil
}

// row is one line of a table: what runs, and what it took.
type row struct {
	name  string
	run   func() (cost, error)
	whole bool // of a day: it is about all of its records
	took  cost
}

// inTurn runs the rows one after the other, n times over: the speed of a shared
// machine drifts, and whatever is compared drifts together. Each row is given the
// median of its runs by CPU time, with the highest peak of memory of them all.
func inTurn(n int, rows []row) error {
	all := make([][]cost, len(rows))
	for range n {
		for i := range rows {
			c, err := rows[i].run()
			if err != nil {
				return err
			}
			all[i] = append(all[i], c)
		}
	}
	for i, runs := range all {
		slices.SortFunc(runs, func(a, b cost) int { return cmp.Compare(a.cpu, b.cpu) })
		rows[i].took.cpu = runs[n/2].cpu
		for _, c := range runs {
			rows[i].took.rss = max(rows[i].took.rss, c.rss)
		}
	}
	return nil
}

// machine names the machine and the versions of what is measured on it.
func machine() string {
	parts := []string{runtime.GOOS + "/" + runtime.GOARCH}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, ok := strings.Cut(string(text), "model name\t: "); ok {
			model, _, _ := strings.Cut(rest, "\n")
			parts = append(parts, model)
		}
	}
	parts = append(parts, strconv.Itoa(runtime.NumCPU())+" cores", "Go "+strings.TrimPrefix(runtime.Version(), "go"))
	for _, program := range []string{"zstd", "ninja"} {
		if out, err := exec.Command(program, "--version").Output(); err == nil {
			parts = append(parts, program+" "+number.FindString(string(out)))
		}
	}
	for _, module := range []string{"databento", "polars", "pyarrow", "duckdb", "faiss-cpu"} {
		from := python()
		if module == "faiss-cpu" {
			from = os.Getenv("FAISS_PYTHON")
		}
		if v := version(from, module); v != "" {
			parts = append(parts, module+" "+v)
		}
	}
	return strings.Join(parts, ", ") + "."
}

// number is a version in what a program prints of itself.
var number = regexp.MustCompile(`\d+(\.\d+)+`)
