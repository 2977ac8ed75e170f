package graph

import (
	"strings"
	"testing"

	"dag/engine/calendar"
)

func TestParseSelector(t *testing.T) {
	e, err := parseSelector(`2+bar5s[symbol=ES*,dt=2025-06..2025-07-04]+1 approach["or_low"],!tag:slow state:stale`)
	if err != nil {
		t.Fatal(err)
	}
	or := e.(orExpr)
	if len(or) != 3 {
		t.Fatalf("%d alternatives", len(or))
	}
	bars := or[0].(andExpr)[0].(*term)
	if bars.pattern != "bar5s" || bars.up != 2 || bars.down != 1 || len(bars.slice) != 2 || bars.slice[1] != (condition{"dt", "2025-06..2025-07-04"}) {
		t.Errorf("read as %+v", bars)
	}
	both := or[1].(andExpr)
	if s := both[0].(*term); s.pattern != `approach["or_low"]` || len(s.slice) != 0 {
		t.Errorf("read as %+v", s)
	}
	if tag := both[1].(notExpr).of.(*term); tag.kind != "tag" || tag.pattern != "slow" {
		t.Errorf("read as %+v", tag)
	}
	if all := parse(t, "+bars+").(*term); all.up != -1 || all.down != -1 {
		t.Errorf("read as %+v", all)
	}
}

func parse(t *testing.T, text string) expr {
	t.Helper()
	e, err := parseSelector(text)
	if err != nil {
		t.Fatal(err)
	}
	return e.(orExpr)[0].(andExpr)[0]
}

func TestSelectorMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "is empty",
		"  ":                               "is empty",
		"a,":                               "names nothing",
		"tag:":                             "names nothing",
		"a[b]":                             "is not key=pattern",
		"a[b=":                             "lacks its closing bracket",
		"a]":                               "closes a bracket",
		"a+b+c":                            "+ in the middle",
		"99999999999+a":                    "more than any graph",
		"a[dt=]":                           "is not key=pattern",
		strings.Repeat("a", maxSelector+1): "is longer than",
	} {
		if _, err := parseSelector(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v does not say %q", text, err, want)
		}
	}
}

func TestParseDays(t *testing.T) {
	day := func(s string) calendar.Day {
		d, err := calendar.ParseDay(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for text, want := range map[string]days{
		"2025-08-04":          {day("2025-08-04"), day("2025-08-04")},
		"2024-02":             {day("2024-02-01"), day("2024-02-29")},
		"2025":                {day("2025-01-01"), day("2025-12-31")},
		"2025-06..2025-07-04": {day("2025-06-01"), day("2025-07-04")},
		"..2025":              {minDay, day("2025-12-31")},
		"2025-08-04..":        {day("2025-08-04"), maxDay},
		"*":                   {minDay, maxDay},
	} {
		if got, err := parseDays(text); err != nil || got != want {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "2025-8-4", "2025-13", "yesterday", "2025-08-05..2025-08-04"} {
		if got, err := parseDays(text); err == nil {
			t.Errorf("%q was taken as %v", text, got)
		}
	}
}

func FuzzSelector(f *testing.F) {
	for _, s := range []string{`+bar5s[symbol=ES*,dt=2025-06..]+1 !tag:x`, "a,b c", `approach["or_low"]`, "!!a", "1+a+1", "[", "]", "a[]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := parseSelector(text)
		if err != nil {
			return
		}
		check(t, e)
	})
}

// check holds a parsed selector to what evaluation relies on.
func check(t *testing.T, e expr) {
	switch e := e.(type) {
	case orExpr:
		for _, s := range e {
			check(t, s)
		}
	case andExpr:
		for _, s := range e {
			check(t, s)
		}
	case notExpr:
		check(t, e.of)
	case *term:
		if e.pattern == "" || e.up < -1 || e.down < -1 {
			t.Errorf("term %+v", e)
		}
	default:
		t.Errorf("%T", e)
	}
}
