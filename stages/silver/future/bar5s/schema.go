package bar5s

import (
	"fmt"
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"dag/engine/stage"
	"dag/stages/internal/book"
)

var bandNames = [book.Bands]string{"p0_1", "p1_2", "p2_3", "p3_5", "p5_10"}

// inputSchema is the columns read, in the order columnsOf takes them.
func inputSchema() *arrow.Schema {
	long := func(name string) arrow.Field { return arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Int64} }
	px := func(name string) arrow.Field {
		return arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Int64, Nullable: true}
	}
	text := func(name string) arrow.Field { return arrow.Field{Name: name, Type: arrow.BinaryTypes.String} }
	fields := []arrow.Field{
		long("ts_event"), long("sequence"), long("size"), {Name: "flags", Type: arrow.PrimitiveTypes.Int32},
		text("action"), text("side"), text("symbol"), px("price"),
	}
	for i := range book.Depth {
		n := fmt.Sprintf("_%02d", i)
		fields = append(fields, px("bid_px"+n), px("ask_px"+n), long("bid_sz"+n), long("ask_sz"+n), long("bid_ct"+n), long("ask_ct"+n))
	}
	return arrow.NewSchema(fields, nil)
}

// doubles names the double fields by position.
func doubles() (names [fieldCount + 1]string) {
	put := func(at int, list ...string) {
		for i, n := range list {
			names[at+i] = "bar5s_" + n
		}
	}
	put(posMicro, "microprice_eob", "midprice_eob", "state_spread_pts_twa", "state_spread_pts_eob", "state_obi0_twa", "state_obi0_eob", "state_obi10_twa", "state_obi10_eob")
	for k, b := range bandNames {
		put(posCDI+2*k, "state_cdi_"+b+"_twa", "state_cdi_"+b+"_eob")
		put(posDepth+4*k, "depth_below_"+b+"_frac_twa", "depth_below_"+b+"_frac_eob", "depth_above_"+b+"_frac_twa", "depth_above_"+b+"_frac_eob")
		put(posFlowBid+k, "flow_net_volnorm_bid_"+b+"_sum")
		put(posFlowAsk+k, "flow_net_volnorm_ask_"+b+"_sum")
	}
	put(posQty, "depth_bid10_qty_eob", "depth_ask10_qty_eob", "depth_below_p0_1_qty_eob", "depth_above_p0_1_qty_eob")
	put(posLadder, "ladder_ask_gap_max_pts_eob", "ladder_ask_gap_mean_pts_eob", "ladder_bid_gap_max_pts_eob", "ladder_bid_gap_mean_pts_eob")
	put(posShape, "shape_bid_sz_l00_eob", "shape_ask_sz_l00_eob")
	for i := range book.Depth {
		level := fmt.Sprintf("frac_l%02d_eob", i)
		put(posBidSz+i, "shape_bid_sz_"+level)
		put(posAskSz+i, "shape_ask_sz_"+level)
		put(posBidCt+i, "shape_bid_ct_"+level)
		put(posAskCt+i, "shape_ask_ct_"+level)
	}
	put(posTrade, "trade_cnt_sum", "trade_vol_sum", "trade_signed_vol_sum", "trade_last_px")
	put(posWallZ, "wall_bid_maxz_eob", "wall_ask_maxz_eob", "wall_bid_maxz_levelidx_eob", "wall_ask_maxz_levelidx_eob")
	put(posStrong, "wall_bid_nearest_strong_dist_pts_eob", "wall_ask_nearest_strong_dist_pts_eob", "wall_bid_nearest_strong_levelidx_eob", "wall_ask_nearest_strong_levelidx_eob")
	return names
}

// mayBeMissing tells which fields a book can leave undefined.
func mayBeMissing(pos int) bool {
	return pos >= posMicro && pos < posOBI0 || pos >= posLadder && pos < posShape || pos == posLastPx || pos == posStrong || pos == posStrong+1
}

func outputSchema() *arrow.Schema {
	names := doubles()
	fields := make([]arrow.Field, 0, fieldCount)
	for pos := 1; pos <= fieldCount; pos++ {
		switch pos {
		case 1:
			fields = append(fields, arrow.Field{Name: "bar_ts", Type: arrow.PrimitiveTypes.Int64})
		case 2:
			fields = append(fields, arrow.Field{Name: "symbol", Type: arrow.BinaryTypes.String})
		case posLastTs:
			fields = append(fields, arrow.Field{Name: "bar5s_trade_last_ts", Type: arrow.PrimitiveTypes.Int64})
		default:
			fields = append(fields, arrow.Field{Name: names[pos], Type: arrow.PrimitiveTypes.Float64, Nullable: mayBeMissing(pos)})
		}
	}
	return arrow.NewSchema(fields, nil)
}

// batchRows is how many bars a batch holds.
const batchRows = 512

// writer collects rows into batches.
type writer struct {
	out    stage.Writer
	build  *array.RecordBuilder
	symbol string
	rows   int
}

func newWriter(out stage.Writer) *writer {
	return &writer{out: out, build: array.NewRecordBuilder(memory.DefaultAllocator, outputSchema())}
}

func (w *writer) add(r *row) error {
	w.build.Field(0).(*array.Int64Builder).Append(r.barTs)
	w.build.Field(1).(*array.StringBuilder).Append(w.symbol)
	for pos := posMicro; pos <= fieldCount; pos++ {
		switch field := w.build.Field(pos - 1).(type) {
		case *array.Int64Builder:
			field.Append(r.lastTs)
		case *array.Float64Builder:
			if math.IsNaN(r.f[pos]) {
				field.AppendNull()
			} else {
				field.Append(r.f[pos])
			}
		}
	}
	if w.rows++; w.rows < batchRows {
		return nil
	}
	return w.flush()
}

func (w *writer) flush() error {
	w.rows = 0
	rec := w.build.NewRecord()
	defer rec.Release()
	return w.out.Write(rec)
}

func (w *writer) close() error {
	defer w.build.Release()
	if w.rows > 0 {
		if err := w.flush(); err != nil {
			return err
		}
	}
	return w.out.Close()
}
