package dbn

import (
	"testing"
	"time"
)

// at is noon of a day, or another time of it, in ns UTC.
func at(t *testing.T, text string) uint64 {
	t.Helper()
	if len(text) == len("2006-01-02") {
		text += "T12:00:00Z"
	}
	ts, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return uint64(ts.UnixNano())
}

type lookup struct {
	id   uint32
	ts   string
	want string // empty: no symbol
}

func check(t *testing.T, s *SymbolMap, cases []lookup) {
	t.Helper()
	for range 2 { // the second time from what is remembered
		for _, c := range cases {
			if got, ok := s.Lookup(c.id, at(t, c.ts)); got != c.want || ok != (c.want != "") {
				t.Errorf("instrument %d at %s: %q, %t; want %q", c.id, c.ts, got, ok, c.want)
			}
		}
	}
}

func TestSymbolMap(t *testing.T) {
	m := Metadata{STypeIn: STypeRawSymbol, STypeOut: STypeInstrumentID, Mappings: []Mapping{
		{"ESU5", []Interval{{20250801, 20250803, "42"}, {20250805, 20250806, "42"}}},
		{"ESZ5", []Interval{{20250803, 20250805, "42"}, {20250801, 20250803, "7"}}}, // 42 used again, on other dates
		{"bad", []Interval{{20250801, 20250803, ""}, {20250801, 20250803, "x"}, {20250801, 20250803, "-1"}, {20250801, 20250803, "4294967296"}}},
		{"bad dates", []Interval{{20250230, 20250803, "9"}, {20250801, 0, "9"}, {20250801, 20251301, "9"}, {20250801, 20250801, "9"}}},
	}}
	check(t, m.SymbolMap(), []lookup{
		{42, "2025-07-31T23:59:59.999999999Z", ""},
		{42, "2025-08-01T00:00:00Z", "ESU5"},
		{42, "2025-08-02T23:59:59.999999999Z", "ESU5"},
		{42, "2025-08-03T00:00:00Z", "ESZ5"}, // the end date is not included
		{7, "2025-08-02", "ESZ5"},
		{7, "2025-08-03", ""},
		{42, "2025-08-04", "ESZ5"},
		{42, "2025-08-05", "ESU5"},
		{42, "2025-08-06", ""},
		{8, "2025-08-02", ""},
		{9, "2025-08-02", ""},
		{0, "2025-08-02", ""},
	})
	if _, ok := m.SymbolMap().Lookup(42, UndefTimestamp); ok {
		t.Error("an undefined time has a symbol")
	}
}

func TestSymbolMapOfIDs(t *testing.T) {
	m := Metadata{STypeIn: STypeInstrumentID, STypeOut: STypeRawSymbol, Mappings: []Mapping{
		{"42", []Interval{{20250801, 20250802, "ESU5"}, {20250802, 20250803, "ESZ5"}, {20250803, 20250804, ""}}},
	}}
	check(t, m.SymbolMap(), []lookup{{42, "2025-08-01", "ESU5"}, {42, "2025-08-02", "ESZ5"}, {42, "2025-08-03", ""}})
}

func TestApplyOfALiveCapture(t *testing.T) {
	m := Metadata{STypeIn: STypeRawSymbol, STypeOut: STypeInstrumentID, Mappings: []Mapping{{"ESU5", []Interval{{20250801, 20250810, "42"}}}}}
	s := m.SymbolMap()
	check(t, s, []lookup{{42, "2025-08-05", "ESU5"}, {43, "2025-08-05", ""}})

	named := func(id uint32, in, out string, start, end uint64) *SymbolMapping {
		return &SymbolMapping{Header: Header{InstrumentID: id}, STypeInSymbol: in, STypeOutSymbol: out, Start: start, End: end}
	}
	s.Apply(named(42, "ES.c.0", "ESZ5", at(t, "2025-08-05"), at(t, "2025-08-06")))
	check(t, s, []lookup{
		{42, "2025-08-04", "ESU5"},
		{42, "2025-08-05T00:00:00Z", "ESZ5"}, // the days it touches
		{42, "2025-08-06T23:00:00Z", "ESZ5"},
		{42, "2025-08-07T00:00:00Z", "ESU5"},
		{42, "2025-08-05", "ESZ5"}, // after an answer from the older mapping
	})
	s.Apply(named(43, "ES.FUT", "ESH6", UndefTimestamp, UndefTimestamp))
	s.Apply(named(44, "ESM6", "44", UndefTimestamp, at(t, "2025-08-06T00:00:00Z")))
	check(t, s, []lookup{{43, "1999-01-01", "ESH6"}, {43, "2099-01-01", "ESH6"}, {44, "2025-08-05", "ESM6"}, {44, "2025-08-06", ""}})
}

func TestApplyForgetsWhatIsCovered(t *testing.T) {
	s := new(Metadata).SymbolMap()
	m := &SymbolMapping{Header: Header{InstrumentID: 42}, STypeOutSymbol: "ESU5", Start: at(t, "2025-08-05"), End: UndefTimestamp}
	for range 1000 {
		s.Apply(m)
	}
	if n := len(s.byID[42].spans); n != 1 {
		t.Errorf("%d spans after one mapping came 1000 times", n)
	}
	check(t, s, []lookup{{42, "2025-08-05", "ESU5"}})
}

func TestDayNumber(t *testing.T) {
	for day := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 2105; day = day.AddDate(0, 0, 1) {
		n, ok := dayNumber(uint32(day.Year()*10_000 + int(day.Month())*100 + day.Day()))
		if want := day.Unix() / 86_400; !ok || n != want {
			t.Fatalf("%s: day %d, %t; want %d", day.Format(time.DateOnly), n, ok, want)
		}
	}
}
