package view

import (
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"dag/engine/diag"
)

// Diagnostics writes every diagnostic with its code, its place, the source line and a
// caret under what is meant, the values involved and the way out.
func Diagnostics(w io.Writer, s Style, list diag.List) error {
	p := &printer{w: w, style: s}
	for i, d := range list {
		if i > 0 {
			p.printf("\n")
		}
		p.diagnostic(d)
	}
	return p.err
}

func (p *printer) diagnostic(d diag.Diagnostic) {
	mark := red
	if d.Severity == diag.Warning {
		mark = yellow
	}
	head := d.Severity.String()
	if d.Code != "" {
		head += "[" + d.Code + "]"
	}
	p.wrapped(mark, head+": ", "  ", d.Summary)
	if d.Range.File != "" {
		p.printf("  %s %s\n", p.style.paint(blue, "-->"), d.Range)
	}
	if d.Range.Line > 0 && d.Source != "" {
		p.sourceLine(d, mark)
	}
	if d.Detail != "" {
		p.wrapped(plain, "  ", "  ", d.Detail)
	}
	if d.Hint != "" {
		p.wrapped(green, "  hint: ", "        ", d.Hint)
	}
}

// sourceLine prints the line and underlines the range, which may go on in
// further lines.
func (p *printer) sourceLine(d diag.Diagnostic, mark color) {
	number := strconv.Itoa(d.Range.Line)
	margin := strings.Repeat(" ", len(number))
	bar := p.style.paint(blue, "|")
	p.printf("   %s %s\n", margin, bar)
	p.printf("   %s %s %s\n", p.style.paint(blue, number), bar, strings.ReplaceAll(d.Source, "\t", "    "))
	runes := []rune(d.Source)
	start := min(max(d.Range.Column-1, 0), len(runes))
	end := len(runes)
	if d.Range.EndLine == d.Range.Line {
		end = min(d.Range.EndColumn-1, len(runes))
	}
	before := strings.ReplaceAll(string(runes[:start]), "\t", "    ")
	width := 1
	if end > start {
		width = utf8.RuneCountInString(strings.ReplaceAll(string(runes[start:end]), "\t", "    "))
	}
	pad := strings.Repeat(" ", utf8.RuneCountInString(before))
	p.printf("   %s %s %s%s\n", margin, bar, pad, p.style.paint(mark, strings.Repeat("^", width)))
}

// DiagnosticsDoc is diagnostics as JSON, see schemas/diagnostics.schema.json.
type DiagnosticsDoc struct {
	Command       string          `json:"command"`
	FormatVersion int             `json:"format_version"`
	Valid         bool            `json:"valid"`
	Diagnostics   []DiagnosticDoc `json:"diagnostics"`
}

// DiagnosticDoc is one diagnostic; Line is 0 where it has no place.
type DiagnosticDoc struct {
	Severity  string `json:"severity"`
	Code      string `json:"code"`
	Summary   string `json:"summary"`
	Detail    string `json:"detail,omitempty"`
	Hint      string `json:"hint,omitempty"`
	File      string `json:"file,omitempty"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	EndLine   int    `json:"end_line,omitempty"`
	EndColumn int    `json:"end_column,omitempty"`
}

// NewDiagnostics describes a list for a command.
func NewDiagnostics(command string, list diag.List) *DiagnosticsDoc {
	doc := &DiagnosticsDoc{Command: command, FormatVersion: formatVersion, Valid: !list.HasErrors(), Diagnostics: []DiagnosticDoc{}}
	for _, d := range list {
		doc.Diagnostics = append(doc.Diagnostics, DiagnosticDoc{
			Severity: d.Severity.String(), Code: d.Code, Summary: d.Summary, Detail: d.Detail, Hint: d.Hint,
			File: d.Range.File, Line: d.Range.Line, Column: d.Range.Column, EndLine: d.Range.EndLine, EndColumn: d.Range.EndColumn,
		})
	}
	return doc
}
