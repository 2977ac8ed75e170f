package option

import (
	"fmt"

	"dag/engine/stage"
)

// reason says why a record is dropped; it is counted under its name.
type reason int

const (
	kept reason = iota
	otherRecord
	otherDay
	unmapped
	multiLeg
	notOption
	otherUnderlying
	noDefinition
	unparseable
	noTsEvent
	notTrade
	noSize
	noPrice
	noQuote
	notOpenInterest
	deleted
	noQuantity
	notTraded
	reasons
)

// metrics are the names of the reasons in the manifest.
var metrics = [reasons]string{
	kept: "records_kept", otherRecord: "dropped_other_record_type", otherDay: "dropped_other_day", unmapped: "dropped_unmapped",
	multiLeg: "dropped_multi_leg", notOption: "dropped_not_option", otherUnderlying: "dropped_other_underlying",
	noDefinition: "dropped_no_definition", unparseable: "dropped_unparseable_symbol", noTsEvent: "dropped_no_ts_event",
	notTrade: "dropped_not_trade", noSize: "dropped_no_size", noPrice: "dropped_no_price", noQuote: "dropped_no_quote",
	notOpenInterest: "dropped_not_open_interest", deleted: "dropped_deleted", noQuantity: "dropped_no_quantity", notTraded: "dropped_not_traded",
}

// counts are the records of a port by what became of them.
type counts struct {
	n         [reasons]int64
	undefined string // the first option without a definition, for messages
}

func (c *counts) sum(list ...reason) int64 {
	var n int64
	for _, r := range list {
		n += c.n[r]
	}
	return n
}

func (c *counts) read() int64 {
	var n int64
	for _, k := range c.n {
		n += k
	}
	return n
}

// report counts into the manifest. All reasons that can be are there, 0 or not.
func (c *counts) report(t stage.Task, prefix string, own []reason) {
	t.Count(prefix+"records_read", c.read())
	for r := kept; r <= noTsEvent; r++ {
		t.Count(prefix+metrics[r], c.n[r])
	}
	for _, r := range own {
		t.Count(prefix+metrics[r], c.n[r])
	}
}

// check fails a port with too many records of no known symbol or option, or
// with records of which none is of an option of the root on the day.
//
// Records of several legs and those without ts_event do not count as foreign: a
// day may have no others.
func (c *counts) check(t stage.Task, what string, chain *Chain) error {
	defined := len(chain.definitions)
	p, dt := t.Params(), t.Key("dt")
	read := c.read()
	ofDay := read - c.sum(otherRecord, otherDay)
	if most := p.Float("max_unmapped_fraction"); float64(c.n[unmapped]) > most*float64(ofDay) {
		return fmt.Errorf("%s: %d of %d records of %s have no symbol in the files' mappings, more than max_unmapped_fraction = %v allows; fetch the files again with their mappings, or raise the parameter", dt, c.n[unmapped], ofDay, what, most)
	}
	if defined == 0 && ofDay > 0 && chain.needDefinitions {
		return fmt.Errorf("%s: the definition files define 0 instruments on that day, so nothing tells when the options of its %d records of %s expire, and only symbols tell strike and right; fetch the definitions of the day, or set without_definitions = true for rows without exp_date", dt, ofDay, what)
	}
	lost := c.sum(noDefinition, unparseable)
	if most := p.Float("max_undefined_fraction"); float64(lost) > most*float64(ofDay) {
		return fmt.Errorf("%s: %d of %d records of %s are of options whose root, expiry, strike or right nothing tells, more than max_undefined_fraction = %v allows; the first is %s, and the definition files define %d instruments on that day; fetch the definitions of the day again, or raise the parameter", dt, lost, ofDay, what, most, c.undefined, defined)
	}
	dropped := c.sum(otherRecord, otherDay, unmapped, notOption, otherUnderlying, noDefinition, unparseable)
	if read > 0 && dropped == read {
		return fmt.Errorf("%s: none of %d records of %s is of an option of %s: %d are of another type, %d were received on another UTC day, %d have no symbol, %d are of no option, %d of an option on something else, %d of options nothing defines",
			dt, read, what, t.Key("root"), c.n[otherRecord], c.n[otherDay], c.n[unmapped], c.n[notOption], c.n[otherUnderlying], lost)
	}
	return nil
}
