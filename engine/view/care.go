package view

import (
	"io"
	"strings"
)

// Outcomes of invalidate, adopt and touch for one partition.
const (
	CareDone    = "done"
	CareWould   = "would" // with --dry-run
	CareSkipped = "skipped"
	CareRefused = "refused"
)

// CareDoc is what invalidate, adopt or touch did, see the schemas of their names.
type CareDoc struct {
	Command       string         `json:"command"`
	FormatVersion int            `json:"format_version"`
	DryRun        bool           `json:"dry_run"`
	Counts        map[string]int `json:"counts"` // by result
	Partitions    []CareItem     `json:"partitions"`
}

// CareItem is what became of one partition.
type CareItem struct {
	Partition string `json:"partition"`
	Result    string `json:"result"`
	Code      string `json:"code,omitempty"`   // why it was skipped or refused, or what to know of it
	Detail    string `json:"detail,omitempty"` // what the code is about
	Message   string `json:"message,omitempty"`
}

// NewCare returns a document without partitions.
func NewCare(command string, dry bool) *CareDoc {
	return &CareDoc{
		Command: command, FormatVersion: formatVersion, DryRun: dry, Partitions: []CareItem{},
		Counts: map[string]int{CareDone: 0, CareWould: 0, CareSkipped: 0, CareRefused: 0},
	}
}

// careMessages say what each code means; {detail} stands for what it is about.
var careMessages = map[string]string{
	"stale":          "it is to be made anyway",
	"own":            "it has a manifest of dag",
	"fresh":          "it is up to date",
	"not_ours":       "another tool wrote it, and it counts as up to date",
	"incomplete":     "it has no _SUCCESS, so it may be half; if it is whole, put an empty _SUCCESS there and adopt again",
	"broken":         "its manifest and its files do not fit together; `dag apply` makes it anew, and an empty _SUCCESS gives it up for adopting",
	"unmade":         "no stage of the configuration makes it",
	"lost":           "{detail} is not in the lake: it could not be made again",
	"pending_input":  "its input {detail} is to be made anew: select that too, or `dag apply` it first",
	"pending_made":   "its input {detail} is to be made first: dag apply '+{detail}'",
	"unit_runs":      "its unit is to run: {detail}",
	"unfit":          "{detail}",
	"changed":        "another process changed it meanwhile: run again",
	"leased":         "{detail}",
	"without_inputs": "without {detail}, of which the lake holds nothing; should it appear, this is made again",
	"touched":        "{detail}",
}

// Add notes what became of a partition; its message is made here.
func (d *CareDoc) Add(x CareItem) {
	if text, ok := careMessages[x.Code]; ok {
		x.Message = strings.ReplaceAll(text, "{detail}", x.Detail)
	}
	d.Counts[x.Result]++
	d.Partitions = append(d.Partitions, x)
}

// Refused tells whether something that was asked for was not done.
func (d *CareDoc) Refused() bool { return d.Counts[CareRefused] > 0 }

// maxCare is how many lines of each result the text has.
const maxCare = 20

// careWords are the results in words, by command.
func (d *CareDoc) careWords() map[string]string {
	verb := map[string]string{"invalidate": "invalidated", "adopt": "adopted", "touch": "touched"}[d.Command]
	return map[string]string{CareDone: verb, CareWould: "would be " + verb, CareSkipped: "skipped", CareRefused: "refused"}
}

// careGroup is partitions of one dataset of which the same is to be said.
type careGroup struct {
	dataset string
	item    CareItem // the first
	n       int
}

// groups sums up the partitions that the text names, in their order.
func (d *CareDoc) groups() []careGroup {
	var out []careGroup
	for _, x := range d.Partitions {
		if x.Result == CareSkipped {
			continue
		}
		dataset, _, _ := strings.Cut(x.Partition, "[")
		if i := len(out) - 1; i >= 0 && out[i].dataset == dataset && out[i].item.Result == x.Result && out[i].item.Message == x.Message {
			out[i].n++
			continue
		}
		out = append(out, careGroup{dataset, x, 1})
	}
	return out
}

// Text writes what was done and what was not, and a sum.
func (d *CareDoc) Text(w io.Writer, s Style, c Commands) error {
	p := &printer{w: w, style: s}
	words := d.careWords()
	colors := map[string]color{CareRefused: red, CareDone: green}
	shown := map[string]int{}
	for _, g := range d.groups() {
		if shown[g.item.Result]++; shown[g.item.Result] == maxCare+1 {
			p.printf("… and more %s; --json has them all\n", words[g.item.Result])
		}
		if shown[g.item.Result] > maxCare {
			continue
		}
		line := s.paint(colors[g.item.Result], words[g.item.Result]+":") + " "
		if g.n == 1 {
			line += g.item.Partition
		} else {
			line += plural(g.n, "partition") + " of " + g.dataset
		}
		if g.item.Message != "" {
			line += " · " + g.item.Message
		}
		p.printf("%s\n", line)
	}
	return d.sum(p, words, c)
}

// sum counts the results and says what comes next.
func (d *CareDoc) sum(p *printer, words map[string]string, c Commands) error {
	var parts []string
	for _, result := range []string{CareDone, CareWould, CareRefused, CareSkipped} {
		if n := d.Counts[result]; n > 0 {
			parts = append(parts, Count(n)+" "+words[result]+d.skippedWhy(result))
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing to do"}
	}
	p.printf("%s: %s.", p.style.paint(bold, strings.ToUpper(d.Command[:1])+d.Command[1:]), strings.Join(parts, ", "))
	switch {
	case d.Command == "invalidate" && d.Counts[CareDone] > 0 && c.Selection != "":
		p.printf(" Next: %s", c.with("apply", c.Selection))
	case d.Counts[CareDone] > 0:
		p.printf(" Next: %s", c.with("plan", c.Selection))
	}
	p.printf("\n")
	return p.err
}

// skippedWhy says why partitions were skipped if it is the same for all.
func (d *CareDoc) skippedWhy(result string) string {
	why := ""
	for _, x := range d.Partitions {
		switch {
		case result != CareSkipped || x.Result != result:
		case why == "":
			why = " (" + x.Message + ")"
		case why != " ("+x.Message+")":
			return ""
		}
	}
	return why
}
