"""Whom a phone, an address or a union id joins, and whom it does not: small cases worked out by hand."""

from __future__ import annotations

import itertools

import pytest

from zhongtai.erasure import apart
from zhongtai.erasure.apart import Person, Value

REGISTERS = {"shop.user_id", "crm.card_no"}
ANN, BOB, CY = (("shop.user_id", name) for name in ("ann", "bob", "cy"))
ANNS_CARD, BOBS_CARD = ("crm.card_no", "c-ann"), ("crm.card_no", "c-bob")
BUYER = ("market.buyer_id", "tb-1")
HOME, MOBILE = ("phone", "13800000001"), ("phone", "13800000002")
MAIL = ("email", "home@example.com")
WECHAT_1, WECHAT_2 = ("unionid", "w1"), ("unionid", "w2")


def found(records: list[list[Value]], *start: Value) -> Person:
    """The person, which no order of the records changes."""
    results = [apart.person(order, set(start), REGISTERS) for order in itertools.permutations(records)]
    assert all(result == results[0] for result in results)
    return results[0]


def test_a_phone_joins_an_account_and_a_card() -> None:
    person = found([[ANN, HOME], [ANNS_CARD, HOME]], ANN)
    assert person == Person({ANN, ANNS_CARD, HOME}, set(), set())


def test_a_familys_phone_joins_nobody_and_stays_with_the_others() -> None:
    records = [[ANN, HOME], [BOB, HOME], [BOBS_CARD, MOBILE], [BOB, MOBILE]]
    assert found(records, ANN) == Person({ANN}, {BOB, BOBS_CARD}, set())
    assert found(records, BOB) == Person({BOB, BOBS_CARD, MOBILE}, {ANN}, set())


def test_a_recycled_phone_leaves_each_holder_what_is_told_beside_an_own_id() -> None:
    # Ann gave her phone up for another; it is Bob's now, whose card has it, too.
    records = [[ANN, HOME], [ANN, MOBILE], [ANNS_CARD, MOBILE], [BOB, HOME], [BOBS_CARD, HOME]]
    assert found(records, ANN) == Person({ANN, ANNS_CARD, MOBILE}, {BOB, BOBS_CARD}, set())
    # Whose card it is that has the phone of two accounts, nothing tells.
    assert found(records, BOB) == Person({BOB}, {ANN, ANNS_CARD, BOBS_CARD}, set())


def test_two_who_differ_are_not_joined_through_a_third() -> None:
    records = [[ANN, HOME], [BUYER, HOME], [BUYER, MOBILE], [BOB, MOBILE]]
    assert found(records, ANN) == Person({ANN}, {BUYER}, set())
    assert found(records, BUYER) == Person({BUYER}, {ANN, BOB}, set())


def test_one_address_joins_two_accounts_unless_union_ids_differ() -> None:
    records = [[ANN, MAIL], [BOB, MAIL]]
    assert found(records, ANN) == Person({ANN, BOB, MAIL}, set(), set())
    told = [[ANN, MAIL, WECHAT_1], [BOB, MAIL, WECHAT_2]]
    assert found(told, ANN) == Person({ANN, WECHAT_1}, {BOB, WECHAT_2}, set())
    one_of_both = [[ANN, MAIL, WECHAT_1], [BOB, MAIL]]
    assert found(one_of_both, BOB) == Person({ANN, BOB, MAIL, WECHAT_1}, set(), set())


def test_a_union_id_joins_whatever_else_they_have() -> None:
    records = [[ANN, WECHAT_1, HOME], [BOB, WECHAT_1, MOBILE], [ANNS_CARD, WECHAT_1]]
    assert found(records, ANN) == Person({ANN, BOB, ANNS_CARD, WECHAT_1, HOME, MOBILE}, set(), set())


def test_what_a_stronger_evidence_joined_holds_a_phone_together() -> None:
    """Both have the phone, and are one person by their address: nobody else has it."""
    records = [[ANN, MAIL, HOME], [BOB, MAIL], [BOB, HOME], [ANNS_CARD, HOME]]
    assert found(records, ANNS_CARD) == Person({ANN, BOB, ANNS_CARD, MAIL, HOME}, set(), set())


def test_a_start_that_several_have_is_disputed_and_one_id_beside_it_is_not() -> None:
    records = [[ANN, HOME], [BOB, HOME]]
    assert found(records, HOME).disputed == {HOME}
    both = found(records, ANN, HOME)
    assert (both.values, both.disputed) == ({ANN}, {HOME})


def test_ids_that_are_given_together_are_one_persons() -> None:
    records = [[ANN, HOME], [BOB, HOME], [CY, MOBILE]]
    assert found(records, ANN, BOB) == Person({ANN, BOB, HOME}, set(), set())


def test_a_start_that_stands_alone_is_itself() -> None:
    assert found([], BUYER) == Person({BUYER}, set(), set())


@pytest.mark.parametrize("phones", [1, 2])
def test_records_with_nothing_but_a_phone_and_an_address_follow_them(phones: int) -> None:
    records = [[ANN, HOME], [HOME, MAIL], *([[BOB, MAIL]] if phones == 2 else [])]
    person = found(records, ANN)
    # The second account would meet the first through the record that names neither: then the phone joins nothing.
    assert person.values == ({ANN, HOME, MAIL} if phones == 1 else {ANN})
    assert person.others == (set() if phones == 1 else {BOB})
