package parquet

import (
	"fmt"
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// repeatedLevel is the definition level from which on a list has an item.
func repeatedLevel(leaf *schema.Column) uint8 {
	level := uint8(leaf.MaxDefinitionLevel())
	for n := leaf.SchemaNode(); n != nil && n.RepetitionType() != parquet.Repetitions.Repeated; n = n.Parent() {
		if n.RepetitionType() == parquet.Repetitions.Optional {
			level--
		}
	}
	return level
}

// lists collects the rows of a list column, whose rows may span pages.
type lists struct {
	items vector  // of all rows, its bitmap always made
	ends  []int32 // where each row's items start, and at last where they end
	valid []byte  // bitmap of rows
	rows  int
	nulls int
}

// add appends a page; from is the definition level from which on a list has an
// item, most that of an item which is not null.
func (l *lists) add(v vector, from, most uint8) {
	for i, d := range v.define {
		if v.repeat[i] == 0 {
			l.ends = append(l.ends, int32(l.items.n))
			l.valid = growBits(l.valid, l.rows+1)
			if d+1 < from {
				l.nulls++
			} else {
				l.valid = setBits(l.valid, l.rows, 1)
			}
			l.rows++
		}
		if d < from {
			continue
		}
		l.items.valid = growBits(l.items.valid, l.items.n+1)
		if d == most {
			l.items.valid = setBits(l.items.valid, l.items.n, 1)
		}
		l.items.n++
	}
	l.items.ints = append(l.items.ints, v.ints...)
	l.items.longs = append(l.items.longs, v.longs...)
	l.items.texts = append(l.items.texts, v.texts...)
	l.items.bools = append(l.items.bools, v.bools...)
	l.items.values += v.values
}

// listArray makes lists of pages that hold whole rows.
func (c *caster) listArray(leaf *schema.Column, pages []vector, base int64) (arrow.Array, error) {
	var l lists
	for _, v := range pages {
		if l.items.n+v.n > math.MaxInt32 {
			return nil, fmt.Errorf("row %d: its items, and those up to the next page that begins with a row, are more than %d", base, math.MaxInt32)
		}
		l.add(v, repeatedLevel(leaf), uint8(leaf.MaxDefinitionLevel()))
	}
	if l.items.values == l.items.n {
		l.items.valid = nil
	}
	if l.nulls > 0 && !c.want.Nullable {
		return nil, c.nullAt(vector{valid: l.valid}, base)
	}
	item := *c
	elem := c.want.Type.(*arrow.ListType).ElemField()
	item.want.Type, item.want.Nullable = elem.Type, elem.Nullable
	values, err := item.array(l.items, base)
	if err != nil {
		return nil, err
	}
	defer values.Release()
	l.ends = append(l.ends, int32(l.items.n))
	buffers := []*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(l.ends))}
	if l.nulls > 0 {
		buffers[0] = memory.NewBufferBytes(l.valid)
	}
	d := array.NewData(c.want.Type, l.rows, buffers, []arrow.ArrayData{values.Data()}, l.nulls, 0)
	defer d.Release()
	return array.MakeFromData(d), nil
}
