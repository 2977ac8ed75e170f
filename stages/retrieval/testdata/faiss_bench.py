"""Times FAISS IndexFlatL2 on one thread: faiss_bench.py VECTORS DIM K REPEATS NQ...

VECTORS is a file of little-endian float32; queries are its first rows. Prints
one JSON object: version, build_ms, and by number of queries the median time in
ms and the rows found.
"""
import json
import sys
import time

import faiss
import numpy as np


def timed(f):
    start = time.perf_counter()
    out = f()
    return (time.perf_counter() - start) * 1e3, out


def main(path, dim, k, repeats, *queries):
    faiss.omp_set_num_threads(1)
    x = np.fromfile(path, dtype="<f4").reshape(-1, int(dim))

    def build():
        index = faiss.IndexFlatL2(x.shape[1])
        index.add(x)
        return index

    times = sorted(timed(build)[0] for _ in range(int(repeats)))
    index = build()
    out = {"version": faiss.__version__, "build_ms": times[len(times) // 2], "search_ms": {}, "found": {}}
    for nq in map(int, queries):
        index.search(x[:nq], int(k))
        runs = [timed(lambda: index.search(x[:nq], int(k))) for _ in range(int(repeats))]
        times = sorted(t for t, _ in runs)
        out["search_ms"][nq] = times[len(times) // 2]
        out["found"][nq] = runs[0][1][1].tolist()
    json.dump(out, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
