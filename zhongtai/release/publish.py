"""Builds a release in private, audits what was written, and publishes all of it at once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from zhongtai.dictionary import freshness, page
from zhongtai.errors import ZhongtaiError
from zhongtai.merchant import Merchant
from zhongtai.progress import timed
from zhongtai.quality import report
from zhongtai.quality.results import CheckResult
from zhongtai.release import catalogue, content, store
from zhongtai.release.manifest import CheckCounts, Engine, Manifest, ReleaseSpec, TableEntry, TableSpec
from zhongtai.sql import quote_identifier, read_parquet

if TYPE_CHECKING:
    import duckdb

SCHEMAS = ("unified", "marts")


def publish(merchant: Merchant, spec: ReleaseSpec) -> Manifest:
    """Publishes the warehouse's unified and marts tables as the new current release.

    A crash at any point leaves `current` as it was: a release exists once its manifest does, which is written last,
    and what a crash left behind is removed by the next call.

    Raises:
        ZhongtaiError: a blocking check did not pass, or what was written is not what the warehouse has.
    """
    refuse_blocked(spec.checks)
    _remove_unfinished(merchant)
    now = datetime.now(UTC)
    release_id = _new_id(merchant, f"{now:%Y%m%dT%H%M%SZ}-{spec.run_id[:6]}")
    folder = merchant.releases / release_id
    tables, written = _write_tables(merchant, spec, folder)
    manifest = _manifest(merchant, spec, release_id, now, tables)
    _write_checks(folder, manifest, spec.checks)
    catalogue.write(folder, manifest)
    with timed("publish", "audit of what was written"):
        audit(folder, manifest, written)
    with timed("publish", "data dictionary"):
        _write_dictionary(folder, manifest, spec, ZoneInfo(merchant.time_zone))
    _write_durably(folder / "manifest.json", manifest.model_dump_json(indent=2))
    store.make_current(merchant, release_id, "publish")
    return manifest


def refuse_blocked(checks: Sequence[CheckResult]) -> None:
    """Raises where a critical check did not pass: the steps before should not have come here."""
    blocking = [f"{check.schema_name}.{check.table}: {check.name}" for check in checks if check.blocks]
    if blocking:
        raise ZhongtaiError(f"Not published: {len(blocking)} blocking checks did not pass, the first is {blocking[0]}")


def audit(folder: Path, manifest: Manifest, written: dict[str, list[str]]) -> None:
    """Opens the release as any reader would and compares it with its manifest.

    Args:
        written: the files that were written for this release, by table; linked ones were audited when they were.

    Raises:
        ZhongtaiError: a table is missing or cannot be read, or its rows or content differ; names it and the figures.
    """
    import duckdb

    with duckdb.connect(str(folder / catalogue.DATABASE), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for name, table in manifest.tables.items():
            try:
                _audit_table(connection, name, table, catalogue.parquet_folder(folder, name), written.get(name, []))
            except duckdb.Error as error:
                reason = str(error).splitlines()[0]
                raise ZhongtaiError(f"{name}: what was written cannot be read: {reason}. Run again.") from error


def _audit_table(
    connection: duckdb.DuckDBPyConnection, name: str, table: TableEntry, place: Path, written: list[str]
) -> None:
    view = ".".join(quote_identifier(part) for part in name.split(".", 1))
    row = connection.execute(f"select count(*) from {view}").fetchone()
    rows = row[0] if row else None
    if rows != table.rows:
        raise ZhongtaiError(f"{name}: {rows} rows were published of {table.rows}. Run again.")
    for file in table.files:
        if file.name not in written:
            continue
        found = content.digest(content.hashes_of_files(connection, [place / file.name], table.columns))
        if found != file.content_hash:
            kept = {column: str(kind) for column, kind, *_ in connection.execute(f"describe {view}").fetchall()}
            for column in table.columns:
                if kept.get(column.name) != column.type:
                    raise ZhongtaiError(
                        f"{name}: Parquet keeps the column {column.name} as {kept.get(column.name)}, and it is "
                        f"{column.type}. Cast it in its model to a type that Parquet has."
                    )
            raise ZhongtaiError(f"{name}: {file.name} does not hold what the warehouse has. Run again.")


def _write_tables(
    merchant: Merchant, spec: ReleaseSpec, folder: Path
) -> tuple[dict[str, TableEntry], dict[str, list[str]]]:
    import duckdb

    previous = store.current(merchant)
    if previous is not None and previous.engine != _engine():
        previous = None  # its hashes mean something else
    tables: dict[str, TableEntry] = {}
    written: dict[str, list[str]] = {}
    with duckdb.connect(str(merchant.database), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        there = _published_tables(connection)
        missing = sorted(set(spec.tables) - {f"{schema}.{table}" for schema, table in there})
        if missing or not there:
            raise ZhongtaiError(f"Not published: the warehouse lacks {', '.join(missing) or 'every table'}. Run again.")
        for schema, table in there:
            name = f"{schema}.{table}"
            before = previous.tables.get(name) if previous else None
            before_folder = (
                catalogue.parquet_folder(merchant.releases / previous.release_id, name) if previous else None
            )
            with timed("publish", name) as progress:
                tables[name], written[name] = content.export(
                    connection,
                    schema,
                    table,
                    spec.tables.get(name, TableSpec()),
                    catalogue.parquet_folder(folder, name),
                    before,
                    before_folder,
                )
                progress.rows = tables[name].rows
                unchanged = len(tables[name].files) - len(written[name])
                if before and tables[name].rows:
                    progress.note = f"{unchanged} of {len(tables[name].files)} files unchanged"
    return tables, written


def _published_tables(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    return connection.execute(
        "select schema_name, table_name from duckdb_tables() "
        "where database_name = current_database() and list_contains(?, schema_name) order by all",
        [list(SCHEMAS)],
    ).fetchall()


def _manifest(
    merchant: Merchant, spec: ReleaseSpec, release_id: str, now: datetime, tables: dict[str, TableEntry]
) -> Manifest:
    failed = [check for check in spec.checks if check.status != "passed"]
    return Manifest(
        release_id=release_id,
        merchant=merchant.name,
        title=merchant.title,
        as_of=spec.as_of,
        known_at=spec.known_at,
        created_at=now,
        git_sha=spec.git_sha,
        run_id=spec.run_id,
        engine=_engine(),
        fingerprint=spec.fingerprint,
        policies=spec.policies,
        silos=spec.silos,
        tables=tables,
        checks=CheckCounts(passed=len(spec.checks) - len(failed), warned=len(failed), failed=0),
        sources=spec.sources,
    )


def _engine() -> Engine:
    import duckdb

    return Engine(name="duckdb", version=duckdb.__version__)


def _write_checks(folder: Path, manifest: Manifest, checks: Sequence[CheckResult]) -> None:
    place = folder / "checks"
    place.mkdir()
    lines = ",\n".join(check.model_dump_json() for check in checks)
    (place / "results.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    facts = {
        "Release": manifest.release_id,
        "As of": f"{manifest.as_of:%Y-%m-%d %H:%M} UTC",
        "Published": f"{manifest.created_at:%Y-%m-%d %H:%M} UTC",
        "Run": manifest.run_id,
        "Code": manifest.git_sha or "not a git checkout",
    }
    (place / "report.html").write_text(report.render(manifest.title, list(checks), facts), encoding="utf-8")


def _write_dictionary(folder: Path, manifest: Manifest, spec: ReleaseSpec, zone: ZoneInfo) -> None:
    """Writes what every table and column is, as JSON and as a page."""
    own = _latest_dates(folder, manifest, spec, zone)
    latest = {
        name: freshness.of_table(facts, own.get(name), spec.source_moments, zone) for name, facts in spec.facts.items()
    }
    made = page.make(manifest, spec.facts, latest, spec.checks)
    (folder / "dictionary.json").write_text(made.model_dump_json(indent=1) + "\n", encoding="utf-8")
    (folder / "dictionary.html").write_text(page.render(made), encoding="utf-8")


def _latest_dates(folder: Path, manifest: Manifest, spec: ReleaseSpec, zone: ZoneInfo) -> dict[str, date | None]:
    """The greatest business date of each table that has one: of one by months it is in the latest file."""
    import duckdb

    found: dict[str, date | None] = {}
    with duckdb.connect() as connection:
        for name, facts in spec.facts.items():
            if facts.date_column is None:
                continue
            files = [file.name for file in manifest.tables[name].files]
            if spec.tables.get(name, TableSpec()).partition_column is not None:
                months = [file for file in files if file[:4].isdigit() and "BC" not in file]
                # A year past 9999 is longer.
                files = sorted(months, key=lambda month: (len(month), month))[-1:]
            if files:
                paths = [catalogue.parquet_folder(folder, name) / file for file in files]
                column = quote_identifier(facts.date_column)
                query = f"select max({column}) from {read_parquet(paths)} where isfinite({column})"
                row = connection.execute(query).fetchone()
                latest = row[0] if row else None
                if isinstance(latest, datetime):  # UTC
                    latest = latest.replace(tzinfo=UTC).astimezone(zone).date()
                found[name] = latest
    return found


def _write_durably(file: Path, text: str) -> None:
    """Writes a file whole or not at all, also when the machine stops."""
    unfinished = file.with_name(f".{file.name}")
    with unfinished.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    os.sync()  # the Parquet files too: the manifest vouches for them
    os.replace(unfinished, file)


def _new_id(merchant: Merchant, wanted: str) -> str:
    """The id, with a number behind it where it is taken."""
    ids = chain([wanted], (f"{wanted}-{number}" for number in count(2)))
    return next(each for each in ids if not (merchant.releases / each).exists())


def _remove_unfinished(merchant: Merchant) -> None:
    """Removes the folders without a manifest, but not what readers are sent to, nor what is none of ours."""
    merchant.releases.mkdir(parents=True, exist_ok=True)
    for folder in merchant.releases.glob(store.FOLDERS):
        is_unfinished = folder.is_dir() and not (folder / "manifest.json").exists()
        if is_unfinished and folder.name != store.current_id(merchant):
            shutil.rmtree(folder)
