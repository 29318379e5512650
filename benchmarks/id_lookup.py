"""How the engine finds some ids among many: by an index, or by reading the column of the ids.

    python -m benchmarks.id_lookup [--rows 1000000 --rows 10000000] [--ids 5000]

An index is used for literals only. Both ways find the same rows; seconds are the least of three, in one process.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import duckdb


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", action="append", type=int)
    parser.add_argument("--ids", type=int, default=5_000)
    given = parser.parse_args()
    print("| rows | ids | column read, s | index, s | column to index | index built, s | index, MB |")
    print("|---|---|---|---|---|---|---|")
    for rows in given.rows or [1_000_000, 10_000_000]:
        with tempfile.TemporaryDirectory() as folder:
            print(measured(Path(folder) / "orders.duckdb", rows, given.ids), flush=True)


def measured(file: Path, rows: int, ids: int) -> str:
    """A line of the table: orders of a year, of which some are looked up."""
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "create table orders as select 'storefront:O' || lpad(cast(i as varchar), 9, '0') as order_id, "
            f"date '2025-01-01' + cast(i * 365 // {rows} as integer) as placed_date, "
            f"cast(i % 97 as decimal(18, 2)) as paid_amount from range({rows}) as numbers(i)"
        )
        connection.execute(
            f"create table wanted as select order_id from orders where hash(order_id) % {max(1, rows // ids)} = 0"
        )
        wanted = connection.execute("select order_id from wanted").fetchall()
        column, found = _least(connection, "select * from orders where order_id in (select order_id from wanted)")
        connection.execute("checkpoint")
        size = file.stat().st_size
        started = time.perf_counter()
        connection.execute("create index orders_by_id on orders(order_id)")
        built = time.perf_counter() - started
        connection.execute("checkpoint")
        size = file.stat().st_size - size
        connection.execute(f"set index_scan_max_count = {rows}")
        listed = ", ".join(f"'{order_id}'" for (order_id,) in wanted)
        index, as_many = _least(connection, f"select * from orders where order_id in ({listed})")
        assert found == as_many == len(wanted)
    return (
        f"| {rows:,} | {len(wanted):,} | {column:.3f} | {index:.3f} | {column / index:.2f} | {built:.1f} "
        f"| {size / 1e6:.0f} |"
    )


def _least(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[float, int]:
    """The least seconds of three, and the rows found."""
    seconds, rows = [], 0
    for _ in range(3):
        started = time.perf_counter()
        rows = len(connection.execute(query).fetchall())
        seconds.append(time.perf_counter() - started)
    return min(seconds), rows


if __name__ == "__main__":
    main()
