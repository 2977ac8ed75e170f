package dbn

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Statistics is one published figure of an instrument.
type Statistics struct {
	Header
	TsRecv, TsRef       uint64 // ns UTC
	Price               int64  // 1e-9 units
	Quantity            int64  // UndefQuantity where there is none, in every version
	Sequence            uint32
	TsInDelta           int32
	StatType, ChannelID uint16
	UpdateAction, Flags byte
}

const (
	statisticsV1 = 64 // bytes in versions 1 and 2
	statisticsV3 = 80
)

// Decode reads a statistics record of a file of the given version.
func (s *Statistics) Decode(rec []byte, version uint8) error {
	le := binary.LittleEndian
	size := statisticsV1
	if version >= 3 {
		size = statisticsV3
	}
	if len(rec) < size {
		return short(rec, size, fmt.Sprintf("version %d statistics", version))
	}
	s.Header = header(rec)
	s.TsRecv, s.TsRef, s.Price = le.Uint64(rec[16:]), le.Uint64(rec[24:]), int64(le.Uint64(rec[32:]))
	rest := rec[44:]
	if version >= 3 {
		s.Quantity = int64(le.Uint64(rec[40:]))
		rest = rec[48:]
	} else if s.Quantity = int64(int32(le.Uint32(rec[40:]))); s.Quantity == math.MaxInt32 {
		s.Quantity = UndefQuantity
	}
	s.Sequence, s.TsInDelta = le.Uint32(rest), int32(le.Uint32(rest[4:]))
	s.StatType, s.ChannelID = le.Uint16(rest[8:]), le.Uint16(rest[10:])
	s.UpdateAction, s.Flags = rest[12], rest[13]
	return nil
}

// Append encodes the record as version 3 after dst.
func (s *Statistics) Append(dst []byte) []byte {
	le := binary.LittleEndian
	dst = s.appendHeader(dst, statisticsV3)
	dst = le.AppendUint64(le.AppendUint64(le.AppendUint64(dst, s.TsRecv), s.TsRef), uint64(s.Price))
	dst = le.AppendUint32(le.AppendUint32(le.AppendUint64(dst, uint64(s.Quantity)), s.Sequence), uint32(s.TsInDelta))
	dst = le.AppendUint16(le.AppendUint16(dst, s.StatType), s.ChannelID)
	dst = append(dst, s.UpdateAction, s.Flags)
	return append(dst, make([]byte, statisticsV3-62)...)
}

// Definition is the fields of an instrument definition that matter here.
type Definition struct {
	Header
	TsRecv               uint64
	MinPriceIncrement    int64 // 1e-9 units
	Expiration           uint64
	Activation           uint64
	UnitOfMeasureQty     int64
	UnderlyingID         uint32
	RawInstrumentID      uint64
	ContractMultiplier   int32
	MaturityYear         uint16
	MaturityMonth        uint8
	MaturityDay          uint8
	Currency             string
	RawSymbol            string
	Group                string
	Exchange             string
	Asset                string
	CFI                  string
	SecurityType         string
	UnitOfMeasure        string
	Underlying           string
	InstrumentClass      byte
	StrikePrice          int64 // 1e-9 units
	SecurityUpdateAction byte
	UserDefined          byte
}

// definitionLayout is where a version keeps the fields; spec 12.
type definitionLayout struct {
	size, quantity, underlyingID, rawID, rawIDSize, multiplier, year           int
	currency, symbol, symbolSize, group, exchange, asset, assetSize            int
	cfi, security, unit, underlying, class, strike, action, month, userDefined int
}

var definitionLayouts = map[uint8]definitionLayout{
	1: {360, 88, 116, 120, 4, 160, 180, 186, 200, 22, 222, 243, 248, 7, 255, 262, 269, 300, 325, 328, 349, 350, 353},
	2: {400, 88, 124, 128, 4, 164, 180, 186, 200, 71, 271, 292, 297, 7, 304, 311, 318, 349, 374, 112, 382, 383, 386},
	3: {520, 80, 140, 112, 8, 176, 214, 224, 238, 71, 309, 330, 335, 11, 346, 353, 360, 391, 487, 104, 493, 494, 497},
}

// Decode reads a definition record of a file of the given version; where the
// length is that of another version, as in files that were upgraded, the length
// decides.
func (d *Definition) Decode(rec []byte, version uint8) error {
	l, ok := definitionLayouts[version]
	if !ok || len(rec) < l.size || len(rec) > l.size+8 {
		for v := uint8(1); v <= 3; v++ {
			if n := definitionLayouts[v].size; len(rec) == n || len(rec) == n+8 {
				l, ok = definitionLayouts[v], true
				break
			}
			ok = false
		}
	}
	if !ok {
		return fmt.Errorf("definition record has %d bytes; version %d has %d", len(rec), version, definitionLayouts[version].size)
	}
	d.decode(rec, l)
	return nil
}

func (d *Definition) decode(rec []byte, l definitionLayout) {
	le := binary.LittleEndian
	d.Header = header(rec)
	d.TsRecv, d.MinPriceIncrement = le.Uint64(rec[16:]), int64(le.Uint64(rec[24:]))
	d.Expiration, d.Activation = le.Uint64(rec[40:]), le.Uint64(rec[48:])
	d.UnitOfMeasureQty = int64(le.Uint64(rec[l.quantity:]))
	d.UnderlyingID = le.Uint32(rec[l.underlyingID:])
	d.RawInstrumentID = uint64(le.Uint32(rec[l.rawID:]))
	if l.rawIDSize == 8 {
		d.RawInstrumentID = le.Uint64(rec[l.rawID:])
	}
	d.ContractMultiplier, d.MaturityYear = int32(le.Uint32(rec[l.multiplier:])), le.Uint16(rec[l.year:])
	text := func(at, n int) string { return cstr(rec[at : at+n]) }
	d.Currency, d.RawSymbol, d.Group, d.Exchange = text(l.currency, 4), text(l.symbol, l.symbolSize), text(l.group, 21), text(l.exchange, 5)
	d.Asset, d.CFI, d.SecurityType = text(l.asset, l.assetSize), text(l.cfi, 7), text(l.security, 7)
	d.UnitOfMeasure, d.Underlying = text(l.unit, 31), text(l.underlying, 21)
	d.InstrumentClass, d.StrikePrice = rec[l.class], int64(le.Uint64(rec[l.strike:]))
	d.SecurityUpdateAction, d.MaturityMonth, d.MaturityDay, d.UserDefined = rec[l.action], rec[l.month], rec[l.month+1], rec[l.userDefined]
}

// Append encodes the record as version 3 after dst; fields not named here are 0.
func (d *Definition) Append(dst []byte) []byte {
	le, l := binary.LittleEndian, definitionLayouts[3]
	start := len(dst)
	// The length byte holds size/4, which is 130 for version 3.
	dst = d.appendHeader(dst, l.size)
	dst = append(dst, make([]byte, l.size-headerSize)...)
	rec := dst[start:]
	le.PutUint64(rec[16:], d.TsRecv)
	le.PutUint64(rec[24:], uint64(d.MinPriceIncrement))
	le.PutUint64(rec[40:], d.Expiration)
	le.PutUint64(rec[48:], d.Activation)
	le.PutUint64(rec[l.quantity:], uint64(d.UnitOfMeasureQty))
	le.PutUint32(rec[l.underlyingID:], d.UnderlyingID)
	le.PutUint64(rec[l.rawID:], d.RawInstrumentID)
	le.PutUint32(rec[l.multiplier:], uint32(d.ContractMultiplier))
	le.PutUint16(rec[l.year:], d.MaturityYear)
	for at, text := range map[int]string{
		l.currency: d.Currency, l.symbol: d.RawSymbol, l.group: d.Group, l.exchange: d.Exchange, l.asset: d.Asset,
		l.cfi: d.CFI, l.security: d.SecurityType, l.unit: d.UnitOfMeasure, l.underlying: d.Underlying,
	} {
		copy(rec[at:], text)
	}
	rec[l.class], rec[l.action], rec[l.month], rec[l.month+1], rec[l.userDefined] = d.InstrumentClass, d.SecurityUpdateAction, d.MaturityMonth, d.MaturityDay, d.UserDefined
	le.PutUint64(rec[l.strike:], uint64(d.StrikePrice))
	return dst
}
