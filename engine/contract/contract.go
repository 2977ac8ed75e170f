// Package contract reads Avro record schemas into Arrow schemas and holds
// record batches to them. It does no I/O.
package contract

import "github.com/apache/arrow/go/v17/arrow"

// Contract is what a dataset's batches must look like: names, order, types
// and nullability, exactly.
type Contract struct {
	Name   string // the record's full name
	Schema *arrow.Schema
	Docs   []string // by field
	// Digest is the hex SHA-256 of names, order, types and nullability;
	// documentation and formatting leave it alone.
	Digest string
}
