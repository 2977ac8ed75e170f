package option_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dag/engine/stage"
	"dag/engine/stage/stagetest"
	"dag/stages/bronze/future_option/nbbo"
	"dag/stages/bronze/future_option/statistics"
	"dag/stages/bronze/future_option/trades"
)

// vendorTask is a task over files of the vendor by port.
func vendorTask(t *testing.T, transform stage.Transform, root, dt string, files map[string]string) *stagetest.Task {
	t.Helper()
	task := stagetest.NewTask(t, transform.Spec(), map[string]string{"root": root, "dt": dt}, nil, nil)
	for port, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		task.AddFile(port, filepath.Base(path), data)
	}
	return task
}

func opra(schema string) string { return "../dbn/testdata/test_data.opra." + schema + ".dbn.zst" }

func columns(task *stagetest.Task, port string, names ...string) []string {
	rec := task.Table(port)
	var out []string
	for row := range int(rec.NumRows()) {
		var line []string
		for _, n := range names {
			line = append(line, rec.Column(rec.Schema().FieldIndices(n)[0]).ValueStr(row))
		}
		out = append(out, strings.Join(line, " "))
	}
	return out
}

// TestVendorOption takes the vendor's files of a stock option through bronze: its
// symbol tells no strike, its definition does.
func TestVendorOption(t *testing.T) {
	const option = "AAPL  250221C00250000 250 C"
	for _, c := range []struct {
		name      string
		port      string
		transform stage.Transform
		files     map[string]string
		columns   []string
		want      []string
	}{
		{"trades", "trades", trades.New(), map[string]string{"trades": opra("trades"), "quotes": opra("cbbo-1s")},
			[]string{"ts_event_ns", "price", "size", "opt_bid", "opt_ask", "aggressor"},
			[]string{"1740061800817657088 0.24 1 (null) (null) 0", "1740061801631777024 0.2 2 0.1 0.25 0", "1740061801644682240 0.19 1 0.1 0.25 0", "1740061801745517312 0.19 4 0.1 0.25 0"}},
		{"quotes at intervals", "nbbo", nbbo.New(), map[string]string{"quotes": opra("cbbo-1s")},
			[]string{"ts_event_ns", "bid_px", "ask_px", "bid_sz", "ask_sz", "seq"}, // the first of four has no quote
			[]string{"1740061801000000000 0.1 0.25 1 4 0", "1740061802000000000 0.18 0.21 5 51 0", "1740061803000000000 0.22 0.24 9 13 0"}},
		{"quotes of no side", "nbbo", nbbo.New(), map[string]string{"quotes": opra("mbp-1")}, nil, nil},
		{"statistics", "statistics", statistics.New(), map[string]string{"statistics": opra("statistics")},
			[]string{"open_interest"}, []string{"57924", "57924", "57924", "57924"}},
	} {
		c.files["definitions"] = opra("definition")
		task := vendorTask(t, c.transform, "AAPL", "2025-02-20", c.files)
		if err := c.transform.Run(t.Context(), task); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for i := range c.want {
			c.want[i] = option + " " + c.want[i]
		}
		if got := columns(task, c.port, append([]string{"option_symbol", "strike", "right"}, c.columns...)...); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// sharedData is the folder of real files beside the repository.
func sharedData(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../../../shared/data/real")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the shared data is not here: ", err)
	}
	return dir
}

// TestVendorFuture gives every sort of file of one future on one day to the
// stages: all is read, defined as a future, and counted as such.
func TestVendorFuture(t *testing.T) {
	dir := filepath.Join(sharedData(t), "databento-python", "GLBX.MDP3")
	file := func(schema string) string { return filepath.Join(dir, "test_data."+schema+".dbn.zst") }
	bbo := func(name string) string { return filepath.Join(dir, "..", "..", "dbn", name) }
	for _, c := range []struct {
		port, path string
		transform  stage.Transform
		records    int64
	}{
		{"trades", file("trades"), trades.New(), 4},
		{"quotes", file("mbp-1"), nbbo.New(), 4},
		{"quotes", bbo("test_data.bbo-1s.dbn"), nbbo.New(), 4},
		{"quotes", bbo("test_data.bbo-1m.v3.dbn.zst"), nbbo.New(), 4},
		{"quotes", bbo("test_data.cbbo-1s.v3.dbn.zst"), nbbo.New(), 2},
		{"statistics", file("statistics"), statistics.New(), 4},
	} {
		task := vendorTask(t, c.transform, "ES", "2020-12-28", map[string]string{c.port: c.path, "definitions": file("definition")})
		err := c.transform.Run(t.Context(), task)
		if err == nil || !strings.Contains(err.Error(), "is of an option of ES") {
			t.Errorf("%s: error %v", c.path, err)
		}
		if m := task.Metrics(); m["records_read"] != c.records || m["dropped_not_option"] != c.records || m["definitions_instruments"] != 1 {
			t.Errorf("%s: metrics %v", c.path, m)
		}
	}
}
