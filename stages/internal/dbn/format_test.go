package dbn_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dag/stages/internal/dbn"
)

func symbolOf(version uint8) *rapid.Generator[string] {
	size := 71
	if version == 1 {
		size = 22
	}
	return rapid.StringOfN(rapid.RuneFrom([]rune("AZ09 -.:é€")), 0, -1, size)
}

func drawMetadata(t *rapid.T) dbn.Metadata {
	version := rapid.Uint8Range(1, 3).Draw(t, "version")
	symbol := symbolOf(version)
	list := func(name string) []string {
		out := rapid.SliceOfN(symbol, 0, 4).Draw(t, name)
		if len(out) == 0 {
			return nil
		}
		return out
	}
	m := dbn.Metadata{
		Version: version, Dataset: rapid.StringMatching(`[A-Z.0-9]{0,16}`).Draw(t, "dataset"), Schema: dbn.Schema(rapid.Uint16().Draw(t, "schema")),
		Start: rapid.Uint64().Draw(t, "start"), End: rapid.Uint64().Draw(t, "end"), Limit: rapid.Uint64().Draw(t, "limit"),
		STypeIn: dbn.SType(rapid.Byte().Draw(t, "in")), STypeOut: dbn.SType(rapid.Byte().Draw(t, "out")), TsOut: rapid.Bool().Draw(t, "ts_out"),
		Symbols: list("symbols"), Partial: list("partial"), NotFound: list("not found"),
	}
	if version == 1 {
		m.RecordCount = rapid.Uint64().Draw(t, "count")
	}
	for range rapid.IntRange(0, 3).Draw(t, "mappings") {
		mp := dbn.Mapping{RawSymbol: symbol.Draw(t, "raw")}
		for range rapid.IntRange(0, 3).Draw(t, "intervals") {
			mp.Intervals = append(mp.Intervals, dbn.Interval{Start: rapid.Uint32().Draw(t, "from"), End: rapid.Uint32().Draw(t, "to"), Symbol: symbol.Draw(t, "symbol")})
		}
		m.Mappings = append(m.Mappings, mp)
	}
	return m
}

func write(t rapid.TB, open func(io.Writer, dbn.Metadata) (*dbn.Writer, error), m dbn.Metadata, recs [][]byte) []byte {
	var out bytes.Buffer
	w, err := open(&out, m)
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range recs {
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestFilesRoundTrip writes any metadata and any records, and reads them back.
func TestFilesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMetadata(t)
		var recs [][]byte
		for range rapid.IntRange(0, 20).Draw(t, "records") {
			words := rapid.IntRange(4, 255).Draw(t, "words")
			rec := bytes.Repeat([]byte{rapid.Byte().Draw(t, "byte")}, words*4)
			rec[0] = byte(words)
			recs = append(recs, rec)
		}
		for _, open := range []func(io.Writer, dbn.Metadata) (*dbn.Writer, error){dbn.NewWriter, dbn.NewZstdWriter} {
			file := write(t, open, m, recs)
			if !bytes.Equal(file, write(t, open, m, recs)) {
				t.Fatal("other bytes the second time")
			}
			got, gotRecs, err := readAll(bytes.NewReader(file), "file")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(m, got) + cmp.Diff(recs, gotRecs); diff != "" {
				t.Fatalf("written and read differ:\n%s", diff)
			}
		}
		if head, _ := m.Encode(); m.Version == 3 && len(head)%8 != 0 {
			t.Fatalf("records of version 3 begin at %d", len(head))
		}
	})
}

// fillAny sets every field of a struct to a value of its own, so that two fields
// in each other's place are noticed.
func fillAny(v reflect.Value, next *uint64) {
	*next++
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fillAny(v.Field(i), next)
		}
	case reflect.Array:
		for i := range v.Len() {
			fillAny(v.Index(i), next)
		}
	case reflect.String:
		v.SetString(string(rune('A' + *next%26)))
	case reflect.Int64, reflect.Int32:
		v.SetInt(-int64(*next) * 0x01010101 % math.MaxInt32)
	default:
		v.SetUint(*next * 0x0101010101 % (1 << v.Type().Bits() & math.MaxUint32))
		if v.Type().Bits() < 16 {
			v.SetUint(*next % 256)
		}
	}
}

// codec is a type of record of a version: its size, and both directions.
type codec struct {
	name   string
	size   int
	record any // pointer
	decode func(any, []byte) error
	append func(any, []byte) ([]byte, error)
}

func codecs() []codec {
	plain := func(name string, size int, record interface {
		Decode([]byte) error
		Append([]byte) []byte
	}) codec {
		type both = interface {
			Decode([]byte) error
			Append([]byte) []byte
		}
		return codec{name, size, record,
			func(r any, rec []byte) error { return r.(both).Decode(rec) },
			func(r any, dst []byte) ([]byte, error) { return r.(both).Append(dst), nil }}
	}
	out := []codec{plain("trade", dbn.TradeSize, &dbn.Trade{}), plain("mbp-1", dbn.MBP1Size, &dbn.MBP1{}), plain("mbp-10", dbn.MBP10Size, &dbn.MBP10{})}
	versioned := func(name string, sizes [3]int, record interface {
		Decode([]byte, uint8) error
		Append([]byte, uint8) ([]byte, error)
	}) {
		type both = interface {
			Decode([]byte, uint8) error
			Append([]byte, uint8) ([]byte, error)
		}
		for i, size := range sizes {
			version := uint8(i + 1)
			out = append(out, codec{name + " v" + string(rune('1'+i)), size, record,
				func(r any, rec []byte) error { return r.(both).Decode(rec, version) },
				func(r any, dst []byte) ([]byte, error) { return r.(both).Append(dst, version) }})
		}
	}
	versioned("statistics", [3]int{64, 64, 80}, &dbn.Statistics{})
	versioned("definition", [3]int{360, 400, 520}, &dbn.Definition{})
	for i, size := range []int{80, 176, 176} {
		out = append(out, codec{"symbol mapping v" + string(rune('1'+i)), size, &dbn.SymbolMapping{},
			func(r any, rec []byte) error { return r.(*dbn.SymbolMapping).Decode(rec) },
			func(r any, dst []byte) ([]byte, error) { return r.(*dbn.SymbolMapping).Append(dst, uint8(i+1)) }})
	}
	return out
}

func TestRecordsRoundTrip(t *testing.T) {
	for _, c := range codecs() {
		t.Run(c.name, func(t *testing.T) {
			want := reflect.New(reflect.TypeOf(c.record).Elem())
			var n uint64
			fillAny(want.Elem(), &n)
			switch r := want.Interface().(type) {
			case *dbn.Definition:
				if c.size != 520 {
					r.LegCount = 0
				}
			case *dbn.SymbolMapping:
				if c.size == 80 {
					r.STypeIn, r.STypeOut = dbn.STypeMixed, dbn.STypeMixed
				}
			}
			prefix := []byte("before")
			out, err := c.append(want.Interface(), prefix)
			if err != nil {
				t.Fatal(err)
			}
			rec, ok := bytes.CutPrefix(out, prefix)
			if !ok || len(rec) != c.size || int(rec[0])*4 != c.size {
				t.Fatalf("%d bytes, length byte %d, want %d bytes", len(rec), rec[0], c.size)
			}
			withTime := append(edit(rec, 0, byte(c.size/4+2)), 1, 2, 3, 4, 5, 6, 7, 8)
			for _, rec := range [][]byte{rec, withTime} {
				got := reflect.New(want.Type().Elem())
				if err := c.decode(got.Interface(), rec); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want.Interface(), got.Interface()); diff != "" {
					t.Errorf("%d bytes:\n%s", len(rec), diff)
				}
			}
			for n := range c.size {
				if err := c.decode(c.record, rec[:n]); err == nil {
					t.Errorf("%d bytes of %d are decoded without an error", n, c.size)
				}
			}
		})
	}
}

func TestAccessors(t *testing.T) {
	m := dbn.MBP10{Trade: dbn.Trade{Header: dbn.Header{RType: dbn.RTypeMBP10, PublisherID: 1, InstrumentID: 0x01020304, TsEvent: 5}, TsRecv: 6, Sequence: 7}}
	rec := m.Append(nil)
	if dbn.RType(rec) != dbn.RTypeMBP10 || dbn.InstrumentID(rec) != 0x01020304 || dbn.TsEvent(rec) != 5 || dbn.TsRecv(rec) != 6 || dbn.Sequence(rec) != 7 {
		t.Errorf("%d %d %d %d %d", dbn.RType(rec), dbn.InstrumentID(rec), dbn.TsEvent(rec), dbn.TsRecv(rec), dbn.Sequence(rec))
	}
	if dbn.TsRecv(rec[:16]) != dbn.UndefTimestamp || dbn.Sequence(rec[:16]) != 0 {
		t.Error("a header has a ts_recv or a sequence")
	}
}

func TestQuantityWithoutValue(t *testing.T) {
	for version := uint8(1); version <= 3; version++ {
		s := dbn.Statistics{Quantity: dbn.UndefQuantity}
		rec, err := s.Append(nil, version)
		if err != nil {
			t.Fatal(err)
		}
		stored := int64(binary.LittleEndian.Uint64(rec[40:]))
		if version < 3 {
			stored = int64(binary.LittleEndian.Uint32(rec[40:]))
		}
		if want := map[bool]int64{true: math.MaxInt32, false: math.MaxInt64}[version < 3]; stored != want {
			t.Errorf("version %d stores %d, want %d", version, stored, want)
		}
		if err := s.Decode(rec, version); err != nil || s.Quantity != dbn.UndefQuantity {
			t.Errorf("version %d reads %d, %v", version, s.Quantity, err)
		}
	}
}

func TestWhatCannotBeWritten(t *testing.T) {
	long := strings.Repeat("x", 72)
	encode := func(m dbn.Metadata) error {
		_, err := dbn.NewWriter(io.Discard, m)
		_, err2 := dbn.NewZstdWriter(io.Discard, m)
		if (err == nil) != (err2 == nil) {
			t.Errorf("errors %v and %v", err, err2)
		}
		return err
	}
	statistics := func(q int64) error { _, err := (&dbn.Statistics{Quantity: q}).Append(nil, 1); return err }
	definition := func(d dbn.Definition, version uint8) error { _, err := d.Append(nil, version); return err }
	mapping := func(version uint8) error {
		_, err := (&dbn.SymbolMapping{STypeInSymbol: long[:23]}).Append(nil, version)
		return err
	}
	w, err := dbn.NewWriter(io.Discard, dbn.Metadata{Version: 3})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{encode(dbn.Metadata{Version: 0}), "version 0"},
		{encode(dbn.Metadata{Version: 4}), "version 4"},
		{encode(dbn.Metadata{Version: 3, Dataset: "0123456789ABCDEFG"}), "17 bytes, more than the 16"},
		{encode(dbn.Metadata{Version: 1, Symbols: []string{long[:23]}}), "23 bytes, more than the 22"},
		{encode(dbn.Metadata{Version: 2, Partial: []string{long}}), "72 bytes, more than the 71"},
		{encode(dbn.Metadata{Version: 3, NotFound: []string{"a\x00b"}}), "without NUL"},
		{encode(dbn.Metadata{Version: 3, Mappings: []dbn.Mapping{{RawSymbol: "\xff"}}}), "not UTF-8"},
		{encode(dbn.Metadata{Version: 3, Mappings: []dbn.Mapping{{Intervals: []dbn.Interval{{Symbol: long}}}}}), "72 bytes"},
		{w.Write(nil), "0 bytes"},
		{w.Write(make([]byte, 16)), "16 bytes"},
		{w.Write([]byte{3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}), "12 bytes"},
		{statistics(math.MaxInt32), "does not fit into the 32 bits of version 1"},
		{statistics(math.MinInt32 - 1), "does not fit"},
		{definition(dbn.Definition{RawInstrumentID: 1 << 32}, 2), "does not fit into a version 2"},
		{definition(dbn.Definition{LegCount: 2}, 1), "with 2 legs does not fit into a version 1"},
		{definition(dbn.Definition{Currency: "EUROS"}, 3), "5 bytes, more than the 4"},
		{definition(dbn.Definition{}, 4), "version 4"},
		{mapping(1), "23 bytes, more than the 22"},
		{mapping(0), "version 0"},
		{(&dbn.Definition{}).Decode(make([]byte, 400), 3), "version 3 definition record has 400 bytes instead of 520, or 528 with ts_out"},
		{(&dbn.Statistics{}).Decode(make([]byte, 80), 2), "version 2 statistics record has 80 bytes instead of 64"},
		{(&dbn.Statistics{}).Decode(make([]byte, 80), 0), "version 0"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("error %v, want %q", c.err, c.want)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

var errFull = errors.New("the disk is full")

func TestWriterReportsTheDisk(t *testing.T) {
	for _, open := range []func(io.Writer, dbn.Metadata) (*dbn.Writer, error){dbn.NewWriter, dbn.NewZstdWriter} {
		w, err := open(full{}, dbn.Metadata{Version: 3})
		if err == nil {
			err = w.Close()
		}
		if !errors.Is(err, errFull) {
			t.Errorf("error %v, want that of the disk", err)
		}
	}
}

// TestZstdFrames reads frames in a row, and skippable ones before, between and
// after them.
func TestZstdFrames(t *testing.T) {
	good := testdata(t, "test_data.mbp-10.dbn")
	want, wantRecs, err := readAll(bytes.NewReader(good), "good")
	if err != nil {
		t.Fatal(err)
	}
	skip := append([]byte{0x5A, 0x2A, 0x4D, 0x18}, append(u32(9), "a comment"...)...)
	var file []byte
	for at := 0; at < len(good); at += 300 {
		file = append(file, skip...)
		file = append(file, compress(t, good[at:min(at+300, len(good))])...)
	}
	got, recs, err := readAll(bytes.NewReader(append(file, skip...)), "frames")
	if diff := cmp.Diff(want, got) + cmp.Diff(wantRecs, recs); err != nil || diff != "" {
		t.Errorf("error %v\n%s", err, diff)
	}
}

func TestNextAllocatesNothing(t *testing.T) {
	r, err := dbn.NewReader(bytes.NewReader(market(t, 5000, dbn.NewZstdWriter)), "market")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var m dbn.MBP10
	allocs := testing.AllocsPerRun(4000, func() {
		rec, err := r.Next()
		if err == nil {
			err = m.Decode(rec)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations per record", allocs)
	}
}

func TestSchemaNames(t *testing.T) {
	for s, want := range map[dbn.Schema]string{dbn.SchemaMBP10: "mbp-10", dbn.SchemaBBO1m: "bbo-1m", dbn.SchemaMixed: "mixed", 13: "schema 13"} {
		if s.String() != want {
			t.Errorf("%v, want %s", s, want)
		}
	}
}

// TestVendorReadsWhatIsWritten gives files of every version to the vendor's client.
func TestVendorReadsWhatIsWritten(t *testing.T) {
	if err := exec.Command("python3", "-c", "import databento_dbn").Run(); err != nil {
		t.Skipf("python3 with databento_dbn is not here: %v", err)
	}
	m := dbn.MBP10{Trade: dbn.Trade{Header: dbn.Header{RType: dbn.RTypeMBP10, PublisherID: 1, InstrumentID: 42, TsEvent: 1_754_265_600_000_000_001},
		Price: 6_000_250_000_000, Size: 3, Action: 'T', Side: 'B', Flags: dbn.FlagLast, TsRecv: 1_754_265_600_000_000_009, TsInDelta: -5, Sequence: 77}}
	for i := range m.Levels {
		m.Levels[i] = dbn.Level{BidPx: int64(1000 - i), AskPx: int64(1001 + i), BidSz: uint32(i), AskSz: uint32(i + 10), BidCt: uint32(i + 20), AskCt: uint32(i + 30)}
	}
	const program = `
import sys
import databento_dbn as d
for path in sys.argv[1:]:
    zstd = path.endswith("zst")
    decoder = d.DBNDecoder(upgrade_policy=d.VersionUpgradePolicy.AS_IS, compression=d.Compression.ZSTD if zstd else d.Compression.NONE)
    decoder.write(open(path, "rb").read())
    head, *records = decoder.decode()
    for r in records:
        l = r.levels[9]
        print(head.version, head.dataset, head.schema, *head.symbols, *head.mappings["ESU5"][0].values(), r.instrument_id, r.ts_event, r.price, r.size,
            chr(r.action) if isinstance(r.action, int) else str(r.action), r.ts_recv, r.ts_in_delta, r.sequence, l.bid_px, l.ask_px, l.bid_sz, l.ask_sz, l.bid_ct, l.ask_ct)
`
	args := []string{"-c", program}
	var want string
	for version := uint8(1); version <= 3; version++ {
		meta := dbn.Metadata{Version: version, Dataset: "GLBX.MDP3", Schema: dbn.SchemaMBP10, End: dbn.UndefTimestamp, STypeIn: dbn.STypeRawSymbol,
			Symbols:  []string{"ESU5"},
			Mappings: []dbn.Mapping{{RawSymbol: "ESU5", Intervals: []dbn.Interval{{Start: 20250804, End: 20250805, Symbol: "42"}}}}}
		for suffix, open := range map[string]func(io.Writer, dbn.Metadata) (*dbn.Writer, error){"dbn": dbn.NewWriter, "zst": dbn.NewZstdWriter} {
			path := filepath.Join(t.TempDir(), suffix+"."+suffix)
			if err := os.WriteFile(path, write(t, open, meta, [][]byte{m.Append(nil), m.Append(nil)}), 0o600); err != nil {
				t.Fatal(err)
			}
			args = append(args, path)
			line := string('0'+rune(version)) + " GLBX.MDP3 mbp-10 ESU5 2025-08-04 2025-08-05 42 42 1754265600000000001 6000250000000 3 T 1754265600000000009 -5 77 991 1010 9 19 29 39\n"
			want += line + line
		}
	}
	out, err := exec.Command("python3", args...).CombinedOutput()
	if err != nil || string(out) != want {
		t.Errorf("%v\n%s", err, cmp.Diff(want, string(out)))
	}
}
