package option

import (
	"math"
	"strings"

	"dag/stages/internal/dbn"
)

// symbolRules are what a day's definitions teach about the symbols of a root.
type symbolRules struct {
	// places is by how many decimal places strikes in symbols are moved to the
	// left of the decimal point, against price units; 0 if not known.
	places int
	// known is false if the definitions disagree about places.
	known bool
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
	return math.Round(strike*1e9/math.Pow10(r.places)) / 1e9
}

// series is the first token of a symbol, which is not empty.
func series(symbol string) string { return strings.Fields(symbol)[0] }

// learn fills c.symbols once all definitions are in. Strikes of symbols are
// moved by decimal places if all definitions of the root that tell both agree on
// how many, and at least two different strikes do: a single one may as well be a
// mistake. Without any to compare symbols are in price units (spec 02 §B.2).
func (c *Chain) learn() {
	c.symbols = symbolRules{known: true, series: map[string]bool{}}
	first, several, agree := definition{}, false, true
	places := 0
	for _, def := range c.definitions {
		if def.multiLeg || def.class != 'C' && def.class != 'P' || !c.ofRoot(def.underlying) {
			continue
		}
		strike, _, parsed := ParseSymbol(def.symbol)
		if !parsed {
			continue
		}
		if def.underlying != "" {
			c.symbols.series[series(def.symbol)] = true
		}
		if strike == 0 || def.strike <= 0 || def.strike == dbn.UndefPrice {
			continue
		}
		moved, ok := decimalPlaces(strike, float64(def.strike)/1e9)
		if first.symbol == "" {
			first, places = def, moved
		}
		agree = agree && ok && moved == places
		several = several || def.strike != first.strike
	}
	switch {
	case places == 0 && agree:
	case several && agree:
		c.symbols.places = places
	default:
		c.symbols.known = false
	}
}

// decimalPlaces tells by which power of ten a symbol's strike is larger than the
// defined one; ok is false if it is no power.
func decimalPlaces(symbol, defined float64) (places int, ok bool) {
	places = int(math.Round(math.Log10(symbol / defined)))
	moved := symbolRules{places: places}
	return places, moved.price(symbol) == defined
}
