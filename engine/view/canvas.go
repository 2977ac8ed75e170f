package view

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Size tells how many columns and rows a terminal has at the moment.
type Size func() (columns, rows int)

// What a terminal is taken to have that does not tell.
const defaultColumns, defaultRows = 80, 24

// canvas keeps some lines at the end of what stands on a terminal, and draws over
// them. It does the work of one goroutine at a time.
type canvas struct {
	w     io.Writer
	size  Size
	drawn []int // columns of the lines that stand there
	gone  bool  // the terminal: nothing is drawn any more
}

// columns and rows that can be drawn on.
func (c *canvas) room() (columns, rows int) {
	if c.size != nil {
		columns, rows = c.size()
	}
	if columns <= 0 || rows <= 0 {
		return defaultColumns, defaultRows
	}
	return columns, rows
}

// draw puts above, which stays, and below it lines, in the place of the lines
// before. No line fills its row: some terminals then begin another.
func (c *canvas) draw(above string, lines []string) {
	if c.gone {
		return
	}
	columns, _ := c.room()
	up := 0
	for _, n := range c.drawn { // a terminal that is narrower by now has broken them
		up += max(1, (n+columns-1)/columns)
	}
	var b strings.Builder
	b.WriteByte('\r')
	if up > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\x1b[J", up)
	}
	b.WriteString(above)
	c.drawn = c.drawn[:0]
	for _, l := range lines {
		l = cut(l, columns-1)
		b.WriteString(l + "\n")
		c.drawn = append(c.drawn, utf8.RuneCountInString(l))
	}
	_, err := io.WriteString(c.w, b.String())
	c.gone = err != nil
}

// cut shortens text to so many columns.
func cut(text string, columns int) string {
	switch {
	case columns <= 0:
		return ""
	case utf8.RuneCountInString(text) <= columns:
		return text
	}
	return string([]rune(text)[:columns-1]) + "…"
}
