"""What a release says about itself: `manifest.json`."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from zhongtai.dictionary.facts import TableFacts
from zhongtai.dictionary.freshness import SourceMoments
from zhongtai.policies import PolicyInForce
from zhongtai.quality.results import CheckResult


class TableSpec(BaseModel):
    """How a table is published.

    Attributes:
        partition_column: a date column; the table is a file a month of it, so that an unchanged month is not written
            again.
    """

    description: str = ""
    columns: dict[str, str] = {}
    partition_column: str | None = None


class SourceCounts(BaseModel):
    """What became of the rows of a raw table's files; the five last add up to the rows read.

    Attributes:
        files_rejected: quarantined as a whole, and not corrected since; releases before 2026-12 do not tell.
    """

    files: int
    files_rejected: int = 0
    rows_read: int
    rows_loaded: int
    rows_quarantined: int
    rows_duplicate: int
    rows_superseded: int
    rows_erased: int


class ReleaseSpec(BaseModel):
    """What a run knows when it publishes. Tables and sources are named `schema.table` and `silo.table`.

    Attributes:
        facts, source_moments: what the dbt project says of each table, and when each source was last heard of, for the
            dictionary.
    """

    run_id: str
    as_of: datetime
    known_at: int
    git_sha: str | None
    fingerprint: str
    policies: dict[str, PolicyInForce] = {}
    silos: dict[str, str] = {}
    tables: dict[str, TableSpec] = {}
    sources: dict[str, SourceCounts] = {}
    checks: list[CheckResult] = []
    facts: dict[str, TableFacts] = {}
    source_moments: dict[str, SourceMoments] = {}


class ColumnEntry(BaseModel):
    """A column as published."""

    name: str
    type: str
    description: str = ""


class FileEntry(BaseModel):
    """A Parquet file of a table and the hash of its rows."""

    name: str
    rows: int
    content_hash: str


class TableEntry(BaseModel):
    """A table as published.

    Attributes:
        content_hash: of the rows as a set, whatever their order and whichever release.
    """

    rows: int
    content_hash: str
    description: str = ""
    columns: list[ColumnEntry]
    files: list[FileEntry]


class CheckCounts(BaseModel):
    """How many checks passed; a critical one that failed would have stopped the release."""

    passed: int
    warned: int
    failed: int


class Engine(BaseModel):
    """What computed the release; content hashes are comparable within one version."""

    name: str
    version: str


class Manifest(BaseModel):
    """The whole of `manifest.json`."""

    release_id: str
    merchant: str
    title: str
    as_of: datetime
    known_at: int
    created_at: datetime
    git_sha: str | None
    run_id: str
    engine: Engine
    fingerprint: str
    policies: dict[str, PolicyInForce]
    silos: dict[str, str]
    tables: dict[str, TableEntry]
    checks: CheckCounts
    sources: dict[str, SourceCounts]
