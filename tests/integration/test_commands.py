"""The other commands: what they print, and their exit codes."""

from __future__ import annotations

import pytest

from tests.integration.conftest import Small


def test_sql_answers_from_the_release(published_once: tuple[Small, str]) -> None:
    small, _ = published_once
    answer = small.zhongtai("sql", "select count(*) as buyers from marts.mart_user_rfm")
    assert answer.returncode == 0 and "buyers" in answer.stdout
    assert str(small.query("select count(*) from marts.mart_user_rfm")[0][0]) in answer.stdout


@pytest.mark.parametrize(
    "query", ["drop view marts.mart_user_rfm", "select 1; select 2", "copy (select 1) to '/tmp/x'"]
)
def test_sql_only_reads(published_once: tuple[Small, str], query: str) -> None:
    answer = published_once[0].zhongtai("sql", query)
    assert answer.returncode == 2 and "Give one query that reads" in answer.stderr


def test_wrong_query_is_one_clear_message(published_once: tuple[Small, str]) -> None:
    answer = published_once[0].zhongtai("sql", "select nothing from marts.mart_user_rfm")
    assert answer.returncode == 1
    assert "nothing" in answer.stderr and "Traceback" not in answer.stderr


def test_status_shows_silos_and_counts(published_once: tuple[Small, str]) -> None:
    small, _ = published_once
    status = small.zhongtai("status")
    assert status.returncode == 0
    assert "complete_journey" in status.stdout and "connected" in status.stdout
    assert f"{small.manifest['sources']['complete_journey.transactions']['rows_read']:,}" in status.stdout
    assert small.manifest["release_id"] in status.stdout


def test_releases_are_listed_and_shown(published_once: tuple[Small, str]) -> None:
    small, _ = published_once
    assert small.manifest["release_id"] in small.zhongtai("releases").stdout
    assert "unified.fct_orders" in small.zhongtai("releases", "show").stdout
    unknown = small.zhongtai("releases", "show", "1999")
    assert unknown.returncode == 2 and small.manifest["release_id"] in unknown.stderr


def test_wrong_use_says_what_to_do(published_once: tuple[Small, str]) -> None:
    small, _ = published_once
    unknown = small.zhongtai("run", "--merchant", "nobody")
    assert unknown.returncode == 2 and "small" in unknown.stderr
    moment = small.zhongtai("run", "--as-of", "yesterday")
    assert moment.returncode == 2 and "2017-06-30" in moment.stderr
    assert small.zhongtai("quarantine", "show", "transactions").returncode == 2
    assert small.zhongtai("nonsense").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rebuild", "2017-06-07..2017-06-01"], "'2017-06-07..2017-06-01' is no range of dates: give FROM..TO"),
        (["--rebuild", "last week"], "'last week' is no range of dates: give FROM..TO"),
        (["--rebuild", "2017-06-01..2017-06-07", "--full-refresh"], "give one of the two"),
    ],
)
def test_what_cannot_be_built_again_is_one_clear_line(
    published_once: tuple[Small, str], arguments: list[str], message: str
) -> None:
    small, _ = published_once
    before = sorted(small.releases.iterdir())
    answer = small.zhongtai("run", "--merchant", "small", *arguments)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert message in answer.stderr and len(answer.stderr.splitlines()) == 1
    assert sorted(small.releases.iterdir()) == before


def test_policies_are_shown_with_what_holds(published_once: tuple[Small, str]) -> None:
    small, _ = published_once
    shown = small.zhongtai("policies", "--merchant", "small")
    assert shown.returncode == 0, shown.stderr
    assert small.manifest["release_id"] in shown.stdout and "Not in release" not in shown.stdout
    rows = {line.split("│")[1].strip(): [cell.strip() for cell in line.split("│")[2:6]] for line in _rows(shown.stdout)}
    assert rows["new_buyer_days"] == ["90", "days", "always", "default"]
    assert rows["selection_weights"] == ["0.3, 0.25, 0.2, 0.25", "weight", "always", "default"]
    assert rows["rfm_recency_days_cuts"][0] == "none"
    default = {"unit": "days", "since": "1970-01-01", "source": "default"}
    assert small.manifest["policies"]["new_buyer_days"] == default | {"value": 90}
    assert small.manifest["policies"]["retention_repurchase_days"] == default | {"value": [30, 60, 90, 180]}
    said = small.query("select distinct policy from unified.dim_policies")
    assert set(rows) == {name for (name,) in said} == set(small.manifest["policies"])


def test_policies_of_a_merchant_and_of_another_day(small: Small) -> None:
    """The small merchant's data end with 2017."""
    file = small.folder / "merchants" / "small.yml"
    text = file.read_text(encoding="utf-8")
    dated = "{value: 60, effective_from: 2017-07-01}, {value: 45, effective_from: 2018-02-01}"
    file.write_text(f"{text}policies: {{new_buyer_days: [{dated}]}}\n", encoding="utf-8")
    shown = small.zhongtai("policies", "--merchant", "small").stdout
    row = next(line for line in _rows(shown) if " new_buyer_days " in line)
    assert [cell.strip() for cell in row.split("│")[2:6]] == ["60", "days", "2017-07-01", "merchant"]
    assert "new_buyer_days becomes 45 days on 2018-02-01." in shown
    assert f"Not in release {small.manifest['release_id']} yet: new_buyer_days. Next: zhongtai run" in shown
    before = small.zhongtai("policies", "--merchant", "small", "--on", "2017-06-30").stdout
    row = next(line for line in _rows(before) if " new_buyer_days " in line)
    assert [cell.strip() for cell in row.split("│")[2:6]] == ["90", "days", "always", "default"]


def test_a_wrong_policy_stops_every_command_that_needs_it(small: Small) -> None:
    file = small.folder / "merchants" / "small.yml"
    text = file.read_text(encoding="utf-8")
    released = small.manifest["release_id"]
    for wrong, message in (
        ("{selection_weights: [0.4, 0.4, 0.4, 0.4]}", "selection_weights: [0.4, 0.4, 0.4, 0.4] sums to 1.6, not to 1"),
        ("{new_buyer_days: -5}", "new_buyer_days: -5 is below 1 days"),
    ):
        file.write_text(f"{text}policies: {wrong}\n", encoding="utf-8")
        for command in (["policies"], ["run"]):
            answer = small.zhongtai(*command, "--merchant", "small")
            assert answer.returncode == 2, answer.stdout
            assert f"{file}: {message}" in answer.stderr and "Traceback" not in answer.stderr
    assert small.manifest["release_id"] == released


def _rows(printed: str) -> list[str]:
    """The first lines of the rows of a table: a cell that does not fit goes on below, under an empty first one."""
    return [line for line in printed.splitlines() if line.startswith("│") and line.split("│")[1].strip()]
