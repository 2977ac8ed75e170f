package lake

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"dag/engine/addr"
)

// Files of a run's folder.
const (
	runsDir     = ownDir + "/runs"
	runName     = "run.json"      // what was asked for, and what became of it
	resultsName = "results.json"  // how each unit ended; written when the run has
	eventsName  = "events.ndjson" // what happened, in order
)

// Run is the record of one apply. Nothing of it has been read.
type Run struct {
	ID   string
	lake *Lake
}

// RunRecord keeps the record of a run while it goes on. It is for looking back:
// that it cannot be written stops nothing.
type RunRecord struct {
	lake   *Lake
	dir    string
	events *os.File
}

// Record starts the record of this lake's run. Events go to the Writer, a line
// each.
func (l *Lake) Record() (*RunRecord, error) {
	if l.o.NoWrite {
		return nil, errNoWrite
	}
	dir := filepath.Join(l.path(runsDir), l.o.RunID)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, explain(err, "record of the run", dir)
	}
	file := filepath.Join(dir, ownerName)
	owner, err := json.Marshal(l.self())
	if err == nil {
		err = os.WriteFile(file, append(owner, '\n'), 0o666)
	}
	if err != nil {
		return nil, explain(err, "record of the run", dir)
	}
	f, err := os.OpenFile(filepath.Join(dir, eventsName), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
	if err != nil {
		return nil, explain(err, "record of the run", dir)
	}
	l.leases.Mark(file) // others must see that the run goes on, however long a unit takes
	return &RunRecord{lake: l, dir: dir, events: f}, nil
}

// Write appends to the events.
func (r *RunRecord) Write(b []byte) (int, error) { return r.events.Write(b) }

// Save replaces what is said of the run as a whole.
func (r *RunRecord) Save(doc []byte) error { return replaceIn(r.dir, runName, doc) }

// SaveResults keeps how each unit ended. What is said of the run as a whole is saved
// after it.
func (r *RunRecord) SaveResults(doc []byte) error { return replaceIn(r.dir, resultsName, doc) }

// replaceIn puts a file of a run's folder in place as a whole.
func replaceIn(dir, name string, doc []byte) error {
	path := filepath.Join(dir, name)
	err := writeFile(osFS{}, path+".tmp", doc)
	if err == nil {
		err = os.Rename(path+".tmp", path)
	}
	return explain(err, "record of the run", dir)
}

// Close ends the record.
func (r *RunRecord) Close() error {
	r.lake.leases.Unmark(filepath.Join(r.dir, ownerName))
	return r.events.Close()
}

// Runs lists the recorded runs, the newest first. One whose record was cut short
// before it said anything is left out.
func (l *Lake) Runs() ([]Run, error) {
	entries, err := os.ReadDir(l.path(runsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("runs: %w", err)
	}
	var out []Run
	for _, e := range slices.Backward(entries) {
		r := Run{ID: e.Name(), lake: l}
		if _, err := os.Stat(r.file(runName)); err == nil {
			out = append(out, r)
		}
	}
	return out, nil
}

// folder is the place of the record, relative to the root.
func (r Run) folder() string { return path.Join(runsDir, r.ID) }

func (r Run) file(name string) string { return filepath.Join(r.lake.path(r.folder()), name) }

// Doc is what is said of the run as a whole.
func (r Run) Doc() ([]byte, error) { return r.read(runName) }

// Results is how each unit ended; an error that wraps fs.ErrNotExist where the run
// goes on, or was killed.
func (r Run) Results() ([]byte, error) { return r.read(resultsName) }

func (r Run) read(name string) ([]byte, error) {
	b, err := os.ReadFile(r.file(name))
	if err != nil {
		return nil, fmt.Errorf("record of run %s: %w", r.ID, err)
	}
	return b, nil
}

// HasResults tells whether there are Results, without reading them.
func (r Run) HasResults() bool {
	_, err := os.Stat(r.file(resultsName))
	return err == nil
}

// Alive tells whether the run's process still runs, as far as is known.
func (r Run) Alive() bool {
	_, dead := r.lake.owner(r.folder())
	return !dead
}

// goesOn tells whether the run's process may write its record yet: results are the
// last it says, and spare others watching for whether it lives.
func (r Run) goesOn() bool { return !r.HasResults() && r.Alive() }

// End writes what a run that was killed could not.
func (r Run) End(results, doc []byte) error {
	if r.lake.o.NoWrite {
		return errNoWrite
	}
	dir := r.lake.path(r.folder())
	if err := replaceIn(dir, resultsName, results); err != nil {
		return err
	}
	return replaceIn(dir, runName, doc)
}

// Events opens what happened in a run.
func (r Run) Events() (io.ReadCloser, error) {
	f, err := os.Open(r.file(eventsName))
	if err != nil {
		return nil, fmt.Errorf("record of run %s: %w", r.ID, err)
	}
	return f, nil
}

// oldRuns lists the records beyond the newest keep, and those that were cut short
// before they said anything; never that of a run that goes on.
func (l *Lake) oldRuns(keep int) ([]Leftover, error) {
	names, err := l.names(runsDir)
	var out []Leftover
	kept := 0
	for _, name := range slices.Backward(names) {
		r := Run{ID: name, lake: l}
		if r.goesOn() {
			kept++
			continue
		}
		if _, err := os.Stat(r.file(runName)); err == nil && (keep == 0 || kept < keep) {
			kept++
			continue
		}
		out = append(out, Leftover{Kind: OldRun, Path: r.folder(), Bytes: l.bytesBelow(r.folder()), Owner: name})
	}
	return out, err
}

// ForgetRun removes the record of a run that has ended.
func (l *Lake) ForgetRun(id string) error {
	if l.o.NoWrite {
		return errNoWrite
	}
	if err := addr.CheckValue(id); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	r := Run{ID: id, lake: l}
	dir := l.path(r.folder())
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if r.goesOn() {
		return fmt.Errorf("run %s goes on", id)
	}
	return explain(os.RemoveAll(dir), "forget run "+id, dir)
}
