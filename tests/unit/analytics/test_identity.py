"""Persons from evidence: cases by hand, and a plain union-find beside the log of merges."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from zhongtai.analytics import identity

Held = tuple[int, str, str, int]  # identity, evidence, value, position


def identities(*kinds: str, births: list[int] | None = None) -> pd.DataFrame:
    """Identities in the order in which they landed."""
    return pd.DataFrame(
        {
            "identity_rank": range(len(kinds)),
            "identity_kind": kinds,
            "landed_position": births or list(range(1, len(kinds) + 1)),
        }
    )


def links(*held: Held) -> pd.DataFrame:
    """What is held by whom since when."""
    frame = pd.DataFrame(held, columns=["identity_rank", "evidence", "evidence_token", "landed_position"])
    return frame.astype({"identity_rank": "int64", "landed_position": "int64"})


def persons(found: pd.DataFrame) -> list[int]:
    """The person of each identity."""
    return found["person_rank"].tolist()


def test_equal_values_join_across_silos_and_through_a_third() -> None:
    found = identity.resolve(
        identities("account", "contact", "card", "buyer"),
        links((0, "phone", "p", 1), (1, "phone", "p", 2), (1, "contact", "c", 2), (2, "contact", "c", 3)),
    )
    assert persons(found) == [0, 0, 0, 3]
    assert found["evidence"].fillna("").tolist() == ["phone", "contact", "contact", ""]


def test_nothing_in_common_joins_nobody() -> None:
    found = identity.resolve(identities("account", "account"), links((0, "unionid", "a", 1), (1, "unionid", "b", 2)))
    assert persons(found) == [0, 1]
    assert found["joined_rank"].isna().all()


def test_a_phone_of_two_accounts_joins_neither_with_the_other_nor_with_a_third() -> None:
    found = identity.resolve(
        identities("account", "account", "contact"),
        links((0, "phone", "p", 1), (1, "phone", "p", 2), (2, "phone", "p", 3)),
    )
    assert persons(found) == [0, 1, 2]


def test_a_phone_of_two_union_ids_joins_nobody_though_their_owners_are_of_other_kinds() -> None:
    held = [(0, "unionid", "a", 1), (1, "unionid", "b", 2), (0, "phone", "p", 1), (1, "phone", "p", 2)]
    assert persons(identity.resolve(identities("account", "contact"), links(*held))) == [0, 1]


def test_a_union_id_that_landed_later_joins_what_a_phone_may_then_join_too() -> None:
    kinds = identities("account", "contact", "card")
    shared = [(0, "phone", "p", 1), (1, "phone", "p", 2), (2, "phone", "p", 3)]
    assert persons(identity.resolve(kinds, links(*shared))) == [0, 0, 0]
    told = [(0, "unionid", "a", 1), (1, "unionid", "a", 4)]
    assert persons(identity.resolve(kinds, links(*shared, *told))) == [0, 0, 0]


def test_two_phones_that_would_meet_through_a_third_identity_join_nobody() -> None:
    held = [(0, "phone", "p", 1), (2, "phone", "p", 3), (1, "phone", "q", 2), (2, "phone", "q", 3)]
    assert persons(identity.resolve(identities("account", "account", "contact"), links(*held))) == [0, 1, 2]


def test_an_address_joins_two_accounts_and_a_name_beside_the_phone_does_too() -> None:
    for kind in ("email", "phone_and_name"):
        found = identity.resolve(identities("account", "account"), links((0, kind, "v", 1), (1, kind, "v", 2)))
        assert persons(found) == [0, 0], kind


def test_a_device_of_a_family_joins_nobody_and_that_of_one_account_does() -> None:
    kinds = identities("account", "account", "device", "device")
    held = [(0, "device", "x", 1), (1, "device", "x", 2), (2, "device", "x", 3), (0, "device", "y", 1)]
    assert persons(identity.resolve(kinds, links(*held, (3, "device", "y", 4)))) == [0, 1, 2, 0]


def test_what_lands_with_its_evidence_joins_without_a_merge_and_what_comes_later_is_logged() -> None:
    kinds = identities("account", "contact", "card", births=[1, 2, 3])
    held = [(0, "phone", "p", 1), (1, "phone", "p", 2), (1, "unionid", "u", 2), (2, "unionid", "u", 9)]
    found = identity.resolve(kinds, links(*held))
    assert persons(found) == [0, 0, 0]
    merges = found[found["joined_rank"].notna()]
    assert merges[["identity_rank", "joined_rank", "joined_position", "joined_evidence"]].to_numpy().tolist() == [
        [2, 0.0, 9.0, "unionid"]
    ]


def test_of_two_persons_the_one_that_landed_first_remains() -> None:
    kinds = identities("buyer", "account", "contact", "buyer", births=[1, 2, 3, 4])
    held = [
        (1, "phone", "p", 2),
        (2, "phone", "p", 3),  # 1 and 2 are one person at birth
        (0, "email", "e", 7),
        (3, "email", "e", 7),  # 3 joins 0
        (2, "unionid", "u", 8),
        (3, "unionid", "u", 8),  # the two persons meet
    ]
    found = identity.resolve(kinds, links(*held))
    assert persons(found) == [0, 0, 0, 0]
    merges = found.loc[found["joined_rank"].notna(), ["identity_rank", "joined_rank", "joined_position"]]
    assert merges.astype(int).to_numpy().tolist() == [[1, 0, 8], [3, 0, 7]]


def test_no_identities_and_no_links_give_typed_tables() -> None:
    import pyarrow as pa

    empty = pa.Table.from_pandas(identities())
    none = pa.Table.from_pandas(links())
    found = identity.resolve_tables(empty, none)
    assert found.num_rows == 0
    one = identity.resolve_tables(pa.Table.from_pandas(identities("account")), none)
    assert one.schema == found.schema
    assert one["person_rank"].to_pylist() == [0]


def test_ranks_with_gaps_and_unknown_evidence_are_refused() -> None:
    with pytest.raises(ValueError, match="identity_rank"):
        identity.resolve(identities("account").assign(identity_rank=3), links())
    with pytest.raises(ValueError, match="unknown kinds of evidence: horoscope"):
        identity.resolve(identities("account"), links((0, "horoscope", "x", 1)))


def random_case(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Identities of some thirty people, who show values of all kinds, some of them shared, early or late."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(20, 60))
    births = np.sort(rng.integers(1, 30, count)).tolist()
    kinds = identities(*rng.choice(["account", "contact", "card", "buyer", "device"], count), births=births)
    rows = []
    for kind in identity.EVIDENCE:
        for rank in np.flatnonzero(rng.random(count) < 0.3):
            position = births[rank] + int(rng.integers(0, 20)) * int(rng.random() < 0.4)
            rows.append((int(rank), kind.name, f"{kind.name}{rng.integers(0, count // 2)}", position))
    found = links(*rows)
    return kinds, found.sort_values("landed_position").drop_duplicates(["identity_rank", "evidence", "evidence_token"])


@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_the_rows_does_not_matter(seed: int) -> None:
    kinds, held = random_case(seed)
    found = identity.resolve(kinds, held)
    again = identity.resolve(kinds, held.sample(frac=1, random_state=seed))
    pd.testing.assert_frame_equal(found, again)


@pytest.mark.parametrize("seed", range(20))
def test_persons_and_merges_agree_with_a_plain_union_find(seed: int) -> None:
    kinds, held = random_case(seed)
    held = held[held["evidence"].isin(["card", "contact", "unionid"])]  # believed without judgement
    found = identity.resolve(kinds, held)
    births = kinds["landed_position"].tolist()
    person, merges = replayed(births, held)
    assert persons(found) == person
    logged = found.loc[found["joined_rank"].notna(), ["identity_rank", "joined_rank", "joined_position"]]
    assert {tuple(row) for row in logged.astype(int).to_numpy().tolist()} == merges


def replayed(births: list[int], held: pd.DataFrame) -> tuple[list[int], set[tuple[int, int, int]]]:
    """Day by day: identities are born, values come, whoever holds one value is one person; the oldest remains."""
    person = list(range(len(births)))
    merges = set()
    for day in range(1, 60):
        before = {rank: person[rank] for rank in range(len(births)) if births[rank] < day}
        known = held[held["landed_position"] <= day]
        for _, holders in known.groupby(["evidence", "evidence_token"]):
            ranks = holders["identity_rank"].tolist()
            together = {person[rank] for rank in ranks}
            person = [min(together) if one in together else one for one in person]
        for rank in {*before.values()}:
            if person[rank] != rank:
                merges.add((rank, person[rank], day))
    return person, merges
