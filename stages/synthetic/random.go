package synthetic

import (
	"hash/fnv"
	"math/bits"
	"math/rand/v2"
)

// What a stream of random numbers is for: streams differ, so that a change to one
// part of the market leaves the others as they were.
const (
	streamLevel uint64 = iota + 1
	streamPath
	streamFlow
	streamOptions
	streamStatistics
)

// random draws integers; the same seed gives the same ones everywhere.
type random struct{ src *rand.PCG }

func newRandom(cfg Config, stream uint64, at int64) random {
	h := fnv.New64a()
	h.Write([]byte(cfg.Root)) // never fails
	return random{rand.NewPCG(cfg.Seed^h.Sum64(), stream<<48^uint64(at)*0x9E3779B97F4A7C15)}
}

// below is uniform in [0,n); n must be positive.
func (r random) below(n int) int {
	hi, _ := bits.Mul64(r.src.Uint64(), uint64(n))
	return int(hi)
}

// between is uniform in [lo,hi].
func (r random) between(lo, hi int) int { return lo + r.below(hi-lo+1) }

// chance is true n times in ten thousand.
func (r random) chance(n int) bool { return r.below(10_000) < n }

// sign is -1 or +1.
func (r random) sign() int { return 1 - 2*r.below(2) }
