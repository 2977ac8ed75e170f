package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Types of Thrift's compact protocol. In a struct a boolean is its type alone.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
	thriftUUID   = 13
)

// thriftDepth is how deep what is skipped may be nested.
const thriftDepth = 32

var errThrift = errors.New("it ends too early")

// eachField walks a struct: take is told of every field, and returns what follows it
// in b. eachField returns what follows the struct.
func eachField(b []byte, take func(id int, kind byte, b []byte) ([]byte, error)) ([]byte, error) {
	id := 0
	for len(b) > 0 {
		head := b[0]
		b = b[1:]
		if head&15 == 0 {
			return b, nil
		}
		id += int(head >> 4)
		if head>>4 == 0 {
			v, n := binary.Varint(b)
			if n <= 0 {
				return nil, errThrift
			}
			id, b = int(int16(v)), b[n:]
		}
		var err error
		if b, err = take(id, head&15, b); err != nil {
			return nil, err
		}
	}
	return nil, errThrift
}

// takeInt reads a field that has to be an int32.
func takeInt(to *int, kind byte, b []byte) ([]byte, error) {
	v, n := binary.Varint(b)
	switch {
	case kind != thriftI32:
		return nil, fmt.Errorf("type %d where a number is expected", kind)
	case n <= 0:
		return nil, errThrift
	case v != int64(int32(v)):
		return nil, fmt.Errorf("%d where a number of 32 bits is expected", v)
	}
	*to = int(v)
	return b[n:], nil
}

// skip passes over a value. It holds every size against the bytes that are there, so
// what it passes over is safe to allocate for.
func skip(b []byte, kind byte, depth int) ([]byte, error) {
	if depth == 0 {
		return nil, errors.New("it is nested too deeply")
	}
	switch kind {
	case thriftTrue, thriftFalse:
		return b, nil
	case thriftByte:
		return drop(b, 1)
	case thriftI16, thriftI32, thriftI64:
		_, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, errThrift
		}
		return b[n:], nil
	case thriftDouble:
		return drop(b, 8)
	case thriftUUID:
		return drop(b, 16)
	case thriftBinary:
		size, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, errThrift
		}
		return drop(b[n:], size)
	case thriftList, thriftSet:
		return skipList(b, depth)
	case thriftMap:
		return skipMap(b, depth)
	case thriftStruct:
		return eachField(b, func(_ int, kind byte, b []byte) ([]byte, error) { return skip(b, kind, depth-1) })
	}
	return nil, fmt.Errorf("type %d, which there is not", kind)
}

func drop(b []byte, n uint64) ([]byte, error) {
	if n > uint64(len(b)) {
		return nil, errThrift
	}
	return b[n:], nil
}

func skipList(b []byte, depth int) ([]byte, error) {
	if len(b) == 0 {
		return nil, errThrift
	}
	size, kind := uint64(b[0]>>4), b[0]&15
	b = b[1:]
	if size == 15 {
		n := 0
		if size, n = binary.Uvarint(b); n <= 0 {
			return nil, errThrift
		}
		b = b[n:]
	}
	return skipElements(b, size, depth, kind)
}

func skipMap(b []byte, depth int) ([]byte, error) {
	size, n := binary.Uvarint(b)
	switch {
	case n <= 0:
		return nil, errThrift
	case size == 0:
		return b[n:], nil
	case n == len(b):
		return nil, errThrift
	}
	return skipElements(b[n+1:], size, depth, b[n]>>4, b[n]&15)
}

// skipElements passes over size times the kinds; each takes a byte at least.
func skipElements(b []byte, size uint64, depth int, kinds ...byte) ([]byte, error) {
	if size > uint64(min(len(b), math.MaxInt32)) {
		return nil, errThrift
	}
	var err error
	for range size {
		for _, kind := range kinds {
			if kind == thriftTrue || kind == thriftFalse { // not in a struct: a byte
				kind = thriftByte
			}
			if b, err = skip(b, kind, depth-1); err != nil {
				return nil, err
			}
		}
	}
	return b, nil
}
