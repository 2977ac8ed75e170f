package option

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"dag/stages/internal/dbn"
)

// Option is what a row says of its option.
type Option struct {
	Symbol  string  // as the venue names it: ESU5 C6000
	ExpDate string  // YYYY-MM-DD in New York; "" where no definition tells it
	Strike  float64 // in price units
	Right   byte    // C or P
}

// definition is what a chain keeps of an instrument definition.
type definition struct {
	symbol     string
	underlying string
	class      byte
	multiLeg   bool
	strike     int64  // dbn.UndefPrice if there is none
	expDate    string // "" if there is none
	tsRecv     uint64
}

// Chain knows the options of a root on a day. Options are numbered from 0 in the
// order they are first asked for.
type Chain struct {
	root        string
	needExpiry  bool // options without exp_date are of no use
	zone        *time.Location
	definitions map[uint32]definition // by instrument id
	symbols     symbolRules
	numbers     map[Option]int32
	// options grows while goroutines sort runs by symbol: what they load has all
	// options of their run and never changes.
	options atomic.Pointer[[]Option]

	// needDefinitions fails records of a day that nothing is defined on, where
	// symbols alone would do otherwise.
	needDefinitions bool
}

// newChain returns a chain without definitions.
func newChain(root string, needExpiry bool) (*Chain, error) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		return nil, fmt.Errorf("time zone of New York: %w", err)
	}
	c := &Chain{root: root, needExpiry: needExpiry, zone: zone, definitions: map[uint32]definition{}, numbers: map[Option]int32{}}
	c.options.Store(&[]Option{})
	return c, nil
}

// define takes in a definition. Of several of an instrument the one received
// last holds, the later record of those received together.
func (c *Chain) define(d *dbn.Definition) {
	if old, ok := c.definitions[d.InstrumentID]; ok && old.tsRecv > d.TsRecv {
		return
	}
	def := definition{
		symbol: d.RawSymbol, underlying: d.Underlying, class: d.InstrumentClass, strike: d.StrikePrice, tsRecv: d.TsRecv,
		multiLeg: d.UserDefined == 'Y' || d.LegCount > 0 || strings.IndexByte("MTS", d.InstrumentClass) >= 0,
	}
	if d.Expiration != dbn.UndefTimestamp && d.Expiration != 0 {
		def.expDate = time.Unix(int64(d.Expiration/1e9), 0).In(c.zone).Format(time.DateOnly)
	}
	c.definitions[d.InstrumentID] = def
}

// option returns the option with a number.
func (c *Chain) option(number int32) *Option { return &(*c.options.Load())[number] }

// compareSymbols orders options by symbol. Any goroutine may ask for options that
// were numbered before it was started.
func (c *Chain) compareSymbols(a, b int32) int {
	options := *c.options.Load()
	return strings.Compare(options[a].Symbol, options[b].Symbol)
}

// resolve returns the number of the option that an instrument is, or why its
// records are dropped. Strike and right are those of the definition (spec 02 §B.2).
// What only the symbol tells is taken if the day's definitions leave no doubt of its
// scale, its last digit and its root.
func (c *Chain) resolve(symbol string, instrument uint32) (int32, reason, error) {
	o := Option{Symbol: symbol}
	terms, parsed := parseSymbol(symbol)
	def, defined := c.definitions[instrument]
	switch {
	case defined && def.symbol != symbol:
		return 0, 0, fmt.Errorf("instrument %d is %q in the mappings of the file and %q in its definition; fetch the file and the definitions of the same day", instrument, symbol, def.symbol)
	case defined && def.multiLeg, !defined && strings.HasPrefix(symbol, "UD:"):
		return 0, multiLeg, nil
	case defined && def.class != 'C' && def.class != 'P':
		return 0, notOption, nil
	case defined && !c.ofRoot(def.underlying):
		return 0, otherUnderlying, nil
	case !defined && !parsed:
		return 0, unparseable, nil
	case !defined:
		if !c.symbols.exact || !c.ofRoot(series(symbol)) && !c.symbols.series[series(symbol)] {
			return 0, noDefinition, nil
		}
		o.Strike, o.Right = c.symbols.price(terms.strike), terms.right
	case def.strike == dbn.UndefPrice && !(parsed && c.symbols.exact):
		return 0, noDefinition, nil
	default:
		o.Strike, o.Right, o.ExpDate = float64(def.strike)/1e9, def.class, def.expDate
		if def.strike == dbn.UndefPrice {
			o.Strike = c.symbols.price(terms.strike)
		}
		if parsed && c.contradicts(terms, &def) {
			return 0, 0, fmt.Errorf("the definition of instrument %d says strike %v and right %c, its symbol %q says strike %v and right %c; one of them is wrong: fetch the definitions again", instrument, o.Strike, o.Right, symbol, c.symbols.price(terms.strike), terms.right)
		}
	}
	if c.needExpiry && o.ExpDate == "" {
		return 0, noDefinition, nil
	}
	return c.number(o), kept, nil
}

// contradicts tells whether a symbol and its definition cannot both be true. Strikes
// of a root whose symbols follow no rule are not compared.
func (c *Chain) contradicts(terms symbolTerms, def *definition) bool {
	if terms.right != def.class {
		return true
	}
	if def.strike == dbn.UndefPrice || !c.symbols.known {
		return false
	}
	exact, cut := c.symbols.match(terms, def.strike)
	return !exact && !cut
}

func (c *Chain) number(o Option) int32 {
	n, ok := c.numbers[o]
	if !ok {
		options := *c.options.Load()
		n = int32(len(options))
		options = append(options, o)
		c.options.Store(&options)
		c.numbers[o] = n
	}
	return n
}

// ofRoot tells whether an underlying is the root or one of its outright futures;
// a definition may leave it empty.
func (c *Chain) ofRoot(underlying string) bool {
	rest, ok := strings.CutPrefix(underlying, c.root)
	return underlying == "" || ok && (rest == "" || strings.IndexByte("FGHJKMNQUVXZ", rest[0]) >= 0 && digits(rest[1:]) && len(rest) <= 3)
}
