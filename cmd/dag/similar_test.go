package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/rogpeppe/go-internal/testscript"

	"dag/contracts"
	"dag/engine/contract"
	"dag/engine/lake/parquet"
	"dag/pipelines"
)

// TestSimilar runs testdata/similar: what a user asks above, what comes of it
// below.
func TestSimilar(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/similar",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("NO_COLOR", "1")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":    code,
			"schema":  marketSchemaCommand,
			"setups":  setupsCommand,
			"vector":  vectorCommand,
			"project": projectCommand,
			"zeros":   zerosCommand,
		},
	})
}

// marketSchemaCommand holds stdout to a schema of similar: schema NAME.
func marketSchemaCommand(ts *testscript.TestScript, _ bool, args []string) {
	var schema map[string]any
	ts.Check(json.Unmarshal(marketSchemas()[args[0]], &schema))
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &v))
	if err := conforms(schema, schema, v, "$"); err != nil {
		ts.Fatalf("%s: %v", args[0], err)
	}
}

// projectCommand writes the shipped pipeline and contracts: project DIR.
func projectCommand(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(writeOut(pipelines.FS, filepath.Join(dir, pipelinesDir)))
	ts.Check(writeOut(contracts.FS, filepath.Join(dir, contractsDir)))
}

// setupsCommand writes set-up vectors of random episodes, as another tool would:
// setups LAKE SYMBOL FIRST-DATE DAYS. The outcome of the last episode is not
// known.
func setupsCommand(ts *testscript.TestScript, _ bool, args []string) {
	const path = "gold/future/setup_vectors.avsc"
	text, err := contracts.FS.ReadFile(path)
	ts.Check(err)
	c, list := contract.Parse(path, text)
	ts.Check(list.Err())
	first, err := time.Parse(time.DateOnly, args[2])
	ts.Check(err)
	days, err := strconv.Atoi(args[3])
	ts.Check(err)
	r := rand.New(rand.NewPCG(1, 1))
	for d := range days {
		date := first.AddDate(0, 0, d/5*7+d%5)
		dt := date.Format(time.DateOnly)
		dir := filepath.Join(ts.MkAbs(args[0]), "gold/product_type=future/symbol="+args[1]+"/table=setup_vectors/dt="+dt)
		ts.Check(os.MkdirAll(dir, 0o755))
		f, err := os.Create(filepath.Join(dir, "part-00000.parquet"))
		ts.Check(err)
		w, err := parquet.NewWriter(f, c.Schema, 1)
		ts.Check(err)
		rec := randomSetups(r, c.Schema, args[1], date, d == days-1)
		ts.Check(w.Write(rec))
		rec.Release()
		ts.Check(w.Close())
		ts.Check(f.Close())
		ts.Check(os.WriteFile(filepath.Join(dir, "_SUCCESS"), nil, 0o644))
	}
}

// randomSetups are eight episodes of a day, two at each level, from below.
func randomSetups(r *rand.Rand, s *arrow.Schema, symbol string, date time.Time, last bool) arrow.Record {
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	defer b.Release()
	const episodes = 8
	for i := range episodes {
		level := []string{"or_high", "or_low", "pm_high", "pm_low"}[i%4]
		trigger := date.Add(14*time.Hour + time.Duration(i)*10*time.Minute).UnixNano()
		values := map[string]any{
			"episode_id": fmt.Sprintf("%s_%s_%s_%d", date.Format(time.DateOnly), symbol, level, trigger), "dt": date.Format(time.DateOnly), "symbol": symbol,
			"level_type": level, "level_price": 6000.25, "trigger_candle_ts": trigger, "approach_direction": int64(1), "is_front_month": true,
			"outcome": []string{"BREAK", "REJECT", "CHOP"}[r.IntN(3)], "outcome_score": float64(r.IntN(20) - 10),
		}
		if last && i == episodes-1 {
			delete(values, "outcome")
			delete(values, "outcome_score")
		}
		for c, f := range s.Fields() {
			put(b.Field(c), values[f.Name], f.Nullable, r)
		}
	}
	return b.NewRecord()
}

// put appends a value; one that is not given is null or empty, a list 256 random
// numbers.
func put(b array.Builder, v any, nullable bool, r *rand.Rand) {
	switch b := b.(type) {
	case *array.ListBuilder:
		b.Append(true)
		for range 256 {
			b.ValueBuilder().(*array.Float64Builder).Append(r.NormFloat64())
		}
		return
	case *array.StringBuilder:
		if v, ok := v.(string); ok {
			b.Append(v)
			return
		}
	case *array.Int64Builder:
		if v, ok := v.(int64); ok {
			b.Append(v)
			return
		}
	case *array.Float64Builder:
		if v, ok := v.(float64); ok {
			b.Append(v)
			return
		}
	case *array.BooleanBuilder:
		if v, ok := v.(bool); ok {
			b.Append(v)
			return
		}
	}
	if nullable {
		b.AppendNull()
	} else {
		b.AppendEmptyValue()
	}
}

// vectorCommand writes a vector of many times one number: vector FILE NUMBER
// COUNT [LEVEL DIRECTION]. With a level and a direction it says that it is of them.
func vectorCommand(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	values := slices.Repeat([]string{args[1]}, n)
	if len(args) > 3 {
		for i, l := range []string{"pm_high", "pm_low", "or_high", "or_low"} {
			values[248+i] = "0"
			if l == args[3] {
				values[248+i] = "1"
			}
		}
		values[252] = args[4]
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Join(values, "\n")+"\n"), 0o644))
}

// zerosCommand overwrites the bytes of a file, and leaves its size: zeros FILE.
func zerosCommand(ts *testscript.TestScript, _ bool, args []string) {
	name := ts.MkAbs(args[0])
	info, err := os.Stat(name)
	ts.Check(err)
	ts.Check(os.WriteFile(name, make([]byte, info.Size()), 0o644))
}

func TestParseVector(t *testing.T) {
	for _, text := range []string{"[1, -2.5,3e2]", " [1,-2.5,300]\n", "1,-2.5,300", "1\n-2.5\r\n300\n", "1 -2.5;300"} {
		if v, err := parseVector(text); err != nil || !slices.Equal(v, []float64{1, -2.5, 300}) {
			t.Errorf("%q is %v, %v", text, v, err)
		}
	}
	for text, want := range map[string]string{"[1,null]": "item 1 is null, not a finite number", "[1,NaN]": "item 1 is NaN, not a finite", "[-Infinity]": "item 0 is -Infinity", "[0,0,1e400]": "item 2 is 1e400, beyond a float64", "[1,": "unexpected end", "[1] 2": "after top-level", "1\n2,x": `line 2: "x" is not a number`, `["1"]`: "item 0 is 1, not a finite"} {
		if _, err := parseVector(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
