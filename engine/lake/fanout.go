package lake

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/gofrs/flock"

	"dag/engine/addr"
	"dag/engine/manifest"
)

// fanOuts is the record of one stage: the values that each of its units has made.
// On disk it is one JSON object a line, appended; the last line of a unit
// counts, and a line that a crash has cut short is passed over.
type fanOuts struct {
	units map[addr.Keys]manifest.FanOut
	read  int64 // how much of the file has been taken in
}

// fanOutLine is one line of the record.
type fanOutLine struct {
	Stage string    `json:"stage"`
	Unit  addr.Keys `json:"unit"`
	manifest.FanOut
}

// fanOutPath of a stage; the name is hashed because an instance may hold any
// character.
func (l *Lake) fanOutPath(stage addr.Stage) string {
	h := sha256.Sum256([]byte(stage.String()))
	return filepath.Join(l.path(fanOutDir), stage.Name+"-"+hex.EncodeToString(h[:8])+".jsonl")
}

// fanOuts returns the record of a stage; l.mu is locked.
func (l *Lake) fanOuts(stage addr.Stage) (*fanOuts, error) {
	path := l.fanOutPath(stage)
	if f := l.fans[path]; f != nil {
		return f, nil
	}
	f := &fanOuts{units: map[addr.Keys]manifest.FanOut{}}
	if err := f.readOn(path, stage); err != nil {
		return nil, err
	}
	l.fans[path] = f
	return f, nil
}

// readOn takes in the whole lines that were appended since; a file that is shorter
// than it was is another one.
func (f *fanOuts) readOn(path string, stage addr.Stage) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("fan-out record of %s: %w", stage, err)
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() < f.read {
		f.read = 0
	}
	b, err := io.ReadAll(io.NewSectionReader(file, f.read, math.MaxInt64-f.read))
	if err != nil {
		return fmt.Errorf("fan-out record of %s: %w", stage, err)
	}
	begin, err := json.Marshal(stage.String())
	if err != nil {
		return err
	}
	begin = append(append([]byte(`{"stage":`), begin...), `,"unit":"`...)
	lists := map[string][]string{}
	for line := range bytes.Lines(b[:bytes.LastIndexByte(b, '\n')+1]) {
		f.read += int64(len(line))
		if unit, values, ok := plainLine(line, begin, lists); ok {
			f.units[unit] = manifest.FanOut{Values: values}
			continue
		}
		var r fanOutLine
		if json.Unmarshal(line, &r) == nil && r.Stage == stage.String() {
			f.units[r.Unit] = r.FanOut
		}
	}
	return nil
}

// plainLine takes a line apart that begins as those of a stage do and holds nothing
// but printable ASCII without escapes, as nearly all do: a plan reads one for every
// unit there ever was. Lists that occur again are shared; known has them by their
// text.
func plainLine(line, begin []byte, known map[string][]string) (addr.Keys, []string, bool) {
	rest, ok := bytes.CutPrefix(line, begin)
	if !ok {
		return "", nil, false
	}
	unit, rest, ok := cutPlain(rest)
	if !ok {
		return "", nil, false
	}
	text, ok := bytes.CutPrefix(rest, []byte(`,"values":[`))
	if !ok || len(text) == 0 {
		return "", nil, false
	}
	if values, ok := known[string(text)]; ok {
		return addr.Keys(unit), values, true
	}
	values := []string{}
	rest = text
	for more := rest[0] == '"'; more; {
		var value []byte
		if value, rest, ok = cutPlain(rest[1:]); !ok {
			return "", nil, false
		}
		values = append(values, string(value))
		if more = bytes.HasPrefix(rest, []byte(`,"`)); more {
			rest = rest[1:]
		}
	}
	if string(rest) != "]}\n" {
		return "", nil, false
	}
	known[string(text)] = values
	return addr.Keys(unit), values, true
}

// cutPlain cuts a text at the quote that ends it.
func cutPlain(b []byte) (text, rest []byte, ok bool) {
	for i, c := range b {
		switch {
		case c == '"':
			return b[:i], b[i+1:], true
		case c < ' ' || c > '~' || c == '\\':
			return nil, nil, false
		}
	}
	return nil, nil, false
}

// FanOuts returns, by unit, what a fan-out stage has made. A record that is gone
// reads as empty: the manifests of the partitions, each of which names its
// siblings, say the same.
func (l *Lake) FanOuts(stage addr.Stage) (map[addr.Keys]manifest.FanOut, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := l.fanOuts(stage)
	if err != nil {
		return nil, err
	}
	return maps.Clone(f.units), nil
}

// FanOut returns what is recorded of one unit, by other processes meanwhile as
// well, and false if nothing is.
func (l *Lake) FanOut(stage addr.Stage, unit addr.Keys) (manifest.FanOut, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := l.fanOuts(stage)
	if err != nil {
		return manifest.FanOut{}, false, err
	}
	if err := f.readOn(l.fanOutPath(stage), stage); err != nil {
		return manifest.FanOut{}, false, err
	}
	r, ok := f.units[unit]
	r.Values = slices.Clone(r.Values)
	return r, ok, nil
}

// SetFanOut records what a unit makes. The record is synced: between the
// publications of a unit's outputs nothing else says which are still to come.
func (l *Lake) SetFanOut(stage addr.Stage, unit addr.Keys, r manifest.FanOut) (err error) {
	if l.o.NoWrite {
		return errNoWrite
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := l.fanOuts(stage)
	if err != nil {
		return err
	}
	if old, ok := f.units[unit]; ok && slices.Equal(old.Values, r.Values) && sameMade(old.Made, r.Made) {
		return nil
	}
	r.Values = append([]string{}, r.Values...)
	if err := l.appendFanOut(stage, fanOutLine{stage.String(), unit, r}); err != nil {
		return explain(err, "fan-out record of "+stage.String(), l.path(fanOutDir))
	}
	f.units[unit] = r
	return nil
}

func sameMade(a, b *manifest.Made) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Fingerprint == b.Fingerprint
}

// appendFanOut adds a line while no other process does, after ending a line
// that was cut short.
func (l *Lake) appendFanOut(stage addr.Stage, line fanOutLine) (err error) {
	if err := os.MkdirAll(l.path(fanOutDir), 0o777); err != nil {
		return err
	}
	lock := flock.New(filepath.Join(l.path(fanOutDir), "lock"))
	if err := lock.Lock(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	f, err := os.OpenFile(l.fanOutPath(stage), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	if info, err := f.Stat(); err == nil && info.Size() > 0 {
		var last [1]byte
		if _, err := f.ReadAt(last[:], info.Size()-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			w.WriteByte('\n') // its error is Flush's
		}
	}
	b, err := json.Marshal(line)
	if err != nil {
		return err
	}
	w.Write(append(b, '\n')) // its error is Flush's
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Sync()
}
