package lake

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/manifest"
)

// folders is a table of folders that are made, marked and removed by hand, and
// what a listing of it has to say.
type folders struct {
	root  string
	state map[string]manifest.State // by "SYMBOL dt"
	clock time.Time                 // of the next change
}

var folderDays = []string{"2025-06-02", "2025-06-03", "2025-06-04", "2025-06-05"}

func (f *folders) table(symbol string) string {
	return filepath.Join(f.root, "silver/symbol="+symbol+"/table=ticks")
}

// change does one thing to one folder, and gives what it touched a time of its own.
func (f *folders) change(t *rapid.T) {
	symbol, dt := rapid.SampledFrom([]string{"ESU5", "ESZ5"}).Draw(t, "symbol"), rapid.SampledFrom(folderDays).Draw(t, "dt")
	dir, id := filepath.Join(f.table(symbol), "dt="+dt), symbol+" "+dt
	mark := filepath.Join(dir, manifest.SuccessName)
	touched := []string{dir}
	var err error
	switch f.state[id] {
	case manifest.Missing:
		err = os.MkdirAll(dir, 0o777)
		f.state[id], touched = manifest.Incomplete, append(touched, f.table(symbol))
	case manifest.Incomplete:
		err = os.WriteFile(mark, nil, 0o666)
		f.state[id] = manifest.Unverified
	default:
		if rapid.Bool().Draw(t, "unmark") {
			err = os.Remove(mark)
			f.state[id] = manifest.Incomplete
			break
		}
		err = os.RemoveAll(dir)
		delete(f.state, id)
		touched = []string{f.table(symbol)}
	}
	if err != nil {
		t.Fatal(err)
	}
	f.clock = f.clock.Add(time.Second)
	for _, path := range touched {
		if err := os.Chtimes(path, f.clock, f.clock); err != nil {
			t.Fatal(err)
		}
	}
}

// TestListingFollowsEveryChange: listings of parts and of everything, with an index
// that was saved in between or not, say what there is.
func TestListingFollowsEveryChange(t *testing.T) {
	temp := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		f := &folders{filepath.Join(temp, fmt.Sprint(n)), map[string]manifest.State{}, time.Now().Add(-time.Hour)}
		l := openAt(t, f.root)
		for range rapid.IntRange(1, 8).Draw(t, "rounds") {
			for range rapid.IntRange(0, 3).Draw(t, "changes") {
				f.change(t)
			}
			if rapid.Bool().Draw(t, "reopen") {
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
				l = openAt(t, f.root)
			}
			f.compare(t, l, rapid.SampledFrom([]string{"", "ESU5"}).Draw(t, "only"), rapid.SampledFrom(folderDays).Draw(t, "from"))
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func openAt(t *rapid.T, root string) *Lake {
	l, err := Open(root, layouts(), Options{Notice: func(string) {}})
	if err != nil {
		t.Fatal(err)
	}
	l.fs = quickFS{}
	return l
}

// compare lists the days from one on, of one symbol or all.
func (f *folders) compare(t *rapid.T, l *Lake, only, from string) {
	first, _ := calendar.ParseDay(from)
	table, err := l.Table(t.Context(), ticks, func(keys addr.Keys) func(calendar.Day) bool {
		if symbol, _ := keys.Get("symbol"); only != "" && symbol != only {
			return nil
		}
		return func(d calendar.Day) bool { return d >= first }
	})
	if err != nil {
		t.Fatal(err)
	}
	got, want := map[string]string{}, map[string]string{}
	for _, s := range table.Series {
		symbol, _ := s.Keys.Get("symbol")
		got[symbol] = fmt.Sprint(s.First, s.Last)
		for _, p := range s.Parts {
			got[symbol+" "+p.Day.String()] = fmt.Sprint(p.State)
		}
	}
	days := map[string][]string{}
	for id, state := range f.state {
		symbol, dt := id[:4], id[5:]
		days[symbol] = append(days[symbol], dt)
		if (only == "" || symbol == only) && dt >= from {
			want[id] = fmt.Sprint(state)
		}
	}
	for symbol, list := range days {
		want[symbol] = slices.Min(list) + " " + slices.Max(list)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("listed %v, there is %v", got, want)
	}
}
