package plan

import (
	"fmt"

	"dag/engine/addr"
)

// Mapped is one input that the mapping names for a partition, whether or not it is
// there.
type Mapped struct {
	Port      string
	Partition addr.Partition
	Files     []string // of a source
	State     State
}

// Mapping lists what the unit that makes a partition would read, port by port, whether
// or not there is such a unit: an input that is not there is why there is none. It is
// an error for a partition that no stage makes, and for values of keys that no input
// has.
func (p *Plan) Mapping(part addr.Partition) ([]Mapped, error) {
	d := p.datasets[part.Dataset]
	if d == nil {
		return nil, fmt.Errorf("there is no dataset %s", part.Dataset)
	}
	keys, session, err := d.split(part.Keys)
	if err != nil {
		return nil, err
	}
	s := d.byKeys[keys]
	if s == nil {
		return nil, fmt.Errorf("%s is neither in the lake nor to be made, whatever its date", part)
	}
	u, i := p.maker(s), session
	if u == nil {
		return nil, fmt.Errorf("no stage makes %s", part)
	}
	var out []Mapped
	for k, in := range u.stage.def.Inputs {
		lo, hi := u.span(in, k, i)
		for _, from := range u.inputs[k] {
			for d := max(lo, 0); d < min(hi, len(from.cells)); d++ {
				m := Mapped{Port: in.Port, Partition: from.partition(d), State: from.state(d)}
				for _, f := range from.byDay[d] {
					m.Files = append(m.Files, from.files[f].Name)
				}
				if from.of.def.Source && m.Files == nil {
					m.State = MissingNow
				}
				if collects(in.Collect) && m.State == MissingNow {
					continue // of what is collected, only what is there counts
				}
				out = append(out, m)
			}
		}
	}
	return out, nil
}

func collects(keys []string) bool { return len(keys) > 0 }
