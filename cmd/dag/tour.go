package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow/array"

	"dag/engine/addr"
	"dag/engine/config"
	"dag/engine/lake"
	"dag/engine/plan"
	"dag/engine/view"
)

// touchColumns are what a dataset of approaches has: one touch of a level is
// all rows with the same id.
var touchColumns = []string{"touch_id", "level_type", "outcome"}

// touches counts touches by level and by what followed.
type touches struct {
	seen   map[string]bool
	counts map[string]map[string]int
}

// tour shows what the demo has built, and what to type next.
func (p *project) tour(ctx context.Context, made *plan.Plan, l *lake.Lake) error {
	a := p.app
	status := view.NewStatus()
	t := &touches{seen: map[string]bool{}, counts: map[string]map[string]int{}}
	var sample addr.Partition
	var failed error
	made.EachPartition(func(s plan.PartitionState) {
		status.Add(s)
		if failed != nil || s.State != plan.Fresh || s.Source || !p.hasColumns(s.Partition.Dataset) {
			return
		}
		sample = s.Partition
		failed = t.read(ctx, l, s.Partition)
	})
	if failed != nil {
		return failed
	}
	status.Sort(p.graph)
	style := a.style(a.stdout)
	fmt.Fprintln(a.stdout)
	if err := status.Text(a.stdout, style); err != nil {
		return err
	}
	if err := t.text(a, style); err != nil {
		return err
	}
	return p.whatNext(sample)
}

// hasColumns tells whether a dataset is one of approaches.
func (p *project) hasColumns(d addr.Dataset) bool {
	schema := p.dataset(d).Contract.Schema
	return !slices.ContainsFunc(touchColumns, func(c string) bool { return len(schema.FieldIndices(c)) == 0 })
}

// read counts the touches of one partition.
func (t *touches) read(ctx context.Context, l *lake.Lake, part addr.Partition) error {
	in, err := l.OpenPartition(part)
	if err != nil {
		return err
	}
	defer in.Close() // read only: nothing can be lost
	for rec, err := range in.Read(ctx, touchColumns...) {
		if err != nil {
			return err
		}
		for i := range int(rec.NumRows()) {
			var row [3]string
			for c := range row {
				if col, ok := rec.Column(c).(*array.String); ok && !col.IsNull(i) {
					row[c] = strings.Clone(col.Value(i)) // the batch's memory is used again
				}
			}
			t.add(part, row[0], row[1], row[2])
		}
	}
	return nil
}

func (t *touches) add(part addr.Partition, id, level, outcome string) {
	id = part.String() + id
	if t.seen[id] {
		return
	}
	t.seen[id] = true
	if t.counts[level] == nil {
		t.counts[level] = map[string]int{}
	}
	t.counts[level][outcome]++
}

// text writes a line a level: how many touches, and what followed them.
func (t *touches) text(a *app, s view.Style) error {
	outcomes := []string{"BREAK", "REJECT", "CHOP", ""}
	rows := [][]string{{"level", "touches", "break", "reject", "chop", "unlabelled"}}
	for _, level := range slices.Sorted(maps.Keys(t.counts)) {
		row, total := []string{level, ""}, 0
		for _, o := range outcomes {
			n := t.counts[level][o]
			total += n
			row = append(row, view.Count(n))
		}
		row[1] = view.Count(total)
		rows = append(rows, row)
	}
	fmt.Fprintln(a.stdout)
	return view.Table(a.stdout, s, []bool{false, true, true, true, true, true}, rows)
}

// whatNext prints commands that work when they are pasted.
func (p *project) whatNext(sample addr.Partition) error {
	a := p.app
	dag := a.commands("").Name
	lines := []string{"", "Try next:", "  " + dag + " status"}
	if sample != (addr.Partition{}) {
		lines = append(lines,
			"  "+dag+" show '"+sample.String()+"' --head 3",
			"  "+dag+" why '"+sample.String()+"'")
		if folder, err := p.dataset(sample.Dataset).Folder(keyValues(sample.Keys)); err == nil {
			lines = append(lines, "  rm -r "+shellQuote(p.lakeRoot()+"/"+folder)+" && "+dag+" apply")
		}
	}
	if slices.ContainsFunc(p.config.Datasets, func(d *config.Dataset) bool { return d.Addr == setupIndex }) {
		lines = append(lines, "  "+dag+" similar")
	}
	lines = append(lines, "  "+dag+" graph | dot -Tsvg > graph.svg")
	for _, l := range lines {
		if _, err := fmt.Fprintln(a.stdout, l); err != nil {
			return err
		}
	}
	return nil
}

func keyValues(k addr.Keys) map[string]string {
	m := map[string]string{}
	for _, kv := range k.Pairs() {
		m[kv.Key] = kv.Value
	}
	return m
}
