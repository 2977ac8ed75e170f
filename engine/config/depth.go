package config

import (
	"bytes"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// maxDepth is how deep brackets may be nested, and how many signs may stand before a
// value: HCL's parser calls itself for each, and the stack it may fill is the limit
// of the program itself.
const maxDepth = 1000

// parseHCL parses a text, unless it is nested too deep to be.
func parseHCL(text []byte, name string) (*hcl.File, hcl.Diagnostics) {
	if ds := tooDeep(text, name); ds.HasErrors() {
		return nil, ds
	}
	return hclsyntax.ParseConfig(text, name, hcl.InitialPos)
}

// parseExpression is the same for a single expression.
func parseExpression(text []byte, name string) (hclsyntax.Expression, hcl.Diagnostics) {
	if ds := tooDeep(text, name); ds.HasErrors() {
		return nil, ds
	}
	return hclsyntax.ParseExpression(text, name, hcl.InitialPos)
}

// tooDeep reports the first place that is nested too deep. A text without so many
// brackets and signs at all, which nearly every one is, is not taken apart for it.
func tooDeep(text []byte, name string) hcl.Diagnostics {
	n := 0
	for _, c := range []string{"(", "[", "{", "!", "-"} {
		n += bytes.Count(text, []byte(c))
	}
	if n <= maxDepth {
		return nil
	}
	tokens, _ := hclsyntax.LexConfig(text, name, hcl.InitialPos) // what is wrong with them the parser tells
	depth, signs := 0, 0
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOParen, hclsyntax.TokenOBrack, hclsyntax.TokenOBrace, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			depth++
		case hclsyntax.TokenCParen, hclsyntax.TokenCBrack, hclsyntax.TokenCBrace, hclsyntax.TokenTemplateSeqEnd:
			depth--
		}
		if signs++; t.Type != hclsyntax.TokenBang && t.Type != hclsyntax.TokenMinus {
			signs = 0
		}
		if depth > maxDepth || signs > maxDepth {
			return hcl.Diagnostics{{
				Severity: hcl.DiagError, Summary: fmt.Sprintf("this is nested more than %d deep", maxDepth),
				Detail: "no expression needs as many brackets or signs within one another", Subject: &t.Range,
			}}
		}
	}
	return nil
}
