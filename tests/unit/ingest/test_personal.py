"""Tokens of personal values: against Python's hmac, and what counts as the same value."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.ingest.conftest import Shop
from zhongtai.errors import UsageError
from zhongtai.ingest import personal
from zhongtai.ingest.contract import Column, Contract, load_contracts

KEY = bytes(range(32))


def column(personal_class: str, name: str = "value") -> Column:
    return Column.model_validate(
        {
            "name": name,
            "source_name": name,
            "description": "d",
            "data_type": "string",
            "personal_data": personal_class,
        }
    )


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    opened = duckdb.connect()
    personal.set_key(opened, KEY)
    return opened


def tokens(connection: duckdb.DuckDBPyConnection, personal_class: str, values: list[str | None]) -> list[str | None]:
    sql = personal.token("value", column(personal_class))
    return [
        row[0]
        for row in connection.execute(f"select {sql} from (select unnest($1::varchar[]) as value)", [values]).fetchall()
    ]


def one(connection: duckdb.DuckDBPyConnection, expression: str, value: str | None) -> Any:
    found = connection.execute(f"select {expression} from (select $1::varchar as value)", [value]).fetchall()
    return found[0][0]


def expected(personal_class: str, text: str) -> str:
    message = f"{personal_class}:{text}".encode()
    return f"{personal_class}:{hmac.new(KEY, message, hashlib.sha256).hexdigest()[:32]}"


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_a_token_is_the_hmac_of_the_normalised_value(connection: duckdb.DuckDBPyConnection, value: str) -> None:
    for personal_class in ("phone", "email", "name", "address", "device"):
        text = one(connection, personal.normalised("value", personal_class), value)
        wanted = None if text is None else expected(personal_class, text)
        assert tokens(connection, personal_class, [value]) == [wanted]


def test_other_keys_and_classes_give_other_tokens(connection: duckdb.DuckDBPyConnection) -> None:
    other = duckdb.connect()
    personal.set_key(other, bytes(32))
    assert tokens(connection, "name", ["Ann"]) != tokens(other, "name", ["Ann"])
    digests = {str(tokens(connection, named, ["ann"])[0])[-32:] for named in ("name", "address", "device")}
    assert len(digests) == 3
    assert tokens(connection, "name", [None]) == [None]


def test_a_message_about_a_failed_query_does_not_hold_the_key(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.Error) as error:
        one(connection, f"cast({personal.token('value', column('name'))} as integer)", "Ann")
    assert "getvariable" in str(error.value)
    for pad in (0x36, 0x5C):
        escaped = "".join(f"\\x{byte ^ pad:02X}" for byte in KEY[:4])
        assert escaped not in str(error.value)


@pytest.mark.parametrize(
    ("value", "same"),
    [
        ("13812345678", "13812345678"),
        (" 138 1234 5678 ", "13812345678"),
        ("138-1234-5678", "13812345678"),
        ("(138) 1234·5678", "13812345678"),
        ("+8613812345678", "13812345678"),
        ("+86 138-1234-5678", "13812345678"),
        ("008613812345678", "13812345678"),
        ("86 13812345678", "13812345678"),
        ("(+86) 0138 1234 5678", "13812345678"),
        ("１３８１２３４５６７８", "13812345678"),
        ("＋８６　１３８１２３４５６７８", "13812345678"),
        ("\u202d13812345678\u202c", "13812345678"),
        ("\u00a0138\u20141234\u20145678\ufeff", "13812345678"),
        ("+86 10 1234 5678", "01012345678"),
        ("0086 (0)755-8212345", "07558212345"),
        ("010-12345678", "01012345678"),
        ("+852 6123 4567", "+85261234567"),
        ("00852-6123-4567", "+85261234567"),
        ("+1 (310) 555-1234", "+13105551234"),
        ("8613812345", "8613812345"),
        ("00000000000", "00000000000"),
        ("None", "none"),
        ("--", None),
        ("138****5678", None),
        ("+86 138****5678", None),
        ("138＊＊＊＊5678", None),
        ("138xxxx5678", None),
        ("***", None),
    ],
)
def test_phones_are_the_same_however_they_are_typed(
    connection: duckdb.DuckDBPyConnection, value: str, same: str | None
) -> None:
    assert one(connection, personal.normalised("value", "phone"), value) == same


@pytest.mark.parametrize(
    ("value", "partial"),
    [
        ("13812345678", "138****5678"),
        ("138****5678", "138****5678"),
        ("138***5678", "138****5678"),
        ("138＊＊＊＊5678", "138****5678"),
        ("138XXXX5678", "138****5678"),
        (" 138 **** 5678", "138****5678"),
        ("+86138****5678", "138****5678"),
        ("0086 138-1234-5678", "138****5678"),
        ("010-12345678", "010****5678"),
        ("010****5678", "010****5678"),
        ("+852 6123 4567", None),
        ("12345678", None),
        ("*******5678", None),
        ("none", None),
        (None, None),
    ],
)
def test_masked_and_full_phones_have_the_same_partial_token(
    connection: duckdb.DuckDBPyConnection, value: str | None, partial: str | None
) -> None:
    assert one(connection, personal.partial_phone("value"), value) == partial
    wanted = None if partial is None else expected("phone_partial", partial)
    assert one(connection, personal.partial_token("value"), value) == wanted


@pytest.mark.parametrize(
    ("personal_class", "value", "same"),
    [
        ("email", " Ann.Lee@Example.COM ", "ann.lee@example.com"),
        ("email", "ann＠example．com", "ann@example.com"),
        ("email", "anne\u0301@example.com", "ann\u00e9@example.com"),
        ("name", " Ann   LEE ", "ann lee"),
        ("name", "王　芳", "王 芳"),
        ("name", "王芳", "王芳"),
        ("address", "Jianguo Rd 1,\n Beijing", "jianguo rd 1, beijing"),
        ("device", " aB-9 ", "aB-9"),
        ("device", "   ", None),
    ],
)
def test_other_values_are_normalised(
    connection: duckdb.DuckDBPyConnection, personal_class: str, value: str, same: str | None
) -> None:
    assert one(connection, personal.normalised("value", personal_class), value) == same


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"mobile":"13812345678","n":1}', '{"mobile":"0","n":1}'),
        ('{"a":13812345678,"b":13912345678}', '{"a":0,"b":0}'),
        ("+86 138-1234-5678,13912345678", "0,0"),
        ("write to Ann.Lee@example.com.", "write to ***."),
        ("id 2024138123456789", "id 2024138123456789"),
        (None, None),
    ],
)
def test_phones_and_addresses_in_other_text_are_scrubbed(
    connection: duckdb.DuckDBPyConnection, text: str | None, shown: str | None
) -> None:
    assert one(connection, personal.scrubbed("value"), text) == shown


def declared(folder: Path, *columns: dict[str, Any], **meta: Any) -> Contract:
    named = [
        {
            "name": each["name"],
            "data_type": each.get("data_type", "string"),
            "description": "d",
            "config": {"meta": {"personal_data": each.get("personal_data", "none")}},
        }
        for each in columns
    ]
    config = {"file": "*.csv", "load_mode": "upsert", "key": ["id"], **meta}
    table = {"name": "people", "description": "d", "config": {"meta": config}, "columns": named}
    content = {"sources": [{"name": "shop", "tables": [table]}]}
    (folder / "shop.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return load_contracts(folder)[0]


ID, PHONE = {"name": "id"}, {"name": "phone", "personal_data": "phone"}


def test_raw_has_the_contract_s_columns_and_the_partial_tokens_of_phones(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    contract = declared(tmp_path, ID, PHONE, {"name": "visits", "data_type": "integer"})
    assert contract.is_tokenised
    columns = [("id", "varchar"), ("phone", "varchar"), ("phone_partial", "varchar"), ("visits", "integer")]
    assert personal.raw_columns(contract) == columns
    selected = ", ".join(personal.stored(contract, ["t0", "t1", "t2"]))
    result = connection.execute(f"select {selected} from (values ('a', '138 1234 5678', 7)) as given(t0, t1, t2)")
    assert [name for name, *_ in result.description] == [name for name, _ in columns]
    wanted = ("a", expected("phone", "13812345678"), expected("phone_partial", "138****5678"), 7)
    assert result.fetchall() == [wanted]


@pytest.mark.parametrize(
    ("column", "meta", "message"),
    [
        ({"name": "phone", "data_type": "bigint", "personal_data": "phone"}, {}, "its data_type must be string"),
        (PHONE, {"key": ["phone"]}, "cannot be part of the key: a masked phone has no token"),
        ({"name": "mail", "personal_data": "email"}, {"version": "mail"}, "cannot be the version"),
    ],
)
def test_a_contract_whose_tokens_could_not_work_is_refused(
    tmp_path: Path, column: dict[str, Any], meta: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=f"shop.people: .*{message}"):
        declared(tmp_path, ID, column, **meta)


def test_a_file_may_not_have_the_partial_s_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="raw has 'phone_partial' beside it"):
        declared(tmp_path, ID, PHONE, {"name": "Phone_Partial"})


ITEMS: dict[str, Any] = {
    "load_mode": "append",
    "key": ["id"],
    "columns": {"id": {"data_type": "string"}, "amount": {"data_type": "integer"}},
}


@pytest.mark.parametrize("amount", ["3", "three"])
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_unknown_columns_have_no_phone_in_tables_about_nobody_either(shop: Shop, form: str, amount: str) -> None:
    """Whether the file is stored in one pass, or judged row by row as one with a wrong row is."""
    shop.declare(items={**ITEMS, "file": "items*", "format": form})
    rows = [("1", "1", "13800001111", "tel 138-1234-5678, ann@example.com"), ("2", amount, "none", "none")]
    if form == "csv":
        text = "id,amount,mobile,note\n" + "".join(f'{one},{two},{three},"{four}"\n' for one, two, three, four in rows)
    else:
        text = "".join(
            json.dumps(dict(zip(("id", "amount", "mobile", "note"), row, strict=True))) + "\n" for row in rows
        )
    shop.put(f"items.{form}", text)
    shop.run()
    raw = shop.raw("items", "id, amount, _extra ->> 'mobile', _extra ->> 'note'")
    assert raw[0] == ("1", 1, "0", "tel 0, ***")
    assert len(raw) == (2 if amount == "3" else 1)


def test_a_broken_line_in_quarantine_has_no_phone_in_tables_about_nobody_either(shop: Shop) -> None:
    shop.declare(items={**ITEMS, "file": "items*", "format": "jsonl"})
    shop.put("items.jsonl", '{"id": "1", "amount": 1}\n{"id": "2", "tel": "13800001111')
    shop.run()
    assert [row["row_text"]["line"] for row in shop.rejected("items")] == ['{"id": "2", "tel": "0']
