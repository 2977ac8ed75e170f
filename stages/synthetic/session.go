package synthetic

import (
	"math"
	"strconv"
	"time"

	"dag/stages/internal/dbn"
)

const (
	outrightTick = 250_000_000 // 0.25 points
	spreadTick   = 50_000_000
	carryTicks   = 230 // the next contract above the front

	second      = 1_000_000_000
	microsecond = 1000

	// A spread's instrument id is that of its first leg plus this.
	spreadID = 1 << 20
)

// session makes the records of one UTC day.
type session struct {
	feed
	base   int // ticks
	path   []int32
	coming []approach // those of the day that are not over
	effect int        // in ten-thousandths
	resync int        // second of the UTC day of a clear during trading; -1: none

	instruments []*instrument // front, next, spread; or the front alone
}

func newSession(cfg Config, dayName string) (*session, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	day, err := parseDay(dayName)
	if err != nil {
		return nil, err
	}
	number := day.Unix() / secondsPerDay
	s := &session{
		feed: newFeed(newRandom(cfg, streamFlow, number), day, cfg.Events),
		base: baseTicks(cfg, number), effect: int(math.Round(cfg.Effect * 10_000)), resync: -1,
	}
	s.path, s.coming = planPath(newRandom(cfg, streamPath, number), s.midnight)
	if s.rng.below(3) == 0 {
		s.resync = s.midnight + s.rng.between(10*3600, levelPlayEnd)
	}
	front := frontContract(day)
	next := front.next()
	a, b := front.symbol(cfg.Root), next.symbol(cfg.Root)
	s.instruments = []*instrument{newInstrument(a, front.id(), outrightTick, s.base)}
	if !cfg.FrontOnly {
		s.instruments = append(s.instruments,
			newInstrument(b, next.id(), outrightTick, s.base+carryTicks),
			newInstrument(a+"-"+b, front.id()+spreadID, spreadTick, 0))
	}
	return s, nil
}

func (s *session) metadata() dbn.Metadata {
	m := dayMetadata(s.day, dbn.SchemaMBP10)
	for _, in := range s.instruments {
		addSymbol(&m, s.day, in.symbol, in.rec.InstrumentID)
	}
	return m
}

// dayMetadata is the head of a file of one UTC day, without symbols.
func dayMetadata(day time.Time, schema dbn.Schema) dbn.Metadata {
	return dbn.Metadata{
		Version: 3, Dataset: "GLBX.MDP3", Schema: schema,
		Start: uint64(day.UnixNano()), End: uint64(day.AddDate(0, 0, 1).UnixNano()),
		STypeIn: dbn.STypeRawSymbol, STypeOut: dbn.STypeInstrumentID,
	}
}

// addSymbol maps a symbol to its instrument on a day.
func addSymbol(m *dbn.Metadata, day time.Time, symbol string, id uint32) {
	number := func(t time.Time) uint32 { return uint32(t.Year()*10_000 + int(t.Month())*100 + t.Day()) }
	m.Symbols = append(m.Symbols, symbol)
	m.Mappings = append(m.Mappings, dbn.Mapping{RawSymbol: symbol, Intervals: []dbn.Interval{
		{Start: number(day), End: number(day.AddDate(0, 0, 1)), Symbol: strconv.FormatUint(uint64(id), 10)},
	}})
}

// target is the best bid an instrument should have now, in its ticks.
func (s *session) target(which int) int {
	at := int(s.path[s.now/second])
	switch which {
	case 0:
		return s.base + floorDiv(at, fine)
	case 1:
		return s.base + carryTicks + floorDiv(at, fine)
	default:
		return floorDiv(at, 8*fine)
	}
}

// pick chooses the instrument of the next packet: 85 % front, 10 % next.
func (s *session) pick() int {
	if len(s.instruments) == 1 {
		return 0
	}
	switch n := s.rng.below(100); {
	case n < 85:
		return 0
	case n < 95:
		return 1
	default:
		return 2
	}
}

// run makes the day's records and hands each to write; a record is only valid
// during the call.
func (s *session) run(write func([]byte) error) error {
	return s.feed.run(write, s.rebuildAll, func() {
		if s.resync >= 0 && s.now >= uint64(s.resync)*second {
			s.resync = -1
			s.rebuild(0)
			return
		}
		s.packet(s.pick())
	})
}

// begin opens a packet: all its records have the same times and the same
// sequence.
func (s *session) begin() {
	delta := s.open()
	for _, in := range s.instruments {
		r := &in.rec
		r.TsEvent, r.TsRecv, r.Sequence, r.TsInDelta = s.lastEvent, s.lastRecv, s.sequence, delta
	}
}

// emit puts a record into the packet. l is the side whose book changed.
func (s *session) emit(in *instrument, action byte, l *ladder, index int, size uint32, flags byte) {
	level := l.levelAt(index) // of what goes away, before; of what comes, after
	l.settle(s.rng)
	if level == noLevel {
		level = l.levelAt(index)
	}
	in.show(l)
	r := &in.rec
	r.Action, r.Side, r.Flags, r.Size = action, l.side, flags, size
	r.Price, r.Depth = in.price(l.tick(index)), byte(level)
	s.append(r)
}

func (s *session) append(r *dbn.MBP10) {
	switch n := s.rng.below(100_000); {
	case n < 30:
		r.Flags |= dbn.FlagBadTS
	case n < 60:
		r.Flags |= dbn.FlagBadBook
	}
	s.last = len(s.buf)
	s.buf = r.Append(s.buf)
}
