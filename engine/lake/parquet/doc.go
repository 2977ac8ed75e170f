// Package parquet writes and reads the Parquet files of a lake: Arrow record
// batches in, Arrow record batches of a wanted schema out.
//
// Writing is byte-deterministic: the bytes depend on schema and rows alone,
// not on how the rows came in batches nor on the number of workers. Row groups
// have RowGroupRows rows and pages PageRows, or fewer where lists or texts are long
// (pageRoom); every page is compressed with zstd level 3 and has a checksum of what
// is stored, which readers compare. Each column chunk starts with a dictionary,
// whose indices are run-length encoded: columns of an order book repeat their
// values, so most of them cost little more than one comparison a value. A chunk
// whose first page has more distinct values than half its rows, or whose dictionary
// outgrows dictLimit or a page, goes on without: DELTA_BINARY_PACKED for integers
// and DELTA_BYTE_ARRAY for strings that cannot be null, PLAIN for everything else
// (arrow's reader fails on nullable delta columns). The footer is made by arrow's
// metadata package, with the lists of encodings set here in fixed order.
//
// Reading streams the asked columns only, in batches, in memory bounded by one
// page a column. What a header or footer says of sizes is held against the bytes
// that are there before anything is allocated for it; panics of the library, which
// reads the footer and some codecs, become errors.
package parquet

// Sizes of everything written, in rows.
const (
	RowGroupRows = 131_072
	PageRows     = 16_384
)

// dictLimit is the greatest number of values in a dictionary.
const dictLimit = 8_192

// createdBy is written into every footer; part of the bytes. Its version is raised
// whenever other bytes come of the same rows: only columns of files that it wrote are
// copied as they are. Pages of 1.0.0 had no checksum.
const createdBy = "dag version 1.1.0"

// Codes of parquet.thrift, Encoding and PageType.
const (
	encPlain           = 0
	encPlainDictionary = 2
	encRLE             = 3
	encDeltaBinary     = 5
	encDeltaLength     = 6
	encDeltaByteArray  = 7
	encRLEDictionary   = 8
	encByteSplit       = 9
	pageTypeData       = 0
	pageTypeDictionary = 2
	pageTypeDataV2     = 3
)
