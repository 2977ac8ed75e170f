package plan_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/graph"
	"dag/engine/manifest"
	"dag/engine/plan"
)

// windowPipeline reads the sessions before each one.
const windowPipeline = `
dataset "silver" "t" "wide" {
  keys     = ["symbol", "dt"]
  path     = "wide/${key.symbol}"
  contract = "t.avsc"
}
stage "wide" {
  transform = "t.copy"
  input "in" {
    from = dataset.silver.t.bars
    window {
      key      = "dt"
      sessions = [-WIDTH, -1]
      on_short = "run"
    }
  }
  output "out" { to = dataset.silver.t.wide }
}
`

// complete is a lake in which some datasets have every partition.
type complete struct {
	tables map[addr.Dataset]*manifest.Table
}

func (c *complete) Table(_ context.Context, d addr.Dataset, _ manifest.Want) (*manifest.Table, error) {
	if t := c.tables[d]; t != nil {
		return t, nil
	}
	return &manifest.Table{Dataset: d}, nil
}
func (c *complete) Manifest(p addr.Partition) (*manifest.Manifest, error) {
	return nil, fmt.Errorf("no manifest of %s", p)
}
func (c *complete) Digest(context.Context, addr.Dataset, addr.Keys, string) (manifest.Sum, error) {
	return manifest.Sum{}, nil
}
func (c *complete) FanOuts(addr.Stage) (map[addr.Keys]manifest.FanOut, error) { return nil, nil }

// fill gives a dataset a partition for each contract and session.
func (c *complete) fill(d addr.Dataset, cal *calendar.Calendar, contracts, sessions int) {
	all := cal.Sessions(18_000, 22_000)
	t := &manifest.Table{Dataset: d}
	for i := range contracts {
		s := manifest.Series{Keys: addr.Keys(fmt.Sprintf("symbol=A%06d", i)), First: all.Day(0), Last: all.Day(sessions - 1)}
		for k := range sessions {
			s.Parts = append(s.Parts, manifest.Trace{Day: all.Day(k), State: manifest.Complete, Digest: manifest.Sum{byte(i), byte(k), byte(k >> 8)}, Rows: 1})
		}
		t.Series = append(t.Series, s)
	}
	c.tables[d] = t
}

// BenchmarkWindow plans windows of some widths over 20 contracts × 2,500 sessions
// that are up to date: what a unit costs does not grow with its window.
func BenchmarkWindow(b *testing.B) {
	const contracts, sessions = 20, 2_500
	for _, width := range []int{1, 60, 250} {
		b.Run(fmt.Sprint(width), func(b *testing.B) {
			w := newWorld(b)
			w.extra = strings.ReplaceAll(windowPipeline, "WIDTH", fmt.Sprint(width))
			w.configure()
			bars, wide := w.part("silver.t.bars[symbol=A,dt=2025-08-04]").Dataset, w.part("silver.t.wide[symbol=A,dt=2025-08-04]").Dataset
			c := &complete{map[addr.Dataset]*manifest.Table{}}
			c.fill(bars, w.graph.Config.Calendars[0], contracts, sessions)
			c.fill(wide, w.graph.Config.Calendars[0], contracts, sessions)
			sel, list := w.graph.Select(graph.Request{Select: []string{"wide"}})
			if list.HasErrors() {
				b.Fatal(list)
			}
			make := func() *plan.Plan {
				p, err := plan.Make(b.Context(), w.graph, c, plan.Request{Selection: sel}, time.Now)
				if err != nil {
					b.Fatal(err)
				}
				return p
			}
			record(b, make(), c.tables[wide])
			b.ResetTimer()
			for b.Loop() {
				if p := make(); len(p.Items) > contracts { // the first session has nothing to read
					b.Fatalf("%d are stale, such as %s: %s", len(p.Items), p.Items[0].Describe(), p.Items[0].Reason.Code)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(contracts*sessions), "ns/unit")
		})
	}
}

// record gives the traces of a table the fingerprints that a plan finds.
func record(b *testing.B, p *plan.Plan, t *manifest.Table) {
	at := map[string]*manifest.Trace{}
	for i := range t.Series {
		for k := range t.Series[i].Parts {
			tr := &t.Series[i].Parts[k]
			at[fmt.Sprintf("%s,dt=%s", t.Series[i].Keys, tr.Day)] = tr
		}
	}
	err := p.EachStanding(b.Context(), false, func(list []*plan.Standing) error {
		for _, x := range list {
			sum, err := manifest.ParseSum(x.Fingerprint.Sum)
			if err != nil {
				return err
			}
			if tr := at[string(x.Partition.Keys)]; x.Partition.Dataset == t.Dataset {
				tr.Fingerprint = sum
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// notMade is a lake of files of four contracts each of which nothing has been made.
func notMade(b *testing.B, n int) (w *world, contracts []string) {
	contracts = []string{"ESH6", "ESM6", "ESU5", "ESZ5"}
	w = newWorld(b)
	w.raw["ES"] = map[string]string{}
	for _, d := range sessions(b, "2010-01-04", n) {
		w.raw["ES"]["es-"+d+".dbn"] = strings.Join(contracts, " ") + ":" + d
	}
	return w, contracts
}

// BenchmarkMakeBelowFanOuts plans a lake whose fan-outs all have to run again: a unit
// waits for those within its reach, however many there are.
func BenchmarkMakeBelowFanOuts(b *testing.B) {
	for _, n := range []int{500, 2_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w, contracts := notMade(b, n)
			for _, d := range sessions(b, "2010-01-04", n) {
				w.fans[addr.Keys("root=ES,dt="+d)] = manifest.FanOut{Values: contracts}
			}
			items, deps := 0, 0
			for b.Loop() {
				p := w.mustPlan(graph.Request{})
				items, deps = len(p.Items), 0
				for _, it := range p.Items {
					deps += len(it.Deps)
				}
			}
			b.ReportMetric(float64(deps)/float64(items), "deps/item")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(items), "ns/item")
		})
	}
}

// BenchmarkFanOut tells a plan the values of one fan-out after the other, of which
// nothing was known.
func BenchmarkFanOut(b *testing.B) {
	for _, n := range []int{500, 2_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w, contracts := notMade(b, n)
			for b.Loop() {
				b.StopTimer()
				p := w.mustPlan(graph.Request{})
				fanOuts := p.Items
				b.StartTimer()
				for _, it := range fanOuts {
					var made []plan.Made
					for _, c := range contracts {
						d, _ := it.Unit.Get("dt")
						made = append(made, plan.Made{Partition: w.part("bronze.t.events[symbol=" + c + ",dt=" + d + "]"), Rows: 1})
					}
					p.Committed(it, made)
					p.FanOut(it, contracts)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/fan-out")
		})
	}
}
