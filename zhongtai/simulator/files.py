"""The silos' files: rows as a silo knows them, in the silo's own form, a file a table and period."""

from __future__ import annotations

import gzip
import io
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from zhongtai.ingest.contract import Contract, load_contracts
from zhongtai.settings import PROJECT_ROOT
from zhongtai.simulator import periods
from zhongtai.simulator.breakage import Fate, RowPlan, missing_column, sent, without_column, wrong_encoding
from zhongtai.simulator.columns import encoded, header, rendered, typed
from zhongtai.simulator.defects import Defects
from zhongtai.simulator.landing import write_file
from zhongtai.simulator.workbook import local_rows, workbook
from zhongtai.simulator.world import World

_SOURCES = PROJECT_ROOT / "transform" / "models" / "sources"
_PAGE_RECORDS = 500
# Files land at two in the morning after their period; a file of the morning (part "{}_am") at two in the afternoon.
_NIGHT_SECONDS = 2 * 3600
_NOON_SECONDS = 14 * 3600
_PARALLEL_BYTES, _PARALLEL_ROWS = 4 << 20, 1_000_000


@dataclass(frozen=True)
class OutFile:
    """One file to write: rows `start` to `stop` of the sorted table, landing at an epoch second."""

    name: str
    start: int
    stop: int
    lands_at: int


class Silos:
    """Writes files below `root`/<silo>/, and counts them.

    The contract of a table (transform/models/sources) says the format, the columns and the file's name; the caller
    gives the values. Columns may be numpy or Arrow arrays, pandas Series, lists, or one value for all rows. Integer
    columns of money are cents; instants are UTC and are shown on the silo's own clock and in its form; NaT, NaN and
    None are empty.
    """

    def __init__(self, root: Path, world: World, defects: Defects | None = None) -> None:
        self.root = root
        self.world = world
        self.defects = defects
        self.contracts = {(contract.silo, contract.table): contract for contract in load_contracts(_SOURCES)}
        self.rows: dict[tuple[str, str], int] = {}
        self.files: dict[tuple[str, str], int] = {}
        self._connection = duckdb.connect()
        self._connection.execute("set threads = 2; set timezone = 'UTC'; set arrow_large_buffer_size = true")
        self._pool = ThreadPoolExecutor(2)

    def write(
        self,
        silo: str,
        table: str,
        columns: Mapping[str, Any],
        days: np.ndarray,
        *,
        label: str | None = None,
        parts: np.ndarray | None = None,
    ) -> None:
        """Writes a table's rows, a file a period and part.

        Args:
            columns: exactly the columns of the contract.
            days: the day index of each row, which decides the file; rows of no simulated day are refused.
            label: day, week or month: the period of a file; by default the cadence of the contract.
            parts: a template a row for more than one file a period: "tmall_{}", "{}_am".

        Raises:
            ValueError: the columns are not those of the contract, or a day lies outside the simulation.
        """
        contract = self.contracts[silo, table]
        contents, files = self._arranged(contract, columns, days, label, parts)
        if contents.num_rows == 0:
            return
        self._count(contract, contents.num_rows)
        if contract.format == "xlsx":
            self._write_workbooks([(contract, contents, files)])
            return
        writer = {
            "jsonl": self._write_lines,
            "csv": self._write_lines,
            "json": self._write_pages,
            "parquet": self._write_parquet,
        }[contract.format]
        writer(contract, contents, files)

    def workbooks(
        self,
        silo: str,
        sheets: Mapping[str, tuple[Mapping[str, Any], np.ndarray]],
        *,
        label: str | None = None,
    ) -> None:
        """Writes workbooks with a sheet a table: `sheets` gives each table's columns and days."""
        arranged = []
        for table, (columns, days) in sheets.items():
            contract = self.contracts[silo, table]
            contents, files = self._arranged(contract, columns, days, label, None)
            self._count(contract, contents.num_rows)
            arranged.append((contract, contents, files))
        self._write_workbooks(arranged)

    def close(self) -> None:
        """Lets go of threads and the database."""
        self._pool.shutdown()
        self._connection.close()

    def _count(self, contract: Contract, rows: int) -> None:
        key = (contract.silo, contract.table)
        self.rows[key] = self.rows.get(key, 0) + rows

    def _arranged(
        self,
        contract: Contract,
        columns: Mapping[str, Any],
        days: np.ndarray,
        label: str | None,
        parts: np.ndarray | None,
    ) -> tuple[pa.Table, list[OutFile]]:
        """The table in the order of its files, and the files."""
        days = np.asarray(days).astype("int64")
        if len(days) and (days.min() < 0 or days.max() >= self.world.days):
            raise ValueError(f"{contract.silo}.{contract.table}: rows outside the simulated days")
        contents = typed(contract, columns, len(days))
        unit = label or periods.OF_CADENCE[contract.cadence]
        period = periods.starts(self.world.dates(days), unit)
        templates, part = np.unique(parts if parts is not None else np.full(len(days), "{}"), return_inverse=True)
        place = period.astype("int64") * len(templates) + part
        if np.any(np.diff(place) < 0):
            order = np.argsort(place, kind="stable")
            contents, place, period, part = contents.take(pa.array(order)), place[order], period[order], part[order]
        starts = np.flatnonzero(np.r_[True, place[1:] != place[:-1]]) if len(place) else np.zeros(0, int)
        stops = np.r_[starts[1:], len(place)]
        files = []
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
            template = str(templates[part[start]])
            name = contract.file.replace("*", template.format(periods.label(period[start], unit)))
            files.append(OutFile(name, start, stop, self._lands_at(periods.last_date(period[start], unit), template)))
        return contents, files

    def _lands_at(self, last: np.datetime64, template: str) -> int:
        """Epoch seconds at which the file of a period lands that ends on that date."""
        last = min(last, self.world.date_of(self.world.days - 1))
        day = int((last - self.world.first_date).astype(int))
        morning = template.endswith("_am")
        instant = self.world.at(day, _NOON_SECONDS) if morning else self.world.at(day + 1, _NIGHT_SECONDS)
        return int(instant.astype("int64"))

    def _planned(
        self, contract: Contract, contents: pa.Table, files: list[OutFile]
    ) -> tuple[dict[int, Fate], dict[int, RowPlan]]:
        """What happens to the files and to their rows."""
        if self.defects is None:
            return {}, {}
        fates = self.defects.fates([contract], [(file.name, file.lands_at) for file in files])
        return fates, self._row_plans(contract, contents, files, set(fates))

    def _row_plans(
        self, contract: Contract, contents: pa.Table, files: list[OutFile], spared: set[int]
    ) -> dict[int, RowPlan]:
        if self.defects is None:
            return {}
        bounds = [(file.name, file.start, file.stop, file.lands_at) for file in files]

        def rows_at(rows: np.ndarray) -> list[dict[str, Any]]:
            chosen = contents.take(pa.array(rows))
            if contract.format == "xlsx":
                return local_rows(contract, chosen)
            return rendered(self._connection, contract, chosen).to_pylist()

        return self.defects.rows(contract, contents, bounds, spared, rows_at)

    def _write_lines(self, contract: Contract, contents: pa.Table, files: list[OutFile]) -> None:
        """JSON lines and CSV: one text of the whole table, cut at the files' bounds."""
        fates, plans = self._planned(contract, contents, files)
        slices = self._text(contract, contents, files)
        head = header(contract) if contract.format == "csv" else b""
        pack = _packed if contract.file.endswith(".gz") else bytes

        def save(index: int, body: bytes) -> None:
            text = head + (plans[index].text(contract, body) if index in plans else body)
            fate = fates.get(index)
            broken = None
            if fate is not None and fate.kind == "missing_column":
                broken = pack(encoded(contract, without_column(contract, text)))
            elif fate is not None and fate.kind == "wrong_encoding":
                broken = pack(wrong_encoding(contract, text))
            self._save([contract], files[index], pack(encoded(contract, text)), fate, broken)

        if sum(len(body) for body in slices) > _PARALLEL_BYTES:
            list(self._pool.map(save, range(len(files)), slices))
        else:
            for index, body in enumerate(slices):
                save(index, body)

    def _write_pages(self, contract: Contract, contents: pa.Table, files: list[OutFile]) -> None:
        """Answers of a paged interface: JSON documents of at most 500 records."""
        pages = []
        for file in files:
            firsts = range(file.start, file.stop, _PAGE_RECORDS)
            for number, start in enumerate(firsts, start=1):
                stop = min(start + _PAGE_RECORDS, file.stop)
                name = file.name.replace(".json", f"_p{number}.json")
                pages.append((OutFile(name, start, stop, file.lands_at), number, stop < file.stop))
        flat = [page for page, _, _ in pages]
        fates, plans = self._planned(contract, contents, flat)
        for index, body in enumerate(self._text(contract, contents, flat)):
            page, number, more = pages[index]
            lines = plans[index].text(contract, body) if index in plans else body
            records = lines.rstrip(b"\n").replace(b"\n", b",")
            head = f'{{"code":0,"message":"success","data":{{"page":{number},"has_more":{str(more).lower()},"list":['
            self._save([contract], page, head.encode() + records + b"]}}", fates.get(index))

    def _text(self, contract: Contract, contents: pa.Table, files: list[OutFile]) -> list[bytes]:
        """Each file's lines, cut out of the one buffer that holds them all."""
        lines = rendered(self._connection, contract, contents, as_lines=True)["line"].combine_chunks()
        if isinstance(lines, pa.ChunkedArray):
            lines = lines.chunk(0)
        _, offsets, values = lines.buffers()
        kind = np.int64 if pa.types.is_large_string(lines.type) else np.int32
        places = np.frombuffer(offsets, dtype=kind)[lines.offset :]
        view = memoryview(values)
        return [bytes(view[places[file.start] : places[file.stop]]) for file in files]

    def _write_parquet(self, contract: Contract, contents: pa.Table, files: list[OutFile]) -> None:
        fates, plans = self._planned(contract, contents, files)

        def save(index: int) -> None:
            rows = contents.slice(files[index].start, files[index].stop - files[index].start)
            rows = plans[index].arrow(rows) if index in plans else rows
            fate = fates.get(index)
            lacks = fate is not None and fate.kind == "missing_column"
            broken = _parquet(rows.drop_columns([missing_column(contract)])) if lacks else None
            self._save([contract], files[index], _parquet(rows), fate, broken)

        large = contents.num_rows > _PARALLEL_ROWS
        list((self._pool.map if large else map)(save, range(len(files))))

    def _write_workbooks(self, arranged: list[tuple[Contract, pa.Table, list[OutFile]]]) -> None:
        """A workbook a period, with the sheets of all its tables."""
        contracts = [contract for contract, _, _ in arranged]
        books = {file.name: file for _, _, files in arranged for file in files}
        names = sorted(books)
        fates: dict[str, Fate] = {}
        if self.defects is not None:
            planned = self.defects.fates(contracts, [(name, books[name].lands_at) for name in names])
            fates = {names[index]: fate for index, fate in planned.items()}
        sheets: dict[str, dict[str, list[dict[str, Any]]]] = {name: {} for name in names}
        for contract, contents, files in arranged:
            spared = {index for index, file in enumerate(files) if file.name in fates}
            plans = self._row_plans(contract, contents, files, spared)
            for index, file in enumerate(files):
                rows = local_rows(contract, contents.slice(file.start, file.stop - file.start))
                sheets[file.name][contract.table] = plans[index].records(rows) if index in plans else rows
        for name in names:
            content = workbook(contracts, sheets[name], self.world.scale.first_date)
            self._save(contracts, books[name], content, fates.get(name))

    def _save(
        self,
        contracts: list[Contract],
        file: OutFile,
        content: bytes,
        fate: Fate | None = None,
        broken: bytes | None = None,
    ) -> None:
        """Writes the file, or what its fate makes of it, with the times at which it lands.

        Args:
            broken: the content of a file with a missing column or in a wrong encoding.
        """
        outputs = sent(file.name, content, file.lands_at, fate, broken)
        folder = self.root / contracts[0].silo
        folder.mkdir(parents=True, exist_ok=True)
        for name, data, lands_at in outputs:
            write_file(folder / name, data, lands_at)
        for contract in contracts:
            key = (contract.silo, contract.table)
            self.files[key] = self.files.get(key, 0) + len(outputs)


def _packed(content: bytes) -> bytes:
    return gzip.compress(content, compresslevel=1, mtime=0)


def _parquet(rows: pa.Table) -> bytes:
    target = io.BytesIO()
    pq.write_table(rows, target, compression="snappy", store_schema=False)
    return target.getvalue()
