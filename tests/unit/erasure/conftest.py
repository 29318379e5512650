"""A shop whose tables name persons in every form of file, and short ways to forget one."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.ingest.conftest import Shop
from zhongtai.erasure import erase
from zhongtai.erasure.person import Start

TEXT = {"data_type": "string"}
USER = {"data_type": "string", "personal_data": "identifier", "identity": "shop.user_id"}
PHONE = {"data_type": "string", "personal_data": "phone"}
TABLES: dict[str, dict[str, Any]] = {
    "users": {
        "file": "users*.csv",
        "load_mode": "upsert",
        "key": ["user_id"],
        "columns": {
            "user_id": {**USER, "nullable": False},
            "phone": PHONE,
            "email": {"data_type": "string", "personal_data": "email"},
            "name": {"data_type": "string", "personal_data": "name"},
            "invited_by": {**USER, "of_another": True},
        },
    },
    "contacts": {
        "file": "contacts*.jsonl.gz",
        "format": "jsonl",
        "load_mode": "upsert",
        "key": ["contact_id"],
        "columns": {"contact_id": {"data_type": "string", "personal_data": "identifier"}, "phone": PHONE},
    },
    "orders": {
        "file": "orders*.json",
        "format": "json",
        "records": "data.list",
        "load_mode": "append",
        "key": ["order_id"],
        "columns": {"order_id": TEXT, "user_id": USER},
    },
    "order_lines": {
        "file": "order_lines*.parquet",
        "load_mode": "append",
        "key": ["line_id"],
        "columns": {"line_id": TEXT, "order_id": TEXT, "units": {"data_type": "integer"}},
    },
    "events": {
        "file": "events*.jsonl",
        "format": "jsonl",
        "load_mode": "append",
        "key": ["event_id"],
        "columns": {
            "event_id": TEXT,
            "user_id": USER,
            "device_id": {"data_type": "string", "personal_data": "device"},
        },
    },
}
USERS = "user_id,phone,email,name,invited_by\n"
ANN = "user-000001,+86 138 1234 5678,Ann@Example.com,Ann,\n"
BOB = "user-000002,13900000002,,Bob,user-000001\n"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop without tables."""
    return Shop(tmp_path)


@pytest.fixture
def people(shop: Shop) -> Shop:
    """Ann, who is to be forgotten, and Bob, whom she invited."""
    shop.merchant = shop.merchant.model_copy(update={"public_personal_key": "5e" * 32})
    shop.declare(**TABLES)
    shop.put("users_1.csv", USERS + ANN + BOB)
    lines = [{"contact_id": "contact-01", "phone": "13812345678"}, {"contact_id": "contact-02", "phone": "13700000000"}]
    shop.put("contacts_1.jsonl.gz", gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode()))
    orders = [
        '{"order_id": "o1", "user_id": "user-000001", "amount": 1.10}',
        '{"order_id":"o2","user_id":"user-000002","amount":2.50}',
    ]
    shop.put("orders_1.json", f'{{"code": 0, "data": {{"list": [{", ".join(orders)}], "next": null}}}}\n')
    shop.put_parquet(
        "order_lines_1.parquet", "select * from (values ('l1', 'o1', 1), ('l2', 'o2', 2)) t(line_id, order_id, units)"
    )
    events = [
        ("e1", "user-000001", "device-A"),
        ("e2", None, "device-A"),
        ("e3", "user-000001", "device-S"),
        ("e4", "user-000002", "device-S"),
        ("e5", None, "device-S"),
    ]
    shop.put(
        "events_1.jsonl",
        "".join(json.dumps(dict(zip(("event_id", "user_id", "device_id"), one, strict=True))) + "\n" for one in events),
    )
    shop.run()
    return shop


def forget(
    shop: Shop,
    *identities: tuple[str, str],
    phones: tuple[str, ...] = (),
    emails: tuple[str, ...] = (),
    holders_limit: int = 8,
    also_doubtful: bool = False,
    is_finished: bool = True,
) -> erase.Plan:
    """Erases without asking."""
    start = Start(identities, phones, emails)
    done = erase.forget(
        shop.merchant, shop.contracts, start, holders_limit, lambda _: True, also_doubtful=also_doubtful
    )
    assert done is not None
    if is_finished:
        erase.finish(shop.merchant)
    return done


def planned(shop: Shop, *identities: tuple[str, str]) -> erase.Plan:
    """What a dry run shows."""
    shown: list[erase.Plan] = []

    def shown_only(plan: erase.Plan) -> bool:
        shown.append(plan)
        return False

    assert erase.forget(shop.merchant, shop.contracts, Start(identities), 8, shown_only) is None
    return shown[0]


def landed(shop: Shop, table: str) -> list[bytes]:
    """The bytes of a table's landed files, unpacked."""
    files = sorted((shop.merchant.landing / "shop" / table).iterdir())
    return [gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes() for file in files]
