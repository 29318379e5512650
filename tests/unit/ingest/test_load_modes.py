"""What a key that comes again means: append, upsert, tombstone, snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from zhongtai.ingest import keys, ledger, loader

if TYPE_CHECKING:
    from tests.unit.ingest.conftest import Shop


def _items(load_mode: str, version: str | None = None) -> dict[str, Any]:
    columns = {
        "id": {"data_type": "bigint"},
        "name": {"data_type": "string"},
        "version": {"data_type": "bigint"},
    }
    table: dict[str, Any] = {"file": "items*.csv", "load_mode": load_mode, "key": ["id"], "columns": columns}
    return {**table, "version": version} if version else table


HEADER = "id,name,version\n"


def test_append_equal_is_duplicate_and_other_is_conflict(shop: Shop) -> None:
    shop.declare(items=_items("append"))
    shop.put("items_1.csv", HEADER + "1,a,1\n2,b,1\n1,a,1\n2,B,1\n3,,1\n3,,1\n")
    shop.put("items_2.csv", HEADER + "4,d,1\n1,a,1\n2,x,1\n4,d,1\n")
    shop.run()

    assert shop.counts() == [(6, 3, 1, 2, 0), (4, 1, 1, 2, 0)]
    assert shop.raw("items", "id, name, _file_position, _row_number") == [
        (1, "a", 1, 1),
        (2, "b", 1, 2),
        (3, None, 1, 5),
        (4, "d", 2, 1),
    ]
    assert [row["message"] for row in shop.rejected("items")] == [
        "other values under the same key (id) than items_1.csv row 2",
        "other values under the same key (id) than items_1.csv row 2",
    ]


def test_keys_that_memory_does_not_hold_are_found_twice_as_well(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_SORT_BYTES", 24 << 20)
    shop.declare(items=_items("append"))
    numbers = [*range(1_500_000), 7, 1_400_000]
    shop.put("items_1.csv", HEADER + "".join(f"{number},,1\n" for number in numbers) + "8,other,1\n")
    shop.run()
    assert shop.counts() == [(1_500_003, 1_500_000, 1, 2, 0)]


def test_a_rejected_row_does_not_take_its_key(shop: Shop) -> None:
    shop.declare(items=_items("append"))
    shop.put("items_1.csv", HEADER + "1,a,bad\n1,a,1\n")
    shop.run()
    assert shop.counts() == [(2, 1, 1, 0, 0)]


def test_snapshot_keeps_every_file_whole(shop: Shop) -> None:
    shop.declare(items=_items("snapshot"))
    shop.put("items_1.csv", HEADER + "1,a,1\n2,b,1\n2,b,1\n")
    shop.put("items_2.csv", HEADER + "1,a,1\n2,c,1\n2,d,1\n")
    shop.run()
    assert shop.counts() == [(3, 2, 0, 1, 0), (3, 2, 1, 0, 0)]


@pytest.mark.parametrize("load_mode", ["upsert", "tombstone"])
def test_the_greatest_version_holds_whenever_it_lands(shop: Shop, load_mode: str) -> None:
    shop.declare(items=_items(load_mode, "version"))
    shop.put("items_1.csv", HEADER + "1,a,1\n2,b,5\n3,c,1\n")
    shop.put("items_2.csv", HEADER + "1,a2,2\n2,b-old,4\n3,c,1\n")
    shop.put("items_3.csv", HEADER + "1,a3,3\n1,a4,4\n2,b,5\n")
    shop.run()

    # 1: versions 1 and 2 lose to 4, and 3 loses within its own file; 2: the late version 4 never held.
    assert shop.counts() == [(3, 2, 0, 0, 1), (3, 0, 0, 1, 2), (3, 1, 0, 1, 1)]
    assert all(load.adds_up for load in ledger.read(shop.merchant))
    assert len(shop.raw("items")) == 7  # history is kept


def test_without_a_version_the_landing_order_is_one(shop: Shop) -> None:
    shop.declare(items=_items("upsert"))
    shop.put("items_1.csv", HEADER + "1,a,1\n2,b,1\n")
    shop.put("items_2.csv", HEADER + "1,changed,1\n2,b,1\n")
    shop.put("items_3.csv", HEADER + "1,a,1\n")  # back to the first state: news, not a duplicate
    shop.run()

    assert shop.counts() == [(2, 1, 0, 0, 1), (2, 0, 0, 1, 1), (1, 1, 0, 0, 0)]


def test_files_loaded_one_by_one_or_together_give_the_same(shop: Shop, make_shop: Any) -> None:
    together = make_shop()
    for one in (shop, together):
        one.declare(items=_items("upsert", "version"))
    for number in range(4):
        rows = "".join(f"{key},n{number},{(key * number) % 5}\n" for key in range(6))
        for one in (shop, together):
            one.put(f"items_{number}.csv", HEADER + rows)
        shop.run()
    together.run()
    assert shop.counts() == together.counts()
    assert shop.raw("items") == together.raw("items")


@pytest.mark.parametrize("load_mode", ["append", "upsert"])
@pytest.mark.parametrize("position", [1, 2, 3])
def test_a_kill_before_the_ledger_changes_nothing(shop: Shop, load_mode: str, position: int) -> None:
    shop.declare(items=_items(load_mode))
    shop.put("items_1.csv", HEADER + "1,a,1\n2,b,1\n")
    shop.put("items_2.csv", HEADER + "1,z,1\n3,c,1\n")
    shop.put("items_3.csv", HEADER + "3,c,1\n2,y,1\nbad,,\n")
    shop.run()
    before = (shop.counts(), shop.raw("items"), shop.rejected("items"))

    file = shop.merchant.raw / "ledger.jsonl"
    kept = [line for line in file.read_text().splitlines(keepends=True) if f'"position": {position},' not in line]
    file.write_text("".join(kept))
    shop.run()

    assert (shop.counts(), shop.raw("items"), shop.rejected("items")) == before
    assert shop.run() == []


def test_a_kill_inside_the_ledgers_write_changes_nothing(shop: Shop) -> None:
    shop.declare(items=_items("upsert"))
    shop.put("items_1.csv", HEADER + "1,a,1\n")
    shop.run()
    shop.put("items_2.csv", HEADER + "1,b,1\n")
    shop.run()
    before = shop.counts()
    file = shop.merchant.raw / "ledger.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))  # the superseded count arrived alone

    assert shop.counts() == [(1, 1, 0, 0, 0)]
    shop.run()
    assert shop.counts() == before == [(1, 0, 0, 0, 1), (1, 1, 0, 0, 0)]


def test_a_changed_contract_loads_every_file_again(shop: Shop) -> None:
    shop.declare(items=_items("append"), others={**_items("append"), "file": "others.csv"})
    shop.put("items_1.csv", HEADER + "1,a,1\n")
    shop.put("items_2.csv", HEADER + "2,b,x\n")
    shop.put("others.csv", HEADER + "2,b,1\n")
    shop.run()
    assert shop.counts() == [(1, 1, 0, 0, 0), (1, 0, 1, 0, 0), (1, 1, 0, 0, 0)]

    changed = _items("append")
    changed["columns"] = {**changed["columns"], "version": {"data_type": "string"}}
    shop.declare(items=changed, others={**_items("append"), "file": "others.csv"})
    reloaded = shop.run()

    assert [load.position for load in reloaded] == [1, 2]
    assert shop.raw("items", "id, version") == [(1, "1"), (2, "x")]
    assert shop.rejected("items") == []
    assert loader.load_pending(shop.merchant, shop.contracts) == []


def test_only_the_tables_asked_for_are_loaded(shop: Shop) -> None:
    shop.declare(items=_items("append"), others={**_items("append"), "file": "others.csv"})
    shop.put("items_1.csv", HEADER + "1,a,1\n")
    shop.put("others.csv", HEADER + "2,b,1\n")
    shop.land()
    loads = loader.load_pending(shop.merchant, shop.contracts, only={("shop", "others")})
    assert [load.table for load in loads] == ["others"]
