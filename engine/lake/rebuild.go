package lake

import (
	"context"
	"fmt"
	"os"

	"dag/engine/addr"
	"dag/engine/lake/index"
	"dag/engine/manifest"
)

// Rebuilt is what a new index says of one dataset or source.
type Rebuilt struct {
	Dataset addr.Dataset
	Source  bool
	Entries int // partitions, or files
}

// RebuildIndex forgets the index, looks at every folder anew and saves what it
// finds. Datasets come first: their manifests know digests of the sources' files.
func (l *Lake) RebuildIndex(ctx context.Context) ([]Rebuilt, error) {
	if l.o.NoWrite {
		return nil, errNoWrite
	}
	for _, d := range l.order {
		if err := os.RemoveAll(l.indexPath(d)); err != nil {
			return nil, explain(err, "rebuild the index", l.path(indexDir))
		}
		c := l.cache(d)
		c.mu.Lock()
		c.loaded, c.dirty, c.series = true, true, map[addr.Keys]*index.Series{}
		c.mu.Unlock()
	}
	var out []Rebuilt
	for _, source := range []bool{false, true} {
		for _, d := range l.order {
			if l.tables[d].Source != source {
				continue
			}
			t, err := l.Table(ctx, d, nil)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", d, err)
			}
			r := Rebuilt{Dataset: d, Source: source}
			for _, s := range t.Series {
				r.Entries += len(s.Parts) + len(s.Files)
			}
			if err := l.keepKnown(t); err != nil {
				return nil, err
			}
			out = append(out, r)
		}
	}
	return out, l.SaveIndex()
}

// keepKnown puts the digests of a source's files into the index that manifests
// have told: nobody has to hash them again.
func (l *Lake) keepKnown(t *manifest.Table) error {
	for _, s := range t.Series {
		for _, k := range s.Files {
			if k.Digest == (manifest.Sum{}) {
				continue
			}
			f, err := l.OpenSource(t.Dataset, s.Keys, k.Name)
			if err != nil {
				return err
			}
			f.digest = k.Digest
			l.keep(f)
		}
	}
	return nil
}
