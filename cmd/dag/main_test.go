package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"syscall"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"dag/engine/contract"
	"dag/engine/event"
	"dag/engine/exec"
	"dag/engine/graph"
	"dag/engine/lake"
	"dag/engine/view"
)

func TestExitCode(t *testing.T) {
	background := context.Background()
	ended := func(s syscall.Signal) context.Context {
		ctx, cancel := context.WithCancelCause(background)
		cancel(interruption{s})
		return ctx
	}
	for _, c := range []struct {
		ctx  context.Context
		err  error
		want int
	}{
		{background, nil, 0},
		{background, errors.New("disk"), exitInternal},
		{background, exit(exitChanges), exitChanges},
		{background, fmt.Errorf("wrapped: %w", mistake("x", "y", "z")), exitUsage},
		{background, &exitError{exitDrift, mistake("x", "y", "z")}, exitDrift},
		{background, fmt.Errorf("wrapped: %w", &lake.LeaseError{}), exitLease},
		{background, errors.Join(exit(exitFailed), errors.New("closing")), exitFailed},
		{ended(syscall.SIGINT), nil, exitInterrupt},
		{ended(syscall.SIGINT), errors.New("x"), exitInterrupt},
		{ended(syscall.SIGTERM), errors.New("x"), exitTerminate},
		{ended(syscall.SIGHUP), errors.New("x"), exitHangup},
	} {
		if got := exitCode(c.ctx, c.err); got != c.want {
			t.Errorf("%v: %d, want %d", c.err, got, c.want)
		}
	}
}

func TestVerdict(t *testing.T) {
	counts := func(r event.Result) exec.Outcome { return exec.Outcome{Counts: map[event.Result]int{r: 1}} }
	full, held := counts(event.Failed), counts(event.Failed)
	full.WriteError, held.LeaseHeld = true, true
	for _, c := range []struct {
		outcome exec.Outcome
		want    int
	}{
		{counts(event.Done), 0}, {counts(event.CutOff), 0}, {counts(event.Failed), exitFailed}, {counts(event.Blocked), exitFailed},
		{full, exitInternal}, {held, exitLease},
	} {
		if got := exitCode(context.Background(), verdict(context.Background(), c.outcome)); got != c.want {
			t.Errorf("%+v: %d, want %d", c.outcome, got, c.want)
		}
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{programName("/tmp/go-build1/b001/exe/dag"), "go run ./cmd/dag"}, {programName("./dag"), "./dag"}, {programName("/usr/bin/dag"), "dag"},
		{shellQuote("ESU5"), "ESU5"}, {shellQuote("a b"), "'a b'"}, {shellQuote("it's"), `'it'\''s'`}, {shellQuote(""), "''"},
		{requestText(graph.Request{
			Select: []string{"bar5s[dt=2025-08]"}, Exclude: []string{"x*"}, Layer: "silver", AnyKey: graph.AnyKey{Values: []string{"ES", "NQU5"}}, Dates: []string{"2025-08-01..2025-08-04"},
		}), "'bar5s[dt=2025-08]' -x 'x*' --layer silver --symbol ES --symbol NQU5 --dates 2025-08-01:2025-08-04"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}

func TestHeapLimit(t *testing.T) {
	for _, c := range []struct {
		memory        int64
		workers       int
		live, wantMiB int64
	}{
		{1 << 40, 2, 0, 120}, {1 << 40, 2, 50 << 20, 120}, {1 << 40, 8, 60 << 20, 360},
		{1 << 40, 2, 100 << 20, 216}, {200 << 20, 2, 100 << 20, 170}, {100 << 20, 2, 0, 85}, {0, 2, 0, 120},
	} {
		if got := heapLimit(c.memory, c.workers, c.live); got>>20 != c.wantMiB {
			t.Errorf("heapLimit(%d, %d, %d) is %d MiB, want %d", c.memory, c.workers, c.live, got>>20, c.wantMiB)
		}
	}
}

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]int64{"512MiB": 512 << 20, "8GiB": 8 << 30, "1.5 KiB": 1536, "2GB": 2e9, "100B": 100} {
		if got, err := parseBytes(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "8", "GiB", "-1GiB", "0B", "NaNGiB", "1e99TiB", "8GiBB"} {
		if got, err := parseBytes(text); err == nil {
			t.Errorf("%q is taken for %d bytes", text, got)
		}
	}
}

// TestStatistics runs over two batches: nulls, NaN, infinities, and text that
// does not outlive its batch.
func TestStatistics(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "f", Type: arrow.PrimitiveTypes.Float64, Nullable: true}, {Name: "i", Type: arrow.PrimitiveTypes.Int64},
		{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true}, {Name: "b", Type: arrow.FixedWidthTypes.Boolean},
	}, nil)
	s := newStatistics(&contract.Contract{Schema: schema, Docs: make([]string, 4)})
	var head [][]any
	for _, rows := range [][]struct {
		f, s any
		i    int64
	}{
		{{nil, "b", 5}, {math.NaN(), nil, -2}},
		{{math.Inf(-1), "a", 7}, {2.5, "c", 3}},
	} {
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		for _, r := range rows {
			if f, ok := r.f.(float64); ok {
				b.Field(0).(*array.Float64Builder).Append(f)
			} else {
				b.Field(0).AppendNull()
			}
			b.Field(1).(*array.Int64Builder).Append(r.i)
			if text, ok := r.s.(string); ok {
				b.Field(2).(*array.StringBuilder).Append(text)
			} else {
				b.Field(2).AppendNull()
			}
			b.Field(3).(*array.BooleanBuilder).Append(true)
		}
		rec := b.NewRecord()
		s.add(rec)
		head = append(head, firstRows(rec, 3-len(head))...)
		rec.Release()
		b.Release()
	}
	want := []view.ColumnDoc{
		{Name: "f", Type: "float64", Nullable: true, Nulls: 1, Min: "-Inf", Max: 2.5},
		{Name: "i", Type: "int64", Min: int64(-2), Max: int64(7)},
		{Name: "s", Type: "utf8", Nullable: true, Nulls: 1, Min: "a", Max: "c"},
		{Name: "b", Type: "bool"},
	}
	if d := cmp.Diff(want, s.columns()); d != "" {
		t.Errorf("columns (-want +got):\n%s", d)
	}
	rows := [][]any{{nil, int64(5), "b", true}, {"NaN", int64(-2), nil, true}, {"-Inf", int64(7), "a", true}}
	if d := cmp.Diff(rows, head); d != "" {
		t.Errorf("head (-want +got):\n%s", d)
	}
	if err := view.WriteJSON(&bytes.Buffer{}, head); err != nil {
		t.Errorf("not JSON: %v", err)
	}
}
