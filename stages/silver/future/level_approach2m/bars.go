package levelapproach2m

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"dag/engine/stage"
	"dag/stages/internal/mbp10"
)

const (
	candleNS = 120_000_000_000
	barNS    = 5_000_000_000
)

// bar is one five-second bar; NaN where undefined.
type bar struct {
	ts, lastTs             int64
	micro, lastPx          float64
	trades, volume, signed float64
	obi0, obi10, cdi       float64
	flowBid, flowAsk       float64
	wallBid, wallAsk       float64
	strongBid, strongAsk   float64
	gapAsk, gapBid, spread float64
}

// doubles names the double columns read, with the place of each in a bar.
var doubles = []struct {
	name string
	at   func(*bar) *float64
}{
	{"bar5s_microprice_eob", func(b *bar) *float64 { return &b.micro }},
	{"bar5s_trade_last_px", func(b *bar) *float64 { return &b.lastPx }},
	{"bar5s_trade_cnt_sum", func(b *bar) *float64 { return &b.trades }},
	{"bar5s_trade_vol_sum", func(b *bar) *float64 { return &b.volume }},
	{"bar5s_trade_signed_vol_sum", func(b *bar) *float64 { return &b.signed }},
	{"bar5s_state_obi0_eob", func(b *bar) *float64 { return &b.obi0 }},
	{"bar5s_state_obi10_eob", func(b *bar) *float64 { return &b.obi10 }},
	{"bar5s_state_cdi_p0_1_eob", func(b *bar) *float64 { return &b.cdi }},
	{"bar5s_flow_net_volnorm_bid_p0_1_sum", func(b *bar) *float64 { return &b.flowBid }},
	{"bar5s_flow_net_volnorm_ask_p0_1_sum", func(b *bar) *float64 { return &b.flowAsk }},
	{"bar5s_wall_bid_maxz_eob", func(b *bar) *float64 { return &b.wallBid }},
	{"bar5s_wall_ask_maxz_eob", func(b *bar) *float64 { return &b.wallAsk }},
	{"bar5s_wall_bid_nearest_strong_dist_pts_eob", func(b *bar) *float64 { return &b.strongBid }},
	{"bar5s_wall_ask_nearest_strong_dist_pts_eob", func(b *bar) *float64 { return &b.strongAsk }},
	{"bar5s_ladder_ask_gap_max_pts_eob", func(b *bar) *float64 { return &b.gapAsk }},
	{"bar5s_ladder_bid_gap_max_pts_eob", func(b *bar) *float64 { return &b.gapBid }},
	{"bar5s_state_spread_pts_eob", func(b *bar) *float64 { return &b.spread }},
}

// barSchema is the columns read. Every double may be missing: what is computed
// from it then counts as 0.
func barSchema() *arrow.Schema {
	fields := []arrow.Field{
		{Name: "bar_ts", Type: arrow.PrimitiveTypes.Int64},
		{Name: "symbol", Type: arrow.BinaryTypes.String},
		{Name: "bar5s_trade_last_ts", Type: arrow.PrimitiveTypes.Int64},
	}
	for _, d := range doubles {
		fields = append(fields, arrow.Field{Name: d.name, Type: arrow.PrimitiveTypes.Float64, Nullable: true})
	}
	return arrow.NewSchema(fields, nil)
}

// candle is the bars [first,end) of two minutes, and its last trade.
type candle struct {
	start      int64
	first, end int
	close      float64 // NaN if no bar traded
}

// day is the bars of one session and contract, ascending, cut into candles.
type day struct {
	symbol  string
	bars    []bar
	candles []candle
}

func readDay(t stage.Task) (*day, error) {
	d := &day{}
	for rec, err := range t.Read("bars", mbp10.Names(barSchema())...) {
		if err != nil {
			return nil, err
		}
		if err := d.append(rec); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(d.bars, func(a, b bar) int { return cmp.Compare(a.ts, b.ts) })
	d.cut()
	return d, nil
}

func (d *day) append(rec arrow.Record) error {
	start, n := len(d.bars), int(rec.NumRows())
	d.bars = append(d.bars, make([]bar, n)...)
	bars := d.bars[start:]
	ts, ok1 := rec.Column(0).(*array.Int64)
	symbol, ok2 := rec.Column(1).(*array.String)
	lastTs, ok3 := rec.Column(2).(*array.Int64)
	if !ok1 || !ok2 || !ok3 {
		return fmt.Errorf("the columns bar_ts, symbol and bar5s_trade_last_ts are not int64, text, int64")
	}
	if d.symbol == "" && n > 0 {
		d.symbol = strings.Clone(symbol.Value(0))
	}
	for i := range bars {
		bars[i].ts, bars[i].lastTs = ts.Value(i), lastTs.Value(i)
	}
	for c, field := range doubles {
		col, ok := rec.Column(3 + c).(*array.Float64)
		if !ok {
			return fmt.Errorf("column %s is %s, not float64", field.name, rec.Column(3+c).DataType())
		}
		for i := range bars {
			if *field.at(&bars[i]) = math.NaN(); !col.IsNull(i) {
				*field.at(&bars[i]) = col.Value(i)
			}
		}
	}
	return nil
}

// cut makes the candles: even minutes, those that have bars.
func (d *day) cut() {
	for i := range d.bars {
		b := &d.bars[i]
		start := b.ts - ((b.ts%candleNS)+candleNS)%candleNS
		if n := len(d.candles); n == 0 || d.candles[n-1].start != start {
			d.candles = append(d.candles, candle{start: start, first: i, close: math.NaN()})
		}
		d.candles[len(d.candles)-1].end = i + 1
	}
	for i := range d.candles {
		c := &d.candles[i]
		latest := int64(-1)
		for _, b := range d.bars[c.first:c.end] {
			if b.lastTs > latest {
				latest, c.close = b.lastTs, b.lastPx
			}
		}
	}
}
