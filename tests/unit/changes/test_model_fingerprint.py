"""Which models are rebuilt by entity, and what makes a model's old rows worthless: a project written by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pytest

from zhongtai.changes.lineage import Lineage
from zhongtai.errors import ZhongtaiError
from zhongtai.ingest.contract import Contract

Manifest = dict[str, Any]
ORDERS = "model.zhongtai.fct_orders"
SESSIONS = "model.zhongtai.fct_sessions"


def _model(name: str, code: str, *, is_view: bool = False, **meta: Any) -> dict[str, Any]:
    kind = "view" if is_view else "incremental" if meta else "table"
    return {
        "resource_type": "model",
        "schema": "staging" if is_view else "unified",
        "name": name,
        "alias": name,
        "raw_code": code,
        "columns": {"id": {"data_type": "string", "description": "An id."}},
        "config": {"materialized": kind, "meta": meta},
    }


@pytest.fixture
def manifest() -> Manifest:
    """Orders above two views, persons, policies and a table of rates; events; sessions that follow events."""
    order = {"name": "order", "id": "order_id", "persons": ["buyer_id"], "levels": "placed_at"}
    nodes = [
        _model("stg_orders", "select * from orders", is_view=True),
        _model("int_orders", "select * from stg_orders where {{ is_paid() }}", is_view=True),
        _model("fct_orders", "select {{ policy('tier_amount') }} from int_orders", entity=order),
        _model("stg_events", "select * from events", is_view=True),
        _model("fct_events", "select * from stg_events", entity={"name": "event", "id": "event_id"}),
        _model("fct_sessions", "select 1", entity={"name": "session", "id": "session_id", "follows": ["fct_events"]}),
        _model("fct_parcels", "select 1", entity={"name": "parcel", "id": "parcel_id"}, partition_column="sent_date"),
        _model("bridge_user_identities", "select 1"),
        _model("dim_policies", "select 1"),
        _model("dim_rates", "select 1"),
        _model("dim_stores", "select 1"),
    ]
    sources = [
        {"resource_type": "source", "source_name": "shop", "name": name, "schema": "raw_shop", "identifier": name}
        for name in ("orders", "events")
    ]
    parents = {
        "stg_orders": ["source.zhongtai.shop.orders"],
        "int_orders": ["model.zhongtai.stg_orders", "model.zhongtai.dim_rates"],
        "fct_orders": ["model.zhongtai." + name for name in ("int_orders", "dim_policies", "bridge_user_identities")],
        "stg_events": ["source.zhongtai.shop.events"],
        "fct_events": ["model.zhongtai.stg_events"],
        "fct_sessions": ["model.zhongtai.fct_events"],
        "dim_stores": ["model.zhongtai.fct_orders"],
    }
    macros = {
        "macro.zhongtai.is_paid": {"package_name": "zhongtai", "macro_sql": "paid_at is not null"},
        "macro.zhongtai.tier": {"package_name": "zhongtai", "macro_sql": "{{ policy('named_by_a_macro') }}"},
        "macro.dbt.run_hooks": {"package_name": "dbt", "macro_sql": "anything"},
    }
    return {
        "nodes": {f"model.zhongtai.{node['name']}": node for node in nodes},
        "sources": {f"source.zhongtai.shop.{source['name']}": source for source in sources},
        "parent_map": {f"model.zhongtai.{name}": names for name, names in parents.items()},
        "macros": macros,
    }


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """What the models look up."""
    with duckdb.connect() as connection:
        connection.execute("create schema unified")
        connection.execute(
            "create table unified.dim_policies as select * from (values ('tier_amount', 1, 90.0, true), "
            "('named_by_a_macro', 1, 5.0, true), ('of_another_model', 1, 7.0, true)) "
            "as policies(policy, position, policy_value, is_current)"
        )
        connection.execute("alter table unified.dim_policies add column effective_from date default '1970-01-01'")
        connection.execute("alter table unified.dim_policies add column effective_to date")
        connection.execute("create table unified.bridge_user_identities as select 'shop' as silo, 'ann' as source_id")
        connection.execute(
            "create table unified.dim_rates as from (values ('EUR', 7.8), ('USD', 7.1)) as t(code, rate)"
        )
        connection.execute("create table unified.dim_stores as select 1 as store_id")
        yield connection


@pytest.fixture
def fingerprint(
    manifest: Manifest, warehouse: duckdb.DuckDBPyConnection, contracts: list[Contract]
) -> Callable[[str], str]:
    """The fingerprint of a model in the project as it is now."""

    def found(unique_id: str = ORDERS) -> str:
        lineage = Lineage(manifest, contracts)
        return lineage.fingerprint(warehouse, lineage.rebuilt[unique_id])

    return found


def _code(name: str) -> Callable[[Manifest], None]:
    return lambda manifest: manifest["nodes"][f"model.zhongtai.{name}"].update(raw_code="select 'something else'")


def _macro(name: str) -> Callable[[Manifest], None]:
    return lambda manifest: manifest["macros"][name].update(macro_sql="something else")


def _type(manifest: Manifest) -> None:
    manifest["nodes"][ORDERS]["columns"]["id"]["data_type"] = "bigint"


def _another_silo(manifest: Manifest) -> None:
    manifest["nodes"]["model.zhongtai.stg_till"] = _model("stg_till", "select * from orders", is_view=True)
    manifest["parent_map"]["model.zhongtai.stg_till"] = ["source.zhongtai.shop.orders"]
    manifest["parent_map"]["model.zhongtai.int_orders"].append("model.zhongtai.stg_till")


def _words(manifest: Manifest) -> None:
    manifest["nodes"][ORDERS]["columns"]["id"]["description"] = "The id of an order."
    manifest["nodes"][ORDERS]["description"] = "Orders."


@pytest.mark.parametrize(
    "change",
    [
        _code("fct_orders"),
        _code("int_orders"),
        _code("stg_orders"),
        _macro("macro.zhongtai.is_paid"),
        _type,
        _another_silo,
    ],
    ids=["own text", "view below", "view below that", "macro", "type of a column", "another view below"],
)
def test_what_decides_a_models_rows_changes_its_fingerprint(
    manifest: Manifest, fingerprint: Callable[..., str], change: Callable[[Manifest], None]
) -> None:
    before = fingerprint()
    change(manifest)
    assert fingerprint() != before


@pytest.mark.parametrize(
    "change",
    [
        _code("fct_events"),
        _code("stg_events"),
        _code("dim_stores"),
        _code("bridge_user_identities"),
        _macro("macro.dbt.run_hooks"),
        _words,
    ],
    ids=["other model", "view of another", "model above", "persons, told by row", "another package", "words"],
)
def test_what_does_not_leaves_it(
    manifest: Manifest, fingerprint: Callable[..., str], change: Callable[[Manifest], None]
) -> None:
    before = fingerprint()
    change(manifest)
    assert fingerprint() == before


@pytest.mark.parametrize(
    ("statement", "is_another"),
    [
        ("update unified.dim_policies set policy_value = 60 where policy = 'tier_amount'", True),
        ("update unified.dim_policies set effective_from = '2024-01-01' where policy = 'tier_amount'", True),
        ("update unified.dim_policies set policy_value = 6 where policy = 'named_by_a_macro'", True),
        ("update unified.dim_policies set policy_value = 8 where policy = 'of_another_model'", False),
        ("update unified.dim_rates set rate = 7.2 where code = 'USD'", True),
        ("insert into unified.dim_rates values ('USD', 7.1)", True),
        ("create or replace table unified.dim_rates as from unified.dim_rates order by code desc", False),
        ("update unified.dim_stores set store_id = 2", False),
        ("insert into unified.bridge_user_identities values ('shop', 'bo')", False),
    ],
)
def test_what_is_looked_up_counts_by_its_content(
    warehouse: duckdb.DuckDBPyConnection, fingerprint: Callable[..., str], statement: str, is_another: bool
) -> None:
    """Of policies those that the model or a macro names; persons are told row by row elsewhere."""
    before = fingerprint()
    warehouse.execute(statement)
    assert (fingerprint() != before) == is_another


def test_a_model_that_follows_another_has_its_own_text_only(
    manifest: Manifest, fingerprint: Callable[..., str]
) -> None:
    before = fingerprint(SESSIONS)
    _code("fct_events")(manifest)
    assert fingerprint(SESSIONS) == before
    _code("fct_sessions")(manifest)
    assert fingerprint(SESSIONS) != before


def test_rows_of_another_entity_through_a_view_are_refused(manifest: Manifest, fingerprint: Callable[..., str]) -> None:
    manifest["parent_map"][ORDERS].append("model.zhongtai.stg_events")
    with pytest.raises(ZhongtaiError, match=r"fct_orders is rebuilt by order, but reads stg_events, .* event\. Make"):
        fingerprint()


def test_models_are_rebuilt_as_their_yaml_says_where_a_silo_tells_the_entity(
    manifest: Manifest, contracts: list[Contract]
) -> None:
    found = {model.name: model for model in Lineage(manifest, contracts).rebuilt.values()}
    assert set(found) == {"fct_orders", "fct_events", "fct_sessions"}
    orders = found["fct_orders"]
    assert (orders.relation, orders.entity, orders.id) == ('"unified"."fct_orders"', "order", "order_id")
    assert (orders.persons, orders.levels, orders.products, orders.follows) == (("buyer_id",), "placed_at", None, ())
    assert found["fct_sessions"].follows == ("fct_events",)
    without = [contract for contract in contracts if contract.table != "events"]
    assert [model.name for model in Lineage(manifest, without).rebuilt.values()] == ["fct_orders"]
    assert Lineage(manifest, []).rebuilt == {}


def test_ancestors_and_order(manifest: Manifest, contracts: list[Contract]) -> None:
    lineage = Lineage(manifest, contracts)
    assert lineage.ancestors("model.zhongtai.dim_stores") == {
        *(f"model.zhongtai.{name}" for name in ("fct_orders", "int_orders", "stg_orders", "dim_rates")),
        *(f"model.zhongtai.{name}" for name in ("dim_policies", "bridge_user_identities")),
        "source.zhongtai.shop.orders",
    }
    depths = [lineage.depth(f"model.zhongtai.{name}") for name in ("stg_orders", "int_orders", "fct_orders")]
    assert depths == [1, 2, 3] and lineage.depth("source.zhongtai.shop.orders") == 0


def _seen(manifest: Manifest, *, has_all: bool = True) -> None:
    """A sum of whole days of events; of orders, where it lacks the events."""
    entity = {"name": "event_day", "id": "seen_date", "days_of": "event"}
    manifest["nodes"]["model.zhongtai.int_seen"] = _model("int_seen", "select 1", entity=entity)
    manifest["parent_map"]["model.zhongtai.int_seen"] = [f"model.zhongtai.stg_{'events' if has_all else 'orders'}"]


def test_what_sums_up_whole_days_is_no_fact(manifest: Manifest, contracts: list[Contract]) -> None:
    _seen(manifest)
    lineage = Lineage(manifest, contracts)
    assert [model.days_of for model in lineage.days.values()] == ["event"]
    assert "model.zhongtai.int_seen" not in lineage.rebuilt


@pytest.mark.parametrize("has_all", [True, False])
def test_a_sum_stands_for_an_entity_whose_tables_it_has_all(
    manifest: Manifest, contracts: list[Contract], has_all: bool
) -> None:
    """Days that another table tells of would not be searched."""
    _seen(manifest, has_all=has_all)
    assert (Lineage(manifest, contracts).summary("event") is not None) is has_all


def test_a_sum_of_days_is_made_anew_where_its_text_changes(
    manifest: Manifest, contracts: list[Contract], warehouse: duckdb.DuckDBPyConnection
) -> None:
    """Its raw rows are told apart by days: what comes and goes does not count."""
    _seen(manifest)

    def found() -> str:
        lineage = Lineage(manifest, contracts)
        return lineage.fingerprint(warehouse, lineage.days["model.zhongtai.int_seen"])

    before = found()
    assert found() == before
    _code("stg_events")(manifest)
    assert found() != before


def test_rows_are_entities_where_the_key_is_the_id(manifest: Manifest, contracts: list[Contract]) -> None:
    keys = {"fct_orders": ["order_id"], "fct_events": ["event_id", "event_date"]}
    for name, columns in keys.items():
        manifest["nodes"][f"test.zhongtai.key_of_{name}"] = {
            "resource_type": "test",
            "attached_node": f"model.zhongtai.{name}",
            "test_metadata": {"name": "primary_key", "kwargs": {"columns": columns}},
        }
    rebuilt = Lineage(manifest, contracts).rebuilt
    assert [rebuilt[f"model.zhongtai.{name}"].is_row for name in keys] == [True, False]
