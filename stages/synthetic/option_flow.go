package synthetic

import (
	"fmt"
	"slices"

	"dag/stages/internal/dbn"
)

// optionSession makes one of the files of a session's options.
type optionSession struct {
	feed
	chain  *chain
	schema dbn.Schema
	base   int // of the future, in ticks
	path   []int32
	cfg    Config
	rec    dbn.MBP1
}

func newOptionSession(cfg Config, dayName string, schema dbn.Schema) (*optionSession, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	switch {
	case cfg.OptionEvents == 0:
		return nil, fmt.Errorf("synthetic market: it has no options; set their number of events a day, from %d to %d", minEvents, maxEvents)
	case !slices.ContainsFunc(optionFiles[:], func(f optionFile) bool { return f.schema == schema }):
		return nil, fmt.Errorf("synthetic market: no %s files of options are made; definition, trades, mbp-1 and statistics are", schema)
	}
	day, err := parseDay(dayName)
	if err != nil {
		return nil, err
	}
	number := day.Unix() / secondsPerDay
	s := &optionSession{
		feed:  newFeed(newRandom(cfg, streamOptions, number), day, cfg.OptionEvents),
		chain: newChain(cfg, day), schema: schema, base: baseTicks(cfg, number), cfg: cfg,
	}
	s.path, _ = planPath(newRandom(cfg, streamPath, number), s.midnight)
	return s, nil
}

// run hands the file's records to write; a record is only valid during the call.
func (s *optionSession) run(write func([]byte) error) error {
	switch s.schema {
	case dbn.SchemaDefinition:
		return s.chain.writeDefinitions(s.day, write)
	case dbn.SchemaStatistics:
		return s.writeStatistics(write)
	case dbn.SchemaTrades:
		write = onlyTrades(write)
	}
	return s.feed.run(write, s.clear, s.packet)
}

// onlyTrades passes the trades on as records of their own schema.
func onlyTrades(write func([]byte) error) func([]byte) error {
	var t dbn.Trade
	buf := make([]byte, 0, dbn.TradeSize)
	return func(rec []byte) error {
		const actionAt = 28
		if rec[actionAt] != 'T' {
			return nil
		}
		if err := t.Decode(rec); err != nil {
			return err
		}
		t.RType = dbn.RTypeTrade
		buf = t.Append(buf[:0])
		return write(buf)
	}
}

// future is the middle between the future's bid and ask now, in cents.
func (s *optionSession) future() int {
	return (s.base+floorDiv(int(s.path[s.now/second]), fine))*centsPerTick + centsPerTick/2
}

// clear empties all books, each in a packet of its own.
func (s *optionSession) clear() {
	for _, o := range s.chain.options {
		s.begin(o)
		o.level = dbn.Level{BidPx: dbn.UndefPrice, AskPx: dbn.UndefPrice}
		s.emit(o, 'R', 'N', dbn.UndefPrice, 0)
		s.finish(dbn.MBP1Size)
	}
}

// packet makes one packet of an instrument: mostly new quotes, or a trade, or a
// side that goes.
func (s *optionSession) packet() {
	o := s.chain.options[s.rng.below(len(s.chain.options))]
	s.begin(o)
	side := byte('B')
	if s.rng.below(2) == 0 {
		side = 'A'
	}
	px, size := o.quote(side)
	switch n := s.rng.below(100); {
	case *size > 0 && n < 8:
		s.hit(o, side)
	case *size > 0 && n < 12:
		s.remove(o, side, *px, *size)
	default:
		s.requote(o)
	}
	s.finish(dbn.MBP1Size)
}

// quote is one side of an instrument's book. An empty side has no price.
func (o *option) quote(side byte) (px *int64, size *uint32) {
	if side == 'B' {
		return &o.level.BidPx, &o.level.BidSz
	}
	return &o.level.AskPx, &o.level.AskSz
}

// requote puts both sides around the value; the ask first, unless it would meet
// the old bid.
func (s *optionSession) requote(o *option) {
	bid, ask := s.around(s.chain.value(o, s.future()) + s.rng.between(-5, 5))
	bidPx, askPx := int64(bid)*cent, int64(ask)*cent
	if o.level.BidSz == 0 || askPx > o.level.BidPx {
		s.place(o, 'A', askPx)
		s.placeBid(o, bidPx)
		return
	}
	s.placeBid(o, bidPx)
	s.place(o, 'A', askPx)
}

// around is a bid and an ask about a value, in cents and whole ticks.
func (s *optionSession) around(value int) (bid, ask int) {
	half := 10 + max(value, -value)/200 + s.rng.below(20)
	step := tick(value)
	return floorDiv(value-half, step) * step, (floorDiv(value+half, step) + 1) * step
}

// placeBid is place for a bid. Nobody bids nothing, or less, for an option; for
// a spread they do.
func (s *optionSession) placeBid(o *option, px int64) {
	switch {
	case px > 0 || o.spread():
		s.place(o, 'B', px)
	case o.level.BidSz > 0:
		s.remove(o, 'B', o.level.BidPx, o.level.BidSz)
	}
}

// place makes a side anew: an order at another price, or another size.
func (s *optionSession) place(o *option, side byte, to int64) {
	px, size := o.quote(side)
	action := byte('A')
	if *size > 0 && *px == to {
		action = 'M'
	}
	*px, *size = to, uint32(s.rng.between(1, 60))
	s.emit(o, action, side, to, *size)
}

// hit trades with a side, at its price; what was traded goes with the next
// record. One trade in a hundred came without a price, or without a size: it is
// none.
func (s *optionSession) hit(o *option, side byte) {
	px, size := o.quote(side)
	n := uint32(s.rng.between(1, int(min(*size, 10))))
	aggressor := byte('B' ^ 'A' ^ side)
	if s.rng.below(12) == 0 {
		aggressor = 'N'
	}
	switch s.rng.below(200) {
	case 0:
		s.emit(o, 'T', aggressor, dbn.UndefPrice, n)
	case 1:
		s.emit(o, 'T', aggressor, *px, 0)
	default:
		s.emit(o, 'T', aggressor, *px, n)
		s.remove(o, side, *px, n)
	}
}

// remove takes n off a side; with its whole size the price goes.
func (s *optionSession) remove(o *option, side byte, at int64, n uint32) {
	px, size := o.quote(side)
	if *size -= n; *size == 0 {
		*px = dbn.UndefPrice
	}
	s.emit(o, 'C', side, at, n)
}

// begin opens a packet of an instrument.
func (s *optionSession) begin(o *option) {
	r := &s.rec
	r.TsInDelta = s.open()
	r.RType, r.PublisherID, r.InstrumentID = dbn.RTypeMBP1, 1, o.id
	r.TsEvent, r.TsRecv, r.Sequence = s.lastEvent, s.lastRecv, s.sequence
}

// emit puts a record into the packet, with the book after it.
func (s *optionSession) emit(o *option, action, side byte, px int64, n uint32) {
	r := &s.rec
	r.Action, r.Side, r.Price, r.Size = action, side, px, n
	r.Level = o.level
	r.Level.BidCt, r.Level.AskCt = (r.Level.BidSz+9)/10, (r.Level.AskSz+9)/10 // orders of up to ten
	s.last = len(s.buf)
	s.buf = r.Append(s.buf)
}
