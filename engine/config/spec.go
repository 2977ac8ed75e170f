package config

import "slices"

// BlockSpec is what a type of block may hold. Load reads blocks by it, and the
// reference is printed from it.
type BlockSpec struct {
	Type   string
	Labels []string // what each label names; none: the block has no labels
	Doc    string
	// Once tells that there is one such block at most where it may stand.
	Once bool
	// Names tells that the arguments have names of the writer's own: Doc says
	// what they mean, and Arguments is empty.
	Names     bool
	Arguments []ArgumentSpec
	Blocks    []*BlockSpec
	Example   string // canonical HCL
}

// ArgumentSpec is one argument of a block.
type ArgumentSpec struct {
	Name     string
	Type     string // as a person says it
	Required bool
	Default  string // what holds without it; empty where Required or nothing does
	Doc      string
}

// Blocks returns the specs of the blocks that may stand at the top of a file, in
// the order they are explained. The caller must not change them.
func Blocks() []*BlockSpec {
	return []*BlockSpec{&variableSpec, &localsSpec, &lakeSpec, &calendarSpec, &keySpec, &sourceSpec, &datasetSpec, &stageSpec}
}

// blockSpec is the spec of a type of top-level block, nil for an unknown one.
func blockSpec(kind string) *BlockSpec {
	for _, s := range Blocks() {
		if s.Type == kind {
			return s
		}
	}
	return nil
}

// blockTypes are the types of top-level blocks, sorted.
func blockTypes() []string {
	var types []string
	for _, s := range Blocks() {
		types = append(types, s.Type)
	}
	slices.Sort(types)
	return types
}

// argumentNames are the names of the arguments, in order; required keeps those
// that must be there.
func (s *BlockSpec) argumentNames(required bool) []string {
	var names []string
	for _, a := range s.Arguments {
		if a.Required || !required {
			names = append(names, a.Name)
		}
	}
	return names
}

// blockNames are the types of the inner blocks, in order.
func (s *BlockSpec) blockNames() []string {
	var names []string
	for _, b := range s.Blocks {
		names = append(names, b.Type)
	}
	return names
}

// Types of arguments, as a person says them.
const (
	typeText      = "string"
	typeTexts     = "list of strings"
	typeNumber    = "number"
	typeBool      = "bool"
	typeDuration  = `length of time, as "10m"`
	typeReference = "reference"
)

var (
	descriptionArgument = ArgumentSpec{Name: "description", Type: typeText, Doc: "What it is, for people. It is not part of any fingerprint."}
	tagsArgument        = ArgumentSpec{Name: "tags", Type: typeTexts, Doc: "Words that `tag:WORD` selects by."}
	forEachArgument     = ArgumentSpec{Name: "for_each", Type: "set of strings, or map",
		Doc: "Makes an instance of the block for each element. Inside, `each.key` is the element or its name in the map, `each.value` its value."}
)

var variableSpec = BlockSpec{
	Type: "variable", Labels: []string{"name"},
	Doc: "A value that can be given from outside; expressions read it as `var.NAME`. The first of these that has a value wins: `--var`, `--var-file` " +
		"(the last file first), `pipelines/*.auto.dagvars` (the last name first), the environment variable `DAG_VAR_NAME`, `default`.",
	Arguments: []ArgumentSpec{
		{Name: "type", Type: "type, without quotes", Default: "any", Doc: "`string`, `number`, `bool`, `list(T)`, `set(T)`, `map(T)`, `object({…})`, `tuple([…])` or `any`; a value is converted to it, or refused."},
		{Name: "default", Type: "of `type`", Doc: "The value when none is given. Without it one must be given. It may use functions, and no references."},
		descriptionArgument,
	},
	Blocks: []*BlockSpec{&validationSpec},
	Example: `variable "semantics" {
  type    = string
  default = "corrected"
  validation {
    condition     = contains(["corrected", "reference"], var.semantics)
    error_message = "semantics is \"corrected\" or \"reference\"."
  }
}`,
}

var validationSpec = BlockSpec{
	Type: "validation", Doc: "A rule that the value must keep. There may be several.",
	Arguments: []ArgumentSpec{
		{Name: "condition", Type: typeBool, Required: true, Doc: "Must come to true; it may use `var`, and functions."},
		{Name: "error_message", Type: typeText, Required: true, Doc: "What is said when it does not."},
	},
}

var localsSpec = BlockSpec{
	Type: "locals", Names: true,
	Doc:     "Named values; expressions read them as `local.NAME`. There may be several such blocks, and values may use each other in any order. Each argument is one value.",
	Example: `locals { levels = ["pm_high", "pm_low", "or_high", "or_low"] }`,
}

var lakeSpec = BlockSpec{
	Type: "lake", Doc: "Where the data is. Every project has one, unless `--lake` is given.", Once: true,
	Arguments: []ArgumentSpec{{Name: "root", Type: typeText, Required: true, Doc: "The folder of the lake; a relative one counts from the project."}},
	Example:   `lake { root = var.lake }`,
}

var calendarSpec = BlockSpec{
	Type: "calendar", Labels: []string{"name"},
	Doc: "Sessions: which days a date key has partitions for, and what a window counts. A day is a session if it is one of the weekdays and no holiday.",
	Arguments: []ArgumentSpec{
		{Name: "timezone", Type: typeText, Required: true, Doc: "Name of the IANA database."},
		{Name: "weekdays", Type: typeTexts, Required: true, Doc: "Of `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`."},
		{Name: "holidays", Type: typeTexts, Default: "none", Doc: "Dates that are no sessions, as `YYYY-MM-DD`."},
		{Name: "first", Type: typeText, Default: "the oldest file of a source", Doc: "The first session, as `YYYY-MM-DD`. Without it folders of datasets count as well, up to 30 years before the oldest file."},
		{Name: "last", Type: typeText, Default: "the newest file of a source", Doc: "The last session, as `YYYY-MM-DD`. Without it folders of datasets count as well, up to 30 years after the newest file."},
	},
	Example: `calendar "cme" {
  timezone = "America/New_York"
  weekdays = ["mon", "tue", "wed", "thu", "fri"]
  holidays = [for row in csvdecode(file("calendars/cme_holidays.csv")) : row.date]
}`,
}

var keySpec = BlockSpec{
	Type: "key", Labels: []string{"name"},
	Doc: "A key of partitions. A date key has a calendar; any other may have a pattern, and may follow from another key.",
	Arguments: []ArgumentSpec{
		{Name: "type", Type: "`string` or `date`, without quotes", Required: true, Doc: "Dates are written `YYYY-MM-DD`. A dataset has one date key at most."},
		{Name: "pattern", Type: typeText, Default: "any value that can be a folder's name", Doc: "Regular expression (RE2) of the whole value. What does not match never becomes a path."},
		{Name: "derive", Type: "expression over one `key.NAME`", Doc: "The value of this key, from that of the other. Every dataset that has the other then has this one too, for mapping and for selection, but not in its paths."},
		{Name: "calendar", Type: typeReference, Doc: "`calendar.NAME`: required for a date, and for nothing else."},
	},
	Example: `key "root" {
  type    = string
  pattern = "^[A-Z0-9]{1,6}$"
  derive  = regex("^([A-Z0-9]+?)[FGHJKMNQUVXZ][0-9]{1,2}$", key.symbol)[0]
}`,
}

// datasetLabels are the parts of an address.
var datasetLabels = []string{"layer", "product", "table"}

var nameArgument = ArgumentSpec{Name: "name", Type: typeText, Doc: "The table in the address of an instance: required with `for_each`, and not allowed without."}

var sourceSpec = BlockSpec{
	Type: "source", Labels: datasetLabels,
	Doc: "Files that somebody else delivers. There is a partition for each session on which files match. Stages refer to it as `source.LAYER.PRODUCT.TABLE`.",
	Arguments: []ArgumentSpec{
		forEachArgument, nameArgument, descriptionArgument,
		{Name: "keys", Type: typeTexts, Required: true, Doc: "Names of the keys that tell one partition from another, in order."},
		{Name: "path", Type: "string with `key.NAME`", Required: true, Doc: "From the lake's root to the folder that holds the files. It may name keys, each once and one in a folder's name."},
		{Name: "files", Type: "string with `key.NAME`", Required: true, Doc: "Glob pattern of the names of a partition's files: `*`, `?`, `[…]`, `{a,b}`. Several matches are read in the order of their names."},
		tagsArgument,
	},
	Example: `source "raw" "future" "market_by_price_10_dbn" {
  keys  = ["root", "dt"]
  path  = "raw/source=databento/product_type=future/symbol=${key.root}/table=market_by_price_10_dbn"
  files = "*${replace(key.dt, "-", "")}*.{dbn,dbn.zst}"
}`,
}

var datasetSpec = BlockSpec{
	Type: "dataset", Labels: datasetLabels,
	Doc: "Partitions that a stage makes: one folder each, with Parquet, a manifest and `_SUCCESS`. Stages refer to it as `dataset.LAYER.PRODUCT.TABLE`, or `dataset.LAYER.PRODUCT[\"TABLE\"]`.",
	Arguments: []ArgumentSpec{
		forEachArgument, nameArgument, descriptionArgument,
		{Name: "keys", Type: typeTexts, Required: true, Doc: "Names of the keys that tell one partition from another, in order."},
		{Name: "path", Type: "string with `key.NAME`", Required: true, Doc: "From the lake's root to a partition's folder. Keys that it does not name are appended, as `dt=2025-06-05`."},
		{Name: "contract", Type: typeText, Required: true, Doc: "The Avro schema of its rows: a path inside of `contracts/`."},
		{Name: "tables", Type: "map of strings", Default: "none", Doc: "Contracts of the tables that each partition holds beside its rows, by the name of the table."},
		{Name: "sort", Type: typeTexts, Default: "in the order they are written", Doc: "Columns that the rows of each file are sorted by; files record it."},
		{Name: "stored", Type: typeBool, Default: "true", Doc: "With false it is never written: the stage that makes it runs inside those that read it."},
		tagsArgument,
	},
	Example: `dataset "bronze" "future" "market_by_price_10" {
  keys     = ["symbol", "dt"]
  path     = "bronze/source=databento/product_type=future/symbol=${key.symbol}/table=market_by_price_10"
  contract = "bronze/future/market_by_price_10.avsc"
  sort     = ["ts_event"]
}`,
}
