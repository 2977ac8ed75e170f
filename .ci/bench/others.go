package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// script runs what the other programs do, see there.
const script = ".ci/bench/others.py"

// python is $VENDOR_PYTHON, which may have any of the modules to compare with.
func python() string { return os.Getenv("VENDOR_PYTHON") }

// version of a module of a Python; "" if it is not installed.
func version(python, module string) string {
	if python == "" {
		return ""
	}
	out, err := exec.Command(python, "-c", "import importlib.metadata as m; print(m.version('"+module+"'))").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// others are the programs that are installed, doing the same work on the lake that
// the last of ways left behind, and the bars beside DuckDB's.
func (m *market) others() ([]row, error) {
	scratch := filepath.Join(filepath.Dir(m.lake), "others")
	if err := os.MkdirAll(scratch, 0o777); err != nil {
		return nil, err
	}
	first4h := filepath.Join(m.lake, "silver/product_type=future/symbol="+contractOf+"/table=market_by_price_10_first4h")
	var rows []row
	for _, other := range []struct {
		module, name string
		whole        bool
		args         []string
	}{
		{"databento", "the vendor's client: `to_parquet`, its own columns", true, []string{"client", m.raw, scratch}},
		{"polars", "Polars: filter, sort and write what the client wrote", true, []string{"polars", scratch}},
		{"pyarrow", "pyarrow: writing the tables of bronze, without reading", true, []string{"pyarrow", filepath.Join(m.lake, "bronze"), scratch}},
		{"duckdb", "DuckDB: 5-second bars of 8 fields, of the stored first four hours", false, []string{"duckdb", first4h, scratch}},
	} {
		if version(python(), other.module) == "" || other.module == "polars" && version(python(), "databento") == "" {
			continue
		}
		rows = append(rows, row{name: other.name, whole: other.whole, run: func() (cost, error) { return ran(other.args) }})
	}
	bars := "silver/product_type=future/symbol=" + contractOf + "/table=market_by_price_10_bar5s"
	return append(rows, row{name: "`dag`: 5-second bars of 113 fields, of the same", run: func() (cost, error) {
		return m.apply([]string{bars}, "bar5s", "--symbol", contractOf)
	}}), nil
}

// ran measures a part of the script. One that prints seconds has measured a part
// of itself; its memory is of the whole.
func ran(args []string) (cost, error) {
	c, out, err := output(python(), append([]string{script}, args...)...)
	if err != nil {
		return c, err
	}
	if text := strings.TrimSpace(out); text != "" {
		c.cpu, err = time.ParseDuration(text + "s")
		c.rss = 0
	}
	return c, err
}
