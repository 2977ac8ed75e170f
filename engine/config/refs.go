package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"dag/engine/diag"
)

// scope is what the expressions of one place may refer to.
type scope struct{ ctx *hcl.EvalContext }

// scope returns the one that all places share: variables, locals, functions.
func (l *loader) scope() scope {
	return scope{&hcl.EvalContext{
		Variables: map[string]cty.Value{"var": l.variables, "local": l.locals},
		Functions: l.functions,
	}}
}

// with returns s and one more name.
func (s scope) with(name string, v cty.Value) scope {
	vars := maps.Clone(s.ctx.Variables)
	vars[name] = v
	return scope{&hcl.EvalContext{Variables: vars, Functions: s.ctx.Functions}}
}

// unknownCodes are the codes of references to what is not declared.
var unknownCodes = map[string]string{
	"var": codeUnknownVariable, "local": codeUnknownLocal, "key": codeUnknownKey, "calendar": codeUnknownCalendar,
	"dataset": codeUnknownDataset, "source": codeUnknownDataset,
}

// eval evaluates e. ok is false when that failed, which has been reported, or
// when e depends on something whose error has been.
func (l *loader) eval(e hclsyntax.Expression, s scope) (v cty.Value, ok bool) {
	if !l.checkNames(e, s) {
		return cty.DynamicVal, false
	}
	v, ds := value(e, s.ctx)
	for _, d := range ds {
		at := e.Range()
		if d.Subject != nil {
			at = *d.Subject
		}
		l.error(codeExpression, at, summaryOf(d), joinDetail(flatten(d.Detail), valuesIn(e, s)), "")
	}
	return v, len(ds) == 0 && v.IsWhollyKnown()
}

// value evaluates e; a panic of the expression library is an error as any other.
func value(e hcl.Expression, ctx *hcl.EvalContext) (v cty.Value, ds hcl.Diagnostics) {
	defer func() {
		if r := recover(); r != nil {
			at := e.Range()
			v, ds = cty.DynamicVal, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "this expression cannot be evaluated", Detail: fmt.Sprint(r), Subject: &at}}
		}
	}()
	v, ds = e.Value(ctx)
	if !ds.HasErrors() {
		ds = nil
	}
	return v, ds
}

// checkNames reports the functions and references of e that do not exist.
func (l *loader) checkNames(e hclsyntax.Expression, s scope) bool {
	return l.ok(func() {
		hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
			switch n := n.(type) {
			case *hclsyntax.FunctionCallExpr:
				l.checkFunction(n)
			case *hclsyntax.IndexExpr:
				l.checkIndex(n, s)
			}
			return nil
		})
		for _, t := range e.Variables() {
			l.checkReference(t, s)
		}
	})
}

func (l *loader) checkFunction(call *hclsyntax.FunctionCallExpr) {
	if _, ok := l.functions[call.Name]; ok {
		return
	}
	hint := didYouMean(call.Name, mapKeys(l.functions))
	if slices.Contains(impure, call.Name) {
		hint = "the same text always means the same: there are no clocks, randomness or environment here; pass the value in with a variable"
	}
	l.error(codeUnknownFunction, call.NameRange, "there is no function "+call.Name, "", hint)
}

// checkReference follows a reference as far as its names are ours.
func (l *loader) checkReference(t hcl.Traversal, s scope) {
	root, at := t.RootName(), t.SourceRange()
	v, ok := s.ctx.Variables[root]
	switch {
	case !ok && root == "each":
		l.error(codeUnknownReference, at, "each is known only in a block with for_each", "", "")
		return
	case !ok:
		l.error(codeUnknownReference, at, "there is no "+root+" here", "", didYouMean(root, mapKeys(s.ctx.Variables)))
		return
	case len(t) == 1:
		l.error(codeUnknownReference, at, root+" alone has no value", "", "write "+root+".NAME")
		return
	}
	steps := t[1:2]
	if unknownCodes[root] == codeUnknownDataset {
		steps = t[1:]
	}
	for _, step := range steps {
		name, ok := stepName(step)
		if !ok || !v.Type().IsObjectType() {
			return
		}
		if v.Type().HasAttribute(name) {
			v = v.GetAttr(name)
		} else if unknownCodes[root] == codeUnknownDataset {
			l.unknownDataset(root, stepNames(t), at)
			return
		} else {
			l.unknown(root, name, at, mapKeys(v.Type().AttributeTypes()))
			return
		}
	}
}

// checkIndex looks up computed table names: dataset.silver.future["x_${each.key}"].
func (l *loader) checkIndex(e *hclsyntax.IndexExpr, s scope) {
	c, ok := e.Collection.(*hclsyntax.ScopeTraversalExpr)
	if !ok || unknownCodes[c.Traversal.RootName()] != codeUnknownDataset {
		return
	}
	tables, ds := c.Traversal.TraverseAbs(s.ctx)
	key, keyDs := value(e.Key, s.ctx)
	if ds.HasErrors() || keyDs.HasErrors() || !tables.Type().IsObjectType() || key.Type() != cty.String || !key.IsKnown() || key.IsNull() {
		return // evaluation says more
	}
	if name := key.AsString(); !tables.Type().HasAttribute(name) {
		l.unknownDataset(c.Traversal.RootName(), append(stepNames(c.Traversal), name), e.Range())
	}
}

// stepNames are the names by which t selects, without its root.
func stepNames(t hcl.Traversal) []string {
	var names []string
	for _, step := range t[1:] {
		name, ok := stepName(step)
		if !ok {
			break
		}
		names = append(names, name)
	}
	return names
}

// unknownDataset reports a reference to a dataset or source that is not declared.
func (l *loader) unknownDataset(kind string, parts []string, at hcl.Range) {
	if l.lostDatasets {
		l.errors++ // may be one whose declaration is in error
		return
	}
	name, hint := strings.Join(parts, "."), ""
	var candidates []string
	for declared := range l.datasets {
		if c, ok := strings.CutPrefix(declared, kind+" "); ok {
			candidates = append(candidates, c)
		}
		if k, c, _ := strings.Cut(declared, " "); c == name {
			hint = fmt.Sprintf("it is a %s: write %s.%s", k, k, name)
		}
	}
	if hint == "" {
		hint = didYouMean(name, candidates)
	}
	if len(parts) < 3 {
		hint = joinDetail(hint, "an address has three parts: "+kind+".LAYER.PRODUCT.TABLE")
	}
	l.error(codeUnknownDataset, at, fmt.Sprintf("there is no %s %s", kind, name), "", hint)
}

// unknown reports a reference to something undeclared beside candidates.
func (l *loader) unknown(root, name string, at hcl.Range, candidates []string) {
	code, ok := unknownCodes[root]
	if !ok {
		code = codeUnknownReference
	}
	what := map[string]string{"var": "variable", "local": "local value"}[root]
	if what == "" {
		what = root
	}
	l.error(code, at, fmt.Sprintf("there is no %s %s", what, name), "", didYouMean(name, candidates))
}

// stepName is the name that a step of a reference selects by, if it does.
func stepName(step hcl.Traverser) (string, bool) {
	switch step := step.(type) {
	case hcl.TraverseAttr:
		return step.Name, true
	case hcl.TraverseIndex:
		if step.Key.Type() == cty.String && step.Key.IsKnown() && !step.Key.IsNull() {
			return step.Key.AsString(), true
		}
	}
	return "", false
}

// valuesIn shows what the references of e stand for: `var.x is "y"`.
func valuesIn(e hclsyntax.Expression, s scope) string {
	var parts []string
	for _, t := range e.Variables() {
		v, ds := t.TraverseAbs(s.ctx)
		if ds.HasErrors() || !v.IsWhollyKnown() {
			continue
		}
		if p := traversalText(t) + " is " + show(v); !slices.Contains(parts, p) {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, ", ")
}

func traversalText(t hcl.Traversal) string {
	text := t.RootName()
	for _, step := range t[1:] {
		switch step := step.(type) {
		case hcl.TraverseAttr:
			text += "." + step.Name
		case hcl.TraverseIndex:
			text += "[" + show(step.Key) + "]"
		}
	}
	return text
}

// show is a value as a person would write it, cut to a readable length.
func show(v cty.Value) string {
	const longest = 80
	if v.IsNull() {
		return "null"
	}
	text := v.Type().FriendlyName()
	if !v.Type().IsCapsuleType() && v.IsWhollyKnown() {
		if b, err := ctyjson.Marshal(v, v.Type()); err == nil {
			text = string(b)
		}
	}
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return text
}

// converted returns v as a value of type want.
func (l *loader) converted(what string, e hclsyntax.Expression, v cty.Value, want cty.Type) (cty.Value, bool) {
	c, err := convert.Convert(v, want)
	if err != nil || c.IsNull() {
		l.error(codeType, e.Range(), fmt.Sprintf("%s must be %s", what, article(want.FriendlyName())), "it is "+show(v), "")
		return cty.NilVal, false
	}
	return c, true
}

func article(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

func count(n int, noun string) string {
	switch n {
	case 0:
		return "no " + noun
	case 1:
		return "one " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// list is names as a person would write them.
func list(names []string) string { return strings.Join(names, ", ") }

func joinDetail(parts ...string) string {
	for i, p := range parts {
		parts[i] = strings.TrimSuffix(p, ".")
	}
	parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
	return strings.Join(parts, "; ")
}

// didYouMean is the hint that names the nearest candidate, or all if they are
// few and none is near.
func didYouMean(name string, candidates []string) string {
	const few = 12
	slices.Sort(candidates)
	if n := diag.Nearest(name, candidates); n != "" {
		return "did you mean " + n + "?"
	}
	if len(candidates) == 0 || len(candidates) > few {
		return ""
	}
	return "there is " + strings.Join(candidates, ", ")
}

func mapKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
