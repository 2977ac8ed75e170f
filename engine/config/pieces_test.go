package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"
)

func piecesScope(values map[string]string) scope {
	keys := map[string]cty.Value{}
	for k, v := range values {
		keys[k] = cty.StringVal(v)
	}
	return scope{&hcl.EvalContext{
		Functions: functions(nil),
		Variables: map[string]cty.Value{"key": cty.ObjectVal(keys), "var": cty.ObjectVal(map[string]cty.Value{"x": cty.StringVal("X"), "n": cty.NumberIntVal(3)})},
	}}
}

func parsed(t interface{ Fatalf(string, ...any) }, text string) hclsyntax.Expression {
	e, problems := hclsyntax.ParseExpression([]byte(text), "test", hcl.InitialPos)
	if problems.HasErrors() {
		t.Fatalf("%s: %v", text, problems)
	}
	return e
}

func TestPiecesOf(t *testing.T) {
	for text, plain := range map[string]bool{
		`"*${replace(key.dt, "-", "")}*.{dbn,dbn.zst}"`:   true,
		`"${key.root}-${key["dt"]}"`:                      true,
		`key.dt`:                                          true,
		`"${key.dt}"`:                                     true,
		`"${var.x}-${key.dt}.${lower("ABC")}"`:            true,
		`"${var.n}-${key.dt}"`:                            false, // a number: HCL makes a text of it
		`"${replace(key.dt, "/-/", "")}"`:                 false, // a regular expression
		`"${replace(key.dt, "", "x")}"`:                   false,
		`"${replace(replace(key.dt, "-", ""), "2", "")}"`: false,
		`"${substr(key.dt, 0, 7)}.dbn"`:                   false,
		"\"\u0301${key.dt}\"":                             false, // an accent, for what comes before it
		`key.dt == "2025-01-02" ? "a" : "b"`:              false,
		`"%{ if key.dt == "x" }a%{ endif }"`:              false,
	} {
		if _, ok := piecesOf(parsed(t, text), piecesScope(nil)); ok != plain {
			t.Errorf("%s: taken apart is %v", text, ok)
		}
	}
	pieces, _ := piecesOf(parsed(t, `key.root`), piecesScope(nil))
	for _, values := range []map[string]string{nil, {"root": "É"}} {
		if got, ok := fill(pieces, values); ok {
			t.Errorf("%v filled in gives %q", values, got)
		}
	}
}

// Whatever is taken apart gives the text that HCL gives.
func TestPiecesAreHCL(t *testing.T) {
	part := rapid.SampledFrom([]string{`a`, `*.dbn`, `\\*`, `{x,y}`, ` `, `\"`, `$${`, `-é`, `${key.dt}`, `${key["root"]}`, `${ key.root ~}`, `${~ key.dt }`,
		`${replace(key.dt, "-", "")}`, `${replace(key.dt, "0", "${var.x}0")}`, `${replace(key.root, "E", "")}`, `${replace(key.root, "ab", "/")}`,
		`${var.x}`, `${var.n}`, `${upper("q")}`, `${(key.dt)}`, `${substr(key.dt, 0, 4)}`, `${replace(key.dt, "/[0-9]/", "d")}`})
	rapid.Check(t, func(t *rapid.T) {
		text := ""
		for _, p := range rapid.SliceOfN(part, 1, 5).Draw(t, "parts") {
			text += p
		}
		e := parsed(t, `"`+text+`"`)
		values := map[string]string{
			"dt":   rapid.SampledFrom([]string{"2025-01-02", "1999-12-31"}).Draw(t, "dt"),
			"root": rapid.StringMatching(`[EabS/*-]{0,6}`).Draw(t, "root"),
		}
		pieces, plain := piecesOf(e, piecesScope(nil))
		if !plain {
			return
		}
		got, ok := fill(pieces, values)
		v, problems := value(e, piecesScope(values).ctx)
		if problems.HasErrors() {
			t.Fatalf("%s: %v", text, problems)
		}
		if d := cmp.Diff(v.AsString(), got); !ok || d != "" {
			t.Fatalf("%s with %v: %v %s", text, values, ok, d)
		}
	})
}
