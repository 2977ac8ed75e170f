package diag_test

import (
	"errors"
	"fmt"
	"testing"

	"dag/engine/diag"
)

func TestNearest(t *testing.T) {
	known := []string{"bar5s", "approach", "first4h", "session_levels"}
	for name, want := range map[string]string{
		"bars5":          "bar5s",
		"aproach":        "approach",
		"fisrt4h":        "first4h",
		"sesion_levels":  "session_levels",
		"volume_profile": "",
		"x":              "",
	} {
		if got := diag.Nearest(name, known); got != want {
			t.Errorf("nearest to %q is %q, want %q", name, got, want)
		}
	}
}

func TestListErrors(t *testing.T) {
	l := diag.List{{Severity: diag.Warning, Summary: "odd"}}
	if l.Err() != nil {
		t.Error("a warning is an error")
	}
	l = append(l, diag.Diagnostic{Code: "cycle", Summary: "round and round", Range: diag.Range{File: "a.hcl", Line: 3, Column: 2}})
	err := fmt.Errorf("loading: %w", l.Err())
	if got := diag.FromError(err, "other"); len(got) != 2 || got[1].Code != "cycle" {
		t.Errorf("the list came back as %v", got)
	}
	if got := diag.FromError(errors.New("plain"), "io"); len(got) != 1 || got[0].Code != "io" || got[0].Summary != "plain" {
		t.Errorf("a plain error became %v", got)
	}
	if got := l[1].String(); got != "a.hcl:3:2: error: round and round" {
		t.Error(got)
	}
}

func TestSortIsByPlace(t *testing.T) {
	l := diag.List{
		{Summary: "c", Range: diag.Range{File: "b.hcl", Line: 1}},
		{Summary: "b", Range: diag.Range{File: "a.hcl", Line: 9, Column: 5}},
		{Summary: "a", Range: diag.Range{File: "a.hcl", Line: 9, Column: 1}},
	}
	l.Sort()
	if l[0].Summary+l[1].Summary+l[2].Summary != "abc" {
		t.Errorf("order %v", l)
	}
}
