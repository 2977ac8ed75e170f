package graph

import (
	"fmt"
	"strings"
	"testing"

	"dag/engine/calendar"
)

func TestParseSelector(t *testing.T) {
	for text, want := range map[string]string{
		"bar5s":                               "bar5s",
		" a  b ":                              "(a b)",
		"a,b c":                               "((a,b) c)",
		"a , b,c":                             "(a,b,c)",
		"!a,b":                                "(!a,b)",
		"!!a":                                 "!!a",
		"+a":                                  "-1+a",
		"a+":                                  "a+-1",
		"2+a+1":                               "2+a+1",
		"!2+a":                                "!2+a",
		"+bars+":                              "-1+bars+-1",
		"(a b),c":                             "((a b),c)",
		"((a))":                               "a",
		"+(a,state:stale)+2":                  "-1+(a,state:stale)+2",
		"5s":                                  "5s",
		"a[dt=2025-06..,symbol=ES*]+":         "a[dt=2025-06..][symbol=ES*]+-1",
		"a[x=1][y=2]":                         "a[y=2][x=1]",
		"a[symbol={ESU5,ESZ5}],b":             "(a[symbol={ESU5,ESZ5}],b)",
		"a[symbol=ES[UZ]5]":                   "a[symbol=ES[UZ]5]",
		"a[symbol=C 6000, root=ES]":           "a[symbol=C 6000][root=ES]",
		`approach["or_low"][dt=2025]`:         `approach<or_low>[dt=2025]`,
		`approach["or_*"],!tag:slow`:          "(approach<or_*>,!tag:slow)",
		"state:missing[symbol=ESU5] reason:x": "(state:missing[symbol=ESU5] reason:x)",
		"silver.future.{a,b}":                 "silver.future.{a,b}",
		"bar[56]s":                            "bar[56]s",
		"a\u00a0b":                            "(a b)",
	} {
		e, err := parseSelector(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if got := written(e); got != want {
			t.Errorf("%q is read as %s, want %s", text, got, want)
		}
	}
}

// written shows how an expression was understood.
func written(e expr) string {
	join := func(sub []expr, sep string) string {
		parts := make([]string, len(sub))
		for i, s := range sub {
			parts[i] = written(s)
		}
		return "(" + strings.Join(parts, sep) + ")"
	}
	switch e := e.(type) {
	case orExpr:
		return join(e, " ")
	case andExpr:
		return join(e, ",")
	case notExpr:
		return "!" + written(e.of)
	case reachExpr:
		text := written(e.of)
		if e.up != 0 {
			text = fmt.Sprint(e.up) + "+" + text
		}
		if e.down != 0 {
			text += "+" + fmt.Sprint(e.down)
		}
		return text
	case *term:
		text := e.pattern
		if e.kind != kindAddress {
			text = e.kind + ":" + text
		}
		if e.instance != "" {
			text += "<" + e.instance + ">"
		}
		for _, c := range e.slice {
			text += "[" + c.key + "=" + c.pattern + "]"
		}
		return text
	}
	return fmt.Sprintf("%T", e)
}

func TestSelectorMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "is empty",
		"  ":                               "is empty",
		"a,":                               `missing after "a,"`,
		",a":                               "is missing after",
		"a,,b":                             "is missing after",
		"+":                                `missing after "+"`,
		"!":                                `missing after "!"`,
		"(a":                               "lacks its closing parenthesis",
		"a)":                               "closes a parenthesis that is not open",
		"()":                               "parentheses are empty",
		"a,()":                             "parentheses are empty",
		"stat:stale":                       "there is no stat:",
		"+!a":                              "put the ! of",
		"1+a+b":                            "+ in the middle",
		`a["b`:                             "lacks its closing bracket",
		`a["b"c]`:                          "lacks the end of its instance",
		"{a":                               "braces unevenly",
		"a[x={]":                           "braces unevenly",
		"a[[dt=2025]":                      "lacks its closing bracket",
		"tag:":                             "names nothing",
		"a[b]":                             `an instance of a stage has quotes: 'a["b"]'`,
		"a[2025]":                          "as in dt=2025-06..2025-07-04",
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
		"2025-08-04":          {day("2025-08-04"), day("2025-08-04"), ""},
		"2024-02":             {day("2024-02-01"), day("2024-02-29"), ""},
		"2025":                {day("2025-01-01"), day("2025-12-31"), ""},
		"2025-06..2025-07-04": {day("2025-06-01"), day("2025-07-04"), ""},
		"..2025":              {minDay, day("2025-12-31"), ""},
		"2025-08-04..":        {day("2025-08-04"), maxDay, ""},
		"*":                   {minDay, maxDay, "*"},
		"2025-*-01":           {minDay, maxDay, "2025-*-01"},
	} {
		if got, err := parseDays(text); err != nil || got != want {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "2025-8-4", "2025-13", "yesterday", "2025-08-05..2025-08-04", "2025-{08"} {
		if got, err := parseDays(text); err == nil {
			t.Errorf("%q was taken as %v", text, got)
		}
	}
}

func FuzzSelector(f *testing.F) {
	for _, s := range []string{
		`+bar5s[symbol=ES*,dt=2025-06..]+1 !tag:x`, "a,b c", `approach["or_low"]`, "!!a", "1+a+1", "[", "]", "a[]", "(a b),!(c state:stale)+2", "a[x={1,2}][y=[ab]]", "+((a))+",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := parseSelector(text)
		if err != nil || len(text) > maxSelector-2 {
			return
		}
		check(t, e)
		// What stands in parentheses means what it means alone.
		again, err := parseSelector("(" + text + ")")
		if err != nil || written(again) != written(e) {
			t.Errorf("%q is read as %s, in parentheses as %v (%v)", text, written(e), again, err)
		}
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
	case reachExpr:
		if check(t, e.of); e.up < -1 || e.down < -1 || e.up == 0 && e.down == 0 {
			t.Errorf("reach %+v", e)
		}
	case *term:
		if e.pattern == "" || !validGlob(e.pattern) {
			t.Errorf("term %+v", e)
		}
	default:
		t.Errorf("%T", e)
	}
}
