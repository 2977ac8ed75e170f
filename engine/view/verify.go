package view

import (
	"io"
	"slices"
	"strings"
	"time"
)

// VerifyDoc is what verify found, see schemas/verify.schema.json.
type VerifyDoc struct {
	Command       string       `json:"command"`
	FormatVersion int          `json:"format_version"`
	Partitions    int          `json:"partitions"` // looked at; of sources, files
	Unrecorded    int          `json:"unrecorded"` // of them, those of which no digest is known
	Files         int          `json:"files"`      // hashed
	Bytes         int64        `json:"bytes"`      // hashed
	ElapsedNS     int64        `json:"elapsed_ns"`
	Problems      []ProblemDoc `json:"problems"`
}

// ProblemDoc is one thing that is wrong in the lake.
type ProblemDoc struct {
	Code      string `json:"code"`
	Partition string `json:"partition,omitempty"`
	Path      string `json:"path"`          // relative to the lake root
	Old       string `json:"old,omitempty"` // recorded
	New       string `json:"new,omitempty"` // found
	Detail    string `json:"detail,omitempty"`
	Message   string `json:"message"`
	Hint      string `json:"hint"`
}

// NewVerify returns a document without problems.
func NewVerify() *VerifyDoc {
	return &VerifyDoc{Command: "verify", FormatVersion: formatVersion, Problems: []ProblemDoc{}}
}

// problems say what each kind means, and the way out; {path}, {old}, {new},
// {detail} and {partition} stand for what it is about, dag for the program.
var problems = map[string]struct{ message, hint string }{
	"file_changed":       {"{path} has other bytes than its manifest records: a disk flipped them, or somebody wrote into the file", again},
	"file_resized":       {"{path} has {new} bytes, its manifest says {old}", "dag apply {partition}"},
	"file_gone":          {"{path} is gone", "dag apply {partition}"},
	"file_added":         {"{path} is not in the manifest: somebody put it there", "take it away if it is nothing you need"},
	"incomplete":         {"{path} has no _SUCCESS: it was written half, or invalidated", "dag apply {partition}"},
	"manifest_broken":    {"the manifest in {path} is not to be trusted: {detail}", "dag apply {partition}"},
	"manifest_misplaced": {"{path} holds the manifest of {old}: the folder was copied or moved", again},
	"foreign_broken":     {"{path} was written by another tool and cannot be read: {detail}", again},
	"source_changed":     {"{path} has other bytes than when it was read, and the size and time it had then: a disk flipped them", "have it delivered again"},
	"unreadable":         {"{path} cannot be read: {detail}", "look at the permissions and the disk"},
	"no_dataset":         {"{path} holds {partition}, which is in no dataset of the configuration", collect},
	"no_value":           {"{path} lies where partitions of {partition} lie and is none: {detail}", collect},
	"no_place":           {"{path} holds {partition}, which has no place: its date is no session, or its dataset is not stored", collect},
}

// The ways out of what apply does not see by itself, and of what nobody needs.
const (
	again   = "dag invalidate {partition} && dag apply {partition}"
	collect = "dag gc lists what may go"
)

// Add notes a problem; its message and hint are made here.
func (d *VerifyDoc) Add(p ProblemDoc, c Commands) {
	known, ok := problems[p.Code]
	if !ok {
		known.message = p.Code + ": {path}"
	}
	fill := func(text, partition string) string {
		return strings.NewReplacer("{path}", p.Path, "{old}", shortDigest(p.Old), "{new}", shortDigest(p.New), "{detail}", p.Detail, "{partition}", partition).Replace(text)
	}
	p.Message = fill(known.message, p.Partition)
	hint := known.hint
	if strings.HasPrefix(hint, "dag ") {
		hint = strings.ReplaceAll(hint, "dag ", c.Name+" ")
	}
	p.Hint = fill(hint, quote(p.Partition))
	d.Problems = append(d.Problems, p)
}

// Sort puts the problems in order of path and kind.
func (d *VerifyDoc) Sort() {
	slices.SortFunc(d.Problems, func(a, b ProblemDoc) int {
		if c := strings.Compare(a.Path, b.Path); c != 0 {
			return c
		}
		return strings.Compare(a.Code, b.Code)
	})
}

// maxProblems is how many problems the text names.
const maxProblems = 50

// Text writes the problems, each with its way out, and a sum.
func (d *VerifyDoc) Text(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}
	for i, x := range d.Problems {
		if i == maxProblems {
			p.printf("… and %s more; --json has them all\n", Count(len(d.Problems)-i))
			break
		}
		p.printf("%s %s\n  %s %s\n", s.paint(red, "problem:"), x.Message, s.paint(dim, "way out:"), x.Hint)
	}
	elapsed := time.Duration(d.ElapsedNS)
	verdict := s.paint(green, "nothing is wrong")
	if n := len(d.Problems); n > 0 {
		verdict = s.paint(red, plural(n, "problem"))
	}
	p.printf("Verify: %s · %s looked at, %s, %s in %s", verdict, plural(d.Partitions, "partition"), plural(d.Files, "file"), Bytes(d.Bytes), Duration(elapsed))
	if rate := elapsed.Seconds(); rate > 0 {
		p.printf(" (%s/s)", Bytes(int64(float64(d.Bytes)/rate)))
	}
	p.printf("\n")
	if d.Unrecorded > 0 {
		p.printf("%s of another tool, or of files never read, have no digest to be held to: `dag adopt` records one.\n", Count(d.Unrecorded))
	}
	return p.err
}
