// Package synthetic makes a futures market that never was: raw DBN files of
// schema mbp-10 (spec 12), the same bytes for the same configuration. A ten-level
// book follows a price path that visits the pre-market and opening-range levels
// and breaks them, turns at them or stays there, so that every stage after the
// raw files has something to find. Files hold what real ones hold: several
// contracts and a calendar spread, clears and snapshots, crossed books, bad
// flags, and events that arrive out of their order.
package synthetic

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
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
	Events   int             // about this many records a session, all instruments together
	Holidays map[string]bool // days without a session besides weekends, YYYY-MM-DD
}

// Default is a week of a small market.
func Default() Config {
	return Config{Seed: 1, Root: "ES", Start: "2025-08-04", Days: 5, Events: 60_000}
}

// Summary says what Write made. Files that were already there count too.
type Summary struct {
	Days    []string // sessions, YYYY-MM-DD
	Files   []string // paths
	Records int64
	Bytes   int64 // of the files
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

// Write puts one zstd-compressed DBN file for each session below lakeRoot, where
// the lake keeps raw files (spec 01 §1.2). A file appears whole or not at all;
// one that is there with the same content is left as it is.
func Write(lakeRoot string, cfg Config) (Summary, error) {
	days, err := cfg.Sessions()
	if err != nil {
		return Summary{}, err
	}
	dir := filepath.Join(lakeRoot, "raw", "source=databento", "product_type=future", "symbol="+cfg.Root, "table=market_by_price_10_dbn")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Summary{}, err
	}
	var sum Summary
	for _, day := range days {
		path := filepath.Join(dir, "glbx-mdp3-"+day[:4]+day[5:7]+day[8:]+".mbp-10.dbn.zst")
		records, size, err := writeFile(path, cfg, day)
		if err != nil {
			return sum, fmt.Errorf("synthetic market: %s: %w", path, err)
		}
		sum.Days, sum.Files = append(sum.Days, day), append(sum.Files, path)
		sum.Records, sum.Bytes = sum.Records+int64(records), sum.Bytes+size
	}
	return sum, nil
}

func writeFile(path string, cfg Config, day string) (records int, size int64, err error) {
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
	if records, err = WriteDay(temp, cfg, day); err != nil {
		return 0, 0, err
	}
	if size, err = temp.Seek(0, io.SeekCurrent); err != nil {
		return 0, 0, err
	}
	same, err := sameContent(temp, size, path)
	if err != nil || same {
		return records, size, err
	}
	if err = temp.Chmod(0o644); err != nil {
		return 0, 0, err
	}
	if err = errors.Join(temp.Sync(), temp.Close()); err != nil {
		return 0, 0, err
	}
	return records, size, os.Rename(temp.Name(), path)
}

// sameContent compares a new file with the one at path, which may be absent.
func sameContent(made *os.File, size int64, path string) (bool, error) {
	old, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer old.Close()
	if info, err := old.Stat(); err != nil || info.Size() != size {
		return false, err
	}
	if _, err := made.Seek(0, io.SeekStart); err != nil {
		return false, err
	}
	a, b := make([]byte, 1<<16), make([]byte, 1<<16)
	for left := size; left > 0; {
		n := min(left, int64(len(a)))
		if _, err := io.ReadFull(made, a[:n]); err != nil {
			return false, err
		}
		if _, err := io.ReadFull(old, b[:n]); err != nil {
			return false, err
		}
		if !bytes.Equal(a[:n], b[:n]) {
			return false, nil
		}
		left -= n
	}
	return true, nil
}

// WriteDay writes the zstd-compressed file of one session to w, and returns the
// number of its records. Its content depends on seed, root, number of events and
// day, and on nothing else; memory does not grow with the number of events.
func WriteDay(w io.Writer, cfg Config, day string) (records int, err error) {
	s, err := newSession(cfg, day)
	if err != nil {
		return 0, err
	}
	out, err := dbn.NewZstdWriter(w, s.metadata())
	if err != nil {
		return 0, err
	}
	if err := s.run(out.Write); err != nil {
		return 0, errors.Join(err, out.Close())
	}
	return s.records, out.Close()
}
