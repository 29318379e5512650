"""Every value of a text file means what its type says, or is quarantined with its row, line, column and text."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.faults.bad_values import REJECTED, TYPES, VALUES, Value
from tests.unit.ingest.conftest import Shop
from zhongtai.ingest import ledger, quarantine

pytestmark = pytest.mark.faults

Outcomes = dict[tuple[str, str, str], Any]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """What became of each value: a file for each type and form, a row for each value."""
    shop = Shop(tmp_path_factory.mktemp("values"))
    groups: dict[tuple[str, str], list[Value]] = {}
    for value in VALUES:
        groups.setdefault((value.form, value.data_type), []).append(value)
    names = {group: f"t{number}" for number, group in enumerate(groups)}
    shop.declare(
        **{
            name: {
                "file": f"{name}.*",
                "format": form,
                "load_mode": "append",
                "key": ["id"],
                "columns": {"id": {"data_type": "bigint"}, "value": TYPES[data_type]},
            }
            for (form, data_type), name in names.items()
        }
    )
    for group, values in groups.items():
        shop.put(f"{names[group]}.{group[0]}", _content(group[0], [value.text for value in values]))
    shop.run()
    assert all(load.adds_up and load.status == "loaded" for load in ledger.read(shop.merchant))
    return {
        (*group, value.text): outcome
        for group, values in groups.items()
        for value, outcome in zip(values, _outcomes(shop, names[group], group[0], len(values)), strict=True)
    }


def _content(form: str, texts: list[str]) -> str:
    if form == "jsonl":
        return "".join(f'{{"id": {number}, "value": {text}}}\n' for number, text in enumerate(texts, start=1))
    return "id,value\n" + "".join(f'{number},"{text}"\n' for number, text in enumerate(texts, start=1))


def _outcomes(shop: Shop, table: str, form: str, number_of_rows: int) -> list[Any]:
    """The loaded value or the quarantined row, by row number; a row is one of both, exactly."""
    found: dict[int, Any] = {}
    for row in quarantine.show(shop.merchant, "shop", table, 1000):
        assert row["line_number"] == int(str(row["row_number"])) + (form == "csv")
        found[int(str(row["row_number"]))] = row
    for row_number, value in shop.raw(table, '_row_number, "value"'):
        assert row_number not in found
        found[row_number] = value
    assert sorted(found) == list(range(1, number_of_rows + 1))
    return [found[number] for number in sorted(found)]


def _parameter(value: Value) -> Any:
    return pytest.param(value, id=f"{value.form} {value.data_type} {value.text[:40]}")


@pytest.mark.parametrize("value", map(_parameter, VALUES))
def test_value(outcomes: Outcomes, value: Value) -> None:
    outcome = outcomes[value.form, value.data_type, value.text]
    if value.meaning is not REJECTED:
        assert outcome == value.meaning and type(outcome) is type(value.meaning)
        return
    assert isinstance(outcome, dict), outcome
    assert (outcome["column_name"], outcome["reason"]) == ("value", "type")
    text = value.text.strip() if value.form == "csv" else json.loads(value.text)
    assert outcome["message"]
    if isinstance(text, str):
        assert text[:50] in outcome["message"]
        assert json.loads(outcome["row_text"])["value"] == text
