"""What held when: every version of suppliers, their terms and member levels, and what facts took from them.

Calculated by walking through what the silos' files told, in the order in which it was told. Who is who is OneID's, and
is taken from the release. Versions of products are judged by test_unified.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from tests.real.comparison import assert_table
from tests.simulated import expected
from tests.simulated.unified import order, supply
from tests.simulated.unified.company import Company, unified

pytestmark = pytest.mark.silos

TERMS = ["lead_time_days", "minimum_order_units", "price_amount", "response_hours"]
DESCRIBED = ["supplier_name", "is_core", "supply_mode", "city"]
SUMMED_UP = ["lead_time_days", "minimum_order_units", "response_hours"]
AGREED = {name: f"agreed_{name.replace('price', 'unit')}" for name in TERMS}
# As documented: nothing older is told than the first version, which counts as if it had always held.
ALWAYS = None


@pytest.fixture(scope="module")
def company(silos: Path, release: duckdb.DuckDBPyConnection) -> Company:
    """The silos' files with the release's persons and regions."""
    return Company.of(silos, release)


def told(company: Company, silo: str, table: str, key: list[str]) -> Iterator[tuple[Any, list[dict[str, Any]]]]:
    """What was told of each key, in the order of its versions; of two with one version the later to land holds."""
    rows = expected.reading(company.silos, silo, table).history
    rows = rows.drop_duplicates([*key, "updated_at"], keep="last").sort_values("updated_at", kind="stable")
    rows = rows.astype(object).where(rows.notna(), None)
    for name, versions in rows.groupby(key):
        yield name if len(key) > 1 else name[0], versions.to_dict("records")


def agreements(company: Company) -> list[dict[str, Any]]:
    """Each agreement of a supplier on a SKU with the moments from which and until which it held."""
    found = []
    for (supplier, sku), versions in told(company, "erp", "supplier_terms", ["supplier_id", "sku_id"]):
        for place, version in enumerate(versions):
            after = versions[place + 1]["updated_at"] if place + 1 < len(versions) else None
            begin = version["updated_at"] if place else ALWAYS
            if not version["is_ended"]:
                terms = {name: version[name] for name in TERMS}
                ends = {"told_at": version["updated_at"], "valid_from": begin, "valid_to": after}
                found.append({"supplier_id": supplier, "sku_id": sku, **terms, **ends})
    return found


def holds(version: dict[str, Any], moment: Any) -> bool:
    begin, end = version["valid_from"], version["valid_to"]
    return (begin is None or begin <= moment) and (end is None or moment < end)


def supplier_versions(company: Company) -> Iterator[dict[str, Any]]:
    """A supplier's versions: another one wherever what is shown of it is not what was shown before."""
    terms: dict[str, list[dict[str, Any]]] = {}
    for agreement in agreements(company):
        terms.setdefault(agreement["supplier_id"], []).append(agreement)
    for supplier, rows in told(company, "erp", "suppliers", ["supplier_id"]):
        agreed = terms.get(supplier, [])
        moments = {row["updated_at"] for row in rows} | {terms["told_at"] for terms in agreed}
        moments |= {terms["valid_to"] for terms in agreed if terms["valid_to"] is not None}
        versions: list[dict[str, Any]] = []
        for moment in sorted(moments):
            shown = described(rows, moment) | summed_up(agreed, moment)
            if not versions or versions[-1]["shown"] != shown:
                if versions:
                    versions[-1]["valid_to"] = moment
                begin = moment if versions else ALWAYS
                versions.append({"shown": shown, "valid_from": begin, "valid_to": None})
        for version in versions:
            ends = {"valid_from": version["valid_from"], "valid_to": version["valid_to"]}
            yield {"supplier_id": supplier, **version["shown"], **ends}


def described(rows: list[dict[str, Any]], moment: Any) -> dict[str, Any]:
    """What the last row up to a moment says of a supplier; before the first, the first."""
    row = [rows[0], *(row for row in rows if row["updated_at"] <= moment)][-1]
    return {name: row[name] for name in DESCRIBED}


def summed_up(agreed: list[dict[str, Any]], moment: Any) -> dict[str, Any]:
    """The terms of the SKUs that a supplier delivered at a moment, none of a SKU that was not told yet."""
    held = [terms for terms in agreed if terms["told_at"] <= moment and holds(terms, moment)]
    if not held:
        return dict.fromkeys(SUMMED_UP)
    return {
        "lead_time_days": sum(terms["lead_time_days"] for terms in held) / len(held),
        "minimum_order_units": min(terms["minimum_order_units"] for terms in held),
        "response_hours": min(terms["response_hours"] for terms in held),
    }


def levels(company: Company) -> list[dict[str, Any]]:
    """Each level of a card with the moments from which and until which it had it."""
    found: list[dict[str, Any]] = []
    for card, rows in told(company, "crm", "members", ["card_no"]):
        versions: list[dict[str, Any]] = []
        for row in rows:
            if not versions or versions[-1]["member_level"] != row["level"]:
                begin = row["updated_at"] if versions else min(row["joined_at"], row["updated_at"])
                if versions:
                    versions[-1]["valid_to"] = begin
                level = {"source_user_id": card, "member_level": row["level"], "silo": "crm"}
                versions.append({**level, "valid_from": begin, "valid_to": None})
        found += versions
    return found


def as_table(versions: Any) -> pd.DataFrame:
    """Versions as rows with typed moments."""
    found = pd.DataFrame(list(versions))
    for name in ("valid_from", "valid_to"):
        found[name] = pd.to_datetime(found[name])
    return found.assign(is_current=found["valid_to"].isna())


def test_terms_have_every_version(company: Company, release: duckdb.DuckDBPyConnection) -> None:
    wanted = as_table(agreements(company)).drop(columns="told_at").assign(silo="erp")
    for name in ("supplier_id", "sku_id"):
        wanted[name] = unified("erp", wanted[name])
    ended = wanted.groupby(["supplier_id", "sku_id"])["is_current"].sum().eq(0)
    assert ended.any(), "no supplier stopped delivering anything, so ends are not tested"
    assert (~wanted["is_current"]).any(), "nothing was ever agreed anew"
    assert_table(release, "unified.bridge_supplier_skus", wanted, ["supplier_id", "sku_id", "valid_to"])


def test_suppliers_have_every_version(company: Company, release: duckdb.DuckDBPyConnection) -> None:
    wanted = as_table(supplier_versions(company)).assign(silo="erp")
    wanted["supplier_id"] = unified("erp", wanted["supplier_id"])
    wanted["region_id"] = company.region_of(wanted["city"])
    assert (~wanted["is_current"]).any(), "no supplier ever changed"
    assert_table(release, "unified.dim_suppliers", wanted.drop(columns="city"), ["supplier_id", "valid_to"])


def test_member_levels_have_every_version(company: Company, release: duckdb.DuckDBPyConnection) -> None:
    wanted = as_table(levels(company))
    wanted["card_id"] = unified("crm", wanted["source_user_id"])
    wanted["user_id"] = company.person_of("crm", wanted["source_user_id"])
    assert (~wanted["is_current"]).any(), "no level ever changed"
    assert_table(release, "unified.dim_member_levels", wanted, ["card_id", "valid_to"])


def test_purchase_lines_have_the_terms_of_their_moment(company: Company, release: duckdb.DuckDBPyConnection) -> None:
    lines = supply.purchase_lines(company)[["purchase_line_id", "supplier_id", "sku_id", "created_at"]]
    terms: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for agreement in agreements(company):
        place = f"erp:{agreement['supplier_id']}", f"erp:{agreement['sku_id']}"
        terms.setdefault(place, []).append(agreement)
    found = []
    for line in lines.to_dict("records"):
        versions = terms.get((line["supplier_id"], line["sku_id"]), [])
        held = [version for version in versions if holds(version, line["created_at"])]
        assert len(held) <= 1
        agreed = held[0] if held else dict.fromkeys(TERMS)
        found.append({"purchase_line_id": line["purchase_line_id"], **{AGREED[name]: agreed[name] for name in TERMS}})
    wanted = pd.DataFrame(found)
    first = {place: versions[0] for place, versions in terms.items()}
    old = [
        first.get((line["supplier_id"], line["sku_id"]), {}).get("valid_to") is not None
        for line in lines.to_dict("records")
    ]
    assert any(old), "no line's terms ever changed"
    assert_table(release, "unified.fct_purchase_lines", wanted, ["purchase_line_id"])


def test_orders_have_the_level_of_their_moment(company: Company, release: duckdb.DuckDBPyConnection) -> None:
    """Of several cards of a person the highest."""
    orders = order.identified_orders(company)[["order_id", "user_id", "placed_at"]]
    versions = levels(company)
    persons = company.person_of("crm", pd.Series([version["source_user_id"] for version in versions]))
    of_person: dict[str, list[dict[str, Any]]] = {}
    for person, version in zip(persons, versions, strict=True):
        of_person.setdefault(person, []).append(version)
    shown = []
    for user, placed_at in zip(orders["user_id"], orders["placed_at"], strict=True):
        held = [version["member_level"] for version in of_person.get(user, []) if holds(version, placed_at)]
        shown.append(max((level for level in held if level is not None), default=None))
    wanted = orders[["order_id"]].assign(member_level=pd.Series(shown, index=orders.index, dtype=object))
    now = orders["user_id"].map(
        release.sql("select user_id, member_level from unified.dim_users").df().set_index("user_id")["member_level"]
    )
    assert wanted["member_level"].notna().any()
    assert (wanted["member_level"].notna() & (wanted["member_level"] != now)).any(), "every level is that of today"
    assert_table(release, "unified.fct_orders", wanted, ["order_id"])
