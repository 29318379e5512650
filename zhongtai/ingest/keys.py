"""Load modes: what a key that comes again means. Sets in SQL, against the earlier files only where keys meet.

Each function fills the temporary table `verdicts` (row_id, verdict, other_id): accepted rows that are not stored,
`duplicate` or `key_conflict`, and the stored row that they met. A row's id is its file's position and its number in
one integer, so ids follow the landing order.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from zhongtai.ingest import personal
from zhongtai.ingest.contract import Contract
from zhongtai.ingest.stored import raw_rows
from zhongtai.sql import execute_sparingly, quote_identifier, scalar

if TYPE_CHECKING:
    import duckdb

_ROWS = 1 << 40  # more than a file has
_SORT_BYTES = 1 << 28  # of memory; what does not fit is sorted on the disk
ROW_ID = f"(cast(_file_position as bigint) * {_ROWS} + _row_number)"


def place_of(row_id: str) -> tuple[str, str]:
    """SQL of the file's position and the row's number."""
    return f"{row_id} // {_ROWS}", f"{row_id} % {_ROWS}"


def judge(connection: duckdb.DuckDBPyConnection, contract: Contract, earlier: list[Path]) -> dict[int, int]:
    """Fills `verdicts` for the view `accepted`, whose files all come after the earlier ones.

    Args:
        earlier: raw files of the table with rows of earlier positions, all loaded by the same contract.

    Returns:
        How many stored rows a newer version supersedes now, by the position of their file. Empty for append and
        snapshot.
    """
    connection.execute("create or replace temp table verdicts (row_id bigint, verdict varchar, other_id bigint)")
    if contract.load_mode == "append":
        _judge_facts(connection, contract, "", earlier)
        return {}
    if contract.load_mode == "snapshot":
        # Every file is a picture of its own.
        _judge_facts(connection, contract, "_file_position, ", [])
        return {}
    return _judge_versions(connection, contract, earlier)


def winner_order(contract: Contract) -> str:
    """SQL of the order in which the first row of a key is the version that holds."""
    version = f"{quote_identifier(contract.version)} desc nulls last, " if contract.version else ""
    return f"{version}_file_position desc, _row_number desc"


def key_list(contract: Contract) -> str:
    """The key's columns in SQL."""
    return ", ".join(quote_identifier(name) for name in contract.key)


def _judge_facts(connection: duckdb.DuckDBPyConnection, contract: Contract, within: str, earlier: list[Path]) -> None:
    """The first row of a key stays; an equal one is a duplicate, another one a conflict.

    Args:
        within: columns, with a comma behind, that are part of the key beside the contract's.
    """
    others = [quote_identifier(name) for name, _ in personal.raw_columns(contract) if name not in contract.key]
    keys = key_list(contract)
    connection.execute("create or replace temp table met (row_id bigint, other_id bigint)")
    if earlier:
        _meet_stored(connection, keys, others, raw_rows(earlier))
    if not _find_repeated(connection, within + keys):
        return
    content = f"row({', '.join(others)})" if others else "true"
    connection.execute(
        f"""
        insert into verdicts
        with candidates as (
            select *, {ROW_ID} as row_id, {content} as content from accepted
            where hash({within}{keys}) in (select key_hash from repeated)
                and {ROW_ID} not in (select row_id from met)
        ),
        firsts as (
            select
                row_id,
                content,
                first_value(row_id) over same_key as first_id,
                first_value(content) over same_key as first_content
            from candidates
            window same_key as (partition by {within}{keys} order by row_id)
        )
        select row_id, if(content is not distinct from first_content, 'duplicate', 'key_conflict'), first_id
        from firsts where row_id > first_id
        """
    )


def _meet_stored(connection: duckdb.DuckDBPyConnection, keys: str, others: list[str], files: str) -> None:
    """Judges the rows whose key an earlier file has."""
    connection.execute(
        f"""
        insert into met
        with stored as (select {keys}, {ROW_ID} as row_id from {files})
        select {ROW_ID}, stored.row_id from accepted inner join stored using ({keys})
        """
    )
    if not scalar(connection, "select count(*) from met"):
        return
    equal = " and ".join(f"accepted.{name} is not distinct from stored.{name}" for name in others) or "true"
    connection.execute(
        f"""
        insert into verdicts
        select met.row_id, if({equal}, 'duplicate', 'key_conflict'), met.other_id
        from met
        inner join (select *, {ROW_ID} as row_id from accepted) as accepted on accepted.row_id = met.row_id
        inner join (select *, {ROW_ID} as row_id from {files}) as stored on stored.row_id = met.other_id
        """
    )


def _judge_versions(connection: duckdb.DuckDBPyConnection, contract: Contract, earlier: list[Path]) -> dict[int, int]:
    """Every version is stored, but one that says nothing new; counts what the new ones supersede."""
    keys = key_list(contract)
    names = ", ".join(quote_identifier(name) for name, _ in personal.raw_columns(contract))
    row = f"{names}, _file_position, _row_number"
    known = f"select {row}, false as is_new from accepted where false"
    if earlier:
        known = f"select {row}, false as is_new from {raw_rows(earlier)} as stored semi join accepted using ({keys})"
    connection.execute(f"create or replace temp table history as {known}")
    _find_repeated(connection, keys)
    connection.execute(
        f"""
        insert into history select {row}, true from accepted
        where hash({keys}) in (select key_hash from repeated union all select hash({keys}) from history)
        """
    )
    # With a version column a row equal to any stored one is old news. Without, the landing order is the version:
    # going back to an earlier state is news, and only a repetition of the latest state is not.
    order = "order by _file_position, _row_number"
    if contract.version:
        repeats = f"row_number() over (partition by {names} {order}) > 1"
    else:
        repeats = f"row({names}) is not distinct from lag(row({names})) over (partition by {keys} {order})"
    connection.execute(
        f"""
        insert into verdicts
        with repetitions as (select {ROW_ID} as row_id, is_new, {repeats} as repeats from history)
        select row_id, 'duplicate', null from repetitions where is_new and repeats
        """
    )
    return _superseded(connection, contract)


def _superseded(connection: duckdb.DuckDBPyConnection, contract: Contract) -> dict[int, int]:
    """Rows that lose their place as the holding version now: older ones of the new files, and winners so far."""
    counts = connection.execute(
        f"""
        with stored as (
            select * from history where not is_new or {ROW_ID} not in (select row_id from verdicts)
        ),
        ranked as (
            select
                _file_position,
                is_new,
                row_number() over (partition by {key_list(contract)} order by {winner_order(contract)}) as place,
                row_number() over (
                    partition by {key_list(contract)}, is_new order by {winner_order(contract)}
                ) as place_before
            from stored
        )
        select _file_position, count(*) from ranked where place > 1 and (is_new or place_before = 1)
        group by _file_position
        """
    ).fetchall()
    return {int(file): int(rows) for file, rows in counts}


def _find_repeated(connection: duckdb.DuckDBPyConnection, keys: str) -> int:
    """Fills `repeated` with the hashes of keys that the new files have more than once; a hash needs little memory.

    Two keys may share a hash: what is found is a candidate, and is compared by its columns afterwards. Sorting the
    hashes takes half as long as grouping them, and goes on on the disk where they are many.
    """
    execute_sparingly(
        connection,
        f"""
        create or replace temp table repeated as
        with hashes as (select hash({keys}) as key_hash from accepted),
        sorted_hashes as (select key_hash, lag(key_hash) over (order by key_hash) as previous from hashes)
        select distinct key_hash from sorted_hashes where key_hash = previous
        """,
        _SORT_BYTES,
    )
    return scalar(connection, "select count(*) from repeated")
