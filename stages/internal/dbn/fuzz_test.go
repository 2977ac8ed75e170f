package dbn_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dag/stages/internal/dbn"
)

// FuzzReader reads anything. What it accepts, it must write and read again
// without a difference, and every decoder must take or refuse every record.
func FuzzReader(f *testing.F) {
	seeds, err := filepath.Glob("testdata/test_data.*")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("%d seeds, %v", len(seeds), err)
	}
	for _, path := range seeds {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		meta, recs, err := readSome(bytes.NewReader(data), "fuzz", 1000) // a few bytes of zstd can be gigabytes of records
		var broken *dbn.FormatError
		if err != nil && (!errors.As(err, &broken) || broken.Offset < 0) {
			t.Fatalf("error %v is not a *FormatError", err)
		}
		decodeAll(meta, recs)
		if meta.Version == 0 {
			return
		}
		if _, err := meta.Encode(); err != nil {
			return // symbols may be longer than those we write
		}
		again, recsAgain, err := readAll(bytes.NewReader(write(t, dbn.NewWriter, meta, recs)), "again")
		if diff := cmp.Diff(meta, again) + cmp.Diff(recs, recsAgain); err != nil || diff != "" {
			t.Fatalf("error %v\n%s", err, diff)
		}
	})
}

// decodeAll gives every record to every decoder, whatever its type.
func decodeAll(meta dbn.Metadata, recs [][]byte) {
	symbols := meta.SymbolMap()
	for _, rec := range recs {
		var m10 dbn.MBP10
		var m1 dbn.MBP1
		var trade dbn.Trade
		var stat dbn.Statistics
		var def dbn.Definition
		var mapping dbn.SymbolMapping
		_, _, _, _, _ = m10.Decode(rec), m1.Decode(rec), trade.Decode(rec), stat.Decode(rec, meta.Version), def.Decode(rec, meta.Version)
		if mapping.Decode(rec) == nil {
			symbols.Apply(&mapping)
		}
		_, _ = symbols.Lookup(dbn.InstrumentID(rec), dbn.TsRecv(rec))
		_ = dbn.Sequence(rec)
	}
}
