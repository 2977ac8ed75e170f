package main

import (
	"context"
	"path"
	"slices"
	"strings"

	"dag/engine/config"
	"dag/engine/diag"
	"dag/engine/lake"
	"dag/engine/manifest"
	"dag/engine/plan"
	"dag/engine/view"
)

// tellRaw warns of raw files that no partition is made from, and of what cannot be
// made any more.
func (p *project) tellRaw(made *plan.Plan) {
	var list diag.List
	if made.Unused > 0 {
		list = append(list, diag.Diagnostic{
			Severity: diag.Warning, Code: "raw_unused", Summary: view.UnusedCount(made.Unused), Hint: p.app.commands("").Name + " doctor names them, and says why",
		})
	}
	if lost := made.Lost(); len(lost) > 0 {
		list = append(list, diag.Diagnostic{
			Severity: diag.Warning, Code: "raw_gone", Summary: view.Lost(lost),
			Hint: "deliver the raw files again to have them back; while nothing runs, deleting .dag/fanout makes dag forget them",
		})
	}
	if len(list) > 0 {
		p.app.diagnose(list)
	}
}

// raw tells which files of sources cannot be read.
func (d *examination) raw(h lake.Health) {
	if len(h.Unreadable) == 0 {
		d.either(h.Sources > 0, "raw", view.RawCount(h.Sources))
		return
	}
	const named = 5
	for i, err := range h.Unreadable {
		if i == named {
			d.bad("raw", view.MoreUnreadable(len(h.Unreadable)-i))
			return
		}
		d.bad("raw", err.Error())
	}
}

// unused tells which names below the sources feed no partition, and which files may
// hold more than they feed.
func (d *examination) unused(ctx context.Context, l *lake.Lake, p *project) error {
	var unused, spans []string
	for _, def := range p.config.Datasets {
		if !def.Source {
			continue
		}
		t, err := l.Table(ctx, def.Addr, nil)
		if err != nil {
			continue // raw has told
		}
		for _, s := range t.Series {
			u, more, err := strays(l, def, s)
			if err != nil {
				return err
			}
			unused, spans = append(unused, u...), append(spans, more...)
		}
		for _, x := range t.Passed {
			like, err := def.Resembles(x.Name, keyValues(x.Series))
			if err != nil {
				return err
			}
			if like {
				unused = append(unused, x.Path+": "+x.Why)
			}
		}
	}
	if len(unused) > 0 {
		d.warn("unused", view.UnusedCount(len(unused))+few(unused))
	}
	if len(spans) > 0 {
		d.warn("spans", view.SpanCount(len(spans))+few(spans))
	}
	return nil
}

// strays are the files of a series that feed no partition, and those that feed the
// ends of a span, each with the reason.
func strays(l *lake.Lake, def *config.Dataset, s manifest.Series) (unused, spans []string, err error) {
	key := def.DateKey()
	if key == nil {
		return nil, nil, nil
	}
	dir, err := l.SourceFolder(def.Addr, s.Keys)
	if err != nil {
		return nil, nil, err
	}
	names := make([]string, len(s.Files))
	for i, f := range s.Files {
		names[i] = f.Name
	}
	values := keyValues(s.Keys)
	assigned, err := def.Files.Assign(names, values, key.Name, key.Calendar)
	if err != nil {
		return nil, nil, err
	}
	rest, err := def.Files.Strays(names, assigned, values, key.Name)
	if err != nil {
		return nil, nil, err
	}
	for _, i := range rest {
		why, err := def.Files.WhyStray(names[i], values, key.Name, key.Calendar)
		if err != nil {
			return nil, nil, err
		}
		unused = append(unused, path.Join(dir, names[i])+": "+why)
	}
	skips := def.Files.Skips(assigned, key.Calendar)
	for i, name := range names {
		if day, ok := skips[i]; ok {
			spans = append(spans, path.Join(dir, name)+": no file feeds "+day.String())
		}
	}
	return unused, spans, nil
}

// few lists the first of some lines.
func few(lines []string) string {
	const named = 5
	slices.Sort(lines)
	if more := len(lines) - named; more > 0 {
		lines = append(slices.Clone(lines[:named]), "… and "+view.Count(more)+" more")
	}
	return "\n" + strings.Join(lines, "\n")
}
