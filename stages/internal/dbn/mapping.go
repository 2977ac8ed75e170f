package dbn

import (
	"encoding/binary"
	"fmt"
)

// SymbolMapping is a mapping sent within a live stream: it names the instrument
// of its header.
type SymbolMapping struct {
	Header
	STypeIn, STypeOut SType // STypeMixed where it is not known, as in version 1
	STypeInSymbol     string
	STypeOutSymbol    string
	Start, End        uint64 // [Start,End); each may be UndefTimestamp
}

const (
	symbolMappingV1 = 80 // bytes
	symbolMappingV2 = 176
)

// Decode reads a symbol-mapping record; its length tells the version.
func (m *SymbolMapping) Decode(rec []byte) error {
	le := binary.LittleEndian
	switch len(rec) {
	case symbolMappingV1, symbolMappingV1 + tsOutSize:
		m.STypeIn, m.STypeOut = STypeMixed, STypeMixed
		m.STypeInSymbol, m.STypeOutSymbol = cstr(rec[16:38]), cstr(rec[38:60])
		m.Start, m.End = le.Uint64(rec[64:]), le.Uint64(rec[72:])
	case symbolMappingV2, symbolMappingV2 + tsOutSize:
		m.STypeIn, m.STypeOut = SType(rec[16]), SType(rec[88])
		m.STypeInSymbol, m.STypeOutSymbol = cstr(rec[17:88]), cstr(rec[89:160])
		m.Start, m.End = le.Uint64(rec[160:]), le.Uint64(rec[168:])
	default:
		return fmt.Errorf("symbol-mapping record has %d bytes instead of %d (version 1) or %d", len(rec), symbolMappingV1, symbolMappingV2)
	}
	m.Header = header(rec)
	return nil
}

// Append encodes the record after dst for a file of the given version. Symbols
// must fit: 22 bytes in version 1, 71 in the others.
func (m *SymbolMapping) Append(dst []byte, version uint8) ([]byte, error) {
	var e encoder
	switch version {
	case 1:
		e.data = m.Header.appendTo(dst, symbolMappingV1)
		e.text(m.STypeInSymbol, symbolV1)
		e.text(m.STypeOutSymbol, symbolV1)
		e.u32(0)
	case 2, 3:
		e.data = append(m.Header.appendTo(dst, symbolMappingV2), byte(m.STypeIn))
		e.text(m.STypeInSymbol, symbolV2)
		e.data = append(e.data, byte(m.STypeOut))
		e.text(m.STypeOutSymbol, symbolV2)
	default:
		return nil, errVersion(version)
	}
	e.u64(m.Start)
	e.u64(m.End)
	if e.err != nil {
		return nil, fmt.Errorf("symbol mapping: %w", e.err)
	}
	return e.data, nil
}
