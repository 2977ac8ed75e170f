package parquet

import (
	"encoding/binary"
	"fmt"

	"github.com/apache/arrow/go/v17/parquet"
)

// vector is one decoded page: its values without the nulls, in the field of the
// physical type, and where the nulls are.
type vector struct {
	n     int    // levels: rows, or items and empty lists
	valid []byte // bitmap of n; nil: all
	// Levels of a nested column, n each; nil for others.
	repeat, define []uint8

	ints   []int32 // INT32, FLOAT (bits)
	longs  []int64 // INT64, DOUBLE (bits)
	texts  [][]byte
	bools  []byte
	values int // length of the one that is used
}

// data decodes the data page that is loaded.
func (c *column) data(h pageHeader) (vector, error) {
	b, err := c.raw(h)
	if err != nil {
		return vector{}, err
	}
	if h.kind == pageTypeData {
		return c.pageV1(b, h)
	}
	levels := b[:h.repeat+h.define]
	return c.decode(levels[:h.repeat], levels[h.repeat:], b[len(levels):], h.values, h.encoding)
}

// pageV1 decodes a page whose levels have their lengths before them.
func (c *column) pageV1(b []byte, h pageHeader) (vector, error) {
	var levels [2][]byte
	for i, most := range []int16{c.leaf.MaxRepetitionLevel(), c.leaf.MaxDefinitionLevel()} {
		if most == 0 {
			continue
		}
		if len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4) {
			return vector{}, errShort
		}
		end := 4 + binary.LittleEndian.Uint32(b)
		levels[i], b = b[4:end], b[end:]
	}
	return c.decode(levels[0], levels[1], b, h.values, h.encoding)
}

func (c *column) decode(rep, def, b []byte, n, encoding int) (vector, error) {
	if n < 0 || int64(n) > c.most {
		return vector{}, fmt.Errorf("a page of %d values where at most %d can be", n, c.most)
	}
	v := vector{n: n}
	values := n
	var err error
	switch most := int(c.leaf.MaxDefinitionLevel()); {
	case c.leaf.MaxRepetitionLevel() > 0:
		if v.repeat, err = decodeLevels(rep, n, int(c.leaf.MaxRepetitionLevel())); err != nil {
			return v, err
		}
		if v.define, err = decodeLevels(def, n, most); err != nil {
			return v, err
		}
		values = 0
		for _, d := range v.define {
			if int(d) == most {
				values++
			}
		}
	case most == 1:
		if v.valid, values, err = decodeValidity(def, n); err != nil {
			return v, err
		}
	case most > 1:
		return v, fmt.Errorf("a nested column")
	}
	err = c.decodeValues(&v, b, values, encoding)
	return v, err
}

func (c *column) decodeValues(v *vector, b []byte, n, encoding int) (err error) {
	v.values = n
	if encoding == encRLEDictionary || encoding == encPlainDictionary {
		return c.lookup(v, b, n)
	}
	got := n
	switch c.leaf.PhysicalType() {
	case parquet.Types.Int32, parquet.Types.Float:
		v.ints, err = numbers[int32](b, n, 4, encoding)
		got = len(v.ints)
	case parquet.Types.Int64, parquet.Types.Double:
		v.longs, err = numbers[int64](b, n, 8, encoding)
		got = len(v.longs)
	case parquet.Types.ByteArray:
		v.texts, err = decodeTexts(b, n, encoding)
		got = len(v.texts)
	case parquet.Types.Boolean:
		v.bools, err = decodeBools(b, n, encoding)
	default:
		err = fmt.Errorf("type %s is not supported", c.leaf.PhysicalType())
	}
	if err == nil && got != n {
		err = fmt.Errorf("a page holds %d values where %d are expected", got, n)
	}
	return err
}

func numbers[T int32 | int64](b []byte, n, size, encoding int) ([]T, error) {
	switch encoding {
	case encPlain:
		return decodePlain[T](b, n)
	case encDeltaBinary:
		v, _, err := decodeDelta[T](b, n)
		return v, err
	case encByteSplit:
		return decodeSplit[T](b, n, size)
	}
	return nil, errEncoding(encoding)
}

func decodeTexts(b []byte, n, encoding int) ([][]byte, error) {
	switch encoding {
	case encPlain:
		return plainTexts(b, n)
	case encDeltaByteArray:
		return deltaTexts(b, n)
	case encDeltaLength:
		return lengthTexts(b, n)
	}
	return nil, errEncoding(encoding)
}

// dictionary decodes the dictionary page that is loaded.
func (c *column) dictionary(h pageHeader) error {
	b, err := c.raw(h)
	if err != nil {
		return err
	}
	if h.values > maxPage {
		return fmt.Errorf("a dictionary of %d values", h.values)
	}
	c.dict = vector{}
	if err := c.decodeValues(&c.dict, b, h.values, encPlain); err != nil {
		return fmt.Errorf("dictionary: %w", err)
	}
	return nil
}

// plainSize is how many bytes the values take that encPlain made.
func (v *vector) plainSize() int {
	size := 4*len(v.ints) + 8*len(v.longs) + (len(v.bools)+7)/8
	for _, s := range v.texts {
		size += 4 + len(s)
	}
	return size
}

// lookup reads n dictionary indices.
func (c *column) lookup(v *vector, b []byte, n int) error {
	d := &c.dict
	switch {
	case n == 0:
		return nil
	case d.longs != nil:
		v.longs = make([]int64, n)
		return decodeIndices(v.longs, d.longs, b)
	case d.ints != nil:
		v.ints = make([]int32, n)
		return decodeIndices(v.ints, d.ints, b)
	case d.texts != nil:
		v.texts = make([][]byte, n)
		return decodeIndices(v.texts, d.texts, b)
	case d.bools != nil:
		v.bools = make([]byte, n)
		return decodeIndices(v.bools, d.bools, b)
	}
	return fmt.Errorf("a page refers to a dictionary that is not there")
}
