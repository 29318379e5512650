"""The data dictionary: all that is published is in it, described, keyed and labelled."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest
import yaml

from zhongtai import merchant as merchants
from zhongtai import settings
from zhongtai.dictionary import freshness, glossary, page
from zhongtai.dictionary.facts import Project, TableFacts
from zhongtai.dictionary.freshness import Freshness, SourceMoments
from zhongtai.errors import UsageError
from zhongtai.ingest.inbox import Source
from zhongtai.ingest.landing import LandedFile
from zhongtai.ingest.ledger import FileLoad
from zhongtai.policies import PolicyInForce
from zhongtai.quality.results import CheckResult
from zhongtai.release.manifest import CheckCounts, ColumnEntry, Engine, Manifest, TableEntry
from zhongtai.settings import PROJECT_ROOT
from zhongtai.transform import Transform

TRANSFORM = PROJECT_ROOT / "transform"
POLICIES = yaml.safe_load((PROJECT_ROOT / "merchants" / "policies.yml").read_text(encoding="utf-8"))


def declared() -> dict[str, dict[str, Any]]:
    """The published models as their YAML files have them, read without dbt."""
    found = {}
    for layer in ("unified", "marts"):
        for file in sorted((TRANSFORM / "models" / layer).rglob("*.yml")):
            for model in yaml.safe_load(file.read_text(encoding="utf-8")).get("models", []):
                found[f"{layer}.{model['name']}"] = model
    return found


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TableFacts]:
    """What is told of the project as a merchant with every silo but one sees it."""
    installation = replace(settings.load(), home=tmp_path_factory.mktemp("home"))
    merchant = merchants.load("complete_journey", installation)
    silo = merchant.silos["complete_journey"]
    silos = {each.name: silo for each in (TRANSFORM / "models" / "staging").iterdir() if each.name != "weather"}
    manifest = Transform(merchant.model_copy(update={"silos": silos}), installation).manifest()
    return Project(manifest, glossary.load(TRANSFORM), ("unified", "marts")).facts(POLICIES)


def test_every_published_column_is_described_and_labelled() -> None:
    labels = glossary.load(TRANSFORM)
    models = declared()
    columns = {column["name"] for model in models.values() for column in model["columns"]}
    assert set(labels.tables) == {model["name"] for model in models.values()}
    assert columns - set(labels.columns) == set(), "columns without a label"
    assert set(labels.columns) - columns == set(), "labels without a column"
    for label in (*labels.tables.values(), *labels.columns.values()):
        assert re.search(r"[\u4e00-\u9fff]", label), label
    ids = {name: label for name, label in labels.columns.items() if name.endswith("_id")}
    assert len(set(ids.values())) == len(ids), "two ids of one label"
    assert [name for name, model in models.items() if not model.get("description")] == []
    undescribed = [
        f"{name}.{column['name']}"
        for name, model in models.items()
        for column in model["columns"]
        if not column.get("description")
    ]
    assert undescribed == []


# How the first sentence of a description names the columns of a key, in English and Chinese.
KEY_WORDS = {
    "abc_month": ("month", "月"),
    "activity_date": ("day", "天"),
    "activity_id": ("message", "消息"),
    "age_months": ("age in months", "月龄"),
    "basis": ("basis", "口径"),
    "benchmark_month": ("month", "月"),
    "campaign_id": ("campaign", "活动"),
    "candidate_id": ("candidate", "候选"),
    "category_id": ("category", "类目"),
    "channel": ("channel", "渠道"),
    "channel_group": ("channel group", "渠道域"),
    "cohort_month": ("month", "月份"),
    "content_id": ("content", "内容"),
    "coupon_id": ("coupon", "优惠券"),
    "date_day": ("day", "天"),
    "effective_from": ("effective date", "生效日期"),
    "event_id": ("event", "事件"),
    "experiment_id": ("experiment", "实验"),
    "growth_id": ("entry", "流水"),
    "invoice_line_id": ("line", "发票行"),
    "kpi_date": ("day", "天"),
    "listed_date": ("day", "天"),
    "listing_id": ("listing", "竞品链接"),
    "live_session_id": ("live session", "直播场次"),
    "macro_region": ("macro-region", "大区"),
    "member_level_version_id": ("version", "版本"),
    "merchant": ("merchant", "商家"),
    "merge_id": ("merge", "合并"),
    "minute_at": ("minute", "分钟"),
    "order_id": ("order", "订单"),
    "order_line_id": ("order line", "订单行"),
    "payment_id": ("payment", "支付"),
    "policy": ("policy", "策略"),
    "position": ("position", "位置"),
    "product_version_id": ("version", "版本"),
    "purchase_line_id": ("purchase line", "采购单行"),
    "receipt_id": ("receipt", "收货"),
    "refund_id": ("refund", "退款"),
    "region_id": ("region", "地区"),
    "reservation_id": ("reservation", "预约"),
    "review_id": ("review", "评价"),
    "session_id": ("session", "会话"),
    "shipment_id": ("parcel", "包裹"),
    "silo": ("silo", "来源系统"),
    "sku_id": ("SKU", "SKU"),
    "source": ("source", "数据来源"),
    "source_id": ("identity", "身份"),
    "source_user_id": ("person", "用户"),
    "spend_id": ("entry of advertising spend", "投放记录"),
    "stat_date": ("day", "天"),
    "stock_date": ("day", "天"),
    "store_id": ("store", "门店"),
    "supplier_payment_id": ("payment", "付款"),
    "supplier_sku_version_id": ("version", "版本"),
    "supplier_version_id": ("version", "版本"),
    "ticket_id": ("ticket", "工单"),
    "touch_id": ("message", "触达"),
    "tracking_event_id": ("scan", "扫描"),
    "transfer_id": ("transfer", "调拨"),
    "trend_month": ("month", "月"),
    "user_id": ("person", "用户"),
    "variant": ("variant", "实验组"),
    "visit_id": ("visit", "到店"),
    "warehouse_id": ("warehouse", "仓库"),
    "weather_date": ("day", "天"),
    "week_begin": ("week", "周"),
}


def test_every_description_begins_with_what_a_row_is() -> None:
    """Its first sentence names every column of the key, in both languages."""
    chinese = glossary.load(TRANSFORM).descriptions
    models = declared()
    assert set(chinese) == {model["name"] for model in models.values()}
    used = set()
    for name, model in models.items():
        english, translated = model["description"], chinese[model["name"]]
        assert re.match(r"One row an? \w", english) and english.endswith("."), f"{name}: begin with 'One row a'"
        assert translated.startswith("每行一") and translated.endswith("。"), f"{name}: begin with 每行一"
        for column in key_of(model):
            assert column in KEY_WORDS, f"{name}: how is {column} said?"
            used.add(column)
            said = (re.split(r"[.:;]", english)[0], re.split("[。：；]", translated)[0])
            for word, sentence in zip(KEY_WORDS[column], said, strict=True):
                assert re.search(rf"{word}(?![a-z])", sentence), f"{name}: '{sentence}' does not tell {column}: {word}"
    assert set(KEY_WORDS) == used


def key_of(model: dict[str, Any]) -> list[str]:
    """The columns of its primary key."""
    (key,) = (test["primary_key"] for test in model["data_tests"] if isinstance(test, dict) and "primary_key" in test)
    columns: list[str] = key["arguments"]["columns"]
    return columns


def test_the_dictionary_lists_every_table_with_key_and_columns(facts: dict[str, TableFacts]) -> None:
    models = declared()
    assert set(facts) == set(models)
    for name, model in models.items():
        assert facts[name].key == key_of(model), name
        assert list(facts[name].columns) == [column["name"] for column in model["columns"]], name


def test_lineage_policies_silos_and_classes(facts: dict[str, TableFacts]) -> None:
    rfm = facts["marts.mart_user_rfm"]
    assert {"unified.fct_orders", "unified.dim_merchants", "unified.dim_policies"} <= set(rfm.upstream)
    assert "marts.mart_user_rfm" in facts["unified.fct_orders"].downstream
    assert {"rfm_window_days", "rfm_recency_days_cuts", "new_buyer_days"} <= set(rfm.policies)
    assert facts["unified.fct_product_daily"].policies == ["competitor_match_score"]
    assert facts["unified.fct_shipments"].silos == ["logistics", "olist"]
    assert facts["unified.fct_weather_daily"].silos == ["weather"], "told though it is not connected"
    assert facts["unified.fct_user_events"].columns["device_id"].personal_data == "device"
    assert facts["unified.fct_refunds"].columns["order_line_id"].references == "unified.fct_order_lines"
    assert facts["unified.fct_refunds"].label_zh == "退款"
    assert facts["unified.fct_refunds"].description_zh == "每行一笔退款，对应一个订单行。"


def test_every_table_tells_how_fresh_it_is(facts: dict[str, TableFacts]) -> None:
    """Facts and marts by a date of their own, the others by what they stand on."""
    for name, model in declared().items():
        types = {column["name"]: column["data_type"] for column in model["columns"]}
        column = facts[name].date_column
        assert column is None or types[column] in ("date", "timestamp"), name
        if re.match(r"\w+\.(fct|mart)_", name):
            assert column is not None, f"{name}: give it meta.date_column"
    bare = {name for name, each in facts.items() if not each.sources}
    assert bare == {
        "unified.dim_policies",
        "unified.dim_channels",
        "unified.dim_merchants",
        "unified.fct_weather_daily",
    }, "what nobody sends, and what the one silo does that is not connected"
    assert facts["unified.dim_member_levels"].sources == ["crm.members"], "not those of the persons that it names"
    assert "storefront.orders" in facts["marts.mart_user_rfm"].sources, "those of the tables that it reads"
    assert not any(source.startswith("zhongtai.") for each in facts.values() for source in each.sources)


AS_OF = datetime(2024, 3, 10, 20, tzinfo=UTC)


def _load(
    position: int, table: str, event: datetime | None = None, status: Literal["loaded", "quarantined"] = "loaded"
) -> FileLoad:
    return FileLoad(
        position=position, silo="shop", table=table, file="f", contract_hash="", status=status, last_event_at=event
    )


def _landed(position: int, table: str, mends: dict[int, str] | None = None) -> LandedFile:
    return LandedFile(
        position=position,
        silo="shop",
        table=table,
        path="f",
        name="f",
        size_bytes=1,
        sha256="",
        landed_at=AS_OF + timedelta(days=position),
        source=Source(path="f", size=1, mtime_ns=0),
        mends=mends or {},
    )


def test_sources_are_heard_of_by_events_and_landings() -> None:
    log = [_landed(position, "skus") for position in (1, 2, 3, 5)] + [_landed(4, "skus", {1: "1"})]
    corrected = _load(6, "skus", AS_OF - timedelta(hours=1)).model_copy(update={"replaced_by": 7})
    loads = [
        _load(1, "skus", AS_OF - timedelta(days=9)),
        _load(2, "skus", AS_OF - timedelta(days=3)),
        _load(3, "skus", AS_OF - timedelta(days=1), "quarantined"),
        _load(4, "skus", AS_OF - timedelta(days=2)),
        _load(5, "skus", AS_OF - timedelta(days=5)),
        corrected,
        _load(7, "regions"),
        _load(8, "orders", AS_OF + timedelta(days=1)),
        _load(9, "orders", AS_OF - timedelta(days=9)),
    ]
    found = freshness.of_sources(loads, log, AS_OF, 8)
    assert found == {
        "shop.skus": SourceMoments(event=AS_OF - timedelta(days=2), landed=AS_OF + timedelta(days=5)),
        "shop.regions": SourceMoments(),
        "shop.orders": SourceMoments(event=AS_OF),
    }


def test_a_table_is_as_fresh_as_its_date_or_its_sources() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    sources = {
        "shop.skus": SourceMoments(event=AS_OF - timedelta(days=2), landed=AS_OF),
        "shop.orders": SourceMoments(event=AS_OF - timedelta(days=1), landed=AS_OF),
        "shop.regions": SourceMoments(landed=AS_OF),
    }

    def of(facts: TableFacts, own: date | None = None) -> Freshness | None:
        return freshness.of_table(facts, own, sources, zone)

    dated = TableFacts(date_column="day", sources=["shop.skus"])
    assert of(dated, date(2024, 3, 1)) == Freshness(day=date(2024, 3, 1), kind="column", of="day")
    by_event = Freshness(day=date(2024, 3, 9), kind="event", of="shop.skus")
    assert of(dated) == by_event, "no row has a date: in Shanghai the 9th has begun"
    every = TableFacts(sources=["shop.orders", "shop.regions", "shop.skus", "shop.unknown"])
    assert of(every) == Freshness(day=date(2024, 3, 10), kind="event", of="shop.orders")
    by_landing = TableFacts(sources=["shop.regions"])
    assert of(by_landing) == Freshness(day=date(2024, 3, 11), kind="landing", of="shop.regions")
    assert of(TableFacts(sources=["shop.unknown"])) is None
    assert of(TableFacts()) is None


def _manifest(created_at: datetime) -> Manifest:
    column = ColumnEntry(name="day", type="DATE", description="A <b>day</b>.")
    entry = TableEntry(rows=1234, content_hash="", description="One row a day (日).", columns=[column], files=[])
    return Manifest(
        release_id=f"{created_at:%Y}",
        merchant="small",
        title="Small <shop>",
        as_of=datetime(2024, 3, 10, tzinfo=UTC),
        known_at=1,
        created_at=created_at,
        git_sha=None,
        run_id=f"{created_at:%Y}",
        engine=Engine(name="duckdb", version="1"),
        fingerprint="",
        policies={
            "cuts": PolicyInForce(value=[], unit="days"),
            "tiers": PolicyInForce(value=[1, 2.5], unit="CNY"),
            "unused": PolicyInForce(value=3),
        },
        silos={"shop": "connected", "erp": "not connected"},
        tables={"marts.mart_days": entry},
        checks=CheckCounts(passed=1, warned=1, failed=0),
        sources={},
    )


def _dictionary(created_at: datetime) -> page.Dictionary:
    facts = TableFacts(
        key=["day"],
        description_zh="每行一天。",
        date_column="day",
        silos=["another_company", "erp", "shop"],
        policies=["cuts", "tiers"],
    )
    checks = [
        CheckResult(
            name=status, schema_name="marts", table="mart_days", kind="expectation", severity="warning", status=status
        )
        for status in ("passed", "failed")
    ]
    latest = {"marts.mart_days": Freshness(day=date(2024, 3, 9), kind="column", of="day")}
    return page.make(_manifest(created_at), {"marts.mart_days": facts}, latest, checks)


def test_a_table_tells_what_the_release_knows() -> None:
    made = _dictionary(datetime(2024, 5, 1, tzinfo=UTC))
    (table,) = made.tables
    assert (table.rows, table.connected, table.not_connected) == (1234, ["shop"], ["erp"])
    assert table.latest == Freshness(day=date(2024, 3, 9), kind="column", of="day")
    assert (table.checks_passed, table.checks_warned) == (1, 1)
    assert made.policies == {"cuts": "—", "tiers": "1, 2.5 CNY"}, "an empty list is no number of days"
    html = page.render(made)
    assert '<span class="en-only">One row a day.</span><span class="zh-only" lang="zh">每行一天。</span>' in html
    assert "1,234" in html and "2024-03-09" in html and 'id="marts.mart_days"' in html
    assert "Small &lt;shop&gt;" in html and "&lt;b&gt;day" in html
    assert not re.search(r"""(src|href)=["']?(https?:)?//|url\(|@import""", html), "it needs no network"


def test_same_content_gives_the_same_bytes() -> None:
    first, second = (_dictionary(datetime(year, 1, 1, tzinfo=UTC)) for year in (2024, 2031))
    assert first.model_dump_json() == second.model_dump_json()
    assert page.render(first) == page.render(second)


@pytest.mark.parametrize("text", ["tables: [1]\n", "table: {}\n", "columns: {a: {b: c}}\n", "tables: {a: [\n"])
def test_a_wrong_glossary_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "glossary.yml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"glossary\.yml"):
        glossary.load(tmp_path)
