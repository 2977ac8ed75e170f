package parquet

import (
	"errors"
	"fmt"
	"hash/crc32"
)

// pageHeader is the PageHeader of parquet.thrift, as far as it is used.
type pageHeader struct {
	kind, uncompressed, compressed int
	values, encoding               int
	summed                         bool // there is a checksum
	sum                            uint32
	// Of pageTypeDataV2 only: the bytes of levels before the values, which alone
	// are compressed, unless plain.
	repeat, define int
	plain          bool
}

// append writes the header of a page of ours in Thrift's compact protocol: a byte
// with the distance to the last field's number and the type, then the value.
func (h pageHeader) append(dst []byte) []byte {
	field := func(step, v int) {
		dst = append(dst, byte(step<<4|thriftI32))
		dst = appendZigzag(dst, int64(v))
	}
	field(1, h.kind)
	field(1, h.uncompressed)
	field(1, h.compressed)
	field(1, int(int32(h.sum)))
	if h.kind == pageTypeDictionary {
		dst = append(dst, 3<<4|thriftStruct) // field 7
		field(1, h.values)
		field(1, h.encoding)
		return append(dst, 0, 0)
	}
	dst = append(dst, 1<<4|thriftStruct) // field 5
	field(1, h.values)
	field(1, h.encoding)
	field(1, encRLE)
	field(1, encRLE)
	return append(dst, 0, 0)
}

// parseHeader reads the header of any writer's page and returns what follows it.
func parseHeader(b []byte) (h pageHeader, rest []byte, err error) {
	var seen, sum int
	fields := [...]*int{1: &h.kind, 2: &h.uncompressed, 3: &h.compressed, 4: &sum}
	rest, err = eachField(b, func(id int, kind byte, b []byte) ([]byte, error) {
		if id > 0 && id <= 8 {
			seen |= 1 << id
		}
		switch {
		case id > 0 && id < len(fields):
			return takeInt(fields[id], kind, b)
		case (id == 5 || id == 7 || id == 8) && kind == thriftStruct:
			return h.parseKind(id, b)
		}
		return skip(b, kind, thriftDepth)
	})
	if err != nil {
		return h, nil, err
	}
	h.summed, h.sum = seen&(1<<4) != 0, uint32(sum)
	need := 1<<1 | 1<<2 | 1<<3
	switch h.kind {
	case pageTypeData:
		need |= 1 << 5
	case pageTypeDictionary:
		need |= 1 << 7
	case pageTypeDataV2:
		need |= 1 << 8
	}
	if seen&need != need {
		return h, nil, errors.New("it is not that of a page")
	}
	if h.kind != pageTypeDataV2 {
		h.repeat, h.define, h.plain = 0, 0, false
	}
	if min(h.uncompressed, h.compressed, h.values, h.repeat, h.define) < 0 {
		return h, nil, errors.New("it has negative sizes")
	}
	return h, rest, nil
}

// parseKind reads the part of the header that is of the page's type: field 5, 7 or 8.
func (h *pageHeader) parseKind(field int, b []byte) ([]byte, error) {
	seen := 0
	numbers := [7]*int{1: &h.values, 2: &h.encoding}
	if field == 8 {
		numbers = [7]*int{1: &h.values, 4: &h.encoding, 5: &h.define, 6: &h.repeat}
	}
	rest, err := eachField(b, func(id int, kind byte, b []byte) ([]byte, error) {
		if id > 0 && id < len(numbers) && numbers[id] != nil {
			seen |= 1 << id
			return takeInt(numbers[id], kind, b)
		}
		if field == 8 && id == 7 {
			h.plain = kind == thriftFalse
		}
		return skip(b, kind, thriftDepth)
	})
	for id, to := range numbers {
		if err == nil && to != nil && seen&(1<<id) == 0 {
			err = errors.New("it is not that of a page")
		}
	}
	return rest, err
}

// damaged is the end of what is said of a page that does not fit its checksum. The
// way out depends on who made the file, which the lake knows.
const damaged = "the file is damaged"

// check holds the bytes of the page, as they are stored, against its checksum.
func (h pageHeader) check(stored []byte) error {
	if sum := crc32.ChecksumIEEE(stored); h.summed && sum != h.sum {
		return fmt.Errorf("a page of %d bytes has the checksum %08x, and %08x was written with it: %s", len(stored), sum, h.sum, damaged)
	}
	return nil
}
