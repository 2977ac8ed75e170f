package dbn

import (
	"encoding/binary"
	"fmt"
)

// Header opens every record.
type Header struct {
	RType        byte
	PublisherID  uint16
	InstrumentID uint32
	TsEvent      uint64 // ns UTC
}

// RType of a raw record.
func RType(rec []byte) byte { return rec[1] }

// InstrumentID of a raw record.
func InstrumentID(rec []byte) uint32 { return binary.LittleEndian.Uint32(rec[4:]) }

// TsEvent of a raw record, ns UTC.
func TsEvent(rec []byte) uint64 { return binary.LittleEndian.Uint64(rec[8:]) }

func header(rec []byte) Header {
	return Header{RType: rec[1], PublisherID: binary.LittleEndian.Uint16(rec[2:]), InstrumentID: InstrumentID(rec), TsEvent: TsEvent(rec)}
}

// appendHeader starts a record of size bytes.
func (h Header) appendHeader(dst []byte, size int) []byte {
	dst = append(dst, byte(size/4), h.RType)
	dst = binary.LittleEndian.AppendUint16(dst, h.PublisherID)
	dst = binary.LittleEndian.AppendUint32(dst, h.InstrumentID)
	return binary.LittleEndian.AppendUint64(dst, h.TsEvent)
}

// Level is one price level of both sides of a book. Prices are in 1e-9 units.
type Level struct {
	BidPx, AskPx int64
	BidSz, AskSz uint32
	BidCt, AskCt uint32
}

// Sizes of the records decoded here, without ts_out.
const (
	TradeSize = 48
	MBP1Size  = 80
	MBP10Size = 368
	levelSize = 32
)

// Trade is what a trade and every book record begin with.
type Trade struct {
	Header
	Price        int64
	Size         uint32
	Action, Side byte
	Flags, Depth byte
	TsRecv       uint64 // ns UTC
	TsInDelta    int32
	Sequence     uint32
}

// MBP1 is a record with one level: mbp-1, tbbo, and bbo, whose price, size and
// side are those of the last trade.
type MBP1 struct {
	Trade
	Level Level
}

// MBP10 is an mbp-10 record: the event, and the ten levels after it.
type MBP10 struct {
	Trade
	Levels [10]Level
}

func short(rec []byte, size int, what string) error {
	return fmt.Errorf("%s record has %d bytes instead of %d", what, len(rec), size)
}

func (t *Trade) decode(rec []byte) {
	le := binary.LittleEndian
	rec = rec[:TradeSize]
	t.Header = header(rec)
	t.Price = int64(le.Uint64(rec[16:]))
	t.Size = le.Uint32(rec[24:])
	t.Action, t.Side, t.Flags, t.Depth = rec[28], rec[29], rec[30], rec[31]
	t.TsRecv = le.Uint64(rec[32:])
	t.TsInDelta = int32(le.Uint32(rec[40:]))
	t.Sequence = le.Uint32(rec[44:])
}

func (l *Level) decode(b []byte) {
	le := binary.LittleEndian
	b = b[:levelSize]
	l.BidPx, l.AskPx = int64(le.Uint64(b)), int64(le.Uint64(b[8:]))
	l.BidSz, l.AskSz = le.Uint32(b[16:]), le.Uint32(b[20:])
	l.BidCt, l.AskCt = le.Uint32(b[24:]), le.Uint32(b[28:])
}

// Decode reads a trade record, or the beginning of a book record.
func (t *Trade) Decode(rec []byte) error {
	if len(rec) < TradeSize {
		return short(rec, TradeSize, "trade")
	}
	t.decode(rec)
	return nil
}

// Decode reads a record with one level.
func (m *MBP1) Decode(rec []byte) error {
	if len(rec) < MBP1Size {
		return short(rec, MBP1Size, "one-level book")
	}
	m.Trade.decode(rec)
	m.Level.decode(rec[TradeSize:])
	return nil
}

// Decode reads an mbp-10 record.
func (m *MBP10) Decode(rec []byte) error {
	if len(rec) < MBP10Size {
		return short(rec, MBP10Size, "mbp-10")
	}
	m.Trade.decode(rec)
	for i := range m.Levels {
		m.Levels[i].decode(rec[TradeSize+i*levelSize:])
	}
	return nil
}

func (t *Trade) appendTo(dst []byte, size int) []byte {
	le := binary.LittleEndian
	dst = t.appendHeader(dst, size)
	dst = le.AppendUint64(dst, uint64(t.Price))
	dst = le.AppendUint32(dst, t.Size)
	dst = append(dst, t.Action, t.Side, t.Flags, t.Depth)
	dst = le.AppendUint64(dst, t.TsRecv)
	dst = le.AppendUint32(dst, uint32(t.TsInDelta))
	return le.AppendUint32(dst, t.Sequence)
}

func (l *Level) appendTo(dst []byte) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint64(le.AppendUint64(dst, uint64(l.BidPx)), uint64(l.AskPx))
	dst = le.AppendUint32(le.AppendUint32(dst, l.BidSz), l.AskSz)
	return le.AppendUint32(le.AppendUint32(dst, l.BidCt), l.AskCt)
}

// Append encodes the record after dst.
func (t *Trade) Append(dst []byte) []byte { return t.appendTo(dst, TradeSize) }

// Append encodes the record after dst.
func (m *MBP1) Append(dst []byte) []byte { return m.Level.appendTo(m.Trade.appendTo(dst, MBP1Size)) }

// Append encodes the record after dst.
func (m *MBP10) Append(dst []byte) []byte {
	dst = m.Trade.appendTo(dst, MBP10Size)
	for i := range m.Levels {
		dst = m.Levels[i].appendTo(dst)
	}
	return dst
}

// TsRecv of a raw trade or book record, ns UTC.
func TsRecv(rec []byte) uint64 { return binary.LittleEndian.Uint64(rec[32:]) }

// Sequence of a raw trade or book record.
func Sequence(rec []byte) uint32 { return binary.LittleEndian.Uint32(rec[44:]) }
