package calendar_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dag/engine/calendar"
)

func day(t *testing.T, s string) calendar.Day {
	t.Helper()
	d, err := calendar.ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDays(t *testing.T) {
	for _, s := range []string{"1970-01-01", "1969-12-31", "2025-08-04", "2024-02-29"} {
		d := day(t, s)
		want, _ := time.Parse(time.DateOnly, s)
		if d.String() != s || d.Weekday() != want.Weekday() {
			t.Errorf("%s reads as %s, a %s", s, d, d.Weekday())
		}
	}
	for _, s := range []string{"2025-08-4", "2025-02-30", "20250804", ""} {
		if d, err := calendar.ParseDay(s); err == nil {
			t.Errorf("%q was taken as %s", s, d)
		}
	}
}

func TestSessionsSkipWeekendsAndHolidays(t *testing.T) {
	c := &calendar.Calendar{Holidays: map[calendar.Day]bool{day(t, "2025-07-04"): true}}
	for d := time.Monday; d <= time.Friday; d++ {
		c.Weekdays[d] = true
	}
	s := c.Sessions(day(t, "2025-07-02"), day(t, "2025-07-08"))
	var got []string
	for i := range s.Len() {
		got = append(got, s.Day(i).String())
		if j, ok := s.Index(s.Day(i)); !ok || j != i {
			t.Errorf("session %d finds itself at %d, %v", i, j, ok)
		}
	}
	want := []string{"2025-07-02", "2025-07-03", "2025-07-07", "2025-07-08"}
	if !slices.Equal(got, want) {
		t.Errorf("sessions %v, want %v", got, want)
	}
	if _, ok := s.Index(day(t, "2025-07-04")); ok {
		t.Error("a holiday is a session")
	}
	if iv := s.Between(day(t, "2025-07-04"), day(t, "2025-07-07")); iv != (calendar.Interval{Lo: 2, Hi: 3}) {
		t.Errorf("between holiday and Monday: %v", iv)
	}
	if iv := s.Between(day(t, "2025-07-05"), day(t, "2025-07-06")); iv.Lo != iv.Hi {
		t.Errorf("a weekend holds %v", iv)
	}
}

// members is the model of a Set: a slice of bools.
func members(s calendar.Set, n int) []bool {
	m := make([]bool, n)
	for i := range m {
		m[i] = s.Has(i)
	}
	return m
}

func drawSet(t *rapid.T, name string, n int) calendar.Set {
	var in []int
	for i := range n {
		if rapid.Bool().Draw(t, name) {
			in = append(in, i)
		}
	}
	return calendar.FromSorted(in)
}

func TestSetAlgebraAgreesWithItsModel(t *testing.T) {
	const n = 24
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawSet(t, "a", n), drawSet(t, "b", n)
		lo := rapid.IntRange(-4, 2).Draw(t, "lo")
		hi := rapid.IntRange(lo, 3).Draw(t, "hi")
		ma, mb := members(a, n), members(b, n)
		union, both, minus, window := members(a.Union(b), n), members(a.Intersect(b), n), members(a.Subtract(b), n), members(a.Window(lo, hi), n)
		count := 0
		for i := range n {
			reads := false
			for j := max(i+lo, 0); j <= min(i+hi, n-1); j++ {
				reads = reads || ma[j]
			}
			if union[i] != (ma[i] || mb[i]) || both[i] != (ma[i] && mb[i]) || minus[i] != (ma[i] && !mb[i]) || window[i] != reads {
				t.Fatalf("session %d of a=%v b=%v window [%d,%d]", i, a, b, lo, hi)
			}
			if ma[i] {
				count++
			}
		}
		if a.Len() != count {
			t.Fatalf("%v has %d sessions, not %d", a, a.Len(), count)
		}
	})
}

func TestSetsAreValues(t *testing.T) {
	a, b := calendar.Span(0, 5), calendar.Span(3, 9)
	a.Union(b)
	a.Window(-2, 0)
	calendar.Span(5, 7).Union(a)
	if !slices.Equal(a, calendar.Span(0, 5)) || !slices.Equal(b, calendar.Span(3, 9)) {
		t.Errorf("operations changed their operands: %v %v", a, b)
	}
}
