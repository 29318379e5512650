"""When the stored rows of a batch's files happened, and how many of them came after their business date."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from zhongtai.ingest import rejected, stored
from zhongtai.ingest.ledger import FileLoad
from zhongtai.sql import quote_identifier, read_parquet

if TYPE_CHECKING:
    from zhongtai.ingest.batch import Batch

_Moment = date | datetime  # a datetime without a zone, in UTC, where the event time is a timestamp


def latest_before(entries: Iterable[FileLoad], position: int, contract_hash: str) -> datetime | None:
    """The latest moment (UTC) that a table's files before a position tell, corrected ones too."""
    moments = (
        entry.last_event_at
        for entry in entries
        if entry.position < position and entry.contract_hash == contract_hash and entry.last_event_at
    )
    return max(moments, default=None)


def set_event_ranges(work: Batch, files: list[FileLoad]) -> None:
    """Sets `first_event_at`, `last_event_at` and `rows_late`; a date lasts from its local start to its local end."""
    if work.contract.event_time is None:
        return
    file = stored.raw_file(work.merchant, work.contract.silo, work.contract.table, files[0].batch)
    name = quote_identifier(work.contract.event_time)
    rows = (
        f"select _file_position, {name} as happened from {read_parquet([file])} "
        f"where {name} between {rejected.FIRST_DAY} and {rejected.LAST_DAY}"
    )
    query = f"select _file_position, min(happened), max(happened) from ({rows}) group by _file_position"
    ranges = {int(position): (first, last) for position, first, last in work.connection.execute(query).fetchall()}
    zone = ZoneInfo(work.merchant.time_zone)
    latest = work.latest
    begins: dict[int, _Moment] = {}
    for entry in files:
        first, last = ranges.get(entry.position, (None, None))
        if first is None:
            continue
        if latest is not None and first < (begin := _day_begin(latest, zone, first)):
            begins[entry.position] = begin
        entry.first_event_at, entry.last_event_at = _moments(first, last, zone)
        latest = max(latest, entry.last_event_at) if latest else entry.last_event_at
    late = _late(work, rows, begins)
    for entry in files:
        entry.rows_late = late.get(entry.position, 0)


def _late(work: Batch, rows: str, begins: dict[int, _Moment]) -> dict[int, int]:
    """Rows of each file before a moment."""
    if not begins:
        return {}
    values = ", ".join(f"({position}, {_literal(begin)})" for position, begin in begins.items())
    query = (
        f"select _file_position, count(*) from ({rows}) inner join (values {values}) as begins(place, begin) "
        "on _file_position = place where happened < begin group by _file_position"
    )
    return {int(position): int(number) for position, number in work.connection.execute(query).fetchall()}


def _literal(moment: _Moment) -> str:
    return f"{'timestamp' if isinstance(moment, datetime) else 'date'} '{moment.isoformat()}'"


def _day_begin(moment: datetime, zone: ZoneInfo, like: _Moment) -> _Moment:
    """The business date of a moment: as a date, or, like a timestamp, its first moment."""
    day = moment.astimezone(zone).date()
    if not isinstance(like, datetime):
        return day
    return datetime.combine(day, time(), zone).astimezone(UTC).replace(tzinfo=None)


def _moments(first: _Moment, last: _Moment, zone: ZoneInfo) -> tuple[datetime, datetime]:
    if isinstance(first, datetime) and isinstance(last, datetime):
        return first.replace(tzinfo=UTC), last.replace(tzinfo=UTC)
    start = datetime.combine(first, time(), zone).astimezone(UTC)
    end = datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC) - timedelta(microseconds=1)
    return start, end
