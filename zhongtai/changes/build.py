"""Builds the middle layer: what changed of the models that are rebuilt by entity, and all of the others.

Four passes of dbt. First, with raw views that show only the days on which something changed, what sums up whole days:
who used which device. Then everything that no rebuilt fact leads to: persons, products, dimensions. Then, with raw
views that show only the rows of changed entities, the facts themselves, which put those rows in the place of the old
ones. Last what stands on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from zhongtai.changes import dimensions, rows, state
from zhongtai.changes.entities import Entities
from zhongtai.changes.lineage import LEVELS, PERSONS, PRODUCTS, Lineage, Rebuilt
from zhongtai.changes.narrowing import RawViews
from zhongtai.changes.state import Built
from zhongtai.errors import UsageError
from zhongtai.ingest import raw_views
from zhongtai.ingest.contract import load_contracts
from zhongtai.progress import Progress, report
from zhongtai.transform import NodeResult, Tests, Transform


@dataclass(frozen=True)
class Wanted:
    """What a run was asked for.

    Attributes:
        is_full: build everything from the ground.
        again: business dates, first and last, to build again whether they changed or not.
        is_tested: run dbt's tests too.
    """

    is_full: bool = False
    again: tuple[date, date] | None = None
    is_tested: bool = True


def date_range(text: str) -> tuple[date, date]:
    """The dates of `FROM..TO`.

    Raises:
        UsageError: it is not two dates, the first not after the second.
    """
    try:
        first, last = (date.fromisoformat(part.strip()) for part in text.split(".."))
    except ValueError:
        first, last = date.max, date.min
    if first > last:
        raise UsageError(f"'{text}' is no range of dates: give FROM..TO, such as 2025-11-01..2025-11-30")
    return first, last


def forget(project: Transform) -> None:
    """Before models are made by hand: raw views show everything, and the next run builds everything.

    What is made by hand is ahead of what the last whole run knows of.
    """
    state.forget(project.merchant)
    if raw_views.are_there(project.merchant):
        _Run(project).widen()


def build(project: Transform, select: Iterable[str], wanted: Wanted) -> list[NodeResult]:
    """Builds and tests what dbt selects of staging, intermediate and unified.

    The tables are the same as if all of them had been built from the ground.

    Raises:
        ZhongtaiError: dbt could not run at all.
    """
    select = list(select)
    run = _Run(project)
    built = state.take(project.merchant)
    run.widen()
    if built is None or wanted.is_full or not run.has_dimensions():
        results = project.build(select, tests="eager" if wanted.is_tested else "empty")
    else:
        results = run.changed(select, built, wanted)
    if all(result.is_ok for result in results):
        run.record()
    return sorted(results, key=lambda result: run.lineage.depth(result.unique_id))


class _Run:
    """One build of the middle layer."""

    def __init__(self, project: Transform) -> None:
        self.project = project
        self.merchant = project.merchant
        self.contracts = load_contracts(project.settings.sources, sorted(self.merchant.silos))
        self.manifest: Mapping[str, Any] = project.manifest()
        self.lineage = Lineage(self.manifest, self.contracts)
        with self._warehouse() as connection:
            self.context = raw_views.read_context(connection)
        self.loads = raw_views.known_loads(self.merchant, self.contracts, self.context.known_at)

    def changed(self, select: list[str], built: Built, wanted: Wanted) -> list[NodeResult]:
        """Builds what changed since."""
        tests: Tests = "cautious" if wanted.is_tested else "empty"
        nodes = set(self.project.selected(select))
        kept = self._kept_views(nodes) if built.project == self.project.key else []
        results = self._whole_days(nodes, built, wanted.again, tests)
        if not all(result.is_ok for result in results):
            return results
        first, last = self._around(nodes - {done.unique_id for done in kept + results})
        with self._warehouse() as connection:
            dimensions.keep(connection)
        results += self.project.build(first, tests=tests)
        if not all(result.is_ok for result in results):
            return results
        with self._warehouse() as connection:
            dimensions.compare(connection)
            rebuilt = self._rebuildable(connection, self._entities(connection, built), built, wanted.again)
        try:
            with self._warehouse() as connection:
                self._raw_views(connection).narrow()
            if rebuilt:
                results += self.project.build([model.name for model in rebuilt], is_full=False, tests=tests)
        finally:
            self.widen()
        if not all(result.is_ok for result in results):
            return results
        done = {result.unique_id for result in results}
        waiting = last | self._tests(nodes) if wanted.is_tested else last
        rest = [self._name(unique_id) for unique_id in sorted(waiting - done)]
        return kept + results + self.project.build(rest, tests=tests)

    def _whole_days(
        self, nodes: set[str], built: Built, again: tuple[date, date] | None, tests: Tests
    ) -> list[NodeResult]:
        """Builds what sums up whole days of the days on which something changed; none where nobody knows which."""
        results: list[NodeResult] = []
        for unique_id, model in self.lineage.days.items():
            with self._warehouse() as connection:
                dimensions.make_schema(connection)
                found = self._entities(connection, built)
                is_same = built.models.get(model.name) == self.lineage.fingerprint(connection, model)
                if unique_id not in nodes or not is_same or not _is_there(connection, model.schema, model.name):
                    continue
                if not found.find_days(model, again):
                    continue
                self._raw_views(connection).narrow_to_days(model)
            try:
                results += self.project.build([model.name], is_full=False, tests=tests)
            finally:
                self.widen()
        return results

    def _entities(self, connection: Any, built: Built) -> Entities:
        return Entities(connection, self.merchant, self.contracts, self.loads, self.context, built)

    def _raw_views(self, connection: Any) -> RawViews:
        return RawViews(connection, self.merchant, self.contracts, self.loads, self.context)

    def widen(self) -> None:
        """Makes the raw views show everything: a build that was killed leaves them narrowed."""
        with self._warehouse() as connection:
            self._raw_views(connection).widen()

    def has_dimensions(self) -> bool:
        """Whether the dimensions are there of which it is told row by row what changed."""
        with self._warehouse() as connection:
            return all(_is_there(connection, "unified", name) for name in (PERSONS, PRODUCTS, LEVELS))

    def record(self) -> None:
        """Says what the warehouse holds now."""
        with self._warehouse() as connection:
            every = [*self.lineage.rebuilt.values(), *self.lineage.days.values()]
            models = {model.name: self.lineage.fingerprint(connection, model) for model in every}
        built = Built(
            loads=state.load_marks(self.loads),
            as_of=self.context.as_of,
            as_of_date=self.context.as_of_date,
            project=self.project.key,
            models=models,
        )
        state.record(self.merchant, built)

    def _around(self, nodes: set[str]) -> tuple[list[str], set[str]]:
        """Names of what is not below a model that is rebuilt by entity, and ids of the models that are, or are one."""
        models = {node for node in nodes if not node.startswith(("test.", "unit_test."))}
        rebuilt = set(self.lineage.rebuilt)
        last = {node for node in models if node in rebuilt or self.lineage.ancestors(node) & rebuilt}
        return [self._name(node) for node in sorted(models - last)], last

    def _rebuildable(
        self, connection: Any, found: Entities, built: Built, again: tuple[date, date] | None
    ) -> list[Rebuilt]:
        """The models that can be rebuilt by entity; the others are built anew."""
        models = {
            unique_id: model
            for unique_id, model in self.lineage.rebuilt.items()
            if built.models.get(model.name) == self.lineage.fingerprint(connection, model)
            and _is_there(connection, model.schema, model.name)
        }
        summaries = {model.entity: self.lineage.summary(model.entity) for model in models.values()}
        found.find(models.values(), again, {name: each for name, each in summaries.items() if each})
        anew = set(self.lineage.rebuilt) - set(models)
        # Which entities a person, a SKU or a level meets, only these models tell, to all of an entity's.
        silent = {self.lineage.rebuilt[each].entity for each in anew if self.lineage.rebuilt[each].looks_up}
        anew |= {each for each, model in models.items() if model.entity in silent}
        anew |= {each for each, model in models.items() if self._is_unsure(connection, found, model)}
        kept = [
            model
            for unique_id, model in models.items()
            if unique_id not in anew and not self.lineage.ancestors(unique_id) & anew
        ]
        for name in sorted({model.entity for model in kept} & set(found.changed)):
            query = f"select count(distinct entity_id) from {rows.table(name)}"
            count = (connection.execute(query).fetchone() or (0,))[0]
            report(Progress("changes", name, count, 0.0))
        told = {model.name for model in self.lineage.rebuilt.values()}
        for name in {name for model in kept for name in model.follows} - told:
            dimensions.keep_unchanged(connection, name)
        return kept

    def _is_unsure(self, connection: Any, found: Entities, model: Rebuilt) -> bool:
        """Whether nothing tells which of a model's rows changed."""
        if not model.follows:
            return found.changed[model.entity].is_all
        told = {each.name: each for each in self.lineage.rebuilt.values()}
        # From nothing to something, a measure becomes known on all days at once.
        return any(_is_empty(connection, told[name]) for name in model.follows if name in told)

    def _kept_views(self, nodes: set[str]) -> list[NodeResult]:
        """The views, which are what they were as long as the project is."""
        views = [self.manifest["nodes"][node] for node in sorted(nodes)]
        return [
            NodeResult(
                unique_id=view["unique_id"],
                name=view["name"],
                resource_type="model",
                schema_name=view["schema"],
                status="success",
                seconds=0.0,
                rows=None,
                failures=0,
                message="as it was",
            )
            for view in views
            if view["resource_type"] == "model" and view["config"]["materialized"] == "view"
        ]

    def _tests(self, nodes: set[str]) -> set[str]:
        return {node for node in nodes if node.startswith("test.")}

    def _name(self, unique_id: str) -> str:
        """What dbt selects a node by."""
        return str(self.manifest["nodes"][unique_id]["name"])

    def _warehouse(self) -> Any:
        import duckdb

        return duckdb.connect(str(self.merchant.database))


def _is_empty(connection: Any, model: Rebuilt) -> bool:
    return not (connection.execute(f"select exists (select 1 from {model.relation})").fetchone() or (False,))[0]


def _is_there(connection: Any, schema: str, name: str) -> bool:
    there = "database_name = current_database() and schema_name = ? and table_name = ?"
    query = f"select 1 from duckdb_tables() where {there}"
    return connection.execute(query, [schema, name]).fetchone() is not None
