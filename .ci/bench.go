// Command bench is the end-to-end comparison whose table stands in README.md:
//
//	go run .ci/bench.go [-events 2000000] [-big 10] [-dir DIR] [-only days|plans]
//
// It measures whole processes: CPU time and peak memory as the kernel counts
// them, the median of three runs, all in one go on one machine. Programs to
// compare with (zstd, ninja) are left out of the table where they are not
// installed.
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
	events := flag.Int("events", 2_000_000, "records of the day")
	big := flag.Int("big", 10, "how many times larger the large day is; 0: without one")
	dir := flag.String("dir", "", "where to work (default: a temporary folder)")
	only := flag.String("only", "", "one part: days or plans (default: both)")
	flag.Parse()
	if err := bench(*events, *big, *dir, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(events, big int, dir, only string) error {
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
	if only != "plans" {
		if err := days(dag, dir, events, big); err != nil {
			return err
		}
	}
	if only == "days" {
		return nil
	}
	return plans(dag, dir)
}

// days measures raw DBN → approaches of the front contract, everything stored.
func days(dag, dir string, events, big int) error {
	fmt.Println("| a synthetic day, raw DBN → approach2m of one contract, all stored | records/s | CPU s | × `zstd -d` | peak MB |")
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
	if _, err := run(dag, "demo", lake, "--days", "1", "--events", strconv.Itoa(events), "-q"); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(lake, "raw/*/*/*/*/*.zst"))
	if err != nil || len(files) != 1 {
		return fmt.Errorf("%d raw files in %s (%v)", len(files), lake, err)
	}
	apply, err := median(3, func() (cost, error) {
		for _, made := range []string{"bronze", "silver", ".dag"} {
			if err := os.RemoveAll(filepath.Join(lake, made)); err != nil {
				return cost{}, err
			}
		}
		return run(dag, "--lake", lake, "apply", "--symbol", "ESU5", "--progress", "none", "-q")
	})
	if err != nil {
		return err
	}
	ratio := "–"
	if _, err := exec.LookPath("zstd"); err == nil {
		z, err := median(3, func() (cost, error) { return run("zstd", "-dqf", files[0], "-o", os.DevNull) })
		if err != nil {
			return err
		}
		ratio = fmt.Sprintf("%.1f", apply.cpu.Seconds()/z.cpu.Seconds())
		fmt.Printf("| `zstd -d` of its file, %d records | %.0f | %.2f | 1 | %.0f |\n", events, float64(events)/z.cpu.Seconds(), z.cpu.Seconds(), float64(z.rss)/1e6)
	}
	fmt.Printf("| `dag apply`, %d records | %.0f | %.2f | %s | %.0f |\n", events, float64(events)/apply.cpu.Seconds(), apply.cpu.Seconds(), ratio, float64(apply.rss)/1e6)
	return os.RemoveAll(dir)
}

// plans measures finding nothing to do.
func plans(dag, dir string) error {
	lakes := filepath.Join(dir, "lakes")
	make := exec.Command("go", "test", "./cmd/dag", "-run", "^$", "-bench", "PlanUpToDate", "-benchtime", "1x")
	make.Env = append(os.Environ(), "DAG_BENCH_LAKES="+lakes)
	if out, err := make.CombinedOutput(); err != nil {
		return fmt.Errorf("making the lakes: %w\n%s", err, out)
	}
	fmt.Println("| finding nothing to do | CPU s | × ninja | peak MB |")
	fmt.Println("| --- | --- | --- | --- |")
	for _, n := range []string{"12000", "120000"} {
		root := filepath.Join(lakes, n)
		time.Sleep(3 * time.Second) // folders this young are read again, see lake/README.md
		if _, err := run(dag, "--lake", root, "plan"); err != nil {
			return err
		}
		warm, err := median(5, func() (cost, error) { return run(dag, "--lake", root, "plan") })
		if err != nil {
			return err
		}
		cold, err := median(3, func() (cost, error) {
			if err := os.RemoveAll(filepath.Join(root, ".dag", "index")); err != nil {
				return cost{}, err
			}
			return run(dag, "--lake", root, "plan")
		})
		if err != nil {
			return err
		}
		ratios := [2]string{"–", "–"}
		if _, err := exec.LookPath("ninja"); err == nil {
			if _, err := run("ninja", "-C", root); err != nil {
				return err
			}
			ninja, err := median(5, func() (cost, error) { return run("ninja", "-C", root) })
			if err != nil {
				return err
			}
			for i, c := range []cost{warm, cold} {
				ratios[i] = fmt.Sprintf("%.2f", c.cpu.Seconds()/ninja.cpu.Seconds())
			}
			fmt.Printf("| `ninja` on the same file graph, %s partitions | %.2f | 1 | %.0f |\n", n, ninja.cpu.Seconds(), float64(ninja.rss)/1e6)
		}
		fmt.Printf("| `dag plan`, %s partitions | %.2f | %s | %.0f |\n", n, warm.cpu.Seconds(), ratios[0], float64(warm.rss)/1e6)
		fmt.Printf("| `dag plan` without its index | %.2f | %s | %.0f |\n", cold.cpu.Seconds(), ratios[1], float64(cold.rss)/1e6)
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
