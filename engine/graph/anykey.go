package graph

import (
	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/config"
)

// AnyKey selects by values, of which any of several keys may have one. A series
// with none of the keys is selected. A value of the first key implies those that
// are derived from it: they select a fan-out that may make the value, and datasets
// without the first key that something with it is made from.
type AnyKey struct {
	Keys   []string
	Values []string
}

// anyKey resolves an AnyKey at a dataset.
func (g *Graph) anyKey(d *config.Dataset, a AnyKey) Filter {
	if len(a.Values) == 0 {
		return all
	}
	implied := !d.Has(a.Keys[0]) && g.feeds(d.Addr, a.Keys[0], map[addr.Dataset]bool{})
	anyOf := Filter(none)
	for _, v := range a.Values {
		anyOf = either(anyOf, g.anyKeyValue(a.Keys, v, implied))
	}
	return anyOf
}

// feeds tells whether something with a key is made from a dataset.
func (g *Graph) feeds(d addr.Dataset, key string, seen map[addr.Dataset]bool) bool {
	for _, st := range g.consumers[d] {
		for _, o := range st.Outputs {
			if seen[o.To.Addr] {
				continue
			}
			seen[o.To.Addr] = true
			if o.To.Has(key) || g.feeds(o.To.Addr, key, seen) {
				return true
			}
		}
	}
	return false
}

func (g *Graph) anyKeyValue(keys []string, value string, implied bool) Filter {
	return func(e Env) calendar.Set {
		has := false
		for _, key := range keys {
			v, ok := e.Value(key)
			if has = has || ok; ok && (v == value || implied && g.derives(keys[0], value, key) == v) {
				return e.Full
			}
		}
		if e.FanOut && has && g.implies(keys[0], value) && g.matchKey(e, keys[0], value, nil) {
			return e.Full
		}
		if !has {
			return e.Full
		}
		return nil
	}
}

// derives is the value of a key that from=value implies; "" for none.
func (g *Graph) derives(from, value, key string) string {
	for _, k := range g.Config.Keys {
		if k.Name == key && k.DeriveFrom == from {
			if v, ok := k.Derive(value); ok {
				return v
			}
		}
	}
	return ""
}

// implies tells whether some key can be derived from key=value.
func (g *Graph) implies(key, value string) bool {
	for _, k := range g.Config.Keys {
		if k.DeriveFrom == key {
			if _, ok := k.Derive(value); ok {
				return true
			}
		}
	}
	return false
}
