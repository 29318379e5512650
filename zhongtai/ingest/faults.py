"""The contract as SQL: which rows it rejects, why, and the accepted rows in its types."""

from __future__ import annotations

from zhongtai.ingest import casts
from zhongtai.ingest.contract import Column, Contract
from zhongtai.sql import duckdb_type, quote_identifier, quote_literal

_SHOWN_CHARACTERS = 80
_SHOWN_ALLOWED = 10
# Classes of personal data that may stand in quarantine as they are.
_SHOWN_CLASSES = ("none", "attribute")


def typed_view(contract: Contract, source_types: list[str], zone: str, rows: str = "staged") -> str:
    """SQL of the view `typed`: the rows with `v0` … (cleaned), `t0` … (typed) and `is_faulty`.

    Args:
        source_types: the DuckDB types of `s0` …
        zone: the merchant's time zone.
        rows: a relation of the columns of `staged`.
    """
    cleaned = [f"{casts.present(f's{index}', kind)} as v{index}" for index, kind in enumerate(source_types)]
    typed = []
    for index, (column, kind) in enumerate(zip(contract.columns, source_types, strict=True)):
        clock = zone if column.time_zone == "local" else column.time_zone
        cast = casts.typed(f"v{index}", kind, column.data_type, clock)
        typed.append(f"cast({cast} as {duckdb_type(column.data_type)}) as t{index}")
    conditions = [
        condition for index, column in enumerate(contract.columns) for condition, _, _ in _faults(index, column)
    ]
    return f"""
        create or replace temp view typed as
        with cleaned as (select *, {", ".join(cleaned)} from {rows}),
        cast_values as (select *, {", ".join(typed)} from cleaned)
        select *, _structure is not null or {" or ".join(f"({condition})" for condition in conditions)} as is_faulty
        from cast_values
    """


def accepted_view(contract: Contract, files: int) -> str:
    """SQL of the view `accepted`: the rows without fault under the contract's names, with `_extra` and their place.

    Text is cast once and kept in a table, because it is slow to cast, and so are the values of many small files, which
    are slow to open; a Parquet file's own values are cast again for each use, because to keep tens of millions of rows
    is slower.
    """
    columns = [f"t{index} as {quote_identifier(column.name)}" for index, column in enumerate(contract.columns)]
    query = f"select {', '.join(columns)}, _extra, _file_position, _row_number from typed where not is_faulty"
    if contract.format == "parquet" and files == 1:
        return f"create or replace temp view accepted as {query}"
    return (
        f"create or replace temp table accepted_rows as {query}; "
        "create or replace temp view accepted as select * from accepted_rows"
    )


def fault_list(contract: Contract) -> str:
    """SQL of a row's faults in the order of columns: a list of (column_name, reason, message)."""
    cases = ["case when _structure is not null then " + _struct("null", "structure", "_structure") + " end"]
    for index, column in enumerate(contract.columns):
        for condition, reason, message in _faults(index, column):
            struct = _struct(quote_literal(column.name), reason, message)
            cases.append(f"case when _structure is null and {condition} then {struct} end")
    return f"list_filter([{', '.join(cases)}], lambda fault: fault is not null)"


def row_text(contract: Contract) -> str:
    """SQL of the row as read, as JSON; what could name a person is masked.

    A broken line has no columns to tell what is personal, and nobody said what unknown columns hold: the first is
    masked whole where the contract has personal data, the second always.
    """
    pairs = []
    for index, column in enumerate(contract.columns):
        shown = f"s{index}"
        if _is_masked(column):
            shown = f"case when v{index} is not null then '***' end"
        pairs.append(f"{quote_literal(column.source_name)}, {shown}")
    row = ", ".join(pairs)
    record = "'***'" if any(_is_masked(column) for column in contract.columns) else "_record"
    return (
        f"cast(case when _structure is not null then json_object('line', {record}) "
        f"when _extra is not null then json_object({row}, '_extra', '***') else json_object({row}) end as varchar)"
    )


def business_date(contract: Contract, zone: str) -> str:
    """SQL of the row's local date, NULL where there is no event time or it cannot be read."""
    if contract.event_time is None:
        return "cast(null as date)"
    index = [column.name for column in contract.columns].index(contract.event_time)
    if contract.columns[index].data_type == "date":
        return f"t{index}"
    return casts.local_date(f"t{index}", zone)


def _faults(index: int, column: Column) -> list[tuple[str, str, str]]:
    """Condition, reason and message (SQL) of each thing that can be wrong with a column's value."""
    value, typed = f"v{index}", f"t{index}"
    shown = f"left(cast({value} as varchar), {_SHOWN_CHARACTERS})"
    quoted = "'''***'''" if _is_masked(column) else f"'''' || {shown} || ''''"
    faults = [
        (f"{value} is not null and {typed} is null", "type", f"{quoted} || ' is not a {column.data_type}'"),
    ]
    if not column.nullable:
        faults.append((f"{value} is null", "null", "'is empty, and may not be'"))
    if column.allowed:
        allowed = ", ".join(quote_literal(value) for value in column.allowed)
        listed = ", ".join(column.allowed[:_SHOWN_ALLOWED]) + (" …" if len(column.allowed) > _SHOWN_ALLOWED else "")
        condition = f"{typed} is not null and cast({typed} as varchar) not in ({allowed})"
        faults.append((condition, "allowed", f"{quoted} || {quote_literal(f' is not one of: {listed}')}"))
    return faults


def _struct(column: str, reason: str, message: str) -> str:
    return (
        f"{{'column_name': cast({column} as varchar), 'reason': {quote_literal(reason)}, "
        f"'message': cast({message} as varchar)}}"
    )


def _is_masked(column: Column) -> bool:
    return column.personal_data not in _SHOWN_CLASSES
