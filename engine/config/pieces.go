package config

import (
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// piece is a part of a template: a text that depends on no key, or the value of a
// key, with from replaced by to where from is not empty.
type piece struct {
	text     string
	key      string
	from, to string
}

// piecesOf takes a template of the usual form apart, for it is wanted once a
// session, and HCL takes microseconds for each. ok is false for any other
// expression; HCL evaluates those.
func piecesOf(e hclsyntax.Expression, s scope) (pieces []piece, ok bool) {
	if len(keysIn(e)) == 0 {
		text, ok := constantText(e, s)
		return []piece{{text: text}}, ok
	}
	switch e := e.(type) {
	case *hclsyntax.TemplateExpr:
		for _, part := range e.Parts {
			more, ok := piecesOf(part, s)
			if !ok {
				return nil, false
			}
			pieces = append(pieces, more...)
		}
		return pieces, true
	case *hclsyntax.TemplateWrapExpr:
		return piecesOf(e.Wrapped, s)
	case *hclsyntax.ScopeTraversalExpr:
		name, ok := keyName(e.Traversal)
		return []piece{{key: name}}, ok
	case *hclsyntax.FunctionCallExpr:
		p, ok := replaced(e, s)
		return []piece{p}, ok
	}
	return nil, false
}

// replaced is the piece of replace(key.NAME, "from", "to").
func replaced(e *hclsyntax.FunctionCallExpr, s scope) (p piece, ok bool) {
	if e.Name != "replace" || len(e.Args) != 3 || e.ExpandFinal {
		return p, false
	}
	of, ok := e.Args[0].(*hclsyntax.ScopeTraversalExpr)
	if !ok {
		return p, false
	}
	key, isKey := keyName(of.Traversal)
	from, known := constantText(e.Args[1], s)
	to, knownTo := constantText(e.Args[2], s)
	return piece{key: key, from: from, to: to}, isKey && known && knownTo && from != "" && !strings.HasPrefix(from, "/")
}

// keyName is the NAME of key.NAME.
func keyName(t hcl.Traversal) (name string, ok bool) {
	if len(t) != 2 || t.RootName() != "key" {
		return "", false
	}
	return stepName(t[1])
}

// constantText evaluates an expression without keys, if it is a text as fill wants.
func constantText(e hclsyntax.Expression, s scope) (text string, ok bool) {
	v, problems := value(e, s.ctx)
	if problems.HasErrors() || v.IsMarked() || !v.IsKnown() || v.IsNull() || v.Type() != cty.String {
		return "", false
	}
	return v.AsString(), isASCII(v.AsString())
}

// isASCII tells that a text stands for itself wherever it stands: HCL brings others
// to a normal form.
func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}

// fill puts values in. ok is false where one of them is missing or is not ASCII.
func fill(pieces []piece, values map[string]string) (text string, ok bool) {
	var out []byte
	for _, p := range pieces {
		if p.key == "" {
			out = append(out, p.text...)
			continue
		}
		v, known := values[p.key]
		if !known || !isASCII(v) {
			return "", false
		}
		if p.from != "" {
			v = strings.ReplaceAll(v, p.from, p.to)
		}
		out = append(out, v...)
	}
	return string(out), true
}
