// Package diag holds diagnostics as values: what is wrong, where, with which
// values, and the way out. Packages collect them in a List, so that all
// independent mistakes of a run are reported together; words on a screen and
// colours are made in view.
package diag

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Severity of a diagnostic.
type Severity int

// The two severities: an Error stops the command, a Warning does not.
const (
	Error Severity = iota
	Warning
)

func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Range is a place in a text file. Lines and columns count from 1; End is
// exclusive. A zero Line means the whole file.
type Range struct {
	File               string
	Line, Column       int
	EndLine, EndColumn int
}

func (r Range) String() string {
	if r.Line == 0 {
		return r.File
	}
	return fmt.Sprintf("%s:%d:%d", r.File, r.Line, r.Column)
}

// Diagnostic is one mistake, or one warning.
type Diagnostic struct {
	Severity Severity
	Code     string // stable, such as "unknown_dataset"
	Summary  string // one line, no final stop
	Detail   string // the values involved; may be empty
	Hint     string // the way out; may be empty
	Range    Range  // zero when it has no place in a file
	Source   string // the source line at Range.Line, when it is known
}

func (d Diagnostic) String() string {
	var b strings.Builder
	if d.Range.File != "" {
		b.WriteString(d.Range.String() + ": ")
	}
	b.WriteString(d.Severity.String() + ": " + d.Summary)
	if d.Detail != "" {
		b.WriteString("; " + d.Detail)
	}
	if d.Hint != "" {
		b.WriteString(" (" + d.Hint + ")")
	}
	return b.String()
}

// List collects diagnostics; nil is an empty list.
type List []Diagnostic

// HasErrors tells whether any entry is an Error.
func (l List) HasErrors() bool {
	for _, d := range l {
		if d.Severity == Error {
			return true
		}
	}
	return false
}

// Sort orders by file, line, column and keeps the order of equals.
func (l List) Sort() {
	sort.SliceStable(l, func(i, j int) bool {
		a, b := l[i].Range, l[j].Range
		if a.File != b.File {
			return a.File < b.File
		}
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		return a.Column < b.Column
	})
}

// Err returns l as an error when it has errors, nil otherwise.
func (l List) Err() error {
	if !l.HasErrors() {
		return nil
	}
	return &ListError{l}
}

// ListError carries a List through an error return.
type ListError struct{ List List }

func (e *ListError) Error() string {
	lines := make([]string, len(e.List))
	for i, d := range e.List {
		lines[i] = d.String()
	}
	return strings.Join(lines, "\n")
}

// FromError returns the list that err carries, or err as a single diagnostic.
func FromError(err error, code string) List {
	if err == nil {
		return nil
	}
	var le *ListError
	if errors.As(err, &le) {
		return le.List
	}
	return List{{Code: code, Summary: err.Error()}}
}
