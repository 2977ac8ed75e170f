// Package synthetic makes a futures market that never was: raw DBN files (spec
// 12), the same bytes for the same configuration. A ten-level book follows a price
// path that visits the pre-market and opening-range levels and breaks them, turns
// at them or stays there, so that every stage after the raw files has something
// to find. Files hold what real ones hold: several contracts and a calendar
// spread, clears and snapshots, crossed books, bad flags, and events that arrive
// out of their order; and beside the futures a chain of options with its
// definitions, quotes, trades and statistics. Into the books an effect can be
// planted, which a study of what precedes a break must find, as it must find
// none where there is none.
package synthetic

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"dag/stages/internal/dbn"
)

const dateLayout = "2006-01-02"

// Config is what a market is made from.
type Config struct {
	Seed     uint64
	Root     string          // of the contracts: ES, with quarterly months
	Start    string          // YYYY-MM-DD; the first session is this day or the next that is one
	Days     int             // sessions
	Events   int             // about this many records of futures a session, all instruments together
	Holidays map[string]bool // days without a session besides weekends, YYYY-MM-DD

	// OptionEvents is about how many mbp-1 records of options a session has; 0: no
	// files of options. It does not change the futures.
	OptionEvents int

	FrontOnly bool // the front contract alone, without the next one and their spread

	// Effect, from 0 to 1, is how strongly the book of a future tells what the price
	// will do at a level that it is coming up to: 0, not at all. It is planted in the
	// book's records alone; the path of the price does not depend on it.
	Effect float64
}

// Default is a week of a small market with options and without effect: nothing
// in it foretells anything, as far as its makers know.
func Default() Config {
	return Config{Seed: 1, Root: "ES", Start: "2025-08-04", Days: 5, Events: 60_000, OptionEvents: 6000}
}

// Study is a market to measure retrieval on: enough sessions, and as little else
// as it takes. It has no effect until Effect is set.
func Study() Config {
	return Config{Seed: 1, Root: "ES", Start: "2025-01-06", Days: 60, Events: 8000, FrontOnly: true}
}

// Summary says what Write made. Files that were already there count too.
type Summary struct {
	Days    []string // sessions, YYYY-MM-DD
	Files   []string // of futures: their paths
	Records int64    // in them
	Bytes   int64    // of them

	OptionFiles   []string // four a session: definition, trades, mbp-1, statistics
	OptionRecords int64
	OptionBytes   int64
}

const (
	minEvents = 1000
	maxEvents = 1 << 30
	maxDays   = 10_000
)

var rootPattern = regexp.MustCompile(`^[A-Z0-9]{1,6}$`)

func (c Config) check() error {
	switch {
	case !rootPattern.MatchString(c.Root):
		return fmt.Errorf("synthetic market: root %q: use one to six capital letters or digits, such as ES", c.Root)
	case c.Events < minEvents || c.Events > maxEvents:
		return fmt.Errorf("synthetic market: %d events a day: use from %d to %d", c.Events, minEvents, maxEvents)
	case c.OptionEvents != 0 && (c.OptionEvents < minEvents || c.OptionEvents > maxEvents):
		return fmt.Errorf("synthetic market: %d option events a day: use 0 for no options, or from %d to %d", c.OptionEvents, minEvents, maxEvents)
	case !(c.Effect >= 0 && c.Effect <= 1):
		return fmt.Errorf("synthetic market: effect %v: use from 0 to 1", c.Effect)
	case c.Days < 1 || c.Days > maxDays:
		return fmt.Errorf("synthetic market: %d days: use from 1 to %d", c.Days, maxDays)
	}
	return nil
}

// Sessions lists the sessions of the market, YYYY-MM-DD.
func (c Config) Sessions() ([]string, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	day, err := parseDay(c.Start)
	if err != nil {
		return nil, err
	}
	last := day.AddDate(0, 0, 10*c.Days+366) // so that a calendar of nothing but holidays ends
	days := make([]string, 0, c.Days)
	for ; len(days) < c.Days; day = day.AddDate(0, 0, 1) {
		if day.After(last) {
			return nil, fmt.Errorf("synthetic market: only %d of %d sessions from %s to %s; the holidays leave no more", len(days), c.Days, c.Start, last.Format(dateLayout))
		}
		if name := day.Format(dateLayout); day.Weekday() != time.Saturday && day.Weekday() != time.Sunday && !c.Holidays[name] {
			days = append(days, name)
		}
	}
	return days, nil
}

func parseDay(s string) (time.Time, error) {
	day, err := time.Parse(dateLayout, s)
	if err != nil || day.Year() < 2007 || day.Year() > 2200 {
		return time.Time{}, fmt.Errorf("synthetic market: day %q: use YYYY-MM-DD, from 2007 to 2200", s)
	}
	return day, nil
}

// ForeignError is a raw file that this market would not have: of a vendor, or of
// another market.
type ForeignError struct {
	Path string
}

func (e *ForeignError) Error() string {
	return e.Path + " is not a file of this synthetic market"
}

// target is a file that the market has.
type target struct {
	path   string
	option bool
	fill   func(io.Writer) (records int, err error)
}

// Write puts the zstd-compressed DBN files of each session below lakeRoot, where
// the lake keeps raw files (spec 01 §1.2): one of futures and, if there are
// options, four of them. A file appears whole or not at all; one that is there with the same
// content is left as it is. If the lake has any other raw file, nothing is written
// and the error is a ForeignError: what is there cannot be had again.
func Write(lakeRoot string, cfg Config) (Summary, error) {
	days, err := cfg.Sessions()
	if err != nil {
		return Summary{}, err
	}
	sum := Summary{Days: days}
	targets := cfg.targets(lakeRoot, days)
	there, err := rawFiles(lakeRoot)
	if err != nil {
		return sum, err
	}
	// Those that are there first: nothing is written until all of them are known.
	missing, err := sum.compare(targets, there)
	if err != nil {
		return sum, err
	}
	for _, t := range missing {
		records, size, err := writeFile(t.path, t.fill)
		if err != nil {
			return sum, err
		}
		sum.count(t, records, size)
	}
	for _, t := range targets {
		if t.option {
			sum.OptionFiles = append(sum.OptionFiles, t.path)
		} else {
			sum.Files = append(sum.Files, t.path)
		}
	}
	return sum, nil
}

// targets are all files of the market.
func (c Config) targets(lakeRoot string, days []string) []target {
	var out []target
	for _, day := range days {
		out = append(out, target{
			path: rawPath(lakeRoot, c.Root, "future", "market_by_price_10_dbn", day, dbn.SchemaMBP10),
			fill: func(w io.Writer) (int, error) { return WriteDay(w, c, day) },
		})
		if c.OptionEvents == 0 {
			continue
		}
		for _, f := range optionFiles {
			out = append(out, target{
				path: rawPath(lakeRoot, c.Root, "future_option", f.table, day, f.schema), option: true,
				fill: func(w io.Writer) (int, error) { return WriteOptionDay(w, c, day, f.schema) },
			})
		}
	}
	return out
}

// rawFiles are the raw files of a lake, without hidden ones: a listing has none of
// those, and an interrupted Write may leave some.
func rawFiles(lakeRoot string) (map[string]bool, error) {
	found := map[string]bool{}
	raw := filepath.Join(lakeRoot, "raw")
	err := filepath.WalkDir(raw, func(path string, e fs.DirEntry, err error) error {
		switch {
		case path == raw && errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case path != raw && e.Name()[0] == '.' && e.IsDir():
			return fs.SkipDir
		case !e.IsDir() && e.Name()[0] != '.':
			found[path] = true
		}
		return nil
	})
	return found, err
}

// compare counts the targets that are there as they would be written, and returns
// the others.
func (s *Summary) compare(targets []target, there map[string]bool) (missing []target, err error) {
	known := map[string]bool{}
	for _, t := range targets {
		known[t.path] = true
	}
	for _, path := range slices.Sorted(maps.Keys(there)) { // the cheap look before the thorough one
		if !known[path] {
			return nil, &ForeignError{path}
		}
	}
	for _, t := range targets {
		if !there[t.path] {
			missing = append(missing, t)
			continue
		}
		records, size, err := sameContent(t)
		if err != nil {
			return nil, err
		}
		s.count(t, records, size)
	}
	return missing, nil
}

func (s *Summary) count(t target, records int, size int64) {
	if t.option {
		s.OptionRecords, s.OptionBytes = s.OptionRecords+int64(records), s.OptionBytes+size
		return
	}
	s.Records, s.Bytes = s.Records+int64(records), s.Bytes+size
}

// rawPath is where the lake has a file of a day, named as the vendor does.
func rawPath(lakeRoot, root, product, table, day string, schema dbn.Schema) string {
	return filepath.Join(lakeRoot, "raw", "source=databento", "product_type="+product, "symbol="+root, "table="+table,
		"glbx-mdp3-"+day[:4]+day[5:7]+day[8:]+"."+schema.String()+".dbn.zst")
}

// writeFile makes a file of what fill writes, and returns its number of records
// and its size.
func writeFile(path string, fill func(io.Writer) (int, error)) (records int, size int64, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("synthetic market: %s: %w", path, err)
		}
	}()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return 0, 0, err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".synthetic-*")
	if err != nil {
		return 0, 0, err
	}
	defer func() {
		temp.Close() // again after success: harmless
		if rmErr := os.Remove(temp.Name()); rmErr != nil && !errors.Is(rmErr, fs.ErrNotExist) && err == nil {
			err = rmErr
		}
	}()
	if records, err = fill(temp); err != nil {
		return 0, 0, err
	}
	if size, err = temp.Seek(0, io.SeekCurrent); err != nil {
		return 0, 0, err
	}
	if err = temp.Chmod(0o644); err != nil {
		return 0, 0, err
	}
	if err = errors.Join(temp.Sync(), temp.Close()); err != nil {
		return 0, 0, err
	}
	return records, size, os.Rename(temp.Name(), path)
}

// sameContent reads a file that is there beside what would be written: records and
// size if they are the same, else a ForeignError.
func sameContent(t target) (records int, size int64, err error) {
	old, err := os.Open(t.path)
	if err != nil {
		return 0, 0, err
	}
	defer old.Close()
	c := &comparer{old: bufio.NewReaderSize(old, 1<<16)}
	records, err = t.fill(c)
	if err == nil {
		_, err = c.old.ReadByte()
		if err == nil {
			err = errOther // it goes on
		}
	}
	switch {
	case errors.Is(err, errOther):
		return 0, 0, &ForeignError{t.path}
	case err != io.EOF:
		return 0, 0, fmt.Errorf("synthetic market: %s: %w", t.path, err)
	}
	return records, c.size, nil
}

// errOther is the error of a comparer that has met other bytes.
var errOther = errors.New("other content")

// comparer takes what a file is to hold, as a writer.
type comparer struct {
	old  *bufio.Reader
	size int64
	buf  []byte
}

func (c *comparer) Write(b []byte) (int, error) {
	c.buf = slices.Grow(c.buf[:0], len(b))[:len(b)]
	n, err := io.ReadFull(c.old, c.buf)
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF || err == nil && !bytes.Equal(b, c.buf):
		return 0, errOther
	case err != nil:
		return 0, err
	}
	c.size += int64(n)
	return n, nil
}

// WriteDay writes the zstd-compressed file of one session to w, and returns the
// number of its records. Its content depends on seed, root, number of events and
// day, and on nothing else; memory does not grow with the number of events.
func WriteDay(w io.Writer, cfg Config, day string) (records int, err error) {
	s, err := newSession(cfg, day)
	if err != nil {
		return 0, err
	}
	return writeZstd(w, s.metadata(), s.run)
}

// writeZstd writes a zstd-compressed file of the records that run hands out, and
// counts them.
func writeZstd(w io.Writer, m dbn.Metadata, run func(write func([]byte) error) error) (records int, err error) {
	out, err := dbn.NewZstdWriter(w, m)
	if err != nil {
		return 0, err
	}
	err = run(func(rec []byte) error {
		records++
		return out.Write(rec)
	})
	if err = errors.Join(err, out.Close()); err != nil {
		return 0, err
	}
	return records, nil
}
