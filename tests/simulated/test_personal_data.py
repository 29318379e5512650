"""Persons are tokens everywhere but in landing: nothing clear is left, and the tokens are the right ones."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from tests.qinghe import Qinghe
from tests.simulated import expected
from tests.simulated.contracts import contracts
from tests.simulated.personal_tokens import partial_token, public_key, token_of

pytestmark = pytest.mark.silos

# Every column of the ten silos that becomes tokens: table, column, class.
COLUMNS = [
    ("storefront", "users", "phone", "phone"),
    ("storefront", "users", "email", "email"),
    ("storefront", "events", "device_id", "device"),
    ("crm", "contacts", "phone", "phone"),
    ("crm", "contacts", "name", "name"),
    ("crm", "members", "phone", "phone"),
    ("crm", "members", "name", "name"),
    ("crm", "touches", "phone", "phone"),
    ("marketplace", "orders", "phone_masked", "phone"),
    ("live", "orders", "phone_masked", "phone"),
]
# Where clear values belong: what landed, the silos' own files, and the simulator's truth, which no release is made of.
CLEAR = ("landing", "silos", "truth")


@pytest.fixture(scope="module")
def clear(silos: Path) -> set[str]:
    """The values that the silos' files hold in these columns, as typed."""
    return {value for silo, table, column, _ in COLUMNS for value in told(silos, silo, table, column)}


def told(silos: Path, silo: str, table: str, column: str) -> set[str]:
    return set(expected.reading(silos, silo, table).history[column].dropna())


def raw(qinghe: Qinghe, silo: str, table: str, column: str) -> set[str]:
    files = str(qinghe.home / "raw" / silo / table / "*.parquet")
    return {
        value
        for (value,) in duckdb.sql(f"select distinct {column} from '{files}' where {column} is not null").fetchall()
    }


def test_the_columns_are_all_that_the_contracts_call_personal() -> None:
    found = []
    for (silo, table), contract in contracts().items():
        for column in contract.columns:
            if column.personal_data in ("phone", "email", "name", "address", "device"):
                found.append((silo, table, column.name, column.personal_data))
    assert sorted(found) == sorted(COLUMNS)


@pytest.mark.parametrize(("silo", "table", "column", "personal_class"), COLUMNS)
def test_raw_holds_the_tokens_of_the_values_that_the_files_tell(
    qinghe: Qinghe, silos: Path, silo: str, table: str, column: str, personal_class: str
) -> None:
    values = told(silos, silo, table, column)
    assert values
    assert raw(qinghe, silo, table, column) == {token_of(personal_class, value) for value in values} - {None}
    if personal_class == "phone":
        assert raw(qinghe, silo, table, f"{column}_partial") == {partial_token(value) for value in values} - {None}


def test_a_masked_phone_meets_the_full_one_of_the_same_person(qinghe: Qinghe) -> None:
    masked = raw(qinghe, "marketplace", "orders", "phone_masked_partial")
    assert raw(qinghe, "marketplace", "orders", "phone_masked") == set()
    assert len(masked & raw(qinghe, "storefront", "users", "phone_partial")) > 0.5 * len(masked)


def test_events_carry_the_token_of_their_device(silos: Path, release: duckdb.DuckDBPyConnection) -> None:
    devices = expected.rows(silos, "storefront", "events")["device_id"]
    wanted = devices.map({device: token_of("device", device) for device in devices.unique()}).value_counts()
    found = release.sql("select device_id, count(*) as n from unified.fct_user_events group by device_id").df()
    pd.testing.assert_series_equal(
        found.set_index("device_id")["n"].sort_index(), wanted.sort_index(), check_names=False, check_dtype=False
    )


def test_nothing_clear_is_anywhere_but_in_landing(qinghe: Qinghe, clear: set[str]) -> None:
    assert len(clear) > 500
    # Every file's bytes for some values (a name of two characters is a word, too), the texts of packed ones for all.
    sample = [value.encode() for value in sorted(clear) if len(value) > 6][::8]
    contents = ((file, file.read_bytes()) for file in files(qinghe))
    hits = [f"{file}: {value.decode()}" for file, content in contents for value in sample if value in content]
    hits += [f"{name}: {value}" for name, text in texts(qinghe) for value in clear & text]
    assert hits == []


def files(qinghe: Qinghe) -> Iterator[Path]:
    """Every file below ZHONGTAI_HOME but those that may hold clear values; links are followed by no one."""
    for file in sorted(qinghe.data.rglob("*")):
        if file.is_file() and not file.is_symlink():
            inside = file.relative_to(qinghe.data).parts
            if not (inside[0] == qinghe.name and inside[1] in CLEAR):
                yield file


def texts(qinghe: Qinghe) -> Iterator[tuple[str, set[str]]]:
    """Table and column, and the texts in it, of every Parquet and DuckDB file: they are packed."""
    for file in files(qinghe):
        if file.suffix == ".parquet":
            with duckdb.connect() as connection:
                yield from columns(connection, f"read_parquet('{file}', hive_partitioning = false)", str(file))
        elif file.suffix == ".duckdb":
            with duckdb.connect(str(file), read_only=True) as connection:
                tables = connection.sql("select schema_name, table_name from duckdb_tables()").fetchall()
                for schema, table in tables:
                    yield from columns(connection, f'"{schema}"."{table}"', f"{file} {schema}.{table}")


def columns(connection: duckdb.DuckDBPyConnection, relation: str, name: str) -> Iterator[tuple[str, set[str]]]:
    """Whole texts and their words: a message or a JSON text may hold a value among others."""
    for column, kind in connection.sql(f"select column_name, column_type from (describe from {relation})").fetchall():
        if "VARCHAR" in kind:
            query = f'select distinct cast("{column}" as varchar) from {relation} where "{column}" is not null'
            found = {text for (text,) in connection.sql(query).fetchall()}
            words = {word for text in found for word in re.split(r"[\s\"',:;{}\[\]()=]+", text)}
            yield f"{name} {column}", found | words


def test_only_the_owner_can_open_what_may_name_a_person(qinghe: Qinghe) -> None:
    for name in ("landing", "raw", "quarantine", "warehouse"):
        assert stat.S_IMODE((qinghe.home / name).stat().st_mode) == 0o700, name


def test_the_key_is_nowhere_in_the_data(qinghe: Qinghe) -> None:
    key = public_key()
    pads = [bytes(byte ^ pad for byte in key) for pad in (0x36, 0x5C)]
    for file in files(qinghe):
        content = file.read_bytes()
        assert not any(form in content for form in (key, key.hex().encode(), *pads)), file
