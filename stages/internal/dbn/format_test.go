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
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dag/stages/internal/dbn"
)

// write returns a whole file.
func write(t testing.TB, open func(io.Writer, dbn.Metadata) (*dbn.Writer, error), m dbn.Metadata, recs [][]byte) []byte {
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

// TestSameBytes writes twice, and looks for the padding of version 3.
func TestSameBytes(t *testing.T) {
	for _, open := range []func(io.Writer, dbn.Metadata) (*dbn.Writer, error){dbn.NewWriter, dbn.NewZstdWriter} {
		if !bytes.Equal(market(t, 3000, open), market(t, 3000, open)) {
			t.Error("other bytes the second time")
		}
	}
	for n := range 8 {
		m := dbn.Metadata{Version: 3, Symbols: make([]string, n)}
		if head, err := m.Encode(); err != nil || len(head)%8 != 0 || binary.LittleEndian.Uint32(head[4:]) != uint32(len(head)-8) {
			t.Errorf("%d symbols: a head of %d bytes, %v", n, len(head), err)
		}
	}
}

func TestWhatAnOlderVersionCannotHold(t *testing.T) {
	statistics := func(q int64) error { _, err := (&dbn.Statistics{Quantity: q}).Append(nil, 1); return err }
	definition := func(d dbn.Definition, version uint8) error { _, err := d.Append(nil, version); return err }
	mapping := func(version uint8) error {
		_, err := (&dbn.SymbolMapping{STypeInSymbol: "23 bytes are one more.."}).Append(nil, version)
		return err
	}
	if err := errors.Join(statistics(math.MaxInt32-1), definition(dbn.Definition{RawInstrumentID: 1 << 32, LegCount: 2}, 3), mapping(2)); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{statistics(math.MaxInt32), "does not fit into the 32 bits of version 1"},
		{statistics(math.MinInt32 - 1), "does not fit into the 32 bits of version 1"},
		{definition(dbn.Definition{RawInstrumentID: 1 << 32}, 2), "does not fit into a version 2"},
		{definition(dbn.Definition{LegCount: 2}, 1), "with 2 legs does not fit into a version 1"},
		{definition(dbn.Definition{Currency: "EUROS"}, 3), "5 bytes, more than the 4"},
		{definition(dbn.Definition{}, 4), "version 4"},
		{mapping(1), "23 bytes, more than the 22"},
		{mapping(0), "version 0"},
		{(&dbn.Definition{}).Decode(make([]byte, 400), 3), "version 3 definition record has 400 bytes instead of 520, or 528 with ts_out"},
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

// TestStatisticsAllocateNothing decodes a record that fits, of each version.
func TestStatisticsAllocateNothing(t *testing.T) {
	for version := uint8(1); version <= 3; version++ {
		var s dbn.Statistics
		rec, err := s.Append(nil, version)
		if err != nil {
			t.Fatal(err)
		}
		allocs := testing.AllocsPerRun(100, func() {
			if err := s.Decode(rec, version); err != nil {
				t.Fatal(err)
			}
		})
		if allocs != 0 {
			t.Errorf("version %d: %v allocations a record", version, allocs)
		}
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
