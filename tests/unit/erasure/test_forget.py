"""A person is gone from landing and raw, others stay as they were, and every row is accounted for."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.unit.erasure.conftest import ANN, BOB, TABLES, USERS, forget, landed, planned
from tests.unit.ingest.conftest import Shop
from zhongtai.erasure import erase, erasures, search
from zhongtai.errors import UsageError
from zhongtai.ingest import journal, ledger

ANN_ID = ("shop", "user-000001")


def test_a_person_is_gone_from_every_form_and_all_else_stays(people: Shop) -> None:
    done = forget(people, ANN_ID)
    assert done.rows == 1 + 1 + 1 + 1 + 3
    assert landed(people, "users") == [(USERS + BOB.replace("user-000001", "")).encode()]
    assert landed(people, "contacts") == [b'{"contact_id": "contact-02", "phone": "13700000000"}\n']
    kept = '{"code": 0, "data": {"list": [{"order_id":"o2","user_id":"user-000002","amount":2.50}], "next": null}}\n'
    assert landed(people, "orders") == [kept.encode()]
    assert [row[0] for row in people.raw("order_lines", "line_id")] == ["l2"]
    assert [row[0] for row in people.raw("events", "event_id")] == ["e4", "e5"], "e5 is of a device that Bob uses, too"
    assert people.raw("users", "user_id, invited_by") == [("user-000002", None)]


def test_every_row_is_accounted_for_also_after_loading_again(people: Shop) -> None:
    before = {load.position: load.rows_read for load in ledger.read(people.merchant)}
    forget(people, ANN_ID)
    for _ in range(2):
        after = ledger.read(people.merchant)
        assert {load.position: load.rows_read for load in after} == before
        assert [load.rows_erased for load in after] == [1, 1, 1, 1, 3]
        assert all(load.adds_up and load.status == "loaded" for load in after)
        people.run()


def test_a_dry_run_changes_nothing(people: Shop) -> None:
    files = {file: file.read_bytes() for file in people.merchant.home.rglob("*") if file.is_file()}
    shown = planned(people, ANN_ID)
    assert shown.identities == {"email": 1, "phone": 1, "shop.contact_id": 1, "shop.user_id": 1}
    assert shown.tables[("shop", "users")].blanked == 1
    assert {file: file.read_bytes() for file in people.merchant.home.rglob("*") if file.is_file()} == files


def test_the_record_of_it_names_nobody(people: Shop) -> None:
    forget(people, ANN_ID)
    text = (people.merchant.landing / "erasures.jsonl").read_text(encoding="utf-8")
    for value in ("user-000001", "1234", "ann", "Ann", "contact-01", "device"):
        assert value not in text
    told = erasures.read(people.merchant)
    assert [one.rows_erased for one in told] == [1, 1, 1, 1, 3]
    assert all(one.old_sha256 != one.new_sha256 for one in told)
    for file in (people.merchant.landing / "shop").glob("*/*"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o400
    assert not (people.merchant.home / "erasing").exists()


def test_nothing_of_the_person_is_found_afterwards_and_before_it_is(people: Shop) -> None:
    shown = planned(people, ANN_ID)
    before = search.search(people.merchant, search.Needles(shown.needles), {})
    assert {place.name for place in before if place.found} == {"landing", "raw"}
    done = forget(people, ANN_ID)
    after = search.search(people.merchant, search.Needles(done.needles), {})
    assert sum(len(place.found) for place in after) == 0
    assert [source.name for source in done.sources] == [
        "contacts_1.jsonl.gz",
        "events_1.jsonl",
        "order_lines_1.parquet",
        "orders_1.json",
        "users_1.csv",
    ]


def test_erased_content_does_not_land_again(people: Shop) -> None:
    forget(people, ANN_ID)
    assert people.run() == []
    people.put("users_copy.csv", USERS + ANN + BOB)
    assert people.run() == []


def test_by_phone_and_whoever_is_not_there(people: Shop) -> None:
    with pytest.raises(UsageError, match=r"No landed record has shop:user-9"):
        forget(people, ("shop", "user-9"))
    with pytest.raises(UsageError, match=r"No landed record has the phone given") as error:
        forget(people, phones=("13811111111",))
    assert "13811111111" not in str(error.value)
    assert forget(people, phones=("138-1234-5678",)).identities["shop.user_id"] == 1


def test_a_counter_s_phone_leads_to_nobody(people: Shop) -> None:
    counter = "13811110000"
    rows = "".join(f"user-10{number:04d},{counter},,,\n" for number in range(9))
    people.put("users_2.csv", USERS + rows + f"user-200000,{counter},,,\n")
    people.run()
    done = forget(people, ("shop", "user-200000"))
    assert done.identities == {"shop.user_id": 1}
    assert done.rows == 1
    with pytest.raises(UsageError, match="shared by more than 8 identities"):
        forget(people, phones=(counter,))


def test_how_many_share_a_counter_s_phone_is_a_policy(people: Shop) -> None:
    shared = "13811110000"
    people.put("users_2.csv", USERS + "".join(f"user-20000{number},{shared},,,\n" for number in range(3)))
    people.run()
    with pytest.raises(UsageError, match="shared by more than 2 identities"):
        forget(people, phones=(shared,), holders_limit=2)


def test_rejected_rows_and_unreadable_files_are_erased_too(people: Shop) -> None:
    people.put("users_2.csv", USERS + 'user-000001,138 1234 5678,"broken\nuser-000003,13700000003,,Cy,\n')
    people.put("users_3.csv", "id;phone\nuser-000001;13812345678\n")
    people.put("users_4.csv", "id;phone\nuser-000004;13812340000\n")
    people.run()
    assert len(people.rejected("users")) == 1
    done = forget(people, ANN_ID)
    assert done.tables[("shop", "users")].whole_files == 1
    texts = landed(people, "users")
    assert texts[1] == (USERS + "user-000003,13700000003,,Cy,\n").encode()
    assert texts[2] == b""
    assert b"user-000004" in texts[3]
    assert people.rejected("users") == []
    assert all(load.adds_up for load in ledger.read(people.merchant))


def test_raw_is_that_of_a_company_that_never_had_the_person(people: Shop) -> None:
    forget(people, ANN_ID)
    raw = sorted(people.merchant.raw.glob("shop/users/*.parquet"))
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select user_id, phone from read_parquet($1)", [[str(file) for file in raw]]
        ).fetchall()
    assert [row[0] for row in rows] == ["user-000002"]


def test_an_erasure_that_was_killed_is_finished_by_the_next(people: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    placed: list[Path] = []

    def killed(temporary: Path, final: Path) -> None:
        placed.append(final)
        if len(placed) == 3:
            raise KeyboardInterrupt
        put_in_place(temporary, final)

    put_in_place = journal.put_in_place
    with monkeypatch.context() as patched:
        patched.setattr(erase.journal, "put_in_place", killed)
        with pytest.raises(KeyboardInterrupt):
            forget(people, ANN_ID)
    assert not (people.merchant.home / "erasing").exists()
    done = forget(people, ANN_ID)
    assert done.rows == 1 + 1 + 3, "two files were written before"
    after = ledger.read(people.merchant)
    assert [load.rows_erased for load in after] == [1, 1, 1, 1, 3]
    assert all(load.adds_up for load in after)


@pytest.mark.parametrize("is_loaded", [False, True])
def test_what_was_killed_after_landing_was_written_is_finished_too(
    people: Shop, monkeypatch: pytest.MonkeyPatch, is_loaded: bool
) -> None:
    """Landing tells nothing of the person any more, raw does, or releases do: the same command goes on from there."""

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    if is_loaded:
        forget(people, ANN_ID, is_finished=False)  # killed in the run that follows
    else:
        with monkeypatch.context() as patched:
            patched.setattr(erase, "_load_again", killed)
            with pytest.raises(KeyboardInterrupt):
                forget(people, ANN_ID)
        assert ("user-000001",) in people.raw("users", "user_id")
    assert not planned(people, ANN_ID).tables
    done = forget(people, ANN_ID)
    assert (done.rows, "user-000001" in done.needles) == (0, True)
    assert ("user-000001",) not in people.raw("users", "user_id")
    assert all(load.adds_up for load in ledger.read(people.merchant))
    with pytest.raises(UsageError, match="No landed record"):
        forget(people, ANN_ID)


def test_erased_content_never_lands_again_and_stays_counted(people: Shop) -> None:
    people.put("users_2.csv", USERS + "user-000003,,,Cy,\n")
    people.run()
    forget(people, ANN_ID)
    people.put("users_copy.csv", USERS + ANN + BOB)
    people.put("users_1.csv", USERS + ANN + BOB)
    assert people.run() == []
    users = {**TABLES["users"], "columns": {**TABLES["users"]["columns"], "name": {"data_type": "string"}}}
    people.declare(**{**TABLES, "users": users})
    loaded = people.run()
    assert [(load.rows_read, load.rows_erased, load.adds_up) for load in loaded] == [(2, 1, True), (1, 0, True)]
