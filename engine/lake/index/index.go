// Package index is the cache of what a lake's folders say: one file a dataset
// or source, so that a listing needs one stat a partition instead of reading its
// manifest. It can be deleted at any time; a file that is damaged, or of
// another version, reads as empty.
//
// The file is flat and little-endian: magic and version, series after series
// (keys, then fixed-size entries or named files), and a CRC-32C of all before.
package index

import (
	"cmp"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"slices"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/manifest"
)

// Stamp identifies a version of a folder or file.
type Stamp struct {
	Inode   uint64
	ModTime int64 // ns; 0 matches nothing
}

// Entry is one partition's folder as it was when read.
type Entry struct {
	Stamp
	manifest.Trace
}

// File is one source file as it was when hashed.
type File struct {
	Name   string
	Size   int64
	Digest manifest.Sum
	Stamp
}

// Series is what is known of one series of a dataset (Entries, ascending by
// Day) or of a source (Files).
type Series struct {
	Keys    addr.Keys
	Entries []Entry
	Files   []File
}

// Find returns the position of a day's entry, or where it would stand.
func (s *Series) Find(day calendar.Day) (int, bool) {
	return slices.BinarySearchFunc(s.Entries, day, func(e Entry, d calendar.Day) int { return cmp.Compare(e.Day, d) })
}

const (
	magic     = "dagindex"
	version   = 1
	entrySize = 8 + 8 + 4 + 1 + 16 + 16 + 8 + 8
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errDamaged = errors.New("the index is damaged or of another version")

// Encode makes the file's bytes.
func Encode(series []Series) []byte {
	size := len(magic) + 12
	for _, s := range series {
		size += len(s.Keys) + 12 + entrySize*len(s.Entries)
		for _, f := range s.Files {
			size += len(f.Name) + 44
		}
	}
	le := binary.LittleEndian
	b := make([]byte, 0, size)
	b = append(b, magic...)
	b = le.AppendUint32(b, version)
	b = le.AppendUint32(b, uint32(len(series)))
	for _, s := range series {
		b = appendText(b, string(s.Keys))
		b = le.AppendUint32(b, uint32(len(s.Entries)))
		for _, e := range s.Entries {
			b = le.AppendUint64(b, e.Inode)
			b = le.AppendUint64(b, uint64(e.ModTime))
			b = le.AppendUint32(b, uint32(e.Day))
			b = append(b, byte(e.State))
			b = append(b, e.Fingerprint[:]...)
			b = append(b, e.Digest[:]...)
			b = le.AppendUint64(b, uint64(e.Rows))
			b = le.AppendUint64(b, uint64(e.Bytes))
		}
		b = le.AppendUint32(b, uint32(len(s.Files)))
		for _, f := range s.Files {
			b = appendText(b, f.Name)
			b = le.AppendUint64(b, uint64(f.Size))
			b = append(b, f.Digest[:]...)
			b = le.AppendUint64(b, f.Inode)
			b = le.AppendUint64(b, uint64(f.ModTime))
		}
	}
	return le.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func appendText(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
}

// Decode reads what Encode made; anything else is an error.
func Decode(b []byte) ([]Series, error) {
	if len(b) < len(magic)+12 || string(b[:len(magic)]) != magic {
		return nil, errDamaged
	}
	body := b[:len(b)-4]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(b[len(body):]) {
		return nil, errDamaged
	}
	r := reader{b: body[len(magic):]}
	if r.u32() != version {
		return nil, errDamaged
	}
	series := make([]Series, r.count(12))
	for i := range series {
		series[i].Keys = addr.Keys(r.text())
		series[i].Entries = r.entries()
		if n := r.count(44); n > 0 {
			series[i].Files = make([]File, n)
		}
		for k := range series[i].Files {
			f := &series[i].Files[k]
			f.Name, f.Size = r.text(), int64(r.u64())
			f.Digest = r.sum()
			f.Inode, f.ModTime = r.u64(), int64(r.u64())
		}
	}
	if r.short || len(r.b) > 0 {
		return nil, errDamaged
	}
	return series, nil
}

// reader takes values off b; after its end it gives zeros and is short.
type reader struct {
	b     []byte
	short bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.short, r.b = true, nil
		return make([]byte, n)
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) u32() uint32       { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *reader) u64() uint64       { return binary.LittleEndian.Uint64(r.take(8)) }
func (r *reader) sum() manifest.Sum { return manifest.Sum(r.take(16)) }

// count reads the number of things of at least size bytes each.
func (r *reader) count(size int) int {
	n := r.u32()
	if uint64(n)*uint64(size) > uint64(len(r.b)) {
		r.short, r.b = true, nil
		return 0
	}
	return int(n)
}

func (r *reader) text() string { return string(r.take(r.count(1))) }

func (r *reader) entries() []Entry {
	n := r.count(entrySize)
	if n == 0 {
		return nil
	}
	le := binary.LittleEndian
	out := make([]Entry, n)
	last := int64(math.MinInt64)
	for i, b := 0, r.take(n*entrySize); i < n; i, b = i+1, b[entrySize:] {
		e := &out[i]
		e.Inode, e.ModTime = le.Uint64(b), int64(le.Uint64(b[8:]))
		e.Day = calendar.Day(le.Uint32(b[16:]))
		e.State = manifest.State(b[20])
		copy(e.Fingerprint[:], b[21:])
		copy(e.Digest[:], b[37:])
		e.Rows, e.Bytes = int64(le.Uint64(b[53:])), int64(le.Uint64(b[61:]))
		if e.State > manifest.Complete || int64(e.Day) <= last {
			r.short = true
		}
		last = int64(e.Day)
	}
	return out
}
