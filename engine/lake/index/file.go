package index

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"slices"
	"sync"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/manifest"
)

const (
	magic      = "dagindex"
	version    = 2
	headerSize = len(magic) + 3*4
	lineSize   = 4 + 16 + 2*4 + 2*4 + 4 + 4 // of a series in the directory, without its keys
	entrySize  = 16 + 4 + 1 + 2*16 + 2*8
	fileSize   = 4 + 8 + 16 + 16 // without the name
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// buffers are those that blocks are read into; nothing decoded points into one.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

var errDamaged = errors.New("the index is damaged or of another version")

// block is where a series' entries and files lie in a file.
type block struct {
	in             io.ReaderAt
	at             int64
	size           int
	crc            uint32
	entries, files int
}

// read returns the block's bytes, in buf where they fit.
func (b *block) read(buf []byte) ([]byte, error) {
	buf = slices.Grow(buf[:0], b.size)[:b.size]
	if _, err := b.in.ReadAt(buf, b.at); err != nil && err != io.EOF {
		return nil, err
	}
	if crc32.Checksum(buf, castagnoli) != b.crc {
		return nil, errDamaged
	}
	return buf, nil
}

// Encode makes the file's bytes. A series that has not been loaded is copied as
// it is.
func Encode(series []*Series) ([]byte, error) {
	le := binary.LittleEndian
	var dir, blocks []byte
	for _, s := range series {
		begin, entries, files := len(blocks), len(s.Traces), len(s.Files)
		if b := s.block; b != nil {
			buf, err := b.read(nil)
			if err != nil {
				return nil, err
			}
			blocks, entries, files = append(blocks, buf...), b.entries, b.files
		} else {
			blocks = s.append(blocks)
		}
		dir = appendText(dir, string(s.Keys))
		dir = le.AppendUint64(dir, s.Folder.Inode)
		dir = le.AppendUint64(dir, uint64(s.Folder.ModTime))
		dir = le.AppendUint32(dir, uint32(s.First))
		dir = le.AppendUint32(dir, uint32(s.Last))
		dir = le.AppendUint32(dir, uint32(entries))
		dir = le.AppendUint32(dir, uint32(files))
		dir = le.AppendUint32(dir, uint32(len(blocks)-begin))
		dir = le.AppendUint32(dir, crc32.Checksum(blocks[begin:], castagnoli))
	}
	out := make([]byte, 0, headerSize+len(dir)+4+len(blocks))
	out = append(out, magic...)
	out = le.AppendUint32(out, version)
	out = le.AppendUint32(out, uint32(len(series)))
	out = le.AppendUint32(out, uint32(len(dir)))
	out = append(out, dir...)
	out = le.AppendUint32(out, crc32.Checksum(out, castagnoli))
	return append(out, blocks...), nil
}

// append adds the block of a series.
func (s *Series) append(b []byte) []byte {
	le := binary.LittleEndian
	for i := range s.Traces {
		t := &s.Traces[i]
		b = le.AppendUint64(b, s.Stamps[i].Inode)
		b = le.AppendUint64(b, uint64(s.Stamps[i].ModTime))
		b = le.AppendUint32(b, uint32(t.Day))
		b = append(b, byte(t.State))
		b = append(b, t.Fingerprint[:]...)
		b = append(b, t.Digest[:]...)
		b = le.AppendUint64(b, uint64(t.Rows))
		b = le.AppendUint64(b, uint64(t.Bytes))
	}
	for i := range s.Files {
		f := &s.Files[i]
		b = appendText(b, f.Name)
		b = le.AppendUint64(b, uint64(f.Size))
		b = append(b, f.Digest[:]...)
		b = le.AppendUint64(b, f.Inode)
		b = le.AppendUint64(b, uint64(f.ModTime))
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
}

// Read reads the directory of a file of so many bytes. The series read the rest
// from in when they are loaded; in stays open until then. Anything that Encode did
// not make is an error.
func Read(in io.ReaderAt, size int64) ([]*Series, error) {
	var header [headerSize]byte
	if _, err := in.ReadAt(header[:], 0); err != nil {
		return nil, errDamaged
	}
	le := binary.LittleEndian
	count, dirSize := le.Uint32(header[len(magic)+4:]), int64(le.Uint32(header[len(magic)+8:]))
	if string(header[:len(magic)]) != magic || le.Uint32(header[len(magic):]) != version || int64(headerSize)+dirSize+4 > size || int64(count)*int64(lineSize) > dirSize {
		return nil, errDamaged
	}
	buf := make([]byte, int64(headerSize)+dirSize+4)
	if _, err := in.ReadAt(buf, 0); err != nil && err != io.EOF {
		return nil, errDamaged
	}
	body := buf[:len(buf)-4]
	if crc32.Checksum(body, castagnoli) != le.Uint32(buf[len(body):]) {
		return nil, errDamaged
	}
	r := reader{b: body[headerSize:]}
	series := make([]*Series, count)
	at := int64(len(buf))
	for i := range series {
		s := &Series{Keys: addr.Keys(r.text()), Folder: r.stamp(), First: calendar.Day(r.u32()), Last: calendar.Day(r.u32())}
		b := &block{in: in, at: at, entries: int(r.u32()), files: int(r.u32()), size: int(r.u32()), crc: r.u32()}
		if b.entries*entrySize+b.files*fileSize > b.size {
			return nil, errDamaged
		}
		at += int64(b.size)
		s.block, series[i] = b, s
	}
	if r.short || len(r.b) > 0 || at != size {
		return nil, errDamaged
	}
	return series, nil
}

// Load reads what Read has left; a second Load does nothing. After an error the
// series is empty.
func (s *Series) Load() error {
	b := s.block
	if b == nil {
		return nil
	}
	s.block = nil
	pooled := buffers.Get().(*[]byte)
	defer buffers.Put(pooled)
	buf, err := b.read(*pooled)
	if err == nil {
		err = s.decode(buf, b)
		*pooled = buf
	}
	if err != nil {
		*s = Series{Keys: s.Keys}
	}
	return err
}

func (s *Series) decode(buf []byte, b *block) error {
	r := reader{b: buf}
	if b.entries > 0 {
		s.Stamps, s.Traces = make([]Stamp, b.entries), make([]manifest.Trace, b.entries)
		le := binary.LittleEndian
		last := int64(math.MinInt64)
		for i, b := 0, r.take(b.entries*entrySize); i < len(s.Traces); i, b = i+1, b[entrySize:] {
			s.Stamps[i] = Stamp{le.Uint64(b), int64(le.Uint64(b[8:]))}
			t := &s.Traces[i]
			t.Day, t.State = calendar.Day(le.Uint32(b[16:])), manifest.State(b[20])
			copy(t.Fingerprint[:], b[21:])
			copy(t.Digest[:], b[37:])
			t.Rows, t.Bytes = int64(le.Uint64(b[53:])), int64(le.Uint64(b[61:]))
			if t.State > manifest.Complete || int64(t.Day) <= last {
				return errDamaged
			}
			last = int64(t.Day)
		}
		if s.First != s.Traces[0].Day || int64(s.Last) != last {
			return errDamaged
		}
	}
	if b.files > 0 {
		s.Files = make([]File, b.files)
	}
	for i := range s.Files {
		s.Files[i] = File{Name: r.text(), Size: int64(r.u64()), Digest: r.sum(), Stamp: r.stamp()}
		if i > 0 && s.Files[i].Name <= s.Files[i-1].Name {
			return errDamaged
		}
	}
	if r.short || len(r.b) > 0 {
		return errDamaged
	}
	return nil
}

// reader takes values off b; after its end it gives zeros and is short.
type reader struct {
	b     []byte
	short bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.short, r.b = true, nil
		return make([]byte, min(n, fileSize))
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) u32() uint32       { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *reader) u64() uint64       { return binary.LittleEndian.Uint64(r.take(8)) }
func (r *reader) sum() manifest.Sum { return manifest.Sum(r.take(16)) }
func (r *reader) stamp() Stamp      { return Stamp{r.u64(), int64(r.u64())} }

func (r *reader) text() string {
	n := r.u32()
	if uint64(n) > uint64(len(r.b)) {
		r.short, r.b = true, nil
		return ""
	}
	return string(r.take(int(n)))
}
