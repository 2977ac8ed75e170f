package parquet

import (
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

// listArray makes lists of all pages of a row group, whose rows may span
// pages.
func (c *caster) listArray(leaf *schema.Column, pages []vector, base int64) (arrow.Array, error) {
	var items vector
	var valid []byte
	ends := []int32{}
	from, most := repeatedLevel(leaf), uint8(leaf.MaxDefinitionLevel())
	rows, nulls := 0, 0
	for _, v := range pages {
		for i, d := range v.define {
			if v.repeat[i] == 0 {
				ends = append(ends, int32(items.n))
				valid = growBits(valid, rows+1)
				if d+1 < from {
					nulls++
				} else {
					valid = setBits(valid, rows, 1)
				}
				rows++
			}
			if d < from {
				continue
			}
			items.valid = growBits(items.valid, items.n+1)
			if d == most {
				items.valid = setBits(items.valid, items.n, 1)
			}
			items.n++
		}
		items.ints = append(items.ints, v.ints...)
		items.longs = append(items.longs, v.longs...)
		items.texts = append(items.texts, v.texts...)
		items.bools = append(items.bools, v.bools...)
		items.values += v.values
	}
	if items.values == items.n {
		items.valid = nil
	}
	if nulls > 0 && !c.want.Nullable {
		return nil, c.nullAt(vector{valid: valid}, base)
	}
	item := *c
	elem := c.want.Type.(*arrow.ListType).ElemField()
	item.want.Type, item.want.Nullable = elem.Type, elem.Nullable
	values, err := item.array(items, base)
	if err != nil {
		return nil, err
	}
	defer values.Release()
	ends = append(ends, int32(items.n))
	buffers := []*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(ends))}
	if nulls > 0 {
		buffers[0] = memory.NewBufferBytes(valid)
	}
	d := array.NewData(c.want.Type, rows, buffers, []arrow.ArrayData{values.Data()}, nulls, 0)
	defer d.Release()
	return array.MakeFromData(d), nil
}
