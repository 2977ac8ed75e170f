package parquet

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// lz4Raw is the codec that other programs call LZ4: blocks without a frame.
const lz4Raw compress.Compression = 7

// readable tells whether pages of a codec can be read.
func readable(codec compress.Compression) error {
	if codec == lz4Raw {
		return nil
	}
	if _, err := compress.GetCodec(codec); err != nil {
		return fmt.Errorf("it is compressed with %s, which cannot be read; write the file again with zstd or snappy", codec)
	}
	return nil
}

// decoder uncompresses pages of all readers of the process, into what it is given:
// a frame that says it is larger is an error.
var decoder = sync.OnceValue(func() *zstd.Decoder {
	z, err := zstd.NewReader(nil, zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderConcurrency(0))
	if err != nil {
		panic(err) // the options are constant
	}
	return z
})

// inflate uncompresses src into dst, which it has to fill.
func inflate(codec compress.Compression, dst, src []byte) (err error) {
	var n int
	switch {
	case len(dst) == 0: // some writers compress nothing to nothing
	case codec == compress.Codecs.Uncompressed:
		n = len(src)
		copy(dst, src)
	case codec == compress.Codecs.Zstd:
		var out []byte
		out, err = decoder().DecodeAll(src, dst[:0:len(dst)])
		n = len(out)
	case codec == compress.Codecs.Snappy:
		if n, err = snappy.DecodedLen(src); err == nil && n == len(dst) {
			_, err = snappy.Decode(dst, src)
		}
	case codec == lz4Raw:
		n, err = lz4.UncompressBlock(src, dst)
	default:
		n, err = inflateStream(codec, dst, src)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", codec, err)
	}
	if n != len(dst) {
		return fmt.Errorf("a page has %d bytes uncompressed, and its header says %d", n, len(dst))
	}
	return nil
}

// inflateStream is inflate by the library, which bounds nothing by itself.
func inflateStream(codec compress.Compression, dst, src []byte) (int, error) {
	c, err := compress.GetCodec(codec)
	if err != nil {
		return 0, err
	}
	r := c.NewReader(bytes.NewReader(src))
	defer r.Close()
	n, err := io.ReadFull(r, dst)
	if err != nil {
		return n, err
	}
	if more, err := io.CopyN(io.Discard, r, 1); err != io.EOF {
		return n + int(more), err
	}
	return n, nil
}
