"""What the files of the silos around selling hold."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from tests.unit.simulator_supply.conftest import Merchant, merchant_of, write_files
from zhongtai.ingest.contract import Contract, load_contracts
from zhongtai.settings import PROJECT_ROOT

SILOS = ("erp", "logistics", "weather", "market", "marketing", "crm")
CONTRACTS = [one for one in load_contracts(PROJECT_ROOT / "transform" / "models" / "sources") if one.silo in SILOS]
# What is planned or promised lies ahead.
AHEAD = {"promised_at", "promised_date", "due_date", "valid_to", "launched_date", "end_date", "start_date"}
AHEAD |= {"forecast_date"}


def read(root: Path, contract: Contract) -> pd.DataFrame:
    """All rows of a table, as text."""
    files = sorted((root / contract.silo).glob(contract.file))
    # A longer name of another table may match as well: content_* matches content_stats_*.
    files = [file for file in files if file.name.removeprefix(contract.table)[1:2].isdigit()]
    if contract.format == "xlsx":
        books = [pd.ExcelFile(file, engine="calamine") for file in files]
        return pd.concat([book.parse(str(contract.sheet)) for book in books])
    reader = {"csv": "read_csv", "parquet": "read_parquet", "jsonl": "read_json"}[contract.format]
    names = ", ".join(f"'{file}'" for file in files)
    options = ", all_varchar = true" if contract.format == "csv" else ""
    return duckdb.sql(f"select * from {reader}([{names}], union_by_name = true{options})").df()


def moments(values: pd.Series) -> pd.Series:
    """The values as local times."""
    text = values.dropna().astype(str)
    at = pd.to_datetime(text, utc=True, format="mixed")
    return at.dt.tz_convert("Asia/Shanghai") if text.str.contains(r"[Z+]", regex=True).any() else at


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda one: f"{one.silo}.{one.table}")
def test_a_table_keeps_its_contract(root: Path, small: Merchant, contract: Contract) -> None:
    rows = read(root, contract)
    assert len(rows) > 0
    assert set(rows.columns) == {column.source_name for column in contract.columns}
    for column in contract.columns:
        values = rows[column.source_name]
        if not column.nullable or column.name in contract.key:
            assert values.notna().all(), column.name
        if column.allowed:
            assert set(values.dropna().astype(str)) <= set(column.allowed), column.name
    if contract.load_mode == "append":
        assert not rows.duplicated(list(contract.key)).any()
    elif contract.version is not None:
        assert not rows.duplicated([*contract.key, contract.version]).any()
    # UTC times of the ERP may lie up to eight hours before the local end.
    end = pd.Timestamp(small.world.date_of(small.world.days))
    for column in contract.columns:
        if column.data_type in ("timestamp", "date") and column.name not in AHEAD:
            local = moments(rows[column.source_name])
            assert local.dt.tz_localize(None).max() < end, column.name


def test_the_same_seed_gives_the_same_bytes(root: Path, tmp_path: Path) -> None:
    again = write_files(merchant_of("xs", 1), tmp_path)
    first, second = (
        {
            str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in folder.rglob("*")
            if file.is_file()
        }
        for folder in (root, again)
    )
    assert first == second


def test_parcels_belong_to_orders(root: Path, small: Merchant) -> None:
    parcels = duckdb.sql(f"select * from read_json('{root}/logistics/shipments_*.jsonl')").df()
    orders = small.sold.orders
    shipped = orders[~np.isnat(orders["shipped_at"].to_numpy())]
    assert set(parcels["order_id"]) == set(shipped["order_id"])
    assert parcels["shipment_id"].nunique() == len(shipped)
    assert (shipped["shipped_at"] > shipped["paid_at"]).all()
    assert shipped["cancelled_at"].isna().all()
    scans = duckdb.sql(f"select * from read_json('{root}/logistics/tracking_events_*.jsonl')").df()
    assert set(scans["shipment_id"]) == set(parcels["shipment_id"])
    assert {"_am.jsonl", "_pm.jsonl"} == {file.name[-9:] for file in (root / "logistics").glob("shipments_*")}


def test_promises_are_those_of_agreements(root: Path) -> None:
    query = f"""
        select count(*) as parcels, count(agreements.agreement_id) as agreed
        from (select distinct on (shipment_id) * from read_json('{root}/logistics/shipments_*.jsonl')) as parcels
        inner join (select distinct warehouse_id, macro_region from read_parquet('{root}/erp/warehouses_2*.parquet'))
            using (warehouse_id)
        left join (
            select distinct on (carrier_id, warehouse_id, service, promised_hours) *
            from read_json('{root}/logistics/carrier_agreements_*.jsonl')
        ) as agreements
            on
                parcels.carrier_id = agreements.carrier_id
                and parcels.warehouse_id = agreements.warehouse_id
                and parcels.service = agreements.service
                and date_diff('hour', parcels.shipped_at, parcels.promised_at) = agreements.promised_hours
    """
    found = duckdb.sql(query).fetchone()
    assert found is not None
    assert found[0] == found[1] > 0


def test_exported_csv_of_the_crm_has_a_byte_order_mark(root: Path) -> None:
    assert all(file.read_bytes()[:3] == b"\xef\xbb\xbf" for file in (root / "crm").glob("*.csv"))


def test_touches_and_ledger_refer_to_what_there_is(root: Path, small: Merchant) -> None:
    folder = root / "crm"
    contacts, members, touches, ledger, messages = (
        duckdb.sql(f"select * from read_csv('{folder}/{name}_2*.csv', all_varchar = true)").df()
        for name in ("contacts", "members", "touches", "growth_ledger", "group_messages")
    )
    assert set(touches["external_id"].dropna()) <= set(contacts["external_id"])
    assert touches["external_id"].isna().eq(touches["touch_channel"] == "sms").all()
    assert touches.loc[touches["touch_channel"] == "sms", "phone"].notna().all()
    assert set(touches["message_id"].dropna()) <= set(messages["message_id"])
    assert set(messages["author_external_id"].dropna()) <= set(contacts["external_id"])
    assert set(ledger["card_no"]) <= set(members["card_no"])
    bought = ledger.loc[ledger["source"] == "purchase", "source_ref"]
    assert set(bought) <= set(small.sold.orders["order_id"])
    assert (contacts["is_deleted"] == "true").any()
