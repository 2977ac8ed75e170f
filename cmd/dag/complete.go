package main

import (
	"context"
	"slices"
	"strings"

	"dag/engine/addr"
	"dag/engine/config"
	"dag/engine/graph"
	"dag/engine/lake"
	"dag/engine/plan"
)

// completer lists what a selector may go on with, in one project.
type completer struct {
	ctx     context.Context
	project *project // nil: there is none, and nothing to offer
	one     bool     // a partition is to be named, by all of its own keys
	lake    *lake.Lake
	seen    map[addr.Dataset][]series
}

// selector offers the terms of an expression, after what is typed of it.
func (c *completer) selector(typed string) []choice {
	head, word := lastTerm(typed)
	if before, ok := strings.CutSuffix(head, "+"); ok {
		before = strings.TrimRight(before, "0123456789")
		if before != "" && !strings.ContainsAny(before[len(before)-1:], " ,(!") {
			return nil // this + asks for descendants, and ends its term
		}
	}
	list := c.term(word)
	for i := range list {
		list[i].text = head + list[i].text
	}
	return list
}

// lastTerm cuts what is typed of the last term off the rest.
func lastTerm(typed string) (head, word string) {
	depth, start := 0, 0
	for i, r := range typed {
		switch {
		case r == '[' || r == '{':
			depth++
		case r == ']' || r == '}':
			depth--
		case depth <= 0 && strings.ContainsRune(" ,()!+", r):
			start = i + 1
		}
	}
	return typed[:start], typed[start:]
}

func (c *completer) term(word string) []choice {
	if i := openBracket(word); i >= 0 {
		return c.bracket(word[:i], word[i+1:])
	}
	kind, _, _ := strings.Cut(word, ":")
	words := map[string][]string{"tag": c.project.graph.Tags(), graph.KindState: plan.StateWords(), graph.KindReason: plan.ReasonWords()}
	if list, ok := words[kind]; ok && strings.Contains(word, ":") {
		var out []choice
		for _, w := range list {
			out = append(out, choice{text: kind + ":" + w})
		}
		return out
	}
	list := c.names(word)
	for _, kind := range []string{graph.KindState, graph.KindReason, "tag"} {
		if len(words[kind]) > 0 {
			list = append(list, choice{text: kind + ":", about: "by " + kind, open: true})
		}
	}
	return list
}

// openBracket finds the bracket that is not closed; -1 for none.
func openBracket(word string) int {
	var open []int
	for i, r := range word {
		switch {
		case r == '[':
			open = append(open, i)
		case r == ']' && len(open) > 0:
			open = open[:len(open)-1]
		}
	}
	if len(open) == 0 {
		return -1
	}
	return open[0]
}

// names offers stages and datasets, and a slice of what has been typed in full.
func (c *completer) names(word string) []choice {
	var out []choice
	add := func(name, about string) {
		out = append(out, choice{text: name, about: about})
		if name == word && len(c.keys(word)) > 0 {
			out = append(out, choice{text: name + "[", about: "some of its partitions", open: true})
		}
	}
	for _, s := range c.project.graph.Stages {
		about := s.Description
		if about == "" {
			about = "stage of " + s.Spec.Name
		}
		if s.Addr.Instance != "" {
			add(s.Addr.Name, "all instances of the stage")
		}
		add(s.Addr.String(), headline(about))
	}
	for _, d := range c.project.config.Datasets {
		add(d.Addr.String(), headline(d.Description))
	}
	return out
}

func headline(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// bracket offers what may stand in the brackets after a name: an instance, keys,
// and the values of the key that is typed.
func (c *completer) bracket(name, inner string) []choice {
	if inner == "" || inner[0] == '"' {
		if list := c.instances(name); len(list) > 0 {
			return append(list, c.condition(name, inner)...)
		}
	}
	return c.condition(name, inner)
}

func (c *completer) instances(name string) []choice {
	var out []choice
	for _, s := range c.project.graph.Stages {
		if s.Addr.Name == name && s.Addr.Instance != "" {
			out = append(out, choice{text: s.Addr.String(), about: headline(s.Description)})
		}
	}
	return out
}

func (c *completer) condition(name, inner string) []choice {
	i := strings.LastIndexByte(inner, ',') + 1
	before, text := name+"["+inner[:i], inner[i:]
	have := map[string]string{}
	for _, cond := range strings.Split(inner[:i], ",") {
		if key, value, ok := strings.Cut(cond, "="); ok {
			have[key] = value
		}
	}
	key, value, chosen := strings.Cut(text, "=")
	if !chosen {
		return c.keyChoices(name, before, have)
	}
	before += key + "="
	if from, to, ok := strings.Cut(value, ".."); ok {
		before, value = before+from+"..", to
	}
	known := c.values(c.named(name), key, have)
	var out []choice
	for _, v := range grouped(known, value) {
		out = append(out, choice{text: before + v, open: true})
	}
	if slices.Contains(known, value) {
		have[key] = value
		out = slices.DeleteFunc(out, func(ch choice) bool { return ch.text == before+value })
		further := c.keyChoices(name, before+value+",", have)
		if !c.one || len(further) == 0 {
			out = append(out, choice{text: before + value + "]"})
		}
		out = append(out, further...)
	}
	return out
}

func (c *completer) keyChoices(name, before string, have map[string]string) []choice {
	var out []choice
	for _, k := range c.keys(name) {
		if _, ok := have[k.Name]; !ok {
			out = append(out, choice{text: before + k.Name + "=", open: true})
			if c.one {
				break
			}
		}
	}
	return out
}

// named returns the datasets that a term means; all for a term that is not the
// address of any.
func (c *completer) named(name string) []*config.Dataset {
	sel, list := c.project.graph.Select(graph.Request{Select: []string{name}})
	if list.HasErrors() {
		return nil
	}
	var out []*config.Dataset
	for _, d := range c.project.config.Datasets {
		if sel.Dataset(d.Addr) != nil {
			out = append(out, d)
		}
	}
	return out
}

// keys are those that the datasets of a term have, own ones first.
func (c *completer) keys(name string) []*config.Key {
	var own, derived []*config.Key
	for _, d := range c.named(name) {
		own, derived = append(own, d.Keys...), append(derived, d.Derived...)
	}
	if c.one {
		derived = nil
	}
	var out []*config.Key
	for _, k := range append(own, derived...) {
		if !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	return out
}

// partition offers the address of one partition: a name, and values for its keys
// in order.
func (c *completer) partition(typed string) []choice {
	c.one = true
	if i := openBracket(typed); i >= 0 {
		return c.bracket(typed[:i], typed[i+1:])
	}
	list := c.names(typed)
	for i := range list {
		if !list[i].open && len(c.keys(list[i].text)) > 0 {
			list[i].text, list[i].open = list[i].text+"[", true
		}
	}
	return list
}
