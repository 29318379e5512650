"""How fresh a table is: its latest date, or, where it has none of its own, what its sources last told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from zhongtai.dictionary.facts import TableFacts

if TYPE_CHECKING:
    from zhongtai.ingest.landing import LandedFile
    from zhongtai.ingest.ledger import FileLoad


class SourceMoments(BaseModel):
    """When a raw table was last heard of, UTC.

    Attributes:
        event: the latest event time of its rows, at most as_of; None where its contract names none.
        landed: when the last of its files landed that could be read.
    """

    event: datetime | None = None
    landed: datetime | None = None


class Freshness(BaseModel):
    """The latest date of a table.

    Attributes:
        kind: greatest value of a column; or of its raw tables the latest event, or, where none has event times, the
            latest landing.
        of: the column, or the raw table as `silo.table`.
    """

    day: date
    kind: Literal["column", "event", "landing"]
    of: str


def of_sources(
    loads: Iterable[FileLoad], log: Iterable[LandedFile], as_of: datetime, known_at: int
) -> dict[str, SourceMoments]:
    """The moments of every raw table of which a file was loaded, by `silo.table`.

    Args:
        log: what landed; mended rows are no arrival.
        known_at: files that landed after this position do not count.
    """
    landed = {file.position: file.landed_at for file in log if not file.mends}
    found: dict[str, SourceMoments] = {}
    for load in loads:
        if load.status != "loaded" or not load.holds(known_at):
            continue
        moments = found.setdefault(f"{load.silo}.{load.table}", SourceMoments())
        if load.last_event_at is not None:
            moments.event = _later(moments.event, min(load.last_event_at.astimezone(UTC), as_of))
        if load.position in landed:
            moments.landed = _later(moments.landed, landed[load.position])
    return found


def of_table(
    facts: TableFacts, own: date | None, sources: Mapping[str, SourceMoments], zone: ZoneInfo
) -> Freshness | None:
    """How fresh a table is; None where it has no date and stands on nothing that landed.

    Args:
        own: the greatest value of its date column, None where it has none.
        zone: the clock of business dates.
    """
    if own is not None and facts.date_column is not None:
        return Freshness(day=own, kind="column", of=facts.date_column)
    heard = [(name, sources[name]) for name in facts.sources if name in sources]
    events = [(moments.event, name) for name, moments in heard if moments.event is not None]
    landings = [(moments.landed, name) for name, moments in heard if moments.landed is not None]
    if not events and not landings:
        return None
    moment, name = max(events or landings)
    return Freshness(day=moment.astimezone(zone).date(), kind="event" if events else "landing", of=name)


def _later(known: datetime | None, moment: datetime) -> datetime:
    return moment if known is None else max(known, moment)
