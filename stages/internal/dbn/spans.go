package dbn

import (
	"fmt"
	"time"
)

// Spans finds events that come twice: a day's files may each hold a part of it, by
// time or by instrument, and are concatenated (spec 02 A.3); a file that lies there
// twice, or two that overlap, would count what they share twice. It keeps the range
// of ts_recv of every instrument in every file. The zero Spans is ready.
type Spans struct {
	files []fileSpans
}

type fileSpans struct {
	name string
	of   []received // by number of the instrument
}

// received is a range of ts_recv, both ends included; seen tells that there is one.
type received struct {
	first, last uint64
	seen        bool
}

// Begin goes over to the next file.
func (s *Spans) Begin(name string) { s.files = append(s.files, fileSpans{name: name}) }

// Add notes an event of the file; id is the number of its instrument among all
// files, from 0.
func (s *Spans) Add(id int32, tsRecv uint64) {
	f := &s.files[len(s.files)-1]
	if int(id) >= len(f.of) {
		f.of = append(f.of, make([]received, int(id)+1-len(f.of))...)
	}
	of := &f.of[id]
	switch {
	case !of.seen:
		*of = received{tsRecv, tsRecv, true}
	case tsRecv < of.first:
		of.first = tsRecv
	case tsRecv > of.last:
		of.last = tsRecv
	}
}

// slack is how far two parts of a capture may reach into each other: what is received
// from several places does not come in order to the nanosecond.
const slack = uint64(time.Second)

// End compares the file with those before it. The error names the first instrument
// of which both hold the same time, other than where one part ends and the next
// begins; name tells what the number of an instrument stands for.
func (s *Spans) End(name func(id int32) string) error {
	n := len(s.files) - 1
	now := &s.files[n]
	for i := range s.files[:n] {
		before := &s.files[i]
		for id := range min(len(before.of), len(now.of)) {
			a, b := before.of[id], now.of[id]
			if !a.overlaps(b) {
				continue
			}
			return fmt.Errorf("%s and %s both hold events of %s received from %s to %s UTC, which would count twice; remove one of the files, or cut them so that no time is in both",
				before.name, now.name, name(int32(id)), clock(max(a.first, b.first)), clock(min(a.last, b.last)))
		}
	}
	return nil
}

// overlaps tells whether two ranges are more than an end and the beginning that
// follows it.
func (r received) overlaps(o received) bool {
	if o.first < r.first {
		r, o = o, r
	}
	switch {
	case !r.seen || !o.seen || r.last < o.first:
		return false
	case r == o:
		return true
	case r.first == o.first:
		return r.last != o.first && o.last != r.first // one may be the single instant where the other begins
	}
	return r.last-o.first > slack
}

func clock(ns uint64) string {
	return time.Unix(0, int64(ns)).UTC().Format("2006-01-02 15:04:05.000000000")
}
