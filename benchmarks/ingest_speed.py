"""Contract-checked ingest against bare readers on the same files, each in a process of its own.

    python benchmarks/ingest_speed.py [--gib 2] [--form csv] [--form jsonl] [--others]

`zhongtai` reads the landed file, checks archive, encoding, types, nulls, allowed values and keys,
and writes typed Parquet, quarantine and the ledger. `duckdb` is `read_csv` or `read_json` straight
to Parquet (zstd, as raw is), which checks none of it. pandas and dlt (`pip install 'dlt[filesystem]'`)
stand beside. `zhongtai, a tenth` is ingest of the first tenth of the same file; below the table stands how
time and memory grew from it to the whole. Ends with 1 where a limit is passed: half of DuckDB's rows per second,
2 GiB of memory, 11 times the time and the same memory for 10 times the input.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SOURCES = """
sources:
  - name: shop
    description: A benchmark.
    tables:
      - name: lines
        description: One row a line of an order.
        config: {meta: {file: "lines.*", format: FORM, load_mode: append, key: [line_id], event_time: placed_at}}
        columns:
          - {name: line_id, data_type: bigint, description: Line.}
          - {name: order_id, data_type: string, description: Order., config: {meta: {nullable: false}}}
          - {name: buyer_id, data_type: string, description: Buyer., config: {meta: {personal_data: identifier}}}
          - {name: sku, data_type: string, description: SKU., config: {meta: {nullable: false}}}
          - {name: title, data_type: string, description: Title.}
          - {name: units, data_type: integer, description: Units., config: {meta: {nullable: false}}}
          - {name: unit_price, data_type: "decimal(18,2)", description: Price.}
          - {name: discount, data_type: "decimal(18,2)", description: Discount.}
          - {name: weight_kg, data_type: double, description: Weight.}
          - {name: channel, data_type: string, description: Channel., config: {meta: {allowed: [app, web, mini]}}}
          - {name: is_gift, data_type: boolean, description: Gift.}
          - {name: ship_date, data_type: date, description: Shipped.}
          - {name: placed_at, data_type: timestamp, description: Placed., config: {meta: {time_zone: local}}}
"""
ROWS = """
select
    i as line_id,
    'O' || lpad(cast(i // 3 as varchar), 10, '0') as order_id,
    'U' || (i // 3 * 7919 % 200000) as buyer_id,
    'SKU' || lpad(cast(h % 10000 as varchar), 6, '0') as sku,
    ['青禾 棉麻衬衫', '竹纤维 毛巾', 'Oat milk 1 l', '手工陶杯'][1 + h % 4] || ' ' || h % 90 as title,
    cast(1 + h % 5 as integer) as units,
    cast((h % 90000) / 100.0 as decimal(18, 2)) as unit_price,
    cast(case when h % 3 = 0 then (h % 900) / 100.0 end as decimal(18, 2)) as discount,
    round((h % 5000) / 1000.0, 3) as weight_kg,
    ['app', 'web', 'mini'][1 + h % 3] as channel,
    h % 20 = 0 as is_gift,
    cast(timestamp '2024-01-02' + interval 1 second * (i % 30000000) as date) as ship_date,
    strftime(timestamp '2024-01-01' + interval 1 second * (i % 30000000), '%Y-%m-%d %H:%M:%S') as placed_at
from (select i, cast(hash(i) % 1000003 as bigint) as h from range({first}, {last}) as numbers(i))
"""
BYTES_A_ROW = {"csv": 115, "jsonl": 268}
LEAST_SHARE, MOST_KIB, MOST_GROWTH = 0.5, 2 * 2**20, 11.0
# Memory of the same work varies by this much from run to run: how many threads hold a block at a moment. Of files that
# are smaller than the engine's buffers it tells nothing.
MOST_MEMORY_GROWTH, TELLING_GIB = 1.25, 1.0
CHUNK = 2_000_000


def main() -> None:
    """Makes the files, measures, prints one table a form."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gib", type=float, default=2.0, help="size of each file")
    parser.add_argument("--form", action="append", choices=["csv", "jsonl"])
    parser.add_argument("--others", action="store_true", help="pandas and dlt, too; they take minutes")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each; the best counts")
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.contender:
        print(json.dumps(measure(given.contender, given.file)))
        return
    failures: list[str] = []
    for form in given.form or ["csv", "jsonl"]:
        failures += compare(form, given.gib, given.repeat, has_others=given.others)
    print("\n" + ("\n".join(failures) or "every limit is kept"))
    sys.exit(bool(failures))


def compare(form: str, gib: float, repeat: int, *, has_others: bool) -> list[str]:
    """Prints the table of one form; returns which limits are passed."""
    with tempfile.TemporaryDirectory() as folder:
        file = make(Path(folder), form, gib)
        tenth = first_tenth(file)
        print(f"\n{form}, {file.stat().st_size / 2**30:.2f} GiB")
        print("| reader | rows/s | of duckdb | seconds | peak memory |\n|---|---|---|---|---|")
        found: dict[str, dict[str, float]] = {}
        for contender in ["duckdb", "zhongtai", *(["pandas", "dlt"] if has_others else [])]:
            found[contender] = best(contender, file, repeat)
            _print(contender, found[contender], found["duckdb"])
        small = best("zhongtai", tenth, repeat)
        _print("zhongtai, a tenth", small, found["duckdb"])
    whole, bare = found["zhongtai"], found["duckdb"]
    growth, memory = whole["seconds"] / small["seconds"], whole["peak_kib"] / small["peak_kib"]
    print(
        f"\n{whole['rows'] / small['rows']:.1f} times the input: {growth:.1f} times the time, {memory:.2f} the memory"
    )
    share = whole["rows"] / whole["seconds"] / (bare["rows"] / bare["seconds"])
    limits = {
        f"{share:.2f} of DuckDB's rows per second, at least {LEAST_SHARE}": share >= LEAST_SHARE,
        f"{whole['peak_kib'] / 2**20:.2f} GiB of memory, at most {MOST_KIB / 2**20:.0f}": whole["peak_kib"] <= MOST_KIB,
        f"{growth:.1f} times the time, at most {MOST_GROWTH:.0f}": growth <= MOST_GROWTH,
        f"{memory:.2f} times the memory, at most {MOST_MEMORY_GROWTH}": memory <= MOST_MEMORY_GROWTH
        or gib < TELLING_GIB,
    }
    return [f"{form}: {limit}" for limit, is_kept in limits.items() if not is_kept]


def best(contender: str, file: Path, repeat: int) -> dict[str, float]:
    """The fastest of some measurements."""
    return min((run(contender, file) for _ in range(repeat)), key=lambda result: result["seconds"])


def _print(name: str, found: dict[str, float], bare: dict[str, float]) -> None:
    rate = found["rows"] / found["seconds"]
    memory = f"{found['peak_kib'] / 2**20:.2f} GiB"
    share = rate / (bare["rows"] / bare["seconds"])
    print(f"| {name} | {rate:,.0f} | {share:.2f} | {found['seconds']:.1f} | {memory} |", flush=True)


def first_tenth(file: Path) -> Path:
    """The first tenth of the file, in whole lines, beside it."""
    (file.parent / "tenth").mkdir()
    tenth = file.parent / "tenth" / file.name
    with file.open("rb") as reading, tenth.open("wb") as writing:
        left = file.stat().st_size // 10
        while left > 0 and (line := reading.readline()):
            writing.write(line)
            left -= len(line)
    return tenth


def make(folder: Path, form: str, gib: float) -> Path:
    """Writes the file in parts, so that memory stays small."""
    import duckdb

    rows = int(gib * 2**30 / BYTES_A_ROW[form])
    file = folder / f"lines.{form}"
    options = "format json" if form == "jsonl" else "format csv"
    with file.open("wb") as writing, duckdb.connect() as connection:
        for first in range(0, rows, CHUNK):
            part = folder / "part"
            header = f", header {str(first == 0).lower()}" if form == "csv" else ""
            query = ROWS.format(first=first, last=min(first + CHUNK, rows))
            connection.execute(f"copy ({query}) to '{part}' ({options}{header})")
            writing.write(part.read_bytes())
            part.unlink()
    return file


def run(contender: str, file: Path) -> dict[str, float]:
    """One measurement in its own process."""
    command = [sys.executable, __file__, "--contender", contender, "--file", str(file)]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(result.stdout.splitlines()[-1])


def measure(contender: str, file: Path) -> dict[str, float]:
    """Rows, seconds and peak memory; what is only preparation is not timed."""
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        read: Callable[[], int] = CONTENDERS[contender](file, Path(folder))
        started = time.perf_counter()
        rows = read()
        seconds = time.perf_counter() - started
    return {"rows": rows, "seconds": seconds, "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}


def zhongtai(file: Path, folder: Path) -> Callable[[], int]:
    """Landed before, because a bare reader copies nothing either."""
    from zhongtai.ingest import landing, loader
    from zhongtai.ingest.contract import load_contracts
    from zhongtai.merchant import Merchant, SiloLocation

    incoming = folder / "incoming"
    incoming.mkdir()
    (incoming / file.name).hardlink_to(file)
    (folder / "sources").mkdir()
    (folder / "sources" / "shop.yml").write_text(SOURCES.replace("FORM", file.suffix[1:]), encoding="utf-8")
    merchant = Merchant(
        name="bench",
        title="Benchmark",
        time_zone="Asia/Shanghai",
        currency="CNY",
        locale="zh_CN",
        silos={"shop": SiloLocation(path=str(incoming))},
        file=folder / "bench.yml",
        home=folder / "home",
    )
    contracts = load_contracts(folder / "sources")
    landing.land(merchant, contracts)
    return lambda: sum(load.rows_loaded for load in loader.load_pending(merchant, contracts))


def duckdb(file: Path, folder: Path) -> Callable[[], int]:
    """The engine alone."""
    import duckdb as engine

    reader = f"read_csv('{file}')" if file.suffix == ".csv" else f"read_json('{file}', format = 'newline_delimited')"

    def read() -> int:
        with engine.connect() as connection:
            copied = connection.execute(
                f"copy (select * from {reader}) to '{folder / 'raw.parquet'}' (format parquet, compression zstd)"
            ).fetchone()
        return int(copied[0]) if copied else 0

    return read


def pandas(file: Path, folder: Path) -> Callable[[], int]:
    """In chunks, because the file as a whole does not fit."""
    import pandas
    import pyarrow
    import pyarrow.parquet

    def read() -> int:
        rows = 0
        size = 500_000
        chunks = (
            pandas.read_csv(file, chunksize=size, parse_dates=["placed_at"])
            if file.suffix == ".csv"
            else pandas.read_json(file, lines=True, chunksize=size)
        )
        for number, chunk in enumerate(chunks):
            pyarrow.parquet.write_table(
                pyarrow.Table.from_pandas(chunk), folder / f"{number}.parquet", compression="zstd"
            )
            rows += len(chunk)
        return rows

    return read


def dlt(file: Path, folder: Path) -> Callable[[], int]:
    """Its own file source into Parquet files."""
    import dlt
    from dlt.sources.filesystem import filesystem, read_csv_duckdb, read_jsonl

    reader = read_csv_duckdb() if file.suffix == ".csv" else read_jsonl(chunksize=50_000)

    def read() -> int:
        pipeline = dlt.pipeline(
            "bench",
            destination=dlt.destinations.filesystem(bucket_url=folder.as_uri()),
            dataset_name="raw",
            pipelines_dir=str(folder / "pipelines"),
        )
        files = filesystem(bucket_url=file.parent.as_uri(), file_glob=file.name)
        pipeline.run((files | reader).with_name("lines"), loader_file_format="parquet")
        info = pipeline.last_trace.last_normalize_info if pipeline.last_trace else None
        return int(info.row_counts["lines"]) if info else 0

    return read


CONTENDERS: dict[str, Callable[[Path, Path], Callable[[], int]]] = {
    "zhongtai": zhongtai,
    "duckdb": duckdb,
    "pandas": pandas,
    "dlt": dlt,
}

if __name__ == "__main__":
    main()
