package bar5s

import (
	"os"
	"testing"

	"dag/engine/contract"
	"dag/engine/stage"
	"dag/engine/stage/stagetest"
)

func TestFixtures(t *testing.T) { stagetest.Run(t, New()) }

// TestContract holds the schema of the code to the contract.
func TestContract(t *testing.T) {
	const path = "contracts/silver/future/market_by_price_10_bar5s.avsc"
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

// TestParams looks for parameters that cannot be and are not refused.
func TestParams(t *testing.T) {
	checks := map[string]stage.Param{}
	for _, p := range New().Spec().Params {
		checks[p.Name] = p
	}
	for name, values := range map[string][]any{
		"point": {0.0, -1.0},
		"bands": {[]float64{}, []float64{1, 2, 3, 5}, []float64{0, 1, 2, 3, 5}, []float64{1, 2, 2, 3, 5}},
	} {
		for _, v := range values {
			if checks[name].Check(v) == nil {
				t.Errorf("%s = %v is allowed", name, v)
			}
		}
	}
}
