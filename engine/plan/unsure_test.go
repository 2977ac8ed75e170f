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
