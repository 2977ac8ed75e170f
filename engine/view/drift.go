package view

import (
	"cmp"
	"io"
	"strconv"
	"strings"
	"time"

	"dag/engine/plan"
)

// maxDrifts is how many units Drifts names.
const maxDrifts = 10

// Drifts writes what has changed since a plan was saved: of each unit the first
// difference, and how many more it has.
func Drifts(w io.Writer, s Style, drifts []plan.Drift) error {
	p := &printer{w: w, style: s}
	var units [][]plan.Drift
	for _, d := range drifts {
		if n := len(units); n > 0 && units[n-1][0].Unit == d.Unit {
			units[n-1] = append(units[n-1], d)
		} else {
			units = append(units, []plan.Drift{d})
		}
	}
	for i, of := range units {
		if i == maxDrifts {
			p.printf("… and %s more\n", plural(len(units)-i, "unit"))
			break
		}
		p.printf("%s %s: %s%s", s.paint(yellow, "changed since the plan was saved:"), of[0].Unit, of[0].What, driftValues(of[0]))
		if len(of) > 1 {
			p.printf("; and %s more", plural(len(of)-1, "difference"))
		}
		p.printf("\n")
	}
	return p.err
}

// driftValues are the two values of a difference, where it has them.
func driftValues(d plan.Drift) string {
	if d.Old == "" || d.New == "" {
		return ""
	}
	old, new := shortDigest(d.Old), shortDigest(d.New)
	if bytes, changed, ok := fileState(d.Old); ok {
		bytesNow, changedNow, _ := fileState(d.New)
		old, new = bytes, bytesNow
		if old == new {
			old, new = "of "+changed, "of "+changedNow
		}
	}
	return ": " + old + " → " + new
}

// fileState takes size and time of change of a source's file apart.
func fileState(digest string) (bytes, changed string, ok bool) {
	size, stamp, ok := strings.Cut(digest, "@")
	n, err := strconv.ParseInt(size, 10, 64)
	ns, err2 := strconv.ParseInt(stamp, 10, 64)
	if !ok || cmp.Or(err, err2) != nil {
		return "", "", false
	}
	return Count(n) + " bytes", time.Unix(0, ns).UTC().Format("2006-01-02 15:04:05.000") + " UTC", true
}
