package dbn

import (
	"bytes"
	"errors"
	"io"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func symbolOf(size int) *rapid.Generator[string] {
	return rapid.StringOfN(rapid.RuneFrom([]rune("ABCZ059 -.:é")), 0, -1, size)
}

func drawMetadata(t *rapid.T) Metadata {
	m := Metadata{
		Version: rapid.Uint8Range(1, 3).Draw(t, "version"), Dataset: symbolOf(16).Draw(t, "dataset"),
		Schema: Schema(rapid.Uint16().Draw(t, "schema")), Start: rapid.Uint64().Draw(t, "start"), End: rapid.Uint64().Draw(t, "end"),
		Limit: rapid.Uint64().Draw(t, "limit"), STypeIn: SType(rapid.Uint8().Draw(t, "stype_in")),
		STypeOut: SType(rapid.Uint8().Draw(t, "stype_out")), TsOut: rapid.Bool().Draw(t, "ts_out"),
	}
	size := symbolV2
	if m.Version == 1 {
		size, m.RecordCount = symbolV1, rapid.Uint64().Draw(t, "records")
	}
	list := rapid.SliceOfN(symbolOf(size), 0, 3)
	m.Symbols, m.Partial, m.NotFound = list.Draw(t, "symbols"), list.Draw(t, "partial"), list.Draw(t, "not found")
	for range rapid.IntRange(0, 3).Draw(t, "mappings") {
		mp := Mapping{RawSymbol: symbolOf(size).Draw(t, "raw symbol")}
		for range rapid.IntRange(0, 3).Draw(t, "intervals") {
			mp.Intervals = append(mp.Intervals, Interval{rapid.Uint32().Draw(t, "from"), rapid.Uint32().Draw(t, "to"), symbolOf(size).Draw(t, "symbol")})
		}
		m.Mappings = append(m.Mappings, mp)
	}
	return m
}

func drawHeader(t *rapid.T, rtype byte) Header {
	return Header{RType: rtype, PublisherID: rapid.Uint16().Draw(t, "publisher"), InstrumentID: rapid.Uint32().Draw(t, "instrument"), TsEvent: rapid.Uint64().Draw(t, "ts_event")}
}

func drawTrade(t *rapid.T, rtype byte) Trade {
	return Trade{
		Header: drawHeader(t, rtype), Price: rapid.Int64().Draw(t, "price"), Size: rapid.Uint32().Draw(t, "size"),
		Action: rapid.Byte().Draw(t, "action"), Side: rapid.Byte().Draw(t, "side"), Flags: rapid.Byte().Draw(t, "flags"), Depth: rapid.Byte().Draw(t, "depth"),
		TsRecv: rapid.Uint64().Draw(t, "ts_recv"), TsInDelta: rapid.Int32().Draw(t, "delta"), Sequence: rapid.Uint32().Draw(t, "sequence"),
	}
}

func drawLevel(t *rapid.T) Level {
	return Level{
		BidPx: rapid.Int64().Draw(t, "bid"), AskPx: rapid.Int64().Draw(t, "ask"), BidSz: rapid.Uint32().Draw(t, "bid size"), AskSz: rapid.Uint32().Draw(t, "ask size"),
		BidCt: rapid.Uint32().Draw(t, "bid count"), AskCt: rapid.Uint32().Draw(t, "ask count"),
	}
}

// drawRecord returns a record of some kind, its bytes, and what decodes it.
func drawRecord(t *rapid.T, version uint8) (want any, rec []byte, decode func([]byte) (any, error)) {
	var err error
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		v := drawTrade(t, RTypeTrade)
		return v, v.Append(nil), func(rec []byte) (any, error) { var v Trade; err := v.Decode(rec); return v, err }
	case 1:
		v := MBP1{Trade: drawTrade(t, RTypeMBP1), Level: drawLevel(t)}
		return v, v.Append(nil), func(rec []byte) (any, error) { var v MBP1; err := v.Decode(rec); return v, err }
	case 2:
		v := MBP10{Trade: drawTrade(t, RTypeMBP10)}
		for i := range v.Levels {
			v.Levels[i] = drawLevel(t)
		}
		return v, v.Append(nil), func(rec []byte) (any, error) { var v MBP10; err := v.Decode(rec); return v, err }
	case 3:
		v := drawStatistics(t, version)
		if rec, err = v.Append(nil, version); err != nil {
			t.Fatal(err)
		}
		return v, rec, func(rec []byte) (any, error) { var v Statistics; err := v.Decode(rec, version); return v, err }
	case 4:
		v := drawDefinition(t, version)
		if rec, err = v.Append(nil, version); err != nil {
			t.Fatal(err)
		}
		return v, rec, func(rec []byte) (any, error) { var v Definition; err := v.Decode(rec, version); return v, err }
	default:
		v := drawMapping(t, version)
		if rec, err = v.Append(nil, version); err != nil {
			t.Fatal(err)
		}
		return v, rec, func(rec []byte) (any, error) { var v SymbolMapping; err := v.Decode(rec); return v, err }
	}
}

func drawStatistics(t *rapid.T, version uint8) Statistics {
	quantity := rapid.Int64()
	if version < 3 {
		quantity = rapid.OneOf(rapid.Int64Range(math.MinInt32, math.MaxInt32-1), rapid.Just(UndefQuantity))
	}
	return Statistics{
		Header: drawHeader(t, RTypeStatistics), TsRecv: rapid.Uint64().Draw(t, "ts_recv"), TsRef: rapid.Uint64().Draw(t, "ts_ref"),
		Price: rapid.Int64().Draw(t, "price"), Quantity: quantity.Draw(t, "quantity"), Sequence: rapid.Uint32().Draw(t, "sequence"),
		TsInDelta: rapid.Int32().Draw(t, "delta"), StatType: rapid.Uint16().Draw(t, "type"), ChannelID: rapid.Uint16().Draw(t, "channel"),
		UpdateAction: rapid.Byte().Draw(t, "action"), Flags: rapid.Byte().Draw(t, "flags"),
	}
}

func drawDefinition(t *rapid.T, version uint8) Definition {
	l := definitionLayouts[version]
	d := Definition{
		Header: drawHeader(t, RTypeDefinition), TsRecv: rapid.Uint64().Draw(t, "ts_recv"), MinPriceIncrement: rapid.Int64().Draw(t, "tick"),
		Expiration: rapid.Uint64().Draw(t, "expiration"), Activation: rapid.Uint64().Draw(t, "activation"), UnitOfMeasureQty: rapid.Int64().Draw(t, "unit"),
		UnderlyingID: rapid.Uint32().Draw(t, "underlying"), RawInstrumentID: uint64(rapid.Uint32().Draw(t, "raw id")), ContractMultiplier: rapid.Int32().Draw(t, "multiplier"),
		MaturityYear: rapid.Uint16().Draw(t, "year"), MaturityMonth: rapid.Uint8().Draw(t, "month"), MaturityDay: rapid.Uint8().Draw(t, "day"),
		InstrumentClass: rapid.Byte().Draw(t, "class"), StrikePrice: rapid.Int64().Draw(t, "strike"),
		SecurityUpdateAction: rapid.Byte().Draw(t, "action"), UserDefined: rapid.Byte().Draw(t, "user-defined"),
	}
	if version == 3 {
		d.RawInstrumentID, d.LegCount = rapid.Uint64().Draw(t, "long raw id"), rapid.Uint16().Draw(t, "legs")
	}
	for _, f := range d.texts(&l) {
		*f.value = symbolOf(f.field.size).Draw(t, "text")
	}
	return d
}

func drawMapping(t *rapid.T, version uint8) SymbolMapping {
	m := SymbolMapping{Header: drawHeader(t, RTypeSymbolMapping), STypeIn: STypeMixed, STypeOut: STypeMixed, Start: rapid.Uint64().Draw(t, "start"), End: rapid.Uint64().Draw(t, "end")}
	size := symbolV1
	if version > 1 {
		size, m.STypeIn, m.STypeOut = symbolV2, SType(rapid.Uint8().Draw(t, "in")), SType(rapid.Uint8().Draw(t, "out"))
	}
	m.STypeInSymbol, m.STypeOutSymbol = symbolOf(size).Draw(t, "in symbol"), symbolOf(size).Draw(t, "out symbol")
	return m
}

// TestRoundTrip writes what comes back as it was, with and without a send time
// after each record, plain and compressed.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		meta := drawMetadata(t)
		open := rapid.SampledFrom([]func(io.Writer, Metadata) (*Writer, error){NewWriter, NewZstdWriter}).Draw(t, "compression")
		var file bytes.Buffer
		w, err := open(&file, meta)
		if err != nil {
			t.Fatal(err)
		}
		n := rapid.IntRange(0, 5).Draw(t, "records")
		wants, recs, decoders := make([]any, n), make([][]byte, n), make([]func([]byte) (any, error), n)
		for i := range n {
			wants[i], recs[i], decoders[i] = drawRecord(t, meta.Version)
			if meta.TsOut {
				recs[i] = append(recs[i], "sent now"...)
				recs[i][0] += tsOutSize / 4
			}
			if err := w.Write(recs[i]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := NewReader(&file, "file.dbn")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if diff := cmp.Diff(meta, r.Metadata, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("metadata (-written +read):\n%s", diff)
		}
		for i := range n {
			rec, err := r.Next()
			if err != nil || !bytes.Equal(rec, recs[i]) {
				t.Fatalf("record %d: error %v, bytes\n%x, written\n%x", i, err, rec, recs[i])
			}
			got, err := decoders[i](rec)
			if diff := cmp.Diff(wants[i], got); err != nil || diff != "" {
				t.Fatalf("record %d: error %v (-written +read):\n%s", i, err, diff)
			}
		}
		if _, err := r.Next(); !errors.Is(err, io.EOF) || r.Records() != int64(n) {
			t.Fatalf("after %d records: error %v, want the end of %d", r.Records(), err, n)
		}
	})
}

// TestMoreThanTheBuffer reads records that cross the reader's buffer.
func TestMoreThanTheBuffer(t *testing.T) {
	var file bytes.Buffer
	w, err := NewZstdWriter(&file, Metadata{Version: 3})
	if err != nil {
		t.Fatal(err)
	}
	const n = 3*bufferSize/MBP10Size + 7
	var m MBP10
	var rec []byte
	for i := range n {
		m.Sequence = uint32(i)
		m.Levels[9].AskCt = uint32(i) * 3
		if err := w.Write(m.Append(rec[:0])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(&file, "file.dbn")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for i := range n {
		rec, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Decode(rec); err != nil || m.Sequence != uint32(i) || m.Levels[9].AskCt != uint32(i)*3 {
			t.Fatalf("record %d: error %v, %+v", i, err, m)
		}
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Fatalf("error %v, want the end", err)
	}
}

func TestWhatDoesNotFit(t *testing.T) {
	long := string(bytes.Repeat([]byte("x"), symbolV2+1))
	for name, m := range map[string]Metadata{
		"version 0": {}, "version 4": {Version: 4}, "dataset": {Version: 3, Dataset: "seventeen letters"}, "symbol": {Version: 3, Symbols: []string{long}},
		"symbol of version 1": {Version: 1, Symbols: []string{long[:symbolV1+1]}}, "NUL": {Version: 2, Symbols: []string{"a\x00b"}}, "not UTF-8": {Version: 2, Symbols: []string{"\xff"}},
		"interval": {Version: 2, Mappings: []Mapping{{Intervals: []Interval{{Symbol: long}}}}},
	} {
		if _, err := NewWriter(io.Discard, m); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := NewZstdWriter(io.Discard, m); err == nil {
			t.Errorf("%s, compressed: no error", name)
		}
	}
	w, err := NewWriter(io.Discard, Metadata{Version: 3})
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range [][]byte{nil, {4}, make([]byte, 16), append([]byte{5}, make([]byte, 15)...)} {
		if err := w.Write(rec); err == nil {
			t.Errorf("a record of %d bytes that does not say so was written", len(rec))
		}
	}
}

func TestDecodeRefusesOtherLengths(t *testing.T) {
	for n := range 600 {
		rec := make([]byte, n)
		for name, tc := range map[string]struct {
			err   error
			sizes []int
		}{
			"mbp-1":          {new(MBP1).Decode(rec), []int{80, 88}},
			"mbp-10":         {new(MBP10).Decode(rec), []int{368, 376}},
			"statistics v2":  {new(Statistics).Decode(rec, 2), []int{64, 72}},
			"statistics v3":  {new(Statistics).Decode(rec, 3), []int{80, 88}},
			"definition v1":  {new(Definition).Decode(rec, 1), []int{360, 368}},
			"definition v2":  {new(Definition).Decode(rec, 2), []int{400, 408}},
			"definition v3":  {new(Definition).Decode(rec, 3), []int{520, 528}},
			"symbol mapping": {new(SymbolMapping).Decode(rec), []int{80, 88, 176, 184}},
		} {
			want := false
			for _, size := range tc.sizes {
				want = want || n == size
			}
			if (tc.err == nil) != want {
				t.Errorf("%s of %d bytes: error %v", name, n, tc.err)
			}
		}
		if err := new(Trade).Decode(rec); (err == nil) != (n >= TradeSize) {
			t.Errorf("trade of %d bytes: error %v", n, err)
		}
	}
}
