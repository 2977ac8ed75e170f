package plan_test

import (
	"slices"
	"strings"
	"testing"

	"dag/engine/graph"
)

// chain collects the windows of a day over all contracts, and reads that through a
// window again.
const chain = `
dataset "silver" "t" "daily" {
  keys     = ["root", "dt"]
  path     = "daily/${key.root}"
  contract = "t.avsc"
}
stage "daily" {
  transform = "t.copy"
  input "in" {
    from    = dataset.silver.t.history
    collect = ["symbol"]
  }
  output "out" { to = dataset.silver.t.daily }
}
dataset "silver" "t" "chain" {
  keys     = ["root", "dt"]
  path     = "chain/${key.root}"
  contract = "t.avsc"
}
stage "chain" {
  transform = "t.copy"
  input "in" {
    from = dataset.silver.t.daily
    window {
      key      = "dt"
      sessions = [-1, 0]
      on_short = "run"
    }
  }
  output "out" { to = dataset.silver.t.chain }
}
`

// A fan-out that fails keeps back what may read its session, however many stages
// away, and nothing else.
func TestFailedFanOutKeepsBackWhatIsWithinReach(t *testing.T) {
	days := append(sessions(t, "2025-08-04", 8), "2025-12-19")
	for fails, want := range map[string][]string{
		"2025-12-19": {"bars 2025-12-19", "index", "ingest 2025-12-19"},
		"2025-08-06": {
			"bars 2025-08-06", "chain 2025-08-07", "chain 2025-08-08", "chain 2025-08-11", "daily 2025-08-07", "daily 2025-08-08",
			"history 2025-08-07", "history 2025-08-08", "index", "ingest 2025-08-06",
		},
	} {
		w := week(t, days...)
		w.extra = chain
		w.configure()
		for name := range w.raw["ES"] {
			w.raw["ES"][name] = "ESU5:" + name
		}
		w.apply(graph.Request{}, false, "ingest[root=ES,dt="+fails+"]")
		w.apply(graph.Request{}, false, "")
		var left []string
		for _, unit := range w.ran {
			stage, keys, _ := strings.Cut(unit, "[")
			if _, day, dated := strings.Cut(strings.TrimSuffix(keys, "]"), "dt="); dated {
				stage += " " + day
			}
			left = append(left, stage)
		}
		slices.Sort(left)
		equal(t, left, want)
	}
}

// across reads, beside a contract's own bars, what is made of those of all roots.
const across = `
dataset "silver" "t" "market" {
  keys     = ["dt"]
  path     = "market"
  contract = "t.avsc"
}
stage "market" {
  transform = "t.copy"
  input "in" {
    from    = dataset.silver.t.bars
    collect = ["symbol"]
  }
  output "out" { to = dataset.silver.t.market }
}
dataset "silver" "t" "beside" {
  keys     = ["symbol", "dt"]
  path     = "beside/${key.symbol}"
  contract = "t.avsc"
}
stage "beside" {
  transform = "t.pair"
  input "a" { from = dataset.silver.t.bars }
  input "b" { from = dataset.silver.t.market }
  output "out" { to = dataset.silver.t.beside }
}
`

// The fan-out of another root keeps a unit back where something on the way reads all
// roots, and not where everything has its own.
func TestFanOutOfAnotherRoot(t *testing.T) {
	w := week(t, "2025-08-04")
	w.extra = across
	w.configure()
	w.apply(graph.Request{}, false, "")
	w.raw["NQ"] = map[string]string{"nq-2025-08-04.dbn": "NQU5:x"}
	for _, part := range []string{"silver.t.beside[symbol=ESU5,dt=2025-08-04]", "gold.t.index[root=ES]"} {
		delete(w.parts, w.part(part))
	}
	p := w.mustPlan(graph.Request{})
	waits := map[string][]string{}
	for _, it := range p.Items {
		for _, d := range it.Deps {
			waits[it.Describe()] = append(waits[it.Describe()], p.Items[d].Describe())
		}
	}
	equal(t, waits["beside[symbol=ESU5,dt=2025-08-04]"], []string{"ingest[root=NQ,dt=2025-08-04]"})
	equal(t, waits["index[root=ES]"], nil)
}
