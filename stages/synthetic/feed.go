package synthetic

import (
	"fmt"
	"time"

	"dag/stages/internal/dbn"
)

// feed is the records of one UTC day on their way out, in packets: what happened
// at the exchange at one moment.
type feed struct {
	rng      random
	day      time.Time
	dayStart uint64 // ns UTC
	midnight int    // of New York, in seconds of the UTC day
	plan     []stretch
	write    func([]byte) error

	buf       []byte // the packet that is being made
	last      int    // where its last record begins in buf; -1: it has none
	packets   int
	records   int
	sequence  uint32
	now       uint64 // ns of the day
	lastEvent uint64
	lastRecv  uint64
	err       error
}

func newFeed(rng random, day time.Time, events int) feed {
	midnight := newYorkMidnight(day)
	return feed{
		rng: rng, day: day, dayStart: uint64(day.UnixNano()), midnight: midnight,
		plan: stretches(events, midnight, day.Weekday() == time.Friday),
	}
}

// run makes the day's records and hands each to write; a record is only valid
// during the call. start begins the day and what follows the trading break, and
// packet makes one packet.
func (f *feed) run(write func([]byte) error, start, packet func()) error {
	f.write = write
	due := 0
	for i, part := range f.plan {
		f.now = uint64(part.from)*second + uint64(f.rng.between(1, 50))*microsecond
		due += part.events
		if i == 0 || part.from == f.midnight+breakEnd {
			start()
		}
		f.trade(due, uint64(part.to)*second, packet)
	}
	if f.err != nil {
		return fmt.Errorf("record %d of %s: %w", f.records, f.day.Format(dateLayout), f.err)
	}
	return nil
}

// trade makes packets until the records of the day so far are due many, or the
// stretch ends.
func (f *feed) trade(due int, end uint64, packet func()) {
	const margin = second / 10 // a packet is received before its stretch ends
	for f.err == nil && f.records < due {
		f.now += f.gap(due-f.records, end)
		if f.now+margin >= end {
			return
		}
		packet()
	}
}

// gap is the time to the next packet: half follow each other closely, the others
// wait so long that the rest of the records fills the rest of the stretch.
func (f *feed) gap(records int, end uint64) uint64 {
	if f.now >= end {
		return 0
	}
	packets := max(uint64(records)*uint64(f.packets+1)/uint64(f.records+2), 1)
	mean := max((end-f.now)/packets, 2)
	if f.rng.below(2) == 0 {
		return 1 + uint64(f.rng.below(int(min(mean, 400*microsecond))))
	}
	const unit = 1 << 10 // of the two factors, each 1 on average
	return 2 * mean * uint64(f.rng.below(2*unit)) / unit * uint64(f.rng.below(2*unit)) / unit
}

// open begins a packet with its times and sequence; it returns the time from the
// venue's sending. One in a thousand was made before the packet that came ahead
// of it.
func (f *feed) open() (delta int32) {
	f.buf, f.last = f.buf[:0], -1
	event := f.dayStart + f.now
	if f.lastEvent > 0 && f.rng.chance(10) {
		event = f.lastEvent - uint64(f.rng.between(1, 40))*microsecond
	}
	event = max(event, f.dayStart)
	f.lastRecv = max(f.lastRecv, event+uint64(f.rng.between(50_000, 200_000)))
	f.lastEvent = event
	f.sequence += uint32(f.rng.between(1, 3))
	return int32(f.rng.between(9_000, 40_000))
}

// finish closes the packet and hands on its records, each of size bytes.
func (f *feed) finish(size int) {
	if f.last < 0 {
		return
	}
	const flagsAt = 30
	f.buf[f.last+flagsAt] |= dbn.FlagLast
	for at := 0; at < len(f.buf) && f.err == nil; at += size {
		if f.err = f.write(f.buf[at : at+size]); f.err == nil {
			f.records++
		}
	}
	f.packets++
}
