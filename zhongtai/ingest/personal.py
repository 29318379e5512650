"""Personal values become keyed tokens on the way to raw: SQL of what is compared, and of its HMAC-SHA256.

A token is `<class>:` and 32 hexadecimal digits: the first 128 bits of HMAC-SHA256 (RFC 2104) over the class, a colon
and the normalised value, under the merchant's key. Equal values have equal tokens in every silo; nobody without the key
can tell which value a token stands for, or try all phones there are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from zhongtai.sql import duckdb_type, quote_identifier, quote_literal

if TYPE_CHECKING:
    import duckdb

    from zhongtai.ingest.contract import Column, Contract

PARTIAL_SUFFIX = "_partial"
PARTIAL_CLASS = "phone_partial"

_DIGITS = 32  # of 64: 128 bits
_BLOCK_BYTES = 64  # SHA-256 hashes blocks of this size
# A message about a failed query shows its text: the key is in variables of the connection, which no query spells out.
_INNER, _OUTER = "personal_inner_pad", "personal_outer_pad"

# What people and spreadsheets put between and around digits, marks of writing direction included.
_SEPARATORS = r"[\s\p{Z}\x{200b}-\x{200f}\x{202a}-\x{202e}\x{feff}\-‐-―−－().（）·/]"
_WIDE = ("０１２３４５６７８９＋＊•●×xX", "0123456789+******")
_MOBILE = "1[3-9][0-9]{9}"
_MASKED = r"[0-9]{3}\*{4}[0-9]{4}"
_EMAIL = r"[\w.%+-]+@[\w.-]+\.[A-Za-z]{2,}"
_SPOKEN_MOBILE = r"(^|[^0-9])(?:(?:\+|00)?86[ -]?)?1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}($|[^0-9])"
_SPACE = r"[\s\p{Z}]"


def is_tokenised(column: Column) -> bool:
    """Whether raw holds tokens in place of the column's values."""
    return column.is_tokenised


def set_key(connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Gives the connection the key, before a query with tokens; a cursor made of the connection does not have it."""
    padded = key.ljust(_BLOCK_BYTES, b"\0")
    for name, pad in ((_INNER, 0x36), (_OUTER, 0x5C)):
        connection.execute(f"set variable {name} = cast(? as blob)", [bytes(byte ^ pad for byte in padded)])


def raw_columns(contract: Contract) -> list[tuple[str, str]]:
    """Name and DuckDB type of raw's columns: the contract's, and the partial token after each phone."""
    columns = []
    for column in contract.columns:
        columns.append((column.name, duckdb_type(column.data_type)))
        if column.personal_data == "phone":
            columns.append((column.name + PARTIAL_SUFFIX, "varchar"))
    return columns


def stored(contract: Contract, typed: Sequence[str]) -> list[str]:
    """SQL of each of `raw_columns`, named.

    Args:
        typed: SQL of the contract's columns in their types; used more than once, so columns' names.
    """
    expressions = []
    for column, value in zip(contract.columns, typed, strict=True):
        expression = token(value, column) if column.is_tokenised else value
        expressions.append(f"{expression} as {quote_identifier(column.name)}")
        if column.personal_data == "phone":
            expressions.append(f"{partial_token(value)} as {quote_identifier(column.name + PARTIAL_SUFFIX)}")
    return expressions


def token(value: str, column: Column) -> str:
    """SQL of the token of a value of a tokenised column; NULL of NULL, and of a masked phone, which names nobody.

    Args:
        value: SQL of text; used more than once, so a column's name.
    """
    return token_of_normalised(column.personal_data, normalised(value, column.personal_data))


def partial_token(value: str) -> str:
    """SQL of the token of a phone's first three and last four digits, the same of a masked phone and of a full one.

    NULL where the value is neither, and of phones of other countries, whose masks differ.
    """
    return token_of_normalised(PARTIAL_CLASS, partial_phone(value))


def normalised(value: str, personal_class: str) -> str:
    """SQL of the text of which values of a class are the same if it is."""
    if personal_class == "phone":
        # Masked: nothing is left, so that no two persons meet in `138****1234`.
        full = rf"nullif(regexp_replace({_phone(value)}, '.*\*.*', ''), '')"
        return f"case when regexp_full_match({value}, '{_MOBILE}') then {value} else {full} end"
    text = f"nfc_normalize({value})"
    if personal_class == "email":
        text = f"translate({text}, '＠．', '@.')"
    trimmed = f"regexp_replace({text}, '^{_SPACE}+|{_SPACE}+$', '', 'g')"
    if personal_class != "device":
        trimmed = f"regexp_replace(lower({trimmed}), '{_SPACE}+', ' ', 'g')"
    return f"nullif({trimmed}, '')"


def scrubbed(text: str) -> str:
    """SQL of a text, such as the JSON of columns that no contract names, without e-mail addresses and mobiles.

    `***` stands for an address, and 0 for a phone: a number in JSON stays one.
    """
    without_emails = f"regexp_replace({text}, '{_EMAIL}', '***', 'g')"
    # Twice: two phones may share what stands between them.
    once = rf"regexp_replace({without_emails}, '{_SPOKEN_MOBILE}', '\10\2', 'g')"
    return rf"regexp_replace({once}, '{_SPOKEN_MOBILE}', '\10\2', 'g')"


def spelled(personal_class: str, value: str) -> list[str]:
    """How a normalised phone or e-mail address is usually typed in a text, where nothing says what it is."""
    if personal_class == "email":
        return [value, value.upper(), value.capitalize()]
    if personal_class == "phone" and re.fullmatch(_MOBILE, value):
        parts = (value[:3], value[3:7], value[7:])
        return [code + between.join(parts) for between in ("", " ", "-") for code in ("", "86", "0086")]
    return [value]


def partial_phone(value: str) -> str:
    """SQL of a phone as `138****1234`."""
    cut = rf"regexp_replace({_phone(value)}, '^([0-9]{{3}})(?:[0-9]{{3,}}|\*+)([0-9]{{4}})$', '\1****\2')"
    return (
        f"case when regexp_full_match({value}, '{_MOBILE}') then left({value}, 3) || '****' || right({value}, 4) "
        f"when regexp_full_match({value}, '{_MASKED}') then {value} "
        f"else nullif(regexp_extract({cut}, '^{_MASKED}$'), '') end"
    )


def _phone(value: str) -> str:
    """A phone without separators: national digits, or + and those of another country; a mask has asterisks.

    China's country code (+86, 0086, or 86 before a mobile) is left out, so numbers without one are China's.
    """
    text = f"translate({value}, {quote_literal(_WIDE[0])}, {quote_literal(_WIDE[1])})"
    text = f"lower(regexp_replace({text}, '{_SEPARATORS}', '', 'g'))"
    mobile = r"1[3-9][0-9](?:[0-9]{4}|\*+)[0-9]{4}"
    text = rf"regexp_replace({text}, '^(?:(?:\+|00)?86)?0?({mobile})$', '\1')"
    text = rf"regexp_replace({text}, '^(?:\+|00)860?([1-9][0-9]{{8,10}})$', '0\1')"
    return rf"regexp_replace({text}, '^00([1-9])', '+\1')"


def token_of_normalised(personal_class: str, text: str) -> str:
    """SQL of the token of a value that is normalised already."""
    prefix = quote_literal(f"{personal_class}:")
    inner = f"unhex(sha256(getvariable('{_INNER}') || encode({prefix}) || encode({text})))"
    return f"{prefix} || left(sha256(getvariable('{_OUTER}') || {inner}), {_DIGITS})"
