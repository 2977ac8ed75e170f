package dbn

import (
	"math"
	"strconv"
	"time"
)

const (
	secondsPerDay = 24 * 60 * 60
	nsPerDay      = secondsPerDay * 1_000_000_000
	noDay         = math.MinInt64
)

// SymbolMap finds the symbol of an instrument on a UTC date. It remembers the
// last instrument, and the last answer of each: records that follow each other
// are mostly of few instruments and of one day. It is for one goroutine.
type SymbolMap struct {
	byID map[uint32]*instrument
	last *instrument
	id   uint32 // of last
}

type instrument struct {
	spans []span // of those that cover a day the latest holds
	day   int64  // the last asked for, and its answer
	found *span  // nil: none
}

// span is a symbol during [from,to), in days since 1970-01-01.
type span struct {
	from, to int64
	symbol   string
}

// SymbolMap builds the map from a file's mappings. Mappings from symbols to
// instrument ids and from ids to symbols are both understood. An interval
// without a symbol, or with something else in place of an id or a date, maps
// nothing: its records have no symbol, which is for the caller to count.
func (m *Metadata) SymbolMap() *SymbolMap {
	s := &SymbolMap{byID: map[uint32]*instrument{}}
	for _, mp := range m.Mappings {
		for _, iv := range mp.Intervals {
			id, symbol := iv.Symbol, mp.RawSymbol
			if m.STypeIn == STypeInstrumentID && m.STypeOut != STypeInstrumentID {
				id, symbol = symbol, id
			}
			n, err := strconv.ParseUint(id, 10, 32)
			from, ok1 := dayNumber(iv.Start)
			to, ok2 := dayNumber(iv.End)
			if err == nil && ok1 && ok2 && symbol != "" {
				s.add(uint32(n), span{from, to, symbol})
			}
		}
	}
	return s
}

// add lets a span go before those that are there. It takes the place of the
// latest where it covers that: a long capture repeats its mappings.
func (s *SymbolMap) add(id uint32, sp span) {
	in := s.byID[id]
	if in == nil {
		in = &instrument{}
		s.byID[id] = in
	}
	if n := len(in.spans); n > 0 && sp.from <= in.spans[n-1].from && sp.to >= in.spans[n-1].to {
		in.spans = in.spans[:n-1]
	}
	in.spans = append(in.spans, sp)
	in.day, in.found = noDay, nil
}

// dayNumber turns YYYYMMDD into days since 1970-01-01, and false if it is no date.
func dayNumber(yyyymmdd uint32) (int64, bool) {
	year, month, day := int(yyyymmdd/10000), time.Month(yyyymmdd/100%100), int(yyyymmdd%100)
	t := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	return t.Unix() / secondsPerDay, year >= 1970 && t.Month() == month && t.Day() == day
}

// Lookup returns the symbol of an instrument on the UTC date of ts, the ts_recv
// of its record, and false where there is no mapping.
func (s *SymbolMap) Lookup(id uint32, ts uint64) (string, bool) {
	if s.last == nil || s.id != id {
		in := s.byID[id]
		if in == nil {
			return "", false
		}
		s.last, s.id = in, id
	}
	in := s.last
	if day := int64(ts / nsPerDay); day != in.day {
		in.search(day)
	}
	if in.found == nil {
		return "", false
	}
	return in.found.symbol, true
}

func (in *instrument) search(day int64) {
	in.day, in.found = day, nil
	for i := len(in.spans) - 1; i >= 0 && in.found == nil; i-- {
		if sp := &in.spans[i]; sp.from <= day && day < sp.to {
			in.found = sp
		}
	}
}

// Apply takes in a mapping that a live capture sends before the records it is
// about. It holds on the days it touches, and goes before those known so far. An
// output symbol of digits is an instrument id: then the input symbol is meant.
func (s *SymbolMap) Apply(m *SymbolMapping) {
	sp := span{from: math.MinInt64, to: math.MaxInt64, symbol: m.STypeOutSymbol}
	if _, err := strconv.ParseUint(m.STypeOutSymbol, 10, 64); err == nil {
		sp.symbol = m.STypeInSymbol
	}
	if m.Start != UndefTimestamp {
		sp.from = int64(m.Start / nsPerDay)
	}
	if m.End != UndefTimestamp {
		sp.to = int64(m.End / nsPerDay)
		if m.End%nsPerDay != 0 {
			sp.to++
		}
	}
	s.add(m.InstrumentID, sp)
}
