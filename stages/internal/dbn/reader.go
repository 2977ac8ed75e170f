package dbn

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

const (
	bufferSize   = 1 << 20
	headerSize   = 16
	maxZstdFrame = 256 << 20 // the window a frame may ask for
)

var (
	zstdMagic = []byte{0x28, 0xB5, 0x2F, 0xFD}
	dbzMagic  = []byte{0x44, 0x42, 0x5A} // "DBZ"
)

// Reader streams the records of one file.
type Reader struct {
	Metadata Metadata

	name    string
	src     io.Reader
	zstd    *zstd.Decoder
	buf     []byte
	pos     int // of the next record in buf
	end     int // of the data in buf
	base    int64
	srcErr  error
	records int64
}

// NewReader reads the metadata of a file; name is for messages. The zstd
// compression is known by its magic. Close the Reader when done; r stays the
// caller's.
func NewReader(r io.Reader, name string) (*Reader, error) {
	rd := &Reader{name: name}
	if err := rd.open(r); err != nil {
		rd.Close()
		return nil, err
	}
	return rd, nil
}

func (r *Reader) open(src io.Reader) error {
	head := bufio.NewReaderSize(src, 1<<16)
	magic, err := head.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return r.fail("the file cannot be read", err)
	}
	r.src = head
	if isZstd(magic) {
		r.zstd, err = zstd.NewReader(head, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdFrame))
		if err != nil {
			return r.fail("the zstd decompressor cannot start", err)
		}
		r.src = r.zstd
	}
	r.buf = make([]byte, bufferSize)
	return r.readMetadata()
}

// isZstd knows a frame, and a skippable frame, which may come first.
func isZstd(magic []byte) bool {
	return bytes.Equal(magic, zstdMagic) || len(magic) == 4 && magic[0]&0xF0 == 0x50 && magic[1] == 0x2A && magic[2] == 0x4D && magic[3] == 0x18
}

// Close frees the decompressor.
func (r *Reader) Close() error {
	if r.zstd != nil {
		r.zstd.Close()
		r.zstd = nil
	}
	return nil
}

func (r *Reader) fail(msg string, err error) error {
	return &FormatError{Name: r.name, Offset: r.base + int64(r.pos), Msg: msg, Err: err}
}

// fill brings at least n bytes from pos on into the buffer. It returns how
// many there are when the data ends before.
func (r *Reader) fill(n int) int {
	if have := r.end - r.pos; have >= n || r.srcErr != nil {
		return have
	}
	copy(r.buf, r.buf[r.pos:r.end])
	r.base += int64(r.pos)
	r.end -= r.pos
	r.pos = 0
	for r.end < n && r.srcErr == nil {
		var got int
		got, r.srcErr = r.src.Read(r.buf[r.end:])
		r.end += got
	}
	return r.end
}

// sourceError is the error the data ended with, unless it was its proper end.
func (r *Reader) sourceError() error {
	if r.srcErr == nil || errors.Is(r.srcErr, io.EOF) {
		return nil
	}
	return r.srcErr
}

// ended describes data that stops too early.
func (r *Reader) ended(what string, need, have int) error {
	if err := r.sourceError(); err != nil {
		if r.zstd != nil {
			return r.fail("the zstd data is damaged or cut off", err)
		}
		return r.fail("the file cannot be read", err)
	}
	return r.fail(fmt.Sprintf("the file ends inside %s, which needs %d bytes and has %d: it is cut off; fetch it again", what, need, have), io.ErrUnexpectedEOF)
}

func (r *Reader) readMetadata() error {
	have := r.fill(8)
	head := r.buf[r.pos:r.end]
	switch {
	case have == 0 && r.sourceError() == nil:
		return r.fail("the file is empty", nil)
	case have >= 3 && bytes.Equal(head[:3], dbzMagic):
		return r.fail("the file is in the old DBZ format, which is not read; convert it to DBN with the vendor's tool", nil)
	case have >= 3 && !bytes.Equal(head[:3], []byte("DBN")):
		return r.fail(fmt.Sprintf("the file is not DBN: it begins with % x instead of \"DBN\"", head[:min(have, 8)]), nil)
	case have < 8:
		return r.ended("its first 8 bytes", 8, have)
	}
	version, length := head[3], binary.LittleEndian.Uint32(head[4:])
	if version < 1 || version > 3 {
		return r.fail(fmt.Sprintf("version %d of DBN is not known; versions 1 to 3 are", version), nil)
	}
	if length < metadataFixed || length > maxMetadata {
		return r.fail(fmt.Sprintf("the metadata claims %d bytes; it has from %d to %d", length, metadataFixed, maxMetadata), nil)
	}
	r.pos += 8
	var text bytes.Buffer
	if err := r.collect(&text, int(length)); err != nil {
		return err
	}
	return r.parseMetadata(version, text.Bytes())
}

// collect reads n bytes, growing as they come: a false length costs nothing.
func (r *Reader) collect(into *bytes.Buffer, n int) error {
	for into.Len() < n {
		want := min(n-into.Len(), bufferSize/2)
		have := min(r.fill(want), want)
		into.Write(r.buf[r.pos : r.pos+have])
		r.pos += have
		if have < want {
			return r.ended("the metadata", n, into.Len())
		}
	}
	return nil
}

// Next returns the next record, whole, header included; it is valid until the
// next call. The end of the data is io.EOF.
func (r *Reader) Next() ([]byte, error) {
	if r.end-r.pos < headerSize {
		if have := r.fill(headerSize); have < headerSize {
			if have == 0 && r.sourceError() == nil {
				return nil, io.EOF
			}
			return nil, r.ended(fmt.Sprintf("the header of record %d", r.records), headerSize, have)
		}
	}
	length := int(r.buf[r.pos]) * 4
	if length < headerSize {
		return nil, r.fail(fmt.Sprintf("record %d claims a length of %d bytes, less than its header of %d", r.records, length, headerSize), nil)
	}
	if r.end-r.pos < length {
		if have := r.fill(length); have < length {
			return nil, r.ended(fmt.Sprintf("record %d", r.records), length, have)
		}
	}
	rec := r.buf[r.pos : r.pos+length : r.pos+length]
	r.pos += length
	r.records++
	return rec, nil
}

// Records counts the records returned so far.
func (r *Reader) Records() int64 { return r.records }

// Offset is the place of the next record in the decompressed data.
func (r *Reader) Offset() int64 { return r.base + int64(r.pos) }
