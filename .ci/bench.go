// Command bench is the end-to-end comparison whose table stands in README.md:
//
//	go run .ci/bench.go [-events 2000000] [-big 10] [-partitions 12000,120000] [-dir DIR] [-only days|plans|index]
//
// It measures whole processes: CPU time and peak memory as the kernel counts
// them, the median of three runs, all in one go on one machine. Programs to
// compare with (zstd, ninja, a Python with faiss-cpu in $FAISS_PYTHON) are left out
// of the tables where they are not installed.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cost is what one run of a process took.
type cost struct {
	cpu  time.Duration
	wall time.Duration
	rss  int64 // bytes
}

func main() {
	if root := os.Getenv(walkRoot); root != "" {
		for _, layer := range []string{"raw", "bronze", "silver"} {
			if err := walk(filepath.Join(root, layer)); err != nil {
				fmt.Fprintln(os.Stderr, "walk:", err)
				os.Exit(1)
			}
		}
		return
	}
	events := flag.Int("events", 2_000_000, "records of the day")
	big := flag.Int("big", 10, "how many times larger the large day is; 0: without one")
	dir := flag.String("dir", "", "where to work (default: a temporary folder)")
	partitions := flag.String("partitions", "12000,120000", "sizes of the lakes to plan")
	only := flag.String("only", "", "one part: days, plans or index (default: all)")
	flag.Parse()
	if err := bench(*events, *big, *partitions, *dir, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(events, big int, partitions, dir, only string) error {
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "dag-bench"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	dag := filepath.Join(dir, "dag")
	if out, err := exec.Command("go", "build", "-o", dag, "./cmd/dag").CombinedOutput(); err != nil {
		return fmt.Errorf("building: %w\n%s", err, out)
	}
	fmt.Printf("%s, %d cores, %s\n\n", strings.TrimSpace(runtime.GOOS+"/"+runtime.GOARCH), runtime.NumCPU(), runtime.Version())
	for _, part := range []struct {
		name string
		run  func() error
	}{
		{"days", func() error { return days(dag, dir, events, big) }},
		{"plans", func() error { return plans(dag, dir, strings.Split(partitions, ",")) }},
		{"index", index},
	} {
		if only == "" || only == part.name {
			if err := part.run(); err != nil {
				return err
			}
		}
	}
	return nil
}

// index runs the benchmarks of retrieval, which print what stands beside FAISS.
func index() error {
	cmd := exec.Command("go", "test", "./stages/retrieval", "-run", "^$", "-bench", "FAISS|Evaluate", "-benchtime", "1x")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// days measures raw DBN → approaches of the front contract, everything stored.
func days(dag, dir string, events, big int) error {
	fmt.Println("| a synthetic day, raw DBN → approach2m of one contract | records/s of CPU | CPU s | × `zstd -d` | peak MB |")
	fmt.Println("| --- | --- | --- | --- | --- |")
	sizes := []int{events}
	if big > 0 {
		sizes = append(sizes, events*big)
	}
	for _, n := range sizes {
		if err := day(dag, filepath.Join(dir, "day-"+strconv.Itoa(n)), n); err != nil {
			return err
		}
	}
	fmt.Println()
	return nil
}

func day(dag, dir string, events int) error {
	lake := filepath.Join(dir, "lake")
	if _, err := run(dag, "demo", lake, "--days", "1", "--events", strconv.Itoa(events), "--option-events", "0", "-q"); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(lake, "raw/*/*/*/*/*.zst"))
	if err != nil || len(files) != 1 {
		return fmt.Errorf("%d raw files in %s (%v)", len(files), lake, err)
	}
	var z cost
	if _, err := exec.LookPath("zstd"); err == nil {
		if z, err = median(3, func() (cost, error) { return run("zstd", "-dqf", files[0], "-o", os.DevNull) }); err != nil {
			return err
		}
	}
	row := func(name string, c cost) {
		ratio := "–"
		if z.cpu > 0 {
			ratio = fmt.Sprintf("%.1f", c.cpu.Seconds()/z.cpu.Seconds())
		}
		fmt.Printf("| %s, %d records | %.0f | %.2f | %s | %.0f |\n", name, events, float64(events)/c.cpu.Seconds(), c.cpu.Seconds(), ratio, float64(c.rss)/1e6)
	}
	if z.cpu > 0 {
		row("`zstd -d` of its file", z)
	}
	for _, way := range []struct {
		name string
		args []string
	}{
		{"bronze", []string{"ingest_mbp10"}},
		{"all stored", []string{"+approach", "--symbol", "ESU5"}},
		{"`--var lean=true`", []string{"+approach", "--symbol", "ESU5", "--var", "lean=true"}},
	} {
		c, err := median(3, func() (cost, error) {
			for _, made := range []string{"bronze", "silver", ".dag"} {
				if err := os.RemoveAll(filepath.Join(lake, made)); err != nil {
					return cost{}, err
				}
			}
			return run(dag, append([]string{"--lake", lake, "apply", "-q"}, way.args...)...)
		})
		if err != nil {
			return err
		}
		row(way.name, c)
	}
	return os.RemoveAll(dir)
}

// plans measures finding nothing to do: with and without the index, and with one
// source file changed, beside ninja on the same file graph and a walk that only
// lists and stats the same folders.
func plans(dag, dir string, sizes []string) error {
	lakes := filepath.Join(dir, "lakes")
	make := exec.Command("go", "test", "./cmd/dag", "-run", "^$", "-bench", "PlanUpToDate", "-benchtime", "1x", "-timeout", "3h")
	make.Env = append(os.Environ(), "DAG_BENCH_LAKES="+lakes, "DAG_BENCH_PARTITIONS="+strings.Join(sizes, ","))
	if out, err := make.CombinedOutput(); err != nil {
		return fmt.Errorf("making the lakes: %w\n%s", err, out)
	}
	fmt.Println("| finding nothing to do: six stages × contracts × days | CPU s | × `ninja` | × walk | peak MB |")
	fmt.Println("| --- | --- | --- | --- | --- |")
	for _, n := range sizes {
		if err := planned(dag, lakes, n); err != nil {
			return err
		}
	}
	fmt.Println()
	return nil
}

func planned(dag, lakes, n string) error {
	root := filepath.Join(lakes, n)
	plan := func() (cost, error) { return run(dag, "-C", lakes, "--lake", root, "plan") }
	time.Sleep(3 * time.Second) // folders this young are read again, see lake/README.md
	if _, err := plan(); err != nil {
		return err
	}
	warm, err := median(5, plan)
	if err != nil {
		return err
	}
	changed, err := median(3, func() (cost, error) {
		if err := touchOne(root); err != nil {
			return cost{}, err
		}
		return plan()
	})
	if err != nil {
		return err
	}
	cold, err := median(3, func() (cost, error) {
		if err := os.RemoveAll(filepath.Join(root, ".dag", "index")); err != nil {
			return cost{}, err
		}
		return plan()
	})
	if err != nil {
		return err
	}
	walk, err := median(5, func() (cost, error) { return walked(root) })
	if err != nil {
		return err
	}
	var ninja cost
	if _, err := exec.LookPath("ninja"); err == nil {
		if _, err := run("ninja", "-C", root); err != nil {
			return err
		}
		if ninja, err = median(5, func() (cost, error) { return run("ninja", "-C", root) }); err != nil {
			return err
		}
	}
	for _, row := range []struct {
		name string
		c    cost
	}{{"`ninja`", ninja}, {"a walk", walk}, {"`dag plan`", warm}, {"`dag plan`, one source file touched", changed}, {"`dag plan`, its index deleted", cold}} {
		if row.c.cpu == 0 {
			continue
		}
		ratio := "–"
		if ninja.cpu > 0 {
			ratio = fmt.Sprintf("%.2f", row.c.cpu.Seconds()/ninja.cpu.Seconds())
		}
		fmt.Printf("| %s, %s partitions | %.2f | %s | %.2f | %.0f |\n", row.name, n, row.c.cpu.Seconds(), ratio, row.c.cpu.Seconds()/walk.cpu.Seconds(), float64(row.c.rss)/1e6)
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

// run measures one process; its output is kept for the error.
func run(name string, args ...string) (cost, error) {
	cmd := exec.Command(name, args...)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return cost{}, fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, out.String())
	}
	u := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	rss := u.Maxrss
	if runtime.GOOS == "linux" {
		rss *= 1024
	}
	return cost{cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), wall: time.Since(start), rss: rss}, nil
}

// median of n runs by CPU time.
func median(n int, f func() (cost, error)) (cost, error) {
	var all []cost
	for range n {
		c, err := f()
		if err != nil {
			return c, err
		}
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b cost) int { return int(a.cpu - b.cpu) })
	return all[n/2], nil
}
