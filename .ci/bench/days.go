package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// days measures raw DBN → approaches of the front contract; the smaller day
// beside the programs that people have.
func days(dag, dir string, events, big int) (string, error) {
	t := newTable("one synthetic day, raw DBN → approach2m of one contract", "records/s of CPU", "CPU s", "× `zstd -d`", "peak MB")
	if err := day(t, dag, filepath.Join(dir, "day"), events, true); err != nil {
		return "", err
	}
	if big > 0 {
		if err := day(t, dag, filepath.Join(dir, "bigday"), events*big, false); err != nil {
			return "", err
		}
	}
	return t.String(), nil
}

// market is one synthetic day in a lake of its own.
type market struct{ dag, lake, raw string }

// day measures one day; beside: also what other programs make of it.
func day(t *table, dag, dir string, events int, beside bool) error {
	defer os.RemoveAll(dir)
	m := &market{dag: dag, lake: filepath.Join(dir, "lake")}
	if _, err := run(dag, "demo", m.lake, "--days", "1", "--events", strconv.Itoa(events), "--option-events", "0", "-q"); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(m.lake, "raw/*/*/*/*/*.zst"))
	if err != nil || len(files) != 1 {
		return fmt.Errorf("%d raw files in %s (%v)", len(files), m.lake, err)
	}
	m.raw = files[0]
	rows, runs := m.decompression(events), 3
	decompressed := len(rows) > 0
	rows = append(rows, m.ways()...)
	if beside {
		others, err := m.others()
		if err != nil {
			return err
		}
		rows, runs = append(rows, others...), 5
	}
	if err := inTurn(runs, rows); err != nil {
		return err
	}
	var zstd cost
	if decompressed {
		zstd = rows[0].took
	}
	for _, r := range rows {
		rate := "–"
		if r.whole {
			rate = r.took.perSecond(events)
		}
		t.row(r.name, rate, r.took.seconds(), r.took.times(zstd), r.took.peak())
	}
	return nil
}

// decompression is what the rest is measured by; none where zstd is not installed.
func (m *market) decompression(events int) []row {
	if _, err := exec.LookPath("zstd"); err != nil {
		return nil
	}
	return []row{{name: fmt.Sprintf("`zstd -d` of its file, %s records", thousands(events)), whole: true, run: func() (cost, error) {
		return run("zstd", "-dqf", m.raw, "-o", os.DevNull)
	}}}
}

// ways are those in which the pipeline is run, the last with everything stored.
func (m *market) ways() []row {
	way := func(name string, args ...string) row {
		return row{name: name, whole: true, run: func() (cost, error) { return m.apply([]string{"bronze", "silver", ".dag"}, args...) }}
	}
	return []row{
		way("bronze", "ingest_mbp10"),
		way("`--var lean=true`: no events stored beyond bronze", "+approach", "--symbol", contractOf, "--var", "lean=true"),
		way("all datasets stored", "+approach", "--symbol", contractOf),
	}
}

// contractOf is the front contract of the synthetic market.
const contractOf = "ESU5"

// apply makes what is selected after some folders of the lake have been removed.
func (m *market) apply(remove []string, args ...string) (cost, error) {
	for _, made := range remove {
		if err := os.RemoveAll(filepath.Join(m.lake, made)); err != nil {
			return cost{}, err
		}
	}
	return run(m.dag, append([]string{"--lake", m.lake, "apply", "-q"}, args...)...)
}
