"""mart_channel_performance, row for row, from the silos' files.

From the release comes only who is which person (its own tests judge that).
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from tests.real.comparison import assert_same, assert_table
from tests.simulated import expected
from tests.simulated.silo_files import business_date

pytestmark = pytest.mark.silos

KEY = ["activity_date", "channel", "campaign_id"]
COUNTS = ["impressions", "clicks", "sessions", "new_users", "buyers", "new_buyers", "placed_orders", "paid_orders"]
AMOUNTS = ["ad_spend_amount", "gmv_amount", "paid_amount", "refund_amount"]


@pytest.fixture(scope="module")
def orders(silos: Path, release: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Orders of the files with channel and campaign, what their units cost, and the person who bought."""
    found = expected.orders(silos).copy()
    found["campaign_id"] = campaign(found["campaign_id"])
    people = release.sql(
        "select silo, source_order_id as order_id, user_id as person, user_order_number from unified.fct_orders"
    )
    costs = expected.order_lines(silos).groupby(["silo", "order_id"])["ordered_cost_amount"].sum().reset_index()
    for frame in (people.df(), costs):
        found = found.merge(frame, how="left", on=["silo", "order_id"], validate="one_to_one")
    return found


def campaign(codes: pd.Series) -> pd.Series:
    """The unified campaign of the silo's code; none where there is none."""
    return ("marketing:" + codes).fillna("none")


def on(frame: pd.DataFrame, day: str, **measures: str) -> pd.DataFrame:
    """Sums by the mart's key; `count` counts rows, `nunique` counts distinct persons."""
    grouped = frame.assign(activity_date=frame[day]).groupby(KEY)
    found = {}
    for name, column in measures.items():
        if column == "count":
            found[name] = grouped.size()
        else:
            found[name] = grouped[column].nunique() if column == "person" else grouped[column].sum()
    return pd.DataFrame(found)


def visits(silos: Path) -> pd.DataFrame:
    """Sessions with the day on which they began, and the campaign of their first tag."""
    events = expected.rows(silos, "storefront", "events").sort_values(["event_at", "event_id"])
    grouped = events.groupby("session_id")
    found = grouped.agg(started_at=("event_at", "min"), channel=("channel", "first"), tag=("utm_campaign", "first"))
    return found.assign(day=business_date(found["started_at"]), campaign_id=campaign(found["tag"]))


def registrations(release: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    people = release.sql(
        "select registered_at, coalesce(registration_channel, 'unknown') as channel "
        "from unified.dim_users where registered_at is not null"
    ).df()
    return people.assign(day=business_date(people["registered_at"]), campaign_id="none")


def performance(silos: Path, release: duckdb.DuckDBPyConnection, orders: pd.DataFrame) -> pd.DataFrame:
    """The mart as specified; amounts in cents."""
    spend = expected.rows(silos, "marketing", "ad_spend").rename(columns={"cost_amount": "ad_spend_amount"})
    spend["campaign_id"] = campaign(spend["campaign_id"])
    paid = orders[orders["paid_at"].notna()]
    refunds = expected.refund_costs(silos)[["silo", "order_id", "refunded_date", "refund_amount", "cost_amount"]].merge(
        orders[["silo", "order_id", "channel", "campaign_id"]], on=["silo", "order_id"], validate="many_to_one"
    )
    sums = ("impressions", "clicks", "ad_spend_amount")
    parts = [
        on(spend, "spend_date", **{name: name for name in sums}),
        on(visits(silos), "day", sessions="count"),
        on(registrations(release), "day", new_users="count"),
        on(orders, "placed_date", placed_orders="count", gmv_amount="gmv_amount"),
        on(
            paid,
            "paid_date",
            paid_orders="count",
            buyers="person",
            paid_amount="paid_amount",
            ordered_cost_amount="ordered_cost_amount",
        ),
        on(paid[paid["user_order_number"] == 1], "paid_date", new_buyers="person"),
        on(refunds, "refunded_date", refund_amount="refund_amount", returned_cost_amount="cost_amount"),
    ]
    found = pd.concat(parts, axis="columns").fillna(0).astype("int64")
    found["net_revenue_amount"] = found["paid_amount"] - found["refund_amount"]
    cost = found.pop("ordered_cost_amount") - found.pop("returned_cost_amount")
    found["gross_margin_amount"] = found["net_revenue_amount"] - cost
    spent, margin = found["ad_spend_amount"], found["gross_margin_amount"]
    found["click_through_rate"] = found["clicks"] / found["impressions"].where(found["impressions"] != 0)
    found["roas"] = found["paid_amount"] / spent.where(spent != 0)
    found["roi"] = (margin - spent) / spent.where(spent != 0)
    pairs = zip(spent, found["new_buyers"], strict=True)
    found["acquisition_cost_amount"] = [_rounded(cents, buyers) for cents, buyers in pairs]
    return found.reset_index()


def _rounded(cents: int, persons: int) -> float:
    """Cents a person, half a cent up; NaN without persons."""
    return float((Decimal(cents) / persons).quantize(Decimal(1), rounding=ROUND_HALF_UP)) if persons else float("nan")


def test_every_row_is_as_specified(silos: Path, release: duckdb.DuckDBPyConnection, orders: pd.DataFrame) -> None:
    assert_table(release, "marts.mart_channel_performance", performance(silos, release, orders), KEY)


def test_days_with_rejected_rows_are_incomplete(silos: Path, release: duckdb.DuckDBPyConnection) -> None:
    found = release.sql("select distinct activity_date as day, is_complete from marts.mart_channel_performance").df()
    wanted = found[["day"]].drop_duplicates()
    wanted["is_complete"] = ~wanted["day"].dt.date.isin(expected.rejected_dates(silos))
    assert_same(found, wanted, ["day"], "is_complete")


def test_channels_stand_in_their_group(release: duckdb.DuckDBPyConnection) -> None:
    strange = release.sql(
        "select distinct found.channel from marts.mart_channel_performance as found "
        "left join unified.dim_channels as channels on channels.channel = found.channel "
        "where found.channel_group is distinct from coalesce(channels.channel_group, 'unknown')"
    ).fetchall()
    assert strange == []


def test_channels_and_campaigns_add_up_to_the_day(release: duckdb.DuckDBPyConnection) -> None:
    summed = [*AMOUNTS, "net_revenue_amount", "gross_margin_amount", "sessions", "placed_orders", "paid_orders"]
    sums = ", ".join(f"sum({name}) as {name}" for name in summed)
    differing = release.sql(
        f"select activity_date, {sums} from marts.mart_channel_performance group by activity_date "
        f"having {' + '.join(f'abs({name})' for name in summed)} > 0 except all "
        f"select kpi_date, {', '.join(summed)} from marts.mart_kpi_daily where channel_group = 'all'"
    ).fetchall()
    assert differing == []


def test_margin_is_that_of_all_days(release: duckdb.DuckDBPyConnection) -> None:
    """On which day a refund weighs differs between the two marts; what is left in the end does not."""
    (margin,) = release.sql("select sum(gross_margin_amount) from marts.mart_channel_performance").fetchone() or ()
    (of_days,) = (
        release.sql("select sum(gross_margin_amount) from marts.mart_kpi_daily where channel_group = 'all'").fetchone()
        or ()
    )
    assert margin == of_days
