"""Runs dbt inside this process, with a parsed project kept between runs."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from zhongtai.errors import ZhongtaiError
from zhongtai.merchant import Merchant
from zhongtai.progress import Progress, report
from zhongtai.settings import Settings
from zhongtai.sql import quote_identifier, scalar

if TYPE_CHECKING:
    import duckdb
    from dbt.contracts.graph.manifest import Manifest

# As dbt's indirect selection has it.
Tests = Literal["eager", "cautious", "empty"]

# What decides how the project is parsed; everything else below transform/ is dbt's output.
_PROJECT_PARTS = ("models", "macros", "seeds", "tests", "dbt_project.yml", "profiles.yml")

# So many rows are fetched by their addresses while facts are rebuilt (profiles.yml); elsewhere lists of that length
# would cost more than they spare.
_FOUND_ROWS = "20000"

# `parse` wrote manifest.json; writing it again takes longer than building most tables.
_WRITES_NO_STATE = ("--no-write-json",)


@dataclass(frozen=True)
class NodeResult:
    """How one dbt node ended.

    Attributes:
        unique_id, name, resource_type: as dbt names it.
        schema_name: schema of a model or seed, None for a test.
        status: success, pass, warn, fail, error or skipped.
        rows: of a table that was built, else None; `failures` of a test.
        message: dbt's own words, one line.
    """

    unique_id: str
    name: str
    resource_type: str
    schema_name: str | None
    status: str
    seconds: float
    rows: int | None
    failures: int
    message: str

    @property
    def is_ok(self) -> bool:
        """Whether what depends on it may go on."""
        return self.status in ("success", "pass", "warn", "no-op")


class Transform:
    """The dbt project as one merchant sees it."""

    def __init__(self, merchant: Merchant, settings: Settings) -> None:
        self.merchant = merchant
        self.settings = settings
        self.target = merchant.warehouse / "dbt"

    @property
    def manifest_file(self) -> Path:
        """dbt's manifest.json; see `parse`."""
        return self.target / "manifest.json"

    def parse(self) -> Path:
        """Parses the project unless a manifest of the very same project, merchant and dbt is there.

        Returns:
            The path of manifest.json.

        Raises:
            ZhongtaiError: the project does not parse.
        """
        key_file = self.target / "manifest.key"
        key = self.key
        if not (self.manifest_file.is_file() and key_file.is_file() and key_file.read_text() == key):
            self.target.mkdir(parents=True, exist_ok=True)
            key_file.unlink(missing_ok=True)
            self._invoke(["parse", "--no-partial-parse"], manifest=None)
            key_file.write_text(key)
        return self.manifest_file

    def manifest(self) -> dict[str, Any]:
        """The parsed project, as manifest.json has it."""
        return json.loads(self.parse().read_text(encoding="utf-8"))

    def selected(self, select: Iterable[str]) -> list[str]:
        """The unique ids of the models, seeds and data tests that dbt selects."""
        kinds = ["--resource-type", "model", "--resource-type", "seed", "--resource-type", "test"]
        arguments = ["list", "--quiet", "--output", "json", "--output-keys", "unique_id", *kinds, *_WRITES_NO_STATE]
        arguments += ["--select", *select]
        found = self._invoke(arguments, self._parsed())
        return [json.loads(line)["unique_id"] for line in found]

    def build(
        self, select: Iterable[str], stage: str = "transform", *, is_full: bool = True, tests: Tests = "eager"
    ) -> list[NodeResult]:
        """Builds and tests the selected nodes in the merchant's warehouse.

        A node that fails does not raise: its result says so, and what depends on it is skipped.

        Args:
            select: dbt selectors, for example `path:models/marts` or model names.
            stage: named in the progress of each table.
            is_full: whether models that are rebuilt by entity are built from the ground.
            tests: of the tests that need a model which is not selected as well: run them (eager) or not (cautious);
                empty runs none at all.

        Raises:
            ZhongtaiError: dbt could not run at all.
        """
        manifest = self._parsed()
        arguments = ["build", "--exclude-resource-type", "unit_test", "--select", *select]
        arguments += ["--full-refresh"] if is_full else []
        arguments += ["--indirect-selection", tests, *_WRITES_NO_STATE]
        found_rows = {} if is_full else {"ZHONGTAI_FOUND_ROWS": _FOUND_ROWS}
        with _environment(found_rows):
            outcome = self._invoke(arguments, manifest, [partial(_report_table, stage)])
        self._drop_removed(manifest)
        rows = self._row_counts()
        results = [_node_result(result, rows) for result in outcome.results]
        empty = [result for result in results if result.rows == 0 and result.is_ok]
        if empty:
            seconds = sum(result.seconds for result in empty)
            report(
                Progress(stage, f"{len(empty)} of the tables are empty: no connected silo tells of them", 0, seconds)
            )
        return results

    def document(self, folder: Path) -> Path:
        """Writes dbt's documentation with its lineage graph as one page that needs nothing else.

        Returns:
            The page.

        Raises:
            ZhongtaiError: dbt could not describe the warehouse.
        """
        self._invoke(["docs", "generate", "--static", "--no-compile"], self._parsed())
        folder.mkdir(parents=True, exist_ok=True)
        return (self.target / "static_index.html").replace(folder / "lineage.html")

    def _parsed(self) -> Manifest:
        from dbt.contracts.graph.manifest import Manifest

        self.parse()
        manifest = Manifest.from_msgpack((self.target / "partial_parse.msgpack").read_bytes())
        manifest.build_flat_graph()  # what macros see as `graph`
        return manifest

    def _invoke(
        self, arguments: list[str], manifest: Manifest | None, callbacks: list[Callable[[Any], None]] | None = None
    ) -> Any:
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.cli.main import dbtRunner

        os.environ["ZHONGTAI_DATABASE"] = str(self.merchant.database)
        self.merchant.warehouse.mkdir(parents=True, exist_ok=True)
        variables = {
            "silos": sorted(self.merchant.silos),
            "time_zone": self.merchant.time_zone,
            "links_masked_phones": self.merchant.links_masked_phones,
        }
        outcome = dbtRunner(manifest=manifest, callbacks=callbacks).invoke(
            [
                *arguments,
                *("--project-dir", str(self.settings.transform)),
                *("--profiles-dir", str(self.settings.transform)),
                *("--target-path", str(self.target)),
                *("--log-path", str(self.target)),
                *("--vars", json.dumps(variables)),
                *("--log-level", "none", "--log-level-file", "info"),
                "--no-use-colors",
            ]
        )
        # dbt-duckdb keeps its connection in a class attribute, and DuckDB the file with it.
        DuckDBConnectionManager.close_all_connections()
        if outcome.exception is not None or (outcome.result is None and not outcome.success):
            raise ZhongtaiError(f"dbt {arguments[0]} could not run: {outcome.exception}") from outcome.exception
        return outcome.result

    def _drop_removed(self, manifest: Manifest) -> None:
        """Drops what no model makes any more, so that it is not published for ever."""
        import duckdb

        nodes = [node for node in manifest.nodes.values() if str(node.resource_type) in ("model", "seed")]
        wanted = {(node.schema, node.alias) for node in nodes}
        schemas = [*{schema for schema, _ in wanted}]
        with duckdb.connect(str(self.merchant.database)) as connection:
            there = connection.execute(
                "select table_type, table_schema, table_name from information_schema.tables "
                "where table_catalog = current_database() and list_contains(?, table_schema)",
                [schemas],
            ).fetchall()
            for kind, schema, name in there:
                if (schema, name) not in wanted:
                    what = "view" if kind == "VIEW" else "table"
                    connection.execute(f"drop {what} {quote_identifier(schema)}.{quote_identifier(name)}")

    def _row_counts(self) -> dict[tuple[str, str], int]:
        import duckdb

        with duckdb.connect(str(self.merchant.database), read_only=True) as connection:
            tables = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
            return {(schema, table): _count(connection, schema, table) for schema, table in tables}

    @property
    def key(self) -> str:
        """A hash of all that parsing depends on: a stale manifest would silently run old SQL."""
        import importlib.metadata

        digest = hashlib.sha256()
        versions = [importlib.metadata.version(name) for name in ("dbt-core", "dbt-duckdb")]
        settings = [self.merchant.time_zone, self.merchant.links_masked_phones]
        digest.update(json.dumps([versions, sorted(self.merchant.silos), *settings]).encode())
        digest.update(str(self.settings.transform).encode())
        for file in project_files(self.settings.transform):
            digest.update(str(file.relative_to(self.settings.transform)).encode())
            digest.update(file.read_bytes())
        return digest.hexdigest()


def project_files(folder: Path) -> list[Path]:
    """Every file that decides what dbt builds, in a stable order."""
    files: list[Path] = []
    for part in _PROJECT_PARTS:
        path = folder / part
        files += [path] if path.is_file() else sorted(found for found in path.rglob("*") if found.is_file())
    return files


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Environment variables that profiles.yml reads, for as long as dbt works."""
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            del os.environ[name]


def _report_table(stage: str, event: Any) -> None:
    """Reports a table when dbt has built it; empty ones are summed up at the end."""
    if event.info.name != "LogModelResult" or event.data.node_info.materialized == "view":
        return
    relation = event.data.node_info.node_relation
    rows = _rows_now(relation.schema, relation.alias)
    if rows:
        report(Progress(stage, f"{relation.schema}.{relation.alias}", rows, event.data.execution_time))


def _rows_now(schema: str, table: str) -> int | None:
    """Rows of a table while dbt still holds the database: its own connection is the only one that can ask."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    environment = DuckDBConnectionManager._ENV
    if environment is None:
        return None
    return _count(environment.conn.cursor(), schema, table)


def _count(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> int:
    """Rows of a table. What DuckDB tells of its tables counts rows that were deleted, too."""
    return scalar(connection, f"select count(*) from {quote_identifier(schema)}.{quote_identifier(table)}")


def _node_result(result: Any, rows: dict[tuple[str, str], int]) -> NodeResult:
    node = result.node
    is_table = str(node.resource_type) in ("model", "seed") and node.config.materialized != "view"
    return NodeResult(
        unique_id=node.unique_id,
        name=node.name,
        resource_type=str(node.resource_type),
        schema_name=node.schema if str(node.resource_type) in ("model", "seed") else None,
        status=str(result.status),
        seconds=float(result.execution_time),
        rows=rows.get((node.schema, node.name)) if is_table else None,
        failures=int(result.failures or 0),
        message=" ".join(str(result.message or "").split()),
    )
