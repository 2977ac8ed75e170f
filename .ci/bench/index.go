package main

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// index sets the benchmarks of retrieval beside FAISS; "" without it.
func index() (string, error) {
	out, err := exec.Command("go", "test", "./stages/retrieval", "-run", "^$", "-bench", "FAISS", "-benchtime", "1x").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	t := newTable("nearest of 100,000 vectors of 256 values, one thread", "`dag` ms", "FAISS `IndexFlatL2` ms", "ratio")
	first := true
	for line := range strings.Lines(string(out)) {
		m := metrics(line)
		if m["faiss-search-ms"] == 0 {
			continue
		}
		row := func(name, ours, theirs string) {
			t.row(name, millis(m[ours]), millis(m[theirs]), fmt.Sprintf("%.2f", m[ours]/m[theirs]))
		}
		name := "one query"
		if _, n, ok := strings.Cut(strings.Fields(line)[0], "queries="); ok && !strings.HasPrefix(n, "1-") {
			n, _, _ = strings.Cut(n, "-")
			name = n + " queries"
		}
		if first {
			row("build", "build-ms", "faiss-build-ms")
		}
		row(name, "search-ms", "faiss-search-ms")
		first = false
	}
	if first {
		return "", nil
	}
	return t.String(), nil
}

func millis(ms float64) string {
	if ms < 10 {
		return fmt.Sprintf("%.1f", ms)
	}
	return fmt.Sprintf("%.0f", ms)
}

// metrics takes a line of a Go benchmark apart.
func metrics(line string) map[string]float64 {
	m := map[string]float64{}
	f := strings.Fields(line)
	for i := 2; i+1 < len(f); i += 2 {
		if v, err := strconv.ParseFloat(f[i], 64); err == nil {
			m[f[i+1]] = v
		}
	}
	return m
}
