package lake

import (
	"encoding/json"
	"slices"
	"testing"

	"dag/engine/manifest"
)

// FuzzFanOutLine: a line that is taken apart as a plain one is one that JSON reads
// the same.
func FuzzFanOutLine(f *testing.F) {
	const begin = `{"stage":"s","unit":"`
	for _, rest := range []string{`root=ES,dt=2025-06-05","values":["ESU5","ESZ5"]}`, `","values":[]}`, `a","values":["x"]`, `a","values":["x",]}`, `a","values":["\u00e9","\""]}`, `é","values":[]}`, `a","values":[],"made":{"stage":"s"}}`, `a","values":["x""y"]}`} {
		f.Add(rest)
	}
	f.Fuzz(func(t *testing.T, rest string) {
		line := begin + rest + "\n"
		unit, values, ok := plainLine([]byte(line), []byte(begin), map[string][]string{})
		var want fanOutLine
		err := json.Unmarshal([]byte(line), &want)
		if ok && (err != nil || want.Stage != "s" || want.Unit != unit || want.Made != nil || !slices.Equal(want.Values, values)) {
			t.Fatalf("%q is read as %q %q; JSON reads %+v (%v)", line, unit, values, want, err)
		}
	})
}

func TestFanOutLinesArePlain(t *testing.T) {
	known := map[string][]string{}
	line, err := json.Marshal(fanOutLine{"ingest", "root=ES,dt=2025-06-05", manifest.FanOut{Values: []string{"ESU5", "ESZ5"}}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		unit, values, ok := plainLine(append(line, '\n'), []byte(`{"stage":"ingest","unit":"`), known)
		if !ok || unit != "root=ES,dt=2025-06-05" || !slices.Equal(values, []string{"ESU5", "ESZ5"}) || len(known) != 1 {
			t.Error(unit, values, ok, known)
		}
	}
}
