package plan

import (
	"time"

	"dag/engine/addr"
	"dag/engine/manifest"
)

// Recorded is why a partition was made, as its manifest has it.
type Recorded struct {
	Partition addr.Partition
	Run       string
	StartedAt string // RFC 3339
	Reason    manifest.Reason
	// Again is set on the last one of a history where the input it speaks of has
	// been made again since: what had changed it is not recorded any more.
	Again bool
}

// history follows the reasons of manifests from a partition to the first cause of
// its run: the input that had changed, why that was made, and so on.
func (p *Plan) history(m *manifest.Manifest) []Recorded {
	var out []Recorded
	for m != nil && len(out) <= len(p.stages) {
		out = append(out, Recorded{Partition: m.Partition(), Run: m.Run.ID, StartedAt: m.Run.StartedAt, Reason: m.Reason})
		for _, step := range m.Reason.Through {
			part, err := addr.ParsePartition(step.Partition)
			if err != nil {
				return out
			}
			out = append(out, Recorded{Partition: part, Run: m.Run.ID, StartedAt: m.Run.StartedAt, Reason: step.Reason})
		}
		link := &out[len(out)-1]
		switch Code(link.Reason.Code) {
		case InputChanged, InputAdded, Upstream:
		default:
			return out
		}
		cause, err := addr.ParsePartition(link.Reason.Cause)
		if d := p.datasets[cause.Dataset]; err != nil || d == nil || d.def.Source {
			return out
		}
		above, err := p.lake.Manifest(cause)
		if err != nil {
			return out // it is gone, or of another tool
		}
		if link.Reason.New != "" && above.Digest != link.Reason.New || startedAfter(above, m) {
			link.Again = true
			return out
		}
		m = above
	}
	return out
}

// startedAfter tells whether a was made after b had been.
func startedAfter(a, b *manifest.Manifest) bool {
	x, err := time.Parse(time.RFC3339Nano, a.Run.StartedAt)
	y, err2 := time.Parse(time.RFC3339Nano, b.Run.StartedAt)
	return err == nil && err2 == nil && x.After(y)
}
