package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOrderIsFree puts every block of the project into a file of its own, in
// folders, last first.
func TestOrderIsFree(t *testing.T) {
	p := full(t)
	want, err := json.Marshal(Resolved(p.load(t)))
	if err != nil {
		t.Fatal(err)
	}
	q := p.with(map[string]string{})
	for name, text := range p {
		if strings.HasSuffix(name, ".hcl") {
			delete(q, name)
			q["pipelines/"+string('z'-rune(len(name)%20))+"/x"+filepath.Base(name)] = text
		}
	}
	got, err := json.Marshal(Resolved(q.load(t)))
	if err != nil {
		t.Fatal(err)
	}
	noPlaces := func(b []byte) string {
		var v any
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		return strings.Join(withoutPlaces(v, ""), "\n")
	}
	if d := cmp.Diff(noPlaces(want), noPlaces(got)); d != "" {
		t.Error(d)
	}
}

// withoutPlaces lists the leaves of a JSON value, but for the key "at".
func withoutPlaces(v any, path string) []string {
	var out []string
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if k != "at" {
				out = append(out, withoutPlaces(e, path+"."+k)...)
			}
		}
	case []any:
		for _, e := range v {
			out = append(out, withoutPlaces(e, path+"[]")...)
		}
	default:
		b, _ := json.Marshal(v)
		out = append(out, path+"="+string(b))
	}
	slices.Sort(out)
	return out
}

func TestResolved(t *testing.T) {
	got, err := json.MarshalIndent(Resolved(full(t).load(t)), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/resolved.json"
	if *update {
		writeFile(t, golden, string(got)+"\n")
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)+"\n"); d != "" {
		t.Error(d)
	}
}

func TestFormat(t *testing.T) {
	got, ds := Format([]byte("locals {\na=1\n  bcd = 2 # two\n}\n"), "x.hcl")
	if want := "locals {\n  a   = 1\n  bcd = 2 # two\n}\n"; string(got) != want || len(ds) > 0 {
		t.Errorf("got %q, %v", got, ds)
	}
	got, ds = Format([]byte("locals {\n  a = \n}\n"), "x.hcl")
	if len(ds) != 1 || ds[0].Range.Line != 2 || ds[0].Source != "  a = " || got != nil {
		t.Errorf("got %q, %+v", got, ds)
	}
}
