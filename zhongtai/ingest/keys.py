"""Load modes: what a key that comes again means. Sets in SQL, against the earlier files only where keys meet.

Each function fills the temporary table `verdicts` (_row_number, verdict, other_position, other_row): accepted rows
that are not stored, `duplicate` or `key_conflict`, and the stored row that they met.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from zhongtai.ingest.contract import Contract
from zhongtai.sql import quote_identifier, read_parquet, scalar

if TYPE_CHECKING:
    import duckdb


def judge(
    connection: duckdb.DuckDBPyConnection, contract: Contract, position: int, earlier: list[Path]
) -> dict[int, int]:
    """Fills `verdicts` for the view `accepted` of the file at `position`.

    Args:
        earlier: raw files of the table at earlier positions, all loaded by the same contract.

    Returns:
        How many stored rows a newer version supersedes by this file, by the position of their file. Empty for
        append and snapshot.
    """
    connection.execute(
        "create or replace temp table verdicts "
        "(_row_number bigint, verdict varchar, other_position bigint, other_row bigint)"
    )
    if contract.load_mode in ("append", "snapshot"):
        _judge_facts(connection, contract, position, earlier if contract.load_mode == "append" else [])
        return {}
    return _judge_versions(connection, contract, position, earlier)


def winner_order(contract: Contract) -> str:
    """SQL of the order in which the first row of a key is the version that holds."""
    version = f"{quote_identifier(contract.version)} desc nulls last, " if contract.version else ""
    return f"{version}_file_position desc, _row_number desc"


def key_list(contract: Contract) -> str:
    """The key's columns in SQL."""
    return ", ".join(quote_identifier(name) for name in contract.key)


def _judge_facts(connection: duckdb.DuckDBPyConnection, contract: Contract, position: int, earlier: list[Path]) -> None:
    """The first row of a key stays; an equal one is a duplicate, another one a conflict."""
    others = [quote_identifier(column.name) for column in contract.columns if column.name not in contract.key]
    keys = key_list(contract)
    connection.execute("create or replace temp table met (_row_number bigint, other_position bigint, other_row bigint)")
    if earlier:
        files = read_parquet(earlier)
        connection.execute(
            f"insert into met select accepted._row_number, stored._file_position, stored._row_number "
            f"from accepted inner join {files} as stored using ({keys})"
        )
        equal = " and ".join(f"accepted.{name} is not distinct from stored.{name}" for name in others) or "true"
        if scalar(connection, "select count(*) from met"):
            connection.execute(
                f"insert into verdicts select met._row_number, if({equal}, 'duplicate', 'key_conflict'), "
                f"met.other_position, met.other_row from met "
                f"inner join accepted on accepted._row_number = met._row_number "
                f"inner join {files} as stored on stored._file_position = met.other_position "
                "and stored._row_number = met.other_row"
            )
    if not _find_repeated(connection, keys):
        return
    content = f"row({', '.join(others)})" if others else "true"
    connection.execute(
        f"""
        insert into verdicts
        with candidates as (
            select *, {content} as content from accepted
            where hash({keys}) in (select key_hash from repeated)
                and _row_number not in (select _row_number from met)
        ),
        firsts as (
            select
                _row_number,
                content,
                first_value(_row_number) over same_key as first_row,
                first_value(content) over same_key as first_content
            from candidates
            window same_key as (partition by {keys} order by _row_number)
        )
        select _row_number, if(content is not distinct from first_content, 'duplicate', 'key_conflict'),
            {position}, first_row
        from firsts where _row_number > first_row
        """
    )


def _judge_versions(
    connection: duckdb.DuckDBPyConnection, contract: Contract, position: int, earlier: list[Path]
) -> dict[int, int]:
    """Every version is stored, but one that says nothing new; counts what the new ones supersede."""
    keys = key_list(contract)
    names = ", ".join(quote_identifier(column.name) for column in contract.columns)
    row = f"{names}, _file_position, _row_number"
    known = f"select {names}, cast({position} as integer) as _file_position, _row_number from accepted where false"
    if earlier:
        known = f"select {row} from {read_parquet(earlier)} as stored semi join accepted using ({keys})"
    connection.execute(f"create or replace temp table history as {known}")
    _find_repeated(connection, keys)
    connection.execute(
        f"""
        insert into history select {names}, {position}, _row_number from accepted
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
        with repetitions as (select _file_position, _row_number, {repeats} as repeats from history)
        select _row_number, 'duplicate', null, null from repetitions where _file_position = {position} and repeats
        """
    )
    return _superseded(connection, contract, position)


def _superseded(connection: duckdb.DuckDBPyConnection, contract: Contract, position: int) -> dict[int, int]:
    """Rows that lose their place as the holding version by this file: its own older ones, and winners so far."""
    counts = connection.execute(
        f"""
        with stored as (
            select *, _file_position = {position} as is_new from history
            where _file_position <> {position} or _row_number not in (select _row_number from verdicts)
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
    """Fills `repeated` with the hashes of keys that the file has more than once; a hash needs little memory.

    Two keys may share a hash: what is found is a candidate, and is compared by its columns afterwards. Sorting the
    hashes takes half as long as grouping them.
    """
    connection.execute(
        f"""
        create or replace temp table repeated as
        with hashes as (select hash({keys}) as key_hash from accepted),
        sorted_hashes as (select key_hash, lag(key_hash) over (order by key_hash) as previous from hashes)
        select distinct key_hash from sorted_hashes where key_hash = previous
        """
    )
    return scalar(connection, "select count(*) from repeated")
