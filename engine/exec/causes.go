package exec

import (
	"dag/engine/event"
	"dag/engine/manifest"
	"dag/engine/plan"
)

// reasonRecord is a reason as a manifest keeps it.
func reasonRecord(r plan.Reason) manifest.Reason {
	m := manifest.Reason{Code: string(r.Code), Detail: r.Detail(), File: r.File, Old: r.Old, New: r.New}
	if r.Cause != nil {
		m.Cause = r.Cause.String()
	}
	for _, l := range r.Through {
		l.Reason.Through = nil // it is the rest of r's
		step := manifest.Step{Partition: l.Partition.String(), Reason: reasonRecord(l.Reason)}
		step.Detail = ""
		m.Through = append(m.Through, step)
	}
	return m
}

// chainOf is why a unit runs, for who listens; nil where there is nothing to say
// beyond the code of the reason.
func chainOf(w *plan.Work) []event.Cause {
	first := w.Causes[0].Reason
	if len(w.Causes) == 1 && first.Old+first.New == "" && (first.Cause == nil || *first.Cause == w.Causes[0].Partition) {
		return nil
	}
	chain := make([]event.Cause, len(w.Causes))
	for i, l := range w.Causes {
		chain[i] = event.Cause{Partition: l.Partition.String(), Code: string(l.Reason.Code), File: l.Reason.File, Old: l.Reason.Old, New: l.Reason.New}
		if l.Reason.Cause != nil {
			chain[i].About = l.Reason.Cause.String()
		}
	}
	return chain
}

// planned are a unit's inputs as far as they were known before it ran.
func planned(w *plan.Work) []event.Input {
	digests := make([]manifest.Sum, len(w.Inputs))
	for i := range w.Inputs {
		digests[i] = w.Inputs[i].Digest
	}
	return read(w, digests)
}

// read are a unit's inputs with the digests of what was there.
func read(w *plan.Work, digests []manifest.Sum) []event.Input {
	list := make([]event.Input, len(w.Inputs))
	for i := range w.Inputs {
		in := &w.Inputs[i]
		list[i] = event.Input{Port: in.Port, Partition: in.Partition, File: in.File}
		if digests[i] != (manifest.Sum{}) {
			list[i].Digest = digests[i].String()
		}
	}
	return list
}
