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
