// Package lake keeps partitions in folders: where they lie, what is in them,
// and how one is replaced by another without a reader ever seeing half of
// it. It decides nothing of what is stale. Everything on disk is described in
// lake/README.md at the root of the repository.
//
// # What is durable when
//
// A unit's outputs are written in staging folders beneath .dag/tmp, on the file
// system of the lake. Each gets, in this order:
//
//  1. its files, _MANIFEST.json, and _SUCCESS, which holds the manifest's SHA-256;
//  2. fsync of each, and of the folder that has their names. Nobody sees the
//     folder yet, so that their order does not matter; done one after the other at
//     the end, the first wait for the disk serves most of the others. No marker
//     can outlive data;
//  3. one rename into an empty place, or one exchange with the predecessor
//     (renameat2, renamex_np), so that a reader finds the old folder or the new
//     one, and never none;
//  4. fsync of the folders with new names, at most every 5 seconds and by Close:
//     many partitions share one. Before it a power failure may take the new name
//     back, and the unit runs again.
//
// Step 3 is done under the lease of the partition, after those of all outputs of
// the unit have come through step 2. Staging, with the predecessors in it, is
// removed last and without fsync: if that is lost, Sweep removes it again. The
// index is not synced; it can be made again. While a unit waits in step 2, others
// use its cores (exec.Queue.Yield).
//
// Where names cannot be exchanged, the predecessor is moved aside first; a
// record in staging, synced before, lets Sweep put it back if the process ends
// between the two renames.
package lake
