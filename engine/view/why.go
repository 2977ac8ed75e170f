package view

import (
	"io"
	"slices"
	"time"

	"dag/engine/addr"
	"dag/engine/manifest"
	"dag/engine/plan"
)

// WhyDoc explains a partition, see schemas/why.schema.json.
type WhyDoc struct {
	Command       string       `json:"command"`
	FormatVersion int          `json:"format_version"`
	Partition     PartitionDoc `json:"partition"`
	Stage         string       `json:"stage,omitempty"` // that makes it; none for a source
	Unit          string       `json:"unit,omitempty"`
	Blocked       string       `json:"blocked,omitempty"`
	Chain         []CauseDoc   `json:"chain"` // from the partition to the first cause; empty when it is fresh
	// Since is how the input came to be that the chain ends with, as manifests have it.
	Since []RecordedDoc `json:"since,omitempty"`
	Last  *LastDoc      `json:"last,omitempty"`

	made bool
}

// LastDoc is how the data that lies there came to be.
type LastDoc struct {
	Run       string `json:"run"`
	StartedAt string `json:"started_at"`
	ElapsedNS int64  `json:"elapsed_ns"`
	Stage     string `json:"stage"`
	Transform string `json:"transform"`
	Version   int    `json:"transform_version"`
	Reason    string `json:"reason"`
	Detail    string `json:"detail,omitempty"`
	Rows      int64  `json:"rows"`
	Inputs    int    `json:"inputs"` // partitions and files read
	// History leads to the first cause of that run, as manifests have it.
	History []RecordedDoc `json:"history"`
	// Touched are the times it was declared up to date without being made.
	Touched []manifest.Touch `json:"touched,omitempty"`
}

// RecordedDoc is why a partition was made, by its manifest.
type RecordedDoc struct {
	Partition string    `json:"partition"`
	Run       string    `json:"run"`
	StartedAt string    `json:"started_at"`
	Reason    ReasonDoc `json:"reason"`
	Again     bool      `json:"made_again,omitempty"` // what the reason speaks of: since, so that its own reason is gone
}

// NewWhy describes an explanation.
func NewWhy(e *plan.Explanation) *WhyDoc {
	doc := &WhyDoc{
		Command: "why", FormatVersion: formatVersion, Partition: NewPartition(e.State), Blocked: e.Blocked, Chain: []CauseDoc{}, made: e.Made,
	}
	if e.Made {
		doc.Stage, doc.Unit = e.Stage.String(), string(e.Unit)
	}
	for _, l := range e.Chain {
		doc.Chain = append(doc.Chain, CauseDoc{l.Partition.String(), newReason(l.Reason)})
	}
	doc.Since = newRecorded(e.Since)
	if m := e.Last; m != nil {
		doc.Last = newLast(m)
		doc.Last.History = append(doc.Last.History, newRecorded(e.History)...)
	}
	return doc
}

// NewWhyUnit describes what a unit makes: one partition by its own name, several by the
// unit's, with the explanation of the first that is to be made.
func NewWhyUnit(outputs []*plan.Explanation) *WhyDoc {
	first := outputs[0]
	for _, e := range slices.Backward(outputs) {
		if len(e.Chain) > 0 {
			first = e
		}
	}
	doc := NewWhy(first)
	if len(outputs) == 1 {
		return doc
	}
	doc.Partition.Partition = addr.UnitName(doc.Stage, first.Unit)
	for _, e := range outputs {
		if e == first {
			continue
		}
		doc.Partition.Rows += e.State.Rows
		doc.Partition.Bytes += e.State.Bytes
		if doc.Last != nil && e.Last != nil && e.Last.Run.ID == doc.Last.Run {
			doc.Last.Rows += e.Last.RowCount
		}
	}
	return doc
}

func newRecorded(list []plan.Recorded) []RecordedDoc {
	var out []RecordedDoc
	for _, r := range list {
		out = append(out, RecordedDoc{r.Partition.String(), r.Run, r.StartedAt, recordedDoc(r.Reason), r.Again})
	}
	return out
}

// recordedDoc is the reason of a manifest.
func recordedDoc(r manifest.Reason) ReasonDoc {
	return ReasonDoc{Code: r.Code, Cause: r.Cause, File: r.File, Old: r.Old, New: r.New}
}

// NewWhyItem describes an item whose outputs are known only when it has run.
func NewWhyItem(it *plan.Item) *WhyDoc {
	return &WhyDoc{
		Command: "why", FormatVersion: formatVersion,
		Partition: PartitionDoc{Partition: it.Describe(), State: string(plan.MissingNow), Action: string(it.Action), Reason: string(it.Reason.Code)},
		Stage:     it.Stage.String(), Unit: string(it.Unit), Blocked: it.Blocked,
		Chain: []CauseDoc{{it.Describe(), newReason(it.Reason)}}, made: true,
	}
}

func newLast(m *manifest.Manifest) *LastDoc {
	return &LastDoc{
		Run: m.Run.ID, StartedAt: m.Run.StartedAt, ElapsedNS: m.Run.ElapsedNS, Stage: m.Stage, Transform: m.Transform,
		Version: m.Version, Reason: m.Reason.Code, Detail: m.Reason.Detail, Rows: m.RowCount, Inputs: len(m.Inputs), Touched: m.Touched, History: []RecordedDoc{},
	}
}

// Text writes the explanation in sentences, one a line.
func (d *WhyDoc) Text(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}
	p.printf("%s %s\n", s.paint(bold, d.Partition.Partition), d.verdict())
	for i, c := range d.Chain {
		head := "  because "
		if i > 0 {
			head = "  <- " + c.Partition + ": "
		}
		p.printf("%s%s\n", head, c.Reason.of(c.Partition).sentence())
	}
	tell(p, d.Since, 0, "")
	if d.Blocked != "" {
		p.printf("  %s %s\n", s.paint(red, "blocked:"), d.Blocked)
	}
	if d.Last != nil {
		d.last(p)
	}
	return p.err
}

// last tells how the data that lies there came to be.
func (d *WhyDoc) last(p *printer) {
	l := d.Last
	if l.Reason == manifest.Adopted {
		p.printf("It was adopted at %s in run %s: another tool made its %s; %s (%s version %d) would make them from %s.\n", utcTime(l.StartedAt), l.Run,
			plural(l.Rows, "row"), l.Stage, l.Transform, l.Version, plural(l.Inputs, "input"))
	} else {
		p.printf("It was last made at %s by %s (%s version %d) in run %s, in %s: %s from %s.\n", utcTime(l.StartedAt), l.Stage, l.Transform, l.Version, l.Run,
			Duration(time.Duration(l.ElapsedNS)), plural(l.Rows, "row"), plural(l.Inputs, "input"))
		why := ReasonDoc{Code: l.Reason}
		if len(l.History) > 0 {
			why = l.History[0].Reason
		}
		p.printf("  because %s\n", recordedReason(why, l.Detail, d.Partition.Partition))
		tell(p, l.History, 1, l.Run)
	}
	for _, t := range l.Touched {
		p.printf("  declared up to date at %s: %s (%s)\n", utcTime(t.At), t.Reason, touchedReason(t, d.Partition.Partition))
	}
}

// tell writes what led to a run, but for the first few that have been said.
func tell(p *printer, history []RecordedDoc, said int, run string) {
	for i, h := range history {
		if i >= said {
			p.printf("  <- %s: %s%s\n", h.Partition, h.Reason.of(h.Partition).pastSentence(), madeIn(h, run))
		}
		if h.Again {
			p.printf("  <- %s: it has been made again since: `%s`\n", h.Reason.Cause, "dag why "+quote(h.Reason.Cause))
		}
	}
}

// madeIn names the run of a recorded reason, if it was another.
func madeIn(h RecordedDoc, run string) string {
	if h.Run == run {
		return ""
	}
	return ", in run " + h.Run
}

func (d *WhyDoc) verdict() string {
	switch {
	case d.Partition.Source:
		return "is delivered, not made: no stage writes it."
	case !d.made && d.Partition.State == string(plan.Unverified):
		return "is in the lake, written by another tool; no stage would make it now."
	case !d.made:
		return "is in the lake; no stage would make it now."
	case d.Blocked != "":
		return "is not up to date, and cannot be made:"
	case d.Partition.State == string(plan.Unstored) && len(d.Chain) > 0:
		return "is not stored: " + d.Stage + " makes it inside those that read it, and they may run again:"
	case d.Partition.State == string(plan.Unstored):
		return "is not stored: " + d.Stage + " makes it inside those that read it."
	}
	switch plan.Action(d.Partition.Action) {
	case "":
		if len(d.Chain) > 0 {
			return "counts as up to date, but has been edited in place, which `dag index rebuild` takes notice of:"
		}
	case plan.WillRun:
		return "will be made:"
	case plan.MayRun:
		return "may be made again:"
	}
	if d.Partition.State == string(plan.Unverified) {
		return "counts as up to date: another tool wrote it, and its content is unverified."
	}
	if d.Partition.State == string(plan.MissingNow) || d.Partition.State == string(plan.Broken) {
		return "has no data, and nothing to be made from."
	}
	return "is up to date."
}

// utcTime cuts the fraction off a time of a manifest.
func utcTime(rfc3339 string) string {
	t, err := time.Parse(time.RFC3339Nano, rfc3339)
	if err != nil {
		return rfc3339
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// recordedReason says in words why a partition was made, or declared up to date. An
// older manifest has no more than the code and a line of detail.
func recordedReason(r ReasonDoc, detail, partition string) string {
	if r = r.of(partition); r.Cause+r.Old+r.New == "" && detail != "" && detail != partition {
		return r.Code + " · " + detail
	}
	return r.pastSentence()
}

// touchedReason says what had changed when a partition was declared up to date.
func touchedReason(t manifest.Touch, partition string) string {
	return recordedReason(ReasonDoc{Code: t.Code, Cause: t.Cause, File: t.File, Old: t.Old, New: t.New}, t.Detail, partition)
}
