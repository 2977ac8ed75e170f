package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"dag/engine/event"
	"dag/engine/view"
)

// reportFlags say what is written of a run besides what is shown.
type reportFlags struct {
	trace, report string
}

func (f *reportFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.trace, "trace", "", "write a Chrome trace to a `file`: for chrome://tracing, Perfetto or speedscope")
	fs.StringVar(&f.report, "report", "", "write a report to a `file`: .json, .md, or .html with graph, timeline and failures")
}

// reports writes them.
type reports struct {
	flags  reportFlags
	file   *os.File // of the trace
	out    *os.File // of the report
	sinks  []event.Sink
	end    func() error
	report view.Report
}

func (f reportFlags) check() error {
	switch filepath.Ext(f.report) {
	case ".json", ".md", ".html":
		return nil
	}
	if f.report == "" {
		return nil
	}
	return mistake("usage", fmt.Sprintf("--report %s: no report is written so", f.report), "name a file that ends in .json, .md or .html")
}

func (f reportFlags) asked() bool {
	return f.report != "" || f.trace != ""
}

// open makes the files: one that cannot be written is a mistake that must not be met
// when the run is over.
func (f reportFlags) open() (*reports, error) {
	r := &reports{flags: f, end: func() error { return nil }}
	var err error
	if f.report != "" {
		if r.out, err = os.Create(f.report); err != nil {
			return nil, unwritable("--report", err)
		}
		r.sinks = append(r.sinks, r.report.Sink)
	}
	if f.trace == "" {
		return r, nil
	}
	if r.file, err = os.Create(f.trace); err != nil {
		return nil, unwritable("--trace", err)
	}
	sink, end := view.Trace(r.file)
	r.sinks = append(r.sinks, sink)
	r.end = func() error { return errors.Join(end(), r.file.Close()) }
	return r, nil
}

func (r *reports) sink(e event.Event) {
	for _, s := range r.sinks {
		s(e)
	}
}

// close writes what the run came to.
func (r *reports) close(p *project, run view.RunDoc) (err error) {
	err = r.end()
	f := r.out
	if f == nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	doc := r.report.Doc(run)
	switch filepath.Ext(r.flags.report) {
	case ".md":
		return errors.Join(err, doc.Markdown(f, selectionText))
	case ".html":
		return errors.Join(err, doc.HTML(f, p.graph, selectionText))
	}
	return errors.Join(err, view.WriteJSON(f, doc))
}
