// Package view turns plans, events and diagnostics into text for people and
// JSON for programs. It decides nothing: the caller says where the text goes,
// how wide it may be and whether it has colours. The shapes of the JSON
// documents are those of the files in schemas.
package view

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Style says how text is to look.
type Style struct {
	Color bool
	Width int // columns that sentences may fill; 0: no limit. Addresses and tables never wrap
}

// color is an ANSI attribute; the zero value is plain text.
type color string

const (
	plain  color = ""
	bold   color = "1"
	dim    color = "2"
	red    color = "31"
	green  color = "32"
	yellow color = "33"
	blue   color = "36"
)

func (s Style) paint(c color, text string) string {
	if !s.Color || c == plain || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

// printer writes text and remembers the first error.
type printer struct {
	w     io.Writer
	style Style
	err   error
}

func (p *printer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

// wrapped prints a sentence after its coloured beginning, in lines no wider
// than the style allows; lines after the first begin with indent. Words never
// break.
func (p *printer) wrapped(c color, first, indent, text string) {
	column := utf8.RuneCountInString(first)
	p.printf("%s", p.style.paint(c, first))
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case p.style.Width > 0 && column+1+n > p.style.Width:
			p.printf("\n%s", indent)
			column = utf8.RuneCountInString(indent)
		default:
			p.printf(" ")
			column++
		}
		p.printf("%s", word)
		column += n
	}
	p.printf("\n")
}

// cell is one cell of a table.
type cell struct {
	text  string
	color color
}

// table is text in aligned columns, two spaces apart.
type table struct {
	right []bool // by column: numbers stand to the right
	rows  [][]cell
}

func (t *table) add(cells ...cell) { t.rows = append(t.rows, cells) }

// text adds a row of uncoloured cells.
func (t *table) text(texts ...string) {
	row := make([]cell, len(texts))
	for i, s := range texts {
		row[i] = cell{text: s}
	}
	t.rows = append(t.rows, row)
}

func (t *table) print(p *printer, indent string) {
	var widths []int
	for _, row := range t.rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(c.text))
		}
	}
	for _, row := range t.rows {
		line := indent
		gap := ""
		for i, c := range row {
			fill := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c.text))
			line += gap
			if i < len(t.right) && t.right[i] {
				line += fill
				fill = ""
			}
			line += p.style.paint(c.color, c.text)
			gap = fill + "  "
		}
		p.printf("%s\n", strings.TrimRight(line, " "))
	}
}

// WriteJSON writes one document: indented, one line feed at the end.
func WriteJSON(w io.Writer, document any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(document)
}

// Table writes rows of text in aligned columns; numeric says which stand to the
// right.
func Table(w io.Writer, s Style, numeric []bool, rows [][]string) error {
	p := &printer{w: w, style: s}
	t := &table{right: numeric}
	for _, r := range rows {
		t.text(r...)
	}
	t.print(p, "")
	return p.err
}
