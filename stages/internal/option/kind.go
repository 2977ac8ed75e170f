package option

import (
	"slices"

	"dag/stages/internal/dbn"
)

// kind is how the records of one sort of raw files become events. It is for one
// goroutine.
type kind struct {
	what    string // for messages
	schemas []dbn.Schema
	rtypes  []byte
	own     []reason // that decode may give
	// decode fills all of e but the option, and may drop the record.
	decode func(rec []byte, version uint8, e *event) (reason, error)
}

func (k *kind) accepts(rtype byte) bool { return slices.Contains(k.rtypes, rtype) }

// tradeKind reads trade records: action T, with size and price.
func tradeKind() kind {
	var t dbn.Trade
	decode := func(rec []byte, _ uint8, e *event) (reason, error) {
		if err := t.Decode(rec); err != nil {
			return 0, err
		}
		e.tsEvent, e.tsRecv, e.sequence = t.TsEvent, t.TsRecv, t.Sequence
		e.first, e.second, e.firstSize = t.Price, aggressor(t.Side), t.Size
		switch {
		case t.Action != 'T':
			return notTrade, nil
		case t.Size == 0:
			return noSize, nil
		case t.Price == dbn.UndefPrice:
			return noPrice, nil
		}
		return kept, nil
	}
	return kind{
		what: "trades", schemas: []dbn.Schema{dbn.SchemaTrades, dbn.SchemaMixed}, rtypes: []byte{dbn.RTypeTrade},
		own: []reason{notTrade, noSize, noPrice}, decode: decode,
	}
}

// aggressor is +1 for a buyer, -1 for a seller, 0 if it is not known (O-10).
func aggressor(side byte) int64 {
	switch side {
	case 'B':
		return 1
	case 'A':
		return -1
	}
	return 0
}

// quoteKind reads records of one level, with a price on one side at least.
//
// In records at intervals (bbo, cbbo) ts_event is the time of the last trade, or
// undefined; the quote is that of the interval's end, which is their ts_recv.
// Taking ts_event would let quotes answer for times before they were made, so
// ts_recv stands for both. Consolidated records have no sequence: 0.
//
// tbbo and tcbbo are not read: their quote is the one before the trade that they
// tell of, at its time, and would stand for what came after it.
func quoteKind() kind {
	var m dbn.MBP1
	decode := func(rec []byte, _ uint8, e *event) (reason, error) {
		if err := m.Decode(rec); err != nil {
			return 0, err
		}
		e.tsEvent, e.tsRecv, e.sequence, e.quote = m.TsEvent, m.TsRecv, m.Sequence, true
		e.first, e.second, e.firstSize, e.secondSize = m.Level.BidPx, m.Level.AskPx, m.Level.BidSz, m.Level.AskSz
		switch m.RType {
		case dbn.RTypeBBO1s, dbn.RTypeBBO1m:
			e.tsEvent = m.TsRecv
		case dbn.RTypeCBBO1s, dbn.RTypeCBBO1m:
			e.tsEvent, e.sequence, e.unsequenced = m.TsRecv, 0, true
		case dbn.RTypeCMBP1:
			e.sequence, e.unsequenced = 0, true
		}
		if m.Level.BidPx == dbn.UndefPrice && m.Level.AskPx == dbn.UndefPrice {
			return noQuote, nil
		}
		return kept, nil
	}
	return kind{
		what: "quotes",
		schemas: []dbn.Schema{
			dbn.SchemaMBP1, dbn.SchemaBBO1s, dbn.SchemaBBO1m,
			dbn.SchemaCMBP1, dbn.SchemaCBBO1s, dbn.SchemaCBBO1m, dbn.SchemaMixed,
		},
		rtypes: []byte{
			dbn.RTypeMBP1, dbn.RTypeBBO1s, dbn.RTypeBBO1m,
			dbn.RTypeCMBP1, dbn.RTypeCBBO1s, dbn.RTypeCBBO1m,
		},
		own: []reason{noQuote}, decode: decode,
	}
}

// statisticKind reads statistics: open interest that is not withdrawn (O-3).
func statisticKind() kind {
	var s dbn.Statistics
	decode := func(rec []byte, version uint8, e *event) (reason, error) {
		if err := s.Decode(rec, version); err != nil {
			return 0, err
		}
		e.tsEvent, e.tsRecv, e.sequence, e.first = s.TsEvent, s.TsRecv, s.Sequence, s.Quantity
		switch {
		case s.StatType != dbn.StatOpenInterest:
			return notOpenInterest, nil
		case s.UpdateAction == dbn.UpdateDelete:
			return deleted, nil
		case s.Quantity == dbn.UndefQuantity:
			return noQuantity, nil
		}
		return kept, nil
	}
	return kind{
		what: "statistics", schemas: []dbn.Schema{dbn.SchemaStatistics, dbn.SchemaMixed}, rtypes: []byte{dbn.RTypeStatistics},
		own: []reason{notOpenInterest, deleted, noQuantity}, decode: decode,
	}
}
