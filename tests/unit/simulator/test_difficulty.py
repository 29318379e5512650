"""The merchant is as hard as docs say: what makes OneID hard, measured on the truth."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.unit.simulator.conftest import SEEDS, good_rows
from zhongtai.ingest.contract import Contract

Contracts = dict[tuple[str, str], Contract]


@pytest.fixture(params=SEEDS)
def truth(request: pytest.FixtureRequest, merchants: Callable[[int], Path]) -> Path:
    """The truth of one seed."""
    return merchants(request.param) / "truth"


def test_people_have_several_identities(truth: Path) -> None:
    persons = pd.read_parquet(truth / "persons.parquet")
    identities = pd.read_parquet(truth / "identities.parquet")
    # A device is evidence rather than a name, and a card is one in both silos: neither is counted in our favour.
    named = identities[~identities["kind"].isin(["device", "card"])].groupby("person_id").size()
    assert (named >= 2).sum() / len(persons) >= 0.40
    assert (named >= 4).sum() / len(persons) >= 0.15
    assert (identities["phone_origin"] == "masked").mean() >= 0.10


def test_phones_are_shared_recycled_and_a_counter_s(truth: Path) -> None:
    phones = pd.read_parquet(truth / "shared_phones.parquet")["kind"].value_counts()
    total = pd.read_parquet(truth / "persons.parquet")["phone"].nunique()
    assert phones["family"] / total >= 0.01
    assert phones["recycled"] >= max(1, 0.001 * total)
    assert phones["counter"] >= max(1, 0.001 * total)


def test_a_counter_s_phone_has_more_than_eight_holders_in_a_silo(truth: Path, contracts: Contracts) -> None:
    members = good_rows(truth.parent, contracts, "crm", "members").drop_duplicates("card_no")
    contacts = good_rows(truth.parent, contracts, "crm", "contacts").drop_duplicates("external_id")
    phones = pd.concat([members["phone"], contacts["phone"]])
    assert (phones == "13800000000").sum() > 8


def test_recycled_phones_change_hands_in_time(truth: Path) -> None:
    persons = pd.read_parquet(truth / "persons.parquet").set_index("person_id")
    later = persons.dropna(subset=["has_phone_after"])
    former = persons.loc[later["has_phone_after"]]
    assert (former["phone"].to_numpy() == later["phone"].to_numpy()).all()
    assert (former["last_date"].to_numpy() < later["first_date"].to_numpy()).all()


def test_fields_are_empty_and_odd(truth: Path, contracts: Contracts) -> None:
    users = good_rows(truth.parent, contracts, "storefront", "users")
    optional = ["phone", "email", "unionid", "referrer_user_id", "province", "city", "gender", "birth_year"]
    assert users[optional].isna().to_numpy().mean() >= 0.20
    phones, emails, cities = (users[name].dropna() for name in ("phone", "email", "city"))
    odd = (~phones.map(lambda phone: bool(re.fullmatch(r"1[3-9]\d{9}", phone)))).sum()
    odd += (~emails.map(lambda email: bool(re.fullmatch(r"[a-z0-9]+@[a-z0-9]+\.com", email)))).sum()
    odd += (~cities.str.endswith("市") | cities.str.startswith(" ")).sum()
    assert odd / (len(phones) + len(emails) + len(cities)) >= 0.02
