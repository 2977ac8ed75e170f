package option

import (
	"math"
	"strconv"
	"strings"

	"dag/stages/internal/dbn"
)

// symbolTerms are what a symbol tells of its option.
type symbolTerms struct {
	strike float64 // as the symbol has it
	unit   float64 // of the strike's last digit
	right  byte    // C or P
}

// parseSymbol reads strike and right off a symbol: its second token has to match
// ^[CP]\d+(\.\d+)?$ (spec 02 §B.2). The strike is in price units for roots like ES;
// a Chain finds the scale of others. The expiry cannot be read off.
func parseSymbol(symbol string) (terms symbolTerms, ok bool) {
	tokens := strings.Fields(symbol)
	if len(tokens) < 2 || len(tokens[1]) < 2 || tokens[1][0] != 'C' && tokens[1][0] != 'P' {
		return symbolTerms{}, false
	}
	number := tokens[1][1:]
	whole, fraction, point := strings.Cut(number, ".")
	if !digits(whole) || point && !digits(fraction) {
		return symbolTerms{}, false
	}
	strike, err := strconv.ParseFloat(number, 64)
	return symbolTerms{strike: strike, unit: math.Pow10(-len(fraction)), right: tokens[1][0]}, err == nil
}

func digits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

// symbolRules are what a day's definitions teach about the symbols of a root.
type symbolRules struct {
	// places is by how many decimal places strikes in symbols are moved to the
	// left of the decimal point, against price units; 0 if not known.
	places int
	// known is false if the definitions disagree about places.
	known bool
	// exact is false if there are strikes that symbols leave the last digits of
	// out: 108.75 as 1087. What symbols say is then no strike by itself.
	exact bool
	// series are the first tokens of symbols that are defined as options on a
	// future of the root: those of weekly options do not name it (EW1Q5).
	series map[string]bool
}

// price returns the strike of a symbol in price units, to the 1e-9 that
// definitions have.
func (r *symbolRules) price(strike float64) float64 {
	if r.places == 0 {
		return strike
	}
	return r.raw(strike) / 1e9
}

// raw returns a number of a symbol in the 1e-9 units of definitions.
func (r *symbolRules) raw(number float64) float64 {
	return math.Round(number * 1e9 / math.Pow10(r.places))
}

// match tells whether a defined strike is the one in a symbol: to its last digit,
// or with further digits that the symbol leaves out.
func (r *symbolRules) match(t symbolTerms, defined int64) (exact, cut bool) {
	rest := float64(defined) - r.raw(t.strike)
	return rest == 0, rest > 0 && rest < r.raw(t.unit)
}

// series is the first token of a symbol, which is not empty.
func series(symbol string) string { return strings.Fields(symbol)[0] }

// learn fills c.symbols once all definitions are in. Strikes of symbols are
// moved by decimal places if all definitions of the root that tell both agree on
// how many, and at least two different strikes do: a single one may as well be a
// mistake. Without any to compare symbols are in price units (spec 02 §B.2).
func (c *Chain) learn() {
	c.symbols = symbolRules{known: true, exact: true, series: map[string]bool{}}
	first, several, agree := definition{}, false, true
	places := 0
	for _, def := range c.definitions {
		terms, ok := c.ofOption(&def)
		if !ok {
			continue
		}
		if def.underlying != "" {
			c.symbols.series[series(def.symbol)] = true
		}
		if terms.strike == 0 || def.strike <= 0 || def.strike == dbn.UndefPrice {
			continue
		}
		moved := symbolRules{places: int(math.Round(math.Log10(terms.strike / (float64(def.strike) / 1e9))))}
		if first.symbol == "" {
			first, places = def, moved.places
		}
		exact, cut := moved.match(terms, def.strike)
		agree = agree && (exact || cut) && moved.places == places
		several = several || def.strike != first.strike
		c.symbols.exact = c.symbols.exact && exact
	}
	switch {
	case places == 0 && agree:
	case several && agree:
		c.symbols.places = places
	default:
		c.symbols.known, c.symbols.exact = false, false
	}
}

// ofOption returns what the symbol of a definition tells; ok is false if that is
// nothing, or the definition is of no option of the root.
func (c *Chain) ofOption(def *definition) (terms symbolTerms, ok bool) {
	if def.multiLeg || def.class != 'C' && def.class != 'P' || !c.ofRoot(def.underlying) {
		return symbolTerms{}, false
	}
	return parseSymbol(def.symbol)
}

// differing counts the options of the root that are defined with another strike
// than their symbol has.
func (c *Chain) differing() int64 {
	n := int64(0)
	for _, def := range c.definitions {
		if terms, ok := c.ofOption(&def); ok && def.strike != dbn.UndefPrice {
			if exact, _ := c.symbols.match(terms, def.strike); !exact {
				n++
			}
		}
	}
	return n
}
