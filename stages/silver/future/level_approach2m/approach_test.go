package levelapproach2m

import (
	"os"
	"testing"

	"dag/engine/contract"
	"dag/engine/stage/stagetest"
)

func TestFixtures(t *testing.T) { stagetest.Run(t, New()) }

// TestContract holds the schema of the code to the contract.
func TestContract(t *testing.T) {
	const path = "contracts/silver/future/market_by_price_10_level_approach2m.avsc"
	data, err := os.ReadFile("../../../../" + path)
	if err != nil {
		t.Fatal(err)
	}
	c, mistakes := contract.Parse(path, data)
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	for _, d := range contract.Compare(c.Schema, New().Spec().Outputs[0].Schema) {
		t.Error(d)
	}
}
