package dbn

import (
	"encoding/binary"
	"slices"
	"strconv"
)

const nsPerDay = 86_400_000_000_000

// SymbolMap finds the raw symbol of an instrument on a UTC date. It remembers
// the last answer for each instrument: records of a day come from few.
type SymbolMap struct {
	byID map[uint32]*instrument
	last *instrument
	id   uint32
}

type instrument struct {
	spans []span
	at    int // the span that answered last
}

type span struct {
	from, to int64 // days since 1970-01-01, [from,to)
	symbol   string
}

// SymbolMap builds the map from a file's mappings. Those that go from a symbol to
// an instrument id and those that go the other way are both understood; dates
// that are none are left out.
func (m *Metadata) SymbolMap() *SymbolMap {
	s := &SymbolMap{byID: map[uint32]*instrument{}}
	for _, mp := range m.Mappings {
		for _, iv := range mp.Intervals {
			id, symbol := iv.Symbol, mp.RawSymbol
			if m.STypeIn == STypeInstrumentID {
				id, symbol = symbol, id
			}
			n, err := strconv.ParseUint(id, 10, 32)
			from, ok1 := dayNumber(iv.Start)
			to, ok2 := dayNumber(iv.End)
			if err == nil && ok1 && ok2 {
				s.add(uint32(n), span{from, to, symbol})
			}
		}
	}
	return s
}

func (s *SymbolMap) add(id uint32, sp span) {
	in := s.byID[id]
	if in == nil {
		in = &instrument{}
		s.byID[id] = in
	}
	in.spans = append(in.spans, sp)
}

// dayNumber turns YYYYMMDD into days since 1970-01-01.
func dayNumber(yyyymmdd uint32) (int64, bool) {
	y, m, d := int64(yyyymmdd/10000), int64(yyyymmdd/100%100), int64(yyyymmdd%100)
	if y < 1 || m < 1 || m > 12 || d < 1 || d > 31 {
		return 0, false
	}
	if m <= 2 {
		y--
	}
	era := y / 400
	yoe := y - era*400
	doy := (153*((m+9)%12)+2)/5 + d - 1
	return era*146097 + yoe*365 + yoe/4 - yoe/100 + doy - 719468, true
}

// Lookup returns the symbol of an instrument on the UTC date of ts (ns), and
// false where there is no mapping.
func (s *SymbolMap) Lookup(id uint32, ts uint64) (string, bool) {
	if s.last == nil || s.id != id {
		in := s.byID[id]
		if in == nil {
			return "", false
		}
		s.last, s.id = in, id
	}
	day := int64(ts / nsPerDay)
	in := s.last
	if sp := &in.spans[in.at]; day >= sp.from && day < sp.to {
		return sp.symbol, true
	}
	i := slices.IndexFunc(in.spans, func(sp span) bool { return day >= sp.from && day < sp.to })
	if i < 0 {
		return "", false
	}
	in.at = i
	return in.spans[i].symbol, true
}

// SymbolMapping is a mapping sent within a live stream.
type SymbolMapping struct {
	Header
	STypeInSymbol  string
	STypeOutSymbol string
	Start, End     uint64 // ns UTC
}

// Decode reads a symbol-mapping record; its length tells the version.
func (m *SymbolMapping) Decode(rec []byte) error {
	le := binary.LittleEndian
	switch {
	case len(rec) >= 176:
		m.STypeInSymbol, m.STypeOutSymbol = cstr(rec[17:88]), cstr(rec[89:160])
		m.Start, m.End = le.Uint64(rec[160:]), le.Uint64(rec[168:])
	case len(rec) >= 80:
		m.STypeInSymbol, m.STypeOutSymbol = cstr(rec[16:38]), cstr(rec[38:60])
		m.Start, m.End = le.Uint64(rec[64:]), le.Uint64(rec[72:])
	default:
		return short(rec, 80, "symbol-mapping")
	}
	m.Header = header(rec)
	return nil
}

// Apply takes a mapping of a live stream in; it covers the days it touches and
// goes before those that were there.
func (s *SymbolMap) Apply(m *SymbolMapping) {
	sp := span{0, 1 << 40, m.STypeOutSymbol}
	if m.Start != UndefTimestamp {
		sp.from = int64(m.Start / nsPerDay)
	}
	if m.End != UndefTimestamp && m.End != 0 {
		sp.to = int64((m.End + nsPerDay - 1) / nsPerDay)
	}
	in := s.byID[m.InstrumentID]
	if in == nil {
		in = &instrument{}
		s.byID[m.InstrumentID] = in
	}
	in.spans = slices.Insert(in.spans, 0, sp)
	in.at = 0
}
