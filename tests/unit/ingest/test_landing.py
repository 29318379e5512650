"""Landing: once, in order, unchanged, and whole after a kill."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from zhongtai.errors import UsageError, ZhongtaiError
from zhongtai.ingest import landing

if TYPE_CHECKING:
    from tests.unit.ingest.conftest import Shop


def test_files_land_in_the_order_of_time_and_name(shop: Shop) -> None:
    late, early = shop.put("orders_a.csv", "late"), shop.put("orders_b.csv", "early")
    twin = shop.put("deep/orders_a2.csv", "twin")
    os.utime(late, (2_000, 2_000))
    os.utime(early, (1_000, 1_000))
    os.utime(twin, (1_000, 1_000))

    landed = shop.land()

    assert [(file.position, file.name) for file in landed] == [
        (1, "orders_a2.csv"),
        (2, "orders_b.csv"),
        (3, "orders_a.csv"),
    ]
    assert landing.position(shop.merchant) == 3
    assert landing.read_log(shop.merchant) == landed


def test_a_landed_file_is_a_private_read_only_copy(shop: Shop) -> None:
    source = shop.put("orders.csv", "content")
    (entry,) = shop.land()
    copy = shop.merchant.landing / entry.path

    source.write_text("changed later")

    assert entry.path == "shop/orders/00000001_orders.csv"
    assert copy.read_text() == "content"
    assert entry.sha256 == hashlib.sha256(b"content").hexdigest()
    assert entry.size_bytes == 7
    assert stat.S_IMODE(copy.stat().st_mode) & 0o222 == 0
    assert stat.S_IMODE(shop.merchant.landing.stat().st_mode) == 0o700


def test_nothing_lands_twice(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.put("orders_1.csv", "content")
    shop.land()
    shop.put("orders_2.csv", "content")  # the same content under another name
    assert shop.land() == []
    (shop.incoming / "orders_2.csv").unlink()

    def never(*_: object) -> str:
        raise AssertionError("an unchanged source was read again")

    monkeypatch.setattr(landing, "_sha256", never)
    assert shop.land() == []


def test_a_changed_file_lands_again_under_a_new_position(shop: Shop) -> None:
    shop.put("orders.csv", "first!")
    shop.land()
    shop.put("orders.csv", "second")

    (entry,) = shop.land()

    assert (entry.position, entry.name) == (2, "orders.csv")
    assert [(shop.merchant.landing / file.path).read_text() for file in landing.read_log(shop.merchant)] == [
        "first!",
        "second",
    ]


def test_a_torn_last_line_is_tolerated_and_cleaned(shop: Shop) -> None:
    shop.put("orders_1.csv", "1")
    shop.land()
    log = shop.merchant.landing / "landing.jsonl"
    log.write_bytes(log.read_bytes() + b'{"position": 2, "sil')
    assert landing.position(shop.merchant) == 1

    shop.put("orders_2.csv", "22")
    shop.land()

    assert [file.position for file in landing.read_log(shop.merchant)] == [1, 2]
    assert len(log.read_text().splitlines()) == 2


def test_a_killed_landing_is_finished_where_it_was_logged_and_forgotten_where_not(shop: Shop) -> None:
    shop.put("orders_1.csv", "1")
    shop.put("orders_2.csv", "22")
    _, second = shop.land()
    final = shop.merchant.landing / second.path
    final.rename(final.with_name(".00000002.tmp"))  # killed between the log and the last step
    final.with_name(".00000003.tmp").write_text("half a co")  # killed in the middle of a copy
    shop.put("orders_3.csv", "333")

    (entry,) = shop.land()

    assert entry.position == 3
    assert final.read_text() == "22"
    assert (shop.merchant.landing / entry.path).read_text() == "333"
    assert len([file for file in shop.merchant.landing.glob("*/*/*") if not file.is_dir()]) == 3


def test_a_lost_log_is_never_numbered_over(shop: Shop) -> None:
    shop.put("orders_1.csv", "1")
    shop.put("orders_2.csv", "22")
    shop.land()
    (shop.merchant.landing / "landing.jsonl").unlink()

    with pytest.raises(ZhongtaiError, match="lines of the log were lost"):
        shop.land()
    assert len(list(shop.merchant.landing.glob("*/*/*"))) == 2


def test_hidden_unfinished_and_unknown_files_do_not_land(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    for name in (".orders_1.csv", ".git/orders_2.csv", "orders_3.csv.tmp", "orders_4.csv.part"):
        shop.put(name, "x")
    unknown = shop.put("readme.txt", "x")

    assert shop.land() == []
    assert landing.unmatched(shop.merchant, shop.contracts) == [unknown]
    assert "readme.txt" in caplog.text


def test_a_file_of_two_contracts_is_refused_before_anything_lands(shop: Shop) -> None:
    shop.declare(orders=shop.ORDERS, order_lines={**shop.ORDERS, "file": "orders_lines*.csv"})
    shop.put("orders_1.csv", "x")
    shop.put("orders_lines.csv", "x")

    with pytest.raises(UsageError, match=r"orders_lines\.csv.*orders .*order_lines "):
        shop.land()
    assert landing.position(shop.merchant) == 0


def test_a_missing_folder_names_merchant_file_silo_and_path(shop: Shop) -> None:
    shop.incoming.rmdir()
    with pytest.raises(UsageError, match=r"small\.yml: silos\.shop: .*incoming"):
        shop.land()


def test_names_that_a_query_could_misread_are_plain_in_landing_and_whole_in_the_log(shop: Shop) -> None:
    names = ["orders[1]*.csv", "orders'\"?.csv", "orders\n茶 (2).csv", "orders\\x.csv", "orders_{a,b}.csv"]
    for number, name in enumerate(names):
        shop.put(name, f"{number}")
    landed = shop.land()
    assert [file.name for file in landed] == names
    assert [file.path.removeprefix("shop/orders/") for file in landed] == [
        "00000001_orders_1__.csv",
        "00000002_orders___.csv",
        "00000003_orders_茶 (2).csv",
        "00000004_orders_x.csv",
        "00000005_orders__a,b_.csv",
    ]
    assert all((shop.merchant.landing / file.path).is_file() for file in landed)


def test_a_file_that_goes_away_or_cannot_be_read_does_not_stop_the_others(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    gone, cut_off, closed = shop.put("orders_1.csv", "1"), shop.put("orders_2.csv", "22"), shop.put("orders_3.csv", "3")
    shop.put("orders_4.csv", "4444")
    real_stat, real_open = Path.stat, Path.open

    def stat_of(file: Path, **options: bool) -> os.stat_result:
        status = real_stat(file, **options)
        if file == gone:  # between the listing of its folder and the look at it
            file.unlink(missing_ok=True)
        return status

    def open_of(file: Path, *arguments: Any, **options: Any) -> Any:
        if file == cut_off:
            file.unlink()
        if file == closed:
            raise PermissionError(13, "Permission denied", str(file))
        return real_open(file, *arguments, **options)

    monkeypatch.setattr(Path, "stat", stat_of)
    monkeypatch.setattr(Path, "open", open_of)

    assert [file.name for file in shop.land()] == ["orders_4.csv"]
    assert "orders_3.csv' was not landed: Permission denied" in caplog.text
    assert not list(shop.merchant.landing.glob("*/*/.*.tmp"))


def test_a_folder_that_cannot_be_listed_does_not_stop_the_others(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shop.put("closed/orders_1.csv", "1")
    shop.put("orders_2.csv", "22")
    real_scandir = os.scandir

    def scandir(path: str) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return real_scandir(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert [file.name for file in shop.land()] == ["orders_2.csv"]
    assert "closed' was not landed: Permission denied" in caplog.text
