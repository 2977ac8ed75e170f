package synthetic

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the test does not depend on the machine's zones

	"dag/stages/internal/dbn"

	"github.com/google/go-cmp/cmp"
)

// small is a market that a test can afford.
func small(seed uint64, events int) Config {
	cfg := Default()
	cfg.Seed, cfg.Events, cfg.OptionEvents = seed, events, 0
	return cfg
}

func day(t testing.TB, cfg Config, day string) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := WriteDay(&out, cfg, day); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestSameConfigSameBytes(t *testing.T) {
	cfg := small(7, 4000)
	first := day(t, cfg, "2025-08-05")
	if !bytes.Equal(first, day(t, cfg, "2025-08-05")) {
		t.Error("two runs of one configuration differ")
	}
	later := cfg
	later.Start, later.Days, later.Holidays = "2025-07-01", 99, map[string]bool{"2025-07-04": true}
	if !bytes.Equal(first, day(t, later, "2025-08-05")) {
		t.Error("a day depends on which other days the market has")
	}
	later.OptionEvents = 2000
	if !bytes.Equal(first, day(t, later, "2025-08-05")) {
		t.Error("the futures depend on whether there are options")
	}
	for name, other := range map[string]Config{"seed": small(8, 4000), "events": small(7, 5000)} {
		if bytes.Equal(first, day(t, other, "2025-08-05")) {
			t.Errorf("another %s gives the same day", name)
		}
	}
	if bytes.Equal(first, day(t, cfg, "2025-08-06")) {
		t.Error("two days are the same")
	}
}

// TestPinned holds the market still: reports and examples quote its figures, so
// a change to it must be meant. The content counts, not its compression.
func TestPinned(t *testing.T) {
	const want = "f40001a28ae2ec22ccd88180cfb7bb220826fb6baf76e3e372eb94ffe351cf55"
	s, err := newSession(small(1, 2000), "2025-08-05")
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	if err := s.run(func(rec []byte) error { _, err := h.Write(rec); return err }); err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("the records have sha256 %s, want %s", got, want)
	}
}

func TestPathDoesNotDependOnTheNumberOfEvents(t *testing.T) {
	a, err := newSession(small(3, 4000), "2025-08-05")
	if err != nil {
		t.Fatal(err)
	}
	b, err := newSession(small(3, 9000), "2025-08-05")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.path, b.path) || len(a.path) != secondsPerDay {
		t.Errorf("paths of %d and %d seconds differ", len(a.path), len(b.path))
	}
}

func TestWrite(t *testing.T) {
	root, cfg := t.TempDir(), small(2, 1500)
	cfg.Start, cfg.Days, cfg.Holidays = "2025-08-29", 2, map[string]bool{"2025-09-01": true}
	sum, err := Write(root, cfg)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "raw/source=databento/product_type=future/symbol=ES/table=market_by_price_10_dbn")
	want := []string{"glbx-mdp3-20250829.mbp-10.dbn.zst", "glbx-mdp3-20250902.mbp-10.dbn.zst"}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	var size int64
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		got, size = append(got, e.Name()), size+info.Size()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"2025-08-29", "2025-09-02"}, sum.Days); diff != "" {
		t.Errorf("days (-want +got):\n%s", diff)
	}
	if sum.Bytes != size || sum.Records < 2700 || sum.Records > 3300 || len(sum.Files) != 2 {
		t.Errorf("summary %+v; the files have %d bytes", sum, size)
	}
}

func TestWriteLeavesWhatIsThere(t *testing.T) {
	root, cfg := t.TempDir(), small(2, 1500)
	cfg.Days = 2
	sum, err := Write(root, cfg)
	if err != nil {
		t.Fatal(err)
	}
	old := time.Unix(1_000_000_000, 0)
	for _, f := range sum.Files {
		if err := os.Chtimes(f, old, old); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(sum.Files[1]); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(sum.Files[0]), ".synthetic-left"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	again, err := Write(root, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sum, again); diff != "" {
		t.Errorf("summary of the second run (-first +second):\n%s", diff)
	}
	if info, err := os.Stat(sum.Files[0]); err != nil || !info.ModTime().Equal(old) {
		t.Errorf("a file with the same content was written again: %v", err)
	}
	if _, err := os.Stat(sum.Files[1]); err != nil {
		t.Errorf("a missing file was not written again: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(sum.Files[0]), ".synthetic-*"))
	if err != nil || len(left) != 1 {
		t.Errorf("temporary files are left: %v, %v", left, err)
	}
}

// TestWriteSparesForeignFiles puts a raw file into the lake that the market does not
// have: it must stay as it is, and nothing may be written beside it.
func TestWriteSparesForeignFiles(t *testing.T) {
	cfg := small(2, 1500)
	cfg.Days = 2
	file := func(day string) string {
		return rawPath("", "ES", "future", "market_by_price_10_dbn", day, dbn.SchemaMBP10)
	}
	first := day(t, cfg, "2025-08-04")
	flipped := bytes.Clone(first)
	flipped[len(flipped)/2] ^= 1
	for name, tc := range map[string]struct {
		path    string
		content []byte
	}{
		"the vendor's file of a day": {file("2025-08-05"), []byte("from the vendor")},
		"other bytes":                {file("2025-08-04"), flipped},
		"more bytes":                 {file("2025-08-04"), append(bytes.Clone(first), 0)},
		"fewer bytes":                {file("2025-08-04"), first[:len(first)-1]},
		"empty":                      {file("2025-08-04"), nil},
		"another day":                {file("2025-08-06"), day(t, cfg, "2025-08-06")},
		"another source":             {"raw/source=other/notes.txt", []byte("x")},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			path := filepath.Join(root, tc.path)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, tc.content, 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := Write(root, cfg)
			var foreign *ForeignError
			if !errors.As(err, &foreign) || foreign.Path != path {
				t.Errorf("error %v, want one that names %s", err, path)
			}
			if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, tc.content) {
				t.Errorf("the file was changed: %v", err)
			}
			if left, err := filepath.Glob(filepath.Join(root, filepath.Dir(file("2025-08-04")), "*")); err != nil || len(left) > 1 {
				t.Errorf("beside it there is %v, %v", left, err)
			}
		})
	}
}

func TestConfigErrors(t *testing.T) {
	all := map[string]bool{}
	for d := time.Date(2025, 8, 4, 0, 0, 0, 0, time.UTC); d.Year() < 2028; d = d.AddDate(0, 0, 1) {
		all[d.Format(dateLayout)] = true
	}
	for name, tc := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"root":     {func(c *Config) { c.Root = "../x" }, `root "../x"`},
		"start":    {func(c *Config) { c.Start = "2025-8-4" }, `day "2025-8-4"`},
		"days":     {func(c *Config) { c.Days = 0 }, "0 days"},
		"events":   {func(c *Config) { c.Events = 10 }, "10 events"},
		"options":  {func(c *Config) { c.OptionEvents = -1 }, "-1 option events"},
		"effect":   {func(c *Config) { c.Effect = math.NaN() }, "effect NaN"},
		"too much": {func(c *Config) { c.Effect = 1.01 }, "effect 1.01"},
		"holidays": {func(c *Config) { c.Holidays = all }, "only 0 of 5 sessions"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := Default()
			tc.change(&cfg)
			if _, err := Write(t.TempDir(), cfg); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

// fails refuses everything after its first bytes.
type fails struct{ left int }

var errFull = errors.New("no space left")

func (f *fails) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestWriteDayReportsTheWriter(t *testing.T) {
	for _, left := range []int{0, 20_000} {
		if _, err := WriteDay(&fails{left}, small(1, 20_000), "2025-08-05"); !errors.Is(err, errFull) {
			t.Errorf("after %d bytes: error %v, want %v", left, err, errFull)
		}
	}
}

func TestContracts(t *testing.T) {
	for _, tc := range []struct{ day, front, next string }{
		{"2025-01-02", "ESH5", "ESM5"},
		{"2025-06-13", "ESM5", "ESU5"},
		{"2025-06-16", "ESU5", "ESZ5"}, // the third Friday is 2025-06-20
		{"2025-08-05", "ESU5", "ESZ5"},
		{"2025-12-01", "ESZ5", "ESH6"},
		{"2029-12-31", "ESH0", "ESM0"},
	} {
		d, err := parseDay(tc.day)
		if err != nil {
			t.Fatal(err)
		}
		c := frontContract(d)
		if front, next := c.symbol("ES"), c.next().symbol("ES"); front != tc.front || next != tc.next {
			t.Errorf("%s: contracts %s and %s, want %s and %s", tc.day, front, next, tc.front, tc.next)
		}
	}
}

func TestNewYorkMidnight(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	for d := time.Date(2007, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() < 2030; d = d.AddDate(0, 0, 1) {
		if d.Weekday() == time.Sunday {
			continue
		}
		_, offset := time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, zone).Zone()
		if got := newYorkMidnight(d); got != -offset {
			t.Fatalf("%s: midnight at second %d, want %d", d.Format(dateLayout), got, -offset)
		}
	}
}

// records decodes a day.
func records(t testing.TB, cfg Config, name string) (*dbn.Reader, []dbn.MBP10) {
	t.Helper()
	r, err := dbn.NewReader(bytes.NewReader(day(t, cfg, name)), name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out []dbn.MBP10
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r, out
		}
		if err != nil {
			t.Fatal(err)
		}
		var m dbn.MBP10
		if err := m.Decode(rec); err != nil {
			t.Fatal(err)
		}
		out = append(out, m)
	}
}

func BenchmarkRun(b *testing.B) {
	cfg := small(1, 200_000)
	b.SetBytes(int64(cfg.Events) * dbn.MBP10Size)
	for b.Loop() {
		s, err := newSession(cfg, "2025-08-05")
		if err != nil {
			b.Fatal(err)
		}
		if err := s.run(func([]byte) error { return nil }); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(s.records), "records/op")
	}
}
