package view

import (
	"strings"

	"dag/engine/addr"
	"dag/engine/manifest"
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

// words say each reason, before and after it has led to a run; {cause} stands for
// the partition it is about.
var words = map[plan.Code]struct{ now, then string }{
	plan.MissingOutput:    {"{cause} is missing", "{cause} was missing"},
	plan.IncompleteOutput: {"{cause} has no _SUCCESS: " + noSuccess, "{cause} had no _SUCCESS: " + noSuccess},
	plan.UnreadableOutput: {"the manifest of {cause} is gone or cannot be read", "the manifest of {cause} was gone or could not be read"},
	plan.OutputChanged:    {"the files of {cause} are not those that its manifest records", "the files of {cause} were not those that its manifest recorded"},
	plan.InputChanged:     {"its input {cause} has changed", "its input {cause} had changed"},
	plan.InputAdded:       {"it has a new input, {cause}", "it had a new input, {cause}"},
	plan.InputRemoved:     {"its input {cause} is gone", "its input {cause} was gone"},
	plan.StageChanged:     {"the definition of its stage has changed", "the definition of its stage had changed"},
	plan.TransformChanged: {"its transform has changed", "its transform had changed"},
	plan.ContractChanged:  {"the contract of its output has changed", "the contract of its output had changed"},
	plan.ParamsChanged:    {"the parameters of its stage have changed", "the parameters of its stage had changed"},
	plan.Forced:           {"it is forced", "it was forced"},
	plan.Upstream:         {"its input {cause} is to be made again, and may come out different", "its input {cause} was to be made again"},
	plan.KnownAfterFanOut: {"what it reads is known only after a fan-out has run", "what it reads was known only after a fan-out had run"},
	plan.UnverifiedOutput: {"{cause} was not written by dag", "{cause} was not written by dag"},
	manifest.Adopted:      {"it is another tool's, and adopted", "it was another tool's, and adopted"},
}

const noSuccess = "it was marked stale, or what wrote it was cut short"

// selfWords put a sentence about the partition itself.
var selfWords = strings.NewReplacer("the manifest of {cause}", "its manifest", "the files of {cause}", "its files", "{cause}", "it")

// sentence says a reason in words, with the values that differ.
func (r ReasonDoc) sentence() string { return r.say(words[plan.Code(r.Code)].now) }

// pastSentence says a reason that has led to a run.
func (r ReasonDoc) pastSentence() string { return r.say(words[plan.Code(r.Code)].then) }

func (r ReasonDoc) say(s string) string {
	if s == "" {
		s = r.Code
	}
	if r.Cause == "" {
		s = selfWords.Replace(s)
	}
	s = strings.ReplaceAll(s, "{cause}", r.Cause)
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
	if (len(s) == 32 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == "" {
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
