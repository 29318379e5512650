"""Every table of the user family but those of OneID (identities.py), from the silos' files."""

from __future__ import annotations

import pandas as pd

from tests.simulated import expected
from tests.simulated.personal_tokens import token_of
from tests.simulated.silo_files import business_date
from tests.simulated.unified.company import CHANNEL_GROUPS, Company, Table, unified


def user_events(company: Company) -> pd.DataFrame:
    """Events; who is not logged in is the person of the device, where it is one person's."""
    names = {"user_id": "source_user_id", "sku_id": "source_sku_id"}
    found = company.rows("storefront", "events").rename(columns=names).assign(silo="storefront")
    devices = {device: token_of("device", device) for device in found["device_id"].unique()}
    found["device_id"] = found["device_id"].map(devices)
    account = company.person_of(found["silo"], found["source_user_id"])
    return found.assign(
        event_id=unified("storefront", found["event_id"]),
        session_id=unified("storefront", found["session_id"]),
        user_id=account.fillna(company.person_of(found["silo"], found["device_id"])),
        event_date=business_date(found["event_at"]),
        channel_group=found["channel"].map(CHANNEL_GROUPS),
        sku_id=unified("erp", found["source_sku_id"]),
        content_id=unified("marketing", found["content_id"]),
        live_session_id=unified("live", found["live_session_id"]),
        campaign_id=unified("marketing", found["utm_campaign"]),
    )


def user_sessions(company: Company) -> pd.DataFrame:
    """Sessions: who logged in first, what their first event that tells it tells, their steps, and what they paid."""
    events = user_events(company).sort_values(["event_at", "event_id"])
    accounts = company.person_of(events["silo"], events["source_user_id"]).groupby(events["session_id"]).first()
    events["user_id"] = events["session_id"].map(accounts).fillna(events["user_id"])
    for kind in ("product_view", "add_to_cart", "checkout"):
        events[kind] = (events["event_type"] == kind).astype("int64")
    first = ["user_id", "device_id", "channel", "channel_group", "device_type", "utm_source", "utm_campaign"]
    sessions = events.groupby(["session_id", "silo"])
    found = sessions[[*first, "campaign_id"]].first()
    found["started_at"], found["ended_at"] = sessions["event_at"].min(), sessions["event_at"].max()
    found["events"] = sessions.size()
    counted = {"product_views": "product_view", "carts": "add_to_cart", "checkouts": "checkout", "dwell_ms": "dwell_ms"}
    for name, column in counted.items():
        found[name] = sessions[column].sum().astype("int64")
    found = found.reset_index()
    orders = expected.orders(company.silos).dropna(subset=["paid_at", "session_id"])
    paid = orders.assign(session_id=unified("storefront", orders["session_id"])).groupby("session_id")["paid_amount"]
    for name, of_session in {"paid_orders": paid.size(), "paid_amount": paid.sum()}.items():
        found[name] = found["session_id"].map(of_session).fillna(0).astype("int64")
    return found.assign(session_date=business_date(found["started_at"]))


def user_daily(company: Company) -> pd.DataFrame:
    """Each person's days: how much they did, and where they logged in first."""
    events = user_events(company).dropna(subset=["user_id"]).sort_values(["event_at", "event_id"])
    days = events.groupby(["user_id", "event_date"])
    found = days.agg(events=("event_id", "size"), sessions=("session_id", "nunique"), dwell_ms=("dwell_ms", "sum"))
    counted = {"product_views": "product_view", "carts": "add_to_cart", "checkouts": "checkout", "logins": "login"}
    for name, kind in counted.items():
        found[name] = (events["event_type"] == kind).groupby([events["user_id"], events["event_date"]]).sum()
    logins = events[events["event_type"] == "login"].groupby(["user_id", "event_date"])
    found["first_login_at"] = logins["event_at"].first()
    found["first_login_channel"] = logins["channel"].first()
    whole = dict.fromkeys(("dwell_ms", *counted), "int64")
    return found.astype(whole).reset_index().rename(columns={"event_date": "activity_date"})


def user_touches(company: Company) -> pd.DataFrame:
    """Messages with the person who got them; an SMS names only a phone, and one that nobody can read names nobody."""
    found = company.rows("crm", "touches").rename(columns={"touch_channel": "channel"}).assign(silo="crm")
    phone = found["phone"].map(lambda typed: token_of("phone", typed), na_action="ignore")
    found["source_user_id"] = found["external_id"].fillna(phone)
    found["user_id"] = company.person_of(found["silo"], found["source_user_id"])
    found["channel_group"] = found["channel"].map(CHANNEL_GROUPS)
    found["sent_date"] = business_date(found["sent_at"])
    found["touch_id"] = unified("crm", found["touch_id"])
    found["message_id"] = unified("crm", found["message_id"])
    found["campaign_id"] = unified("marketing", found["campaign_id"])
    return _of_group(company, found).drop(columns=["external_id", "phone", "updated_at"])


def group_activity(company: Company) -> pd.DataFrame:
    names = {"message_id": "activity_id", "author_external_id": "source_user_id"}
    found = company.rows("crm", "group_messages").rename(columns=names).assign(silo="crm")
    found["activity_id"] = unified("crm", found["activity_id"])
    found["user_id"] = company.person_of(found["silo"], found["source_user_id"])
    found["activity_date"] = business_date(found["posted_at"])
    return _of_group(company, found)


def _of_group(company: Company, found: pd.DataFrame) -> pd.DataFrame:
    """What the group of each row is about."""
    groups = company.rows("crm", "groups").set_index("group_id")
    return found.assign(
        group_id=unified("crm", found["group_id"]),
        group_category=unified("erp", found["group_id"].map(groups["category_id"])),
        group_type=found["group_id"].map(groups["group_type"]),
    )


def user_growth(company: Company) -> pd.DataFrame:
    names = {"entry_id": "growth_id", "card_no": "source_user_id", "source": "growth_source"}
    found = company.rows("crm", "growth_ledger").rename(columns=names).assign(silo="crm")
    return found.assign(
        growth_id=unified("crm", found["growth_id"]),
        card_id=unified("crm", found["source_user_id"]),
        user_id=company.person_of(found["silo"], found["source_user_id"]),
        earned_date=business_date(found["earned_at"]),
    ).drop(columns="source_ref")


def coupons(company: Company) -> pd.DataFrame:
    names = {"coupon_id": "source_coupon_id", "user_id": "source_user_id", "issue_channel": "channel"}
    found = company.rows("storefront", "coupons").rename(columns=names).assign(silo="storefront")
    scopes = {kind: found["scope_id"].where(found["scope_kind"] == kind) for kind in ("category", "store")}
    return found.assign(
        coupon_id=unified("storefront", found["source_coupon_id"]),
        user_id=company.person_of(found["silo"], found["source_user_id"]),
        campaign_id=unified("marketing", found["campaign_id"]),
        channel_group=found["channel"].map(CHANNEL_GROUPS),
        category_id=unified("erp", scopes["category"]),
        store_id=unified("stores", scopes["store"]),
        order_id=unified("storefront", found["redeemed_order_id"]),
        issued_date=business_date(found["issued_at"]),
        redeemed_date=business_date(found["redeemed_at"]),
        is_redeemed=found["redeemed_at"].notna(),
    ).drop(columns=["scope_id", "redeemed_order_id", "updated_at"])


def service_tickets(company: Company) -> pd.DataFrame:
    found = company.rows("storefront", "service_tickets").rename(columns={"user_id": "source_user_id"})
    found["silo"] = "storefront"
    return found.assign(
        ticket_id=unified("storefront", found["ticket_id"]),
        order_id=unified("storefront", found["order_id"]),
        user_id=company.person_of(found["silo"], found["source_user_id"]),
        opened_date=business_date(found["opened_at"]),
    ).drop(columns="updated_at")


def experiment_assignments(company: Company) -> pd.DataFrame:
    """Assignments of the own shop's accounts."""
    found = company.rows("marketing", "assignments").rename(columns={"user_id": "source_user_id"})
    return found.assign(
        silo="marketing",
        experiment_id=unified("marketing", found["experiment_id"]),
        user_id=company.person_of("storefront", found["source_user_id"]),
    )


TABLES = {
    "fct_user_events": Table(user_events, ["event_id"]),
    "fct_user_sessions": Table(user_sessions, ["session_id"]),
    "fct_user_daily": Table(user_daily, ["user_id", "activity_date"]),
    "fct_user_touches": Table(user_touches, ["touch_id"]),
    "fct_user_growth": Table(user_growth, ["growth_id"]),
    "fct_group_activity": Table(group_activity, ["activity_id"]),
    "fct_coupons": Table(coupons, ["coupon_id"]),
    "fct_service_tickets": Table(service_tickets, ["ticket_id"]),
    "fct_experiment_assignments": Table(experiment_assignments, ["experiment_id", "source_user_id", "variant"]),
}
