package view

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// enum is the closed set of a property of a schema's items.
func enum(t *testing.T, schema, list, property string) []string {
	t.Helper()
	var s struct {
		Properties map[string]struct {
			Items struct {
				Properties map[string]struct{ Enum []string }
			}
		}
	}
	if err := json.Unmarshal(Schema(schema), &s); err != nil {
		t.Fatal(err)
	}
	out := s.Properties[list].Items.Properties[property].Enum
	slices.Sort(out)
	return out
}

// TestClosedSets: every code of the documents has words, and the other way round.
func TestClosedSets(t *testing.T) {
	for _, c := range []struct {
		schema, list, property string
		words                  []string
	}{
		{"verify", "problems", "code", slices.Sorted(maps.Keys(problems))},
		{"gc", "leftovers", "kind", slices.Sorted(maps.Keys(leftoverWords))},
		{"adopt", "partitions", "code", slices.Sorted(maps.Keys(careMessages))},
		{"touch", "partitions", "code", slices.Sorted(maps.Keys(careMessages))},
		{"invalidate", "partitions", "code", slices.Sorted(maps.Keys(careMessages))},
	} {
		if got := enum(t, c.schema, c.list, c.property); !slices.Equal(got, c.words) {
			t.Errorf("%s: the schema has %v, the words are for %v", c.schema, got, c.words)
		}
	}
}

func TestVerifyText(t *testing.T) {
	d := NewVerify()
	d.Partitions, d.Unrecorded, d.Files, d.Bytes, d.ElapsedNS = 1200, 1, 3, 4<<20, 2e9
	c := Commands{Name: "dag --lake l"}
	d.Add(ProblemDoc{Code: "no_dataset", Path: "silver/x", Partition: "silver.t.x[dt=2025-01-02]"}, c)
	d.Add(ProblemDoc{Code: "file_resized", Path: "a/part-00000.parquet", Partition: "a.b.c", Old: "3", New: "4"}, c)
	d.Sort()
	var b strings.Builder
	if err := d.Text(&b, Style{}); err != nil {
		t.Fatal(err)
	}
	want := `problem: a/part-00000.parquet has 4 bytes, its manifest says 3
  way out: dag --lake l apply 'a.b.c'
problem: silver/x holds silver.t.x[dt=2025-01-02], which is in no dataset of the configuration
  way out: dag --lake l gc lists what may go
Verify: 2 problems · 1 200 partitions looked at, 3 files, 4.00 MiB in 2.00 s (2.00 MiB/s)
1 of another tool, or of files never read, have no digest to be held to: ` + "`dag adopt` records one.\n"
	if b.String() != want {
		t.Errorf("%s", b.String())
	}
}

// TestCareText: partitions of which the same is to be said share a line.
func TestCareText(t *testing.T) {
	d := NewCare("adopt", false)
	for _, x := range []CareItem{
		{Partition: "a.b.c[dt=1]", Result: CareDone},
		{Partition: "a.b.c[dt=2]", Result: CareDone},
		{Partition: "a.b.d[dt=1]", Result: CareDone, Code: "without_inputs", Detail: "a.b.c"},
		{Partition: "a.b.d[dt=2]", Result: CareRefused, Code: "unfit", Detail: "row 3 is out of order"},
		{Partition: "a.b.e[dt=1]", Result: CareSkipped, Code: "own"},
		{Partition: "a.b.e[dt=2]", Result: CareSkipped, Code: "own"},
	} {
		d.Add(x)
	}
	var b strings.Builder
	if err := d.Text(&b, Style{}, Commands{Name: "dag", Selection: "a.b"}); err != nil {
		t.Fatal(err)
	}
	want := `adopted: 2 partitions of a.b.c
adopted: a.b.d[dt=1] · without a.b.c, of which the lake holds nothing; should it appear, this is made again
refused: a.b.d[dt=2] · row 3 is out of order
Adopt: 3 adopted, 1 refused, 2 skipped (it has a manifest of dag). Next: dag plan a.b
`
	if b.String() != want {
		t.Errorf("%s", b.String())
	}
	if !d.Refused() {
		t.Error("nothing was refused")
	}
	d = NewCare("touch", true)
	for range 30 {
		for _, p := range []string{"a.b.c[dt=1]", "a.b.d[dt=1]"} {
			d.Add(CareItem{Partition: p, Result: CareWould})
		}
	}
	b.Reset()
	if err := d.Text(&b, Style{}, Commands{}); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(b.String(), "\n"); len(lines) != maxCare+3 || lines[maxCare] != "… and more would be touched; --json has them all" {
		t.Errorf("%s", b.String())
	}
}

func TestGCText(t *testing.T) {
	d := NewGC(false)
	d.Add(LeftoverDoc{Kind: "staging", Path: ".dag/tmp/r", Bytes: 2048, Owner: "process 1"})
	d.Add(LeftoverDoc{Kind: "foreign_data", Path: "silver/x", Bytes: 5})
	var b strings.Builder
	if err := d.Text(&b, Style{}, Commands{Name: "dag"}); err != nil {
		t.Fatal(err)
	}
	want := `may go  2.00 KiB  .dag/tmp/r  staging of a run that has ended               process 1
stays        5 B  silver/x    no partition, of another tool: never removed
GC: 1 leftover, 2.00 KiB. Nothing was removed; to remove them: dag gc --yes
`
	if b.String() != want {
		t.Errorf("%s", b.String())
	}
}

func TestLocksText(t *testing.T) {
	now := time.Date(2025, 8, 5, 12, 0, 0, 0, time.UTC)
	d := NewLocks(now)
	d.Leases = []LeaseDoc{
		{Name: "a.b.c[dt=1]", PID: 4711, Host: "h", Run: "r", Taken: "2025-08-05T11:59:00Z", Heartbeat: "2025-08-05T11:59:55Z", Alive: true},
		{Name: "a.b.c[dt=2]", PID: 1, Host: "i", Run: "s", Taken: "2025-08-05T10:00:00Z", Heartbeat: "2025-08-05T11:00:00Z", Alive: true, Silent: true},
		{File: "x.json", Taken: "0001-01-01T00:00:00Z"},
	}
	var b strings.Builder
	if err := d.Text(&b, Style{}, Commands{Name: "dag"}); err != nil {
		t.Fatal(err)
	}
	want := `owner   process    taken          last heard of  run  what
alive   4711 on h  60.0 s ago     5.00 s ago     r    a.b.c[dt=1]
silent  1 on i     2 h 0 min ago  1 h 0 min ago  s    a.b.c[dt=2]
gone    0 on       unknown        unknown             x.json (cannot be read)
What a process left that is gone is taken over by whoever needs it; dag gc --yes removes it now.
`
	if b.String() != want {
		t.Errorf("%s", b.String())
	}
}

// TestDoctorText: a verdict without words of its own would show bare values.
func TestDoctorText(t *testing.T) {
	d := NewDoctor()
	c := Commands{Name: "./dag"}
	d.Add("write", CheckOK, "", c)
	d.Add("index", CheckWarn, "a.b.c", c)
	d.Add("raw", CheckBad, "raw/x: no permission", c)
	var b strings.Builder
	if err := d.Text(&b, Style{}); err != nil {
		t.Fatal(err)
	}
	want := `ok   write      the lake can be written
warn index      the index of a.b.c is damaged or of another version, and is ignored
                way out: ./dag index rebuild
bad  raw        raw/x: no permission
                way out: look at the permissions and the disk, or have the files delivered again
Doctor: 1 bad, 1 warning.
`
	if b.String() != want {
		t.Errorf("%s", b.String())
	}
	for name, words := range checkWords {
		if strings.HasSuffix(name, CheckOK) != (words.hint == "") {
			t.Errorf("%s: a way out is for what is not well, and for all of that", name)
		}
	}
}
