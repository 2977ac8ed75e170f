package view

import (
	"cmp"
	"io"
	"slices"
	"time"

	"dag/engine/graph"
)

// RunDiffDoc compares two runs, see schemas/run_diff.schema.json. In every pair the
// first is of the first run.
type RunDiffDoc struct {
	Command       string          `json:"command"`
	FormatVersion int             `json:"format_version"`
	Runs          [2]string       `json:"runs"`
	ElapsedNS     [2]int64        `json:"elapsed_ns"`
	Settings      []DifferentDoc  `json:"settings"` // selection, variables, workers, definitions
	Units         []UnitDiffDoc   `json:"units"`    // that ended otherwise, or made other content
	Same          int             `json:"same"`     // units that did not
	Stages        []StageTimesDoc `json:"stages"`   // that ran in either
}

// DifferentDoc is a setting that differs; empty where the run has none.
type DifferentDoc struct {
	What   string `json:"what"`
	First  string `json:"first"`
	Second string `json:"second"`
}

// UnitDiffDoc is a unit that differs. A result is empty where the run did not have
// the unit.
type UnitDiffDoc struct {
	Unit       string         `json:"unit"`
	Results    [2]string      `json:"results"`
	ElapsedNS  [2]int64       `json:"elapsed_ns"`
	Partitions []DifferentDoc `json:"partitions"` // made by both with other content, with their digests
}

// StageTimesDoc is what the units of a stage took together.
type StageTimesDoc struct {
	Stage     string   `json:"stage"`
	Units     [2]int   `json:"units"` // that ran
	ElapsedNS [2]int64 `json:"elapsed_ns"`
}

// NewRunDiff compares settings and units.
func NewRunDiff(a, b RunDoc, unitsA, unitsB []UnitDoc, selected func(graph.Request) string) *RunDiffDoc {
	d := &RunDiffDoc{
		Command: "diff", FormatVersion: formatVersion, Runs: [2]string{a.RunID, b.RunID}, ElapsedNS: [2]int64{a.ElapsedNS, b.ElapsedNS},
		Settings: []DifferentDoc{}, Units: []UnitDiffDoc{}, Stages: []StageTimesDoc{},
	}
	d.settings(a, b, selected)
	pairs := map[string]*[2]*UnitDoc{}
	times := map[string]*StageTimesDoc{}
	for i, units := range [2][]UnitDoc{unitsA, unitsB} {
		for k := range units {
			u := &units[k]
			if pairs[u.Name()] == nil {
				pairs[u.Name()] = &[2]*UnitDoc{}
			}
			pairs[u.Name()][i] = u
			if u.Attempts == 0 {
				continue
			}
			if times[u.Stage] == nil {
				times[u.Stage] = &StageTimesDoc{Stage: u.Stage}
			}
			times[u.Stage].Units[i]++
			times[u.Stage].ElapsedNS[i] += u.ElapsedNS
		}
	}
	for _, name := range sortedKeys(pairs) {
		if x := diffUnit(name, pairs[name]); x.Results[0] != x.Results[1] || len(x.Partitions) > 0 {
			d.Units = append(d.Units, x)
		} else {
			d.Same++
		}
	}
	for _, stage := range sortedKeys(times) {
		d.Stages = append(d.Stages, *times[stage])
	}
	return d
}

// settings compares what the runs were asked for, and the definitions they had.
func (d *RunDiffDoc) settings(a, b RunDoc, selected func(graph.Request) string) {
	setting := func(what, x, y string) {
		if x != y {
			d.Settings = append(d.Settings, DifferentDoc{what, x, y})
		}
	}
	yes := map[bool]string{true: "yes", false: "no"}
	setting("selection", a.selected(selected), b.selected(selected))
	setting("forced", yes[a.Force], yes[b.Force])
	setting("version", a.Version, b.Version)
	setting("workers", Count(a.Workers), Count(b.Workers))
	setting("memory", Bytes(a.Memory), Bytes(b.Memory))
	for _, group := range []struct {
		what string
		x, y map[string]string
	}{{"variable ", a.Variables, b.Variables}, {"definition of ", a.Definitions, b.Definitions}} {
		names := slices.Concat(sortedKeys(group.x), sortedKeys(group.y))
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			setting(group.what+name, group.x[name], group.y[name])
		}
	}
}

func diffUnit(name string, pair *[2]*UnitDoc) UnitDiffDoc {
	x := UnitDiffDoc{Unit: name, Partitions: []DifferentDoc{}}
	for i, u := range pair {
		if u != nil {
			x.Results[i], x.ElapsedNS[i] = u.Result, u.ElapsedNS
		}
	}
	if pair[0] == nil || pair[1] == nil {
		return x
	}
	for i, part := range pair[0].Partitions {
		k := slices.Index(pair[1].Partitions, part)
		if k < 0 {
			continue
		}
		if was, is := at(pair[0].Digests, i), at(pair[1].Digests, k); was != is {
			x.Partitions = append(x.Partitions, DifferentDoc{part, was, is})
		}
	}
	return x
}

// shownDiffs is how many units the text names, those that both runs have first.
const shownDiffs = 40

// inOne is 1 for a unit that only one of the runs has.
func (x UnitDiffDoc) inOne() int {
	if x.Results[0] == "" || x.Results[1] == "" {
		return 1
	}
	return 0
}

// Text writes what differs, and what the stages took.
func (d *RunDiffDoc) Text(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}
	none := func(text string) string { return cmp.Or(shortDigest(text), "–") }
	t := &table{}
	t.text("", d.Runs[0], d.Runs[1])
	for _, x := range d.Settings {
		t.text(x.What, none(x.First), none(x.Second))
	}
	units := slices.Clone(d.Units)
	slices.SortStableFunc(units, func(a, b UnitDiffDoc) int { return cmp.Compare(a.inOne(), b.inOne()) })
	for _, u := range units[:min(len(units), shownDiffs)] {
		if u.Results[0] != u.Results[1] {
			t.text(u.Unit, none(u.Results[0]), none(u.Results[1]))
		}
		for _, x := range u.Partitions {
			t.text(x.What, none(x.First), none(x.Second))
		}
	}
	if len(d.Settings)+len(d.Units) == 0 {
		p.printf("The runs %s and %s differ in nothing but their times.\n", d.Runs[0], d.Runs[1])
	} else {
		t.print(p, "")
	}
	if n := len(units) - shownDiffs; n > 0 {
		p.printf("… and %s more: all of them are in the JSON\n", plural(n, "unit"))
	}
	if len(d.Stages) == 0 {
		return p.err
	}
	p.printf("\n")
	t = &table{right: []bool{false, true, true, true, true}}
	t.text("stage", "units", "took", "units", "took")
	for _, x := range d.Stages {
		t.text(x.Stage, Count(x.Units[0]), took(x.Units[0], x.ElapsedNS[0]), Count(x.Units[1]), took(x.Units[1], x.ElapsedNS[1]))
	}
	t.text("in all", "", Duration(time.Duration(d.ElapsedNS[0])), "", Duration(time.Duration(d.ElapsedNS[1])))
	t.print(p, "")
	return p.err
}

// took is what units took together.
func took(units int, ns int64) string {
	if units == 0 {
		return "–"
	}
	return Duration(time.Duration(ns))
}
