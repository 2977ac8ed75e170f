"""What other programs do of the same day; a part of bench, which measures them.

    others.py client RAW FOLDER      the vendor's client turns a DBN file into Parquet
    others.py polars FOLDER          filters, sorts and writes what the client wrote
    others.py pyarrow BRONZE FOLDER  writes the tables of bronze; prints the seconds of that
    others.py duckdb EVENTS FOLDER   makes 5-second bars of stored events
"""

import glob
import os
import sys
import time


def client(raw, folder):
    import databento

    databento.DBNStore.from_file(raw).to_parquet(os.path.join(folder, "client.parquet"))


def polars(folder):
    import polars as pl

    events = pl.read_parquet(os.path.join(folder, "client.parquet"))
    crossed = (pl.col("bid_px_00") >= pl.col("ask_px_00")).fill_null(False)
    kept = events.filter(~crossed).sort(["symbol", "ts_event", "sequence"], maintain_order=True)
    kept.write_parquet(os.path.join(folder, "polars.parquet"), compression="zstd", compression_level=3, row_group_size=131_072)


def pyarrow(bronze, folder):
    import pyarrow.parquet as pq

    files = sorted(glob.glob(os.path.join(bronze, "**", "*.parquet"), recursive=True))
    tables = [pq.ParquetFile(name).read() for name in files]
    start = time.process_time()
    for i, table in enumerate(tables):
        pq.write_table(table, os.path.join(folder, f"pyarrow-{i}.parquet"), compression="zstd", compression_level=3, row_group_size=131_072)
    print(time.process_time() - start)


def duckdb(events, folder):
    import duckdb as db

    source = os.path.join(events, "**", "*.parquet")
    target = os.path.join(folder, "bars.parquet")
    db.sql(f"""
        COPY (
            SELECT ts_event // 5000000000 * 5000000000 AS bar_ts,
                arg_max((bid_px_00 + ask_px_00) / 2e9, ts_event) AS mid,
                avg((ask_px_00 - bid_px_00) / 1e9) AS spread,
                avg((bid_sz_00 - ask_sz_00) / (bid_sz_00 + ask_sz_00)) AS obi0,
                count(*) FILTER (action = 'T') AS trades,
                sum(size) FILTER (action = 'T') AS volume,
                sum(size) FILTER (action = 'T' AND side = 'B') AS bought,
                arg_max(price, ts_event) FILTER (action = 'T') AS last_price
            FROM read_parquet('{source}', hive_partitioning = false) GROUP BY 1 ORDER BY 1
        ) TO '{target}' (FORMAT parquet, COMPRESSION zstd)
    """)


if __name__ == "__main__":
    {"client": client, "polars": polars, "pyarrow": pyarrow, "duckdb": duckdb}[sys.argv[1]](*sys.argv[2:])
