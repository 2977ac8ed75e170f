package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"dag/engine/addr"
	"dag/engine/lake/index"
)

// Health is what a lake's place is like, for doctor.
type Health struct {
	Exists bool  // the root is there; if it is not, nothing else is known
	Write  error // why nothing can be written; nil: it can
	// Exchange and Links tell what the file system can do; known only if it can be
	// written.
	Exchange, Links bool
	Free, Total     int64 // bytes of the file system; 0: unknown
	// Skew is how far the file system's clock is ahead of ours.
	Skew    time.Duration
	Index   map[addr.Dataset]error // of what has one: why it is ignored; nil: it is fine
	Sources int                    // files that were looked at
	// Unreadable are the sources' files that cannot be opened, and why.
	Unreadable []error
}

// Examine tries out the place of a lake. It writes a folder in .dag/tmp and
// removes it again, and creates no lake where there is none.
func (l *Lake) Examine(ctx context.Context) (Health, error) {
	var h Health
	if info, err := os.Stat(l.root); errors.Is(err, fs.ErrNotExist) {
		return h, nil
	} else if err != nil {
		return h, err
	} else if !info.IsDir() {
		return h, fmt.Errorf("%s is no folder", l.root)
	}
	h.Exists = true
	h.Free, h.Total = space(l.root)
	h.Write = explain(l.tryOut(&h), "write", l.root)
	h.Index = l.examineIndex()
	err := l.examineSources(ctx, &h)
	return h, err
}

// tryOut writes, exchanges and links files, and reads the file system's clock.
func (l *Lake) tryOut(h *Health) (err error) {
	if l.o.NoWrite {
		return errNoWrite
	}
	run, err := l.runFolder()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.leaveRun()) }()
	a, b := filepath.Join(run, "a"), filepath.Join(run, "b")
	for _, dir := range []string{a, b} {
		if err := l.fs.Mkdir(dir); err != nil {
			return err
		}
	}
	file := filepath.Join(a, "file")
	before := l.o.Now()
	if err := writeFile(l.fs, file, []byte("doctor\n")); err != nil {
		return err
	}
	after := l.o.Now()
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	h.Skew = skew(info.ModTime(), before, after)
	h.Links = os.Link(file, filepath.Join(b, "link")) == nil
	err = l.fs.Exchange(a, b)
	h.Exchange = err == nil
	if errors.Is(err, errNoExchange) {
		return nil
	}
	return err
}

// skew is how far a time lies outside of what the clock said before and after.
func skew(t, before, after time.Time) time.Duration {
	switch {
	case t.Before(before):
		return t.Sub(before)
	case t.After(after):
		return t.Sub(after)
	}
	return 0
}

// examineIndex decodes the index files that there are.
func (l *Lake) examineIndex() map[addr.Dataset]error {
	out := map[addr.Dataset]error{}
	for _, d := range l.order {
		f, err := os.Open(l.indexPath(d))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = errors.Join(examineFile(f), f.Close())
		}
		out[d] = err
	}
	return out
}

// examineFile decodes all of an index file.
func examineFile(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	series, err := index.Read(f, info.Size())
	for _, s := range series {
		err = errors.Join(err, s.Load())
	}
	return err
}

// examineSources opens every file of every source.
func (l *Lake) examineSources(ctx context.Context, h *Health) error {
	for _, d := range l.order {
		if !l.tables[d].Source {
			continue
		}
		t, err := l.Table(ctx, d, nil)
		if err != nil {
			h.Unreadable = append(h.Unreadable, err)
			continue
		}
		for _, s := range t.Series {
			for _, f := range s.Files {
				h.Sources++
				l.looked.Add(1)
				if err := l.tryOpen(d, s.Keys, f.Name); err != nil {
					h.Unreadable = append(h.Unreadable, err)
				}
			}
		}
	}
	return ctx.Err()
}

func (l *Lake) tryOpen(source addr.Dataset, series addr.Keys, name string) error {
	f, err := l.OpenSource(source, series, name)
	if err != nil {
		return err
	}
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close() // read only: nothing can be lost
	_, err = r.Read(make([]byte, 1))
	if err != nil && f.Size() > 0 {
		return err
	}
	return nil
}
