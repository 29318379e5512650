"""The merchant is as hard as docs say: what makes OneID hard, measured on the truth."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.unit.simulator.conftest import SEEDS, good_rows
from tests.unit.simulator.test_defects import FILE_KINDS, ROW_KINDS
from zhongtai.ingest.contract import Contract

Contracts = dict[tuple[str, str], Contract]
COUNTER = "13800000000"  # the phone that clerks type


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
    assert (phones == COUNTER).sum() > 8


def test_recycled_phones_change_hands_in_time(truth: Path) -> None:
    persons = pd.read_parquet(truth / "persons.parquet").set_index("person_id")
    later = persons.dropna(subset=["has_phone_after"])
    former = persons.loc[later["has_phone_after"]]
    assert (former["phone"].to_numpy() == later["phone"].to_numpy()).all()
    assert (former["last_date"].to_numpy() < later["first_date"].to_numpy()).all()


def test_fields_that_may_be_empty_are(truth: Path, contracts: Contracts) -> None:
    # Who was invited by nobody has no referrer, so that one is not counted in our favour.
    users = ["phone", "email", "unionid", "province", "city", "gender", "birth_year"]
    crm = ["phone", "unionid", "name"]
    for silo, table, optional in (("storefront", "users", users), ("crm", "contacts", crm), ("crm", "members", crm)):
        rows = good_rows(truth.parent, contracts, silo, table)
        assert rows[optional].isna().to_numpy().mean() >= 0.20, (silo, table)


def test_values_are_typed_oddly(truth: Path, contracts: Contracts) -> None:
    """Each kind of value that people type; a city without its ending is odd, but nearly everybody's."""
    users = good_rows(truth.parent, contracts, "storefront", "users")
    members = good_rows(truth.parent, contracts, "crm", "members")
    contacts = good_rows(truth.parent, contracts, "crm", "contacts")
    plain = r"1[3-9]\d{9}"
    for rows in (users, members, contacts):
        phones = rows.loc[rows["phone"] != COUNTER, "phone"].dropna()
        assert (~phones.map(lambda phone: bool(re.fullmatch(plain, phone)))).mean() >= 0.02
    emails, cities = users["email"].dropna(), users["city"].dropna()
    assert (~emails.map(lambda email: bool(re.fullmatch(r"[a-z0-9]+@[a-z0-9]+\.com", email)))).mean() >= 0.02
    assert (~cities.str.fullmatch(r"\S+市")).mean() >= 0.02


def test_files_are_late_by_up_to_forty_days(truth: Path) -> None:
    """A workbook is one file, whatever number of tables it holds."""
    defects = pd.read_parquet(truth / "defects.parquet")
    late = defects[defects["kind"] == "late_file"].drop_duplicates(["silo", "file"])
    files = [file for file in (truth.parent / "silos").rglob("*") if file.is_file()]
    assert len(late) / len(files) >= 0.01
    days = late["detail"].str.removesuffix(" days").astype(int)
    assert days.between(1, 40).all()
    assert days.max() >= 20


def test_every_kind_of_fault_occurs(truth: Path) -> None:
    assert set(pd.read_parquet(truth / "defects.parquet")["kind"]) == FILE_KINDS | ROW_KINDS


def test_another_seed_plants_other_answers(merchants: Callable[[int], Path]) -> None:
    first, *others = (merchants(seed) / "truth" for seed in SEEDS)
    for file in sorted(first.iterdir()):
        answers = [pd.read_parquet(folder / file.name) for folder in (first, *others)]
        assert not all(answers[0].equals(other) for other in answers[1:]), file.name
