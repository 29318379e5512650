"""SQL that turns a file's value into a contract's type, and gives NULL rather than lose anything.

Nearly every text is written as the engine itself would write it: a cast that gives the same text back proves that
nothing was lost, and is several times faster than a pattern. Only the others are looked at by pattern.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from zhongtai.sql import duckdb_type, quote_literal

# What Python's str.strip takes off: spaces of every script, tabs, line ends.
WHITE_SPACE = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())

_NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?"
_WHOLE_NUMBER = r"[+-]?\d+(\.0*)?"
_GROUPED_NUMBER = r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?"
_DAY = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}"
_MIDNIGHT = r"([ T]0?0:00(:00(\.0+)?)?)?"
_CLOCK = r"[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?"
_OFFSET = r"([zZ]| ?UTC|[+-](0\d|1[0-5])(:?[0-5]\d)?)"

_INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
# Outside of these, moments have no place in a calendar of four digits, in no time zone.
_FIRST, _BEYOND = "0001-01-02", "10000-01-01"
# Among the formats of a column: the days since 1900 by which Excel counts, as a sheet saved as CSV may have them.
EXCEL = "excel"
_SERIAL = r"\d{1,7}(\.\d+)?"
_DAY_MS = 86_400_000
EXCEL_LAST_DAY = 2_958_465  # 9999-12-31
# Excel, as Lotus 1-2-3 before it, has a 29 February 1900: its day 60 is no date, and days before it count from another.
EXCEL_NO_DAY = 60
# A clock that did not change since is taken to stay as it is; the time zone database says no more.
_ASKED_UNTIL = datetime(2037, 1, 1, tzinfo=UTC)


def family(source_type: str) -> str:
    """text, nested, integer, float, decimal, boolean, date, timestamp or instant, of a DuckDB type."""
    if source_type.endswith("]") or source_type.startswith(("STRUCT", "MAP", "UNION")):
        return "nested"
    if source_type in _INTEGERS | {"UHUGEINT"}:
        return "integer"
    if source_type.startswith("TIMESTAMP"):
        return "instant" if source_type.endswith("WITH TIME ZONE") else "timestamp"
    simple = {"FLOAT": "float", "DOUBLE": "float", "BOOLEAN": "boolean", "DATE": "date"}
    return simple.get(source_type, "decimal" if source_type.startswith("DECIMAL") else "text")


def present(value: str, source_type: str) -> str:
    """The value without white space around it; NULL where nothing is left.

    Args:
        value: SQL of a value as the file has it.
        source_type: its DuckDB type.
    """
    kind = family(source_type)
    if kind not in ("text", "nested"):
        return value
    text = as_text(value, source_type)
    trimmed = f"nullif(trim({text}, {quote_literal(WHITE_SPACE)}), '')"
    if kind == "nested":
        return trimmed
    # To look at both ends takes a tenth of trimming, and nearly every value has nothing to take off. The last character
    # is found once only: that takes longer than all the rest.
    ends_well = f"not contains({quote_literal(WHITE_SPACE)}, {text}[-1])"
    return f"case when {_begins_with_ink(text)} and {ends_well} then {text} else {trimmed} end"


def as_text(value: str, source_type: str) -> str:
    """The value as text, lists and structures as JSON."""
    if family(source_type) == "nested":
        return f"cast(to_json({value}) as varchar)"
    if family(source_type) in ("timestamp", "instant"):
        # The first and last hours that the type holds are in no calendar.
        return f"case when {value} is not null then coalesce(try(cast({value} as varchar)), 'beyond the calendar') end"
    return f"cast({value} as varchar)"


def _begins_with_ink(text: str) -> str:
    """Whether a text surely starts with something else than white space; texts compare as their bytes do."""
    return f"(({text} >= '!' and {text} < chr(127)) or {text} > {quote_literal(max(WHITE_SPACE) + chr(0x10FFFF))})"


def typed(
    value: str, source_type: str, data_type: str, zone: str, *, formats: Sequence[str] = (), decimal: str = "."
) -> str:
    """SQL of the value in the contract's type; NULL where it cannot be said in it exactly.

    Decimals alone are rounded (half away from zero), because sources keep money as doubles.

    Args:
        value: SQL of a value as the file has it, white space included; used more than once, so a column's name.
        source_type: the DuckDB type of the file's value.
        data_type: the contract's type.
        zone: IANA name of a naive timestamp's clock.
        formats: of dates and timestamps in text, beside ISO 8601; `EXCEL` for days as Excel counts them.
        decimal: the decimal mark of numbers in text.
    """
    kind = {"nested": "text"}.get(family(source_type), family(source_type))
    trimmed = present(value, source_type)
    if data_type == "string":
        return trimmed if kind == "text" else as_text(value, source_type)
    if kind == "text":
        text = value if family(source_type) == "text" else trimmed
        if data_type in ("date", "timestamp") and formats:
            return _in_formats(text, trimmed, data_type, zone, formats)
        if decimal == "," and data_type not in ("date", "timestamp", "boolean"):
            text = trimmed = f"translate({trimmed}, '.,', ',.')"
        return _from_text(text, trimmed, data_type, zone)
    if data_type in ("date", "timestamp"):
        return _moment(value, kind, data_type, zone)
    if data_type == "boolean":
        return value if kind == "boolean" else _truth(f"cast({value} as varchar)")
    return _number(value, kind, data_type)


def _from_text(value: str, trimmed: str, data_type: str, zone: str) -> str:
    """SQL of a text in a type.

    Args:
        value: SQL of the text as it stands.
        trimmed: SQL of the text without white space around it.
    """
    target = duckdb_type(data_type)
    cast = f"try_cast({value} as {target})"
    if data_type in ("integer", "bigint"):
        return f"case when cast({cast} as varchar) = {value} then {cast} else {_whole_number(trimmed, target)} end"
    if data_type == "boolean":
        return f"case when {value} = 'true' then true when {value} = 'false' then false else {_truth(trimmed)} end"
    if data_type == "date":
        is_plain = f"cast({cast} as varchar) = {value} and {_is_usual(cast, 'date')}"
        return f"case when {is_plain} then {cast} else {_day(trimmed)} end"
    if data_type == "timestamp":
        is_plain = f"cast({cast} as varchar) = {value} and {_is_usual(cast)}"
        return f"case when {is_plain} then {_to_utc(cast, zone)} else {_clock(trimmed, zone)} end"
    # The engine reads numbers as we do, but for digits that underscores group, a sign with nothing but spaces after it,
    # two signs after a space, a point behind an exponent, and numbers beyond every range.
    is_read = f"isfinite({cast})" if data_type == "double" else f"{cast} is not null"
    is_plain = f"{value} >= '!' and {value}[-1] > '.' and not contains({value}, '_')"
    return f"case when {is_read} and {is_plain} then {cast} else {_decimal(trimmed, target)} end"


def _in_formats(value: str, trimmed: str, data_type: str, zone: str, formats: Sequence[str]) -> str:
    """SQL of a date or timestamp in ISO 8601, else in the first of the formats that fits."""
    patterns = [text for text in formats if text != EXCEL]
    moments = [f"try_strptime({trimmed}, [{', '.join(map(quote_literal, patterns))}])"] if patterns else []
    moments += [_excel_moment(trimmed)] if EXCEL in formats else []
    moment = f"coalesce({', '.join(moments)})"
    target = _to_utc(moment, zone) if data_type == "timestamp" else f"cast({moment} as date)"
    # A time of day in a column of dates would be lost.
    whole = "" if data_type == "timestamp" else f" and {moment} = date_trunc('day', {moment})"
    # A year of two digits where four are due would be one of the first century.
    other = f"case when {_is_usual(moment)} and {moment} >= timestamp '1000-01-01'{whole} then {target} end"
    return f"coalesce({_from_text(value, trimmed, data_type, zone)}, {other})"


def _excel_moment(text: str) -> str:
    """SQL of the moment that a number of days stands for, to the millisecond; NULL of what is no day of Excel's."""
    milliseconds = f"cast(round(try_cast({text} as double) * {_DAY_MS}) as bigint)"
    day = f"{milliseconds} // {_DAY_MS}"
    is_day = f"{day} between 1 and {EXCEL_LAST_DAY} and {day} <> {EXCEL_NO_DAY}"
    counted = f"case when {day} < {EXCEL_NO_DAY} then timestamp '1899-12-31' else timestamp '1899-12-30' end"
    return (
        f"case when regexp_full_match({text}, '{_SERIAL}') and {is_day} "
        f"then {counted} + to_milliseconds({milliseconds}) end"
    )


def _whole_number(text: str, target: str) -> str:
    whole = f"try_cast(split_part(replace({text}, ',', ''), '.', 1) as {target})"
    grouped = _GROUPED_NUMBER.removesuffix(r"(\.\d*)?") + r"(\.0*)?"
    return f"case when regexp_full_match({text}, '{_WHOLE_NUMBER}|{grouped}') then {whole} end"


def _decimal(text: str, target: str) -> str:
    cast = f"try_cast(replace({text}, ',', '') as {target})"
    finite = f" and isfinite({cast})" if target == "double" else ""
    return f"case when regexp_full_match({text}, '{_NUMBER}|{_GROUPED_NUMBER}'){finite} then {cast} end"


def _truth(text: str) -> str:
    # A list with `in` would become a join, and be looked up for every row there is.
    return (
        f"case when list_contains(['true', 't', 'yes', 'y', '1'], lower({text})) then true "
        f"when list_contains(['false', 'f', 'no', 'n', '0'], lower({text})) then false end"
    )


def _is_usual(moment: str, kind: str = "timestamp") -> str:
    """Whether a date, timestamp or instant is in the calendar."""
    return f"({moment} >= {kind} '{_FIRST}' and {moment} < {kind} '{_BEYOND}')"


def _day(text: str) -> str:
    day = f"try_cast(regexp_extract({text}, '^{_DAY}') as date)"
    return f"case when regexp_full_match({text}, '{_DAY}{_MIDNIGHT}') and {_is_usual(day, 'date')} then {day} end"


def _clock(text: str, zone: str) -> str:
    naive, instant = f"try_cast({text} as timestamp)", f"try_cast({text} as timestamptz)"
    utc = f"timezone('UTC', {instant})"
    return (
        f"case when regexp_full_match({text}, '{_DAY}({_CLOCK})?') then "
        f"case when {_is_usual(naive)} then {_to_utc(naive, zone)} end "
        f"when regexp_full_match({text}, '{_DAY}{_CLOCK}{_OFFSET}') then "
        f"case when {_is_usual(instant, 'timestamptz')} then {utc} end end"
    )


def _number(value: str, kind: str, data_type: str) -> str:
    target = duckdb_type(data_type)
    if kind not in ("integer", "float", "decimal"):
        return _from_text(f"cast({value} as varchar)", f"cast({value} as varchar)", data_type, "UTC")
    if data_type in ("integer", "bigint"):
        exact = "" if kind == "integer" else f"case when {value} = trunc({value}) then "
        return f"{exact}try_cast({value} as {target}){' end' if exact else ''}"
    if data_type == "double":
        return f"case when isfinite(cast({value} as double)) then cast({value} as double) end"
    if kind == "float":
        scale = int(data_type.rstrip(")").split(",")[1])
        return f"try_cast(round(cast({value} as double), {scale}) as {target})"
    return f"try_cast({value} as {target})"


def _moment(value: str, kind: str, data_type: str, zone: str) -> str:
    if kind in ("integer", "float", "decimal", "boolean"):
        return f"cast(null as {data_type})"  # a number can be days, seconds, milliseconds …
    if kind == "timestamp":
        value = f"cast({value} as timestamp)"  # of any precision
    within = _is_usual(value, {"instant": "timestamptz"}.get(kind, kind))
    if data_type == "timestamp":
        utc = f"timezone('UTC', {value})" if kind == "instant" else _to_utc(f"cast({value} as timestamp)", zone)
        return f"case when {within} then {utc} end"
    if kind == "date":
        return f"case when {within} then {value} end"
    local = f"timezone({quote_literal(zone)}, {value})" if kind == "instant" else f"cast({value} as timestamp)"
    # A time of day in a column of dates would be lost.
    return f"case when {within} then case when {local} = date_trunc('day', {local}) then cast({local} as date) end end"


def _to_utc(timestamp: str, zone: str) -> str:
    """A naive timestamp of a clock in `zone` as the naive timestamp of UTC."""
    if zone == "UTC":
        return timestamp
    by_calendar = f"timezone('UTC', timezone({quote_literal(zone)}, {timestamp}))"
    steady = _steady_clock(zone)
    if steady is None:
        return by_calendar
    since, offset = steady
    shift = int(offset.total_seconds()) * 1_000_000
    return (
        f"case when {timestamp} >= timestamp '{since:%Y-%m-%d}' and {timestamp} < timestamp '{_ASKED_UNTIL:%Y-%m-%d}' "
        f"then make_timestamp(epoch_us({timestamp}) - {shift}) else {by_calendar} end"
    )


@cache
def _steady_clock(zone: str) -> tuple[datetime, timedelta] | None:
    """The local day since which a zone's clock has not changed, and its offset; None where it still changes.

    To ask the calendar takes ten times as long as to subtract.
    """
    info = ZoneInfo(zone)
    offset = _offset(info, _ASKED_UNTIL)
    day = _ASKED_UNTIL
    while day.year > 1970 and _offset(info, day) == offset:
        day -= timedelta(days=1)
    if day > datetime(2020, 1, 1, tzinfo=UTC):
        return None
    return (day + timedelta(days=3)).replace(tzinfo=None), offset


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def local_date(timestamp: str, zone: str) -> str:
    """The business date of a naive UTC timestamp."""
    return f"cast(timezone({quote_literal(zone)}, timezone('UTC', {timestamp})) as date)"
