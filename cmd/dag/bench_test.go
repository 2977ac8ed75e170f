package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"dag/contracts"
	"dag/engine/addr"
	"dag/engine/graph"
	"dag/engine/lake"
	"dag/engine/manifest"
	"dag/engine/plan"
	"dag/pipelines"
)

// BenchmarkPlanUpToDate plans lakes in which nothing is stale: six stages × contracts
// × days. The lakes are made without running anything: folders, manifests and
// markers are what an apply would leave, the data files are a few bytes. With
// DAG_BENCH_LAKES=DIR they are kept in DIR/N, each with a build.ninja of the same
// file graph and the project that goes with it; DAG_BENCH_PARTITIONS=N,N says
// how many partitions they have.
func BenchmarkPlanUpToDate(b *testing.B) {
	sizes, keep := "12000", os.Getenv("DAG_BENCH_LAKES")
	if keep != "" {
		sizes = "12000,120000"
	}
	if s := os.Getenv("DAG_BENCH_PARTITIONS"); s != "" {
		sizes = s
	}
	for size := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(size)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(size, func(b *testing.B) {
			root := filepath.Join(b.TempDir(), "lake")
			if keep != "" {
				root = filepath.Join(keep, fmt.Sprint(n))
			}
			m := newMaker(b, root)
			if _, err := os.Stat(filepath.Join(root, "build.ninja")); err != nil {
				m.rawFiles(n)
				m.fill()
			}
			m.planned(true) // writes the index
			var before, after syscall.Rusage
			partitions := 0
			for b.Loop() {
				_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
				partitions = m.planned(false)
				_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
			}
			cpu := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
			b.ReportMetric(float64(cpu)/float64(partitions), "cpu-ns/partition")
			b.ReportMetric(float64(partitions), "partitions")
		})
	}
}

// maker fills a lake by hand.
type maker struct {
	b       *testing.B
	root    string
	project *project
	ninja   strings.Builder
}

const (
	contractsPerRoot = 4
	datasetsPerPart  = 6 // for each contract and day
)

// sixStages writes the project of the lakes: the shipped futures up to the
// approaches of one level.
func sixStages(b *testing.B, dir string) {
	text, err := fs.ReadFile(pipelines.FS, "future.hcl")
	if err != nil {
		b.Fatal(err)
	}
	hcl, _, found := strings.Cut(string(text), `dataset "silver" "future" "front_month"`)
	if !found {
		b.Fatal("future.hcl has no front_month to be cut at")
	}
	hcl = strings.Replace(hcl, `["pm_high", "pm_low", "or_high", "or_low"]`, `["pm_high"]`, 1)
	for _, part := range []struct {
		from fs.FS
		name string
	}{{pipelines.FS, pipelinesDir}, {contracts.FS, contractsDir}} {
		if err := writeOut(part.from, filepath.Join(dir, part.name)); err != nil {
			b.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, pipelinesDir, "future_option.hcl")); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, pipelinesDir, "future.hcl"), []byte(hcl), 0o644); err != nil {
		b.Fatal(err)
	}
}

func newMaker(b *testing.B, root string) *maker {
	a := &app{now: time.Now, environ: os.Environ(), notice: func(string) {}, stderr: os.Stderr}
	dir := filepath.Dir(root)
	if _, err := os.Stat(filepath.Join(dir, pipelinesDir)); err != nil {
		sixStages(b, dir)
	}
	a.flags.project, a.flags.lake = dir, root
	p, err := a.load()
	if err != nil {
		b.Fatal(err)
	}
	return &maker{b: b, root: root, project: p}
}

// rawFiles writes those for about n partitions.
func (m *maker) rawFiles(n int) {
	const sessions = 250
	roots := max(n/(datasetsPerPart*contractsPerRoot*sessions), 1)
	days := n / (datasetsPerPart * contractsPerRoot * roots)
	for r := range roots {
		dir := filepath.Join(m.root, "raw/source=databento/product_type=future", "symbol="+rootName(r), "table=market_by_price_10_dbn")
		day := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
		for made := 0; made < days; day = day.AddDate(0, 0, 1) {
			if day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
				continue
			}
			m.write(filepath.Join(dir, "x-"+day.Format("20060102")+".dbn"), []byte(day.String()))
			made++
		}
	}
	m.ninja.WriteString("rule make\n  command = :\n")
}

func rootName(i int) string { return "R" + string(rune('A'+i/26)) + string(rune('A'+i%26)) }

func (m *maker) write(path string, data []byte) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		m.b.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		m.b.Fatal(err)
	}
}

func (m *maker) open() *lake.Lake {
	l, err := m.project.openLake(lake.Options{})
	if err != nil {
		m.b.Fatal(err)
	}
	return l
}

func (m *maker) plan(l *lake.Lake) *plan.Plan {
	sel, list := m.project.graph.Select(graph.Request{})
	if err := list.Err(); err != nil {
		m.b.Fatal(err)
	}
	p, err := plan.Make(context.Background(), m.project.graph, l, plan.Request{Selection: sel}, time.Now)
	if err != nil {
		m.b.Fatal(err)
	}
	return p
}

// planned plans as `dag plan` does and wants nothing to do.
func (m *maker) planned(save bool) int {
	l := m.open()
	p := m.plan(l)
	if len(p.Items) > 0 {
		m.b.Fatalf("%d items are to do, first %s: %s", len(p.Items), p.Items[0].Describe(), p.Items[0].Reason.Code)
	}
	if save {
		if err := l.SaveIndex(); err != nil {
			m.b.Fatal(err)
		}
	}
	return p.Partitions()
}

// fill makes every unit of the plan, in the order of its growth.
func (m *maker) fill() {
	l := m.open()
	p := m.plan(l)
	for i := 0; i < len(p.Items); i++ {
		m.make(l, p, p.Items[i])
	}
	m.write(filepath.Join(m.root, "build.ninja"), []byte(m.ninja.String()))
	if err := l.Close(); err != nil {
		m.b.Fatal(err)
	}
}

func (m *maker) make(l *lake.Lake, p *plan.Plan, it *plan.Item) {
	w, err := p.Resolve(context.Background(), it)
	if err != nil {
		m.b.Fatal(err)
	}
	digests := make([]manifest.Sum, len(w.Inputs))
	record := manifest.Manifest{
		Format: manifest.Format, FormatVersion: manifest.FormatVersion, Stage: it.Stage.String(), Unit: it.Unit,
		Transform: w.Stage.Spec.Name, Version: w.Stage.Spec.Version, Params: w.Stage.Params,
		Reason: manifest.Reason{Code: "missing"}, Run: manifest.Run{ID: "bench", StartedAt: "2025-01-01T00:00:00Z"},
	}
	var reads []string
	for i, in := range w.Inputs {
		digests[i] = in.Digest
		entry := manifest.Input{Port: in.Port, Partition: in.Partition.String()}
		if in.Source {
			if digests[i], err = l.Digest(context.Background(), in.Partition.Dataset, in.Series, in.File); err != nil {
				m.b.Fatal(err)
			}
			folder, _ := l.SourceFolder(in.Partition.Dataset, in.Series)
			entry.File = folder + "/" + in.File
			info, err := os.Stat(filepath.Join(m.root, entry.File))
			if err != nil {
				m.b.Fatal(err)
			}
			entry.Bytes, entry.ModTime = info.Size(), info.ModTime().UnixNano()
			reads = append(reads, entry.File)
		} else {
			folder, _ := l.Folder(in.Partition)
			reads = append(reads, folder+"/"+manifest.SuccessName)
		}
		entry.Digest = digests[i].String()
		record.Inputs = append(record.Inputs, entry)
	}
	record.Fingerprint = w.Fingerprint(digests)
	values := [][]string{nil}
	if out := w.Stage.Outputs[0]; len(out.FanOut) > 0 {
		values = nil
		for c := range contractsPerRoot {
			v := w.Keys["root"] + []string{"H5", "M5", "U5", "Z5"}[c]
			values, record.FanOut = append(values, []string{v}), append(record.FanOut, v)
		}
	}
	var made []plan.Made
	for _, v := range values {
		out, err := w.Output(w.Stage.Outputs[0], v)
		if err != nil {
			m.b.Fatal(err)
		}
		made = append(made, m.publish(l, record, w, out, reads))
	}
	p.Committed(it, made)
	if record.FanOut != nil {
		p.FanOut(it, record.FanOut)
		if err := l.SetFanOut(it.Stage, it.Unit, manifest.FanOut{Values: record.FanOut}); err != nil {
			m.b.Fatal(err)
		}
	}
}

// publish writes one partition's folder.
func (m *maker) publish(l *lake.Lake, record manifest.Manifest, w *plan.Work, p addr.Partition, reads []string) plan.Made {
	data := []byte(p.String())
	sum := sha256.Sum256(data)
	record.Dataset, record.Keys, record.RowCount = p.Dataset.String(), p.Keys, 1
	record.Contract = manifest.Contract{Path: w.Stage.Outputs[0].To.ContractPath, Digest: w.Stage.Outputs[0].To.Contract.Digest}
	record.Files = []manifest.File{{Name: manifest.DataName, Bytes: int64(len(data)), SHA256: hex.EncodeToString(sum[:])}}
	digest := manifest.ContentDigest(record.Files)
	record.Digest = digest.String()
	text, err := manifest.Encode(&record)
	if err != nil {
		m.b.Fatal(err)
	}
	folder, err := l.Folder(p)
	if err != nil {
		m.b.Fatal(err)
	}
	dir := filepath.Join(m.root, folder)
	m.write(filepath.Join(dir, manifest.DataName), data)
	m.write(filepath.Join(dir, manifest.FileName), text)
	success := sha256.Sum256(text)
	m.write(filepath.Join(dir, manifest.SuccessName), []byte(hex.EncodeToString(success[:])+"\n"))
	fmt.Fprintf(&m.ninja, "build %s/%s: make %s\n", folder, manifest.SuccessName, strings.Join(reads, " "))
	fp, err := manifest.ParseSum(record.Fingerprint.Sum)
	if err != nil {
		m.b.Fatal(err)
	}
	return plan.Made{Partition: p, Fingerprint: fp, Digest: digest, Rows: 1, Bytes: int64(len(data))}
}
