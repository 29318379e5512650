"""An order that does not fit the rest is shown and counted, and stops no release."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.qinghe import Qinghe

pytestmark = pytest.mark.silos

DAY = "2025-11-29"
MOMENT = f"{DAY}T10:00:00+08:00"
ORDER = {
    "order_id": "SO-radio",
    "user_id": "U00001207",
    "placed_at": MOMENT,
    "paid_at": MOMENT,
    "status": "paid",
    "order_type": "normal",
    "channel": "radio",
    "session_id": None,
    "campaign_id": None,
    "coupon_id": None,
    "pickup_store_id": None,
    "ship_to_province": "江苏省",
    "ship_to_city": "南京",
    "shipping_amount": 8.0,
    "updated_at": MOMENT,
}
LINE = {
    "order_line_id": "SOL-radio",
    "order_id": "SO-radio",
    "sku_id": "QH100041",
    "units": 1,
    "list_amount": 39.0,
    "discount_amount": 0.0,
    "payable_amount": 39.0,
    "is_gift": False,
    "placed_at": MOMENT,
}
PAYMENT = {
    "payment_id": "PY-radio",
    "order_id": "SO-radio",
    "payment_method": "alipay",
    "payment_kind": "full",
    "paid_amount": 47.0,
    "paid_at": MOMENT,
}
# Of an order that never came.
LOST_PAYMENT = PAYMENT | {"payment_id": "PY-nowhere", "order_id": "SO-nowhere", "paid_amount": 12.5}
REFUND = {
    "refund_id": "RF-nowhere",
    "order_id": "SO-nowhere",
    "order_line_id": "SOL-nowhere",
    "refund_amount": 5.0,
    "refund_units": 1,
    "reason": "",
    "refunded_at": MOMENT,
}
SUMS = ("gmv_amount", "paid_amount", "refund_amount", "net_revenue_amount", "placed_orders", "paid_orders", "sessions")


@pytest.fixture(scope="module")
def company(qinghe: Qinghe, tmp_path_factory: pytest.TempPathFactory) -> Qinghe:
    """A shop with an order of a channel that nobody knows, and a refund of an order that is not there, after a run."""
    folder = tmp_path_factory.mktemp("strange")
    company = qinghe.only(folder / "company", ["storefront"])
    files = folder / "storefront"
    shutil.copytree(qinghe.home / "silos" / "storefront", files)
    file = company.merchants / f"{company.name}.yml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    content["silos"]["storefront"]["path"] = str(files)
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    _add(files, "orders", ORDER)
    _add(files, "order_lines", LINE)
    _add(files, "payments", PAYMENT, LOST_PAYMENT)
    _add(files, "refunds", REFUND)
    run = company.zhongtai("run")
    assert run.returncode == 0, run.stdout + run.stderr
    return company


def _add(files: Path, table: str, *rows: dict[str, Any]) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (files / f"{table}_20251130_9.jsonl.gz").write_bytes(gzip.compress(text.encode()))


def _warned(company: Qinghe) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Rows that expectations did not expect, by table and name of the expectation."""
    checks = company.home / "releases" / "current" / "checks"
    found = json.loads((checks / "results.json").read_text(encoding="utf-8"))
    return {(each["table"], each["name"]): each["samples"] for each in found if each["status"] != "passed"}


def test_an_order_of_an_unknown_channel_is_published_in_a_group_of_its_own(company: Qinghe) -> None:
    found = company.query(
        "select gmv_amount, paid_amount, refund_amount, paid_orders from marts.mart_kpi_daily "
        f"where kpi_date = date '{DAY}' and channel_group = 'unknown'"
    )
    assert [tuple(map(float, row)) for row in found] == [(47, 47, 5, 1)]
    assert ("fct_orders", "channel_has_a_group") in _warned(company)


def test_groups_with_the_unknown_one_add_up(company: Qinghe) -> None:
    sums = ", ".join(f"sum({name}) as {name}" for name in SUMS)
    of_groups = f"select kpi_date, {sums} from marts.mart_kpi_daily where channel_group {{}} group by kpi_date"
    different = company.query(f"{of_groups.format('= $$all$$')} except all {of_groups.format('<> $$all$$')}")
    assert different == []
    by_group = "select {day}, channel_group, sum(paid_amount), sum(refund_amount) from marts.{mart} where {where}"
    kpis = by_group.format(day="kpi_date", mart="mart_kpi_daily", where="channel_group <> 'all'")
    channels = by_group.format(day="activity_date", mart="mart_channel_performance", where="true")
    having = " group by all having sum(paid_amount) <> 0 or sum(refund_amount) <> 0"
    assert company.query(f"({kpis}{having}) except all ({channels}{having})") == []


def test_a_payment_of_an_order_that_never_came_is_told(company: Qinghe) -> None:
    (told,) = _warned(company)["fct_payments", "orders_are_known"]
    assert (told["payment_id"], told["order_id"]) == ("storefront:PY-nowhere", "storefront:SO-nowhere")
