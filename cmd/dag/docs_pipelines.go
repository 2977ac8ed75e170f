package main

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"

	"dag/contracts"
	"dag/engine/config"
	"dag/engine/stage"
	"dag/pipelines"
	"dag/stages"
)

// blockPage is a block of the language; Path names those it stands in.
type blockPage struct {
	*config.BlockSpec
	Path  []string
	Depth int
}

// blockPages lists blocks, each before those that stand in it.
func blockPages(list []*config.BlockSpec, above []string) []blockPage {
	var pages []blockPage
	for _, s := range list {
		p := append(slices.Clone(above), s.Type)
		pages = append(pages, blockPage{s, p, len(p)})
		pages = append(pages, blockPages(s.Blocks, p)...)
	}
	return pages
}

// Head is the block's first line.
func (b blockPage) Head() string {
	head := b.Type
	for _, l := range b.Labels {
		head += ` "` + strings.ToUpper(l) + `"`
	}
	return head + " { }"
}

// transformPage is what the reference says of a transform.
type transformPage struct {
	stage.Spec
	Inputs  []portPage
	Outputs []portPage
	Params  []paramPage
	UsedBy  []string // stages of the shipped pipelines
}

// portPage is a port with its columns.
type portPage struct {
	Name, Doc, Kind string
	Columns         []string
	Tables          []tablePage
	Files           []string
}

type tablePage struct {
	Name, Doc string
	Columns   []string
}

type paramPage struct{ Name, Type, Default, Allowed, Doc string }

func transformPageOf(s stage.Spec) transformPage {
	page := transformPage{Spec: s}
	for _, in := range s.Inputs {
		p := portPage{Name: in.Name, Doc: in.Doc, Kind: "tables of a dataset", Columns: columnTexts(in.Columns, nil)}
		if in.Raw {
			p.Kind = "files of a source"
		}
		page.Inputs = append(page.Inputs, p)
	}
	for _, out := range s.Outputs {
		p := portPage{Name: out.Name, Doc: out.Doc, Kind: "its own rows", Columns: columnTexts(out.Schema, nil), Files: out.Files}
		switch x := out.Extends; {
		case out.FanOut:
			p.Kind = "fans out"
		case x != nil && x.Filter:
			p.Kind, p.Columns = "the rows of input `"+x.Port+"` that it keeps, with all their columns", nil
		case x != nil:
			p.Kind, p.Columns = "every row of input `"+x.Port+"` with all its columns, and these", columnTexts(out.Schema, x.Adds)
		}
		for _, t := range out.Tables {
			p.Tables = append(p.Tables, tablePage{t.Name, t.Doc, columnTexts(t.Schema, nil)})
		}
		page.Outputs = append(page.Outputs, p)
	}
	for _, x := range s.Params {
		page.Params = append(page.Params, paramPage{x.Name, string(x.Type), defaultText(x.Default), strings.Join(x.Enum, ", "), x.Doc})
	}
	return page
}

// columnTexts are the columns of a schema, or those of some names.
func columnTexts(s *arrow.Schema, names []string) []string {
	if s == nil {
		return nil
	}
	var list []string
	for _, f := range s.Fields() {
		if names != nil && !slices.Contains(names, f.Name) {
			continue
		}
		text := f.Name + " " + f.Type.String()
		if f.Nullable {
			text += "?"
		}
		list = append(list, text)
	}
	return list
}

// defaultText is a default as it is written in HCL; empty for none.
func defaultText(v any) string {
	if v == nil {
		return ""
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// datasetPage is what the reference says of a dataset or source.
type datasetPage struct {
	*config.Dataset
	KeyNames []string
	Derived  []string
	Folder   string // the path with its keys
	Writer   string
	Readers  []string
	Columns  int
}

func datasetPageOf(d *config.Dataset, list []*config.Stage) datasetPage {
	page := datasetPage{Dataset: d, KeyNames: d.KeyNames()}
	for _, k := range d.Derived {
		page.Derived = append(page.Derived, k.Name)
	}
	var folders []string
	for _, s := range d.Path {
		folders = append(folders, strings.NewReplacer("${key.", "{", "}", "}").Replace(s.String()))
	}
	page.Folder = path.Join(folders...)
	if d.Contract != nil {
		page.Columns = len(d.Contract.Schema.Fields())
	}
	for _, s := range list {
		if slices.ContainsFunc(s.Outputs, func(o config.Output) bool { return o.To == d }) {
			page.Writer = s.Addr.String()
		}
		if slices.ContainsFunc(s.Inputs, func(i config.Input) bool { return i.From == d }) {
			page.Readers = append(page.Readers, s.Addr.String())
		}
	}
	return page
}

// pipelinesPage makes pipelines/README.md.
func pipelinesPage() ([]byte, error) {
	all := stages.All()
	cfg, list := config.Load(config.Options{Pipelines: pipelines.FS, Contracts: contracts.FS, Transforms: all})
	if err := list.Err(); err != nil {
		return nil, err
	}
	var transforms []transformPage
	for _, t := range all {
		page := transformPageOf(t.Spec())
		for _, s := range cfg.Stages {
			if s.Spec.Name == page.Name {
				page.UsedBy = append(page.UsedBy, s.Addr.String())
			}
		}
		transforms = append(transforms, page)
	}
	slices.SortFunc(transforms, func(a, b transformPage) int { return strings.Compare(a.Name, b.Name) })
	var sources, datasets []datasetPage
	for _, d := range cfg.Datasets {
		if page := datasetPageOf(d, cfg.Stages); d.Source {
			sources = append(sources, page)
		} else {
			datasets = append(datasets, page)
		}
	}
	return render("pipelines.md.tmpl", map[string]any{
		"Blocks": blockPages(config.Blocks(), nil), "Functions": config.Functions(), "Transforms": transforms,
		"Sources": sources, "Datasets": datasets, "Variables": cfg.Variables,
	})
}
