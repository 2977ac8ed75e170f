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
type market struct {
	dag, lake, raw string
	events         int
	zstd           cost // of decompressing its file; none: zstd is not installed
	table          *table
}

func day(t *table, dag, dir string, events int, beside bool) error {
	defer os.RemoveAll(dir)
	m := &market{dag: dag, lake: filepath.Join(dir, "lake"), events: events, table: t}
	if _, err := run(dag, "demo", m.lake, "--days", "1", "--events", strconv.Itoa(events), "--option-events", "0", "-q"); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(m.lake, "raw/*/*/*/*/*.zst"))
	if err != nil || len(files) != 1 {
		return fmt.Errorf("%d raw files in %s (%v)", len(files), m.lake, err)
	}
	m.raw = files[0]
	if _, err := exec.LookPath("zstd"); err == nil {
		if m.zstd, err = median(3, func() (cost, error) { return run("zstd", "-dqf", m.raw, "-o", os.DevNull) }); err != nil {
			return err
		}
		m.row(fmt.Sprintf("`zstd -d` of its file, %s records", thousands(events)), m.zstd, true)
	}
	if err := m.ways(); err != nil || !beside {
		return err
	}
	return m.others()
}

// row adds a line; whole: it is about all records of the day.
func (m *market) row(name string, c cost, whole bool) {
	rate := "–"
	if whole {
		rate = c.perSecond(m.events)
	}
	m.table.row(name, rate, c.seconds(), c.times(m.zstd), c.peak())
}

// ways runs the pipeline three times in each way, the last with everything stored.
func (m *market) ways() error {
	for _, way := range []struct {
		name string
		args []string
	}{
		{"bronze", []string{"ingest_mbp10"}},
		{"`--var lean=true`: no events stored beyond bronze", []string{"+approach", "--symbol", contractOf, "--var", "lean=true"}},
		{"all datasets stored", []string{"+approach", "--symbol", contractOf}},
	} {
		c, err := median(3, func() (cost, error) { return m.apply([]string{"bronze", "silver", ".dag"}, way.args...) })
		if err != nil {
			return err
		}
		m.row(way.name, c, true)
	}
	return nil
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
