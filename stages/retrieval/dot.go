package retrieval

import "github.com/viterin/vek/vek32"

// dot is the product of two vectors of one length, at least 1, in any order of
// summation: with AVX2 where the processor has it.
func dot(a, b []float32) float32 { return vek32.Dot(a, b) }
