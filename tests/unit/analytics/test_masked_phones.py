"""Links of masked phones: what is certain of them whatever splink learns, and that splink stays optional."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
import pytest

from zhongtai.analytics import masked_phones
from zhongtai.errors import UsageError

Shown = tuple[str, str, str | None]
_COLUMNS = ["is_masked", "silo", "source_id", "user_id", "phone_pattern", "phone", "region_id", "province"]
_PURCHASES = pa.table({"user_id": pa.array([], pa.string()), "sku_id": pa.array([], pa.string())})


def records(masked: Sequence[Shown], whole: Sequence[Shown]) -> pa.Table:
    """Name, pattern and region of masked buyers and of persons with a whole phone."""
    buyers: list[tuple[object, ...]] = [
        (True, "market", name, f"m-{name}", pattern, None, region, region) for name, pattern, region in masked
    ]
    persons: list[tuple[object, ...]] = [
        (False, None, None, name, pattern, name, region, region) for name, pattern, region in whole
    ]
    frame = pd.DataFrame([*buyers, *persons], columns=_COLUMNS)
    kinds = [pa.bool_(), *[pa.string()] * 7]
    return pa.Table.from_pandas(frame, schema=pa.schema(list(zip(_COLUMNS, kinds, strict=True))), preserve_index=False)


def crowd() -> tuple[list[Shown], list[Shown]]:
    """100 persons in ten regions, of whom 60 bought masked at home and 10 elsewhere; 20 buyers are strangers."""
    whole: list[Shown] = [(f"p{number}", f"a{number}", f"r{number % 10}") for number in range(100)]
    home: list[Shown] = [(f"b{number}", f"a{number}", f"r{number % 10}") for number in range(60)]
    elsewhere: list[Shown] = [(f"b{number}", f"a{number}", f"r{(number + 3) % 10}") for number in range(60, 70)]
    strangers: list[Shown] = [(f"b{number}", f"z{number}", f"r{number % 10}") for number in range(70, 90)]
    return [*home, *elsewhere, *strangers], whole


def linked(masked: list[Shown], whole: list[Shown]) -> pd.DataFrame:
    return masked_phones.link(records(masked, whole), _PURCHASES).to_pandas()


@pytest.mark.parametrize(
    ("masked", "whole"),
    [([], []), ([("b", "a1", "r1")], []), ([], [("p", "a1", "r1")]), ([("b", "a1", "r1")], [("p", "a2", "r1")])],
)
def test_without_anything_to_link_there_is_a_typed_empty_table_and_splink_is_not_needed(
    monkeypatch: pytest.MonkeyPatch,
    masked: list[Shown],
    whole: list[Shown],
) -> None:
    monkeypatch.setitem(sys.modules, "splink", None)
    found = masked_phones.link(records(masked, whole), _PURCHASES)
    assert found.num_rows == 0
    assert dict(zip(found.column_names, map(str, found.schema.types), strict=True)) == {
        "silo": "string",
        "source_id": "string",
        "own_user_id": "string",
        "user_id": "string",
        "match_probability": "double",
        "evidence": "string",
    }


def test_without_splink_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "splink", None)
    with pytest.raises(UsageError, match=r"pip install 'zhongtai\[linking\]'"):
        linked([("b", "a1", "r1")], [("p", "a1", "r1")])


def test_buyers_are_linked_to_who_has_the_pattern_and_strangers_to_nobody() -> None:
    pytest.importorskip("splink")
    found = linked(*crowd())
    assert {(row.source_id, row.user_id) for row in found.itertuples()} == {(f"b{n}", f"p{n}") for n in range(70)}
    assert set(found["own_user_id"]) == {f"m-b{n}" for n in range(70)}
    at_home = found["evidence"] == "phone_pattern region"
    assert set(found.loc[at_home, "source_id"]) == {f"b{n}" for n in range(60)}
    assert found.loc[at_home, "match_probability"].min() > 0.9
    assert found.loc[at_home, "match_probability"].min() > found.loc[~at_home, "match_probability"].max()


def test_of_two_persons_with_the_pattern_the_one_at_home_is_likelier_and_both_share_one_certainty() -> None:
    pytest.importorskip("splink")
    masked, whole = crowd()
    found = linked(masked, [*whole, ("twin", "a5", "r9")])
    of_five = found[found["source_id"] == "b5"].set_index("user_id")["match_probability"]
    assert of_five["p5"] > of_five["twin"]
    assert of_five.sum() <= 1
    even = linked(masked, [*whole, ("twin", "a5", "r5")]).set_index(["source_id", "user_id"])["match_probability"]
    assert even["b5", "p5"] == even["b5", "twin"] <= 0.5


def test_the_same_records_give_the_same_probabilities() -> None:
    pytest.importorskip("splink")
    pd.testing.assert_frame_equal(linked(*crowd()), linked(*crowd()))


def test_buyers_without_region_are_linked_by_the_pattern_alone() -> None:
    pytest.importorskip("splink")
    masked, whole = crowd()
    found = linked(
        [(name, pattern, None) for name, pattern, _ in masked], [(n, pattern, None) for n, pattern, _ in whole]
    )
    assert set(found["evidence"]) == {"phone_pattern"}
    assert len(found) == 70
