package parquet

import (
	"encoding/binary"
	"fmt"
)

// errLong is of texts that are short in a page and long when they are decoded.
var errLong = fmt.Errorf("the texts of a page take more than %d bytes", maxPageBytes)

// The texts of a page are byte slices into it, or into its dictionary.

// plainTexts reads n strings, each after its length.
func plainTexts(b []byte, n int) ([][]byte, error) {
	if n > len(b)/4 {
		return nil, errShort
	}
	out := make([][]byte, n)
	for i := range out {
		if len(b) < 4 {
			return nil, errShort
		}
		size := binary.LittleEndian.Uint32(b)
		b = b[4:]
		if uint64(size) > uint64(len(b)) {
			return nil, errShort
		}
		out[i], b = b[:size:size], b[size:]
	}
	return out, nil
}

// lengthTexts reads DELTA_LENGTH_BYTE_ARRAY.
func lengthTexts(b []byte, n int) ([][]byte, error) {
	sizes, b, err := decodeDelta[int32](b, n)
	if err != nil {
		return nil, err
	}
	out := make([][]byte, len(sizes))
	for i, size := range sizes {
		if size < 0 || int(size) > len(b) {
			return nil, errShort
		}
		out[i], b = b[:size:size], b[size:]
	}
	return out, nil
}

// deltaTexts reads DELTA_BYTE_ARRAY: prefixes shared with the value before.
func deltaTexts(b []byte, n int) ([][]byte, error) {
	prefixes, b, err := decodeDelta[int32](b, n)
	if err != nil {
		return nil, err
	}
	suffixes, err := lengthTexts(b, n)
	if err != nil {
		return nil, err
	}
	if len(prefixes) != len(suffixes) {
		return nil, fmt.Errorf("%d prefixes for %d suffixes", len(prefixes), len(suffixes))
	}
	shared := 0
	for _, k := range prefixes {
		shared += int(max(0, k))
	}
	if shared > maxPageBytes {
		return nil, errLong
	}
	out := make([][]byte, len(suffixes))
	var all, prev []byte
	for i, s := range suffixes {
		k := int(prefixes[i])
		if k < 0 || k > len(prev) {
			return nil, fmt.Errorf("string %d shares %d bytes with one of %d", i, k, len(prev))
		}
		if cap(all)-len(all) < k+len(s) {
			all = make([]byte, 0, max(1<<16, k+len(s)))
		}
		at := len(all)
		all = append(append(all, prev[:k]...), s...)
		prev = all[at:len(all):len(all)]
		out[i] = prev
	}
	return out, nil
}

// decodeBools reads n booleans, a byte each, plain or run-length encoded.
func decodeBools(b []byte, n, encoding int) ([]byte, error) {
	switch encoding {
	case encPlain:
		if len(b) < (n+7)/8 {
			return nil, errShort
		}
		out := make([]byte, n)
		for i := range out {
			out[i] = b[i/8] >> (i % 8) & 1
		}
		return out, nil
	case encRLE:
		if len(b) < 4 {
			return nil, errShort
		}
		return decodeLevels(b[4:], n, 1)
	}
	return nil, errEncoding(encoding)
}

func errEncoding(encoding int) error { return fmt.Errorf("encoding %d is not supported", encoding) }
