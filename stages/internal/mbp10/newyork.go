package mbp10

import (
	"fmt"
	"time"
	_ "time/tzdata" // New York time is the same on a machine without zone files
)

const (
	nsPerHour = int64(time.Hour)
	nsPerDay  = 24 * nsPerHour
)

// NewYork turns ns UTC into New York wall-clock time. It remembers the offset
// of the last hour and the text of the last day: events come in order. It
// is for one goroutine.
type NewYork struct {
	zone   *time.Location
	hour   int64 // since 1970-01-01 UTC, that offset belongs to
	offset int64 // ns to add to UTC

	day    int64 // local day that date belongs to
	date   [len("2006-01-02T")]byte
	suffix [len("-07:00")]byte // of offset
}

// NewNewYork loads the zone.
func NewNewYork() (*NewYork, error) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		return nil, fmt.Errorf("time zone of New York: %w", err)
	}
	z := &NewYork{zone: zone}
	z.setHour(0)
	z.setDay(-1)
	return z, nil
}

// setHour looks the offset up. It changes at whole hours of UTC only.
func (z *NewYork) setHour(hour int64) {
	at := time.Unix(hour*3600, 0).In(z.zone)
	_, seconds := at.Zone()
	z.hour, z.offset = hour, int64(seconds)*int64(time.Second)
	at.AppendFormat(z.suffix[:0], "-07:00")
}

func (z *NewYork) setDay(day int64) {
	z.day = day
	time.Unix(day*86400, 0).UTC().AppendFormat(z.date[:0], "2006-01-02T")
}

// Local splits ns UTC into the New York day, counted from 1970-01-01, and the
// wall-clock time of that day in ns.
func (z *NewYork) Local(ns int64) (day, clock int64) {
	if hour := floorDiv(ns, nsPerHour); hour != z.hour {
		z.setHour(hour)
	}
	local := ns + z.offset
	day = floorDiv(local, nsPerDay)
	return day, local - day*nsPerDay
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// StampSize is the length of every stamp.
const StampSize = len("2006-01-02T15:04:05.000000-07:00")

// Stamp writes ns UTC as ISO-8601 text of New York with six fraction digits,
// floored, and the offset (spec 03 §1): 2025-06-05T08:30:00.000000-04:00. dst must
// have StampSize bytes.
func (z *NewYork) Stamp(dst []byte, ns int64) {
	day, clock := z.Local(ns)
	if day != z.day {
		z.setDay(day)
	}
	dst = dst[:StampSize]
	copy(dst, z.date[:])
	us := clock / 1000
	seconds := us / 1_000_000
	digits2(dst[11:], seconds/3600)
	dst[13] = ':'
	digits2(dst[14:], seconds/60%60)
	dst[16] = ':'
	digits2(dst[17:], seconds%60)
	dst[19] = '.'
	us %= 1_000_000
	digits2(dst[20:], us/10_000)
	digits2(dst[22:], us/100%100)
	digits2(dst[24:], us%100)
	copy(dst[26:], z.suffix[:])
}

func digits2(dst []byte, v int64) {
	dst[0], dst[1] = byte('0'+v/10), byte('0'+v%10)
}

// Day counts the days from 1970-01-01 to a date like 2025-08-04.
func Day(date string) (int64, error) {
	at, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return 0, fmt.Errorf("%q is no date like 2025-08-04", date)
	}
	return floorDiv(at.Unix(), 86400), nil
}

// UTCDay is the day of ns UTC, counted from 1970-01-01.
func UTCDay(ns uint64) int64 { return int64(ns / uint64(nsPerDay)) }
