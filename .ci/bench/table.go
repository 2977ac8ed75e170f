package main

import (
	"fmt"
	"strconv"
	"strings"
)

// table is a Markdown table as it is written.
type table struct{ strings.Builder }

func newTable(head ...string) *table {
	t := &table{}
	t.row(head...)
	t.row(strings.Split(strings.Repeat("---,", len(head)-1)+"---", ",")...)
	return t
}

func (t *table) row(cells ...string) {
	fmt.Fprintf(t, "| %s |\n", strings.Join(cells, " | "))
}

// seconds of CPU, with three digits or so.
func (c cost) seconds() string {
	s := c.cpu.Seconds()
	if s < 10 {
		return fmt.Sprintf("%.2f", s)
	}
	return fmt.Sprintf("%.1f", s)
}

// peak memory in MB.
func (c cost) peak() string {
	if c.rss == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f", float64(c.rss)/1e6)
}

// times is how often the CPU of other goes into that of c.
func (c cost) times(other cost) string {
	if other.cpu == 0 {
		return "–"
	}
	switch r := c.cpu.Seconds() / other.cpu.Seconds(); {
	case c == other:
		return "1"
	case r < 1:
		return fmt.Sprintf("%.2f", r)
	default:
		return fmt.Sprintf("%.1f", r)
	}
}

// perSecond is a rate in thousands.
func (c cost) perSecond(n int) string {
	return thousands(int(float64(n)/c.cpu.Seconds()+500) / 1000 * 1000)
}

// thousands writes 1234567 as 1,234,567.
func thousands(n int) string { return grouped(strconv.Itoa(n)) }

func grouped(digits string) string {
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
