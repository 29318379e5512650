"""Takes a person out of landing, and has everything behind it made again without."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from zhongtai.erasure import elsewhere, erasures, evidence, person, rewrite
from zhongtai.erasure.elsewhere import Doubtful, Elsewhere
from zhongtai.erasure.erasures import Erasure
from zhongtai.erasure.person import Found, Start
from zhongtai.erasure.search import Answer, Needles
from zhongtai.errors import ZhongtaiError
from zhongtai.ingest import journal, landing, ledger, loader, personal, personal_key
from zhongtai.ingest.contract import Contract
from zhongtai.ingest.landing import LandedFile
from zhongtai.ingest.row_numbers import format_numbers
from zhongtai.merchant import Merchant
from zhongtai.progress import timed
from zhongtai.sql import connect

if TYPE_CHECKING:
    import duckdb


@dataclass
class TablePlan:
    """What goes from one table of landing.

    Attributes:
        blanked: values in records about somebody or something else.
        whole_files: files that cannot be read and hold the person somewhere: they are emptied.
    """

    files: int = 0
    rows: int = 0
    blanked: int = 0
    whole_files: int = 0


@dataclass
class Plan:
    """What an erasure would do or has done.

    Attributes:
        identities: how many the person has, by kind; the values themselves are shown to nobody.
        tables: by (silo, table).
        needles: texts and tokens by which the person can be searched for; never logged.
        sources: the silos' files, as they still are, that hold the person.
        others: SILO:ID of others who have one of the person's phones or addresses, and are told apart: they stay.
        doubtful: columns with values like the person's that may be another thing's: they stay.
        unsearched: landed files that may hold the person where no record can be taken out: they stay.
    """

    identities: dict[str, int] = field(default_factory=dict)
    tables: dict[tuple[str, str], TablePlan] = field(default_factory=dict)
    needles: set[str] = field(default_factory=set)
    sources: list[Path] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    doubtful: list[Doubtful] = field(default_factory=list)
    unsearched: list[Path] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Records that go."""
        return sum(table.rows for table in self.tables.values())


def forget(
    merchant: Merchant,
    contracts: list[Contract],
    start: Start,
    holders_limit: int,
    confirmed: Callable[[Plan], bool],
    *,
    also_doubtful: bool = False,
) -> Plan | None:
    """Erases a person from landing, and loads the tables that were touched again; the warehouse is removed.

    Everything derived must be made anew by the caller: a run, and the removal of earlier releases; then `finish`. Call
    it under the merchant's lock. Done again after it was killed, or before `finish`, it goes on from there.

    Args:
        holders_limit: a value that more identities of one silo share is nobody's; OneID's policy.
        confirmed: is shown the plan, and says whether to go on.
        also_doubtful: whether what may be another thing's goes, too (zhongtai/erasure/elsewhere.py).

    Returns:
        What was done; None where it was not to be. It is of no table where all that was left to do is the caller's.

    Raises:
        UsageError: the start is nobody's, or no key is there.
        ZhongtaiError: a file written again is not what it should be; nothing was changed then.
    """
    personal_key.require_key(merchant, contracts)
    landing.repair(merchant)
    begun = erasures.begun(merchant)
    with _workplace(merchant) as (connection, folder):
        if any(contract.is_tokenised for contract in contracts):
            personal.set_key(connection, personal_key.key(merchant))
        with timed("forget", "identities in landing") as progress:
            evidence.collect(connection, merchant, contracts, folder)
            who = person.find(connection, start, evidence.registers(contracts), holders_limit)
            person.plan(connection)
            progress.rows = _count(connection, "erased")
        with timed("forget", "all of landing searched") as progress:
            more = elsewhere.collect(connection, merchant, contracts, folder, also_doubtful=also_doubtful)
            if not begun and not (also_doubtful and more.emptied):
                _require_found(connection, who, more)
            progress.rows = _count(connection, "hits")
        found, changes, emptied = _plan(connection, merchant, more)
        found.others = who.others
        if not confirmed(found):
            return None
        with timed("forget", "landing written again") as progress:
            erasures.begin(merchant, begun | set(found.tables))
            _write(connection, merchant, contracts, changes, emptied, folder)
            progress.rows = len(changes) + len(emptied)
    _load_again(merchant, contracts, begun | set(found.tables))
    return found


def finish(merchant: Merchant) -> None:
    """Says that nothing is left of who was erased: a run published without the person, earlier releases are gone."""
    erasures.end(merchant)


@contextmanager
def _workplace(merchant: Merchant) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """A connection and a folder; what is in them is in clear, and gone afterwards."""
    folder = merchant.home / "erasing"
    shutil.rmtree(folder, ignore_errors=True)
    journal.private_folder(folder)
    connection = connect(folder / "spill")
    try:
        connection.execute(f"attach '{folder / 'evidence.duckdb'}' as work")
        connection.execute("use work")
        yield connection, folder
    finally:
        connection.close()
        shutil.rmtree(folder, ignore_errors=True)


def _require_found(connection: duckdb.DuckDBPyConnection, who: Found, more: Elsewhere) -> None:
    """Whoever stands in no column with its class stands at least somewhere.

    Raises:
        UsageError: nowhere; it says of what was given which.
    """
    hits = {text for (text,) in connection.execute("select distinct text from hits").fetchall()}
    for (kind, value), what in who.untold.items():
        texts = set(personal.spelled(kind, value))
        needles = Needles(texts)
        unread = [*more.emptied, *more.unsearched]
        if not texts & hits and not any(needles.look_in(one.path) is Answer.FOUND for one in unread):
            raise person.nowhere(what)


def _plan(
    connection: duckdb.DuckDBPyConnection, merchant: Merchant, more: Elsewhere
) -> tuple[Plan, dict[int, rewrite.Changes], list[elsewhere.Unread]]:
    changes: dict[int, rewrite.Changes] = {}
    for position, number in connection.execute("select position, row_number from erased").fetchall():
        changes.setdefault(position, rewrite.Changes()).dropped.add(number)
    blanked = connection.execute("select position, row_number, column_name, text from blanked").fetchall()
    for position, number, name, text in blanked:
        changes.setdefault(position, rewrite.Changes()).blanked.setdefault(number, []).append((name, text))
    for position, number, line in connection.execute(
        "select position, row_number, line from record_lines where position in (select position from erased "
        "union all select position from blanked)"
    ).fetchall():
        changes[position].lines[number] = line
    texts = {text for (text,) in connection.execute("select text from texts").fetchall()}
    emptied = more.emptied
    kinds = connection.execute("select kind, count(*) from known group by kind order by kind").fetchall()
    found = Plan(identities=dict(kinds), needles=texts | _tokens(connection), doubtful=more.columns)
    found.unsearched = [one.path for one in more.unsearched]
    files = {file.position: file for file in landing.read_log(merchant)}
    for position, change in sorted(changes.items()):
        table = found.tables.setdefault((files[position].silo, files[position].table), TablePlan())
        table.files += 1
        table.rows += len(change.dropped)
        table.blanked += sum(len(values) for values in change.blanked.values())
    for one in emptied:
        table = found.tables.setdefault((one.file.silo, one.file.table), TablePlan())
        table.whole_files += 1
        table.rows += one.rows
    touched = [*(files[position] for position in changes), *(one.file for one in emptied if one.holds), *more.sources]
    found.sources = sorted({Path(file.source.path) for file in touched if Path(file.source.path).exists()})
    return found, changes, emptied


def _tokens(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The person's tokens, as raw has them."""
    found: set[str] = set()
    for kind in ("phone", "email", "device"):
        token = personal.token_of_normalised(kind, "value")
        values = "select value from devices" if kind == "device" else f"select value from known where kind = '{kind}'"
        found |= {text for (text,) in connection.execute(f"select {token} from ({values})").fetchall()}
    return found


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"select count(*) from {table}").fetchone()
    return int(row[0]) if row else 0


def _write(
    connection: duckdb.DuckDBPyConnection,
    merchant: Merchant,
    contracts: list[Contract],
    changes: dict[int, rewrite.Changes],
    emptied: list[elsewhere.Unread],
    folder: Path,
) -> None:
    """Writes every file anew, checks all, records it, and puts them in place.

    Killed in between, the record says more than was done: the next call finds the rest, and records it.
    """
    by_table = {(contract.silo, contract.table): contract for contract in contracts}
    counts = dict(connection.execute("select position, records from record_counts").fetchall())
    workbooks: dict[str, list[tuple[Contract, rewrite.Changes]]] = {}
    whole = {one.file.position: one.rows for one in emptied}
    log = landing.read_log(merchant)
    for file in log:
        contract = by_table.get((file.silo, file.table))
        if contract and contract.format == "xlsx" and file.position in changes:
            workbooks.setdefault(file.sha256, []).append((contract, changes[file.position]))
    written, ready = [], []
    for file in log:
        contract = by_table.get((file.silo, file.table))
        parts = workbooks.get(file.sha256, []) if contract and contract.format == "xlsx" else []
        # A workbook landed once for each sheet: the person is taken out of every copy.
        change = changes.get(file.position, rewrite.Changes())
        if not (parts or file.position in changes or file.position in whole):
            continue
        target = folder / f"{file.position:08d}{Path(file.path).suffix}"
        if file.position in whole:
            target.write_bytes(b"")
        elif contract is not None:
            rewrite.rewrite(merchant.landing / file.path, target, parts or [(contract, change)], folder)
            before = counts.get(file.position)
            if before is None:  # a sheet about nobody, in a workbook with one that names the person
                before = evidence.count(merchant, contract, merchant.landing / file.path, file.position, folder)
            _check(merchant, contract, target, file.position, before - len(change.dropped), folder)
        ready.append((target, merchant.landing / file.path))
        erasure = _erasure(file, change, merchant.landing / file.path, target, log[-1].position)
        rows = whole.get(file.position, erasure.rows_erased)
        written.append(erasure.model_copy(update={"rows_erased": rows}))
    erasures.append(merchant, written)
    for target, final in ready:
        target.chmod(0o400)
        journal.put_in_place(target, final)


def _erasure(file: LandedFile, change: rewrite.Changes, before: Path, after: Path, known_at: int) -> Erasure:
    return Erasure(
        position=file.position,
        silo=file.silo,
        table=file.table,
        rows_erased=len(change.dropped),
        values_blanked=sum(len(values) for values in change.blanked.values()),
        old_sha256=_sha256(before),
        new_sha256=_sha256(after),
        erased_at=datetime.now(UTC),
        rows=format_numbers(change.dropped),
        known_at=known_at,
    )


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _check(merchant: Merchant, contract: Contract, target: Path, position: int, wanted: int, folder: Path) -> None:
    """Reads a file written again as ingest would.

    Raises:
        ZhongtaiError: it has not the records that should be left.
    """
    left = evidence.count(merchant, contract, target, position, folder)
    if left != wanted:
        raise ZhongtaiError(
            f"{contract.silo}.{contract.table}: landed file {position} written again has {left} records, and should "
            f"have {wanted}. Nothing was erased; please report this."
        )


def _load_again(merchant: Merchant, contracts: list[Contract], tables: set[tuple[str, str]]) -> None:
    """Loads the tables anew, and removes the private build, which a run makes again."""
    ledger.repair(merchant)
    ledger.append(
        merchant,
        [
            load.model_copy(update={"contract_hash": ""})
            for load in ledger.read(merchant)
            if (load.silo, load.table) in tables
        ],
    )
    loader.load_pending(merchant, contracts, tables)
    erased = erasures.rows_erased(merchant)
    ledger.append(
        merchant,
        [
            load.model_copy(
                update={
                    "rows_read": load.rows_read - load.rows_erased + erased[load.position],
                    "rows_erased": erased[load.position],
                }
            )
            for load in ledger.read(merchant)
            if load.rows_erased != erased.get(load.position, 0)
        ],
    )
    shutil.rmtree(merchant.warehouse, ignore_errors=True)
