package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"dag/engine/addr"
)

// readPath makes segments of the path: text, which may come from variables
// and for_each, and ${key.NAME}.
func (d declaration) readPath(ds *Dataset) {
	e := d.expr("path")
	segments, ok := d.pathSegments(e)
	if !ok {
		return
	}
	var named []string
	for _, s := range segments {
		d.checkSegment(ds, s, e.Range())
		if s.Key != "" && slices.Contains(named, s.Key) {
			d.error(codePath, e.Range(), fmt.Sprintf("the path of %s names key %s twice", d.title, s.Key), "", "name each key once")
		}
		named = append(named, s.Key)
	}
	for _, k := range ds.Keys {
		switch {
		case slices.Contains(named, k.Name):
		case !ds.Source:
			segments = append(segments, Segment{Prefix: k.Name + "=", Key: k.Name})
		case !k.Date:
			d.error(codePath, e.Range(), fmt.Sprintf("the path of %s does not name its key %s", d.title, k.Name), "only a date can be found by the names of files", fmt.Sprintf("put ${key.%s} into path", k.Name))
		}
	}
	ds.Path = segments
}

// checkSegment reports a folder name that cannot be one, or that holds a key
// which the dataset does not have.
func (d declaration) checkSegment(ds *Dataset, s Segment, at hcl.Range) {
	switch {
	case s.Key == "":
	case findKey(ds.Derived, s.Key) != nil:
		k := findKey(ds.Derived, s.Key)
		d.error(codePath, at, fmt.Sprintf("the path of %s names key %s, which is derived from %s", d.title, s.Key, k.DeriveFrom), "a derived key is no part of a path", "name "+k.DeriveFrom+" instead")
		return
	case ds.Key(s.Key) == nil:
		d.error(codeUnknownKey, at, fmt.Sprintf("the path of %s names key %s, which is not one of its keys", d.title, s.Key), "its keys are "+list(ds.KeyNames()), didYouMean(s.Key, ds.KeyNames()))
		return
	}
	name := s.Name("value")
	switch {
	case name == "" || name[0] == '.' || strings.HasPrefix(s.Prefix, "."):
		d.error(codePath, at, fmt.Sprintf("the path of %s has the folder %q", d.title, s), "a path goes down from the lake root: no empty folder, no leading or final slash, no folder that begins with a dot", "")
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || strings.ContainsRune(`\[]*?"'`, r) }):
		d.error(codePath, at, fmt.Sprintf("the path of %s has the folder %q", d.title, s), `a folder's name has none of \ [ ] * ? " '`, "")
	}
}

// pathSegments splits a path expression into folders.
func (d declaration) pathSegments(e hclsyntax.Expression) ([]Segment, bool) {
	parts := []hclsyntax.Expression{e}
	switch e := e.(type) {
	case *hclsyntax.TemplateExpr:
		parts = e.Parts
	case *hclsyntax.TemplateWrapExpr:
		parts = []hclsyntax.Expression{e.Wrapped}
	}
	segments, ok := []Segment{{}}, true
	for _, p := range parts {
		if key, isKey := d.keyPart(p); isKey {
			last := &segments[len(segments)-1]
			switch {
			case key == "":
				ok = false
			case last.Key != "":
				d.error(codePath, p.Range(), fmt.Sprintf("a folder in the path of %s names two keys, %s and %s", d.title, last.Key, key), "two partitions could be the same folder", "put a slash between them")
				ok = false
			}
			last.Key = key
			continue
		}
		text, good := d.pathText(p)
		if !good {
			ok = false
			continue
		}
		for i, piece := range strings.Split(text, "/") {
			if i > 0 {
				segments = append(segments, Segment{})
			}
			if last := &segments[len(segments)-1]; last.Key == "" {
				last.Prefix += piece
			} else {
				last.Suffix += piece
			}
		}
	}
	return segments, ok
}

// keyPart tells whether a part of a path is ${key.NAME}, and which; the name
// is empty if there is no such key, which has been reported.
func (d declaration) keyPart(e hclsyntax.Expression) (name string, isKey bool) {
	t, ok := e.(*hclsyntax.ScopeTraversalExpr)
	if !ok || t.Traversal.RootName() != "key" || len(t.Traversal) != 2 {
		return "", false
	}
	name, _ = stepName(t.Traversal[1])
	if _, ok := d.keys[name]; !ok {
		d.unknown("key", name, e.Range(), mapKeys(d.keys))
		return "", true
	}
	return name, true
}

// pathText evaluates a part of a path that is not a key.
func (d declaration) pathText(e hclsyntax.Expression) (string, bool) {
	for _, t := range e.Variables() {
		if t.RootName() == "key" {
			d.error(codePath, t.SourceRange(), fmt.Sprintf("the path of %s computes with %s", d.title, traversalText(t)), "", "a path takes text and plain ${key.NAME}")
			return "", false
		}
	}
	v, ok := d.eval(e, d.scope)
	if !ok {
		return "", false
	}
	v, ok = d.converted("path", e, v, cty.String)
	if !ok {
		return "", false
	}
	return v.AsString(), true
}

// checkCollisions reports datasets of which two partitions could be the same
// folder, or one inside the other: replacing the outer would delete the inner.
func (l *loader) checkCollisions() {
	for i, a := range l.config.Datasets {
		for _, b := range l.config.Datasets[i+1:] {
			outer, inner := a, b
			if len(outer.Path) > len(inner.Path) || outer.Source {
				outer, inner = b, a
			}
			// A source's own folder may hold anything: nobody replaces it.
			if outer.Source || len(outer.Path) > len(inner.Path) {
				continue
			}
			if l.mayMeet(outer, inner) {
				l.collision(outer, inner)
			}
		}
	}
}

func (l *loader) collision(outer, inner *Dataset) {
	at, other := outer, inner
	if later(inner, outer) {
		at, other = inner, outer
	}
	how := "could have the same folder"
	if len(outer.Path) < len(inner.Path) {
		how = fmt.Sprintf("collide: a folder of %s could hold one of %s", outer.Addr, inner.Addr)
	}
	d := fmt.Sprintf("%s is %s, %s is %s, declared at %s", at.Addr, pathText(at.Path), other.Addr, pathText(other.Path), other.Range)
	l.add(newError(codeCollision, at.Range, fmt.Sprintf("partitions of %s and %s %s", at.Addr, other.Addr, how), d, "give each dataset a folder of its own, as in table=NAME"))
}

// later tells whether a stands behind b in the texts.
func later(a, b *Dataset) bool {
	if a.Range.File != b.Range.File {
		return a.Range.File > b.Range.File
	}
	return a.Range.Line >= b.Range.Line
}

func pathText(path []Segment) string {
	parts := make([]string, len(path))
	for i, s := range path {
		parts[i] = s.String()
	}
	return strings.Join(parts, "/")
}

// mayMeet tells whether some folder of outer can be, or hold, one of inner.
func (l *loader) mayMeet(outer, inner *Dataset) bool {
	for i, s := range outer.Path {
		if !segmentsMeet(s, outer.Key(s.Key), inner.Path[i], inner.Key(inner.Path[i].Key)) {
			return false
		}
	}
	return true
}

// segmentsMeet tells whether two segments can have the same name. Two keys
// are taken to have values in common, unless the texts around them differ.
func segmentsMeet(a Segment, aKey *Key, b Segment, bKey *Key) bool {
	switch {
	case a.Key == "" && b.Key == "":
		return a.Prefix == b.Prefix
	case a.Key == "":
		v, ok := b.Match(a.Prefix)
		return ok && bKey.Check(v) == nil
	case b.Key == "":
		return segmentsMeet(b, bKey, a, aKey)
	}
	return affixesMeet(a.Prefix, b.Prefix, strings.CutPrefix) && affixesMeet(a.Suffix, b.Suffix, strings.CutSuffix) ||
		overlap(a, b) || overlap(b, a)
}

// overlap tells whether a's value can end within b's prefix, which then goes on as
// a's suffix does: ${key.k}b=a and ab=${key.k} are both "ab=a".
func overlap(a, b Segment) bool {
	rest, ok := strings.CutPrefix(b.Prefix, a.Prefix)
	for n := 1; ok && n < len(rest); n++ {
		if addr.CheckValue(rest[:n]) == nil && strings.HasPrefix(a.Suffix, rest[n:]) {
			return true
		}
	}
	return false
}

// affixesMeet tells whether the longer text is the shorter one and something
// that can be part of a key value.
func affixesMeet(a, b string, cut func(s, part string) (string, bool)) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	rest, ok := cut(a, b)
	return ok && addr.CheckValue("x"+rest) == nil
}
