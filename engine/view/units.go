package view

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Count writes a number in groups of three: 12 480.
func Count[T int | int64](n T) string {
	digits := strconv.FormatInt(int64(n), 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	var groups []string
	for len(digits) > 3 {
		groups = append([]string{digits[len(digits)-3:]}, groups...)
		digits = digits[:len(digits)-3]
	}
	return sign + strings.Join(append([]string{digits}, groups...), " ")
}

// Bytes writes a size in binary units, to three digits: 1.87 GiB.
func Bytes(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n), ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB"} {
		if f /= 1024; f < 999.5 {
			break
		}
	}
	return threeDigits(f) + " " + unit
}

// Duration writes a time to about three digits: 4 ms, 1.25 s, 3 min 5 s.
func Duration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 99500*time.Millisecond:
		return threeDigits(d.Seconds()) + " s"
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}

// Rate writes rows per second: 1.2 M rows/s.
func Rate(rows int64, d time.Duration) string {
	if d <= 0 {
		return ""
	}
	switch r := float64(rows) / d.Seconds(); {
	case r < 1e3:
		return fmt.Sprintf("%.0f rows/s", r)
	case r < 1e6:
		return threeDigits(r/1e3) + " k rows/s"
	default:
		return threeDigits(r/1e6) + " M rows/s"
	}
}

func threeDigits(f float64) string {
	switch {
	case f < 9.995:
		return strconv.FormatFloat(f, 'f', 2, 64)
	case f < 99.95:
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	return strconv.FormatFloat(f, 'f', 0, 64)
}

// Plural writes a count with its noun: 1 partition, 3 partitions.
func Plural(n int, noun string) string { return plural(n, noun) }

func plural[T int | int64](n T, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Count(n) + " " + noun + "s"
}
