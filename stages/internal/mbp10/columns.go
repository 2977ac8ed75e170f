package mbp10

import (
	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// The functions here wrap slices as Arrow arrays without copying: the array is
// good for as long as the slice is left alone.

// Int64s wraps values. valid is a bitmap, of which nulls bits are 0; nil without
// nulls.
func Int64s(values []int64, valid []byte, nulls int) arrow.Array {
	return fixed(arrow.PrimitiveTypes.Int64, len(values), arrow.Int64Traits.CastToBytes(values), valid, nulls)
}

// Float64s wraps values, as Int64s does.
func Float64s(values []float64, valid []byte, nulls int) arrow.Array {
	return fixed(arrow.PrimitiveTypes.Float64, len(values), arrow.Float64Traits.CastToBytes(values), valid, nulls)
}

// Int32s wraps values.
func Int32s(values []int32) arrow.Array {
	return fixed(arrow.PrimitiveTypes.Int32, len(values), arrow.Int32Traits.CastToBytes(values), nil, 0)
}

// Bools wraps n bits.
func Bools(bits []byte, n int) arrow.Array {
	return fixed(arrow.FixedWidthTypes.Boolean, n, bits, nil, 0)
}

func fixed(t arrow.DataType, n int, values, valid []byte, nulls int) arrow.Array {
	buffers := []*memory.Buffer{nil, memory.NewBufferBytes(values)}
	if nulls > 0 {
		buffers[0] = memory.NewBufferBytes(valid)
	}
	return makeArray(t, n, buffers, nulls)
}

// FixedTexts wraps n texts of the same length; offsets are those of Offsets for
// at least n texts.
func FixedTexts(text []byte, offsets []int32, n int) arrow.Array {
	return Texts(text, offsets, n, nil, 0)
}

// Texts wraps n texts of any length: text i lies between offsets i and i+1 of
// text. valid and nulls are as in Int64s.
func Texts(text []byte, offsets []int32, n int, valid []byte, nulls int) arrow.Array {
	buffers := []*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(offsets[:n+1])), memory.NewBufferBytes(text)}
	if nulls > 0 {
		buffers[0] = memory.NewBufferBytes(valid)
	}
	return makeArray(arrow.BinaryTypes.String, n, buffers, nulls)
}

func makeArray(t arrow.DataType, n int, buffers []*memory.Buffer, nulls int) arrow.Array {
	data := array.NewData(t, n, buffers, nil, nulls, 0)
	defer data.Release()
	return array.MakeFromData(data)
}

// Offsets returns where n texts of size bytes begin and end.
func Offsets(n, size int) []int32 {
	out := make([]int32, n+1)
	for i := range out {
		out[i] = int32(i * size)
	}
	return out
}
