package dbn

import (
	"encoding/binary"
	"fmt"
)

// Sizes of records in bytes, without the send time that Metadata.TsOut adds.
const (
	TradeSize = 48
	MBP1Size  = 80
	MBP10Size = 368

	headerSize = 16
	levelSize  = 32
	tsOutSize  = 8
)

// RType of a raw record.
func RType(rec []byte) byte { return rec[1] }

// InstrumentID of a raw record.
func InstrumentID(rec []byte) uint32 { return binary.LittleEndian.Uint32(rec[4:]) }

// TsEvent of a raw record.
func TsEvent(rec []byte) uint64 { return binary.LittleEndian.Uint64(rec[8:]) }

// TsRecv of a raw trade or book record; UndefTimestamp if it is too short to be one.
func TsRecv(rec []byte) uint64 {
	if len(rec) < TradeSize {
		return UndefTimestamp
	}
	return binary.LittleEndian.Uint64(rec[32:])
}

// Sequence of a raw trade or book record; 0 if it is too short to be one.
func Sequence(rec []byte) uint32 {
	if len(rec) < TradeSize {
		return 0
	}
	return binary.LittleEndian.Uint32(rec[44:])
}

// Header opens every record.
type Header struct {
	RType        byte
	PublisherID  uint16
	InstrumentID uint32
	TsEvent      uint64
}

func header(rec []byte) Header {
	return Header{RType: RType(rec), PublisherID: binary.LittleEndian.Uint16(rec[2:]), InstrumentID: InstrumentID(rec), TsEvent: TsEvent(rec)}
}

// appendTo starts a record of size bytes, a multiple of 4.
func (h Header) appendTo(dst []byte, size int) []byte {
	dst = append(dst, byte(size/4), h.RType)
	dst = binary.LittleEndian.AppendUint16(dst, h.PublisherID)
	dst = binary.LittleEndian.AppendUint32(dst, h.InstrumentID)
	return binary.LittleEndian.AppendUint64(dst, h.TsEvent)
}

// checkSize wants a record of size bytes, or that and a send time.
func checkSize(rec []byte, size int, what string) error {
	if len(rec) != size && len(rec) != size+tsOutSize {
		return fmt.Errorf("%s record has %d bytes instead of %d, or %d with ts_out", what, len(rec), size, size+tsOutSize)
	}
	return nil
}

// CheckMBP10 wants the bytes of an mbp-10 record, with or without a send time.
func CheckMBP10(rec []byte) error { return checkSize(rec, MBP10Size, "mbp-10") }

// Level is one price level of both sides of a book. An absent price is
// UndefPrice. In consolidated records the counts are publisher ids.
type Level struct {
	BidPx, AskPx int64
	BidSz, AskSz uint32
	BidCt, AskCt uint32
}

// Trade is a trade record, and what every book record begins with.
type Trade struct {
	Header
	Price        int64
	Size         uint32
	Action, Side byte
	Flags, Depth byte
	TsRecv       uint64
	TsInDelta    int32 // ns from the venue's sending to TsRecv
	Sequence     uint32
}

// MBP1 is a record with one level: mbp-1 and tbbo; bbo and cbbo, whose price,
// size and side are those of the last trade and which leave action, depth,
// ts_in_delta (and cbbo the sequence) at 0; cmbp-1 and tcbbo.
type MBP1 struct {
	Trade
	Level Level
}

// MBP10 is an mbp-10 record: the event, and the ten levels after it.
type MBP10 struct {
	Trade
	Levels [10]Level
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

// Decode reads a trade record, or the beginning of a book record. As all
// Decode methods it judges the length, not the RType.
func (t *Trade) Decode(rec []byte) error {
	if len(rec) < TradeSize {
		return fmt.Errorf("trade record has %d bytes instead of %d", len(rec), TradeSize)
	}
	t.decode(rec)
	return nil
}

// Decode reads a record with one level.
func (m *MBP1) Decode(rec []byte) error {
	if err := checkSize(rec, MBP1Size, "one-level book"); err != nil {
		return err
	}
	m.Trade.decode(rec)
	m.Level.decode(rec[TradeSize:])
	return nil
}

// Decode reads an mbp-10 record.
func (m *MBP10) Decode(rec []byte) error {
	if err := CheckMBP10(rec); err != nil {
		return err
	}
	m.Trade.decode(rec)
	for i := range m.Levels {
		m.Levels[i].decode(rec[TradeSize+i*levelSize:])
	}
	return nil
}

func (t *Trade) appendTo(dst []byte, size int) []byte {
	le := binary.LittleEndian
	dst = t.Header.appendTo(dst, size)
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
