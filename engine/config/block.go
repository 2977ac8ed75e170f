package config

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"dag/engine/diag"
)

// block is one HCL block while it is read. Its getters report what is wrong
// and then return false, as they do for an argument that is not there.
type block struct {
	*loader
	hcl   *hclsyntax.Block
	spec  *BlockSpec
	scope scope
	title string          // "dataset silver.future.x", for messages
	meant map[string]bool // arguments that a mistyped one probably is
}

// open starts reading b and reports arguments and blocks that it may not have.
func (l *loader) open(b *hclsyntax.Block, spec *BlockSpec, s scope) block {
	arguments, blocks := spec.argumentNames(false), spec.blockNames()
	title := strings.TrimSpace(b.Type + " " + strings.Join(b.Labels, "."))
	meant := map[string]bool{}
	all := slices.Concat(arguments, blocks)
	for _, a := range sortedAttributes(b.Body) {
		if !slices.Contains(arguments, a.Name) {
			hint := didYouMean(a.Name, slices.Clone(all))
			meant[diag.Nearest(a.Name, all)] = true
			if slices.Contains(blocks, a.Name) {
				hint = fmt.Sprintf("%s is a block: write it without the equals sign", a.Name)
			}
			l.error(codeUnknownArgument, a.NameRange, fmt.Sprintf("%s block has no argument %s", article(b.Type), a.Name), "", hint)
		}
	}
	for _, inner := range b.Body.Blocks {
		if !slices.Contains(blocks, inner.Type) {
			hint := didYouMean(inner.Type, slices.Clone(all))
			meant[diag.Nearest(inner.Type, all)] = true
			if slices.Contains(arguments, inner.Type) {
				hint = fmt.Sprintf("%s is an argument: write %s = …", inner.Type, inner.Type)
			}
			l.error(codeUnknownBlock, inner.TypeRange, fmt.Sprintf("%s block has no block %s in it", article(b.Type), inner.Type), "", hint)
		}
	}
	return block{l, b, spec, s, title, meant}
}

// sortedAttributes lists the arguments of a body in the order of the text.
func sortedAttributes(body *hclsyntax.Body) []*hclsyntax.Attribute {
	var list []*hclsyntax.Attribute
	for _, a := range body.Attributes {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b *hclsyntax.Attribute) int { return a.SrcRange.Start.Byte - b.SrcRange.Start.Byte })
	return list
}

// expr returns the expression of an argument, nil if it is not there.
func (b block) expr(name string) hclsyntax.Expression {
	if a := b.hcl.Body.Attributes[name]; a != nil {
		return a.Expr
	}
	return nil
}

// at is where an argument's value stands, or the block's head without it.
func (b block) at(name string) hcl.Range {
	if e := b.expr(name); e != nil {
		return e.Range()
	}
	return b.hcl.DefRange()
}

// requireAll reports the arguments that the spec requires and that are not there.
func (b block) requireAll() { b.require(b.spec.argumentNames(true)...) }

// require reports the arguments that are not there, unless they seem to be
// there under another name, which has been reported.
func (b block) require(names ...string) {
	var missing []string
	for _, n := range names {
		if b.expr(n) == nil && !b.meant[n] {
			missing = append(missing, n)
		}
	}
	if missing != nil {
		b.error(codeMissingArgument, b.hcl.DefRange(), fmt.Sprintf("%s has no %s", b.title, strings.Join(missing, " and no ")), "", "")
	}
}

// inner returns the one inner block of a type, nil if there is none.
func (b block) inner(kind string) *hclsyntax.Block {
	var found *hclsyntax.Block
	for _, i := range b.hcl.Body.Blocks {
		switch {
		case i.Type != kind:
		case len(i.Labels) > 0:
			b.error(codeLabels, i.DefRange(), fmt.Sprintf("%s block has no labels", article(kind)), "", "write "+kind+" { }")
		case found != nil:
			b.duplicate(i.DefRange(), kind, found.DefRange())
		default:
			found = i
		}
	}
	return found
}

// get returns the value of an argument as a type; a null is as good as nothing.
func (b block) get(name string, want cty.Type) (cty.Value, bool) {
	e := b.expr(name)
	if e == nil {
		return cty.NilVal, false
	}
	v, ok := b.eval(e, b.scope)
	if !ok || v.IsNull() {
		return cty.NilVal, false
	}
	return b.converted(name, e, v, want)
}

func (b block) text(name string) (string, bool) {
	v, ok := b.get(name, cty.String)
	if !ok {
		return "", false
	}
	return v.AsString(), true
}

func (b block) flag(name string) bool {
	v, ok := b.get(name, cty.Bool)
	return ok && v.True()
}

// texts returns a list of strings without repeats.
func (b block) texts(name string) ([]string, bool) {
	v, ok := b.get(name, cty.List(cty.String))
	if !ok {
		return nil, false
	}
	var list []string
	for _, item := range v.AsValueSlice() {
		switch {
		case item.IsNull():
			b.error(codeValue, b.at(name), fmt.Sprintf("an item of %s is null", name), "", "")
			return nil, false
		case slices.Contains(list, item.AsString()):
			b.error(codeValue, b.at(name), fmt.Sprintf("%s names %s twice", name, item.AsString()), "", "")
			return nil, false
		}
		list = append(list, item.AsString())
	}
	return list, true
}

// textMap returns strings by name.
func (b block) textMap(name string) (map[string]string, bool) {
	v, ok := b.get(name, cty.Map(cty.String))
	if !ok {
		return nil, false
	}
	out := map[string]string{}
	for k, item := range v.AsValueMap() {
		if item.IsNull() {
			b.error(codeValue, b.at(name), fmt.Sprintf("%s of %s is null", k, name), "", "")
			return nil, false
		}
		out[k] = item.AsString()
	}
	return out, true
}

// whole returns an integer between lo and hi.
func (b block) whole(name string, lo, hi int) (int, bool) {
	v, ok := b.get(name, cty.Number)
	if !ok {
		return 0, false
	}
	return b.wholeValue(name, v, lo, hi)
}

func (b block) wholeValue(name string, v cty.Value, lo, hi int) (int, bool) {
	n, accuracy := v.AsBigFloat().Int64()
	if accuracy != big.Exact || n < int64(lo) || n > int64(hi) {
		b.error(codeValue, b.at(name), fmt.Sprintf("%s must be a whole number from %d to %d", name, lo, hi), "it is "+show(v), "")
		return 0, false
	}
	return int(n), true
}

// duration returns a time such as "10m", more than zero.
func (b block) duration(name string) (time.Duration, bool) {
	text, ok := b.text(name)
	if !ok {
		return 0, false
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		b.error(codeValue, b.at(name), fmt.Sprintf("%s is not a length of time", name), fmt.Sprintf("it is %q", text), `write it as in "90s", "10m" or "1h30m"`)
		return 0, false
	}
	return d, true
}

// instance is one element of a for_each; without one there is a single
// instance with an empty name.
type instance struct {
	name  string
	scope scope
}

// instances expands the for_each of b.
func (b block) instances() ([]instance, bool) {
	e := b.expr("for_each")
	if e == nil {
		return []instance{{"", b.scope}}, true
	}
	v, ok := b.eval(e, b.scope)
	if !ok {
		return nil, false
	}
	t := v.Type()
	if v.IsNull() || !(t.IsObjectType() || t.IsMapType() || t.IsSetType() && t.ElementType() == cty.String) {
		hint := ""
		if t.IsTupleType() || t.IsListType() {
			hint = "write for_each = toset(…)"
		}
		b.error(codeType, e.Range(), "for_each must be a set of strings or a map", "it is "+show(v), hint)
		return nil, false
	}
	var list []instance
	for it := v.ElementIterator(); it.Next(); {
		k, item := it.Element()
		if k.IsNull() || k.AsString() == "" {
			b.error(codeValue, e.Range(), "an element of for_each has no name", "", "")
			return nil, false
		}
		each := cty.ObjectVal(map[string]cty.Value{"key": k, "value": item})
		list = append(list, instance{k.AsString(), b.scope.with("each", each)})
	}
	return list, true
}
