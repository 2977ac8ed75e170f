package synthetic

import (
	"cmp"
	"math"
	"slices"
	"time"

	"dag/stages/internal/dbn"
)

// writeDefinitions writes what the vendor has at the start of a UTC day: every
// instrument, as the exchange announced it the evening before.
func (c *chain) writeDefinitions(day time.Time, write func([]byte) error) error {
	start := uint64(day.UnixNano())
	var buf []byte
	for _, o := range c.options {
		d := c.definition(o)
		d.TsRecv, d.TsEvent = start, start-25_000*second
		var err error
		if buf, err = d.Append(buf[:0], 3); err != nil {
			return err
		}
		if err := write(buf); err != nil {
			return err
		}
	}
	return nil
}

func (c *chain) definition(o *option) dbn.Definition {
	d := dbn.Definition{
		Header:     dbn.Header{RType: dbn.RTypeDefinition, PublisherID: 1, InstrumentID: o.id},
		Expiration: uint64(c.expiration.UnixNano()), Activation: uint64(c.expiration.AddDate(-1, 0, 0).UnixNano()),
		MinPriceIncrement: optionTick * cent, UnitOfMeasureQty: 50 * second, ContractMultiplier: math.MaxInt32,
		UnderlyingID: c.underlyingID, Underlying: c.underlying, RawInstrumentID: uint64(o.id), RawSymbol: o.symbol,
		MaturityYear: uint16(c.expiration.Year()), MaturityMonth: uint8(c.expiration.Month()), MaturityDay: math.MaxUint8,
		Currency: "USD", Exchange: "XCME", Asset: c.asset, Group: c.asset, UnitOfMeasure: "IPNT",
		SecurityUpdateAction: 'A', UserDefined: 'N', StrikePrice: dbn.UndefPrice,
	}
	if o.spread() {
		d.InstrumentClass, d.SecurityType, d.CFI, d.UserDefined, d.LegCount = 'T', "MLEG", "OMXXXX", 'Y', uint16(len(o.legs))
		return d
	}
	l := o.legs[0]
	d.InstrumentClass, d.SecurityType, d.CFI = l.right, "OOF", "O"+string(rune(l.right))+"AFPS"
	d.StrikePrice = int64(l.strike) * cent
	return d
}

// figures collects the statistics of a day. They are a few for each instrument,
// however many events the day has.
type figures struct {
	rng      random
	dayStart uint64
	midnight int
	list     []dbn.Statistics
}

// add publishes a figure between two seconds of the New York day. ref is the
// time it is about.
func (f *figures) add(o *option, stat uint16, from, to int, price, quantity int64, ref uint64) {
	recv := f.dayStart + uint64(f.midnight+f.rng.between(from, to))*second + uint64(f.rng.below(second))
	f.list = append(f.list, dbn.Statistics{
		Header: dbn.Header{RType: dbn.RTypeStatistics, PublisherID: 1, InstrumentID: o.id, TsEvent: recv - uint64(f.rng.between(100_000, 2_000_000))},
		TsRecv: recv, TsRef: ref, Price: price, Quantity: quantity, TsInDelta: int32(f.rng.between(9_000, 40_000)),
		StatType: stat, UpdateAction: dbn.UpdateNew,
	})
}

const (
	hour       = 3600
	noTime     = dbn.UndefTimestamp
	noPrice    = dbn.UndefPrice
	noQuantity = dbn.UndefQuantity
)

// writeStatistics writes the figures of a day in the order of their receipt.
func (s *optionSession) writeStatistics(write func([]byte) error) error {
	f := &figures{rng: newRandom(s.cfg, streamStatistics, s.day.Unix()/secondsPerDay), dayStart: s.dayStart, midnight: s.midnight}
	s.now = 0
	future := s.future()
	for _, o := range s.chain.options {
		value := s.chain.value(o, future)
		px := int64(floorDiv(value, tick(value))*tick(value)) * cent
		f.openInterest(o, s.before())
		f.prices(o, px, s.before())
	}
	slices.SortStableFunc(f.list, func(a, b dbn.Statistics) int { return cmp.Compare(a.TsRecv, b.TsRecv) })
	var buf []byte
	for i := range f.list {
		f.list[i].Sequence = uint32(i + 1)
		var err error
		if buf, err = f.list[i].Append(buf[:0], 3); err != nil {
			return err
		}
		if err := write(buf); err != nil {
			return err
		}
	}
	return nil
}

// before is the weekday before the session, in ns UTC.
func (s *optionSession) before() uint64 {
	day := s.day.AddDate(0, 0, -1)
	for day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
		day = day.AddDate(0, 0, -1)
	}
	return uint64(day.UnixNano())
}

// openInterest publishes a preliminary figure in the night and the final one
// before the opening, and for one option in three a correction after it. The
// final one of one in ten has no quantity, and one in twelve has nothing before
// the opening. Of a spread nothing is held.
func (f *figures) openInterest(o *option, ref uint64) {
	held := int64(f.rng.between(200, 9000))
	if o.spread() {
		f.add(o, dbn.StatOpenInterest, 7*hour, openingStart-600, noPrice, 0, ref)
		return
	}
	late := f.rng.below(12) == 0
	if !late {
		f.add(o, dbn.StatOpenInterest, 1*hour, 6*hour, noPrice, held-int64(f.rng.below(100)), ref)
		final := held
		if f.rng.below(10) == 0 {
			final = noQuantity
		}
		f.add(o, dbn.StatOpenInterest, 7*hour, openingStart-600, noPrice, final, ref)
	}
	if late || f.rng.below(3) == 0 {
		f.add(o, dbn.StatOpenInterest, 10*hour, 11*hour, noPrice, held+int64(f.rng.below(50)), ref)
	}
}

// prices publishes the other kinds.
func (f *figures) prices(o *option, px int64, ref uint64) {
	f.add(o, dbn.StatVolume, 0, 1*hour, noPrice, int64(f.rng.below(2000)), ref)
	if o.spread() {
		return
	}
	f.add(o, dbn.StatSettlement, 0, 1*hour, px, noQuantity, ref)
	f.add(o, dbn.StatOpeningPrice, openingStart, openingStart+600, px, noQuantity, noTime)
	f.add(o, dbn.StatHighestBid, 10*hour, 12*hour, px, noQuantity, noTime)
	f.add(o, dbn.StatLowestOffer, 10*hour, 12*hour, px+largeTick*cent, noQuantity, noTime)
	f.add(o, dbn.StatSessionHigh, 10*hour, 15*hour, px+2*largeTick*cent, noQuantity, noTime)
	f.add(o, dbn.StatSessionLow, 10*hour, 15*hour, max(px-2*largeTick*cent, optionTick*cent), noQuantity, noTime)
	if f.rng.below(5) == 0 {
		f.add(o, dbn.StatFixing, 16*hour, 16*hour+60, px, noQuantity, noTime)
	}
}
