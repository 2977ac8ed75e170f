package dbn

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/klauspost/compress/zstd"
)

// vendorFiles are the files of the vendor that are here: those in testdata, and
// those of the shared data when it is there.
func vendorFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/test_data.*")
	if err != nil || len(files) == 0 {
		t.Fatalf("files in testdata: %d, %v", len(files), err)
	}
	if dir, ok := sharedData(t); ok {
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() && filepath.Ext(path) != ".md" {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// sharedData is the folder of real files beside the repository.
func sharedData(t testing.TB) (string, bool) {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			return "", false
		}
		dir = filepath.Dir(dir)
	}
	dir = filepath.Join(dir, "..", "shared", "data", "real")
	_, err = os.Stat(dir)
	return dir, err == nil
}

// readable tells the whole files from fragments without metadata and from those
// of the format before DBN.
func readable(path string) bool {
	return !strings.Contains(path, ".frag") && filepath.Ext(path) != ".dbz"
}

// reading is what a file holds, all values as text.
type reading struct {
	Head    map[string]string
	Records []map[string]string
}

var stypes = map[SType]string{STypeInstrumentID: "instrument_id", STypeRawSymbol: "raw_symbol", STypeContinuous: "continuous", STypeParent: "parent", STypeMixed: "mixed"}

func readAll(t *testing.T, path string) reading {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := NewReader(f, path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	m := r.Metadata
	var mappings []string
	for _, mp := range m.Mappings {
		for _, iv := range mp.Intervals {
			mappings = append(mappings, fmt.Sprintf("%s:%d-%d=%s", mp.RawSymbol, iv.Start, iv.End, iv.Symbol))
		}
	}
	slices.Sort(mappings)
	ts := map[bool]string{false: "False", true: "True"}
	out := reading{Head: texts(
		"version", m.Version, "dataset", m.Dataset, "schema", m.Schema, "start", m.Start, "end", m.End, "limit", m.Limit,
		"stype_in", stypes[m.STypeIn], "stype_out", stypes[m.STypeOut], "ts_out", ts[m.TsOut], "symbols", strings.Join(m.Symbols, " "),
		"partial", strings.Join(m.Partial, " "), "not_found", strings.Join(m.NotFound, " "), "mappings", strings.Join(mappings, " "),
	)}
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		fields, err := describe(rec, m.Version)
		if err != nil {
			t.Fatalf("%s: record %d: %v", path, r.Records()-1, err)
		}
		out.Records = append(out.Records, fields)
	}
}

// texts makes a map of names and values in turn.
func texts(pairs ...any) map[string]string {
	out := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i].(string)] = fmt.Sprint(pairs[i+1])
	}
	return out
}

// describe decodes a record with the package and names its fields.
func describe(rec []byte, version uint8) (map[string]string, error) {
	h := header(rec)
	fields := texts("rtype", h.RType, "publisher_id", h.PublisherID, "instrument_id", h.InstrumentID, "ts_event", h.TsEvent)
	var more map[string]string
	var err error
	switch h.RType {
	case RTypeTrade, RTypeMBP1, RTypeMBP10, RTypeBBO1s, RTypeBBO1m, RTypeCBBO1s, RTypeCBBO1m, RTypeCMBP1, RTypeTCBBO:
		more, err = describeBook(rec)
	case RTypeStatistics:
		var s Statistics
		err = s.Decode(rec, version)
		quantity := s.Quantity
		if version < 3 && quantity == UndefQuantity {
			quantity = 1<<31 - 1 // as the vendor shows it
		}
		more = texts("ts_recv", s.TsRecv, "ts_ref", s.TsRef, "price", s.Price, "quantity", quantity, "sequence", s.Sequence, "ts_in_delta", s.TsInDelta,
			"stat_type", s.StatType, "channel_id", s.ChannelID, "update_action", s.UpdateAction, "stat_flags", s.Flags)
	case RTypeDefinition:
		var d Definition
		err = d.Decode(rec, version)
		more = texts("ts_recv", d.TsRecv, "min_price_increment", d.MinPriceIncrement, "expiration", d.Expiration, "activation", d.Activation,
			"unit_of_measure_qty", d.UnitOfMeasureQty, "underlying_id", d.UnderlyingID, "raw_instrument_id", d.RawInstrumentID,
			"contract_multiplier", d.ContractMultiplier, "maturity_year", d.MaturityYear, "maturity_month", d.MaturityMonth, "maturity_day", d.MaturityDay,
			"currency", d.Currency, "raw_symbol", d.RawSymbol, "group", d.Group, "exchange", d.Exchange, "asset", d.Asset, "cfi", d.CFI,
			"security_type", d.SecurityType, "unit_of_measure", d.UnitOfMeasure, "underlying", d.Underlying, "instrument_class", d.InstrumentClass,
			"strike_price", d.StrikePrice, "security_update_action", d.SecurityUpdateAction, "user_defined_instrument", d.UserDefined)
	case RTypeSymbolMapping:
		var m SymbolMapping
		err = m.Decode(rec)
		more = texts("stype_in_symbol", m.STypeInSymbol, "stype_out_symbol", m.STypeOutSymbol, "start_ts", m.Start, "end_ts", m.End)
	}
	for k, v := range more {
		fields[k] = v
	}
	return fields, err
}

func describeBook(rec []byte) (map[string]string, error) {
	var m MBP10
	var err error
	levels := m.Levels[:0]
	switch rtype := RType(rec); rtype {
	case RTypeTrade:
		err = m.Trade.Decode(rec)
	case RTypeMBP10:
		err = m.Decode(rec)
		levels = m.Levels[:]
	default:
		var one MBP1
		err = one.Decode(rec)
		m.Trade, m.Levels[0] = one.Trade, one.Level
		levels = m.Levels[:1]
	}
	out := texts("price", m.Price, "size", m.Size, "side", m.Side, "flags", m.Flags, "ts_recv", m.TsRecv)
	add := func(more map[string]string) {
		for k, v := range more {
			out[k] = v
		}
	}
	consolidated := false
	switch m.RType {
	case RTypeCBBO1s, RTypeCBBO1m:
		consolidated = true
	case RTypeCMBP1, RTypeTCBBO:
		consolidated = true
		add(texts("action", m.Action, "ts_in_delta", m.TsInDelta))
	case RTypeBBO1s, RTypeBBO1m:
		add(texts("sequence", m.Sequence))
	default:
		add(texts("sequence", m.Sequence, "action", m.Action, "ts_in_delta", m.TsInDelta, "depth", m.Depth))
	}
	for i, l := range levels {
		at := fmt.Sprintf("_%02d", i)
		add(texts("bid_px"+at, l.BidPx, "ask_px"+at, l.AskPx, "bid_sz"+at, l.BidSz, "ask_sz"+at, l.AskSz))
		if consolidated { // publishers instead of counts
			add(texts("bid_pb"+at, uint16(l.BidCt), "ask_pb"+at, uint16(l.AskCt)))
		} else {
			add(texts("bid_ct"+at, l.BidCt, "ask_ct"+at, l.AskCt))
		}
	}
	return out, err
}

// TestVendorReadsTheSame compares every field of every record.
func TestVendorReadsTheSame(t *testing.T) {
	if err := exec.Command("python3", "-c", "import databento_dbn").Run(); err != nil {
		t.Skip("python3 with databento_dbn is not here: ", err)
	}
	files := slices.DeleteFunc(vendorFiles(t), func(path string) bool { return !readable(path) })
	args := []string{filepath.Join("testdata", "compare.py")}
	dir := t.TempDir()
	for i, path := range files {
		plain := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(plain, decompressed(t, path), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, plain)
	}
	cmd := exec.Command("python3", args...)
	var said, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &complaint
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, complaint.Bytes())
	}
	dec := json.NewDecoder(&said)
	for _, path := range files {
		var want reading
		if err := dec.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, readAll(t, path), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-vendor +here):\n%s", path, diff)
		}
	}
}

// decompressed reads a whole file with nothing of this package.
func decompressed(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Ext(path) != ".zst" {
		return data
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	plain, err := dec.DecodeAll(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// TestEveryVendorFile needs no other reader: whole files are read to their end,
// and the others are refused with a reason.
func TestEveryVendorFile(t *testing.T) {
	records := 0
	for _, path := range vendorFiles(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		n, err := count(bytes.NewReader(data), path)
		records += n
		var broken *FormatError
		switch {
		case readable(path) && (err != nil || n == 0 && !strings.Contains(path, "ohlcv-1d")): // some of those are empty
			t.Errorf("%s: %d records, error %v", path, n, err)
		case readable(path):
		case !errors.As(err, &broken) || broken.Name != path:
			t.Errorf("%s: error %v, want a *FormatError with its name", path, err)
		case filepath.Ext(path) == ".dbz" && !strings.Contains(err.Error(), "DBZ"), strings.Contains(path, ".frag") && !strings.Contains(err.Error(), "fragment"):
			t.Errorf("%s: error %v does not say what the file is", path, err)
		}
	}
	if dir, ok := sharedData(t); ok && records < 300 {
		t.Errorf("%d records in %s", records, dir)
	}
}

// count reads a whole file and returns how many records came before its end or
// its error.
func count(src io.Reader, name string) (int, error) {
	r, err := NewReader(src, name)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	for {
		if _, err := r.Next(); errors.Is(err, io.EOF) {
			return int(r.Records()), nil
		} else if err != nil {
			return int(r.Records()), err
		}
	}
}
