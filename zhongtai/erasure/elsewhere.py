"""Where a person's texts stand that no class told of: other columns, other tables, files that cannot be read.

A phone or an e-mail address is that person's wherever it stands, and so is an id with letters in its own silo: such a
text is emptied, and the record stays, for it is about something else. So is any id within words that the contract says
to be about persons. An id of digits elsewhere, or one of another silo, may be another thing's: that is doubtful, as is
a file that cannot be read to its end. What is doubtful is told, and stays.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from zhongtai.erasure import evidence, search
from zhongtai.erasure.person import UNTOLD
from zhongtai.erasure.search import Answer, Needles
from zhongtai.ingest import journal, landing, suggestions
from zhongtai.ingest.contract import Column, Contract
from zhongtai.ingest.faults import Judge
from zhongtai.ingest.landing import LandedFile
from zhongtai.merchant import Merchant
from zhongtai.sql import quote_literal

if TYPE_CHECKING:
    import duckdb

_TABLE = """
    create or replace temp table hits (
        position integer, row_number bigint, column_name varchar, text varchar, kind varchar,
        is_doubtful boolean, may_be_emptied boolean, is_whole boolean
    )
"""
# What describes persons in words, where an id is no reference to one.
_WORDS = ("attribute", "name", "address")
_REFERENCES = ("identifier", "phone", "email", "device")


@dataclass(frozen=True)
class Unread:
    """A landed file that cannot be read as records or be searched to its end, or holds the person outside of them.

    Attributes:
        path: where it is.
        rows: how many it has, where they can be counted.
        holds: whether one of the texts was found in it.
    """

    file: LandedFile
    path: Path
    rows: int
    holds: bool


@dataclass(frozen=True)
class Doubtful:
    """A column with texts that may be another thing's.

    Attributes:
        table: `silo.table`.
        column: as the files call it.
        files: that have such records.
        line: of the contract, that gives the column its class; empty where another id is to be given instead.
        yaml_file: where that line goes.
    """

    table: str
    column: str
    records: int
    files: tuple[Path, ...]
    line: str
    yaml_file: Path


@dataclass
class Elsewhere:
    """What was found.

    Attributes:
        emptied: files that cannot be read and hold the person.
        unsearched: files that may hold the person where no record can be taken out: they stay.
        columns: what may be another thing's: it stays.
        sources: the landed files with records that hold one of the texts in some column without its class.
    """

    emptied: list[Unread] = field(default_factory=list)
    unsearched: list[Unread] = field(default_factory=list)
    columns: list[Doubtful] = field(default_factory=list)
    sources: list[LandedFile] = field(default_factory=list)


def collect(
    connection: duckdb.DuckDBPyConnection,
    merchant: Merchant,
    contracts: list[Contract],
    folder: Path,
    *,
    also_doubtful: bool,
) -> Elsewhere:
    """Searches every landed file for `texts`; adds to `erased` and `blanked`, and fills `hits` with what it found.

    Args:
        folder: for temporary files in clear; private, and removed by the caller.
        also_doubtful: whether what is doubtful goes, too.
    """
    connection.execute(_TABLE)
    needles = Needles(text for (text,) in connection.execute("select distinct text from texts").fetchall())
    known = {(contract.silo, contract.table): contract for contract in contracts}
    found = Elsewhere()
    looked: dict[tuple[str, str], list[tuple[LandedFile, bool]]] = {}
    for file in landing.read_log(merchant):
        answer = needles.look_in(merchant.landing / file.path)
        if answer is not Answer.NOT_FOUND:
            looked.setdefault((file.silo, file.table), []).append((file, answer is Answer.FOUND))
    log: dict[int, LandedFile] = {}
    for table, files in looked.items():
        log |= {file.position: file for file, _ in files}
        contract = known.get(table)
        if contract is None:  # the silo is no longer connected
            counts, faulty, touched = dict[int, int](), set[int](), set[int]()
        else:
            counts, faulty = _look_at_records(
                connection, merchant, contract, needles, [file for file, _ in files], folder
            )
            touched = _touched(connection)
        names_persons = contract is not None and bool(evidence.identities(contract))
        for file, holds in files:
            if holds and file.position in touched:
                continue
            one = Unread(file, merchant.landing / file.path, counts.get(file.position, 0), holds)
            is_sure = (
                one.holds
                and file.position in faulty
                and (names_persons or _holds_sure(connection, file.silo, one.path))
            )
            (found.emptied if is_sure or also_doubtful else found.unsearched).append(one)
    _settle(connection, {one.file.position for one in found.emptied}, also_doubtful=also_doubtful)
    found.columns = _doubtful(connection, merchant, known, log)
    positions = connection.execute("select distinct position from hits order by position").fetchall()
    found.sources = [log[position] for (position,) in positions]
    return found


def _touched(connection: duckdb.DuckDBPyConnection) -> set[int]:
    """The files with records that hold one of the texts."""
    query = "select position from hits union select position from erased union select position from blanked"
    return {position for (position,) in connection.execute(query).fetchall()}


def _is_sure(silo: str) -> str:
    """SQL of whether one of `texts` can be nobody and nothing else in a silo's file."""
    of_here = f"not contains(kind, '.') or starts_with(kind, {quote_literal(silo + '.')})"
    return f"kind in ('phone', 'email') or (regexp_matches(text, '[A-Za-z]') and ({of_here}))"


def _holds_sure(connection: duckdb.DuckDBPyConnection, silo: str, file: Path) -> bool:
    """Whether a file of a table that names nobody holds what can only be the person."""
    texts = connection.execute(f"select text from texts where {_is_sure(silo)}").fetchall()
    return Needles(text for (text,) in texts).look_in(file) is Answer.FOUND


def _look_at_records(
    connection: duckdb.DuckDBPyConnection,
    merchant: Merchant,
    contract: Contract,
    needles: Needles,
    files: list[LandedFile],
    folder: Path,
) -> tuple[dict[int, int], set[int]]:
    """Fills `hits` from files of a table.

    Returns:
        The rows of each file, by position, and which files cannot be read as records.
    """
    rows: dict[int, int] = {}
    faulty: set[int] = set()
    judge = Judge(contract, merchant.time_zone)
    for together in evidence.batches(files):
        place = journal.private_folder(folder / "elsewhere")
        faults = evidence.read_records(connection, judge, merchant, together, place)
        rows |= {position: fault.rows for position, fault in faults.items()}
        faulty |= set(faults)
        if len(faults) < len(together):
            rows |= dict(connection.execute("select position, count(*) from records group by position").fetchall())
            connection.execute(_hits(contract, needles.pattern))
            connection.execute(
                "insert into erased select position, row_number from records where _structure is not null "
                f"and regexp_matches(_record, {quote_literal(needles.pattern)}) "
                "and (position, row_number) not in (select (position, row_number) from erased)"
            )
            if contract.format == "xlsx":
                connection.execute(
                    "insert into record_lines select position, row_number, line from records "
                    "semi join hits using (position, row_number)"
                )
            connection.execute("drop table records")
        shutil.rmtree(place)
    return rows, faulty


def _hits(contract: Contract, pattern: str) -> str:
    """SQL that takes from `records` where one of the texts stands, in columns with a class or without, known or not."""
    key = set(contract.key)
    told = [
        f"select position, row_number, {quote_literal(column.source_name)} as column_name, v{place} as value, true as "
        f"is_known, {quote_literal(column.personal_data)} as class, {column.nullable} as is_nullable, "
        f"{column.name in key} as is_key from records"
        for place, column in enumerate(contract.columns)
    ]
    pointer = "'/' || replace(replace(name, '~', '~0'), '/', '~1')"
    told.append(
        f"select position, row_number, name, json_extract_string(_extra, {pointer}), false, 'none', true, false "
        "from (select *, unnest(json_keys(_extra)) as name from records where _extra is not null)"
    )
    alone = search.alone_in_sql("' || regexp_escape(texts.text) || '")
    words = ", ".join(map(quote_literal, _WORDS))
    references = ", ".join(map(quote_literal, _REFERENCES))
    is_sure = f"{_is_sure(contract.silo)} or (class in ({words}) and not is_whole)"
    # A value that is an id, in a column of the contract: the contract has to say whose the record is.
    is_reference = (
        "is_known and is_whole and "
        f"(class = 'identifier' or (kind not in ('phone', 'email') and class not in ({words})))"
    )
    return f"""
        insert into hits
        select position, row_number, column_name, text, kind,
            not ({is_sure}) or ({is_reference}) or not may_be_emptied,
            may_be_emptied and not (({is_reference}) and class in ({references})),
            is_whole
        from (
            select told.*, texts.text, texts.kind, trim(value) = texts.text as is_whole,
                is_nullable or (not is_key and not is_whole) as may_be_emptied
            from (select * from ({" union all ".join(told)}) where regexp_matches(value, {quote_literal(pattern)}))
                as told
            inner join texts on regexp_matches(value, '{alone}') and length(texts.text) >= {search.LEAST_CHARACTERS}
        )
        anti join erased using (position, row_number)
        anti join blanked using (position, row_number, text)
    """


def _settle(connection: duckdb.DuckDBPyConnection, emptied: set[int], *, also_doubtful: bool) -> None:
    """Empties what is surely the person's. A record in which the same text stands in doubt stays as it is.

    Args:
        emptied: positions of files that go whole.
    """
    for table in ("hits", "erased", "blanked") if emptied else ():
        connection.execute(f"delete from {table} where position in ({', '.join(map(str, emptied))})")
    if also_doubtful:
        connection.execute("update hits set is_doubtful = false where may_be_emptied")
    connection.execute("delete from hits where (position, row_number) in (select (position, row_number) from erased)")
    connection.execute(
        "update hits set is_doubtful = true where (position, row_number, text) in "
        "(select (position, row_number, text) from hits where is_doubtful)"
    )
    connection.execute(
        "insert into blanked select distinct position, row_number, column_name, text from hits where not is_doubtful"
    )


def _doubtful(
    connection: duckdb.DuckDBPyConnection,
    merchant: Merchant,
    contracts: dict[tuple[str, str], Contract],
    log: dict[int, LandedFile],
) -> list[Doubtful]:
    grouped: dict[tuple[str, str, str], list[tuple[int, int, str, bool]]] = {}
    for position, name, records, kind, is_whole in connection.execute(
        "select position, column_name, count(distinct row_number), min(kind), bool_or(is_whole) from hits "
        "where is_doubtful group by position, column_name order by position, column_name"
    ).fetchall():
        file = log[position]
        grouped.setdefault((file.silo, file.table, name), []).append((position, records, kind, is_whole))
    found = []
    for (silo, table, name), parts in sorted(grouped.items()):
        contract = contracts[silo, table]
        found.append(
            Doubtful(
                f"{silo}.{table}",
                name,
                sum(records for _, records, _, _ in parts),
                tuple(merchant.landing / log[position].path for position, *_ in parts),
                _line(contract, name, parts[0][2], is_whole=any(part[3] for part in parts)),
                contract.yaml_file,
            )
        )
    return found


def _line(contract: Contract, name: str, kind: str, *, is_whole: bool) -> str:
    """The column of the contract with its class; empty where it has one by which another id could be given."""
    column = next((one for one in contract.columns if one.source_name == name), None)
    if column is not None and column.personal_data in _REFERENCES:
        return ""
    meta = _class(contract, column, kind) if is_whole else "personal_data: attribute"
    called, kept = name, ""
    if column is not None:
        called = column.name
        kept = f"source_name: {suggestions.quoted(name)}, " if name != column.name else ""
    data_type = column.data_type if column else "string"
    return suggestions.column(called, f"data_type: {data_type}, config: {{meta: {{{kept}{meta}}}}}")


def _class(contract: Contract, column: Column | None, kind: str) -> str:
    is_key = column is not None and column.name in contract.key
    if kind in ("phone", "email", "device") and not is_key:
        return f"personal_data: {kind}"
    if kind in ("phone", "email", "device") or kind.endswith(UNTOLD):
        return "personal_data: identifier"
    return f"personal_data: identifier, identity: {kind}"
