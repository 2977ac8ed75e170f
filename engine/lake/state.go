package lake

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"dag/engine/addr"
	"dag/engine/lake/index"
	"dag/engine/lake/parquet"
	"dag/engine/manifest"
)

// content is what a partition's folder holds, as far as it could be read.
type content struct {
	trace manifest.Trace // without Day
	stamp index.Stamp    // of the folder
	m     *manifest.Manifest
	files []string // names of data files, in reading order
	why   string   // why the state is not Complete, for messages
}

// readContent reads the folder of a partition. It is not an error that there
// is none. A folder that is replaced meanwhile is read again, so that a marker
// is never compared with the manifest of another version. known is what the
// index says of it: files of another tool that have not changed since are not
// hashed again.
func (l *Lake) readContent(dir string, known index.Entry) (content, error) {
	for {
		before, err := os.Stat(dir)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !before.IsDir() {
			return content{why: "there is no folder"}, nil
		}
		if err != nil {
			return content{}, err
		}
		if known.State != manifest.Unverified || known.Stamp != stampOf(before) {
			known = index.Entry{}
		}
		c, err := readOnce(dir, known)
		after, serr := os.Stat(dir)
		if serr == nil && os.SameFile(before, after) {
			c.stamp = stampOf(before)
			return c, err
		}
	}
}

func readOnce(dir string, known index.Entry) (content, error) {
	var c content
	marker, err := readSmall(filepath.Join(dir, manifest.SuccessName), maxMarker)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.trace.State, c.why = manifest.Incomplete, "it has no "+manifest.SuccessName
		return c, nil
	case errors.Is(err, errUnfit):
		c.trace.State, c.why = manifest.Incomplete, err.Error()
		return c, nil
	case err != nil:
		return c, err
	}
	digest := strings.TrimSpace(string(marker))
	if b, err := hex.DecodeString(digest); err != nil || len(b) != sha256.Size {
		return readForeign(dir, known)
	}
	c.trace.State = manifest.UnreadableManifest
	data, err := readSmall(filepath.Join(dir, manifest.FileName), manifest.MaxBytes)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.why = manifest.FileName + " is gone"
		return c, nil
	case errors.Is(err, errUnfit):
		c.why = err.Error()
		return c, nil
	case err != nil:
		return c, err
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != digest {
		c.why = manifest.FileName + " is not the one that " + manifest.SuccessName + " stands for"
		return c, nil
	}
	m, err := manifest.Decode(data)
	if err != nil {
		c.why = err.Error()
		return c, nil
	}
	return c, c.judge(dir, m)
}

// judge compares the data files with their manifest.
func (c *content) judge(dir string, m *manifest.Manifest) error {
	c.m = m
	c.trace.State = manifest.OutputChanged
	var size int64
	for _, f := range m.Files {
		info, err := os.Stat(filepath.Join(dir, f.Name))
		if errors.Is(err, fs.ErrNotExist) {
			c.why = f.Name + " is gone"
			return nil
		}
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			c.why = f.Name + " is no file"
			return nil
		}
		if info.Size() != f.Bytes {
			c.why = fmt.Sprintf("%s has %d bytes, its manifest says %d", f.Name, info.Size(), f.Bytes)
			return nil
		}
		size += f.Bytes
		c.files = append(c.files, f.Name)
	}
	var err error
	if c.trace.Digest, err = manifest.ParseSum(m.Digest); err != nil {
		return err
	}
	if c.trace.Fingerprint, err = manifest.ParseSum(m.Fingerprint.Sum); err != nil {
		return err
	}
	c.trace.State, c.trace.Rows, c.trace.Bytes = manifest.Complete, m.RowCount, size
	return nil
}

// readForeign hashes the files of a folder that another tool has written.
func readForeign(dir string, known index.Entry) (content, error) {
	c := content{why: manifest.SuccessName + " is of another tool"}
	names, err := foreignFiles(dir)
	if errors.Is(err, errUnfit) {
		c.trace.State, c.why = manifest.Incomplete, err.Error()
		return c, nil
	}
	if err != nil {
		return c, err
	}
	c.files = names
	if known.State == manifest.Unverified {
		c.trace = known.Trace
		return c, nil
	}
	var files []manifest.File
	for _, name := range names {
		f, rows, err := hashForeign(filepath.Join(dir, name))
		if err != nil {
			return c, err
		}
		files = append(files, f)
		c.trace.Rows += rows
		c.trace.Bytes += f.Bytes
	}
	c.trace.State, c.trace.Digest = manifest.Unverified, manifest.ContentDigest(files)
	return c, nil
}

// foreignFiles lists the files with rows by name; the error is errUnfit if something
// that is no file has such a name, or a link that leads nowhere.
func foreignFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if !isRows(e.Name()) {
			continue
		}
		if info, err := os.Stat(filepath.Join(dir, e.Name())); err != nil || !info.Mode().IsRegular() {
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			return nil, fmt.Errorf("%s %w", e.Name(), errUnfit)
		}
		names = append(names, e.Name())
	}
	return names, nil
}

// isRows tells the files that hold a partition's rows from what lies beside them.
func isRows(name string) bool {
	return strings.HasPrefix(name, "part-") && strings.HasSuffix(name, ".parquet")
}

// hashForeign hashes a file and takes the row count of its footer. A file that
// is no Parquet has no rows here; reading it says why.
func hashForeign(path string) (manifest.File, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return manifest.File{}, 0, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return manifest.File{}, 0, fmt.Errorf("%s: %w", path, err)
	}
	out := manifest.File{Name: filepath.Base(path), Bytes: n, SHA256: hex.EncodeToString(h.Sum(nil))}
	p, err := parquet.NewFile(path, f)
	if err != nil {
		return out, 0, nil
	}
	return out, p.Rows(), nil
}

// errUnfit says that something is no regular file, or too large a one: it cannot be
// what its name says, and a partition that has it is made anew. What the file system
// cannot tell is another error.
var errUnfit = errors.New("is not a file that can be read")

// maxMarker is the size of the largest _SUCCESS that is looked at; ours have 65 bytes,
// those of other tools are empty or a short text.
const maxMarker = 64 << 10

// readSmall reads a regular file of at most limit bytes; of anything else the error
// is errUnfit.
func readSmall(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s %w", filepath.Base(path), errUnfit)
	case info.Size() > limit:
		return nil, fmt.Errorf("%s %w: it has %d bytes, and at most %d are read", filepath.Base(path), errUnfit, info.Size(), limit)
	}
	return os.ReadFile(path)
}

// content reads a partition's folder by its address.
func (l *Lake) content(p addr.Partition) (content, string, error) {
	rel, err := l.Folder(p)
	if err != nil {
		return content{}, "", err
	}
	c, err := l.readContent(l.path(rel), l.indexed(p))
	if err != nil {
		return c, rel, fmt.Errorf("%s: %w", p, err)
	}
	return c, rel, nil
}

// Manifest reads the manifest of a partition, whether or not its data files
// are as it says. Where there is none of ours the error says why.
func (l *Lake) Manifest(p addr.Partition) (*manifest.Manifest, error) {
	c, rel, err := l.content(p)
	if err != nil {
		return nil, err
	}
	if c.m == nil {
		return nil, fmt.Errorf("%s has no manifest of ours: %s (%s)", p, c.why, rel)
	}
	return c.m, nil
}
