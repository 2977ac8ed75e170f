package parallel_test

import (
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"

	"dag/engine/parallel"
)

// panicOf calls f, which has to panic with a *Panic.
func panicOf(t *testing.T, f func()) (p *parallel.Panic) {
	t.Helper()
	defer func() {
		var ok bool
		if p, ok = recover().(*parallel.Panic); !ok {
			t.Error("it did not panic as it should")
		}
	}()
	f()
	return nil
}

func TestGo(t *testing.T) {
	end := errors.New("the end")
	if err := parallel.Go(func() error { return end })(); err != end {
		t.Errorf("error %v", err)
	}
	bug := func() error { panic("a bug") }
	for name, f := range map[string]func() error{"one goroutine": bug, "two": func() error { return parallel.Go(bug)() }} {
		p := panicOf(t, func() { parallel.Go(f)() })
		if p == nil || p.Value != "a bug" || !strings.Contains(p.Error(), "a bug\n\n") || !strings.Contains(p.Error(), "TestGo.func") {
			t.Errorf("%s: %v", name, p)
		}
	}
}

// counting yields 0 to 5, then what end yields.
func counting(end func(yield func(int, error) bool)) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for i := range 6 {
			if !yield(i, nil) {
				return
			}
		}
		end(yield)
	}
}

// TestAhead: values come in order, the sequence ends as its source does, and every
// value that was kept is dropped, wherever the reader stops.
func TestAhead(t *testing.T) {
	broken := errors.New("broken")
	source := counting(func(yield func(int, error) bool) { yield(-1, broken) })
	for stop := 1; stop <= 7; stop++ {
		var got, kept, dropped []int
		for v, err := range parallel.Ahead(source, func(v int) { kept = append(kept, v) }, func(v int) { dropped = append(dropped, v) }) {
			if (err == broken) != (v == -1) {
				t.Errorf("value %d with the error %v", v, err)
			}
			if got = append(got, v); len(got) == stop {
				break
			}
		}
		if want := []int{0, 1, 2, 3, 4, 5, -1}[:stop]; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
		slices.Sort(kept)
		slices.Sort(dropped)
		if !slices.Equal(kept, dropped) || len(kept) > stop+1 {
			t.Errorf("after %d values %v were kept and %v dropped", stop, kept, dropped)
		}
	}
}

// TestAheadMakesOneAhead: two places are enough for what is made and what is
// worked on.
func TestAheadMakesOneAhead(t *testing.T) {
	places := make([]int, 2)
	source := func(yield func(int, error) bool) {
		for i := range 1000 {
			places[i%2] = i
			if !yield(i, nil) {
				return
			}
		}
	}
	for i := range parallel.Ahead(source, nil, nil) {
		if places[i%2] != i {
			t.Fatalf("value %d has been written over by %d", i, places[i%2])
		}
	}
}

func TestAheadPanics(t *testing.T) {
	p := panicOf(t, func() {
		for range parallel.Ahead(counting(func(func(int, error) bool) { panic("a bug") }), nil, nil) {
		}
	})
	if p != nil && p.Value != "a bug" {
		t.Errorf("panic %v", p.Value)
	}
	ended := false
	source := func(yield func(int, error) bool) {
		for yield(1, nil) {
		}
		ended = true
	}
	func() {
		defer func() { recover() }()
		for range parallel.Ahead(source, nil, nil) {
			panic("of the reader")
		}
	}()
	if !ended {
		t.Error("the source goes on after its reader has panicked")
	}
}
