package contract

import (
	"fmt"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// Compare lists every difference of got from want in words: missing columns,
// extra ones, the order, and for each column its type and nullability. Nil
// means that they are the same; metadata is ignored.
func Compare(want, got *arrow.Schema) []string {
	if want == got {
		return nil
	}
	var diffs, common []string
	for _, w := range want.Fields() {
		if at := got.FieldIndices(w.Name); len(at) == 0 {
			diffs = append(diffs, fmt.Sprintf("column %s is missing", w.Name))
		} else {
			common = append(common, w.Name)
			diffs = append(diffs, compareField(w, got.Field(at[0]))...)
		}
	}
	var gotCommon []string
	seen := make(map[string]bool, got.NumFields())
	for _, g := range got.Fields() {
		switch {
		case seen[g.Name]:
			diffs = append(diffs, fmt.Sprintf("column %s is there twice", g.Name))
		case want.HasField(g.Name):
			gotCommon = append(gotCommon, g.Name)
		default:
			diffs = append(diffs, fmt.Sprintf("column %s is unexpected", g.Name))
		}
		seen[g.Name] = true
	}
	for i := range min(len(common), len(gotCommon)) {
		if common[i] != gotCommon[i] {
			return append(diffs, fmt.Sprintf("the order differs: column %s stands where %s should", gotCommon[i], common[i]))
		}
	}
	return diffs
}

func compareField(want, got arrow.Field) []string {
	var diffs []string
	if !arrow.TypeEqual(want.Type, got.Type) {
		diffs = append(diffs, fmt.Sprintf("column %s is %s instead of %s", want.Name, got.Type, want.Type))
	}
	switch {
	case want.Nullable && !got.Nullable:
		diffs = append(diffs, fmt.Sprintf("column %s is not nullable and should be", want.Name))
	case !want.Nullable && got.Nullable:
		diffs = append(diffs, fmt.Sprintf("column %s is nullable and should not be", want.Name))
	}
	return diffs
}

// Error is what a batch breaks: every difference at once.
type Error struct {
	Contract string // the record's full name
	Problems []string
}

func (e *Error) Error() string {
	return fmt.Sprintf("the data does not keep to contract %s: %s", e.Contract, strings.Join(e.Problems, "; "))
}

// Check says what rec breaks: differences of the schema, all of them, and
// nulls in columns that may have none, with their count and first row. The
// error is an *Error. It looks at the counts that columns keep, not at rows.
func (c *Contract) Check(rec arrow.Record) error {
	problems := Compare(c.Schema, rec.Schema())
	if problems == nil {
		for i, f := range c.Schema.Fields() {
			if p := nulls(f, rec.Column(i)); p != "" {
				problems = append(problems, p)
			}
		}
	}
	if problems == nil {
		return nil
	}
	return &Error{c.Name, problems}
}

// nulls describes the nulls that a column has and may not have, if any.
func nulls(f arrow.Field, col arrow.Array) string {
	if !f.Nullable && col.NullN() > 0 {
		return fmt.Sprintf("column %s has %d nulls and may have none, the first in row %d of the batch", f.Name, col.NullN(), firstNull(col, 0, col.Len()))
	}
	list, ok := col.(*array.List)
	if !ok || list.DataType().(*arrow.ListType).ElemField().Nullable || list.ListValues().NullN() == 0 {
		return ""
	}
	for row := range list.Len() {
		start, end := list.ValueOffsets(row)
		if list.IsValid(row) && firstNull(list.ListValues(), int(start), int(end)) < int(end) {
			return fmt.Sprintf("column %s has a null inside the list of row %d of the batch and may have none", f.Name, row)
		}
	}
	return ""
}

// firstNull is the first null of col in [row,end); end if there is none.
func firstNull(col arrow.Array, row, end int) int {
	for row < end && col.IsValid(row) {
		row++
	}
	return row
}
