package synthetic

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dag/stages/internal/dbn"
)

func definitionsOf(t testing.TB, cfg Config) (*dbn.SymbolMap, []dbn.Definition) {
	t.Helper()
	return decodeOptions(t, cfg, dbn.SchemaDefinition, func(d *dbn.Definition, rec []byte) error { return d.Decode(rec, 3) })
}

func statisticsOf(t testing.TB, cfg Config) (*dbn.SymbolMap, []dbn.Statistics) {
	t.Helper()
	return decodeOptions(t, cfg, dbn.SchemaStatistics, func(s *dbn.Statistics, rec []byte) error { return s.Decode(rec, 3) })
}

func TestDefinitions(t *testing.T) {
	symbols, defs := definitionsOf(t, withOptions(2000))
	expiry := uint64(time.Date(2025, 9, 19, 13, 30, 0, 0, time.UTC).UnixNano())
	seen, classes := map[uint32]bool{}, map[byte]int{}
	for _, d := range defs {
		if symbol, ok := symbols.Lookup(d.InstrumentID, d.TsRecv); !ok || symbol != d.RawSymbol || seen[d.InstrumentID] {
			t.Errorf("%q with id %d: the mapping has %q, or the id is there twice", d.RawSymbol, d.InstrumentID, symbol)
		}
		seen[d.InstrumentID] = true
		classes[d.InstrumentClass]++
		if d.RType != dbn.RTypeDefinition || d.Expiration != expiry || d.Underlying != "ESU5" || d.UnderlyingID != 24309 || d.TsEvent >= d.TsRecv {
			t.Errorf("%q: %+v", d.RawSymbol, d)
		}
		if d.InstrumentClass == 'T' {
			if d.UserDefined != 'Y' || d.LegCount != 2 || d.StrikePrice != dbn.UndefPrice || !strings.HasPrefix(d.RawSymbol, "UD:1V: ") {
				t.Errorf("spread %+v", d)
			}
			continue
		}
		if want := fmt.Sprintf("ESU5 %c%d", d.InstrumentClass, d.StrikePrice/1e9); d.RawSymbol != want || d.UserDefined != 'N' || d.LegCount != 0 {
			t.Errorf("option %+v, want the symbol %q", d, want)
		}
	}
	if classes['C'] != 13 || classes['P'] != 13 || classes['T'] != 3 {
		t.Errorf("classes %v", classes)
	}
}

func TestOptionStatistics(t *testing.T) {
	symbols, stats := statisticsOf(t, withOptions(2000))
	opening := uint64(time.Date(2025, 8, 5, 13, 30, 0, 0, time.UTC).UnixNano())
	kinds, early := map[uint16]int{}, map[uint32]int{}
	late, noQuantities, spreads := 0, 0, 0
	var before uint64
	for i, s := range stats {
		symbol, ok := symbols.Lookup(s.InstrumentID, s.TsRecv)
		if !ok || s.TsRecv < before || s.TsEvent >= s.TsRecv || s.UpdateAction != dbn.UpdateNew || s.Sequence != uint32(i+1) {
			t.Fatalf("record %d after %d: %+v", i, before, s)
		}
		before = s.TsRecv
		kinds[s.StatType]++
		if s.StatType != dbn.StatOpenInterest {
			continue
		}
		switch {
		case strings.HasPrefix(symbol, "UD:"):
			spreads++
		case s.Quantity == dbn.UndefQuantity:
			noQuantities++
		case s.TsRecv < opening:
			early[s.InstrumentID]++
		default:
			late++
		}
	}
	for _, kind := range []uint16{
		dbn.StatOpeningPrice, dbn.StatSettlement, dbn.StatSessionLow, dbn.StatSessionHigh, dbn.StatVolume,
		dbn.StatLowestOffer, dbn.StatHighestBid, dbn.StatOpenInterest, dbn.StatFixing,
	} {
		if kinds[kind] == 0 {
			t.Errorf("no statistics of type %d: %v", kind, kinds)
		}
	}
	if len(early) < 18 || len(early) > 25 || late < 4 || noQuantities < 1 || spreads != 3 {
		t.Errorf("open interest: %d options before the opening, %d after it, %d without quantity, %d of spreads", len(early), late, noQuantities, spreads)
	}
}
