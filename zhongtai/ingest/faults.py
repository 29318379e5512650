"""The contract as SQL: the rows in its types, which of them it rejects, and why."""

from __future__ import annotations

from dataclasses import dataclass

from zhongtai.ingest import casts, personal, sheet_scan
from zhongtai.ingest.contract import Column, Contract
from zhongtai.sql import duckdb_type, quote_literal

_SHOWN_CHARACTERS = 80
_SHOWN_ALLOWED = 10
_COMPARED = 8  # allowed values that are compared one by one
# Classes of personal data that may stand in quarantine as they are.
_SHOWN_CLASSES = ("none", "attribute")


@dataclass(frozen=True)
class Judge:
    """A contract on the merchant's clock.

    Attributes:
        zone: IANA name of the merchant's time zone.
    """

    contract: Contract
    zone: str

    def judged(self, rows: str, types: list[str]) -> str:
        """SQL of the rows with `t0` … (typed) and `is_faulty`; text that has passed is not kept.

        Args:
            rows: SQL of `_file_position`, `_row_number` (1-based record, the header not counted), `_line_number`
                (physical line, NULL where the form has none), `_structure` (what is wrong with the record as a whole),
                `_record` (that record), `s0`, `s1` … (the contract's columns in order, as in the file) and `_extra`
                (JSON of what the contract does not know).
            types: the DuckDB types of `s0`, `s1` …
        """
        texts = ", ".join(
            f"case when is_faulty then {casts.as_text(f's{place}', kind)} end as s{place}"
            for place, kind in enumerate(types)
        )
        typed = ", ".join(f"t{place}" for place in range(len(types)))
        conditions = [
            condition
            for place, column in enumerate(self.contract.columns)
            for condition in _conditions(place, column, types[place])
        ]
        return (
            f"select _file_position, _row_number, _line_number, _structure, _record, {typed}, {texts}, _extra, "
            f"is_faulty from (select *, _structure is not null or {' or '.join(conditions)} as is_faulty "
            f"from ({self._cast(rows, types)}))"
        )

    def whole(self, rows: str, types: list[str]) -> str:
        """SQL of all rows as raw has them, their number NULL, or -1 where they may be faulty.

        A condition instead would make the engine cast every value twice, once to judge the row and once to store it;
        and to tell a value of blanks, which is none, from a faulty one costs more than it is worth here.
        """
        suspicions = [
            suspicion
            for place, column in enumerate(self.contract.columns)
            for suspicion in (
                [f"t{place} is null" if not column.nullable else f"(t{place} is null and s{place} is not null)"]
                + ([_is_not_allowed(f"t{place}", column)] if column.allowed else [])
            )
        ]
        return (
            f"select {_stored(self.contract)}, _file_position, "
            f"case when _structure is not null or {' or '.join(suspicions)} then cast(-1 as bigint) end as _row_number "
            f"from ({self._cast(rows, types)})"
        )

    def _cast(self, rows: str, types: list[str]) -> str:
        cast_values = ", ".join(
            f"cast({self._typed(place, types[place])} as {duckdb_type(column.data_type)}) as t{place}"
            for place, column in enumerate(self.contract.columns)
        )
        return f"select *, {cast_values} from ({rows})"

    def _typed(self, place: int, source_type: str) -> str:
        column = self.contract.columns[place]
        clock = self.zone if column.time_zone == "local" else column.time_zone
        typed = casts.typed(
            f"s{place}", source_type, column.data_type, clock, formats=column.formats, decimal=column.decimal
        )
        if self.contract.format == "xlsx" and column.data_type == "string":
            # An error of Excel's is never data, in a column of text neither.
            errors = ", ".join(quote_literal(error) for error in sheet_scan.ERRORS)
            return f"case when not list_contains([{errors}], s{place}) then {typed} end"
        return typed


def accepted(contract: Contract, judged: str) -> str:
    """SQL of the rows without fault as raw has them: personal values as tokens, `_extra`, and the rows' place."""
    return f"select {_stored(contract)}, _file_position, _row_number from ({judged}) where not is_faulty"


def _stored(contract: Contract) -> str:
    columns = ", ".join(personal.stored(contract, [f"t{place}" for place in range(len(contract.columns))]))
    return f"{columns}, {_scrubbed('_extra')} as _extra"


def shown(contract: Contract, text: str) -> str:
    """SQL of a text that may hold, where nobody expects it, what names a person."""
    return _scrubbed(text) if contract.is_tokenised else text


def _scrubbed(text: str) -> str:
    return f"case when {text} is not null then {personal.scrubbed(text)} end"


def fault_list(contract: Contract) -> str:
    """SQL of a faulty row's faults in the order of columns: a list of (column_name, reason, message)."""
    cases = ["case when _structure is not null then " + _struct("null", "structure", "_structure") + " end"]
    for place, column in enumerate(contract.columns):
        for condition, reason, message in _faults(place, column):
            struct = _struct(quote_literal(column.name), reason, message)
            cases.append(f"case when _structure is null and {condition} then {struct} end")
    return f"list_filter([{', '.join(cases)}], lambda fault: fault is not null)"


def row_text(contract: Contract) -> str:
    """SQL of the row as read, as JSON; what could name a person is masked.

    A broken line has no columns to tell what is personal, and nobody said what unknown columns hold: the first is
    masked whole where the contract has personal data, and else without phones and addresses, the second always.
    """
    pairs = []
    for place, column in enumerate(contract.columns):
        value = f"if(is_faulty, s{place}, cast(t{place} as varchar))"
        if _is_masked(column):
            value = f"case when {_present(place)} is not null or t{place} is not null then '***' end"
        pairs.append(f"{quote_literal(column.source_name)}, {value}")
    row = ", ".join(pairs)
    record = "'***'" if any(_is_masked(column) for column in contract.columns) else _scrubbed("_record")
    return (
        f"cast(case when _structure is not null then json_object('line', {record}) "
        f"when _extra is not null then json_object({row}, '_extra', '***') else json_object({row}) end as varchar)"
    )


def business_date(contract: Contract, zone: str) -> str:
    """SQL of the row's local date, NULL where nothing tells it or it cannot be read."""
    names = [column.name for column in contract.columns]
    days = []
    for told in filter(None, (contract.business_date, contract.event_time)):
        place = names.index(told)
        is_date = contract.columns[place].data_type == "date"
        days.append(f"t{place}" if is_date else casts.local_date(f"t{place}", zone))
    return f"coalesce({', '.join(days)})" if days else "cast(null as date)"


def _conditions(place: int, column: Column, source_type: str) -> list[str]:
    """SQL of whether a row has a fault in this column; never NULL."""
    value, typed = f"s{place}", f"t{place}"
    if not column.nullable:
        conditions = [f"{typed} is null"]
    else:
        # Rarely asked, and so in a place where it is only worked out for the few.
        present = casts.present(value, source_type)
        conditions = [f"case when {typed} is null and {value} is not null then {present} is not null else false end"]
    if column.allowed:
        conditions.append(_is_not_allowed(typed, column))
    return conditions


def _is_not_allowed(typed: str, column: Column) -> str:
    text = typed if column.data_type == "string" else f"cast({typed} as varchar)"
    values = [quote_literal(value) for value in column.allowed]
    if len(values) > _COMPARED:
        return f"coalesce(not list_contains([{', '.join(values)}], {text}), false)"
    # A list with `in` would become a join, which costs several times as much.
    return f"coalesce({' and '.join(f'{text} <> {value}' for value in values)}, false)"


def _faults(place: int, column: Column) -> list[tuple[str, str, str]]:
    """Condition, reason and message (SQL) of each thing that can be wrong with a column's value."""
    value, typed = _present(place), f"t{place}"
    beginning = f"left({value}, {_SHOWN_CHARACTERS})"
    quoted = "'''***'''" if _is_masked(column) else f"'''' || {beginning} || ''''"
    faults = [
        (f"{value} is not null and {typed} is null", "type", f"{quoted} || ' is not a {column.data_type}'"),
    ]
    if not column.nullable:
        faults.append((f"{value} is null", "null", "'is empty, and may not be'"))
    if column.allowed:
        listed = ", ".join(column.allowed[:_SHOWN_ALLOWED]) + (" …" if len(column.allowed) > _SHOWN_ALLOWED else "")
        faults.append(
            (
                _is_not_allowed(typed, column),
                "allowed",
                f"{quoted} || {quote_literal(f' is not one of: {listed}')}",
            )
        )
    return faults


def _present(place: int) -> str:
    """SQL of a faulty row's value without white space around it."""
    return casts.present(f"s{place}", "VARCHAR")


def _struct(column: str, reason: str, message: str) -> str:
    return (
        f"{{'column_name': cast({column} as varchar), 'reason': {quote_literal(reason)}, "
        f"'message': cast({message} as varchar)}}"
    )


def _is_masked(column: Column) -> bool:
    return column.personal_data not in _SHOWN_CLASSES
