package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"dag/engine/addr"
	"dag/engine/lake"
)

// golden is the folder of the reference's days, beside the repository.
const golden = "../../../shared/data/golden"

var levels = []string{"pm_high", "pm_low", "or_high", "or_low"}

// TestGoldenDays applies the shipped pipeline with reference semantics to the
// golden raw files, and holds what comes out to what the reference made.
func TestGoldenDays(t *testing.T) {
	if _, err := os.Stat(golden); err != nil {
		t.Skip("the golden days are not there")
	}
	for name, days := range map[string][]string{
		"day":  {"2025-08-04"},
		"week": {"2025-08-05", "2025-08-06", "2025-08-07", "2025-08-08"},
	} {
		t.Run(name, func(t *testing.T) {
			root := filepath.Join(t.TempDir(), "lake")
			if err := os.CopyFS(filepath.Join(root, "raw"), os.DirFS(filepath.Join(golden, name, "raw"))); err != nil {
				t.Fatal(err)
			}
			args := []string{"-C", "../..", "--lake", root, "--var", "semantics=reference"}
			if code := run(append(args, "apply", "-q", "--symbol", "ESU5", "--dates", days[0]+":"+days[len(days)-1])); code != 0 {
				t.Fatalf("apply ended with %d", code)
			}
			ours, theirs := openGolden(t, root), openGolden(t, filepath.Join(golden, name, "expected"))
			tables := []string{"market_by_price_10_bar5s"}
			for _, l := range levels {
				tables = append(tables, "market_by_price_10_"+l+"_approach2m")
			}
			if name == "day" {
				tables = append(tables, "market_by_price_10")
			}
			for _, day := range days {
				for _, table := range tables {
					p := addr.Partition{Dataset: addr.Dataset{Layer: "silver", Product: "future", Table: table}, Keys: addr.Keys("symbol=ESU5,dt=" + day)}
					compareGolden(t, p, readAll(t, ours, p), readAll(t, theirs, p))
				}
			}
		})
	}
}

func openGolden(t *testing.T, root string) *lake.Lake {
	t.Helper()
	a := &app{now: time.Now, environ: os.Environ(), notice: func(string) {}, stderr: os.Stderr}
	a.flags.project, a.flags.lake = "../..", root
	p, err := a.load()
	if err != nil {
		t.Fatal(err)
	}
	l, err := p.openLake(lake.Options{NoWrite: true})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// column is a whole column as float64 or text; null is NaN and "".
type column struct {
	name    string
	numbers []float64
	texts   []string
}

func readAll(t *testing.T, l *lake.Lake, p addr.Partition) []column {
	t.Helper()
	in, err := l.OpenPartition(p)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var cols []column
	for rec, err := range in.Read(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		if cols == nil {
			for _, f := range rec.Schema().Fields() {
				cols = append(cols, column{name: f.Name})
			}
		}
		for c := range cols {
			cols[c].append(rec.Column(c))
		}
	}
	return cols
}

func (c *column) append(col arrow.Array) {
	for i := range col.Len() {
		switch v := col.(type) {
		case *array.Float64:
			x := math.NaN()
			if !v.IsNull(i) {
				x = v.Value(i)
			}
			c.numbers = append(c.numbers, x)
		default:
			text := ""
			if !col.IsNull(i) {
				text = strings.Clone(col.ValueStr(i))
			}
			c.texts = append(c.texts, text)
		}
	}
}

// compareGolden uses the tolerances of spec 00.
func compareGolden(t *testing.T, p addr.Partition, got, want []column) {
	t.Helper()
	if len(got) == 0 || len(got) != len(want) {
		// A level without a trigger: the reference then writes no columns at all.
		if len(got) == 0 && (len(want) == 0 || len(want[0].numbers)+len(want[0].texts) == 0) {
			return
		}
		t.Errorf("%s: %d columns, want %d", p, len(got), len(want))
		return
	}
	wrong := 0
	fail := func(format string, args ...any) {
		if wrong++; wrong <= 5 {
			t.Errorf("%s: %s", p, fmt.Sprintf(format, args...))
		}
	}
	for c := range got {
		g, w := got[c], want[c]
		if g.name != w.name || len(g.numbers) != len(w.numbers) || len(g.texts) != len(w.texts) {
			fail("column %d is %s with %d values, want %s with %d", c, g.name, len(g.numbers)+len(g.texts), w.name, len(w.numbers)+len(w.texts))
			continue
		}
		tolerance := 1e-9
		if strings.HasSuffix(g.name, "maxz_eob") {
			tolerance = 1e-5 // flat books
		}
		for i := range g.numbers {
			a, b := g.numbers[i], w.numbers[i]
			if math.IsNaN(a) != math.IsNaN(b) || math.Abs(a-b) > tolerance*(1+math.Abs(b)) {
				fail("%s[%d] is %v, want %v", g.name, i, a, b)
			}
		}
		for i := range g.texts {
			if g.texts[i] != w.texts[i] {
				fail("%s[%d] is %q, want %q", g.name, i, g.texts[i], w.texts[i])
			}
		}
	}
}
