"""The releases that are there: rollback, prune, relocate, list."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from zhongtai.errors import UsageError
from zhongtai.release import get, list_releases, prune, query, relocate, rollback, store

if TYPE_CHECKING:
    from tests.unit.release.conftest import House

DAY = timedelta(days=1)


def _three(house: House) -> list[str]:
    house.build()
    return [house.publish().release_id for _ in range(3)]


def test_nothing_yet(house: House) -> None:
    assert store.current(house.merchant) is None and list_releases(house.merchant) == []
    for action in (get, rollback):
        with pytest.raises(UsageError, match="'small' has no release yet"):
            action(house.merchant)
    assert prune(house.merchant).removed == []


def test_rollback_goes_one_back_each_time(house: House) -> None:
    first, second, third = _three(house)
    assert house.current() == third
    assert rollback(house.merchant).release_id == second == house.current()
    assert rollback(house.merchant).release_id == first == house.current()
    with pytest.raises(UsageError, match=f"no release before {first}"):
        rollback(house.merchant)
    assert rollback(house.merchant, third).release_id == third == house.current()
    assert house.ids() == [third, second, first]


def test_rollback_by_prefix(house: House) -> None:
    first, second, third = _three(house)
    shared = first[:8]
    with pytest.raises(
        UsageError, match=f"Several releases begin with '{shared}'. There is: {third}, {second}, {first}"
    ):
        rollback(house.merchant, shared)
    assert house.current() == third
    (house.releases / third / "manifest.json").rename(house.releases / "aside")
    (house.releases / second / "manifest.json").unlink()
    assert rollback(house.merchant, shared).release_id == first


def test_an_unknown_release_is_refused_with_what_there_is(house: House) -> None:
    _, _, third = _three(house)
    with pytest.raises(UsageError, match=f"No release begins with '1999'. There is: {third}, "):
        rollback(house.merchant, "1999")
    with pytest.raises(UsageError, match="No release begins"):
        query(house.merchant, "select 1", "1999")
    assert house.current() == third


def test_rollback_from_a_broken_release(house: House) -> None:
    _, second, third = _three(house)
    (house.releases / third / "manifest.json").write_text("{")
    with pytest.raises(UsageError, match=f"{third} is broken"):
        get(house.merchant)
    assert rollback(house.merchant, second).release_id == second == house.current()


def test_a_broken_manifest_is_logged_and_left_out(house: House, caplog: pytest.LogCaptureFixture) -> None:
    first, second, third = _three(house)
    (house.releases / second / "manifest.json").write_bytes(b"\xff{")
    (house.releases / first / "manifest.json").write_text("{}")
    with caplog.at_level(logging.WARNING):
        assert house.ids() == [third]
    assert sum("not readable as a manifest" in message for message in caplog.messages) == 2
    assert house.publish().release_id == house.current()
    assert {first, second} <= house.folders(), "what cannot be read is for people to look at"
    assert prune(house.merchant, keep=1, grace=timedelta(0), now=datetime.now(UTC) + 9 * DAY).removed == [third]


def test_prune_keeps_the_newest_and_what_was_current_a_moment_ago(house: House) -> None:
    ids = [*_three(house), *_three(house)]
    now = datetime.now(UTC)
    outcome = prune(house.merchant, keep=2, grace=DAY, now=now)
    assert outcome.removed == [] and list(outcome.kept) == ids[::-1]
    outcome = prune(house.merchant, keep=2, grace=DAY, now=now + 2 * DAY)
    assert outcome.removed == ids[3::-1] and house.ids() == [ids[5], ids[4]] and house.folders() == set(ids[4:])
    assert outcome.kept == {ids[5]: "current", ids[4]: "among the 2 newest"}
    assert house.read("select count(*) from unified.fct_orders") == [(4,)], "linked files outlive the release"


def test_prune_never_removes_the_current_release(house: House) -> None:
    first, second, third = _three(house)
    rollback(house.merchant, first)
    assert prune(house.merchant, keep=1, grace=timedelta(0), now=datetime.now(UTC) + 9 * DAY).removed == [second]
    assert set(house.ids()) == {first, third} and house.current() == first
    assert house.read("select count(*) from unified.fct_orders") == [(4,)]


def test_prune_knows_when_a_release_was_current_last(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = _clock(monkeypatch)
    first, second, third = _three(house)
    clock.advance(10 * DAY)
    rollback(house.merchant, first)
    clock.advance(10 * DAY)
    rollback(house.merchant, third)
    used = prune(house.merchant, keep=1, grace=DAY, now=clock.now() + timedelta(hours=1))
    assert used.removed == [second] and used.kept[first] == "was current until a moment ago"
    assert prune(house.merchant, keep=1, grace=DAY, now=clock.now() + timedelta(hours=25)).removed == [first]


def test_a_crash_before_the_link_moves_does_not_cut_the_grace_short(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = _clock(monkeypatch)
    first, second, third = _three(house)

    class Crash(BaseException):
        pass

    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch, pytest.raises(Crash):
        patch.setattr(store.os, "replace", crash)
        rollback(house.merchant, first)
    assert house.current() == third
    clock.advance(10 * DAY)
    rollback(house.merchant, second)  # third was current until here
    fourth = house.publish().release_id
    outcome = prune(house.merchant, keep=1, grace=DAY, now=clock.now() + timedelta(hours=1))
    assert set(outcome.kept) == {fourth, third, second} and outcome.removed == [first]


def test_a_torn_last_line_of_the_log_does_no_harm(house: House) -> None:
    first, _, third = _three(house)
    log = house.releases / "log.jsonl"
    whole = log.read_bytes()
    for torn in (whole[:-25], whole[:-1], whole + b'{"at": "20', whole + b"\0\0\0\n", b""):
        log.write_bytes(torn)
        assert prune(house.merchant, keep=1, grace=DAY).removed == []
        rollback(house.merchant, first)
        lines = log.read_text().splitlines()
        last = json.loads(lines[-1])
        assert (last["action"], last["release_id"], last["previous"]) == ("rollback", first, third)
        rollback(house.merchant, third)
        assert sum(_is_json(line) for line in log.read_text().splitlines()) >= torn.count(b"\n{") + 2


def test_the_log_tells_what_happened(house: House) -> None:
    first, second, third = _three(house)
    rollback(house.merchant)
    events = [json.loads(line) for line in (house.releases / "log.jsonl").read_text().splitlines()]
    assert [(event["action"], event["release_id"], event["previous"]) for event in events] == [
        ("publish", first, None),
        ("publish", second, first),
        ("publish", third, second),
        ("rollback", second, third),
    ]
    assert all(datetime.fromisoformat(event["at"]).tzinfo is not None for event in events)


def test_relocate_after_the_folder_was_moved(published: tuple[House, Any]) -> None:
    house, first = published
    house.change("delete from unified.fct_orders where order_id = 4")
    second = house.publish()
    old = house.merchant.home
    new = old.with_name("moved [here] it's")
    old.rename(new)
    house.merchant = house.merchant.model_copy(update={"home": new})
    house.releases = house.merchant.releases
    with pytest.raises(duckdb.Error):
        house.read("select count(*) from unified.fct_orders")

    left = house.releases / first.release_id / ".zhongtai.duckdb"
    left.write_bytes(b"a crash was here")
    left.with_name(f"{left.name}.wal").write_bytes(b"and here")
    relocate(house.merchant)

    count = "select count(*) from unified.fct_orders"
    assert (house.read(count), house.read(count, first), house.read(count, second)) == ([(3,)], [(4,)], [(3,)])
    assert query(house.merchant, count.replace("count(*)", "count(*) as n")).to_pylist() == [{"n": 3}]
    assert not list(house.releases.glob("*/.*"))


def _is_json(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


class _Clock(datetime):
    offset = timedelta(0)

    @classmethod
    def now(cls, tz: Any = UTC) -> Any:
        return datetime.now(tz) + cls.offset

    @classmethod
    def advance(cls, by: timedelta) -> None:
        cls.offset += by


def _clock(monkeypatch: pytest.MonkeyPatch) -> type[_Clock]:
    clock = type("Clock", (_Clock,), {})
    monkeypatch.setattr(store, "datetime", clock)
    return clock


def test_rollback_leaves_out_what_nobody_has_had(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.build()
    first = house.publish().release_id
    with monkeypatch.context() as crash, pytest.raises(RuntimeError, match="the machine stopped"):

        def stop(*_: object) -> None:
            raise RuntimeError("the machine stopped")

        crash.setattr(store, "make_current", stop)
        house.publish()
    third = house.publish().release_id
    assert house.ids() != [third, first], "the release in between is whole, only its link did not move"
    assert rollback(house.merchant).release_id == first


def test_a_release_of_before_policies_told_since_when_still_opens(house: House) -> None:
    house.build()
    release = house.publish()
    file = house.releases / release.release_id / "manifest.json"
    manifest = json.loads(file.read_text(encoding="utf-8"))
    manifest["policies"] = {"payback_days": 30, "tiers": [1, 2.5]}
    file.write_text(json.dumps(manifest), encoding="utf-8")
    found = store.current(house.merchant)
    assert found is not None
    assert {name: (policy.value, policy.since, policy.source) for name, policy in found.policies.items()} == {
        "payback_days": (30, None, None),
        "tiers": ([1, 2.5], None, None),
    }
