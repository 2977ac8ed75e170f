package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"dag/engine/diag"
	"dag/engine/graph"
	"dag/engine/plan"
)

// selectFlags are the flags that select, the same for every verb.
type selectFlags struct {
	selects, excludes, symbols []string
	product, layer             string
	dt, dates, start, end      string
}

func (f *selectFlags) register(fs *pflag.FlagSet) {
	fs.StringArrayVarP(&f.selects, "select", "s", nil, "select by `expression`: addresses, globs, +ancestors, descendants+, tag:x, state:stale, slices [symbol=ES*]; repeatable")
	fs.StringArrayVarP(&f.excludes, "exclude", "x", nil, "leave out by `expression`; repeatable")
	fs.StringVar(&f.product, "product-type", "", "only this product: `future` or future_option")
	fs.StringVar(&f.layer, "layer", "", "only this layer: `bronze`, silver, gold or all")
	fs.StringSliceVar(&f.symbols, "symbol", nil, "only this contract or root: `ESU5` or ES; repeatable")
	fs.StringVar(&f.dt, "dt", "", "only this `date`: YYYY-MM-DD")
	fs.StringVar(&f.dates, "dates", "", "only these dates: `A:B`, both included, or D1,D2")
	fs.StringVar(&f.start, "start-date", "", "only from this `date` on")
	fs.StringVar(&f.end, "end-date", "", "only up to this `date`")
}

// symbolKeys are the keys that --symbol may mean: a contract, or else its root.
var symbolKeys = []string{"symbol", "root"}

// request is what the flags and the bare arguments select.
func (f *selectFlags) request(args []string) (graph.Request, error) {
	r := graph.Request{
		Select: append(slices.Clone(f.selects), args...), Exclude: f.excludes,
		Product: f.product, Layer: f.layer, AnyKey: graph.AnyKey{Keys: symbolKeys, Values: f.symbols},
	}
	ways := 0
	for _, way := range []bool{f.dt != "", f.dates != "", f.start+f.end != ""} {
		if way {
			ways++
		}
	}
	switch {
	case ways > 1:
		return r, mistake("usage", "the dates are given in two ways", "use one of --dt, --dates, and --start-date with --end-date")
	case strings.Contains(f.dt, ","):
		return r, mistake("usage", fmt.Sprintf("--dt %q is more than one date", f.dt), "--dates takes several: A:B, or D1,D2")
	case f.dt != "":
		r.Dates = []string{f.dt}
	case f.dates != "":
		r.Dates = slices.Compact(strings.Split(f.dates, ","))
	case ways == 1:
		r.Dates = []string{f.start + ".." + f.end}
	}
	return r, nil
}

// requestText writes a request as it would be typed.
func requestText(r graph.Request) string {
	var parts []string
	add := func(flag, value string) {
		if value != "" {
			parts = append(parts, flag, shellQuote(value))
		}
	}
	for _, s := range r.Select {
		parts = append(parts, shellQuote(s))
	}
	for _, x := range r.Exclude {
		add("-x", x)
	}
	add("--product-type", r.Product)
	add("--layer", r.Layer)
	for _, s := range r.AnyKey.Values {
		add("--symbol", s)
	}
	add("--dates", strings.ReplaceAll(strings.Join(r.Dates, ","), "..", ":"))
	return strings.Join(parts, " ")
}

// loadSelected loads the project and resolves a selection in it.
func (a *app) loadSelected(r graph.Request) (*project, *graph.Selection, error) {
	p, err := a.load()
	if err != nil {
		return nil, nil, err
	}
	sel, err := p.choose(r)
	return p, sel, err
}

// choose resolves a request, and checks the words that are no selectors
// against what the project has.
func (p *project) choose(r graph.Request) (*graph.Selection, error) {
	var products, layers, keys []string
	for _, d := range p.config.Datasets {
		products = append(products, d.Addr.Product)
		layers = append(layers, d.Addr.Layer)
	}
	for _, k := range p.config.Keys {
		keys = append(keys, k.Name)
	}
	var list diag.List
	check := func(flag, value string, known []string) {
		if value != "" && !slices.Contains(known, value) {
			slices.Sort(known)
			hint := didYouMean(value, known)
			if hint == "" {
				hint = "there are " + strings.Join(slices.Compact(known), ", ")
			}
			list = append(list, diag.Diagnostic{Code: "empty_selection", Summary: fmt.Sprintf("%s %q matches no dataset", flag, value), Hint: hint})
		}
	}
	check("--product-type", r.Product, products)
	check("--layer", r.Layer, append(layers, "all"))
	if len(r.AnyKey.Values) > 0 && !slices.ContainsFunc(symbolKeys, func(k string) bool { return slices.Contains(keys, k) }) {
		list = append(list, diag.Diagnostic{Code: "unknown_key", Summary: "--symbol selects by the keys symbol and root, and this project has neither", Hint: "its keys are " + strings.Join(keys, ", ") + "; select with a slice, as in 'DATASET[key=value]'"})
	}
	if list.HasErrors() {
		return nil, list.Err()
	}
	s, l := p.graph.Select(r)
	if !l.HasErrors() {
		l = append(l, plan.CheckWords(s)...)
	}
	return s, l.Err()
}
