// Command bench is the end-to-end comparison whose tables stand in README.md:
//
//	go run ./.ci/bench [-write] [-events 2000000] [-big 10] [-partitions 12000,120000] [-dir DIR] [-only days|plans|index]
//
// It measures whole processes: CPU time and peak memory as the kernel counts
// them, what is compared in turn, and the median of three rounds or more. Programs to
// compare with are left out of the tables where they are not installed: zstd,
// ninja, a Python in $VENDOR_PYTHON with any of databento, polars, pyarrow and
// duckdb, and one in $FAISS_PYTHON with faiss-cpu.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// options are the flags.
type options struct {
	events, big     int
	partitions, dir string
	only            string
	write           bool
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
	var o options
	flag.IntVar(&o.events, "events", 2_000_000, "records of the day")
	flag.IntVar(&o.big, "big", 10, "how many times larger the large day is; 0: without one")
	flag.StringVar(&o.dir, "dir", "", "where to work (default: a temporary folder)")
	flag.StringVar(&o.partitions, "partitions", "12000,120000", "sizes of the lakes to plan")
	flag.StringVar(&o.only, "only", "", "one part: days, plans or index (default: all)")
	flag.BoolVar(&o.write, "write", false, "put the tables into README.md, in the place of those there")
	flag.Parse()
	if err := bench(o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(o options) error {
	if !slices.Contains([]string{"", "days", "plans", "index"}, o.only) {
		return fmt.Errorf("-only %s: there are days, plans and index", o.only)
	}
	if o.dir == "" {
		var err error
		if o.dir, err = os.MkdirTemp("", "dag-bench"); err != nil {
			return err
		}
		defer os.RemoveAll(o.dir)
	}
	dag := filepath.Join(o.dir, "dag")
	if out, err := exec.Command("go", "build", "-o", dag, "./cmd/dag").CombinedOutput(); err != nil {
		return fmt.Errorf("building: %w\n%s", err, out)
	}
	// A part by itself leaves the line that names the programs of all parts.
	if err := publish(o.write && o.only == "", "machine", machine()); err != nil {
		return err
	}
	for _, part := range []struct {
		name string
		run  func() (string, error)
	}{
		{"days", func() (string, error) { return days(dag, o.dir, o.events, o.big) }},
		{"plans", func() (string, error) { return plans(dag, o.dir, strings.Split(o.partitions, ",")) }},
		{"index", index},
	} {
		if o.only != "" && o.only != part.name {
			continue
		}
		text, err := part.run()
		if err == nil {
			err = publish(o.write, part.name, text)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

const readme = "README.md"

// publish prints a part and, with write, puts it into the README. An empty one,
// whose programs are not there, leaves what stands.
func publish(write bool, name, text string) error {
	if text == "" {
		return nil
	}
	fmt.Println(text)
	if !write {
		return nil
	}
	page, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	changed, err := replace(string(page), name, text)
	if err != nil {
		return err
	}
	return os.WriteFile(readme, []byte(changed), 0o666)
}

// replace puts text between the two comments of a page that name it.
func replace(page, name, text string) (string, error) {
	open, end := "<!-- bench:"+name+" -->\n", "<!-- /bench:"+name+" -->"
	before, rest, ok := strings.Cut(page, open)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return "", fmt.Errorf("%s has no %s with a line %s below it: put both where the table is to stand", readme, strings.TrimSpace(open), end)
	}
	return before + open + strings.TrimSpace(text) + "\n" + end + after, nil
}
