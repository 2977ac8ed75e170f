package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/diag"
)

// Check says why v cannot be a value of the key; nil if it can.
func (k *Key) Check(v string) error {
	if err := addr.CheckValue(v); err != nil {
		return fmt.Errorf("key %s: %w", k.Name, err)
	}
	if k.Date {
		if _, err := calendar.ParseDay(v); err != nil {
			return fmt.Errorf("key %s: %w", k.Name, err)
		}
	}
	return k.CheckPattern(v)
}

// CheckPattern is the part of Check that the key's own pattern is.
func (k *Key) CheckPattern(v string) error {
	if k.Pattern != nil && !k.Pattern.MatchString(v) {
		return fmt.Errorf("key %s: value %q does not match %s", k.Name, v, k.patternText)
	}
	return nil
}

func (l *loader) readKeys() {
	for _, b := range l.blocks["key"] {
		l.keys[b.Labels[0]] = nil // declared, whether or not it is sound
	}
	for _, b := range l.blocks["key"] {
		var k *Key
		if l.ok(func() { k = l.readKey(b) }) {
			l.keys[k.Name] = k
			l.config.Keys = append(l.config.Keys, k)
		}
	}
	for _, k := range slices.Clone(l.config.Keys) {
		l.checkDeriveCycle(k)
	}
}

func (l *loader) readKey(hclBlock *hclsyntax.Block) *Key {
	b := l.open(hclBlock, &keySpec, l.scope())
	b.requireAll()
	k := &Key{Name: hclBlock.Labels[0], Range: toRange(hclBlock.DefRange())}
	if e := b.expr("type"); e != nil {
		switch kind := hcl.ExprAsKeyword(e); kind {
		case "string":
		case "date":
			k.Date = true
		default:
			l.error(codeType, e.Range(), fmt.Sprintf("key %s has a type that no key can have", k.Name), "", "type is string or date, without quotes")
			return k
		}
	}
	for _, name := range []string{"pattern", "derive"} {
		if k.Date && b.expr(name) != nil {
			l.error(codeValue, b.at(name), fmt.Sprintf("key %s is a date and cannot have %s", k.Name, name), "", "dates are always written YYYY-MM-DD")
		}
	}
	b.readPattern(k)
	b.readKeyCalendar(k)
	b.readDerive(k)
	return k
}

func (b block) readPattern(k *Key) {
	text, ok := b.text("pattern")
	if !ok {
		return
	}
	// Bracketed, so that a pattern always speaks of the whole value.
	p, err := regexp.Compile(`\A(?:` + text + `)\z`)
	if err != nil {
		b.error(codeValue, b.at("pattern"), fmt.Sprintf("the pattern of key %s is not a regular expression", k.Name), fmt.Sprintf("it is %q", text), "the syntax is RE2's")
		return
	}
	k.Pattern, k.patternText = p, text
}

func (b block) readKeyCalendar(k *Key) {
	e := b.expr("calendar")
	switch {
	case e == nil && k.Date:
		b.error(codeMissingArgument, b.hcl.DefRange(), fmt.Sprintf("key %s is a date and has no calendar", k.Name), "", "say which days are sessions: calendar = calendar.NAME")
	case e == nil:
	case !k.Date:
		b.error(codeValue, e.Range(), fmt.Sprintf("key %s is no date and cannot have a calendar", k.Name), "", "")
	default:
		k.Calendar = b.calendarRef(e)
	}
}

// calendarRef resolves calendar.NAME.
func (b block) calendarRef(e hclsyntax.Expression) *calendar.Calendar {
	t, _ := hcl.AbsTraversalForExpr(e)
	if len(t) != 2 || t.RootName() != "calendar" {
		b.error(codeType, e.Range(), "calendar must refer to a calendar", "", "write calendar.NAME")
		return nil
	}
	name, _ := stepName(t[1])
	c, ok := b.calendars[name]
	switch {
	case !ok:
		b.unknown("calendar", name, e.Range(), mapKeys(b.calendars))
	case c == nil:
		b.errors++ // its own error has been reported
	}
	return c
}

// readDerive makes Derive of an expression over one other key. Values are
// remembered: a plan asks for the same few again and again.
func (b block) readDerive(k *Key) {
	e := b.expr("derive")
	if e == nil {
		return
	}
	unknown := map[string]cty.Value{}
	for name := range b.keys {
		unknown[name] = cty.UnknownVal(cty.String)
	}
	s := b.scope.with("key", cty.ObjectVal(unknown))
	if !b.checkNames(e, s) {
		return
	}
	used := keysIn(e)
	if len(used) != 1 || used[0] == k.Name {
		b.error(codeDerive, e.Range(), fmt.Sprintf("key %s must derive from exactly one other key", k.Name), "it uses "+cmp.Or(list(used), "no key"), "write an expression over one key.NAME")
		return
	}
	switch v, ds := value(e, s.ctx); {
	case ds.HasErrors():
		b.eval(e, s) // reports it
		return
	case v.Type() != cty.String && v.Type() != cty.DynamicPseudoType:
		b.error(codeType, e.Range(), fmt.Sprintf("derive of key %s must be a string", k.Name), "it is "+article(v.Type().FriendlyName()), "")
		return
	}
	k.DeriveFrom = used[0]
	var known sync.Map // of string to *string
	k.Derive = func(from string) (string, bool) {
		found, ok := known.Load(from)
		if !ok {
			found, _ = known.LoadOrStore(from, derive(e, s, used[0], from))
		}
		text := found.(*string)
		if text == nil {
			return "", false
		}
		return *text, true
	}
}

// derive evaluates e for one value of key; nil if it has none there.
func derive(e hclsyntax.Expression, s scope, key, from string) *string {
	s = s.with("key", cty.ObjectVal(map[string]cty.Value{key: cty.StringVal(from)}))
	v, ds := value(e, s.ctx)
	if ds.HasErrors() || v.IsNull() || !v.IsKnown() || v.Type() != cty.String {
		return nil
	}
	text := v.AsString()
	return &text
}

// keysIn lists the keys that e refers to, by name.
func keysIn(e hclsyntax.Expression) []string { return keysOf(e, "key") }

// keysOf lists the names by which e selects from the objects called roots.
func keysOf(e hclsyntax.Expression, roots ...string) []string {
	var names []string
	for _, t := range e.Variables() {
		if slices.Contains(roots, t.RootName()) && len(t) > 1 {
			if name, ok := stepName(t[1]); ok && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// checkDeriveCycle reports a key that derives from itself by way of others.
func (l *loader) checkDeriveCycle(k *Key) {
	path := k.Name
	for next := l.keys[k.DeriveFrom]; next != nil; next = l.keys[next.DeriveFrom] {
		path += " from " + next.Name
		if next == k {
			l.add(diag.Diagnostic{Code: codeDerive, Summary: fmt.Sprintf("key %s derives from itself", k.Name), Detail: path, Range: k.Range})
			return
		}
		if len(path) > 1000 { // a cycle further up, which its own members report
			return
		}
	}
}

// derivedKeys are the keys that follow from own, in an order in which each one
// follows from own or an earlier one.
func (l *loader) derivedKeys(own []*Key) []*Key {
	has := map[string]bool{}
	for _, k := range own {
		has[k.Name] = true
	}
	var derived []*Key
	for grown := true; grown; {
		grown = false
		for _, name := range mapKeys(l.keys) {
			if k := l.keys[name]; k != nil && !has[name] && has[k.DeriveFrom] {
				derived, grown = append(derived, k), true
				has[name] = true
			}
		}
	}
	return derived
}
