package lake

import (
	"github.com/apache/arrow/go/v17/arrow"

	"dag/engine/stage"
)

// ahead yields what batches yields, of which the next one is made while one is
// worked on. It returns when batches has, or panics if that does.
func ahead(batches Batches) Batches {
	type item struct {
		rec arrow.Record
		err error
	}
	return func(yield func(arrow.Record, error) bool) {
		next, enough := make(chan item), make(chan struct{})
		wait := stage.Go(func() error {
			defer close(next)
			for rec, err := range batches {
				if rec != nil {
					rec.Retain() // batches lets go of it when asked for the next
				}
				select {
				case next <- item{rec, err}:
				case <-enough:
					if rec != nil {
						rec.Release()
					}
					return nil
				}
			}
			return nil
		})
		defer wait()
		defer close(enough)
		for it := range next {
			more := yield(it.rec, it.err)
			if it.rec != nil {
				it.rec.Release()
			}
			if !more {
				return
			}
		}
	}
}
