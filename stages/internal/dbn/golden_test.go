package dbn_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"dag/stages/internal/dbn"
)

// shared is a path of the data that lies beside the repository; without it the
// test is skipped.
func shared(t *testing.T, path ...string) string {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	full := filepath.Join(append([]string{dir, "..", "shared", "data"}, path...)...)
	if _, err := os.Stat(full); err != nil {
		t.Skip("the shared data is not here: ", err)
	}
	return full
}

// TestCountsOfTheInventory reads every file its tables name.
func TestCountsOfTheInventory(t *testing.T) {
	dir := shared(t, "real")
	text, err := os.ReadFile(filepath.Join(dir, "INVENTORY.md"))
	if err != nil {
		t.Fatal(err)
	}
	files, broken := 0, 0
	for line := range strings.Lines(string(text)) {
		cell := strings.Split(line, "|")
		if len(cell) != 12 || !strings.Contains(cell[1], "test_data") && !strings.Contains(cell[1], "multi-frame") {
			continue
		}
		for i := range cell {
			cell[i] = strings.TrimSpace(cell[i])
		}
		data, err := os.ReadFile(filepath.Join(dir, cell[1]))
		if err != nil {
			t.Fatal(err)
		}
		files++
		meta, recs, err := readAll(bytes.NewReader(data), cell[1])
		if strings.Contains(cell[6], "no DBN header") {
			broken++
			if err == nil {
				t.Errorf("%s is read, though it has no head", cell[1])
			}
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		want, _, _ := strings.Cut(cell[6], " ")
		if schema := strings.Replace(cell[3], "None", "mixed", 1); schema != meta.Schema.String() || cell[4] != strconv.Itoa(int(meta.Version)) || cell[5] != meta.Dataset || want != strconv.Itoa(len(recs)) {
			t.Errorf("%s: %v, version %d, %s, %d records; want %q", cell[1], meta.Schema, meta.Version, meta.Dataset, len(recs), cell[3:7])
		}
		if symbols := strings.Join(meta.Symbols, ", "); cell[7] != "" && cell[7] != symbols && meta.Schema != dbn.SchemaMixed {
			t.Errorf("%s: symbols %q, want %q", cell[1], symbols, cell[7])
		}
	}
	if files < 150 || broken != 17 {
		t.Errorf("%d files, %d of them without a head: is the inventory read as it should?", files, broken)
	}
}

// TestGoldenDay reads a day of three instruments, all mapped.
func TestGoldenDay(t *testing.T) {
	path := shared(t, "golden", "day", "raw", "source=databento", "product_type=future", "symbol=ES", "table=market_by_price_10_dbn", "glbx-mdp3-20250804.mbp-10.dbn.zst")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	meta, recs, err := readAll(bytes.NewReader(data), path)
	if err != nil || len(recs) != 60_000 {
		t.Fatalf("%d records, error %v; want 60,000", len(recs), err)
	}
	symbols, counts := meta.SymbolMap(), map[string]int{}
	var m dbn.MBP10
	for i, rec := range recs {
		if err := m.Decode(rec); err != nil || m.RType != dbn.RTypeMBP10 {
			t.Fatalf("record %d: rtype %d, error %v", i, m.RType, err)
		}
		if !bytes.Equal(m.Append(nil), rec) {
			t.Fatalf("record %d: written, it is not what was read", i)
		}
		if dbn.TsRecv(rec) != m.TsRecv || dbn.Sequence(rec) != m.Sequence {
			t.Fatalf("record %d: ts_recv %d, sequence %d; decoded %d, %d", i, dbn.TsRecv(rec), dbn.Sequence(rec), m.TsRecv, m.Sequence)
		}
		symbol, _ := symbols.Lookup(m.InstrumentID, m.TsRecv)
		counts[symbol]++
	}
	if len(counts) != 3 || counts["ESU5"] == 0 || counts["ESZ5"] == 0 || counts["ESU5-ESZ5"] == 0 {
		t.Errorf("records by symbol: %v", counts)
	}
}
