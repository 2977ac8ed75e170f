package graph_test

import (
	"strings"
	"testing"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/graph"
)

func pick(t *testing.T, g *graph.Graph, text string) string {
	t.Helper()
	s, list := g.Select(graph.Request{Select: []string{text}})
	if list.HasErrors() {
		return list.Err().Error()
	}
	var names []string
	for _, d := range g.Config.Datasets {
		if s.Dataset(d.Addr) != nil {
			names = append(names, d.Addr.Table)
		}
	}
	return strings.Join(names, " ")
}

func TestSelectDatasets(t *testing.T) {
	g, list := build(t, "a < raw", "b < a", "c < b", "d < a")
	if list.HasErrors() {
		t.Fatal(list)
	}
	for text, want := range map[string]string{
		"a":                 "a",
		"silver.t.?":        "a b c d",
		"+b":                "raw a b",
		"1+c":               "b c",
		"a+":                "a b c d",
		"a+1":               "a b d",
		"1+b+1":             "a b c",
		"{a,b} raw.*":       "raw a b",
		"*.t.*,!+c":         "d",
		"(+c,!raw.*) d":     "a b c d",
		"+(b d),!(a raw.*)": "b d",
		"+(c,+b)":           "",
		"!(!b)":             "b",
		"+(c,c[k=x])":       "raw a b c",
		"state:stale":       "raw a b c d",
		"+(d,state:stale)":  "raw a d",
		"silver.t.x":        `error: "silver.t.x" matches no dataset and no stage (did you mean "silver.t.a"?)`,
		"b[j=1]":            `error: "j" in b[j=1] is no key (did you mean "k"?)`,
		`a["x"]`:            `error: "a[\"x\"]" matches no dataset and no stage (near to it: a, raw.t.raw, silver.t.a)`,
		"tag:x":             "error: no dataset and no stage has the tag \"x\" (there are no tags; `tags = [...]` in a stage or dataset gives it some)",
		"a,b":               "error: the selection matches no dataset (a comma means and: a space between two names selects both)",
	} {
		if want == "" {
			want = "error: the selection matches no dataset (a comma means and: a space between two names selects both)"
		}
		if got := pick(t, g, text); got != want {
			t.Errorf("%s selects %s, not %s", text, got, want)
		}
	}
}

// FuzzSelect evaluates any selector over one series a dataset: what is left out is
// not selected too.
func FuzzSelect(f *testing.F) {
	for _, s := range []string{"a", "+b[k=x*]+1", "!a,state:stale", "+(a,state:x)+ reason:y", "{a,b}[k={x,y}]", "+(+(+(+(+(c,!b)))))", "tag:*", `a["*"]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		g, list := build(t, "a < raw", "b < a", "c < b", "d < a")
		if list.HasErrors() {
			t.Fatal(list)
		}
		env := graph.Env{
			Value: func(key string) (string, bool) { return "x", key == "k" },
			Full:  calendar.Span(0, 1),
			State: func(_, name string) calendar.Set { return calendar.Span(0, len(name)%2) },
			Known: graph.NewKnown(func(string) []string { return []string{"x"} }),
		}
		s, list := g.Select(graph.Request{Select: []string{text}})
		if list.HasErrors() {
			return
		}
		env.Matches = s.Match(func(_ addr.Dataset, visit func(graph.Env)) { visit(env) })
		none, list := g.Select(graph.Request{Select: []string{text}, Exclude: []string{text}})
		if list.HasErrors() {
			return // nothing is left
		}
		inner := env
		inner.Matches = none.Match(func(_ addr.Dataset, visit func(graph.Env)) { visit(env) })
		for _, d := range g.Config.Datasets {
			if f := s.Dataset(d.Addr); f != nil && f(env).Len() > 1 {
				t.Errorf("%q selects %v of %s", text, f(env), d.Addr)
			}
			if f := none.Dataset(d.Addr); f != nil && f(inner).Len() > 0 {
				t.Errorf("%q without itself selects %v of %s", text, f(inner), d.Addr)
			}
		}
	})
}
