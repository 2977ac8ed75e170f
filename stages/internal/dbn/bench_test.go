package dbn_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"dag/stages/internal/dbn"
)

// market is a file of mbp-10 records of a book that changes a little from one to
// the next, as books do.
func market(tb testing.TB, records int, open func(io.Writer, dbn.Metadata) (*dbn.Writer, error)) []byte {
	tb.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	var out bytes.Buffer
	w, err := open(&out, dbn.Metadata{Version: 3, Dataset: "GLBX.MDP3", Schema: dbn.SchemaMBP10, End: dbn.UndefTimestamp})
	if err != nil {
		tb.Fatal(err)
	}
	const tick, start = 250_000_000, 1_754_265_600_000_000_000
	m := dbn.MBP10{Trade: dbn.Trade{Header: dbn.Header{RType: dbn.RTypeMBP10, PublisherID: 1, InstrumentID: 42, TsEvent: start}}}
	for i := range m.Levels {
		m.Levels[i] = dbn.Level{BidPx: int64(6000*4-i) * tick, AskPx: int64(6000*4+1+i) * tick, BidSz: 20, AskSz: 20, BidCt: 9, AskCt: 9}
	}
	var rec []byte
	for range records {
		m.TsEvent += uint64(rng.IntN(20_000_000))
		m.TsRecv, m.TsInDelta = m.TsEvent+uint64(rng.IntN(200_000)), int32(rng.IntN(20_000))
		m.Sequence += uint32(rng.IntN(4))
		m.Action, m.Side, m.Flags, m.Depth = "ACM"[rng.IntN(3)], "AB"[rng.IntN(2)], dbn.FlagLast, uint8(rng.IntN(10))
		level := &m.Levels[m.Depth]
		level.BidSz, level.AskCt = 1+uint32(rng.IntN(80)), 1+uint32(rng.IntN(30))
		m.Price, m.Size = level.BidPx, 1+uint32(rng.IntN(10))
		rec = m.Append(rec[:0])
		if err := w.Write(rec); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// BenchmarkReadMBP10 is one record read and decoded, decompression included.
func BenchmarkReadMBP10(b *testing.B) {
	for _, c := range []struct {
		name string
		open func(io.Writer, dbn.Metadata) (*dbn.Writer, error)
	}{{"zstd", dbn.NewZstdWriter}, {"plain", dbn.NewWriter}} {
		b.Run(c.name, func(b *testing.B) {
			file := market(b, 100_000, c.open)
			b.SetBytes(dbn.MBP10Size)
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; {
				r, err := dbn.NewReader(bytes.NewReader(file), c.name)
				if err != nil {
					b.Fatal(err)
				}
				var m dbn.MBP10
				for ; n < b.N; n++ {
					rec, err := r.Next()
					if errors.Is(err, io.EOF) {
						break
					}
					if err == nil {
						err = m.Decode(rec)
					}
					if err != nil {
						b.Fatal(err)
					}
				}
				r.Close()
			}
		})
	}
}

// BenchmarkLookup is one symbol found, for records of a few instruments in turn.
func BenchmarkLookup(b *testing.B) {
	m := dbn.Metadata{STypeIn: dbn.STypeRawSymbol}
	for _, id := range []string{"1", "2", "3"} {
		m.Mappings = append(m.Mappings, dbn.Mapping{RawSymbol: "ES" + id, Intervals: []dbn.Interval{{Start: 20250804, End: 20250805, Symbol: id}}})
	}
	symbols := m.SymbolMap()
	b.ReportAllocs()
	for n := range b.N {
		if _, ok := symbols.Lookup(1+uint32(n)%3, 1_754_265_600_000_000_000+uint64(n)); !ok {
			b.Fatal("no symbol")
		}
	}
}
