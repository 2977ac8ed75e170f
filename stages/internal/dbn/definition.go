package dbn

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Definition is the fields of an instrument definition that matter here. Its
// text is as stored, cut at the first NUL, and not checked to be UTF-8.
type Definition struct {
	Header
	TsRecv               uint64
	MinPriceIncrement    int64
	Expiration           uint64
	Activation           uint64
	UnitOfMeasureQty     int64 // 1e-9 units
	UnderlyingID         uint32
	RawInstrumentID      uint64 // 32 bits before version 3
	ContractMultiplier   int32
	MaturityYear         uint16
	MaturityMonth        uint8
	MaturityDay          uint8
	LegCount             uint16 // version 3 only
	Currency             string
	RawSymbol            string
	Group                string
	Exchange             string
	Asset                string
	CFI                  string
	SecurityType         string
	UnitOfMeasure        string
	Underlying           string
	InstrumentClass      byte // F future, S future spread, C call, P put, ...; spec 12
	StrikePrice          int64
	SecurityUpdateAction byte
	UserDefined          byte
}

// definitionLayout is where a version keeps the fields; spec 12. The first
// fields, and the month before the day, are the same in every version.
type definitionLayout struct {
	size, unitQty, strike, underlyingID, rawID, multiplier, year, legCount         int
	currency, rawSymbol, group, exchange, asset, cfi, secType, unit, underlying    field
	instrumentClass, securityUpdateAction, maturityMonth, maturityDay, userDefined int
}

// field is text at an offset.
type field struct{ at, size int }

var definitionLayouts = [...]definitionLayout{
	1: {
		size: 360, unitQty: 88, strike: 328, underlyingID: 116, rawID: 120, multiplier: 160, year: 180,
		currency: field{186, 4}, rawSymbol: field{200, symbolV1}, group: field{222, 21}, exchange: field{243, 5}, asset: field{248, 7},
		cfi: field{255, 7}, secType: field{262, 7}, unit: field{269, 31}, underlying: field{300, 21},
		instrumentClass: 325, securityUpdateAction: 349, maturityMonth: 350, maturityDay: 351, userDefined: 353,
	},
	2: {
		size: 400, unitQty: 88, strike: 112, underlyingID: 124, rawID: 128, multiplier: 164, year: 180,
		currency: field{186, 4}, rawSymbol: field{200, symbolV2}, group: field{271, 21}, exchange: field{292, 5}, asset: field{297, 7},
		cfi: field{304, 7}, secType: field{311, 7}, unit: field{318, 31}, underlying: field{349, 21},
		instrumentClass: 374, securityUpdateAction: 382, maturityMonth: 383, maturityDay: 384, userDefined: 386,
	},
	3: {
		size: 520, unitQty: 80, strike: 104, underlyingID: 140, rawID: 112, multiplier: 176, year: 214, legCount: 220,
		currency: field{224, 4}, rawSymbol: field{238, symbolV2}, group: field{309, 21}, exchange: field{330, 5}, asset: field{335, 11},
		cfi: field{346, 7}, secType: field{353, 7}, unit: field{360, 31}, underlying: field{391, 21},
		instrumentClass: 487, securityUpdateAction: 493, maturityMonth: 494, maturityDay: 495, userDefined: 497,
	},
}

func layoutOfDefinition(version uint8) (*definitionLayout, error) {
	if version < 1 || int(version) >= len(definitionLayouts) {
		return nil, errVersion(version)
	}
	return &definitionLayouts[version], nil
}

// text is a text of a definition and its place in the record.
type text struct {
	value *string
	field field
}

func (d *Definition) texts(l *definitionLayout) [9]text {
	return [9]text{
		{&d.Currency, l.currency}, {&d.RawSymbol, l.rawSymbol}, {&d.Group, l.group},
		{&d.Exchange, l.exchange}, {&d.Asset, l.asset}, {&d.CFI, l.cfi},
		{&d.SecurityType, l.secType}, {&d.UnitOfMeasure, l.unit}, {&d.Underlying, l.underlying},
	}
}

// Decode reads a definition record of a file of the given version.
func (d *Definition) Decode(rec []byte, version uint8) error {
	l, err := layoutOfDefinition(version)
	if err != nil {
		return err
	}
	if err := checkSize(rec, l.size, "definition"); err != nil {
		return fmt.Errorf("version %d %w", version, err)
	}
	le := binary.LittleEndian
	d.Header = header(rec)
	d.TsRecv, d.MinPriceIncrement = le.Uint64(rec[16:]), int64(le.Uint64(rec[24:]))
	d.Expiration, d.Activation = le.Uint64(rec[40:]), le.Uint64(rec[48:])
	d.UnitOfMeasureQty, d.StrikePrice = int64(le.Uint64(rec[l.unitQty:])), int64(le.Uint64(rec[l.strike:]))
	d.UnderlyingID, d.ContractMultiplier = le.Uint32(rec[l.underlyingID:]), int32(le.Uint32(rec[l.multiplier:]))
	d.MaturityYear, d.MaturityMonth, d.MaturityDay = le.Uint16(rec[l.year:]), rec[l.maturityMonth], rec[l.maturityDay]
	if version == 3 {
		d.RawInstrumentID, d.LegCount = le.Uint64(rec[l.rawID:]), le.Uint16(rec[l.legCount:])
	} else {
		d.RawInstrumentID, d.LegCount = uint64(le.Uint32(rec[l.rawID:])), 0
	}
	d.InstrumentClass, d.SecurityUpdateAction, d.UserDefined = rec[l.instrumentClass], rec[l.securityUpdateAction], rec[l.userDefined]
	for _, t := range d.texts(l) {
		*t.value = cstr(rec[t.field.at : t.field.at+t.field.size])
	}
	return nil
}

// Append encodes the record after dst for a file of the given version; fields of
// the format that Definition does not have are 0.
func (d *Definition) Append(dst []byte, version uint8) ([]byte, error) {
	l, err := layoutOfDefinition(version)
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	start := len(dst)
	dst = d.Header.appendTo(dst, l.size)
	dst = append(dst, make([]byte, l.size-headerSize)...)
	rec := dst[start:]
	le.PutUint64(rec[16:], d.TsRecv)
	le.PutUint64(rec[24:], uint64(d.MinPriceIncrement))
	le.PutUint64(rec[40:], d.Expiration)
	le.PutUint64(rec[48:], d.Activation)
	le.PutUint64(rec[l.unitQty:], uint64(d.UnitOfMeasureQty))
	le.PutUint64(rec[l.strike:], uint64(d.StrikePrice))
	le.PutUint32(rec[l.underlyingID:], d.UnderlyingID)
	le.PutUint32(rec[l.multiplier:], uint32(d.ContractMultiplier))
	le.PutUint16(rec[l.year:], d.MaturityYear)
	rec[l.maturityMonth], rec[l.maturityDay] = d.MaturityMonth, d.MaturityDay
	switch {
	case version == 3:
		le.PutUint64(rec[l.rawID:], d.RawInstrumentID)
		le.PutUint16(rec[l.legCount:], d.LegCount)
	case d.RawInstrumentID > math.MaxUint32 || d.LegCount != 0:
		return nil, fmt.Errorf("raw instrument id %d with %d legs does not fit into a version %d definition; write version 3", d.RawInstrumentID, d.LegCount, version)
	default:
		le.PutUint32(rec[l.rawID:], uint32(d.RawInstrumentID))
	}
	rec[l.instrumentClass], rec[l.securityUpdateAction], rec[l.userDefined] = d.InstrumentClass, d.SecurityUpdateAction, d.UserDefined
	for _, t := range d.texts(l) {
		if err := checkText(*t.value, t.field.size); err != nil {
			return nil, fmt.Errorf("version %d definition: %w", version, err)
		}
		copy(rec[t.field.at:], *t.value)
	}
	return dst, nil
}
