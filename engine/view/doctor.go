package view

import (
	"io"
	"strings"

	"dag/engine/addr"
	"dag/engine/diag"
)

// Verdicts of a check.
const (
	CheckOK   = "ok"
	CheckWarn = "warn"
	CheckBad  = "bad"
)

// DoctorDoc is a row of checks, see schemas/doctor.schema.json.
type DoctorDoc struct {
	Command       string     `json:"command"`
	FormatVersion int        `json:"format_version"`
	Bad           int        `json:"bad"`
	Warnings      int        `json:"warnings"`
	Checks        []CheckDoc `json:"checks"`
}

// CheckDoc is one check.
type CheckDoc struct {
	Check   string `json:"check"`
	Status  string `json:"status"`
	Detail  string `json:"detail,omitempty"` // values it is about
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"` // the way out
}

// NewDoctor returns a document without checks.
func NewDoctor() *DoctorDoc {
	return &DoctorDoc{Command: "doctor", FormatVersion: formatVersion, Checks: []CheckDoc{}}
}

// checkWords say what each check and verdict means, and the way out; {detail}
// stands for the values, dag for the program.
var checkWords = map[string]struct{ message, hint string }{
	"version ok":     {"{detail}", ""},
	"project ok":     {"{detail}", ""},
	"project bad":    {"{detail}", "name the project with -C DIR, or make one: dag demo DIR"},
	"config ok":      {"pipelines and contracts are valid: {detail}", ""},
	"config warn":    {"pipelines and contracts are valid, with {detail}", "dag validate shows them"},
	"config bad":     {"pipelines or contracts are not valid: {detail}", "dag validate shows them with their places"},
	"lake ok":        {"{detail}", ""},
	"lake warn":      {"there is no lake at {detail} yet", "the first dag apply makes it"},
	"lake bad":       {"the lake cannot be looked at: {detail}", "look at its path, permissions and disk, or choose another with --lake"},
	"write ok":       {"the lake can be written", ""},
	"write bad":      {"the lake cannot be written, only looked at: {detail}", "free some space if its disk is full; else change its owner or mode, or mount it for writing"},
	"exchange ok":    {"a partition is replaced in one step", ""},
	"exchange warn":  {"the file system cannot exchange names: a reader may miss a partition for a moment while it is replaced", "harmless unless others read while dag apply runs; ext4, xfs, btrfs, tmpfs and APFS can"},
	"links ok":       {"files can have two names: dag adopt copies nothing", ""},
	"links warn":     {"the file system has no hard links: dag adopt and dag touch copy the data", "nothing to do, but it takes time and space"},
	"space ok":       {"{detail}", ""},
	"space warn":     {"{detail}: little is left", "free some space before the next dag apply"},
	"space bad":      {"{detail}: nearly nothing is left", "free some space; what is published is whole"},
	"clock ok":       {"the file system's clock goes with this machine's", ""},
	"clock warn":     {"the file system's clock differs from this machine's by {detail}", "set both by NTP: leases of other machines are judged by their age"},
	"leftovers ok":   {"nothing was left behind", ""},
	"leftovers warn": {"{detail}", "dag gc shows them, dag gc --yes removes them"},
	"leases ok":      {"{detail}", ""},
	"leases warn":    {"{detail}", "they are taken over by whoever needs them; dag lock ls shows them"},
	"lease warn":     {"nobody can tell whose lease this is, as it cannot be read: {detail}", "dag gc --yes removes it once it is 10 minutes old; until then, only if nothing writes, delete it by hand"},
	"index ok":       {"{detail}", ""},
	"index warn":     {"the index of {detail} is damaged or of another version, and is ignored", "dag index rebuild"},
	"raw ok":         {"{detail}", ""},
	"raw warn":       {"there is no raw file in the lake", "nothing new can be made; if there were some, is their disk mounted?"},
	"raw bad":        {"{detail}", "look at the permissions and the disk, or have the files delivered again"},
	"unused warn":    {"{detail}", "rename them as their source's files and path want it, or mend those, its keys or its calendar; names that begin with a dot are passed over"},
	"spans warn":     {"{detail}", "a file feeds the days in its name alone: put what it holds of others into files of theirs, or name them"},
	"leftovers bad":  {"the leftovers of earlier runs cannot be listed: {detail}", "look at the permissions of that folder"},
	"leases bad":     {"the leases cannot be listed: {detail}", "look at the permissions of .dag"},
}

// Add notes the verdict of a check; its message and hint are made here.
func (d *DoctorDoc) Add(check, status, detail string, c Commands) {
	words, ok := checkWords[check+" "+status]
	if !ok {
		words.message = "{detail}"
	}
	name := func(text string) string { return strings.ReplaceAll(text, "dag ", c.Name+" ") }
	d.Checks = append(d.Checks, CheckDoc{
		Check: check, Status: status, Detail: detail,
		Message: strings.ReplaceAll(words.message, "{detail}", detail), Hint: name(words.hint),
	})
	switch status {
	case CheckBad:
		d.Bad++
	case CheckWarn:
		d.Warnings++
	}
}

// Text writes a line a check, and the way out of what is not well.
func (d *DoctorDoc) Text(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}
	colors := map[string]color{CheckOK: green, CheckWarn: yellow, CheckBad: red}
	for _, x := range d.Checks {
		mark := s.paint(colors[x.Status], x.Status) + strings.Repeat(" ", 5-len(x.Status))
		p.printf("%s%-10s %s\n", mark, x.Check, strings.ReplaceAll(x.Message, "\n", "\n"+strings.Repeat(" ", 18)))
		if x.Hint != "" {
			p.printf("     %-10s way out: %s\n", "", x.Hint)
		}
	}
	switch {
	case d.Bad > 0:
		p.printf("Doctor: %s.\n", s.paint(red, Count(d.Bad)+" bad, "+plural(d.Warnings, "warning")))
	case d.Warnings > 0:
		p.printf("Doctor: %s.\n", s.paint(yellow, plural(d.Warnings, "warning")))
	default:
		p.printf("Doctor: %s.\n", s.paint(green, "all is well"))
	}
	return p.err
}

// Machine describes the program and the machine it runs on.
func Machine(version, compiler, platform string, cores int, memory int64) string {
	return "dag " + version + " (" + compiler + ", " + platform + "), " + plural(cores, "core") + ", " + Bytes(memory) + " of memory"
}

// Mistakes counts diagnostics.
func Mistakes(list diag.List) string {
	bad, first := 0, ""
	for _, d := range list {
		if d.Severity != diag.Error {
			continue
		}
		if bad++; bad == 1 {
			first = d.Summary
		}
	}
	if bad == 0 {
		return plural(len(list), "warning")
	}
	return plural(bad, "error") + ", the first: " + first
}

// Extent says how large a configuration is.
func Extent(sources, datasets, stages int) string {
	return plural(sources, "source") + ", " + plural(datasets, "dataset") + ", " + plural(stages, "stage")
}

// Space says how much of a file system is free.
func Space(free, total int64) string { return Bytes(free) + " of " + Bytes(total) + " are free" }

// Leftovers counts what gc may remove.
func Leftovers(n int, bytes int64) string {
	return plural(n, "leftover") + " of earlier runs, " + Bytes(bytes)
}

// LeaseCount counts leases by whether their owners live.
func LeaseCount(alive, dead int) string {
	switch {
	case alive+dead == 0:
		return "nobody is writing"
	case dead == 0:
		return plural(alive, "lease") + " of living processes"
	}
	return plural(dead, "lease") + " of processes that have ended, " + Count(alive) + " of living ones"
}

// IndexCount counts index files that can be read.
func IndexCount(n int) string { return plural(n, "dataset") + " in the index" }

// RawCount counts raw files that can be opened.
func RawCount(n int) string { return plural(n, "raw file") + " can be opened" }

// UnusedCount counts the names below sources that feed no partition.
func UnusedCount(n int) string {
	if n == 1 {
		return "1 raw file feeds no partition"
	}
	return Count(n) + " raw files feed no partition"
}

// Lost says that partitions are gone for good.
func Lost(parts []addr.Partition) string {
	if len(parts) == 1 {
		return parts[0].String() + " is gone, and so are the raw files it was made from"
	}
	return plural(len(parts), "partition") + " are gone, and so are the raw files they were made from: " + parts[0].String() + ", …"
}

// SpanCount counts the files that may hold more than they feed.
func SpanCount(n int) string {
	return plural(n, "raw file") + " with sessions between the days in the name, which no file feeds"
}

// MoreUnreadable counts the raw files that are not named.
func MoreUnreadable(n int) string { return plural(n, "more raw file") + " cannot be read" }
