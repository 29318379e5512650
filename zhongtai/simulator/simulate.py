"""Makes a merchant's folder: every silo's files, and apart from them the truth."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

from pydantic import BaseModel

from zhongtai.errors import UsageError
from zhongtai.progress import timed
from zhongtai.simulator import (
    activities,
    behaviour,
    crm,
    erp,
    live,
    logistics,
    market,
    marketing,
    marketplace,
    selling,
    storefront,
    stores,
    truth,
    weather,
)
from zhongtai.simulator.defects import Defects
from zhongtai.simulator.files import Silos
from zhongtai.simulator.scales import scale_of
from zhongtai.simulator.world import World, build_world

_SILOS, _TRUTH, _SUMMARY, _UNFINISHED = "silos", "truth", "simulation.json", ".simulating"


class Summary(BaseModel):
    """What a simulation wrote; kept as `simulation.json`.

    Attributes:
        rows: for each table (silo.table) the rows, without what was planted.
        files: for each table the files; a workbook counts for each of its sheets.
    """

    scale: str
    seed: int
    first_date: date
    last_date: date
    rows: dict[str, int]
    files: dict[str, int]


def simulated(home: Path) -> Summary | None:
    """What the folder was simulated with, None if it was not or not to the end."""
    marker = home / _SUMMARY
    return Summary.model_validate_json(marker.read_text(encoding="utf-8")) if marker.is_file() else None


def simulate(home: Path, scale: str, seed: int) -> Summary:
    """Simulates a merchant; the same scale and seed give the same files.

    Args:
        home: the merchant's folder; empty, missing, or simulated before.
        scale: xs, s, m or l.

    Raises:
        UsageError: there is no such scale, or the folder holds something else.
    """
    size = scale_of(scale)
    _check_folder(home)
    unfinished = home / _UNFINISHED
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    with timed("simulate", "people and range"):
        world = build_world(size, seed)
    defects = Defects(world)
    silos = Silos(unfinished / _SILOS, world, defects)
    try:
        _write(world, silos, defects, unfinished / _TRUTH)
    finally:
        silos.close()
    summary = Summary(
        scale=scale,
        seed=seed,
        first_date=size.first_date,
        last_date=size.last_date,
        rows={f"{silo}.{table}": count for (silo, table), count in sorted(silos.rows.items())},
        files={f"{silo}.{table}": count for (silo, table), count in sorted(silos.files.items())},
    )
    _put_in_place(home, unfinished, summary)
    return summary


def _check_folder(home: Path) -> None:
    """Nothing may be overwritten but an earlier simulation.

    Raises:
        UsageError: the folder holds something else.
    """
    if not home.exists():
        return
    if not home.is_dir():
        raise UsageError(f"{home} is not a folder.")
    found = sorted(entry.name for entry in home.iterdir())
    strange = [name for name in found if name not in (_SILOS, _TRUTH, _SUMMARY, _UNFINISHED)]
    made_here = (home / _SUMMARY).is_file() or not {_SILOS, _TRUTH} & set(found)
    if strange or not made_here:
        names = ", ".join((strange or found)[:5])
        raise UsageError(f"{home} holds more than a simulation ({names}). Choose an empty folder, or clear this one.")


def _write(world: World, silos: Silos, defects: Defects, folder: Path) -> None:
    """Lets the merchant live, and writes every silo and the truth."""
    with timed("simulate", "orders") as progress:
        sold, fulfilment = selling.sell(world)
        shipping = logistics.ship(world, sold.orders)
        selling.add_delivery(world, sold, shipping)
        followed = activities.add_activities(world, sold)
        progress.rows = len(sold.orders)
    with timed("simulate", "events") as progress:
        seen = behaviour.behave(world, sold, silos)
        progress.rows = seen.events
    steps: dict[str, Callable[[], None]] = {
        "storefront": lambda: storefront.write(world, silos, sold, followed),
        "marketplace": lambda: marketplace.write(world, silos, sold, followed),
        "live": lambda: live.write(world, silos, sold),
        "stores": lambda: stores.write(world, silos, sold, followed),
        "weather": lambda: weather.write(world, silos),
        "erp": lambda: erp.write(world, silos, fulfilment),
        "logistics": lambda: logistics.write(world, silos, sold.orders, shipping),
        "market": lambda: market.write(world, silos),
        "marketing": lambda: marketing.write(world, silos, sold.orders, seen.clicks),
        "crm": lambda: crm.write(world, silos, sold),
    }
    for name, step in steps.items():
        before = sum(silos.rows.values())
        with timed("simulate", name) as progress:
            step()
            progress.rows = sum(silos.rows.values()) - before
    truth.write(world, folder, sold, seen, defects)


def _put_in_place(home: Path, unfinished: Path, summary: Summary) -> None:
    """Replaces an earlier simulation; the summary comes last and says that all is there."""
    (home / _SUMMARY).unlink(missing_ok=True)
    for name in (_SILOS, _TRUTH):
        shutil.rmtree(home / name, ignore_errors=True)
        (unfinished / name).rename(home / name)
    unfinished.rmdir()
    (home / _SUMMARY).write_text(summary.model_dump_json(indent=2) + "\n", encoding="utf-8")
