package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"dag/engine/exec"
	"dag/engine/view"
)

// guardFlags hold a run back.
type guardFlags struct {
	limit  int
	order  string
	until  string
	failOn []string
}

func (f *guardFlags) registerFailOn(fs *pflag.FlagSet) {
	fs.StringArrayVar(&f.failOn, "fail-on", nil, "stop with exit code 5 if the plan is so: `run>1000`; run, may, fresh or blocked, with > >= < <= or =; repeatable")
}

func (f *guardFlags) register(fs *pflag.FlagSet) {
	f.registerFailOn(fs)
	fs.IntVar(&f.limit, "limit", 0, "start at most `N` units, and leave the rest to the next run; 0: all")
	fs.StringVar(&f.order, "order", "", "start the `newest` or the oldest dates first (default: what most waits for)")
	fs.StringVar(&f.until, "until", "", "start nothing after a `time`: HH:MM, YYYY-MM-DD HH:MM, or a length of time such as 2h")
}

// options puts the flags into those of a run.
func (f *guardFlags) options(o *exec.Options, now time.Time) error {
	if f.limit < 0 {
		return mistake("usage", fmt.Sprintf("--limit is %d", f.limit), "0 starts all")
	}
	if f.order != "" {
		if err := oneOf("--order", f.order, string(exec.Newest), string(exec.Oldest)); err != nil {
			return err
		}
	}
	o.Limit, o.Order = f.limit, exec.Order(f.order)
	if f.until == "" {
		return nil
	}
	until, ok := parseUntil(f.until, now)
	if !ok {
		return mistake("usage", fmt.Sprintf("--until %q is no time", f.until), "write it as in 06:30, \"2025-08-15 06:30\" or 2h")
	}
	if !until.After(now) {
		return mistake("usage", fmt.Sprintf("--until %q has passed", f.until), "nothing would be started")
	}
	o.Until = until
	return nil
}

// parseUntil reads a time of day, which is the next one, a date with it, or a
// length of time from now.
func parseUntil(text string, now time.Time) (time.Time, bool) {
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(d), true
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return t, true
		}
	}
	t, err := time.ParseInLocation("15:04", text, now.Location())
	if err != nil {
		return t, false
	}
	t = time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), 0, 0, now.Location())
	if !t.After(now) {
		t = t.AddDate(0, 0, 1)
	}
	return t, true
}

var failOnTerm = regexp.MustCompile(`^\s*([a-z]+)\s*(>=|<=|=|>|<)\s*([0-9][0-9_]*)\s*$`)

// rail is one --fail-on: what is counted, and how many are too many.
type rail struct {
	text, counted, relation string
	bound                   int
}

// countable is what --fail-on can count in a plan.
func countable(c view.Counts) map[string]int {
	return map[string]int{"run": c.Run, "may": c.May, "fresh": c.Fresh, "blocked": c.Blocked}
}

// rails reads --fail-on.
func (f *guardFlags) rails() ([]rail, error) {
	var out []rail
	for _, text := range f.failOn {
		m := failOnTerm.FindStringSubmatch(text)
		if m == nil {
			return nil, mistake("usage", fmt.Sprintf("--fail-on %q cannot be read", text), "write it as in --fail-on 'run>1000'")
		}
		if _, ok := countable(view.Counts{})[m[1]]; !ok {
			return nil, mistake("usage", fmt.Sprintf("--fail-on %q counts %q", text, m[1]), "run, may, fresh and blocked can be counted")
		}
		bound, err := strconv.Atoi(strings.ReplaceAll(m[3], "_", ""))
		if err != nil {
			return nil, mistake("usage", fmt.Sprintf("--fail-on %q: %s is too much", text, m[3]), "")
		}
		out = append(out, rail{strings.TrimSpace(text), m[1], m[2], bound})
	}
	return out, nil
}

// holdBack stops a run whose plan is what one of the rails says it must not be.
func holdBack(rails []rail, c view.Counts) error {
	for _, r := range rails {
		n := countable(c)[r.counted]
		is := map[string]bool{">": n > r.bound, ">=": n >= r.bound, "<": n < r.bound, "<=": n <= r.bound, "=": n == r.bound}[r.relation]
		if is {
			return &exitError{exitDrift, mistake("guard_rail", fmt.Sprintf("the plan has %s units of %q, and --fail-on says %q", view.Count(n), r.counted, r.text), "nothing has run")}
		}
	}
	return nil
}
