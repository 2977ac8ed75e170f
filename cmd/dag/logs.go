package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"dag/engine/addr"
	"dag/engine/event"
	"dag/engine/graph"
	"dag/engine/lake"
	"dag/engine/view"
)

func (a *app) logsCmd() *cobra.Command {
	run := ""
	cmd := &cobra.Command{
		Use:   "logs PARTITION",
		Short: "Show what happened when a partition was made, or failed to be",
		Long:  "Shows what happened to the unit that makes a partition, in the newest run that has it: why it\nran, each attempt, errors in full, what was read, counted and written. All of it is in the\nrecord of the run, whatever has become of the data since.",
		Example: `  dag logs 'bar5s[symbol=ESU5,dt=2025-08-14]'
  dag logs 'ingest_mbp10[root=ES,dt=2025-08-14]' --run last`,
		Args: oneArgument("a partition or a unit, as in 'bar5s[symbol=ESU5,dt=2025-08-14]'"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.logs(cmd.Context(), args[0], run) },
	}
	cmd.Flags().StringVar(&run, "run", "", "of this `run`, or last")
	return cmd
}

func (a *app) logs(ctx context.Context, text, run string) error {
	return a.readLake(func(p *project, l *lake.Lake) error {
		runs, err := l.Runs()
		if err != nil {
			return err
		}
		if run != "" {
			one, _, err := p.recordedRun(l, run)
			if err != nil {
				return err
			}
			runs = []lake.Run{one}
		}
		meant, fresh := p.meant(text), false
		for _, r := range runs {
			if err := ctx.Err(); err != nil {
				return err
			}
			events, err := eventsOf(r, meant.keep)
			if err != nil {
				return err
			}
			for _, u := range view.Units(events) {
				if !meant.is(u) || run == "" && passedOver(u, &fresh) {
					continue
				}
				doc := view.NewLog(r.ID, u, events)
				return a.print(doc, func() error { return doc.Text(a.stdout, a.style(a.stdout)) })
			}
		}
		if _, err := p.choose(graph.Request{Select: []string{text}}); err != nil {
			return err // it is a mistake, or of a stage that has left the pipeline
		}
		if part, ok := p.partition(text); ok && p.dataset(part.Dataset).Unstored {
			return mistake("no_log", text+" is not stored: it is made inside the units that read it", "`dag lineage "+shellQuote(text)+" --down --depth 1` names what they made, and `dag logs` tells of each")
		}
		return mistake("no_log", fmt.Sprintf("no recorded run has made %s", text), "`dag runs` lists the runs; `dag ls` lists partitions")
	})
}

// passedOver tells whether a unit says nothing of how the data came to be: it was up
// to date, or did not come to run before a run that found it up to date. Runs are asked
// from the newest back.
func passedOver(u view.UnitDoc, fresh *bool) bool {
	switch event.Result(u.Result) {
	case event.CutOff:
		*fresh = true
		return true
	case event.Blocked, event.Canceled, event.Skipped:
		return *fresh
	}
	return false
}

// meant is what a text names: a unit, or a partition that one makes.
type meant struct {
	name  string // of the stage or the dataset
	maker string // the stage that makes the dataset now
	given addr.Keys
	date  []byte // a date among the keys: every event of the unit has it
	of    *project
	bad   bool // the keys cannot be read
}

func (p *project) meant(text string) meant {
	name, rest, _ := strings.Cut(text, "[")
	if strings.HasPrefix(rest, `"`) { // approach["or_low"][symbol=ESU5]
		instance, keys, _ := strings.Cut(rest, "]")
		name, rest = name+"["+instance+"]", strings.TrimPrefix(keys, "[")
	}
	m := meant{name: name, of: p}
	var err error
	if m.given, err = addr.ParseKeys(strings.TrimSuffix(rest, "]")); err != nil && rest != "" {
		m.bad = true
		return m
	}
	if d, err := addr.ParseDataset(name); err == nil {
		if st := p.graph.Producer(d); st != nil {
			m.maker = st.Addr.String()
		}
	}
	for _, k := range p.config.Keys {
		if v, ok := m.given.Get(k.Name); ok && k.Date {
			m.date = []byte(v)
		}
	}
	return m
}

// keep lets the lines be read that may be of the unit.
func (m meant) keep(line []byte) bool { return !m.bad && bytes.Contains(line, m.date) }

// is tells whether it is this unit: by its own name and some or all of its keys, by
// a partition that it made, or by one that it would have made.
func (m meant) is(u view.UnitDoc) bool {
	if u.Stage == m.name && m.covers(addr.Keys(u.Unit)) {
		return true
	}
	for _, made := range u.Partitions {
		if p, err := addr.ParsePartition(made); err == nil && p.Dataset.String() == m.name && m.covers(p.Keys) {
			return true
		}
	}
	return u.Stage == m.maker && len(u.Partitions) == 0 && m.leadsTo(addr.Keys(u.Unit))
}

// covers tells whether keys have all values that are given.
func (m meant) covers(keys addr.Keys) bool {
	for _, kv := range m.given.Pairs() {
		if v, ok := keys.Get(kv.Key); !ok || v != kv.Value {
			return false
		}
	}
	return true
}

// leadsTo tells whether a unit with these keys makes partitions with those given: a
// fan-out's own values are in none of its unit's keys, but may tell one by derivation.
func (m meant) leadsTo(unit addr.Keys) bool {
	for _, kv := range unit.Pairs() {
		v, ok := m.given.Get(kv.Key)
		for _, k := range m.of.config.Keys {
			if from, has := m.given.Get(k.DeriveFrom); !ok && has && k.Name == kv.Key {
				v, ok = k.Derive(from)
			}
		}
		if ok && v != kv.Value {
			return false
		}
	}
	return true
}
