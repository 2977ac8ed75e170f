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

// Field is a column as the reader of a file wants it.
type Field struct {
	Name     string
	Type     arrow.DataType
	Nullable bool
	// FixedPoint: an integer column in units of 1e-9, which other writers
	// store as a floating-point number of whole units.
	FixedPoint bool
}

// caster turns decoded pages of one column into arrays of the wanted type. Nothing
// is lost silently: a value that the type cannot hold is an error.
type caster struct {
	want     Field
	physical parquet.Type
	unsigned bool  // an unsigned integer
	scale    int64 // ns in a unit of a timestamp; 1 for others
	stored   string
}

func newCaster(leaf *schema.Column, want Field) (*caster, error) {
	c := &caster{want: want, physical: leaf.PhysicalType(), scale: 1, stored: leaf.PhysicalType().String()}
	switch l := leaf.LogicalType().(type) {
	case *schema.IntLogicalType:
		c.unsigned = !l.IsSigned()
	case *schema.TimestampLogicalType:
		switch l.TimeUnit() {
		case schema.TimeUnitMillis:
			c.scale = 1e6
		case schema.TimeUnitMicros:
			c.scale = 1e3
		}
	case schema.StringLogicalType, schema.NoLogicalType, schema.UnknownLogicalType:
	default:
		c.stored += " " + l.String()
		return nil, c.no()
	}
	ok := false
	number := c.physical == parquet.Types.Int32 || c.physical == parquet.Types.Int64 || c.physical == parquet.Types.Float || c.physical == parquet.Types.Double
	switch c.target().ID() {
	case arrow.INT64, arrow.INT32, arrow.FLOAT64:
		ok = number
	case arrow.FLOAT32:
		ok = c.physical == parquet.Types.Float
	case arrow.STRING:
		ok = c.physical == parquet.Types.ByteArray
	case arrow.BOOL:
		ok = c.physical == parquet.Types.Boolean
	}
	if !ok {
		return nil, c.no()
	}
	return c, nil
}

func (c *caster) no() error {
	return fmt.Errorf("column %q is stored as %s, which cannot become %s", c.want.Name, c.stored, c.want.Type)
}

// target is the type of values: of a list's items.
func (c *caster) target() arrow.DataType {
	if l, ok := c.want.Type.(*arrow.ListType); ok {
		return l.Elem()
	}
	return c.want.Type
}

// array makes the array of one page that starts at row base of the file.
func (c *caster) array(v vector, base int64) (arrow.Array, error) {
	nulls := v.n - v.values
	var buf []byte
	var err error
	switch c.target().ID() {
	case arrow.STRING:
		if nulls > 0 && !c.want.Nullable {
			return nil, c.nullAt(v, base)
		}
		return textArray(v)
	case arrow.BOOL:
		bits := make([]byte, 0, (v.n+7)/8)
		for i, b := range spread(v.bools, v.valid, v.n) {
			if bits = growBits(bits, i+1); b != 0 {
				bits[i/8] |= 1 << (i % 8)
			}
		}
		buf = bits
	case arrow.INT64:
		buf, nulls, err = c.longs(&v, base)
	case arrow.INT32:
		buf, nulls, err = c.ints(&v, base)
	case arrow.FLOAT64:
		buf, nulls, err = c.doubles(&v, base)
	case arrow.FLOAT32:
		buf = arrow.Int32Traits.CastToBytes(spread(v.ints, v.valid, v.n))
	}
	if err != nil {
		return nil, err
	}
	if nulls > 0 && !c.want.Nullable {
		return nil, c.nullAt(v, base)
	}
	return newArray(c.target(), v.n, v.valid, buf, nulls), nil
}

func (c *caster) nullAt(v vector, base int64) error {
	i := 0
	for v.valid[i/8]>>(i%8)&1 == 1 {
		i++
	}
	return fmt.Errorf("row %d: null, and the contract says it cannot be", base+int64(i))
}

func (c *caster) lossy(row int64, value any) error {
	return fmt.Errorf("row %d: %v (stored as %s) does not fit %s", row, value, c.stored, c.target())
}

// spread puts values where the bitmap has ones, zero elsewhere.
func spread[T any](v []T, valid []byte, n int) []T {
	if valid == nil {
		return v
	}
	out := make([]T, n)
	k := 0
	for i := range out {
		if valid[i/8]>>(i%8)&1 == 1 {
			out[i] = v[k]
			k++
		}
	}
	return out
}

func newArray(t arrow.DataType, n int, valid, data []byte, nulls int) arrow.Array {
	buffers := []*memory.Buffer{nil, memory.NewBufferBytes(data)}
	if nulls > 0 {
		buffers[0] = memory.NewBufferBytes(valid)
	}
	d := array.NewData(t, n, buffers, nil, nulls, 0)
	defer d.Release()
	return array.MakeFromData(d)
}

func textArray(v vector) (arrow.Array, error) {
	size := 0
	for _, s := range v.texts {
		size += len(s)
	}
	if size > maxPageBytes {
		return nil, errLong
	}
	data := make([]byte, 0, size)
	ends := make([]int32, v.n+1)
	k := 0
	for i := range v.n {
		if v.valid == nil || v.valid[i/8]>>(i%8)&1 == 1 {
			data = append(data, v.texts[k]...)
			k++
		}
		ends[i+1] = int32(len(data))
	}
	buffers := []*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(ends)), memory.NewBufferBytes(data)}
	if v.valid != nil {
		buffers[0] = memory.NewBufferBytes(v.valid)
	}
	d := array.NewData(arrow.BinaryTypes.String, v.n, buffers, nil, v.n-v.values, 0)
	defer d.Release()
	return array.MakeFromData(d), nil
}

// at tells whether row i has a value.
func (v *vector) at(i int) bool { return v.valid == nil || v.valid[i/8]>>(i%8)&1 == 1 }

// drop makes row i null.
func (v *vector) drop(i int) {
	if v.valid == nil {
		v.valid = setBits(nil, 0, v.n)
	}
	v.valid[i/8] &^= 1 << (i % 8)
	v.values--
}

// longs casts to int64; it returns the values and the number of nulls.
func (c *caster) longs(v *vector, base int64) ([]byte, int, error) {
	if c.physical == parquet.Types.Int64 && !c.unsigned && c.scale == 1 {
		return arrow.Int64Traits.CastToBytes(spread(v.longs, v.valid, v.n)), v.n - v.values, nil
	}
	out := make([]int64, v.n)
	get := c.getter(v)
	for i := range out {
		if !v.at(i) {
			continue
		}
		x, ok, err := c.long(get(i))
		if err != nil {
			return nil, 0, c.lossy(base+int64(i), err)
		}
		if !ok {
			v.drop(i)
		}
		out[i] = x
	}
	return arrow.Int64Traits.CastToBytes(out), v.n - v.values, nil
}

// ints casts to int32; it returns the values and the number of nulls.
func (c *caster) ints(v *vector, base int64) ([]byte, int, error) {
	if c.physical == parquet.Types.Int32 && !c.unsigned {
		return arrow.Int32Traits.CastToBytes(spread(v.ints, v.valid, v.n)), v.n - v.values, nil
	}
	out := make([]int32, v.n)
	get := c.getter(v)
	for i := range out {
		if !v.at(i) {
			continue
		}
		x, ok, err := c.long(get(i))
		if err == nil && int64(int32(x)) != x {
			err = misfit{x}
		}
		if err != nil {
			return nil, 0, c.lossy(base+int64(i), err)
		}
		if !ok {
			v.drop(i)
		}
		out[i] = int32(x)
	}
	return arrow.Int32Traits.CastToBytes(out), v.n - v.values, nil
}

// doubles casts to float64; it returns the values and the number of nulls. In a
// column that cannot be null a null of another writer is NaN (spec 01 §2).
func (c *caster) doubles(v *vector, base int64) ([]byte, int, error) {
	out := spread(v.longs, v.valid, v.n) // bits
	if c.physical != parquet.Types.Double {
		out = make([]int64, v.n)
		get := c.getter(v)
		for i := range out {
			if !v.at(i) {
				continue
			}
			x := get(i)
			if x.float {
				out[i] = int64(math.Float64bits(x.f))
				continue
			}
			y, _, err := c.long(x)
			if err == nil && (y > maxExact || y < -maxExact) {
				err = misfit{x.i}
			}
			if err != nil {
				return nil, 0, c.lossy(base+int64(i), err)
			}
			out[i] = int64(math.Float64bits(float64(y)))
		}
	}
	nulls := v.n - v.values
	if nulls > 0 && !c.want.Nullable {
		for i := range out {
			if !v.at(i) {
				out[i] = int64(math.Float64bits(math.NaN()))
			}
		}
		nulls = 0
	}
	return arrow.Int64Traits.CastToBytes(out), nulls, nil
}

// maxExact is how far every integer is a float64.
const maxExact = 1 << 53

// scalar is one stored number.
type scalar struct {
	i     int64
	f     float64
	float bool
	big   bool // an unsigned integer beyond int64
}

// misfit is the error that carries the value.
type misfit struct{ v any }

func (m misfit) Error() string { return fmt.Sprint(m.v) }

// getter returns access to the numbers of a page by row.
func (c *caster) getter(v *vector) func(i int) scalar {
	switch c.physical {
	case parquet.Types.Int32:
		s := spread(v.ints, v.valid, v.n)
		if c.unsigned {
			return func(i int) scalar { return scalar{i: int64(uint32(s[i]))} }
		}
		return func(i int) scalar { return scalar{i: int64(s[i])} }
	case parquet.Types.Int64:
		s := spread(v.longs, v.valid, v.n)
		return func(i int) scalar { return scalar{i: s[i], big: c.unsigned && s[i] < 0} }
	case parquet.Types.Float:
		s := spread(v.ints, v.valid, v.n)
		return func(i int) scalar { return scalar{f: float64(math.Float32frombits(uint32(s[i]))), float: true} }
	}
	s := spread(v.longs, v.valid, v.n)
	return func(i int) scalar { return scalar{f: math.Float64frombits(uint64(s[i])), float: true} }
}

// long returns x as an integer; false for NaN, which is null.
func (c *caster) long(x scalar) (int64, bool, error) {
	if !x.float {
		y := x.i * c.scale
		if x.big {
			return 0, false, misfit{uint64(x.i)}
		}
		if y/c.scale != x.i {
			return 0, false, misfit{x.i}
		}
		return y, true, nil
	}
	f := x.f
	if math.IsNaN(f) {
		return 0, false, nil
	}
	if c.want.FixedPoint {
		f = math.Round(f * 1e9)
	}
	if f != math.Trunc(f) || f < -(1<<63) || f >= 1<<63 {
		return 0, false, misfit{x.f}
	}
	return int64(f), true, nil
}
