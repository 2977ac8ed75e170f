package synthetic

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dag/stages/internal/dbn"

	"github.com/google/go-cmp/cmp"
)

// summary is what the vendor's package reads in a file, and what we do.
type summary struct {
	Version, Records              int
	Dataset, Schema, STypeIn, Out string
	Symbols                       []string
	Start, End                    uint64
	Mappings                      map[string][]string
	Price                         int64 // the sum of the event prices that are defined
	Size, Bids, Asks              uint64
	Actions                       map[string]int
}

const readWithVendor = `
import json, sys
import databento_dbn as d
dec = d.DBNDecoder(has_metadata=True)
dec.write(open(sys.argv[1], "rb").read())
head, *recs = dec.decode()
out = dict(Version=head.version, Records=len(recs), Dataset=head.dataset, Schema=str(head.schema), STypeIn=str(head.stype_in), Out=str(head.stype_out),
  Symbols=list(head.symbols), Start=head.start, End=head.end, Price=0, Size=0, Bids=0, Asks=0, Actions={},
  Mappings={k: [f"{i['start_date']} {i['end_date']} {i['symbol']}" for i in v] for k, v in head.mappings.items()})
for r in recs:
    out["Price"] += r.price if r.price != d.UNDEF_PRICE else 0
    out["Size"] += r.size
    out["Bids"] += sum(l.bid_sz + l.bid_ct for l in r.levels)
    out["Asks"] += sum(l.ask_sz + l.ask_ct for l in r.levels)
    k = str(r.action) + str(r.side)
    out["Actions"][k] = out["Actions"].get(k, 0) + 1
json.dump(out, sys.stdout)
`

func TestVendorReadsTheFile(t *testing.T) {
	if err := exec.Command("python3", "-c", "import databento_dbn").Run(); err != nil {
		t.Skip("python3 with databento_dbn is not here: ", err)
	}
	cfg, name := small(9, 3000), "2025-08-05"
	s, err := newSession(cfg, name)
	if err != nil {
		t.Fatal(err)
	}
	got := readByVendor(t, s)
	want := summary{
		Version: 3, Dataset: "GLBX.MDP3", Schema: "mbp-10", STypeIn: "raw_symbol", Out: "instrument_id",
		Symbols: []string{"ESU5", "ESZ5", "ESU5-ESZ5"}, Start: s.dayStart, End: s.dayStart + secondsPerDay*second,
		Mappings: map[string][]string{"ESU5": {"2025-08-05 2025-08-06 24309"}, "ESZ5": {"2025-08-05 2025-08-06 24312"}, "ESU5-ESZ5": {"2025-08-05 2025-08-06 1072885"}},
		Actions:  map[string]int{},
	}
	_, recs := records(t, cfg, name)
	for i := range recs {
		want.add(&recs[i])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what the vendor's package reads (-want +got):\n%s", diff)
	}
}

// readByVendor is what the vendor's package reads in the file of a session.
func readByVendor(t *testing.T, s *session) summary {
	t.Helper()
	var plain bytes.Buffer
	w, err := dbn.NewWriter(&plain, s.metadata())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.run(w.Write); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "day.dbn")
	if err := os.WriteFile(path, plain.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command("python3", "-c", readWithVendor, path).Output()
	if err != nil {
		t.Fatalf("the vendor's package refuses the file: %v\n%s", err, err.(*exec.ExitError).Stderr)
	}
	var got summary
	if err := json.Unmarshal(said, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// add counts in a record.
func (s *summary) add(m *dbn.MBP10) {
	s.Records++
	if m.Price != dbn.UndefPrice {
		s.Price += m.Price
	}
	s.Size += uint64(m.Size)
	for _, l := range m.Levels {
		s.Bids += uint64(l.BidSz) + uint64(l.BidCt)
		s.Asks += uint64(l.AskSz) + uint64(l.AskCt)
	}
	s.Actions[string(rune(m.Action))+string(rune(m.Side))]++
}

const readOptionsWithVendor = `
import sys
import databento_dbn as d
dec = d.DBNDecoder(has_metadata=True)
dec.write(open(sys.argv[1], "rb").read())
head, *recs = dec.decode()
print(head.version, head.dataset, head.schema, len(head.symbols), len(head.mappings))
for r in recs:
    f = [r.instrument_id, r.ts_event, r.ts_recv]
    if isinstance(r, d.InstrumentDefMsg):
        f += [r.raw_symbol, r.instrument_class, r.strike_price, r.expiration, r.underlying, r.user_defined_instrument, r.leg_count, r.security_type, r.cfi, r.asset, r.exchange]
    elif isinstance(r, d.StatMsg):
        f += [int(r.stat_type), r.price, r.quantity, r.sequence, int(r.update_action), r.ts_ref]
    else:
        f += [r.action, r.side, r.price, r.size, r.sequence, int(r.flags)]
        for l in getattr(r, "levels", []):
            f += [l.bid_px, l.ask_px, l.bid_sz, l.ask_sz, l.bid_ct, l.ask_ct]
    print(*f)
`

// vendorLine is what readOptionsWithVendor prints for a record.
func vendorLine(t *testing.T, schema dbn.Schema, rec []byte) string {
	t.Helper()
	var (
		d   dbn.Definition
		s   dbn.Statistics
		m   dbn.MBP1
		err error
	)
	line := func(values ...any) string {
		for i, v := range values {
			if c, ok := v.(byte); ok {
				values[i] = string(rune(c))
			}
		}
		return strings.TrimSuffix(fmt.Sprintln(values...), "\n")
	}
	var said string
	switch schema {
	case dbn.SchemaDefinition:
		err = d.Decode(rec, 3)
		said = line(d.InstrumentID, d.TsEvent, d.TsRecv, d.RawSymbol, d.InstrumentClass, d.StrikePrice, d.Expiration, d.Underlying,
			d.UserDefined, d.LegCount, d.SecurityType, d.CFI, d.Asset, d.Exchange)
	case dbn.SchemaStatistics:
		err = s.Decode(rec, 3)
		said = line(s.InstrumentID, s.TsEvent, s.TsRecv, s.StatType, s.Price, s.Quantity, s.Sequence, int(s.UpdateAction), s.TsRef)
	case dbn.SchemaTrades:
		err = m.Trade.Decode(rec)
		said = line(m.InstrumentID, m.TsEvent, m.TsRecv, m.Action, m.Side, m.Price, m.Size, m.Sequence, int(m.Flags))
	default:
		err = m.Decode(rec)
		l := m.Level
		said = line(m.InstrumentID, m.TsEvent, m.TsRecv, m.Action, m.Side, m.Price, m.Size, m.Sequence, int(m.Flags),
			l.BidPx, l.AskPx, l.BidSz, l.AskSz, l.BidCt, l.AskCt)
	}
	if err != nil {
		t.Fatal(err)
	}
	return said
}

func TestVendorReadsTheOptions(t *testing.T) {
	if err := exec.Command("python3", "-c", "import databento_dbn").Run(); err != nil {
		t.Skip("python3 with databento_dbn is not here: ", err)
	}
	for _, f := range optionFiles {
		t.Run(f.schema.String(), func(t *testing.T) {
			s, err := newOptionSession(withOptions(2000), optionDay, f.schema)
			if err != nil {
				t.Fatal(err)
			}
			var plain bytes.Buffer
			w, err := dbn.NewWriter(&plain, s.chain.metadata(s.day, f.schema))
			if err != nil {
				t.Fatal(err)
			}
			want := []string{fmt.Sprint("3 GLBX.MDP3 ", f.schema, " 29 29")}
			err = s.run(func(rec []byte) error {
				want = append(want, vendorLine(t, f.schema, rec))
				return w.Write(rec)
			})
			if err := errors.Join(err, w.Close()); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "day.dbn")
			if err := os.WriteFile(path, plain.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			said, err := exec.Command("python3", "-c", readOptionsWithVendor, path).CombinedOutput()
			if err != nil {
				t.Fatalf("the vendor's package refuses the file: %v\n%s", err, said)
			}
			if diff := cmp.Diff(want, strings.Split(strings.TrimSpace(string(said)), "\n")); diff != "" {
				t.Errorf("what the vendor's package reads (-want +got):\n%.3000s", diff)
			}
		})
	}
}
