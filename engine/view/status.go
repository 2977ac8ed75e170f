package view

import (
	"io"
	"maps"
	"slices"
	"strings"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/graph"
	"dag/engine/plan"
)

// StatusDoc is the state of datasets, and as JSON: see
// schemas/status.schema.json.
type StatusDoc struct {
	Command       string       `json:"command"`
	FormatVersion int          `json:"format_version"`
	Datasets      []DatasetDoc `json:"datasets"`
	// KnownAfter are the stages some of whose partitions a fan-out has still to tell.
	KnownAfter []KnownAfterDoc `json:"known_after,omitempty"`

	index    map[addr.Dataset]int // while partitions are added
	unstored int                  // partitions that are not counted
	unknown  map[string]int       // units that stand for partitions, by stage
}

// DatasetDoc counts the partitions of a dataset by state.
type DatasetDoc struct {
	Dataset    string             `json:"dataset"`
	Source     bool               `json:"source"`
	Partitions int                `json:"partitions"`
	States     map[plan.State]int `json:"states"`            // only those that occur
	Unknown    int                `json:"unknown,omitempty"` // of the missing: units of a fan-out that stand for partitions nobody knows yet
	Failed     int                `json:"failed,omitempty"`  // of those that are not fresh: what makes them failed when it last ran
	Rows       int64              `json:"rows"`
	Bytes      int64              `json:"bytes"`
	First      string             `json:"first,omitempty"` // dates
	Last       string             `json:"last,omitempty"`

	days map[calendar.Day]plan.State // the worst state of each
}

// states from the worst to the best.
var severity = []plan.State{plan.Broken, plan.MissingNow, plan.Stale, plan.Unverified, plan.Fresh, plan.Empty}

var stateMarks = map[plan.State]struct {
	mark  string
	color color
}{
	plan.Broken: {"!", red}, plan.MissingNow: {"·", red}, plan.Stale: {"▒", yellow},
	plan.Unverified: {"▓", blue}, plan.Empty: {"▁", green}, plan.Fresh: {"█", green},
}

// NewStatus returns an empty document for datasets to be added to.
func NewStatus() *StatusDoc {
	return &StatusDoc{Command: "status", FormatVersion: formatVersion, Datasets: []DatasetDoc{}, index: map[addr.Dataset]int{}, unknown: map[string]int{}}
}

// Add counts one partition.
func (d *StatusDoc) Add(s plan.PartitionState) {
	if s.State == plan.Unstored {
		d.unstored++ // there is nothing to keep up to date
		return
	}
	ds := d.dataset(s.Partition.Dataset, s.Source)
	ds.Rows += s.Rows
	ds.Bytes += s.Bytes
	ds.count(s.State, s.Failed, s.Day)
}

// AddUnknown counts a unit of a fan-out that has never run as one partition that is
// missing.
func (d *StatusDoc) AddUnknown(x plan.UnknownUnit) {
	ds := d.dataset(x.Dataset, false)
	ds.Unknown++
	d.unknown[x.Stage.String()]++
	ds.count(plan.MissingNow, x.Failed, x.Day)
}

// SetKnownAfter notes the stages whose partitions depend on such units.
func (d *StatusDoc) SetKnownAfter(after []plan.KnownAfter) {
	for _, k := range after {
		d.KnownAfter = append(d.KnownAfter, NewKnownAfter(k))
	}
}

func (d *StatusDoc) dataset(a addr.Dataset, source bool) *DatasetDoc {
	i, ok := d.index[a]
	if !ok {
		i = len(d.Datasets)
		d.index[a] = i
		d.Datasets = append(d.Datasets, DatasetDoc{
			Dataset: a.String(), Source: source, States: map[plan.State]int{}, days: map[calendar.Day]plan.State{},
		})
	}
	return &d.Datasets[i]
}

func (ds *DatasetDoc) count(state plan.State, failed bool, day calendar.Day) {
	ds.Partitions++
	ds.States[state]++
	if failed {
		ds.Failed++
	}
	if day == 0 {
		return
	}
	if old, ok := ds.days[day]; !ok || slices.Index(severity, state) < slices.Index(severity, old) {
		ds.days[day] = state
	}
	date := day.String()
	if ds.First == "" || date < ds.First {
		ds.First = date
	}
	ds.Last = max(ds.Last, date)
}

// Sort puts sources first, and datasets in the order in which stages make them.
func (d *StatusDoc) Sort(g *graph.Graph) {
	position := func(ds DatasetDoc) int {
		a, err := addr.ParseDataset(ds.Dataset)
		if s := g.Producer(a); err == nil && s != nil {
			return g.Position(s.Addr)
		}
		return -1
	}
	slices.SortStableFunc(d.Datasets, func(a, b DatasetDoc) int { return position(a) - position(b) })
	clear(d.index)
}

// Stale tells whether any partition is to be made, known or not.
func (d *StatusDoc) Stale() bool {
	return len(d.KnownAfter) > 0 || slices.ContainsFunc(d.Datasets, func(s DatasetDoc) bool {
		return s.States[plan.Stale]+s.States[plan.MissingNow]+s.States[plan.Broken] > 0
	})
}

// Text writes a line a dataset: counts, and a strip with one mark a session.
func (d *StatusDoc) Text(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}
	switch {
	case len(d.Datasets) > 0:
		d.table(p)
	case d.unstored > 0:
		p.printf("Nothing of it is stored: %s made inside those that read them.\n", isAre(d.unstored, "partition"))
	case len(d.KnownAfter) == 0:
		p.printf("There is nothing yet: no partition, and no raw file to make one from.\n")
	}
	d.notKnown(p)
	return p.err
}

func (d *StatusDoc) table(p *printer) {
	axis := d.axis()
	shown := []plan.State{plan.Fresh, plan.Stale, plan.MissingNow}
	for _, rare := range []plan.State{plan.Empty, plan.Unverified, plan.Broken} {
		if slices.ContainsFunc(d.Datasets, func(ds DatasetDoc) bool { return ds.States[rare] > 0 }) {
			shown = append(shown, rare)
		}
	}
	failed := slices.ContainsFunc(d.Datasets, func(ds DatasetDoc) bool { return ds.Failed > 0 })
	head := []string{"dataset"}
	for _, state := range shown {
		head = append(head, string(state))
	}
	if failed {
		head = append(head, "failed")
	}
	t := &table{right: slices.Repeat([]bool{true}, len(head)+2)}
	t.right[0] = false
	t.text(append(head, "rows", "size", axisTitle(axis))...)
	for _, ds := range d.Datasets {
		t.add(ds.row(shown, failed, axis)...)
	}
	t.print(p, "")
	p.printf("\n")
	p.legend(shown)
}

// notKnown says, a line a fan-out, what it has still to tell.
func (d *StatusDoc) notKnown(p *printer) {
	units, below := maps.Clone(d.unknown), map[string][]string{}
	for _, k := range d.KnownAfter {
		units[k.FanOut] = max(units[k.FanOut], k.Units)
		below[k.FanOut] = append(below[k.FanOut], k.Stage)
	}
	for _, stage := range sortedKeys(units) {
		p.wrapped(plain, "Not known yet: ", "  ", notKnown(stage, units[stage], d.unknown[stage], below[stage])+".")
	}
}

// notKnown speaks of the units of a fan-out that have never run, of which some are
// counted, and of the stages below it.
func notKnown(fanOut string, units, counted int, below []string) string {
	who := plural(len(below), "stage") + " make"
	if len(below) == 1 {
		who = below[0] + " makes"
	}
	if counted == 0 {
		return "what " + who + " of " + plural(units, "unit") + " of " + fanOut + ", which must run first"
	}
	make := " make"
	if counted == 1 {
		make = " makes"
	}
	text := "what " + plural(counted, "unit") + " of " + fanOut + make + ", counted as " + plural(counted, "missing partition")
	if len(below) > 0 {
		text += ", and what " + who + " of it"
	}
	return text
}

func (ds *DatasetDoc) row(shown []plan.State, failed bool, axis [][]calendar.Day) []cell {
	row := []cell{{text: ds.Dataset}}
	for _, state := range shown {
		c := cell{text: Count(ds.States[state])}
		if ds.States[state] > 0 && state != plan.Fresh {
			c.color = stateMarks[state].color
		}
		row = append(row, c)
	}
	if failed {
		c := cell{text: Count(ds.Failed)}
		if ds.Failed > 0 {
			c.color = red
		}
		row = append(row, c)
	}
	rows := Count(ds.Rows)
	if ds.Source {
		rows = "files"
	}
	return append(row, cell{text: rows}, cell{text: Bytes(ds.Bytes)}, cell{text: ds.strip(axis)})
}

func (p *printer) legend(shown []plan.State) {
	var parts []string
	for _, state := range shown {
		m := stateMarks[state]
		parts = append(parts, p.style.paint(m.color, m.mark)+" "+string(state))
	}
	p.printf("%s\n", strings.Join(parts, "   "))
}

// maxStrip is how many marks a strip has at most; a mark stands for several
// sessions where there are more.
const maxStrip = 60

// axis is the sessions of all datasets, in as many groups as a strip has marks.
func (d *StatusDoc) axis() [][]calendar.Day {
	all := map[calendar.Day]bool{}
	for _, ds := range d.Datasets {
		for day := range ds.days {
			all[day] = true
		}
	}
	days := make([]calendar.Day, 0, len(all))
	for day := range all {
		days = append(days, day)
	}
	slices.Sort(days)
	size := (len(days) + maxStrip - 1) / maxStrip
	return slices.Collect(slices.Chunk(days, max(size, 1)))
}

func axisTitle(axis [][]calendar.Day) string {
	if len(axis) == 0 {
		return ""
	}
	last := axis[len(axis)-1]
	title := dates{axis[0][0], last[len(last)-1]}.text()
	if n := len(axis[0]); n > 1 {
		title += " (a mark is " + plural(n, "session") + ")"
	}
	return title
}

// strip draws the worst state of each group of sessions.
func (ds *DatasetDoc) strip(axis [][]calendar.Day) string {
	var b strings.Builder
	for _, days := range axis {
		worst := -1
		for _, day := range days {
			if s, ok := ds.days[day]; ok {
				if i := slices.Index(severity, s); worst < 0 || i < worst {
					worst = i
				}
			}
		}
		if worst < 0 {
			b.WriteByte(' ')
			continue
		}
		b.WriteString(stateMarks[severity[worst]].mark)
	}
	return b.String()
}

// LsDoc lists partitions, see schemas/ls.schema.json.
type LsDoc struct {
	Command       string         `json:"command"`
	FormatVersion int            `json:"format_version"`
	Partitions    []PartitionDoc `json:"partitions"`
}

// PartitionDoc is one partition with its state.
type PartitionDoc struct {
	Partition string `json:"partition"`
	State     string `json:"state"`
	Action    string `json:"action,omitempty"` // of the unit that makes it
	Reason    string `json:"reason,omitempty"`
	Unit      bool   `json:"unit,omitempty"` // Partition names a unit, which stands for partitions nobody knows yet
	Rows      int64  `json:"rows"`
	Bytes     int64  `json:"bytes"`
	Source    bool   `json:"source"`
}

// NewLs returns an empty document.
func NewLs() *LsDoc {
	return &LsDoc{Command: "ls", FormatVersion: formatVersion, Partitions: []PartitionDoc{}}
}

// Add lists one partition.
func (d *LsDoc) Add(s plan.PartitionState) { d.Partitions = append(d.Partitions, NewPartition(s)) }

// AddUnknown lists a unit of a fan-out that has never run, by its own address.
func (d *LsDoc) AddUnknown(x plan.UnknownUnit) {
	d.Partitions = append(d.Partitions, PartitionDoc{
		Partition: x.Describe(), State: string(plan.MissingNow), Action: string(x.Action), Reason: string(x.Code), Unit: true,
	})
}

// NewPartition describes a partition.
func NewPartition(s plan.PartitionState) PartitionDoc {
	return PartitionDoc{
		Partition: s.Partition.String(), State: string(s.State), Action: string(s.Action), Reason: string(s.Code),
		Rows: s.Rows, Bytes: s.Bytes, Source: s.Source,
	}
}

// Text writes the addresses, each followed by end: a line feed, or a zero byte
// for xargs -0.
func (d *LsDoc) Text(w io.Writer, end string) error {
	p := &printer{w: w}
	for _, part := range d.Partitions {
		p.printf("%s%s", part.Partition, end)
	}
	return p.err
}
