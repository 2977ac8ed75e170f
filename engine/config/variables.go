package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"dag/engine/diag"
)

const envPrefix = "DAG_VAR_"

// given is a value for a variable from outside of its block: an expression of
// a file, or the text of a flag or an environment variable.
type given struct {
	origin string
	expr   hclsyntax.Expression // nil: text
	text   string
	at     hcl.Range // of expr
}

// readVariables evaluates the variable blocks, then their validations.
func (l *loader) readVariables() {
	all := l.givenValues()
	values := map[string]cty.Value{}
	for _, b := range l.blocks["variable"] {
		values[b.Labels[0]] = l.readVariable(b, all[b.Labels[0]])
	}
	l.variables = cty.ObjectVal(values)
	l.locals = cty.EmptyObjectVal
	for _, b := range l.blocks["variable"] {
		for _, v := range b.Body.Blocks {
			if v.Type == "validation" {
				l.validate(b, v)
			}
		}
	}
}

// givenValues collects the values from outside. Sources are read from the
// weakest to the strongest, so that the last one that names a variable wins.
func (l *loader) givenValues() map[string]given {
	all := map[string]given{}
	for _, e := range l.opts.Environ {
		if name, value, ok := strings.Cut(e, "="); ok && value != "" && strings.HasPrefix(name, envPrefix) {
			// An empty one counts as not set, as with all that dag reads. Undeclared ones are left alone: the environment is for all projects.
			all[strings.TrimPrefix(name, envPrefix)] = given{origin: name, text: value}
		}
	}
	auto, _ := fs.Glob(l.opts.Pipelines, "*.auto.dagvars") // fails for a bad pattern only
	for _, name := range auto {
		text, err := fs.ReadFile(l.opts.Pipelines, name)
		l.givenByFile(all, pipelinesFolder+name, text, err)
	}
	for _, name := range l.opts.VarFiles {
		text, err := os.ReadFile(name)
		l.givenByFile(all, name, text, err)
	}
	for _, name := range mapKeys(l.opts.Vars) {
		if l.declared(name, hcl.Range{}, "--var "+name) {
			all[name] = given{origin: "--var", text: l.opts.Vars[name]}
		}
	}
	return all
}

// givenByFile reads a file of NAME = VALUE lines.
func (l *loader) givenByFile(all map[string]given, name string, text []byte, err error) {
	if err != nil {
		l.add(diag.Diagnostic{Code: codeFile, Summary: "the file of variables " + name + " cannot be read: " + plain(err).Error(), Range: diag.Range{File: name}})
		return
	}
	l.sources[name] = text
	file, ds := parseHCL(text, name)
	l.addHCL(codeSyntax, ds)
	if ds.HasErrors() {
		return
	}
	body := file.Body.(*hclsyntax.Body)
	for _, b := range body.Blocks {
		l.error(codeUnknownBlock, b.DefRange(), "a file of variables holds no blocks", "", "write NAME = VALUE")
	}
	for _, a := range sortedAttributes(body) {
		if l.declared(a.Name, a.NameRange, path.Base(name)) {
			all[a.Name] = given{origin: name, expr: a.Expr, at: a.Expr.Range()}
		}
	}
}

// declared reports a value for a variable that does not exist.
func (l *loader) declared(name string, at hcl.Range, origin string) bool {
	var names []string
	for _, b := range l.blocks["variable"] {
		names = append(names, b.Labels[0])
	}
	if slices.Contains(names, name) {
		return true
	}
	l.error(codeUnknownVariable, at, fmt.Sprintf("%s sets variable %s, which is not declared", origin, name), "", didYouMean(name, names))
	return false
}

// readVariable returns the variable's value, unknown if that is an error.
func (l *loader) readVariable(hclBlock *hclsyntax.Block, g given) cty.Value {
	bare := scope{&hcl.EvalContext{Functions: l.functions}}
	b := l.open(hclBlock, &variableSpec, bare)
	l.checkName(hclBlock.Labels[0], hclBlock.LabelRanges[0])
	want, defaults := cty.DynamicPseudoType, (*typeexpr.Defaults)(nil)
	if e := b.expr("type"); e != nil {
		var ds hcl.Diagnostics
		if want, defaults, ds = typeexpr.TypeConstraintWithDefaults(e); ds.HasErrors() {
			l.addHCL(codeType, ds)
			return cty.DynamicVal
		}
	}
	description, _ := b.text("description")
	v, origin, ok := l.variableValue(b, g, want)
	if !ok {
		return cty.DynamicVal
	}
	if defaults != nil && !v.IsNull() {
		v = defaults.Apply(v)
	}
	converted, err := convert.Convert(v, want)
	if err != nil {
		at := b.at("default")
		switch {
		case g.expr != nil:
			at = g.at
		case g.origin != "":
			at = hclBlock.DefRange()
		}
		l.error(codeType, at, fmt.Sprintf("variable %s must be %s", hclBlock.Labels[0], article(typeexpr.TypeString(want))), fmt.Sprintf("%s gives it %s: %v", origin, show(v), err), "")
		return cty.DynamicVal
	}
	l.config.Variables = append(l.config.Variables, &Variable{
		Name: hclBlock.Labels[0], Description: description, Value: jsonText(converted), Origin: origin, Range: toRange(hclBlock.DefRange()),
	})
	return converted
}

// variableValue picks the value that counts and says where it came from.
func (l *loader) variableValue(b block, g given, want cty.Type) (v cty.Value, origin string, ok bool) {
	name := b.hcl.Labels[0]
	switch {
	case g.expr != nil:
		v, ok = l.eval(g.expr, b.scope)
		return v, g.origin, ok
	case g.origin != "" && (want.IsPrimitiveType() || want == cty.DynamicPseudoType):
		return cty.StringVal(g.text), g.origin, true
	case g.origin != "":
		e, ds := parseExpression([]byte(g.text), g.origin)
		if !ds.HasErrors() {
			v, ds = value(e, b.scope.ctx)
		}
		if ds.HasErrors() || !v.IsWhollyKnown() {
			l.error(codeType, b.hcl.DefRange(), fmt.Sprintf("the value of variable %s is not %s", name, article(typeexpr.TypeString(want))), fmt.Sprintf("%s gives it %s", g.origin, g.text), "write it as in HCL")
			return v, "", false
		}
		return v, g.origin, true
	case b.expr("default") != nil:
		v, ok = l.eval(b.expr("default"), b.scope)
		return v, "default", ok
	}
	l.error(codeNoValue, b.hcl.DefRange(), fmt.Sprintf("variable %s has no value and no default", name), "", fmt.Sprintf("pass --var %s=…, or set %s%s", name, envPrefix, name))
	return cty.NilVal, "", false
}

// validate holds a variable to one of its validation blocks.
func (l *loader) validate(variable, hclBlock *hclsyntax.Block) {
	b := l.open(hclBlock, &validationSpec, scope{&hcl.EvalContext{Variables: map[string]cty.Value{"var": l.variables}, Functions: l.functions}})
	b.requireAll()
	condition, ok := b.get("condition", cty.Bool)
	message, okMessage := b.text("error_message")
	if !ok || !okMessage || condition.True() {
		return
	}
	name := variable.Labels[0]
	at, detail := variable.DefRange(), fmt.Sprintf("var.%s is %s", name, show(l.variables.GetAttr(name)))
	for _, v := range l.config.Variables {
		if v.Name == name && v.Origin != "default" {
			detail += ", from " + v.Origin
		}
	}
	l.error(codeValidation, at, fmt.Sprintf("the value of variable %s is not allowed", name), detail, message)
}

func jsonText(v cty.Value) string {
	b, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return "null"
	}
	return string(b)
}

// plain drops the path that an error of the file system repeats.
func plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
