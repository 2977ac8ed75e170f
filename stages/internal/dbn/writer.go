package dbn

import (
	"bufio"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Writer writes one file. The same calls give the same bytes.
type Writer struct {
	out  *bufio.Writer
	zstd *zstd.Encoder
}

// NewWriter writes the head of a plain file.
func NewWriter(w io.Writer, m Metadata) (*Writer, error) {
	head, err := m.Encode()
	if err != nil {
		return nil, err
	}
	out := &Writer{out: bufio.NewWriterSize(w, 1<<16)}
	if _, err := out.out.Write(head); err != nil {
		return nil, err
	}
	return out, nil
}

// NewZstdWriter writes the head of a zstd-compressed file.
func NewZstdWriter(w io.Writer, m Metadata) (*Writer, error) {
	enc, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	out, err := NewWriter(enc, m)
	if err != nil {
		return nil, err
	}
	out.zstd = enc
	return out, nil
}

// Write appends one whole record, as Append made it.
func (w *Writer) Write(rec []byte) error {
	if len(rec) < headerSize || int(rec[0])*4 != len(rec) {
		return fmt.Errorf("a record of %d bytes does not carry its own length", len(rec))
	}
	_, err := w.out.Write(rec)
	return err
}

// Close flushes; the underlying writer stays the caller's to close.
func (w *Writer) Close() error {
	if err := w.out.Flush(); err != nil {
		return err
	}
	if w.zstd != nil {
		return w.zstd.Close()
	}
	return nil
}
