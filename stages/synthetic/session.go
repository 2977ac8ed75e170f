package synthetic

import (
	"fmt"
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
	day      time.Time
	dayStart uint64 // ns UTC
	midnight int    // of New York, in seconds of the UTC day
	base     int    // ticks
	path     []int32
	plan     []stretch
	resync   int // second of the UTC day of a clear during trading; -1: none

	rng         random
	instruments [3]*instrument // front, next, spread
	write       func([]byte) error

	buf       []byte // the packet that is being made
	last      int    // where its last record begins in buf
	packets   int
	records   int
	sequence  uint32
	now       uint64 // ns of the day
	lastEvent uint64
	lastRecv  uint64
	err       error
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
	midnight := newYorkMidnight(day)
	s := &session{
		day: day, dayStart: uint64(day.UnixNano()), midnight: midnight, base: baseTicks(cfg, number),
		path: planPath(newRandom(cfg, streamPath, number), midnight),
		plan: stretches(cfg.Events, midnight, day.Weekday() == time.Friday),
		rng:  newRandom(cfg, streamFlow, number), resync: -1,
		buf: make([]byte, 0, 64*dbn.MBP10Size),
	}
	if s.rng.below(3) == 0 {
		s.resync = midnight + s.rng.between(10*3600, levelPlayEnd)
	}
	front := frontContract(day)
	next := front.next()
	a, b := front.symbol(cfg.Root), next.symbol(cfg.Root)
	s.instruments = [3]*instrument{
		newInstrument(a, front.id(), outrightTick, s.base),
		newInstrument(b, next.id(), outrightTick, s.base+carryTicks),
		newInstrument(a+"-"+b, front.id()+spreadID, spreadTick, 0),
	}
	return s, nil
}

func (s *session) metadata() dbn.Metadata {
	number := func(t time.Time) uint32 { return uint32(t.Year()*10_000 + int(t.Month())*100 + t.Day()) }
	tomorrow := s.day.AddDate(0, 0, 1)
	m := dbn.Metadata{
		Version: 3, Dataset: "GLBX.MDP3", Schema: dbn.SchemaMBP10, Start: s.dayStart, End: uint64(tomorrow.UnixNano()),
		STypeIn: dbn.STypeRawSymbol, STypeOut: dbn.STypeInstrumentID,
	}
	for _, in := range s.instruments {
		m.Symbols = append(m.Symbols, in.symbol)
		m.Mappings = append(m.Mappings, dbn.Mapping{RawSymbol: in.symbol, Intervals: []dbn.Interval{
			{Start: number(s.day), End: number(tomorrow), Symbol: strconv.FormatUint(uint64(in.rec.InstrumentID), 10)},
		}})
	}
	return m
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
	s.write = write
	due := 0
	for i, part := range s.plan {
		s.now = uint64(part.from)*second + uint64(s.rng.between(1, 50))*microsecond
		due += part.events
		if i == 0 || part.from == s.midnight+breakEnd {
			s.rebuildAll()
		}
		s.trade(due, uint64(part.to)*second)
	}
	if s.err != nil {
		return fmt.Errorf("record %d of %s: %w", s.records, s.day.Format(dateLayout), s.err)
	}
	return nil
}

// trade makes packets until the records of the day so far are due many, or the
// stretch ends.
func (s *session) trade(due int, end uint64) {
	const margin = second / 10 // a packet is received before its stretch ends
	for s.err == nil && s.records < due {
		s.now += s.gap(due-s.records, end)
		if s.now+margin >= end {
			return
		}
		if s.resync >= 0 && s.now >= uint64(s.resync)*second {
			s.resync = -1
			s.rebuild(0)
			continue
		}
		which := s.pick()
		s.packet(which)
	}
}

// gap is the time to the next packet: half follow each other closely, the others
// wait so long that the rest of the records fills the rest of the stretch.
func (s *session) gap(records int, end uint64) uint64 {
	if s.now >= end {
		return 0
	}
	packets := max(uint64(records)*uint64(s.packets+1)/uint64(s.records+2), 1)
	mean := max((end-s.now)/packets, 2)
	if s.rng.below(2) == 0 {
		return 1 + uint64(s.rng.below(int(min(mean, 400*microsecond))))
	}
	const unit = 1 << 10 // of the two factors, each 1 on average
	return 2 * mean * uint64(s.rng.below(2*unit)) / unit * uint64(s.rng.below(2*unit)) / unit
}

// begin opens a packet: all its records have the same times and the same
// sequence. One in a thousand was made before the packet that came ahead of it.
func (s *session) begin() {
	s.buf, s.last = s.buf[:0], -1
	event := s.dayStart + s.now
	if s.lastEvent > 0 && s.rng.chance(10) {
		event = s.lastEvent - uint64(s.rng.between(1, 40))*microsecond
	}
	event = max(event, s.dayStart)
	s.lastRecv = max(s.lastRecv, event+uint64(s.rng.between(50_000, 200_000)))
	s.lastEvent = event
	s.sequence += uint32(s.rng.between(1, 3))
	delta := int32(s.rng.between(9_000, 40_000))
	for _, in := range s.instruments {
		r := &in.rec
		r.TsEvent, r.TsRecv, r.Sequence, r.TsInDelta = event, s.lastRecv, s.sequence, delta
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

// finish closes the packet and writes it.
func (s *session) finish() {
	if s.last < 0 {
		return
	}
	const flagsAt = 30
	s.buf[s.last+flagsAt] |= dbn.FlagLast
	for at := 0; at < len(s.buf) && s.err == nil; at += dbn.MBP10Size {
		if s.err = s.write(s.buf[at : at+dbn.MBP10Size]); s.err == nil {
			s.records++
		}
	}
	s.packets++
}
