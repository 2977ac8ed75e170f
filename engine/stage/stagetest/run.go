package stagetest

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/rogpeppe/go-internal/txtar"

	"dag/engine/addr"
	"dag/engine/stage"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata/*.txt")

// Run runs a transform on every testdata/*.txt, a txtar archive of sections:
//
//	params        JSON object; what it leaves out has its default
//	keys          JSON object of the unit's keys
//	in/PORT       CSV, header cells name:type, an empty cell is null; in/PORT/k=v,k=v
//	              is one of several partitions. Columns of the port that are left
//	              out hold zero values, or null where they may.
//	error         if there: a part of the message the run must fail with
//	metrics       if there: JSON object of all that must be counted
//	out/PORT      CSV of expected rows; out/PORT/VALUE for a fan-out. Columns left
//	              out are not compared, and are still in the digest.
//	digest        the transform's Version, and the SHA-256 of all output
//
// Output that differs from the digest while the Version stays fails: existing
// lakes would keep what the old code wrote. With -update metrics, out and digest
// are rewritten. Every file is run in batches of 1 and of 3 rows too, which must
// change nothing.
func Run(t *testing.T, transform stage.Transform) {
	t.Helper()
	names, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatalf("no testdata/*.txt (%v)", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) { runFile(t, transform, name) })
	}
}

func runFile(t *testing.T, transform stage.Transform, name string) {
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	task, err := newFixture(t, transform.Spec(), archive)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if err := runCase(t, transform, task, archive); err != nil {
		t.Error(err)
	} else if err := checkBatches(t, transform, task, archive); err != nil {
		t.Error(err)
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// newFixture builds the task that the sections of an archive describe.
func newFixture(t testing.TB, spec stage.Spec, archive *txtar.Archive) (*Task, error) {
	keys := map[string]string{}
	if err := decode(section(archive, "keys"), &keys); err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	params, err := parseParams(spec, section(archive, "params"))
	if err != nil {
		return nil, err
	}
	task := NewTask(t, spec, keys, params, nil)
	for _, f := range archive.Files {
		port, ok := strings.CutPrefix(f.Name, "in/")
		if !ok {
			continue
		}
		port, given, several := strings.Cut(port, "/")
		own := partitionKeys(keys)
		if several {
			if own, err = addr.ParseKeys(given); err != nil {
				return nil, fmt.Errorf("%s: %w", f.Name, err)
			}
		}
		in := task.input(port)
		if in.Raw {
			return nil, fmt.Errorf("%s: the port is raw; build its files in a test of your own", f.Name)
		}
		tbl, err := parseTable(string(f.Data))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		rec, err := tbl.record(in.Columns)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		task.AddPartition(port, own, rec)
	}
	return task, nil
}

func section(archive *txtar.Archive, name string) *txtar.File {
	for i := range archive.Files {
		if archive.Files[i].Name == name {
			return &archive.Files[i]
		}
	}
	return nil
}

func decode(f *txtar.File, into any) error {
	if f == nil {
		return nil
	}
	return json.Unmarshal(f.Data, into)
}

// parseParams reads parameters as their declared types.
func parseParams(spec stage.Spec, f *txtar.File) (stage.Params, error) {
	raw := map[string]json.RawMessage{}
	if err := decode(f, &raw); err != nil {
		return nil, fmt.Errorf("params: %w", err)
	}
	out := stage.Params{}
	for name, text := range raw {
		i := slices.IndexFunc(spec.Params, func(p stage.Param) bool { return p.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("params: %s has no parameter %q", spec.Name, name)
		}
		v, err := parseParam(spec.Params[i].Type, text)
		if err != nil {
			return nil, fmt.Errorf("params: %q: %w", name, err)
		}
		out[name] = v
	}
	return out, nil
}

func parseParam(t stage.ParamType, text []byte) (any, error) {
	switch t {
	case stage.Int:
		return decodeAs[int64](text)
	case stage.Float:
		return decodeAs[float64](text)
	case stage.Bool:
		return decodeAs[bool](text)
	case stage.Floats:
		return decodeAs[[]float64](text)
	case stage.Texts:
		return decodeAs[[]string](text)
	}
	return decodeAs[string](text)
}

func decodeAs[T any](text []byte) (any, error) {
	var v T
	err := json.Unmarshal(text, &v)
	return v, err
}

// runCase runs the transform and holds what comes out to the archive, or, with
// -update, the archive to what comes out.
func runCase(t testing.TB, transform stage.Transform, task *Task, archive *txtar.Archive) error {
	runErr := transform.Run(t.Context(), task)
	if f := section(archive, "error"); f != nil {
		if want := strings.TrimSpace(string(f.Data)); runErr == nil || !strings.Contains(runErr.Error(), want) {
			return fmt.Errorf("the run ended with error %v, want one with %q", runErr, want)
		}
		return nil
	}
	if runErr != nil {
		return runErr
	}
	if *update {
		rewrite(task, archive)
		return nil
	}
	return errors.Join(checkMetrics(task, archive), checkTables(task, archive), checkDigest(task, section(archive, "digest")))
}

// checkBatches runs the transform again on smaller batches: a transform is a
// function of the rows, to the last bit.
func checkBatches(t testing.TB, transform stage.Transform, whole *Task, archive *txtar.Archive) error {
	if section(archive, "error") != nil {
		return nil
	}
	for _, rows := range []int{1, 3} {
		task, err := newFixture(t, transform.Spec(), archive)
		if err != nil {
			return err
		}
		task.BatchRows = rows
		if err := transform.Run(t.Context(), task); err != nil {
			return fmt.Errorf("in batches of %d rows: %w", rows, err)
		}
		if task.text(-1) != whole.text(-1) || !maps.Equal(task.Metrics(), whole.Metrics()) {
			return fmt.Errorf("in batches of %d rows the output or the metrics are others than in one batch", rows)
		}
	}
	return nil
}

func checkMetrics(task *Task, archive *txtar.Archive) error {
	f := section(archive, "metrics")
	if f == nil {
		return nil
	}
	want := map[string]int64{}
	if err := decode(f, &want); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	if got := task.Metrics(); !maps.Equal(got, want) {
		return fmt.Errorf("metrics: got %v, want %v", got, want)
	}
	return nil
}

// checkTables compares every output partition with its section; each needs the
// other.
func checkTables(task *Task, archive *txtar.Archive) error {
	var errs []error
	seen := map[string]bool{}
	for _, f := range archive.Files {
		id, ok := strings.CutPrefix(f.Name, "out/")
		if !ok {
			continue
		}
		seen[id] = true
		tbl, err := parseTable(string(f.Data))
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.Name, err))
			continue
		}
		want, err := tbl.record(arrow.NewSchema(nil, nil))
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.Name, err))
			continue
		}
		port, value, _ := strings.Cut(id, "/")
		if value != "" && task.outputs[id] == nil {
			errs = append(errs, fmt.Errorf("%s: there is no such partition; there are %q", f.Name, task.FanOuts(port)))
			continue
		}
		for _, d := range Differences(task.tableOf(id), want) {
			errs = append(errs, fmt.Errorf("%s: %s", f.Name, d))
		}
	}
	for _, id := range task.partitionIDs() {
		if !seen[id] {
			errs = append(errs, fmt.Errorf("output %s is not expected: there is no section out/%s (run with -update to write it)", id, id))
		}
	}
	return errors.Join(errs...)
}

// partitionIDs lists what the run leaves: opened partitions of fan-outs, and
// every other port, opened or not.
func (t *Task) partitionIDs() []string {
	var out []string
	for _, o := range t.spec.Outputs {
		if !o.FanOut {
			out = append(out, o.Name)
			continue
		}
		for _, v := range t.FanOuts(o.Name) {
			out = append(out, o.Name+"/"+v)
		}
	}
	return out
}

func (t *Task) tableOf(id string) arrow.Record {
	parts := strings.Split(id, "/")
	return t.Table(parts[0], parts[1:]...)
}

// digestDigits is how many significant digits of doubles are in a digest: the
// last ones differ from one architecture to the next.
const digestDigits = 9

// text prints all output, and the sums of binary files; digits limits the significant digits of doubles, -1
// keeps them all.
func (t *Task) text(digits int) string {
	var b strings.Builder
	for _, id := range t.partitionIDs() {
		fmt.Fprintf(&b, "%s\n%s\n", id, format(t.tableOf(id), nil, digits))
	}
	for _, o := range t.spec.Outputs {
		for _, x := range o.Tables {
			fmt.Fprintf(&b, "%s/%s\n%s\n", o.Name, x.Name, format(t.TableBeside(o.Name, x.Name), nil, digits))
		}
		for _, name := range o.Files {
			fmt.Fprintf(&b, "%s/%s\n%x\n", o.Name, name, sha256.Sum256(t.FileBeside(o.Name, name)))
		}
	}
	return b.String()
}

// digest is the canonical output's SHA-256 after the version.
func (t *Task) digest() string {
	return fmt.Sprintf("%d %x", t.spec.Version, sha256.Sum256([]byte(t.text(digestDigits))))
}

func checkDigest(task *Task, f *txtar.File) error {
	got := task.digest()
	want := ""
	if f != nil {
		want = strings.TrimSpace(string(f.Data))
	}
	if want == "" {
		return fmt.Errorf("there is no digest; run with -update to write it: %s", got)
	}
	version, _, _ := strings.Cut(want, " ")
	switch {
	case got == want:
		return nil
	case version == fmt.Sprint(task.spec.Version):
		return fmt.Errorf("the output of %s changed and its Version is still %s: raise the Version in its Spec, so that lakes are computed anew, and run with -update\n got digest %s\nwant digest %s", task.spec.Name, version, got, want)
	}
	return fmt.Errorf("%s has Version %d and the digest is of Version %s: look at the output, then run with -update\n got digest %s", task.spec.Name, task.spec.Version, version, got)
}

// rewrite puts what came out into the archive. A section that showed some
// columns goes on showing those.
func rewrite(task *Task, archive *txtar.Archive) {
	columns := map[string][]string{}
	metrics := false
	archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool {
		metrics = metrics || f.Name == "metrics"
		id, ok := strings.CutPrefix(f.Name, "out/")
		if tbl, err := parseTable(string(f.Data)); ok && err == nil {
			for _, c := range tbl.fields {
				columns[id] = append(columns[id], c.Name)
			}
		}
		return ok || f.Name == "digest" || f.Name == "metrics"
	})
	add := func(name, text string) {
		archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(text)})
	}
	if metrics {
		text, err := json.Marshal(task.Metrics())
		if err != nil { // integers by name always can be marshalled
			panic(err)
		}
		add("metrics", string(text)+"\n")
	}
	for _, id := range task.partitionIDs() {
		add("out/"+id, format(task.tableOf(id), columns[id], -1))
	}
	add("digest", task.digest()+"\n")
}
