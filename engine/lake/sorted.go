package lake

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// sortCheck holds batches to the declared order: ascending by the columns in
// turn, equal rows allowed, null before every value.
type sortCheck struct {
	names   []string
	columns []int
	last    arrow.Record // the last row so far
}

func newSortCheck(t *table) (*sortCheck, error) {
	s := &sortCheck{names: t.Sort}
	for _, name := range t.Sort {
		i := t.Contract.Schema.FieldIndices(name)
		if len(i) == 0 {
			return nil, fmt.Errorf("%s is sorted by %q, which its contract does not have", t.Addr, name)
		}
		s.columns = append(s.columns, i[0])
	}
	return s, nil
}

// check fails at the first row that should stand before its predecessor; base
// is the number of rows before the batch.
func (s *sortCheck) check(rec arrow.Record, base int64) error {
	n := int(rec.NumRows())
	if len(s.columns) == 0 || n == 0 {
		return nil
	}
	if s.last != nil && s.compare(s.last, 0, rec, 0) > 0 {
		return s.fail(s.last, 0, rec, 0, base)
	}
	if a, ok := rec.Column(s.columns[0]).(*array.Int64); ok && len(s.columns) == 1 && a.NullN() == 0 {
		v := a.Int64Values()
		for i := 1; i < n; i++ {
			if v[i] < v[i-1] {
				return s.fail(rec, i-1, rec, i, base+int64(i))
			}
		}
	} else {
		for i := 1; i < n; i++ {
			if s.compare(rec, i-1, rec, i) > 0 {
				return s.fail(rec, i-1, rec, i, base+int64(i))
			}
		}
	}
	s.release()
	return s.keep(rec, int64(n-1))
}

// keep copies one row: the batch's memory is the transform's again when Write
// returns.
func (s *sortCheck) keep(rec arrow.Record, row int64) error {
	slice := rec.NewSlice(row, row+1)
	defer slice.Release()
	cols := make([]arrow.Array, slice.NumCols())
	for _, c := range s.columns {
		col, err := array.Concatenate([]arrow.Array{slice.Column(c)}, memory.DefaultAllocator)
		if err != nil {
			return err
		}
		defer col.Release()
		cols[c] = col
	}
	for i := range cols {
		if cols[i] == nil {
			cols[i] = slice.Column(i) // not among those compared
		}
	}
	s.last = array.NewRecord(rec.Schema(), cols, 1)
	return nil
}

func (s *sortCheck) release() {
	if s.last != nil {
		s.last.Release()
		s.last = nil
	}
}

func (s *sortCheck) compare(a arrow.Record, i int, b arrow.Record, j int) int {
	for _, c := range s.columns {
		if d := compareAt(a.Column(c), i, b.Column(c), j); d != 0 {
			return d
		}
	}
	return 0
}

func compareAt(a arrow.Array, i int, b arrow.Array, j int) int {
	switch an, bn := a.IsNull(i), b.IsNull(j); {
	case an && bn:
		return 0
	case an:
		return -1
	case bn:
		return 1
	}
	switch a := a.(type) {
	case *array.Int64:
		return cmp.Compare(a.Value(i), b.(*array.Int64).Value(j))
	case *array.Int32:
		return cmp.Compare(a.Value(i), b.(*array.Int32).Value(j))
	case *array.Float64:
		return cmp.Compare(a.Value(i), b.(*array.Float64).Value(j))
	case *array.String:
		return cmp.Compare(a.Value(i), b.(*array.String).Value(j))
	}
	return cmp.Compare(a.ValueStr(i), b.ValueStr(j))
}

func (s *sortCheck) fail(a arrow.Record, i int, b arrow.Record, j int, row int64) error {
	var was, is []string
	for _, c := range s.columns {
		was = append(was, a.Column(c).ValueStr(i))
		is = append(is, b.Column(c).ValueStr(j))
	}
	return fmt.Errorf("row %d is out of order: the dataset is sorted by %s, and %s follows %s", row,
		strings.Join(s.names, ", "), strings.Join(is, ", "), strings.Join(was, ", "))
}
