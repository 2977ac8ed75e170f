package lake

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"dag/engine/addr"
	"dag/engine/manifest"
)

// OrphanKind is why a folder is no partition.
type OrphanKind string

// The kinds.
const (
	NoDataset OrphanKind = "no_dataset" // no dataset of the configuration has this place
	NoValue   OrphanKind = "no_value"   // in the place of a dataset, and a name is no value of its key
	NoPlace   OrphanKind = "no_place"   // a partition to which the caller gives no place
)

// OrphanFolder is a folder that looks like a partition and is none.
type OrphanFolder struct {
	Path  string // relative to the root
	Kind  OrphanKind
	Own   bool   // this program wrote it: there is a manifest of ours
	Name  string // the partition that its manifest or its place names; may be empty
	Why   string // of NoValue: what is wrong with the name
	Bytes int64  // of the files in it, of ours where it is Own

	files []string // of ours, the marker first and the manifest last
}

// Orphans looks through the whole lake for folders that hold rows, a marker or a
// manifest and are no partition: knows tells which partitions have a place. What
// this program did not write counts only where a dataset's partitions lie. looked
// is told of every folder.
func (l *Lake) Orphans(ctx context.Context, knows func(addr.Partition) bool, looked func()) ([]OrphanFolder, error) {
	var out []OrphanFolder
	var walk func(rel string) error
	walk = func(rel string) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		entries, err := os.ReadDir(l.path(rel))
		if absent(err) {
			return nil
		}
		if err != nil {
			return err
		}
		looked()
		data := false
		for _, e := range entries {
			name := e.Name()
			switch {
			case name[0] == '.':
			case e.IsDir():
				if err := walk(path.Join(rel, name)); err != nil {
					return err
				}
			default:
				data = data || name == manifest.SuccessName || name == manifest.FileName || isRows(name)
			}
		}
		if !data {
			return nil
		}
		if o, ok := l.orphan(rel, knows); ok {
			out = append(out, o)
		}
		return nil
	}
	return out, walk("")
}

// orphan judges one folder with data.
func (l *Lake) orphan(rel string, knows func(addr.Partition) bool) (OrphanFolder, bool) {
	o := OrphanFolder{Path: rel, Kind: NoDataset}
	for _, d := range l.order {
		t := l.tables[d]
		if t.Source {
			continue
		}
		keys, why, ok := t.locate(rel)
		p := addr.Partition{Dataset: d, Keys: keys}
		switch {
		case !ok:
			continue
		case why == nil && knows(p):
			return o, false
		case why == nil:
			o.Kind, o.Name = NoPlace, p.String()
		default:
			o.Kind, o.Name, o.Why = NoValue, d.String(), why.Error()
		}
		break
	}
	if b, err := readSmall(filepath.Join(l.path(rel), manifest.FileName), manifest.MaxBytes); err == nil {
		if m, err := manifest.Decode(b); err == nil {
			o.Own = true
			if o.Kind == NoDataset {
				o.Name = m.Partition().String()
			}
			o.files = append(o.files, manifest.SuccessName)
			for _, f := range m.Files {
				o.files = append(o.files, f.Name)
			}
			o.files = append(o.files, manifest.FileName)
		}
	}
	if !o.Own && o.Kind == NoDataset {
		return o, false
	}
	o.Bytes = l.bytesIn(rel, o.files)
	return o, true
}

// locate finds the keys of the partition whose folder a path is. It is false for
// the path of something else; the error says which value is wrong.
func (t *table) locate(rel string) (addr.Keys, error, bool) {
	parts := strings.Split(rel, "/")
	segments := t.Path
	if len(parts) != len(segments) {
		return "", nil, false
	}
	values := map[string]string{}
	var wrong error
	for i, s := range segments {
		if s.Key == "" {
			if parts[i] != s.Prefix {
				return "", nil, false
			}
			continue
		}
		if len(parts[i]) < len(s.Prefix)+len(s.Suffix) || !strings.HasPrefix(parts[i], s.Prefix) || !strings.HasSuffix(parts[i], s.Suffix) {
			return "", nil, false
		}
		v := parts[i][len(s.Prefix) : len(parts[i])-len(s.Suffix)]
		if err := t.check(t.key(s.Key), v); err != nil && wrong == nil {
			wrong = err
		}
		if old, ok := values[s.Key]; ok && old != v {
			return "", nil, false
		}
		values[s.Key] = v
	}
	if wrong != nil {
		return "", wrong, true
	}
	kv := make([]addr.KeyValue, len(t.Keys))
	for i, k := range t.Keys {
		kv[i] = addr.KeyValue{Key: k.Name, Value: values[k.Name]}
	}
	return addr.MakeKeys(kv...), nil, true
}

// bytesIn sums up files of a folder, all where none are named; partitions below it
// are others. What cannot be read counts nothing.
func (l *Lake) bytesIn(rel string, names []string) int64 {
	var n int64
	entries, err := os.ReadDir(l.path(rel))
	if err != nil {
		return 0
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && (len(names) == 0 || slices.Contains(names, e.Name())) {
			n += info.Size()
		}
	}
	return n
}

// bytesBelow sums up the files of a folder; what cannot be read counts nothing.
func (l *Lake) bytesBelow(rel string) int64 {
	var n int64
	err := filepath.WalkDir(l.path(rel), func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			n += info.Size()
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	return n
}
