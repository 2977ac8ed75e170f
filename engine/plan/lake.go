// Package plan decides what is stale and why. It expands stages to units and
// datasets to partitions as ranges of sessions, compares fingerprints with the
// traces of the lake, and keeps the reason of every decision as a typed value.
// A Plan is a value that is printed, saved, or handed to exec, which tells it
// what came out so that it can release, cut off and grow. It runs nothing and
// writes nothing.
package plan

import (
	"context"

	"dag/engine/addr"
	"dag/engine/manifest"
)

// Lake is what planning asks of storage.
type Lake interface {
	// Table returns the traces of those of a dataset's partitions that are wanted, or a
	// source's files. All series are listed; of a source's that nothing is wanted of the
	// files have only names.
	Table(ctx context.Context, d addr.Dataset, want manifest.Want) (*manifest.Table, error)
	// Manifest reads one partition's manifest.
	Manifest(p addr.Partition) (*manifest.Manifest, error)
	// Digest returns the content digest of a source's file, hashing it unless
	// its size and time of change are known.
	Digest(ctx context.Context, source addr.Dataset, series addr.Keys, file string) (manifest.Sum, error)
	// FanOuts returns, by unit, what a fan-out stage has made.
	FanOuts(s addr.Stage) (map[addr.Keys]manifest.FanOut, error)
}
