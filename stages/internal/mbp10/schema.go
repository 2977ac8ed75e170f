// Package mbp10 is what the stages of the ten-level book tables share: the
// layout of their columns, batches built from raw records, and New York time.
package mbp10

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"

	"dag/engine/stage"
)

// Corrected and Reference are the values of the parameter semantics.
const (
	Corrected = "corrected"
	Reference = "reference"
)

// Levels is the number of price levels of a side.
const Levels = 10

// Positions of columns in a bronze table; level i has its six columns from
// colLevels+6i on.
const (
	colTsRecv = iota
	colFlags
	colTsEvent
	colRType
	colSequence
	colPublisher
	colInstrument
	colAction
	colSide
	colDepth
	colPrice
	colSize
	colLevels
	colSymbol     = colLevels + perLevel*Levels
	colLast       = colSymbol + 1
	colSnapshot   = colSymbol + 2
	colBadTs      = colSymbol + 3
	colBadBook    = colSymbol + 4
	bronzeColumns = colSymbol + 5

	perLevel = 6
)

// ColTsEventEst is the position of ts_event_est in a silver table; what stands
// before it is as in bronze, what comes after it one further.
const ColTsEventEst = colTsEvent + 1

// BronzeSchema is the 77 columns of bronze.future.market_by_price_10, in order
// (spec 02 §A.4). Prices are int64 of 1e-9 units, null where undefined; times
// are int64 ns UTC.
func BronzeSchema() *arrow.Schema { return arrow.NewSchema(bronzeFields(), nil) }

// SilverSchema is the 78 columns of silver.future.market_by_price_10: those of
// bronze with ts_event_est after ts_event.
func SilverSchema() *arrow.Schema { return arrow.NewSchema(silverFields(), nil) }

// LevelNames are the columns that the session levels add, in order.
var LevelNames = [4]string{"pm_high", "pm_low", "or_high", "or_low"}

// LevelsSchema is the 82 columns with session levels: those of silver, then
// pm_high, pm_low, or_high and or_low as doubles in price units, null where
// there is no level (spec 03 §2).
func LevelsSchema() *arrow.Schema {
	fields := silverFields()
	for _, n := range LevelNames {
		fields = append(fields, arrow.Field{Name: n, Type: arrow.PrimitiveTypes.Float64, Nullable: true})
	}
	return arrow.NewSchema(fields, nil)
}

func bronzeFields() []arrow.Field {
	long := func(name string) arrow.Field { return arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Int64} }
	integer := func(name string) arrow.Field { return arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Int32} }
	text := func(name string) arrow.Field { return arrow.Field{Name: name, Type: arrow.BinaryTypes.String} }
	boolean := func(name string) arrow.Field {
		return arrow.Field{Name: name, Type: arrow.FixedWidthTypes.Boolean}
	}
	price := func(name string) arrow.Field {
		return arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Int64, Nullable: true}
	}
	fields := []arrow.Field{
		long("ts_recv"), integer("flags"), long("ts_event"), integer("rtype"), long("sequence"), integer("publisher_id"),
		long("instrument_id"), text("action"), text("side"), integer("depth"), price("price"), long("size"),
	}
	for i := range Levels {
		n := fmt.Sprintf("_%02d", i)
		fields = append(fields, price("bid_px"+n), price("ask_px"+n), long("bid_sz"+n), long("ask_sz"+n), long("bid_ct"+n), long("ask_ct"+n))
	}
	return append(fields, text("symbol"), boolean("is_last"), boolean("is_snapshot"), boolean("is_bad_ts"), boolean("is_bad_book"))
}

func silverFields() []arrow.Field {
	bronze := bronzeFields()
	fields := append([]arrow.Field{}, bronze[:ColTsEventEst]...)
	fields = append(fields, arrow.Field{Name: "ts_event_est", Type: arrow.BinaryTypes.String})
	return append(fields, bronze[ColTsEventEst:]...)
}

// Names lists the columns of a schema, to be read in its order.
func Names(s *arrow.Schema) []string {
	names := make([]string, s.NumFields())
	for i := range names {
		names[i] = s.Field(i).Name
	}
	return names
}

// SemanticsParam declares the parameter semantics; differs says what the two
// values change in the stage.
func SemanticsParam(differs string) stage.Param {
	return stage.Param{
		Name: "semantics", Type: stage.String, Default: Corrected, Enum: []string{Corrected, Reference},
		Doc: "corrected definitions, or those of the reference system: " + differs,
	}
}
