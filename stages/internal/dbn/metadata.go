package dbn

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

const (
	metadataFixed = 100
	maxMetadata   = 256 << 20
	symbolV1      = 22 // bytes of a symbol in version 1
	symbolV2      = 71
)

// Metadata is the head of a file.
type Metadata struct {
	Version     uint8
	Dataset     string
	Schema      Schema
	Start, End  uint64 // ns UTC; End may be UndefTimestamp
	Limit       uint64 // 0: none
	RecordCount uint64 // version 1 only; deprecated
	STypeIn     SType
	STypeOut    SType
	TsOut       bool // every record is followed by the time it was sent
	Symbols     []string
	Partial     []string
	NotFound    []string
	Mappings    []Mapping
}

// Mapping names one symbol over time.
type Mapping struct {
	RawSymbol string
	Intervals []Interval
}

// Interval is the dates [Start,End) as YYYYMMDD, and the symbol then.
type Interval struct {
	Start, End uint32
	Symbol     string
}

// cursor walks over metadata; the first lack of bytes sticks.
type cursor struct {
	data []byte
	pos  int
	err  string
}

func (c *cursor) take(n int, what string) []byte {
	if c.err != "" {
		return nil
	}
	if n < 0 || n > len(c.data)-c.pos {
		c.err = fmt.Sprintf("%s needs %d bytes, and the metadata has %d left", what, n, len(c.data)-c.pos)
		return nil
	}
	b := c.data[c.pos : c.pos+n]
	c.pos += n
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

func (c *cursor) text(n int, what string) string { return cstr(c.take(n, what)) }

// count reads how many elements of at least size bytes follow.
func (c *cursor) count(size int, what string) int {
	n := int64(c.u32("the number of " + what))
	if c.err == "" && n*int64(size) > int64(len(c.data)-c.pos) {
		c.err = fmt.Sprintf("it claims %d %s of %d bytes each, and has %d bytes left", n, what, size, len(c.data)-c.pos)
	}
	if c.err != "" {
		return 0
	}
	return int(n)
}

func (c *cursor) texts(size int, what string) []string {
	out := make([]string, c.count(size, what))
	for i := range out {
		out[i] = c.text(size, what)
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

func (r *Reader) parseMetadata(version uint8, data []byte) error {
	c := &cursor{data: data}
	m := &r.Metadata
	m.Version = version
	m.Dataset = c.text(16, "the dataset")
	m.Schema = Schema(c.u16("the schema"))
	m.Start, m.End, m.Limit = c.u64("the start"), c.u64("the end"), c.u64("the limit")
	if version == 1 {
		m.RecordCount = c.u64("the record count")
	}
	m.STypeIn, m.STypeOut = SType(c.u8("stype_in")), SType(c.u8("stype_out"))
	m.TsOut = c.u8("ts_out") == 1
	symbol, reserved := symbolV1, 47
	if version > 1 {
		symbol, reserved = int(c.u16("the symbol length")), 53
	}
	c.take(reserved, "the reserved bytes")
	if c.err == "" && symbol == 0 {
		c.err = "its symbols have a length of 0"
	}
	c.take(int(c.u32("the length of the schema definition")), "the schema definition")
	m.Symbols = c.texts(symbol, "symbols")
	m.Partial = c.texts(symbol, "partial symbols")
	m.NotFound = c.texts(symbol, "symbols that were not found")
	m.Mappings = make([]Mapping, c.count(symbol+4, "mappings"))
	for i := range m.Mappings {
		m.Mappings[i].RawSymbol = c.text(symbol, "a mapped symbol")
		m.Mappings[i].Intervals = make([]Interval, c.count(symbol+8, "intervals"))
		for j := range m.Mappings[i].Intervals {
			m.Mappings[i].Intervals[j] = Interval{c.u32("a start date"), c.u32("an end date"), c.text(symbol, "a symbol")}
		}
	}
	if c.err != "" {
		return &FormatError{Name: r.name, Offset: int64(8 + c.pos), Msg: "the metadata is broken: " + c.err}
	}
	return nil
}

// Encode writes the head of a file: magic, version, length and metadata.
// Version must be 1 to 3, and symbols must fit.
func (m *Metadata) Encode() ([]byte, error) {
	size, reserved := symbolV1, 47
	if m.Version > 1 {
		size, reserved = symbolV2, 53
	}
	if m.Version < 1 || m.Version > 3 {
		return nil, fmt.Errorf("version %d of DBN cannot be written; versions 1 to 3 can", m.Version)
	}
	le := binary.LittleEndian
	b := append([]byte("DBN"), m.Version, 0, 0, 0, 0)
	var err error
	text := func(s string, n int) {
		if len(s) > n && err == nil {
			err = fmt.Errorf("%q has %d bytes, more than the %d of its field", s, len(s), n)
		}
		field := make([]byte, n)
		copy(field, s)
		b = append(b, field...)
	}
	text(m.Dataset, 16)
	b = le.AppendUint16(b, uint16(m.Schema))
	b = le.AppendUint64(le.AppendUint64(le.AppendUint64(b, m.Start), m.End), m.Limit)
	if m.Version == 1 {
		b = le.AppendUint64(b, m.RecordCount)
	}
	b = append(b, byte(m.STypeIn), byte(m.STypeOut), 0)
	if m.TsOut {
		b[len(b)-1] = 1
	}
	if m.Version > 1 {
		b = le.AppendUint16(b, symbolV2)
	}
	b = append(b, make([]byte, reserved)...)
	b = le.AppendUint32(b, 0)
	for _, list := range [][]string{m.Symbols, m.Partial, m.NotFound} {
		b = le.AppendUint32(b, uint32(len(list)))
		for _, s := range list {
			text(s, size)
		}
	}
	b = le.AppendUint32(b, uint32(len(m.Mappings)))
	for _, mp := range m.Mappings {
		text(mp.RawSymbol, size)
		b = le.AppendUint32(b, uint32(len(mp.Intervals)))
		for _, iv := range mp.Intervals {
			b = le.AppendUint32(le.AppendUint32(b, iv.Start), iv.End)
			text(iv.Symbol, size)
		}
	}
	for m.Version == 3 && len(b)%8 != 0 {
		b = append(b, 0)
	}
	le.PutUint32(b[4:], uint32(len(b)-8))
	return b, err
}
