package view

import (
	"strings"

	"dag/engine/addr"
	"dag/engine/plan"
)

// ReasonDoc is a reason in JSON.
type ReasonDoc struct {
	Code  string `json:"code"`
	Cause string `json:"cause,omitempty"` // the partition the code speaks of
	File  string `json:"file,omitempty"`  // of a source
	Old   string `json:"old,omitempty"`
	New   string `json:"new,omitempty"`
}

func newReason(r plan.Reason) ReasonDoc {
	doc := ReasonDoc{Code: string(r.Code), File: r.File, Old: r.Old, New: r.New}
	if r.Cause != nil {
		doc.Cause = r.Cause.String()
	}
	return doc
}

// of leaves the cause out where it is the partition that is spoken of already.
func (r ReasonDoc) of(partition string) ReasonDoc {
	if r.Cause == partition {
		r.Cause = ""
	}
	return r
}

// sentences say each reason; {cause} stands for the partition it is about.
var sentences = map[plan.Code]string{
	plan.MissingOutput:    "{cause} is missing",
	plan.IncompleteOutput: "{cause} has no _SUCCESS: the run that wrote it was cut short",
	plan.UnreadableOutput: "the manifest of {cause} is gone or cannot be read",
	plan.OutputChanged:    "the files of {cause} are not those that its manifest records",
	plan.InputChanged:     "its input {cause} has changed",
	plan.InputAdded:       "it has a new input, {cause}",
	plan.InputRemoved:     "its input {cause} is gone",
	plan.StageChanged:     "the definition of its stage has changed",
	plan.TransformChanged: "its transform has changed",
	plan.ContractChanged:  "the contract of its output has changed",
	plan.ParamsChanged:    "the parameters of its stage have changed",
	plan.Forced:           "it was forced to",
	plan.Upstream:         "its input {cause} is to be made again, and may come out different",
	plan.KnownAfterFanOut: "what it reads is known only after a fan-out has run",
	plan.UnverifiedOutput: "{cause} was not written by dag",
}

// sentence says a reason in words, with the values that differ.
func (r ReasonDoc) sentence() string {
	s, ok := sentences[plan.Code(r.Code)]
	if !ok {
		s = r.Code
	}
	cause := r.Cause
	if cause == "" {
		cause = "it"
	}
	s = strings.ReplaceAll(s, "{cause}", cause)
	if r.File != "" {
		s += " (" + r.File + ")"
	}
	switch {
	case r.Old != "" && r.New != "":
		s += ": " + shortDigest(r.Old) + " → " + shortDigest(r.New)
	case r.Old != "":
		s += ": it was " + shortDigest(r.Old)
	}
	return s
}

// Sentence says a reason in words.
func Sentence(r plan.Reason) string { return newReason(r).sentence() }

// shortDigest keeps the first digits of a digest; other values stay.
func shortDigest(s string) string {
	if len(s) == 32 && strings.Trim(s, "0123456789abcdef") == "" {
		return s[:12]
	}
	return s
}

// shortName is table[values]: enough to know a partition by in a table.
func shortName(p addr.Partition) string {
	var values []string
	for _, kv := range p.Keys.Pairs() {
		values = append(values, kv.Value)
	}
	if len(values) == 0 {
		return p.Dataset.Table
	}
	return p.Dataset.Table + "[" + strings.Join(values, ", ") + "]"
}
