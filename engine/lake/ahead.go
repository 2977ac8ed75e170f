package lake

import (
	"github.com/apache/arrow/go/v17/arrow"

	"dag/engine/parallel"
)

// ahead yields what batches yields, of which the next one is made while one is
// worked on.
func ahead(batches Batches) Batches {
	keep := func(rec arrow.Record) { // batches lets go of it when asked for the next
		if rec != nil {
			rec.Retain()
		}
	}
	drop := func(rec arrow.Record) {
		if rec != nil {
			rec.Release()
		}
	}
	return Batches(parallel.Ahead(batches, keep, drop))
}
