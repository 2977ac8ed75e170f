package option

import (
	"os"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"dag/engine/contract"
)

// TestContracts holds the schemas of the code to the contracts, and those to the
// numbers of fields of specs 02 §B.1 and 05 §1.
func TestContracts(t *testing.T) {
	for _, c := range []struct {
		table  Table
		fields int
	}{{Trades, 14}, {NBBO, 13}, {Statistics, 9}} {
		for path, want := range map[string]struct {
			schema *arrow.Schema
			fields int
		}{
			"bronze/future_option/" + string(c.table):            {c.table.Bronze(), c.fields},
			"silver/future_option/" + string(c.table) + "_clean": {c.table.Clean(), c.fields + 1},
			"gold/future_option/" + string(c.table) + "_first3h": {c.table.Clean(), c.fields + 1},
		} {
			path = "contracts/" + path + ".avsc"
			data, err := os.ReadFile("../../../" + path)
			if err != nil {
				t.Fatal(err)
			}
			got, mistakes := contract.Parse(path, data)
			if len(mistakes) > 0 {
				t.Fatal(mistakes)
			}
			for _, d := range contract.Compare(got.Schema, want.schema) {
				t.Errorf("%s: %s", path, d)
			}
			if n := got.Schema.NumFields(); n != want.fields {
				t.Errorf("%s has %d fields, want %d", path, n, want.fields)
			}
		}
	}
}
