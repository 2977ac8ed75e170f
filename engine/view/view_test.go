package view

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/config"
	"dag/engine/diag"
	"dag/engine/event"
	"dag/engine/graph"
	"dag/engine/manifest"
	"dag/engine/plan"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// golden compares text with a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Count(0), "0"}, {Count(999), "999"}, {Count(1000), "1 000"}, {Count(12480), "12 480"}, {Count(-1234567), "-1 234 567"},
		{Bytes(0), "0 B"}, {Bytes(1023), "1023 B"}, {Bytes(1024), "1.00 KiB"}, {Bytes(2_000_000_000), "1.86 GiB"}, {Bytes(1 << 50), "1024 TiB"},
		{Duration(4 * time.Millisecond), "4 ms"}, {Duration(1250 * time.Millisecond), "1.25 s"}, {Duration(41 * time.Second), "41.0 s"},
		{Duration(185 * time.Second), "3 min 5 s"}, {Duration(3 * time.Hour), "3 h 0 min"}, {Duration(20 * time.Microsecond), "20 µs"},
		{Rate(500, time.Second), "500 rows/s"}, {Rate(1_200_000, time.Second), "1.20 M rows/s"}, {Rate(1, 0), ""},
		{plural(1, "row"), "1 row"}, {plural(1200, "row"), "1 200 rows"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestDiagnostics(t *testing.T) {
	list := diag.List{
		{
			Code: "unknown_dataset", Summary: "the stage bar5s reads a dataset that is not declared", Detail: "dataset.silver.future.first4",
			Hint:   "did you mean dataset.silver.future.market_by_price_10_first4h?",
			Range:  diag.Range{File: "pipelines/future.hcl", Line: 12, Column: 10, EndLine: 12, EndColumn: 38},
			Source: "\t\tfrom = dataset.silver.future.first4",
		},
		{Severity: diag.Warning, Summary: "the block goes on for more than one line, which only its first shows", Range: diag.Range{File: "a.hcl", Line: 7, Column: 3, EndLine: 9, EndColumn: 2}, Source: "  window {"},
		{Summary: "the file is empty", Range: diag.Range{File: "contracts/x.avsc"}},
		{Summary: "no place at all"},
	}
	var b bytes.Buffer
	if err := Diagnostics(&b, Style{Width: 60}, list); err != nil {
		t.Fatal(err)
	}
	golden(t, "diagnostics.txt", b.String())
	b.Reset()
	if err := Diagnostics(&b, Style{Color: true}, list[:1]); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "\x1b[31merror[unknown_dataset]: \x1b[0m") {
		t.Errorf("no colour in %q", b.String())
	}
	doc := NewDiagnostics("validate", list)
	if doc.Valid || len(doc.Diagnostics) != 4 || doc.Diagnostics[0].EndColumn != 38 || doc.Diagnostics[1].Severity != "warning" {
		t.Errorf("document: %+v", doc)
	}
}

func date(t *testing.T) *graph.Key {
	t.Helper()
	weekdays := [7]bool{false, true, true, true, true, true, false}
	return &config.Key{Name: "dt", Date: true, Calendar: &calendar.Calendar{Weekdays: weekdays}}
}

func TestUnitRanges(t *testing.T) {
	for _, c := range []struct {
		keys string
		want string
	}{
		{"symbol=ESU5,dt=2025-08-14", "ESU5 · 2025-08-14"},
		{"symbol=ESU5,dt=2025-08-15 symbol=ESU5,dt=2025-08-18", "ESU5 · 2025-08-15..08-18"},
		{"symbol=ESU5,dt=2025-12-31 symbol=ESU5,dt=2026-01-01 symbol=ESU5,dt=2026-01-06", "ESU5 · 2025-12-31..2026-01-01, 2026-01-06"},
		{"symbol=A,dt=2025-08-14 symbol=B,dt=2025-08-14", "A, B · 2025-08-14"},
		{"symbol=A,dt=2025-08-14 symbol=B,dt=2025-08-15", "A · 2025-08-14; B · 2025-08-15"},
		{"symbol=A symbol=B symbol=C symbol=D symbol=E", "A, B, C, +2"},
		{"dt=2025-08-14", "2025-08-14"},
		{"a=x,b=y,dt=2025-08-14", "x y · 2025-08-14"},
		{"s=A,dt=2025-08-04 s=B,dt=2025-08-05 s=C,dt=2025-08-06 s=D,dt=2025-08-07", "A · 2025-08-04; B · 2025-08-05; C · 2025-08-06; +1 more"},
	} {
		var keys []addr.Keys
		for _, k := range strings.Fields(c.keys) {
			keys = append(keys, addr.Keys(k))
		}
		if got := units(keys, date(t)); got != c.want {
			t.Errorf("%s: %q, want %q", c.keys, got, c.want)
		}
	}
	if got := units([]addr.Keys{"symbol=A"}, nil); got != "A" {
		t.Errorf("without dates: %q", got)
	}
}

func TestPlanText(t *testing.T) {
	doc := &PlanDoc{
		Lake: "lake", Datasets: 24, Stages: 17, Partitions: 12480,
		TimingsNS: Timings{Config: 4 * time.Millisecond, Lake: 31 * time.Millisecond, Diff: 6 * time.Millisecond},
		Counts:    Counts{Run: 4, May: 8, Fresh: 239, Blocked: 1},
		ByStage: []StageDoc{
			{"ingest_mbp10", Counts{Run: 1, Fresh: 62}}, {"bar5s", Counts{May: 1, Fresh: 62}}, {"quiet", Counts{Fresh: 60}},
			{`approach["or_low"]`, Counts{Run: 3, Fresh: 60, Blocked: 1}}, {"later", Counts{}},
		},
		KnownAfter: []KnownAfterDoc{{"bar5s", "ingest_mbp10", 1, false}, {"later", "ingest_mbp10", 1, false}},
		planned:    5, blocked: &ItemDoc{Stage: `approach["or_low"]`, Unit: "symbol=ESU5,dt=2025-08-25", Blocked: "bar5s is stale and not selected"},
		groups: []group{
			{"ingest_mbp10", "~", "input_changed  dbn[ES, 2025-08-14]", "ES · 2025-08-14", "ingest_mbp10[root=ES,dt=2025-08-14]"},
			{"bar5s", "?", "upstream  <- ingest_mbp10", "ESU5 · 2025-08-14", "bar5s[symbol=ESU5,dt=2025-08-14]"},
			{`approach["or_low"]`, "+", "missing", "ESU5 · 2025-08-20..08-22", `approach["or_low"][symbol=ESU5,dt=2025-08-20]`},
			{`approach["or_low"]`, "!", "blocked", "ESU5 · 2025-08-25", `approach["or_low"][symbol=ESU5,dt=2025-08-25]`},
		},
	}
	c := Commands{Name: "dag -C p", Selection: "--symbol ESU5"}
	var b bytes.Buffer
	if err := doc.Text(&b, Style{}, c); err != nil {
		t.Fatal(err)
	}
	doc.planned, doc.blocked, doc.selected = 0, nil, 239
	for _, year := range []string{"9996", "9997", "9998", "9999"} {
		doc.Far = append(doc.Far, part(bars, year+"-08-04").String())
	}
	b.WriteString("---\n")
	if err := doc.Text(&b, Style{}, c); err != nil {
		t.Fatal(err)
	}
	doc.Expected = []ExpectedDoc{{"raw.future.dbn", "raw/symbol=<root>", "*20250605*.dbn"}}
	b.WriteString("---\n")
	if err := doc.Text(&b, Style{}, c); err != nil {
		t.Fatal(err)
	}
	golden(t, "plan.txt", b.String())
}

var (
	bars  = addr.Dataset{Layer: "silver", Product: "future", Table: "bars"}
	raw   = addr.Dataset{Layer: "raw", Product: "future", Table: "dbn"}
	start = time.Date(2025, 8, 15, 10, 0, 0, 0, time.UTC)
)

func part(d addr.Dataset, day string) addr.Partition {
	return addr.Partition{Dataset: d, Keys: addr.Keys("symbol=ESU5,dt=" + day)}
}

func TestWhyText(t *testing.T) {
	cause, source := part(bars, "2025-08-14"), part(raw, "2025-08-14")
	m := &manifest.Manifest{
		Stage: "bar5s", Transform: "silver.future.bar5s", Version: 3, RowCount: 4680, Inputs: make([]manifest.Input, 2),
		Reason: manifest.Reason{Code: "missing", Detail: cause.String()},
		Run:    manifest.Run{ID: "r1", StartedAt: "2025-08-14T22:01:02.5Z", ElapsedNS: 1_200_000_000},
	}
	level := addr.Partition{Dataset: addr.Dataset{Layer: "silver", Product: "future", Table: "level"}, Keys: cause.Keys}
	var b bytes.Buffer
	for _, e := range []*plan.Explanation{
		{State: plan.PartitionState{Partition: cause, State: plan.Fresh}, Made: true, Last: m},
		{
			State: plan.PartitionState{Partition: level, State: plan.Stale, Action: plan.MayRun, Code: plan.Upstream}, Made: true, Last: m,
			Chain: []plan.Link{
				{Partition: level, Reason: plan.Reason{Code: plan.Upstream, Cause: &cause}},
				{Partition: cause, Reason: plan.Reason{Code: plan.InputChanged, Cause: &source, File: "a.dbn.zst", Old: strings.Repeat("1a", 16), New: strings.Repeat("2b", 16)}},
			},
		},
		{
			State: plan.PartitionState{Partition: cause, State: plan.MissingNow, Action: plan.WillRun, Code: plan.MissingOutput}, Made: true, Blocked: "its window is short",
			Chain: []plan.Link{{Partition: cause, Reason: plan.Reason{Code: plan.MissingOutput, Cause: &cause}}},
		},
		{State: plan.PartitionState{Partition: cause, State: plan.Stale, Action: plan.WillRun, Code: plan.ParamsChanged}, Made: true,
			Chain: []plan.Link{{Partition: cause, Reason: plan.Reason{Code: plan.ParamsChanged, Old: "scale = 1", New: "scale = 2"}}}},
		{State: plan.PartitionState{Partition: source, State: plan.Fresh, Source: true}},
		{State: plan.PartitionState{Partition: cause, State: plan.Unverified}, Made: true},
		{State: plan.PartitionState{Partition: cause, State: plan.Unverified}},
		{State: plan.PartitionState{Partition: cause, State: plan.Fresh}},
		{State: plan.PartitionState{Partition: cause, State: plan.MissingNow}, Made: true},
	} {
		if err := NewWhy(e).Text(&b, Style{}); err != nil {
			t.Fatal(err)
		}
		b.WriteString("---\n")
	}
	golden(t, "why.txt", b.String())
}

// TestEveryReasonHasASentence keeps words and codes together.
func TestEveryReasonHasASentence(t *testing.T) {
	for _, c := range plan.Codes {
		if words[c].now == "" || words[c].then == "" {
			t.Errorf("%s has no sentence", c)
		}
	}
	if len(words) != len(plan.Codes)+1 { // and manifest.Adopted
		t.Errorf("%d sentences for %d codes", len(words), len(plan.Codes))
	}
}

func TestShowText(t *testing.T) {
	doc := NewShow(NewPartition(plan.PartitionState{Partition: part(bars, "2025-08-14"), State: plan.Fresh, Rows: 2, Bytes: 2048}))
	doc.Path = "silver/bars/dt=2025-08-14"
	doc.Manifest = &manifest.Manifest{
		Stage: "bar5s", Transform: "silver.future.bar5s", Version: 3, RowCount: 2, Contract: manifest.Contract{Path: "silver/bars.avsc"},
		Digest: "d1", Fingerprint: manifest.Fingerprint{Sum: "f1"}, Metrics: manifest.Metrics{"dropped": 1234, "crossed": 0},
		Reason: manifest.Reason{Code: "input_changed", Detail: "raw x"}, Run: manifest.Run{ID: "r1", StartedAt: "not a time", ElapsedNS: 5e6},
	}
	for i := range maxInputs + 2 {
		doc.Manifest.Inputs = append(doc.Manifest.Inputs, manifest.Input{Partition: fmt.Sprint("p", i), Digest: strings.Repeat("ab", 16)})
	}
	doc.Manifest.Inputs[0].File = "raw/a.dbn"
	doc.Columns = []ColumnDoc{
		{Name: "ts", Type: "int64", Min: int64(1), Max: int64(2)},
		{Name: "note", Type: "utf8", Nullable: true, Nulls: 1200, Min: strings.Repeat("x", 50), Max: nil},
	}
	doc.Head = [][]any{{int64(1), "a"}, {int64(2000), nil}}
	var b bytes.Buffer
	if err := doc.Text(&b, Style{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "show.txt", b.String())
}

// run is a small run: one unit is made, one cut off, one fails after a retry,
// one is blocked, and a fan-out makes the plan grow.
func run() []event.Event {
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	unit := func(stage, day string) event.Unit {
		return event.Unit{Stage: addr.Stage{Name: stage}, Keys: addr.Keys("symbol=ESU5,dt=" + day)}
	}
	ingest, bar, bad, late := unit("ingest", "2025-08-14"), unit("bar5s", "2025-08-14"), unit("bar5s", "2025-08-15"), unit("level", "2025-08-15")
	return []event.Event{
		event.RunStarted{Time: at(0), RunID: "r1", WillRun: 2, MayRun: 1, Workers: 2, LakeRoot: "lake", Work: []event.Work{{Stage: ingest.Stage, Units: 1}, {Stage: bar.Stage, Units: 2}}},
		event.Notice{Time: at(0), Text: "took over the lease of a process that is gone"},
		event.StepStarted{Time: at(0), Unit: ingest, Reason: "missing", Attempt: 1},
		event.StepProgress{Time: at(2), Unit: ingest, RowsIn: 1_000_000, RowsOut: 900_000},
		event.StepProgress{Time: at(4), Unit: ingest, RowsIn: 2_400_000, RowsOut: 2_300_000},
		event.StepProgress{Time: at(6), Unit: ingest, RowsIn: 3_000_000, RowsOut: 3_000_000},
		event.Grown{Time: at(7), Unit: ingest, Values: []string{"ESU5"}, Added: 1, Units: []event.Unit{bar}, Work: []event.Work{{Stage: late.Stage, Units: 1}}},
		event.StepFinished{Time: at(7), Unit: ingest, Result: event.Done, Elapsed: 7 * time.Second, RowsIn: 3_000_000, RowsOut: 3_000_000, Bytes: 50 << 20, PeakBytes: 200 << 20, Partitions: []addr.Partition{part(bars, "2025-08-14")}, Unchanged: 1},
		event.StepFinished{Time: at(7), Unit: bar, Result: event.CutOff},
		event.StepStarted{Time: at(8), Unit: bad, Reason: "missing", Attempt: 1},
		event.StepRetried{Time: at(9), Unit: bad, Attempt: 1, Err: errors.New("disk is slow"), Wait: time.Second},
		event.StepStarted{Time: at(10), Unit: bad, Reason: "missing", Attempt: 2},
		event.StepFinished{Time: at(12), Unit: bad, Result: event.Failed, Err: errors.New("row 7: price is NaN\nsecond line"), Elapsed: 2 * time.Second},
		event.StepFinished{Time: at(12), Unit: late, Result: event.Blocked, Because: "bar5s[symbol=ESU5,dt=2025-08-15] did not succeed"},
		event.RunFinished{Time: at(12), RunID: "r1", Elapsed: 12 * time.Second, Counts: map[event.Result]int{event.Done: 1, event.CutOff: 1, event.Failed: 1, event.Blocked: 1}},
	}
}

func TestPlainAndSummary(t *testing.T) {
	var b bytes.Buffer
	c := Commands{Name: "dag"}
	tally := NewTally()
	sink := event.Tee(Plain(&b, Style{}, c), tally.Sink)
	for _, e := range run() {
		sink(e)
	}
	if err := tally.Summary(&b, Style{}, c); err != nil {
		t.Fatal(err)
	}
	b.WriteString("---\n")
	quiet := Failures(&b, Style{}, c)
	for _, e := range run() {
		quiet(e)
	}
	golden(t, "plain.txt", b.String())
}

func TestJSONEvents(t *testing.T) {
	var b bytes.Buffer
	sink := JSON(&b)
	for _, e := range run() {
		sink(e)
	}
	golden(t, "events.ndjson", b.String())
}

func TestDrifts(t *testing.T) {
	var drifts []plan.Drift
	for i := range 12 {
		drifts = append(drifts, plan.Drift{Unit: fmt.Sprint("u", i), What: "is up to date by now"}, plan.Drift{Unit: fmt.Sprint("u", i), What: "and more"})
	}
	var b bytes.Buffer
	if err := Drifts(&b, Style{}, drifts); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(b.String(), "\n"); got != 11 || strings.Contains(b.String(), "and more\nch") || !strings.HasSuffix(b.String(), "… and 2 units more\n") {
		t.Errorf("%d lines:\n%s", got, b.String())
	}
	if !strings.HasPrefix(b.String(), "changed since the plan was saved: u0: is up to date by now; and 1 difference more\n") {
		t.Error(b.String())
	}
}

func TestDriftValues(t *testing.T) {
	digest := strings.Repeat("1a", 16)
	for _, c := range []struct{ old, new, want string }{
		{"", digest, ""},
		{digest, strings.Repeat("2b", 16), ": 1a1a1a1a1a1a → 2b2b2b2b2b2b"},
		{"26176@1755000000000000000", "1000@1755000000000000000", ": 26 176 bytes → 1 000 bytes"},
		{"26176@1755000000000000000", "26176@1755000060500000000", ": of 2025-08-12 12:00:00.000 UTC → of 2025-08-12 12:01:00.500 UTC"},
	} {
		if got := driftValues(plan.Drift{Old: c.old, New: c.new}); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// failing refuses every write.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestWriteErrorsAreReturned(t *testing.T) {
	if err := (&WhyDoc{}).Text(failing{}, Style{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("why: %v", err)
	}
	if err := NewStatus().Text(failing{}, Style{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("status: %v", err)
	}
}
