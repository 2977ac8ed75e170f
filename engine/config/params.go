package config

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"dag/engine/stage"
)

// readParams evaluates params by the declarations of the transform. Types are
// taken literally: "5" is no number.
func (b stageBlock) readParams() {
	spec := b.stage.Spec
	b.stage.Params = spec.Defaults()
	given := map[string]cty.Value{}
	if e := b.expr("params"); e != nil {
		v, ok := b.eval(e, b.scope)
		if !ok {
			return
		}
		if v.IsNull() || !v.Type().IsObjectType() && !v.Type().IsMapType() {
			b.error(codeType, e.Range(), "params must be an object", "it is "+show(v), "write params = { NAME = VALUE }")
			return
		}
		given = v.AsValueMap()
	}
	var names []string
	for _, p := range spec.Params {
		names = append(names, p.Name)
		if v, ok := given[p.Name]; ok && !v.IsNull() {
			b.readParam(p, v)
		} else if p.Default == nil {
			b.error(codeMissingParam, b.at("params"), fmt.Sprintf("%s does not set parameter %s of transform %s", b.title, p.Name, spec.Name), p.Doc, fmt.Sprintf("it is a %s and has no default", p.Type))
		}
	}
	for _, name := range mapKeys(given) {
		if !slices.Contains(names, name) {
			b.error(codeUnknownParam, b.paramAt(name), fmt.Sprintf("transform %s has no parameter %s", spec.Name, name), "", didYouMean(name, slices.Clone(names)))
		}
	}
}

// paramAt is where a parameter is set, as far as the text tells.
func (b stageBlock) paramAt(name string) hcl.Range {
	if e, ok := b.expr("params").(*hclsyntax.ObjectConsExpr); ok {
		for _, item := range e.Items {
			if k, ds := item.KeyExpr.Value(b.scope.ctx); !ds.HasErrors() && k.IsKnown() && !k.IsNull() && k.Type() == cty.String && k.AsString() == name {
				return item.ValueExpr.Range()
			}
		}
	}
	return b.at("params")
}

func (b stageBlock) readParam(p stage.Param, v cty.Value) {
	value, ok := paramValue(p.Type, v)
	if !ok {
		b.error(codeParam, b.paramAt(p.Name), fmt.Sprintf("parameter %s of transform %s must be %s", p.Name, b.stage.Spec.Name, article(string(p.Type))), "it is "+show(v), "")
		return
	}
	if text, isText := value.(string); isText && len(p.Enum) > 0 && !slices.Contains(p.Enum, text) {
		hint := didYouMean(text, slices.Clone(p.Enum))
		if hint == "" || len(p.Enum) > 1 && !strings.HasPrefix(hint, "there is") {
			hint = joinDetail(hint, "allowed are "+strings.Join(p.Enum, ", "))
		}
		b.error(codeParam, b.paramAt(p.Name), fmt.Sprintf("parameter %s of transform %s cannot be %s", p.Name, b.stage.Spec.Name, show(v)), "", hint)
		return
	}
	if p.Check != nil {
		if err := p.Check(value); err != nil {
			b.error(codeParam, b.paramAt(p.Name), fmt.Sprintf("parameter %s of transform %s cannot be %s", p.Name, b.stage.Spec.Name, show(v)), err.Error(), p.Doc)
			return
		}
	}
	b.stage.Params[p.Name] = value
}

// paramValue is v as the Go type that t stands for.
func paramValue(t stage.ParamType, v cty.Value) (any, bool) {
	is := v.Type()
	switch {
	case t == stage.String && is == cty.String:
		return v.AsString(), true
	case t == stage.Bool && is == cty.Bool:
		return v.True(), true
	case t == stage.Int && is == cty.Number:
		n, accuracy := v.AsBigFloat().Int64()
		return n, accuracy == big.Exact
	case t == stage.Float && is == cty.Number:
		return float(v)
	case t == stage.Floats && isSequence(is):
		return listOf(v, cty.Number, float)
	case t == stage.Texts && isSequence(is):
		return listOf(v, cty.String, func(v cty.Value) (string, bool) { return v.AsString(), true })
	}
	return nil, false
}

func float(v cty.Value) (float64, bool) {
	f, _ := v.AsBigFloat().Float64()
	return f, !math.IsInf(f, 0)
}

func isSequence(t cty.Type) bool { return t.IsTupleType() || t.IsListType() || t.IsSetType() }

func listOf[T any](v cty.Value, of cty.Type, convert func(cty.Value) (T, bool)) (any, bool) {
	list := []T{}
	for it := v.ElementIterator(); it.Next(); {
		_, item := it.Element()
		if item.IsNull() || item.Type() != of {
			return nil, false
		}
		x, ok := convert(item)
		if !ok {
			return nil, false
		}
		list = append(list, x)
	}
	return list, true
}
