package setupvectors

import (
	"os"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"dag/engine/contract"
	"dag/engine/stage/stagetest"
)

func TestFixtures(t *testing.T) { stagetest.Run(t, New()) }

// schemaOf reads a contract.
func schemaOf(t *testing.T, path string) *arrow.Schema {
	t.Helper()
	data, err := os.ReadFile("../../../../" + path)
	if err != nil {
		t.Fatal(err)
	}
	c, mistakes := contract.Parse(path, data)
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	return c.Schema
}

// TestContract holds the schema of the code to the contract.
func TestContract(t *testing.T) {
	want := schemaOf(t, "contracts/gold/future/setup_vectors.avsc")
	if want.NumFields() != 20 {
		t.Errorf("the contract has %d fields, want 20", want.NumFields())
	}
	for _, d := range contract.Compare(want, New().Spec().Outputs[0].Schema) {
		t.Error(d)
	}
}

// TestInputs looks for the columns of the ports in the contracts.
func TestInputs(t *testing.T) {
	for _, in := range New().Spec().Inputs {
		path := "contracts/silver/future/market_by_price_10_level_approach2m.avsc"
		if in.Name == frontMonthPort {
			path = "contracts/silver/future/front_month.avsc"
		}
		has := schemaOf(t, path)
		for _, f := range in.Columns.Fields() {
			at := has.FieldIndices(f.Name)
			if len(at) == 0 || !arrow.TypeEqual(has.Field(at[0]).Type, f.Type) || has.Field(at[0]).Nullable && !f.Nullable {
				t.Errorf("port %s: %s has no column %s", in.Name, path, f)
			}
		}
	}
}
