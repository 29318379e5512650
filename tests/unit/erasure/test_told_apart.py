"""Others who share a phone or an address with the person stay, and are named to whoever erases."""

from __future__ import annotations

import pytest

from tests.unit.erasure.conftest import ANN, BOB, USERS, forget, landed, planned
from tests.unit.ingest.conftest import Shop
from zhongtai.errors import UsageError
from zhongtai.ingest import ledger

ANN_ID, EVE_ID = ("shop", "user-000001"), ("shop", "user-000005")
EVE = "user-000005,13812345678,eve@example.com,Eve,\n"


def test_who_shares_the_persons_phone_stays_and_is_told(people: Shop) -> None:
    people.put("users_2.csv", USERS + EVE)
    people.run()
    shown = planned(people, ANN_ID)
    assert shown.others == ["shop:contact-01", "shop:user-000005"], "whose contact it is, nothing tells"
    assert shown.identities == {"email": 1, "shop.user_id": 1}
    done = forget(people, ANN_ID)
    assert not {"13812345678", "+86 138 1234 5678"} & done.needles
    assert landed(people, "users") == [
        (USERS + BOB.replace("user-000001", "")).encode(),
        (USERS + EVE).encode(),
    ]
    assert people.raw("users", "user_id") == [("user-000002",), ("user-000005",)]
    assert len(people.raw("contacts", "contact_id")) == 2
    # Now the phone is Eve's alone, and so is the contact.
    assert forget(people, EVE_ID).identities == {"email": 1, "phone": 1, "shop.contact_id": 1, "shop.user_id": 1}
    assert b"1234" not in b"".join(landed(people, "users") + landed(people, "contacts"))
    assert all(load.adds_up for load in ledger.read(people.merchant))


def test_a_phone_of_several_says_nothing(people: Shop) -> None:
    people.put("users_2.csv", USERS + EVE)
    people.run()
    with pytest.raises(UsageError, match=r"the phone given is of several persons") as error:
        forget(people, phones=("13812345678",))
    assert "13812345678" not in str(error.value)
    assert ANN.encode() in landed(people, "users")[0]


def test_one_address_is_one_person_and_takes_the_phone_along(people: Shop) -> None:
    people.put("users_2.csv", USERS + EVE.replace("eve@example.com", "ANN@example.com "))
    people.run()
    done = forget(people, ANN_ID)
    assert done.others == []
    assert done.identities == {"email": 1, "phone": 1, "shop.contact_id": 1, "shop.user_id": 2}
    assert people.raw("users", "user_id") == [("user-000002",)]


def test_who_is_named_beside_is_the_same_person(people: Shop) -> None:
    people.put("users_2.csv", USERS + EVE)
    people.run()
    done = forget(people, ANN_ID, EVE_ID)
    assert done.others == []
    assert done.identities == {"email": 2, "phone": 1, "shop.contact_id": 1, "shop.user_id": 2}
