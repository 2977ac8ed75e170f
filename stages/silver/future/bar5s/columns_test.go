package bar5s

import (
	"errors"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"dag/engine/stage"
	"dag/stages/internal/mbp10"
)

// asking is a task that notes which columns are asked for, and has no rows.
type asking struct {
	stage.Task
	ports, columns []string
}

func (a *asking) Params() stage.Params {
	return stage.Params{"semantics": mbp10.Corrected, "point": 1.0, "bands": []float64{1, 2, 3, 5, 10}}
}

func (a *asking) Output(string, ...string) (stage.Writer, error) { return nil, nil }

var errNoted = errors.New("noted")

func (a *asking) Read(port string, columns ...string) stage.Batches {
	a.ports, a.columns = append(a.ports, port), append(a.columns, columns...)
	return func(yield func(arrow.Record, error) bool) { yield(nil, errNoted) }
}

// TestOnlyNeededColumnsAreRead: events are read once, without the columns that no
// bar is made of.
func TestOnlyNeededColumnsAreRead(t *testing.T) {
	a := &asking{}
	if err := New().Run(t.Context(), a); !errors.Is(err, errNoted) {
		t.Fatal(err)
	}
	if !slices.Equal(a.ports, []string{"events"}) {
		t.Errorf("%v are read, not the events once", a.ports)
	}
	var left []string
	for _, f := range mbp10.LevelsSchema().Fields() {
		if !slices.Contains(a.columns, f.Name) {
			left = append(left, f.Name)
		}
	}
	want := []string{
		"ts_recv", "ts_event_est", "rtype", "publisher_id", "instrument_id", "depth", "is_last", "is_snapshot", "is_bad_ts", "is_bad_book",
		"pm_high", "pm_low", "or_high", "or_low",
	}
	if !slices.Equal(left, want) {
		t.Errorf("left out are %q, want %q", left, want)
	}
}
