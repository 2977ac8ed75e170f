package dbn

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Writer writes one file. The same calls give the same bytes.
type Writer struct {
	out  *bufio.Writer
	zstd *zstd.Encoder // nil if the file is plain
}

// NewWriter writes the head of a plain file. Close the Writer when done; w stays
// the caller's.
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

// NewZstdWriter is NewWriter for a file of one zstd frame.
func NewZstdWriter(w io.Writer, m Metadata) (*Writer, error) {
	// One goroutine, also for the sake of the same bytes.
	enc, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	out, err := NewWriter(enc, m)
	if err != nil {
		return nil, errors.Join(err, enc.Close())
	}
	out.zstd = enc
	return out, nil
}

// Write appends one whole record, as Append made it or Next returned it. It does
// not keep rec.
func (w *Writer) Write(rec []byte) error {
	if len(rec) < headerSize || int(rec[0])*4 != len(rec) {
		return fmt.Errorf("the record has %d bytes, which its first byte, the length in words of 4, does not say", len(rec))
	}
	_, err := w.out.Write(rec)
	return err
}

// Close writes what is left. A file is complete only if Close returned nil.
func (w *Writer) Close() error {
	err := w.out.Flush()
	if w.zstd != nil {
		err = errors.Join(err, w.zstd.Close())
	}
	return err
}
