package plan

import (
	"fmt"
	"slices"

	"dag/engine/addr"
	"dag/engine/manifest"
)

// OutputRef is a known output of a unit and what the plan holds of it.
type OutputRef struct {
	Partition addr.Partition
	Trace     manifest.Trace // of State Missing if there was none
}

// Seen is what lies in the lake where it is not what the plan holds: a
// partition, or a file of a source's partition.
type Seen struct {
	Partition addr.Partition
	Output    bool
	Trace     manifest.Trace
	// File and what is known of it; Gone if it does not exist any more.
	File          string
	Size, ModTime int64
	Gone          bool
}

// What says how it differs, as Drift does.
func (s Seen) What() string {
	kind, name := "input", s.Partition.String()
	if s.Output {
		kind = "output"
	}
	if s.File != "" {
		name += " " + s.File
	}
	if s.Gone || s.File == "" && s.Trace.State == manifest.Missing {
		return fmt.Sprintf("its %s %s is gone", kind, name)
	}
	return fmt.Sprintf("its %s %s has changed", kind, name)
}

// Observe takes in what was seen, so that a unit can be resolved anew.
func (p *Plan) Observe(seen []Seen) {
	for _, o := range seen {
		d := p.datasets[o.Partition.Dataset]
		keys, session, err := d.split(o.Partition.Keys)
		if err != nil {
			continue // it was in the plan, so its day is a session
		}
		s := d.add(keys)
		switch {
		case o.File != "":
			s.observeFile(session, o)
		case o.Trace.State == manifest.Missing:
			s.cells[session].trace = nil
		default:
			t := o.Trace
			s.cells[session].trace = &t
		}
	}
}

func (s *series) observeFile(session int, o Seen) {
	i := slices.IndexFunc(s.files, func(f manifest.SourceFile) bool { return f.Name == o.File })
	switch {
	case i < 0:
	case o.Gone:
		s.byDay[session] = slices.DeleteFunc(s.byDay[session], func(f int) bool { return f == i })
	default:
		s.files[i] = manifest.SourceFile{Name: o.File, Size: o.Size, ModTime: o.ModTime}
	}
}

// outputRefs lists a unit's known outputs as the plan holds them.
func (u *unitSeries) outputRefs(session int) []OutputRef {
	var out []OutputRef
	u.eachOutput(session, func(s *series) {
		o := OutputRef{Partition: s.partition(session)}
		if t := s.cells[session].trace; t != nil {
			o.Trace = *t
		}
		out = append(out, o)
	})
	return out
}
