package dbn

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Statistics is one published figure of an instrument.
type Statistics struct {
	Header
	TsRecv, TsRef       uint64 // TsRef: the time the figure is about
	Price               int64  // UndefPrice where there is none
	Quantity            int64  // UndefQuantity where there is none, in every version
	Sequence            uint32
	TsInDelta           int32
	StatType, ChannelID uint16 // StatType is one of the Stat constants, or another
	UpdateAction        byte   // UpdateNew or UpdateDelete
	Flags               byte   // stat_flags: not the Flag constants
}

// statisticsLayout is where a version keeps the fields; spec 12. What follows
// the sequence follows it in every version.
type statisticsLayout struct {
	size, sequence int
}

func layoutOfStatistics(version uint8) (statisticsLayout, error) {
	switch version {
	case 1, 2:
		return statisticsLayout{size: 64, sequence: 44}, nil
	case 3:
		return statisticsLayout{size: 80, sequence: 48}, nil
	}
	return statisticsLayout{}, errVersion(version)
}

func errVersion(version uint8) error {
	return fmt.Errorf("version %d of DBN is not known; versions 1 to 3 are", version)
}

// Decode reads a statistics record of a file of the given version.
func (s *Statistics) Decode(rec []byte, version uint8) error {
	l, err := layoutOfStatistics(version)
	if err != nil {
		return err
	}
	if err := checkSize(rec, l.size, "statistics"); err != nil {
		return fmt.Errorf("version %d %w", version, err)
	}
	le := binary.LittleEndian
	s.Header = header(rec)
	s.TsRecv, s.TsRef, s.Price = le.Uint64(rec[16:]), le.Uint64(rec[24:]), int64(le.Uint64(rec[32:]))
	if version == 3 {
		s.Quantity = int64(le.Uint64(rec[40:]))
	} else if s.Quantity = int64(int32(le.Uint32(rec[40:]))); s.Quantity == math.MaxInt32 {
		s.Quantity = UndefQuantity
	}
	rest := rec[l.sequence:]
	s.Sequence, s.TsInDelta = le.Uint32(rest), int32(le.Uint32(rest[4:]))
	s.StatType, s.ChannelID = le.Uint16(rest[8:]), le.Uint16(rest[10:])
	s.UpdateAction, s.Flags = rest[12], rest[13]
	return nil
}

// Append encodes the record after dst for a file of the given version. Versions
// 1 and 2 have no room for a quantity of more than 32 bits.
func (s *Statistics) Append(dst []byte, version uint8) ([]byte, error) {
	l, err := layoutOfStatistics(version)
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	start := len(dst)
	dst = s.Header.appendTo(dst, l.size)
	dst = le.AppendUint64(le.AppendUint64(le.AppendUint64(dst, s.TsRecv), s.TsRef), uint64(s.Price))
	switch {
	case version == 3:
		dst = le.AppendUint64(dst, uint64(s.Quantity))
	case s.Quantity == UndefQuantity:
		dst = le.AppendUint32(dst, math.MaxInt32)
	case s.Quantity < math.MinInt32 || s.Quantity >= math.MaxInt32:
		return nil, fmt.Errorf("statistics quantity %d does not fit into the 32 bits of version %d; write version 3", s.Quantity, version)
	default:
		dst = le.AppendUint32(dst, uint32(s.Quantity))
	}
	dst = le.AppendUint32(le.AppendUint32(dst, s.Sequence), uint32(s.TsInDelta))
	dst = le.AppendUint16(le.AppendUint16(dst, s.StatType), s.ChannelID)
	dst = append(dst, s.UpdateAction, s.Flags)
	return append(dst, make([]byte, start+l.size-len(dst))...), nil
}
