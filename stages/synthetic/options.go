package synthetic

import (
	"fmt"
	"io"
	"math"
	"time"

	"dag/stages/internal/dbn"
)

// Prices of options and strikes are in cents of a point until they are written:
// whole numbers, so that a chain is the same on every machine.
const (
	cent          = 10_000_000 // 1e-9 units
	centsPerTick  = 25         // of the future
	optionTick    = 5          // cents; of premiums below largePremium
	largeTick     = 25
	largePremium  = 1000
	strikeStep    = 1000 // cents
	strikesBeside = 6    // on each side of the one at the money

	optionID = 1 << 24 // the instrument ids of options begin here
)

// optionFile is one of the files of a session's options.
type optionFile struct {
	table  string
	schema dbn.Schema
}

var optionFiles = [...]optionFile{
	{"definition_dbn", dbn.SchemaDefinition},
	{"trades_dbn", dbn.SchemaTrades},
	{"mbp_1_dbn", dbn.SchemaMBP1},
	{"statistics_dbn", dbn.SchemaStatistics},
}

// leg is one option of an instrument.
type leg struct {
	strike int  // cents
	right  byte // 'C' or 'P'
	ratio  int  // options of the leg in one of the instrument; below 0: sold
}

// option is an option or a user-defined spread of several, and its quotes.
type option struct {
	symbol  string
	id      uint32
	legs    []leg
	subtype string // of a spread, in the exchange's letters; empty: an option
	level   dbn.Level
}

func (o *option) spread() bool { return o.subtype != "" }

// chain is the options on the front future of a day.
type chain struct {
	asset        string // the root
	underlying   string
	underlyingID uint32
	expiration   time.Time
	atMoney      int // cents: what an option at the money is worth
	options      []*option
}

// newChain lists calls and puts at strikes around the money at the start of the
// day, and a vertical spread, a straddle and a risk reversal.
func newChain(cfg Config, day time.Time) *chain {
	front := frontContract(day)
	expiry := nthWeekday(front.year, front.month, time.Friday, 3)
	c := &chain{
		asset: cfg.Root, underlying: front.symbol(cfg.Root), underlyingID: front.id(),
		expiration: expiry.Add(time.Duration(newYorkMidnight(expiry)+openingStart) * time.Second),
	}
	days := int(expiry.Sub(day) / (24 * time.Hour))
	c.atMoney = root(days * 2000 * 2000) // 20 points times the root of the days
	number := day.Unix() / secondsPerDay
	middle := (baseTicks(cfg, number)*centsPerTick + strikeStep/2) / strikeStep
	first := optionID + front.id()%256<<16 // room for the strikes of any price
	for i := middle - strikesBeside; i <= middle+strikesBeside; i++ {
		for n, right := range []byte("CP") {
			c.options = append(c.options, &option{
				symbol: fmt.Sprintf("%s %c%d", c.underlying, right, i*strikeStep/100),
				id:     first + uint32(2*i+n),
				legs:   []leg{{i * strikeStep, right, 1}},
			})
		}
	}
	k := middle * strikeStep
	for i, s := range []struct {
		subtype string
		legs    []leg
	}{
		{"VT", []leg{{k, 'C', 1}, {k + strikeStep, 'C', -1}}},
		{"ST", []leg{{k, 'C', 1}, {k, 'P', 1}}},
		{"RR", []leg{{k + 3*strikeStep, 'C', 1}, {k - 3*strikeStep, 'P', -1}}},
	} {
		id := first + 0xFF00 + uint32(i)
		c.options = append(c.options, &option{symbol: fmt.Sprintf("UD:1V: %s %010d", s.subtype, id), id: id, legs: s.legs, subtype: s.subtype})
	}
	return c
}

// root is the whole part of a square root. Square roots are exact everywhere.
func root(n int) int { return int(math.Sqrt(float64(n))) }

// value is what an instrument is worth with the future at a price, all in cents.
// An option at the money is worth atMoney, one far in the money the difference, one
// far out nothing, and between them it follows a hyperbola; call and put differ
// by the difference of future and strike, as they must.
func (c *chain) value(o *option, future int) int {
	sum := 0
	for _, l := range o.legs {
		inside := future - l.strike
		if l.right == 'P' {
			inside = -inside
		}
		sum += l.ratio * (inside + root(inside*inside+4*c.atMoney*c.atMoney)) / 2
	}
	return sum
}

// tick is the smallest step of a premium.
func tick(cents int) int {
	if cents < largePremium {
		return optionTick
	}
	return largeTick
}

// metadata is the head of one of the files.
func (c *chain) metadata(day time.Time, schema dbn.Schema) dbn.Metadata {
	m := dayMetadata(day, schema)
	for _, o := range c.options {
		addSymbol(&m, day, o.symbol, o.id)
	}
	return m
}

// WriteOptionDay writes one of the zstd-compressed files of a session's options
// to w, and returns the number of its records. The schema is definition, trades,
// mbp-1 or statistics; trades are those among the mbp-1 records. The content
// depends on seed, root, number of option events, schema and day, and on nothing
// else; memory does not grow with the number of events.
func WriteOptionDay(w io.Writer, cfg Config, day string, schema dbn.Schema) (records int, err error) {
	s, err := newOptionSession(cfg, day, schema)
	if err != nil {
		return 0, err
	}
	return writeZstd(w, s.chain.metadata(s.day, schema), s.run)
}
