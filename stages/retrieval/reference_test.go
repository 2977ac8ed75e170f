package retrieval

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dag/stages/internal/setupindex"
)

// near is the tolerance of spec 00.
func near(got, want float64) bool { return math.Abs(got-want) <= 1e-9*(1+math.Abs(want)) }

// referenceData reads the golden case: 12 vectors of six values, one of which
// is missing.
func referenceData(t *testing.T) (episodes []Episode, raw []float64) {
	t.Helper()
	for i, row := range readCSV(t, "testdata/index_vectors_in.csv") {
		score, err := strconv.ParseFloat(row[5], 64)
		if err != nil {
			t.Fatal(err)
		}
		episodes = append(episodes, Episode{ID: int64(i), EpisodeID: row[1], Date: row[2], Level: row[3], Trigger: int64(i), Outcome: row[4], Score: score})
		raw = append(raw, floats(t, row[6:])...)
	}
	return episodes, raw
}

func readCSV(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

func floats(t *testing.T, cells []string) []float64 {
	t.Helper()
	out := make([]float64, len(cells))
	for i, c := range cells {
		if out[i] = math.NaN(); c == "" {
			continue
		}
		var err error
		if out[i], err = strconv.ParseFloat(c, 64); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

const referenceDim = 6

func TestNormalisationOfReference(t *testing.T) {
	_, raw := referenceData(t)
	m := setupindex.NewMoments(referenceDim)
	for v := range slices.Chunk(raw, referenceDim) {
		m.Add(v)
	}
	var want struct {
		Params map[string]struct{ Mean, Std float64 } `json:"norm_params"`
	}
	readJSON(t, &want)
	for j, std := range m.Std() {
		w := want.Params[fmt.Sprint("v_", j)]
		if !near(m.Mean[j], w.Mean) || !near(std, w.Std) {
			t.Errorf("v_%d: mean %v, std %v, want %+v", j, m.Mean[j], std, w)
		}
	}
	got := make([]float32, referenceDim)
	for i, row := range readCSV(t, "testdata/index_vectors_norm_out.csv") {
		m.Scale().Apply(got, raw[i*referenceDim:][:referenceDim])
		for j, w := range floats(t, row[1:]) {
			if !near(float64(got[j]), w) {
				t.Errorf("vector %d, v_%d: %v, want %v", i, j, got[j], w)
			}
		}
	}
}

func readJSON(t *testing.T, into any) {
	t.Helper()
	b, err := os.ReadFile("testdata/retrieval_out.json")
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestReference holds the three queries to the golden case.
func TestReference(t *testing.T) {
	classes := []string{"STRONG_BREAK", "WEAK_BREAK", "CHOP", "WEAK_BOUNCE", "STRONG_BOUNCE"}
	episodes, raw := referenceData(t)
	var golden struct {
		Results map[string]struct {
			Neighbors            [][]any            `json:"neighbors"`
			Weighted, Unweighted map[string]float64 `json:",omitempty"`
			ExpectedScore        float64            `json:"expected_score"`
			AvgDistance          float64            `json:"avg_distance"`
			AvgSimilarity        float64            `json:"avg_similarity"`
			RetrievalConfidence  float64            `json:"retrieval_confidence"`
			OutcomeConfidence    float64            `json:"outcome_confidence"`
		}
	}
	readJSON(t, &golden)
	for name, q := range map[string]ReferenceQuery{"no_filter": {}, "min_date_2025-06-03": {MinDate: "2025-06-03"}, "exclude_chop": {ExcludeChop: true}} {
		want, ok := golden.Results[name]
		if !ok {
			t.Fatalf("no result %s", name)
		}
		q.K, q.Vector = 3, raw[:referenceDim]
		got, err := askReference(classes, episodes, raw, referenceDim, q)
		if err != nil {
			t.Fatal(err)
		}
		var lines, wantLines []string
		for _, n := range got.Neighbours {
			lines = append(lines, fmt.Sprint(n.EpisodeID, " ", n.Distance, " ", n.Similarity, " ", n.Outcome, " ", n.Score))
		}
		for _, n := range want.Neighbors {
			wantLines = append(wantLines, strings.Trim(fmt.Sprint(n), "[]"))
		}
		if !slices.Equal(lines, wantLines) {
			t.Errorf("%s: %q, want %q", name, lines, wantLines)
		}
		for c, class := range classes {
			if !near(got.Weighted[c], want.Weighted[class]) || !near(got.Unweighted[c], want.Unweighted[class]) {
				t.Errorf("%s: %s: %v, %v", name, class, got.Weighted[c], got.Unweighted[c])
			}
		}
		for i, pair := range [][2]float64{
			{got.ExpectedScore, want.ExpectedScore}, {got.MeanDistance, want.AvgDistance}, {got.MeanSimilarity, want.AvgSimilarity},
			{got.RetrievalConfidence, want.RetrievalConfidence}, {got.OutcomeConfidence, want.OutcomeConfidence},
		} {
			if !near(pair[0], pair[1]) {
				t.Errorf("%s: value %d is %v, want %v", name, i, pair[0], pair[1])
			}
		}
	}
}
