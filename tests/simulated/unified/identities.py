"""Which persons' identities the silos' files name, since when, and what they tell of the persons.

Who is which person is taken from the release: the tests of OneID judge it.
"""

from __future__ import annotations

import pandas as pd

from tests.simulated import expected
from tests.simulated.personal_tokens import token_of
from tests.simulated.unified.company import Company, Table

IDENTITY = ["silo", "source_id", "identity_kind"]
# Where a silo names an identity: silo, table, column, kind, and the moment that the row tells.
NAMED = [
    ("storefront", "users", "user_id", "account", "registered_at"),
    ("storefront", "orders", "user_id", "account", "placed_at"),
    ("storefront", "events", "user_id", "account", "event_at"),
    ("storefront", "coupons", "user_id", "account", "issued_at"),
    ("storefront", "presale_reservations", "user_id", "account", "reserved_at"),
    ("storefront", "service_tickets", "user_id", "account", "opened_at"),
    ("storefront", "reviews", "user_id", "account", "reviewed_at"),
    ("storefront", "benefits_used", "user_id", "account", "used_at"),
    ("marketplace", "orders", "buyer_id", "buyer", "placed_at"),
    ("marketplace", "reviews", "buyer_id", "buyer", "reviewed_at"),
    ("live", "orders", "open_id", "buyer", "placed_at"),
    ("stores", "receipts", "card_no", "shown_card", "paid_at"),
    ("stores", "visits", "card_no", "shown_card", "visited_at"),
    ("crm", "contacts", "external_id", "contact", "added_at"),
    ("crm", "members", "card_no", "card", "joined_at"),
    ("crm", "members", "external_id", "contact", "joined_at"),
    ("crm", "group_members", "external_id", "contact", "joined_at"),
    ("crm", "group_messages", "author_external_id", "contact", "posted_at"),
    ("crm", "touches", "external_id", "contact", "sent_at"),
    ("crm", "growth_ledger", "card_no", "card", "earned_at"),
]
# What only silos of other merchants tell.
UNTOLD = [
    "age_band",
    "income_band",
    "home_ownership",
    "marital_status",
    "household_size",
    "household_composition",
    "kids_count",
]


def user_identities(company: Company) -> pd.DataFrame:
    """Every identity, and the earliest moment of any row that names it."""
    seen = []
    for silo, table, column, kind, moment in NAMED:
        told = expected.reading(company.silos, silo, table).history
        seen.append(_seen(silo, kind, told[column], told[moment]))
    found = pd.concat([*seen, _devices(company), _phones(company)], ignore_index=True).dropna(subset="source_id")
    return found.groupby(IDENTITY)["first_seen_at"].min().reset_index()


def _seen(silo: str, kind: str, source_id: pd.Series, moment: pd.Series) -> pd.DataFrame:
    columns = {"silo": silo, "source_id": source_id, "identity_kind": kind, "first_seen_at": moment}
    return pd.DataFrame(columns)


def _devices(company: Company) -> pd.DataFrame:
    """Devices on which somebody logged in: others are nobody's."""
    events = company.rows("storefront", "events")
    logged_in = events.loc[events["user_id"].notna(), "device_id"]
    events = events[events["device_id"].isin(logged_in)]
    return _seen("storefront", "device", _tokens("device", events["device_id"]), events["event_at"])


def _phones(company: Company) -> pd.DataFrame:
    """Phones that got an SMS; one that nobody can read has no token."""
    sent = company.rows("crm", "touches")
    sent = sent[sent["external_id"].isna()]
    return _seen("crm", "phone", _tokens("phone", sent["phone"]), sent["sent_at"])


def _tokens(personal_class: str, typed: pd.Series) -> pd.Series:
    return typed.map({one: token_of(personal_class, one) for one in typed.dropna().unique()})


def users(company: Company) -> pd.DataFrame:
    """Persons: what their identities tell, the first registration before later ones, and what they bought."""
    told = user_identities(company).merge(_told(company), how="left", on=["silo", "source_id"])
    told["user_id"] = company.person_of(told["silo"], told["source_id"])
    told["referrer_user_id"] = company.person_of(told["silo"], told["referrer"])
    told = told.astype({"gender": "string", "member_level": "string"}).sort_values(["registered_at", "source_id"])
    persons = told.groupby("user_id")
    found = pd.DataFrame({"identity_count": persons.size(), "silo_count": persons["silo"].nunique()})
    for column in ("first_seen_at", "registered_at", "member_joined_at", "birth_year", "gender"):
        found[column] = persons[column].min()
    found["member_level"] = persons["member_level"].max()
    for column in ("registration_channel", "referrer_user_id", "registration_region"):
        found[column] = persons[column].first()
    # Where it registered, else where its goods went.
    found["region_id"] = found.pop("registration_region").fillna(persons["shipping_region"].min())
    orders = expected.orders(company.silos).dropna(subset="paid_at")
    paid = orders.groupby(company.person_of(orders["silo"], orders["source_user_id"]))["paid_at"]
    found["first_paid_at"], found["last_paid_at"] = paid.min(), paid.max()
    found["paid_orders"] = paid.size()
    found["paid_orders"] = found["paid_orders"].fillna(0).astype("int64")
    return found.reset_index().assign(**dict.fromkeys(UNTOLD))


def _told(company: Company) -> pd.DataFrame:
    """What accounts, cards and buyers tell of their person, by silo and source_id."""
    accounts = company.rows("storefront", "users").rename(
        columns={"user_id": "source_id", "referrer_user_id": "referrer"}
    )
    accounts = accounts.assign(silo="storefront", registration_region=company.region_of(accounts["city"]))
    cards = company.rows("crm", "members").rename(columns={"card_no": "source_id", "level": "member_level"})
    cards = cards.assign(silo="crm", registered_at=cards["joined_at"], member_joined_at=cards["joined_at"])
    of_account = ["silo", "source_id", "registration_channel", "registration_region"]
    parts = [
        accounts[[*of_account, "registered_at", "referrer", "birth_year", "gender"]],
        cards[["silo", "source_id", "registered_at", "member_joined_at", "member_level"]],
        _shipping_regions(company),
    ]
    return pd.concat(parts, ignore_index=True)


def _shipping_regions(company: Company) -> pd.DataFrame:
    """Where the latest order of a buyer on other people's platforms went, of those with a city that is known."""
    orders = expected.orders(company.silos)
    orders = orders[orders["silo"].isin(["marketplace", "live"])]
    orders = orders.assign(shipping_region=company.region_of(orders["ship_to_city"])).dropna(subset="shipping_region")
    latest = orders.sort_values("placed_at").drop_duplicates(["silo", "source_user_id"], keep="last")
    return latest.rename(columns={"source_user_id": "source_id"})[["silo", "source_id", "shipping_region"]]


TABLES = {
    "bridge_user_identities": Table(
        user_identities, ["silo", "source_id"], apart=["user_id", "evidence", "confidence"]
    ),
    "dim_users": Table(users, ["user_id"]),
}
