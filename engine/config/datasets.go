package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"dag/engine/addr"
	"dag/engine/contract"
)

// declaration is one dataset or source whose address is known.
type declaration struct {
	block
	addr addr.Dataset
}

// readDatasets declares all sources and datasets first, so that a reference to
// one that is in error is not reported as unknown.
func (l *loader) readDatasets() {
	var all []declaration
	for _, b := range l.blocks["source"] {
		all = append(all, l.declare(b, &sourceSpec)...)
	}
	for _, b := range l.blocks["dataset"] {
		all = append(all, l.declare(b, &datasetSpec)...)
	}
	first := map[addr.Dataset]declaration{}
	for _, d := range all {
		if f, ok := first[d.addr]; ok {
			l.duplicate(d.hcl.DefRange(), d.title, f.hcl.DefRange())
			continue
		}
		first[d.addr] = d
		var ds *Dataset
		if !l.ok(func() { ds = d.read() }) {
			ds = nil
		}
		l.datasets[d.hcl.Type+" "+d.addr.String()] = ds
		if ds != nil {
			l.config.Datasets = append(l.config.Datasets, ds)
		}
	}
}

// declare expands a block by its for_each and finds the addresses.
func (l *loader) declare(hclBlock *hclsyntax.Block, spec *BlockSpec) []declaration {
	b := l.open(hclBlock, spec, l.scope())
	if b.expr("name") != nil && b.expr("for_each") == nil {
		l.error(codeUnknownArgument, b.at("name"), b.title+" has a name and no for_each", "", "the labels name it: remove name")
	}
	if b.expr("for_each") != nil {
		b.require("name")
	}
	instances, ok := b.instances()
	if !ok {
		l.lostDatasets = true
	}
	var list []declaration
	for _, i := range instances {
		d := declaration{b, addr.Dataset{Layer: hclBlock.Labels[0], Product: hclBlock.Labels[1], Table: hclBlock.Labels[2]}}
		d.scope = i.scope
		if i.name != "" {
			if !l.ok(func() { d.rename() }) || d.expr("name") == nil {
				l.lostDatasets = true
				continue
			}
		}
		list = append(list, d)
	}
	return list
}

// rename gives an instance of a for_each its own name.
func (d *declaration) rename() {
	name, ok := d.text("name")
	if !ok {
		d.errors++
		return
	}
	d.checkName(name, d.at("name"))
	d.addr.Table = name
	d.title = d.hcl.Type + " " + d.addr.String()
}

func (d declaration) read() *Dataset {
	ds := &Dataset{Addr: d.addr, Source: d.hcl.Type == "source", Range: toRange(d.hcl.DefRange())}
	ds.Description, _ = d.text("description")
	ds.Tags, _ = d.texts("tags")
	d.requireAll()
	if d.ok(func() { d.readKeys(ds) }) && d.expr("keys") != nil && d.expr("path") != nil {
		d.readPath(ds)
	}
	if ds.Source {
		d.readFiles(ds)
		return ds
	}
	ds.Unstored = d.expr("stored") != nil && !d.flag("stored")
	d.readContract(ds)
	d.readTables(ds)
	return ds
}

func (d declaration) readKeys(ds *Dataset) {
	names, _ := d.texts("keys")
	dates := 0
	for _, n := range names {
		k, ok := d.keys[n]
		switch {
		case !ok:
			d.unknown("key", n, d.at("keys"), mapKeys(d.keys))
		case k == nil:
			d.errors++ // its own error has been reported
		default:
			ds.Keys = append(ds.Keys, k)
			if k.Date {
				dates++
			}
		}
	}
	if dates > 1 {
		d.error(codeValue, d.at("keys"), fmt.Sprintf("%s has %d date keys", d.title, dates), "", "a dataset has one date key at most")
	}
	ds.Derived = d.derivedKeys(ds.Keys)
}

func (d declaration) readContract(ds *Dataset) {
	name, ok := d.text("contract")
	if !ok {
		return
	}
	ds.ContractPath = name
	ds.Contract = d.contractAt(name, d.at("contract"), d.valuesOf("contract"))
	if ds.Contract == nil {
		return
	}
	ds.Sort, _ = d.texts("sort")
	for _, column := range ds.Sort {
		if !ds.Contract.Schema.HasField(column) {
			d.error(codeUnknownColumn, d.at("sort"), fmt.Sprintf("contract %s has no column %s", name, column), "", didYouMean(column, columnNames(ds.Contract)))
		}
	}
}

// tableName is what a further table may be called: the name of its file.
var tableName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// readTables reads the contracts of what a partition holds beside its rows.
func (d declaration) readTables(ds *Dataset) {
	paths, ok := d.textMap("tables")
	if !ok {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(paths)) {
		if !tableName.MatchString(name) {
			d.error(codeValue, d.at("tables"), fmt.Sprintf("%q cannot be the name of a table", name), "", "use lower-case letters, digits and _; a letter first")
			continue
		}
		c := d.contractAt(paths[name], d.at("tables"), d.valuesOf("tables"))
		if c != nil {
			ds.Tables = append(ds.Tables, Table{name, c, paths[name]})
		}
	}
}

// valuesOf shows what the references in an argument stand for.
func (b block) valuesOf(argument string) string { return valuesIn(b.expr(argument), b.scope) }

// contractAt reads a contract once; nil counts as an error that is reported.
func (b block) contractAt(name string, at hcl.Range, values string) *contract.Contract {
	c, ok := b.contracts[name]
	if ok {
		if c == nil {
			b.errors++
		}
		return c
	}
	b.contracts[name] = nil
	if !fs.ValidPath(name) {
		b.error(codeMissingContract, at, fmt.Sprintf("%q is not a path inside of %s", name, contractsFolder), values, "write it without .. and leading slash")
		return nil
	}
	text, err := fs.ReadFile(b.opts.Contracts, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		delete(b.contracts, name) // each dataset that names it is reported
		b.error(codeMissingContract, at, fmt.Sprintf("there is no contract %s%s", contractsFolder, name), values, cmp.Or(didYouMean(name, b.contractNames(path.Dir(name))), "contracts are Avro schemas in the folder "+contractsFolder+" beside pipelines/"))
		return nil
	case err != nil:
		b.error(codeFile, at, fmt.Sprintf("contract %s%s cannot be read: %v", contractsFolder, name, plain(err)), values, "")
		return nil
	}
	c, ds := contract.Parse(contractsFolder+name, text)
	for _, d := range ds {
		b.add(d)
	}
	b.contracts[name] = c
	return c
}

// contractNames lists the contracts for a suggestion: those of the same folder
// first, since ties go to the earlier.
func (l *loader) contractNames(folder string) []string {
	var near, far []string
	_ = fs.WalkDir(l.opts.Contracts, ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil || e.IsDir() || path.Ext(name) != ".avsc":
		case path.Dir(name) == folder:
			near = append(near, name)
		default:
			far = append(far, name)
		}
		return nil // what cannot be listed cannot be suggested
	})
	return append(near, far...)
}

func columnNames(c *contract.Contract) []string {
	var names []string
	for _, f := range c.Schema.Fields() {
		names = append(names, f.Name)
	}
	return names
}
