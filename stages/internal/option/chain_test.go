package option

import (
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dag/stages/internal/dbn"
)

var secondToken = regexp.MustCompile(`^[CP]\d+(\.\d+)?$`)

// TestParseSymbol compares with the pattern of spec 02 §B.2.
func TestParseSymbol(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		token := rapid.OneOf(rapid.StringMatching(`[CPX]?[0-9]{0,4}\.?[0-9]{0,2}`), rapid.StringMatching(`[ -~]{0,8}`)).Draw(rt, "token")
		symbol := "ESU5 " + token
		fields := strings.Fields(symbol)
		want := len(fields) > 1 && secondToken.MatchString(fields[1])
		got, ok := parseSymbol(symbol)
		if ok != want {
			rt.Fatalf("%q: parsed is %v, want %v", symbol, ok, want)
		}
		if !ok {
			return
		}
		_, fraction, _ := strings.Cut(fields[1], ".")
		if exact, err := strconv.ParseFloat(fields[1][1:], 64); err != nil || got != (symbolTerms{exact, math.Pow10(-len(fraction)), fields[1][0]}) {
			rt.Fatalf("%q: %+v", symbol, got)
		}
	})
}

func TestParseSymbolRefuses(t *testing.T) {
	for _, symbol := range []string{"", "ESU5", "ESU5 ", "C6000", "ESU5 6000", "ESU5 X6000", "ESU5 C", "ESU5 C6000.", "ESU5 C.5", "ESU5 C1e3", "ESU5 C-1", "AAPL  250221C00250000", "ESU5 C" + strings.Repeat("9", 400)} {
		if got, ok := parseSymbol(symbol); ok {
			t.Errorf("%q is read as %+v", symbol, got)
		}
	}
}

func testChain(t *testing.T, needExpiry bool, edit func(d *dbn.Definition)) *Chain {
	t.Helper()
	c, err := newChain("ES", needExpiry)
	if err != nil {
		t.Fatal(err)
	}
	d := dbn.Definition{
		Header: dbn.Header{InstrumentID: 1}, RawSymbol: "ESU5 C6000", Underlying: "ESU5", InstrumentClass: 'C', StrikePrice: 6000e9,
		Expiration: uint64(time.Date(2025, 9, 19, 13, 30, 0, 0, time.UTC).UnixNano()), TsRecv: 5,
	}
	if edit != nil {
		edit(&d)
	}
	c.define(&d)
	c.learn()
	return c
}

func TestResolve(t *testing.T) {
	full := Option{"ESU5 C6000", "2025-09-19", 6000, 'C'}
	for _, c := range []struct {
		name   string
		edit   func(d *dbn.Definition)
		expiry bool
		want   Option
		reason reason
	}{
		{"as it should be", nil, true, full, kept},
		{"expires in the evening of New York", func(d *dbn.Definition) {
			d.Expiration = uint64(time.Date(2025, 9, 20, 3, 59, 0, 0, time.UTC).UnixNano())
		}, true, full, kept},
		{"no strike", func(d *dbn.Definition) { d.StrikePrice = dbn.UndefPrice }, true, full, kept},
		{"no underlying", func(d *dbn.Definition) { d.Underlying = "" }, true, full, kept},
		{"the root itself", func(d *dbn.Definition) { d.Underlying = "ES" }, true, full, kept},
		{"no expiry where it is needed", func(d *dbn.Definition) { d.Expiration = dbn.UndefTimestamp }, true, Option{}, noDefinition},
		{"expiry 0 where it is needed", func(d *dbn.Definition) { d.Expiration = 0 }, true, Option{}, noDefinition},
		{"no expiry where it is not", func(d *dbn.Definition) { d.Expiration = dbn.UndefTimestamp }, false, Option{"ESU5 C6000", "", 6000, 'C'}, kept},
		{"another instrument, where expiry is needed", func(d *dbn.Definition) { d.InstrumentID = 2 }, true, Option{}, noDefinition},
		{"another instrument, where it is not", func(d *dbn.Definition) { d.InstrumentID = 2 }, false, Option{"ESU5 C6000", "", 6000, 'C'}, kept},
		{"mixed spread", func(d *dbn.Definition) { d.InstrumentClass = 'M' }, true, Option{}, multiLeg},
		{"user-defined", func(d *dbn.Definition) { d.UserDefined = 'Y' }, true, Option{}, multiLeg},
		{"legs", func(d *dbn.Definition) { d.LegCount = 2 }, true, Option{}, multiLeg},
		{"stock", func(d *dbn.Definition) { d.InstrumentClass = 'K' }, true, Option{}, notOption},
		{"another root", func(d *dbn.Definition) { d.Underlying = "ESXU5" }, true, Option{}, otherUnderlying},
	} {
		chain := testChain(t, c.expiry, c.edit)
		n, r, err := chain.resolve("ESU5 C6000", 1)
		if err != nil || r != c.reason {
			t.Errorf("%s: reason %d, want %d (%v)", c.name, r, c.reason, err)
			continue
		}
		if r == kept && *chain.option(n) != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, *chain.option(n), c.want)
		}
	}
}

// TestContradictions names both sides.
func TestContradictions(t *testing.T) {
	for _, c := range []struct {
		edit func(d *dbn.Definition)
		want []string
	}{
		{func(d *dbn.Definition) { d.StrikePrice = 0 }, []string{"instrument 1", "strike 0 and right C", `"ESU5 C6000"`, "strike 6000 and right C"}},
		{func(d *dbn.Definition) { d.InstrumentClass = 'P' }, []string{"strike 6000 and right P", `"ESU5 C6000"`, "strike 6000 and right C"}},
		{func(d *dbn.Definition) { d.InstrumentClass, d.StrikePrice = 'P', 5900e9 }, []string{"strike 5900 and right P", `"ESU5 C6000"`, "right C"}},
		{func(d *dbn.Definition) { d.RawSymbol = "ESU5 C6100" }, []string{"instrument 1", `"ESU5 C6000"`, `"ESU5 C6100"`}},
	} {
		_, _, err := testChain(t, true, c.edit).resolve("ESU5 C6000", 1)
		if err == nil {
			t.Errorf("no error; want one with %q", c.want)
			continue
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("error %q does not say %s", err, part)
			}
		}
	}
}

// TestLearn gives chains of the strikes that symbols and definitions have. Defined
// options have the strikes of their definitions, whatever symbols say.
func TestLearn(t *testing.T) {
	exact := symbolRules{known: true, exact: true}
	for _, c := range []struct {
		name      string
		strikes   map[string]float64
		want      symbolRules
		differing int64
	}{
		{"none", nil, exact, 0},
		{"price units", map[string]float64{"ESU5 C6000": 6000, "ESU5 P6000.5": 6000.5}, exact, 0},
		{"one", map[string]float64{"ESU5 C6000": 6000}, exact, 0},
		{"hundredths", map[string]float64{"ESU5 C6405": 64.05, "ESU5 C6410": 64.1, "ESU5 C0": 0}, symbolRules{places: 2, known: true, exact: true}, 0},
		{"tens", map[string]float64{"ESU5 C640.5": 6405, "ESU5 C641": 6410}, symbolRules{places: -1, known: true, exact: true}, 0},
		{"tenths, cut", map[string]float64{"ESU5 C1085": 108.5, "ESU5 P1087": 108.75, "ESU5 C1090": 109}, symbolRules{places: 1, known: true}, 1},
		{"tenths, all cut", map[string]float64{"ESU5 P1087": 108.75, "ESU5 C1092": 109.25}, symbolRules{places: 1, known: true}, 2},
		{"whole numbers, cut", map[string]float64{"ESU5 C6000": 6000, "ESU5 P6000": 6000.5}, symbolRules{known: true}, 1},
		{"one digit, cut by nearly half", map[string]float64{"ESU5 C1": 0.19, "ESU5 C2": 0.2}, symbolRules{places: 1, known: true}, 1},
		{"a digit too many", map[string]float64{"ESU5 C1088": 108.75, "ESU5 C1090": 109}, symbolRules{}, 2},
		{"further off than the last digit", map[string]float64{"ESU5 C1086": 108.75, "ESU5 C1090": 109}, symbolRules{}, 2},
		{"hundredths of one strike", map[string]float64{"ESU5 C6405": 64.05, "ESU5 P6405": 64.05}, symbolRules{}, 2},
		{"one differs", map[string]float64{"ESU5 C6405": 64.05, "ESU5 C6410": 64.1, "ESU5 C6500": 6500}, symbolRules{}, 2},
		{"no power of ten", map[string]float64{"ESU5 C6400": 3200, "ESU5 C6000": 3000}, symbolRules{}, 2},
		{"nearly a power of ten", map[string]float64{"ESU5 C6405": 64.05, "ESU5 C6410": 64.0999999}, symbolRules{}, 2},
	} {
		chain, err := newChain("ES", false)
		if err != nil {
			t.Fatal(err)
		}
		chain.define(&dbn.Definition{Header: dbn.Header{InstrumentID: 99}, RawSymbol: "NQU5 C20000", Underlying: "NQU5", InstrumentClass: 'C', StrikePrice: 2e9})
		for symbol, strike := range c.strikes {
			chain.define(&dbn.Definition{Header: dbn.Header{InstrumentID: uint32(len(chain.definitions))}, RawSymbol: symbol, Underlying: "ESU5",
				InstrumentClass: symbol[5], StrikePrice: int64(math.Round(strike * 1e9))})
		}
		chain.learn()
		got := chain.symbols
		got.series = nil
		if !reflect.DeepEqual(got, c.want) || chain.differing() != c.differing {
			t.Errorf("%s: %+v and %d that differ, want %+v and %d", c.name, got, chain.differing(), c.want, c.differing)
		}
		for number, def := range chain.definitions {
			if n, r, err := chain.resolve(def.symbol, number); def.underlying == "ESU5" && (err != nil || r != kept || chain.option(n).Strike != float64(def.strike)/1e9) {
				t.Errorf("%s: %s is resolved with reason %d, error %v", c.name, def.symbol, r, err)
			}
		}
		wantReason := noDefinition
		if c.want.exact {
			wantReason = kept
		}
		if _, r, err := chain.resolve("ESU5 C1234", 100); err != nil || r != wantReason {
			t.Errorf("%s: an option that is not defined is resolved with reason %d, error %v", c.name, r, err)
		}
	}
}

// TestTheLastDefinitionHolds whatever their order in the file.
func TestTheLastDefinitionHolds(t *testing.T) {
	for _, recv := range []uint64{4, 5, 6} {
		chain := testChain(t, true, nil) // received at 5, expires on the 19th
		d := dbn.Definition{Header: dbn.Header{InstrumentID: 1}, RawSymbol: "ESU5 C6000", InstrumentClass: 'C', StrikePrice: 6000e9, TsRecv: recv,
			Expiration: uint64(time.Date(2025, 9, 18, 13, 30, 0, 0, time.UTC).UnixNano())}
		chain.define(&d)
		n, _, err := chain.resolve("ESU5 C6000", 1)
		if err != nil {
			t.Fatal(err)
		}
		want := "2025-09-18"
		if recv < 5 {
			want = "2025-09-19"
		}
		if got := chain.option(n).ExpDate; got != want {
			t.Errorf("received at %d: expires on %s, want %s", recv, got, want)
		}
	}
}
