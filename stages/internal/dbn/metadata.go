package dbn

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// Sizes in the metadata; spec 12.
const (
	prefixSize    = 8         // "DBN", version, length of the metadata
	metadataFixed = 100       // bytes before the lists, in every version
	maxMetadata   = 256 << 20 // more than the symbols of any venue take
	reservedV1    = 47
	reservedV2    = 53
	symbolV1      = 22 // bytes of a symbol in version 1
	symbolV2      = 71 // and in versions 2 and 3
)

// Metadata is the head of a file.
type Metadata struct {
	Version     uint8 // 1 to 3
	Dataset     string
	Schema      Schema
	Start, End  uint64 // of the data, [Start,End); End may be UndefTimestamp
	Limit       uint64 // of records; 0: none
	RecordCount uint64 // version 1 only; deprecated, not to be relied on
	STypeIn     SType  // how the mapped symbols are named
	STypeOut    SType  // how the symbols of the intervals are named
	TsOut       bool   // every record ends with the time it was sent, 8 bytes counted in its length
	Symbols     []string
	Partial     []string // found on some of the dates
	NotFound    []string
	Mappings    []Mapping
}

// Mapping names one symbol over time.
type Mapping struct {
	RawSymbol string
	Intervals []Interval
}

// Interval is the dates [Start,End) as YYYYMMDD, and the symbol then; with an
// STypeOut of STypeInstrumentID that is the id in decimal.
type Interval struct {
	Start, End uint32
	Symbol     string
}

// cursor walks over metadata; the first thing that is wrong sticks.
type cursor struct {
	data []byte
	pos  int
	err  string
}

func (c *cursor) take(n int64, what string) []byte {
	if c.err != "" {
		return nil
	}
	if left := int64(len(c.data) - c.pos); n > left {
		c.err = fmt.Sprintf("%s needs %d bytes, and %d are left", what, n, left)
		return nil
	}
	b := c.data[c.pos : c.pos+int(n)]
	c.pos += int(n)
	return b
}

func (c *cursor) u8(what string) uint8 {
	if b := c.take(1, what); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) u16(what string) uint16 {
	if b := c.take(2, what); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) u32(what string) uint32 {
	if b := c.take(4, what); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) u64(what string) uint64 {
	if b := c.take(8, what); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// text reads n bytes of text padded with NUL. Symbols become names of
// partitions, so they must be text.
func (c *cursor) text(n int, what string) string {
	b := c.take(int64(n), what)
	s := cstr(b)
	if c.err == "" && !utf8.ValidString(s) {
		c.pos -= n
		c.err = fmt.Sprintf("%s is %q, which is not UTF-8 text", what, s)
	}
	return s
}

// count reads how many elements of at least size bytes follow, which bounds
// what a false count can make us allocate.
func (c *cursor) count(size int, what string) int {
	n := int64(c.u32("the number of " + what))
	if left := int64(len(c.data) - c.pos); c.err == "" && n*int64(size) > left {
		c.pos -= 4
		c.err = fmt.Sprintf("it claims %d %s of at least %d bytes each, and %d bytes are left", n, what, size, left)
	}
	if c.err != "" {
		return 0
	}
	return int(n)
}

func (c *cursor) texts(size int, what string) []string {
	n := c.count(size, what)
	if n == 0 {
		return nil
	}
	out := make([]string, n)
	for i := range out {
		out[i] = c.text(size, what)
	}
	return out
}

func (c *cursor) mappings(size int) []Mapping {
	n := c.count(size+4, "mappings")
	if n == 0 {
		return nil
	}
	out := make([]Mapping, n)
	for i := range out {
		out[i].RawSymbol = c.text(size, "a mapped symbol")
		intervals := c.count(size+8, "intervals")
		if intervals == 0 {
			continue
		}
		out[i].Intervals = make([]Interval, intervals)
		for j := range out[i].Intervals {
			out[i].Intervals[j] = Interval{c.u32("a start date"), c.u32("an end date"), c.text(size, "the symbol of an interval")}
		}
	}
	return out
}

// cstr cuts text at its first NUL.
func cstr(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// parseMetadata reads what follows the prefix. Where it fails, at is the offset
// in data of what is wrong.
func parseMetadata(version uint8, data []byte) (m Metadata, at int, wrong string) {
	c := &cursor{data: data}
	m.Version = version
	m.Dataset = c.text(16, "the dataset")
	m.Schema = Schema(c.u16("the schema"))
	m.Start, m.End, m.Limit = c.u64("the start"), c.u64("the end"), c.u64("the limit")
	if version == 1 {
		m.RecordCount = c.u64("the record count")
	}
	m.STypeIn, m.STypeOut = SType(c.u8("stype_in")), SType(c.u8("stype_out"))
	m.TsOut = c.u8("ts_out") != 0
	symbol, reserved := symbolV1, int64(reservedV1)
	if version > 1 {
		symbol, reserved = int(c.u16("the symbol length")), reservedV2
		if c.err == "" && symbol < symbolV1 {
			c.pos -= 2
			c.err = fmt.Sprintf("it claims symbols of %d bytes; they have %d or more", symbol, symbolV1)
		}
	}
	c.take(reserved, "the reserved part")
	c.take(int64(c.u32("the length of the schema definition")), "the schema definition")
	m.Symbols = c.texts(symbol, "symbols")
	m.Partial = c.texts(symbol, "partial symbols")
	m.NotFound = c.texts(symbol, "symbols that were not found")
	m.Mappings = c.mappings(symbol)
	return m, c.pos, c.err
}

// encoder is the opposite of cursor.
type encoder struct {
	data   []byte
	symbol int // bytes of a symbol
	err    error
}

func (e *encoder) u16(v uint16) { e.data = binary.LittleEndian.AppendUint16(e.data, v) }
func (e *encoder) u32(v uint32) { e.data = binary.LittleEndian.AppendUint32(e.data, v) }
func (e *encoder) u64(v uint64) { e.data = binary.LittleEndian.AppendUint64(e.data, v) }

func (e *encoder) text(s string, n int) {
	if e.err == nil {
		e.err = checkText(s, n)
	}
	at := len(e.data)
	e.data = append(e.data, make([]byte, n)...)
	copy(e.data[at:], s)
}

// checkText tells whether s can be written into a field of n bytes and read back.
func checkText(s string, n int) error {
	switch {
	case len(s) > n:
		return fmt.Errorf("%q has %d bytes, more than the %d of its field", s, len(s), n)
	case !utf8.ValidString(s) || bytes.IndexByte([]byte(s), 0) >= 0:
		return fmt.Errorf("%q is not UTF-8 text without NUL", s)
	}
	return nil
}

func (e *encoder) texts(list []string) {
	e.u32(uint32(len(list)))
	for _, s := range list {
		e.text(s, e.symbol)
	}
}

func (e *encoder) mappings(list []Mapping) {
	e.u32(uint32(len(list)))
	for _, m := range list {
		e.text(m.RawSymbol, e.symbol)
		e.u32(uint32(len(m.Intervals)))
		for _, iv := range m.Intervals {
			e.u32(iv.Start)
			e.u32(iv.End)
			e.text(iv.Symbol, e.symbol)
		}
	}
}

// Encode returns the head of a file: prefix and metadata. Version must be 1 to
// 3, and symbols must fit: 22 bytes in version 1, 71 in the others.
func (m *Metadata) Encode() ([]byte, error) {
	if m.Version < 1 || m.Version > 3 {
		return nil, fmt.Errorf("version %d of DBN cannot be written; versions 1 to 3 can", m.Version)
	}
	e := &encoder{data: []byte{'D', 'B', 'N', m.Version, 0, 0, 0, 0}, symbol: symbolV2}
	reserved := reservedV2
	if m.Version == 1 {
		e.symbol, reserved = symbolV1, reservedV1
	}
	e.text(m.Dataset, 16)
	e.u16(uint16(m.Schema))
	e.u64(m.Start)
	e.u64(m.End)
	e.u64(m.Limit)
	if m.Version == 1 {
		e.u64(m.RecordCount)
	}
	tsOut := byte(0)
	if m.TsOut {
		tsOut = 1
	}
	e.data = append(e.data, byte(m.STypeIn), byte(m.STypeOut), tsOut)
	if m.Version > 1 {
		e.u16(uint16(e.symbol))
	}
	e.data = append(e.data, make([]byte, reserved)...)
	e.u32(0) // no schema definition
	e.texts(m.Symbols)
	e.texts(m.Partial)
	e.texts(m.NotFound)
	e.mappings(m.Mappings)
	for m.Version == 3 && len(e.data)%8 != 0 {
		e.data = append(e.data, 0)
	}
	if e.err != nil {
		return nil, fmt.Errorf("metadata: %w", e.err)
	}
	if len(e.data) > maxMetadata {
		return nil, fmt.Errorf("metadata of %d bytes; at most %d are read back", len(e.data), maxMetadata)
	}
	binary.LittleEndian.PutUint32(e.data[4:], uint32(len(e.data)-prefixSize))
	return e.data, nil
}
