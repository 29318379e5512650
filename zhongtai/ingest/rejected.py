"""The rejected rows of a batch into quarantine: each with every reason, and its text as far as it may be shown."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from zhongtai.ingest import faults, journal, keys, stored
from zhongtai.ingest.ledger import FileLoad
from zhongtai.sql import quote_literal, read_parquet

if TYPE_CHECKING:
    import duckdb

    from zhongtai.ingest.batch import Batch

_NAMED_ROWS = 10_000
# Beyond these, dates have no place in Python's calendar in some time zone.
FIRST_DAY, LAST_DAY = "date '0002-01-01'", "date '9998-12-31'"


def write(work: Batch, files: list[FileLoad], held: dict[int, FileLoad]) -> None:
    """Writes the rejected rows with their reasons, and counts them by business date."""
    contract = work.contract
    names = ", ".join(f"({entry.position}, {quote_literal(entry.file)})" for entry in [*held.values(), *files])
    conflict = quote_literal(f"other values under the same key ({', '.join(contract.key)}) than ")
    other_position, other_row = keys.place_of("verdicts.other_id")
    query = f"""
        with files(position, name) as (values {names}),
        conflicts as (
            select verdicts.row_id as conflict_id,
                [{{'column_name': {quote_literal(contract.key[0])}, 'reason': 'key_conflict',
                    'message': {conflict} || files.name || ' row ' || {other_row}}}] as conflict
            from verdicts inner join files on files.position = {other_position}
            where verdict = 'key_conflict'
        ),
        rejected as (
            select *, coalesce(conflict, {faults.fault_list(contract)}) as fault_list
            from (select * from judged where {_ids(work.connection, files)})
            left join conflicts on {keys.ROW_ID} = conflicts.conflict_id
        )
        select
            cast(_file_position as bigint) as position,
            {quote_literal(contract.silo)} as silo,
            {quote_literal(contract.table)} as table_name,
            files.name as file,
            _row_number as row_number,
            _line_number as line_number,
            fault_list[1].column_name as column_name,
            fault_list[1].reason as reason,
            {faults.shown(contract, "fault_list[1].message")} as message,
            list_transform(fault_list, lambda fault: {{
                'column_name': fault.column_name,
                'reason': fault.reason,
                'message': {faults.shown(contract, "fault.message")}
            }}) as faults,
            {faults.shown(contract, faults.row_text(contract))} as row_text,
            {faults.business_date(contract, work.merchant.time_zone)} as business_date
        from rejected inner join files on files.position = rejected._file_position
        order by position, row_number
    """
    file = stored.quarantine_file(work.merchant, contract.silo, contract.table, files[0].batch)
    journal.put_in_place(stored.write(work.connection, query, file), file)
    counts: dict[int, dict[date, int]] = {}
    for position, day, rows in work.connection.execute(
        f"select position, business_date, count(*) from {read_parquet([file])} "
        f"where business_date between {FIRST_DAY} and {LAST_DAY} "
        "group by position, business_date order by position, business_date"
    ).fetchall():
        counts.setdefault(int(position), {})[day] = int(rows)
    for entry in files:
        entry.quarantined_dates = counts.get(entry.position, {})


def _ids(connection: duckdb.DuckDBPyConnection, files: list[FileLoad]) -> str:
    """SQL of the condition on `judged` of rows that are faulty or in conflict.

    A few are named, so that the others are not cast once more.
    """
    connection.execute(
        f"""
        create or replace temp table rejected_rows as
        select {keys.ROW_ID} as row_id from judged where is_faulty
        union all
        select row_id from verdicts where verdict = 'key_conflict'
        """
    )
    ids = connection.execute(f"select row_id from rejected_rows limit {_NAMED_ROWS + 1}").fetchall()
    if len(ids) > _NAMED_ROWS:
        return f"{keys.ROW_ID} in (select row_id from rejected_rows)"
    positions = ", ".join(str(entry.position) for entry in files if entry.rows_quarantined)
    named = ", ".join(str(row_id) for (row_id,) in ids)
    return f"_file_position in ({positions}) and {keys.ROW_ID} in ({named})"
