// Package lake keeps partitions in folders: where they lie, what is in them,
// and how one is replaced by another without a reader ever seeing half of
// it. It decides nothing of what is stale. Everything on disk is described in
// lake/README.md at the root of the repository.
//
// # What is durable when
//
// A unit's outputs are written in a staging folder beneath .dag/tmp, on the
// file system of the lake. Each gets, in this order:
//
//  1. its data file, then fsync, so that the marker never outlives data;
//  2. _MANIFEST.json and fsync, for the same reason;
//  3. _SUCCESS, which holds the manifest's SHA-256, and fsync;
//  4. fsync of the folder, so that the three names are in it;
//  5. missing parents of its place, each followed by an fsync of the folder
//     above, so that the place cannot vanish with the data in it;
//  6. one rename into an empty place, or one exchange with the predecessor
//     (renameat2, renamex_np), so that a reader finds the old folder or the new
//     one, and never none;
//  7. fsync of the folder above, after which the new version survives a
//     power failure.
//
// Steps 5 to 7 are done under the lease of the partition, after those of all
// outputs of the unit have come through step 4. The staging folder, with the
// predecessors in it, is removed last and without fsync: if that is lost, Sweep
// removes it again. The index and the fan-out record are not synced; they can
// be made again from the manifests.
//
// Where names cannot be exchanged, the predecessor is moved aside first; a
// record in staging, synced before, lets Sweep put it back if the process ends
// between the two renames.
package lake
