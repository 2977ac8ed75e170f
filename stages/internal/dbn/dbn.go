// Package dbn reads and writes the Databento Binary Encoding, versions 1 to 3,
// plain or zstd-compressed, as spec 12 lays it out. Records stream: memory does
// not grow with the file, and decoding allocates nothing per record. Input is
// hostile until it has been checked; what is wrong with it is a *FormatError.
package dbn

import (
	"fmt"
	"math"
)

// Undefined values of the format.
const (
	UndefPrice     int64  = math.MaxInt64
	UndefTimestamp uint64 = math.MaxUint64
	UndefQuantity  int64  = math.MaxInt64 // of statistics; Decode gives it for the 2^31-1 of versions 1 and 2, too
)

// Schema is the kind of records a file holds.
type Schema uint16

// The schemas of spec 12 and ruling 24.
const (
	SchemaMBO        Schema = 0
	SchemaMBP1       Schema = 1
	SchemaMBP10      Schema = 2
	SchemaTBBO       Schema = 3
	SchemaTrades     Schema = 4
	SchemaOHLCV1s    Schema = 5
	SchemaOHLCV1m    Schema = 6
	SchemaOHLCV1h    Schema = 7
	SchemaOHLCV1d    Schema = 8
	SchemaDefinition Schema = 9
	SchemaStatistics Schema = 10
	SchemaStatus     Schema = 11
	SchemaImbalance  Schema = 12
	SchemaCMBP1      Schema = 14
	SchemaCBBO1s     Schema = 15
	SchemaCBBO1m     Schema = 16
	SchemaTCBBO      Schema = 17
	SchemaBBO1s      Schema = 18
	SchemaBBO1m      Schema = 19
	SchemaMixed      Schema = 65535 // a live capture
)

var schemaNames = map[Schema]string{
	SchemaMBO: "mbo", SchemaMBP1: "mbp-1", SchemaMBP10: "mbp-10", SchemaTBBO: "tbbo", SchemaTrades: "trades",
	SchemaOHLCV1s: "ohlcv-1s", SchemaOHLCV1m: "ohlcv-1m", SchemaOHLCV1h: "ohlcv-1h", SchemaOHLCV1d: "ohlcv-1d",
	SchemaDefinition: "definition", SchemaStatistics: "statistics", SchemaStatus: "status", SchemaImbalance: "imbalance",
	SchemaCMBP1: "cmbp-1", SchemaCBBO1s: "cbbo-1s", SchemaCBBO1m: "cbbo-1m", SchemaTCBBO: "tcbbo", SchemaBBO1s: "bbo-1s", SchemaBBO1m: "bbo-1m",
	SchemaMixed: "mixed",
}

// String is the vendor's name of the schema, such as mbp-10.
func (s Schema) String() string {
	if n, ok := schemaNames[s]; ok {
		return n
	}
	return fmt.Sprintf("schema %d", uint16(s))
}

// SType is how symbols are named.
type SType uint8

// The symbologies used here.
const (
	STypeInstrumentID SType = 0
	STypeRawSymbol    SType = 1
	STypeContinuous   SType = 3
	STypeParent       SType = 4
	STypeMixed        SType = 255
)

// Record types (rtype).
const (
	RTypeTrade         byte = 0
	RTypeMBP1          byte = 1
	RTypeMBP10         byte = 10
	RTypeStatus        byte = 18
	RTypeDefinition    byte = 19
	RTypeImbalance     byte = 20
	RTypeError         byte = 21
	RTypeSymbolMapping byte = 22
	RTypeSystem        byte = 23
	RTypeStatistics    byte = 24
	RTypeOHLCV1s       byte = 32
	RTypeOHLCV1m       byte = 33
	RTypeOHLCV1h       byte = 34
	RTypeOHLCV1d       byte = 35
	RTypeOHLCVEOD      byte = 36
	RTypeMBO           byte = 160
	RTypeCMBP1         byte = 177
	RTypeCBBO1s        byte = 192
	RTypeCBBO1m        byte = 193
	RTypeTCBBO         byte = 194
	RTypeBBO1s         byte = 195
	RTypeBBO1m         byte = 196
)

// Flags of a record.
const (
	FlagLast       byte = 0x80 // last of its packet
	FlagTOB        byte = 0x40 // top of book only
	FlagSnapshot   byte = 0x20 // from a snapshot, not from an event
	FlagAggregated byte = 0x10 // aggregated by price
	FlagBadTS      byte = 0x08 // ts_recv is not reliable
	FlagBadBook    byte = 0x04 // the book may be wrong after an unrecovered gap
)

// Kinds of statistics (stat_type).
const (
	StatOpeningPrice uint16 = 1
	StatSettlement   uint16 = 3
	StatSessionLow   uint16 = 4
	StatSessionHigh  uint16 = 5
	StatVolume       uint16 = 6 // cleared
	StatLowestOffer  uint16 = 7
	StatHighestBid   uint16 = 8
	StatOpenInterest uint16 = 9
	StatFixing       uint16 = 10
)

// Actions a statistics record calls for (update_action).
const (
	UpdateNew    byte = 1
	UpdateDelete byte = 2
)

// FormatError says what is wrong with a file, and where. errors.Is finds
// io.ErrUnexpectedEOF in the error of a file that was cut off.
type FormatError struct {
	Name   string // of the file
	Offset int64  // in the decompressed data
	Msg    string // the value found, and what was expected
	Err    error  // what the decompressor or the file said, if it was one of them
}

// Error is one line: file, offset, message, cause.
func (e *FormatError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: at byte %d: %s: %v", e.Name, e.Offset, e.Msg, e.Err)
	}
	return fmt.Sprintf("%s: at byte %d: %s", e.Name, e.Offset, e.Msg)
}

// Unwrap is the cause, if there is one.
func (e *FormatError) Unwrap() error { return e.Err }
