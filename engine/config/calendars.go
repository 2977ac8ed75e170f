package config

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // names of time zones are checked alike on every machine

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"dag/engine/calendar"
	"dag/engine/diag"
)

var weekdays = map[string]time.Weekday{
	"mon": time.Monday, "tue": time.Tuesday, "wed": time.Wednesday, "thu": time.Thursday,
	"fri": time.Friday, "sat": time.Saturday, "sun": time.Sunday,
}

func (l *loader) readLake() {
	l.config.LakeRoot = l.opts.LakeRoot
	if len(l.blocks["lake"]) == 0 && l.opts.LakeRoot == "" {
		l.add(newError(codeMissingBlock, diag.Range{File: pipelinesFolder}, "there is no lake block", "", `say where the data is: lake { root = "lake" }`))
	}
	for _, hclBlock := range l.blocks["lake"] {
		b := l.open(hclBlock, &lakeSpec, l.scope())
		b.requireAll()
		root, ok := b.text("root")
		if ok && strings.TrimSpace(root) == "" {
			l.error(codeValue, b.at("root"), "the root of the lake is empty", valuesIn(b.expr("root"), b.scope), "name a directory")
		}
		if l.opts.LakeRoot == "" {
			l.config.LakeRoot = root
		}
	}
}

func (l *loader) readCalendars() {
	for _, hclBlock := range l.blocks["calendar"] {
		name := hclBlock.Labels[0]
		l.calendars[name] = nil // declared, whether or not it is sound
		var c *calendar.Calendar
		if l.ok(func() { c = l.readCalendar(hclBlock) }) {
			l.calendars[name] = c
			l.config.Calendars = append(l.config.Calendars, c)
		}
	}
}

func (l *loader) readCalendar(hclBlock *hclsyntax.Block) *calendar.Calendar {
	b := l.open(hclBlock, &calendarSpec, l.scope())
	b.requireAll()
	c := &calendar.Calendar{Name: hclBlock.Labels[0], Holidays: map[calendar.Day]bool{}}
	c.Timezone, _ = b.text("timezone")
	if _, err := time.LoadLocation(c.Timezone); err != nil || c.Timezone == "" || c.Timezone == "Local" {
		if b.expr("timezone") != nil && c.Timezone != "" {
			l.error(codeValue, b.at("timezone"), fmt.Sprintf("there is no time zone %q", c.Timezone), valuesIn(b.expr("timezone"), b.scope), `use a name of the IANA database, as in "America/New_York"`)
		}
	}
	b.readWeekdays(c)
	holidays, _ := b.texts("holidays")
	for _, h := range holidays {
		if d, ok := b.day("holidays", h); ok {
			c.Holidays[d] = true
		}
	}
	if first, ok := b.text("first"); ok {
		c.First, _ = b.day("first", first)
	}
	if last, ok := b.text("last"); ok {
		c.Last, _ = b.day("last", last)
	}
	if c.First != 0 && c.Last != 0 && c.Last < c.First {
		l.error(codeValue, b.at("last"), fmt.Sprintf("calendar %s ends before it begins", c.Name), fmt.Sprintf("first is %s, last is %s", c.First, c.Last), "")
	}
	return c
}

func (b block) readWeekdays(c *calendar.Calendar) {
	names, ok := b.texts("weekdays")
	if ok && len(names) == 0 {
		b.error(codeValue, b.at("weekdays"), fmt.Sprintf("calendar %s has no weekdays, and so no sessions", c.Name), "", "")
	}
	for _, name := range names {
		day, ok := weekdays[name]
		if !ok {
			b.error(codeValue, b.at("weekdays"), fmt.Sprintf("there is no weekday %q", name), "", didYouMean(name, mapKeys(weekdays)))
			continue
		}
		c.Weekdays[day] = true
	}
}

// day reads a date that is not the epoch, since a zero Day means none.
func (b block) day(argument, text string) (calendar.Day, bool) {
	d, err := calendar.ParseDay(text)
	if err == nil && d == 0 {
		err = fmt.Errorf("%s cannot be used", text)
	}
	if err != nil {
		b.error(codeValue, b.at(argument), fmt.Sprintf("%s of %s has a value that is not a date", argument, b.title), err.Error(), "")
		return 0, false
	}
	return d, true
}
