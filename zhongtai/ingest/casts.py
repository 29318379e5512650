"""SQL that turns a file's value into a contract's type, and gives NULL rather than lose anything."""

from __future__ import annotations

from zhongtai.sql import duckdb_type, quote_literal

# What Python's str.strip takes off: spaces of every script, tabs, line ends.
WHITE_SPACE = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())

_NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?"
_WHOLE_NUMBER = r"[+-]?\d+(\.0*)?"
_DAY = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}"
_MIDNIGHT = r"([ T]0?0:00(:00(\.0+)?)?)?"
_CLOCK = r"[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?"
_OFFSET = r"([zZ]| ?UTC|[+-]\d{2}(:?\d{2})?)"

_INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}


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
    text = f"cast(to_json({value}) as varchar)" if kind == "nested" else f"cast({value} as varchar)"
    trimmed = f"nullif(trim({text}, {quote_literal(WHITE_SPACE)}), '')"
    if kind == "nested":
        return trimmed
    # To look at both ends costs a third of trimming, and nearly every value has nothing to take off.
    return f"case when {_is_ink(text)} and {_is_ink(f'right({text}, 1)')} then {text} else {trimmed} end"


def _is_ink(text: str) -> str:
    """Whether a text surely starts with something else than white space."""
    return f"(ascii({text}) between 33 and 126 or ascii({text}) > {ord(max(WHITE_SPACE))})"


def typed(value: str, source_type: str, data_type: str, zone: str) -> str:
    """SQL of the value in the contract's type; NULL where it cannot be said in it exactly.

    Decimals alone are rounded (half away from zero), because sources keep money as doubles.

    Args:
        value: SQL of what `present` gave; used more than once, so a column's name.
        source_type: the DuckDB type of the file's value.
        data_type: the contract's type.
        zone: IANA name of a naive timestamp's clock.
    """
    kind = {"nested": "text"}.get(family(source_type), family(source_type))
    if data_type in ("date", "timestamp"):
        return _moment(value, kind, data_type, zone)
    if data_type == "string":
        return f"cast({value} as varchar)"
    if data_type == "boolean":
        return _boolean(value, kind)
    return _number(value, kind, data_type)


def _number(value: str, kind: str, data_type: str) -> str:
    target = duckdb_type(data_type)
    if kind not in ("integer", "float", "decimal"):
        text = f"cast({value} as varchar)"
        if data_type in ("integer", "bigint"):
            whole = f"try_cast(split_part({text}, '.', 1) as {target})"
            return f"case when regexp_full_match({text}, '{_WHOLE_NUMBER}') then {whole} end"
        cast = f"try_cast({text} as {target})"
        finite = f" and isfinite({cast})" if data_type == "double" else ""
        return f"case when regexp_full_match({text}, '{_NUMBER}'){finite} then {cast} end"
    if data_type in ("integer", "bigint"):
        exact = "" if kind == "integer" else f"case when {value} = trunc({value}) then "
        return f"{exact}try_cast({value} as {target}){' end' if exact else ''}"
    if data_type == "double":
        return f"case when isfinite(cast({value} as double)) then cast({value} as double) end"
    if kind == "float":
        scale = int(data_type.rstrip(")").split(",")[1])
        return f"try_cast(round(cast({value} as double), {scale}) as {target})"
    return f"try_cast({value} as {target})"


def _boolean(value: str, kind: str) -> str:
    if kind == "boolean":
        return value
    text = f"lower(cast({value} as varchar))"
    return (
        f"case when {text} in ('true', 't', 'yes', 'y', '1') then true "
        f"when {text} in ('false', 'f', 'no', 'n', '0') then false end"
    )


def _moment(value: str, kind: str, data_type: str, zone: str) -> str:
    if kind in ("integer", "float", "decimal", "boolean"):
        return f"cast(null as {data_type})"  # a number can be days, seconds, milliseconds …
    if data_type == "date":
        return _date(value, kind, zone)
    if kind == "text":
        day_or_time = f"{_DAY}({_CLOCK})?"
        naive = _to_utc(f"try_cast({value} as timestamp)", zone)
        instant = f"timezone('UTC', try_cast({value} as timestamptz))"
        return (
            f"case when regexp_full_match({value}, '{day_or_time}') then {naive} "
            f"when regexp_full_match({value}, '{_DAY}{_CLOCK}{_OFFSET}') then {instant} end"
        )
    if kind == "instant":
        return f"case when isfinite({value}) then timezone('UTC', {value}) end"
    cast = f"cast({value} as timestamp)"
    return f"case when isfinite({cast}) then {_to_utc(cast, zone)} end"


def _date(value: str, kind: str, zone: str) -> str:
    if kind == "date":
        return f"case when isfinite({value}) then {value} end"
    if kind == "text":
        day = f"try_cast(regexp_extract({value}, '^{_DAY}') as date)"
        return f"case when regexp_full_match({value}, '{_DAY}{_MIDNIGHT}') then {day} end"
    local = f"timezone({quote_literal(zone)}, {value})" if kind == "instant" else f"cast({value} as timestamp)"
    # A time of day in a column of dates would be lost.
    return f"case when isfinite({local}) and {local} = date_trunc('day', {local}) then cast({local} as date) end"


def _to_utc(timestamp: str, zone: str) -> str:
    """A naive timestamp of a clock in `zone` as the naive timestamp of UTC."""
    return timestamp if zone == "UTC" else f"timezone('UTC', timezone({quote_literal(zone)}, {timestamp}))"


def local_date(timestamp: str, zone: str) -> str:
    """The business date of a naive UTC timestamp."""
    return f"cast(timezone({quote_literal(zone)}, timezone('UTC', {timestamp})) as date)"
