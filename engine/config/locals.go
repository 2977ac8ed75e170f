package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// localSet evaluates local values by need, so that their order is free.
type localSet struct {
	*loader
	exprs  map[string]*hclsyntax.Attribute
	values map[string]cty.Value // unknown: in error
	stack  []string             // being evaluated
}

func (l *loader) readLocals() {
	s := localSet{l, map[string]*hclsyntax.Attribute{}, map[string]cty.Value{}, nil}
	for _, b := range l.blocks["locals"] {
		for _, inner := range b.Body.Blocks {
			l.error(codeUnknownBlock, inner.TypeRange, "a locals block has no block "+inner.Type+" in it", "", "write NAME = VALUE")
		}
		for _, a := range sortedAttributes(b.Body) {
			if f := s.exprs[a.Name]; f != nil {
				l.duplicate(a.NameRange, "local value "+a.Name, f.NameRange)
				continue
			}
			s.exprs[a.Name] = a
		}
	}
	// Names that exist and have no value yet are unknown, not undeclared.
	declared := map[string]cty.Value{}
	for name := range s.exprs {
		declared[name] = cty.DynamicVal
	}
	l.locals = cty.ObjectVal(declared)
	for _, name := range mapKeys(s.exprs) {
		s.value(name)
	}
	l.locals = cty.ObjectVal(s.values)
}

func (s *localSet) value(name string) cty.Value {
	if v, ok := s.values[name]; ok {
		return v
	}
	if i := slices.Index(s.stack, name); i >= 0 {
		path := append(slices.Clone(s.stack[i:]), name)
		s.error(codeLocalCycle, s.exprs[name].NameRange, "local value "+name+" depends on itself", "local."+strings.Join(path, " → local."), "")
		return cty.DynamicVal
	}
	s.stack = append(s.stack, name)
	e := s.exprs[name].Expr
	needed := map[string]cty.Value{}
	for _, t := range e.Variables() {
		if t.RootName() != "local" || len(t) < 2 {
			continue
		}
		if other, ok := stepName(t[1]); ok && s.exprs[other] != nil {
			needed[other] = s.value(other)
		}
	}
	s.stack = s.stack[:len(s.stack)-1]
	all := s.locals.AsValueMap()
	maps.Copy(all, needed)
	v, ok := s.eval(e, s.scope().with("local", cty.ObjectVal(all)))
	if !ok {
		v = cty.DynamicVal
	}
	s.values[name] = v
	return v
}
