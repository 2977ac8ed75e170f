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
	bufferSize    = 1 << 18   // of decompressed data, some 700 mbp-10 records; it stays in the processor's cache
	maxZstdWindow = 128 << 20 // a decompressor holds one window; the zstd program refuses more, too
	maxEmptyReads = 100       // in a row, as in package bufio
)

var zstdMagic = []byte{0x28, 0xB5, 0x2F, 0xFD}

// Reader streams the records of one file. It is for one goroutine.
type Reader struct {
	Metadata Metadata

	name    string
	src     io.Reader
	zstd    *zstd.Decoder // nil if the file is plain
	buf     []byte
	pos     int   // of the next record in buf
	end     int   // of the data in buf
	base    int64 // offset of buf in the decompressed data
	srcErr  error // what src ended with
	records int64
}

// NewReader reads the metadata of a file; name is for messages. Compression is
// known by its magic, not by the name. Close the Reader when done; r stays the
// caller's. Errors are *FormatError.
func NewReader(r io.Reader, name string) (*Reader, error) {
	rd := &Reader{name: name}
	if err := rd.open(r); err != nil {
		rd.Close()
		return nil, err
	}
	return rd, nil
}

func (r *Reader) open(src io.Reader) error {
	in := bufio.NewReaderSize(src, 1<<16)
	magic, err := in.Peek(11)
	if err != nil && !errors.Is(err, io.EOF) {
		return r.fail("the file cannot be read", err)
	}
	if isDBZ(magic) {
		return r.fail("the file is in DBZ, the vendor's format before DBN; convert it to DBN with the vendor's dbn program", nil)
	}
	r.src = in
	if isZstd(magic) {
		// One goroutine: stages run side by side, and the output of a frame is
		// decoded straight into our buffer.
		r.zstd, err = zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return r.fail("the zstd decompressor cannot start", err)
		}
		r.src = r.zstd
	}
	r.buf = make([]byte, bufferSize)
	return r.readMetadata()
}

// isZstd knows a frame, and a skippable frame, which may come first.
func isZstd(magic []byte) bool { return bytes.HasPrefix(magic, zstdMagic) || isSkippable(magic) }

func isSkippable(magic []byte) bool {
	return len(magic) >= 4 && magic[0]&0xF0 == 0x50 && magic[1] == 0x2A && magic[2] == 0x4D && magic[3] == 0x18
}

// isDBZ knows the format before DBN: its metadata is a skippable frame.
func isDBZ(magic []byte) bool {
	return isSkippable(magic) && len(magic) >= 11 && string(magic[8:11]) == "DBZ"
}

// Close frees the decompressor. The Reader must not be used after it.
func (r *Reader) Close() error {
	if r.zstd != nil {
		r.zstd.Close()
	}
	return nil
}

func (r *Reader) fail(msg string, err error) error {
	return &FormatError{Name: r.name, Offset: r.Offset(), Msg: msg, Err: err}
}

// fill brings n bytes from pos on into the buffer, n <= bufferSize, and returns
// how many are there: fewer than n if the data ends.
func (r *Reader) fill(n int) int {
	if have := r.end - r.pos; have >= n || r.srcErr != nil {
		return have
	}
	copy(r.buf, r.buf[r.pos:r.end])
	r.base += int64(r.pos)
	r.end -= r.pos
	r.pos = 0
	for empty := 0; r.end < n && r.srcErr == nil; {
		got, err := r.src.Read(r.buf[r.end:])
		r.end += got
		r.srcErr = err
		if got > 0 {
			empty = 0
		} else if empty++; empty >= maxEmptyReads && err == nil {
			r.srcErr = io.ErrNoProgress
		}
	}
	return r.end
}

// ended describes data that stops too early, or could not be read on.
func (r *Reader) ended(what string, need, have int) error {
	switch {
	case errors.Is(r.srcErr, io.EOF):
		return r.fail(fmt.Sprintf("the file ends inside %s, which needs %d bytes and has %d: it is cut off; fetch it again", what, need, have), io.ErrUnexpectedEOF)
	case r.zstd != nil && errors.Is(r.srcErr, io.ErrUnexpectedEOF):
		return r.fail("the zstd data ends before "+what+" is complete: the file is cut off; fetch it again", r.srcErr)
	case r.zstd != nil && (errors.Is(r.srcErr, zstd.ErrWindowSizeExceeded) || errors.Is(r.srcErr, zstd.ErrDecoderSizeExceeded)):
		return r.fail(fmt.Sprintf("the zstd data wants a window of more than %d bytes; compress it again with a smaller one", maxZstdWindow), r.srcErr)
	case r.zstd != nil:
		return r.fail("the zstd data of "+what+" is damaged; fetch the file again", r.srcErr)
	default:
		return r.fail("the file cannot be read", r.srcErr)
	}
}

func (r *Reader) readMetadata() error {
	have := r.fill(prefixSize)
	head := r.buf[r.pos:r.end]
	switch {
	case have == 0 && errors.Is(r.srcErr, io.EOF):
		return r.fail("the file is empty; a DBN file begins with \"DBN\"", io.ErrUnexpectedEOF)
	case have >= 4 && string(head[:3]) != "DBN": // fewer may be the magic of zstd, cut off
		return r.fail(notDBN(head[:min(have, 8)]), nil)
	case have < prefixSize:
		return r.ended("the head of the file", prefixSize, have)
	}
	version, length := head[3], binary.LittleEndian.Uint32(head[4:])
	if version < 1 || version > 3 {
		r.pos += 3
		return r.fail(fmt.Sprintf("version %d of DBN is not known; versions 1 to 3 are", version), nil)
	}
	if length < metadataFixed || length > maxMetadata {
		r.pos += 4
		return r.fail(fmt.Sprintf("the metadata claims %d bytes; it has from %d to %d", length, metadataFixed, maxMetadata), nil)
	}
	r.pos += prefixSize
	data, err := r.collect(int(length))
	if err != nil {
		return err
	}
	m, at, wrong := parseMetadata(version, data)
	if wrong != "" {
		return &FormatError{Name: r.name, Offset: int64(prefixSize + at), Msg: "the metadata is broken: " + wrong}
	}
	r.Metadata = m
	return nil
}

// notDBN describes a file by its first bytes.
func notDBN(head []byte) string {
	msg := fmt.Sprintf("the file begins with % x instead of \"DBN\"", head)
	if beginsRecord(head) {
		return msg + ": it looks like a fragment, records without metadata; put the head of the file it was cut from before it"
	}
	return msg + ": it is not a DBN file"
}

// beginsRecord tells whether head may be that of a record decoded here.
func beginsRecord(head []byte) bool {
	if len(head) < 2 {
		return false
	}
	size := int(head[0]) * 4
	switch head[1] {
	case RTypeTrade:
		return size == TradeSize
	case RTypeMBP1:
		return size == MBP1Size
	case RTypeMBP10:
		return size == MBP10Size
	case RTypeDefinition:
		return size == definitionLayouts[1].size || size == definitionLayouts[2].size || size == definitionLayouts[3].size
	}
	return false
}

// collect reads n bytes, growing as they come: a false length costs nothing.
func (r *Reader) collect(n int) ([]byte, error) {
	var data []byte
	for len(data) < n {
		want := min(n-len(data), bufferSize)
		have := min(r.fill(want), want)
		data = append(data, r.buf[r.pos:r.pos+have]...)
		r.pos += have
		if have < want {
			return nil, r.ended("the metadata", n, len(data))
		}
	}
	return data, nil
}

// Next returns the next record, whole: header, fields, and the send time if
// there is one. It is valid until the next call. The end of the data between two
// records is io.EOF; other errors are *FormatError, and stay. Records of every
// type are returned, known or not: the caller tells them apart by RType, and
// counts what it skips.
func (r *Reader) Next() ([]byte, error) {
	if r.end-r.pos < headerSize && r.fill(headerSize) < headerSize {
		if r.end == r.pos && errors.Is(r.srcErr, io.EOF) {
			return nil, io.EOF
		}
		return nil, r.ended(fmt.Sprintf("the header of record %d", r.records), headerSize, r.end-r.pos)
	}
	length := int(r.buf[r.pos]) * 4
	if length < headerSize {
		return nil, r.fail(fmt.Sprintf("record %d claims %d bytes, fewer than the %d of its header", r.records, length, headerSize), nil)
	}
	if r.end-r.pos < length && r.fill(length) < length {
		return nil, r.ended(fmt.Sprintf("record %d", r.records), length, r.end-r.pos)
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
