"""Which models are rebuilt by entity, what each of them stands on, and what decides its rows beside the raw ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from zhongtai.errors import ZhongtaiError
from zhongtai.ingest.contract import Contract
from zhongtai.sql import quote_identifier

if TYPE_CHECKING:
    import duckdb

# Dimensions of which it is known row by row what changed.
PERSONS, PRODUCTS, LEVELS = "bridge_user_identities", "dim_products", "dim_member_levels"


@dataclass(frozen=True)
class Rebuilt:
    """A model that is rebuilt by entity: `materialized: incremental` and `meta.entity` of its YAML.

    Attributes:
        entity: name of what its rows are made anew by.
        id: SQL of the entity's id, over the model's columns.
        persons: columns that name a person's identity, where this model tells which entities a person's change meets.
        products: the column that tells when a SKU's version counts, where this model tells it of SKUs.
        levels: the same of a person's member level.
        follows: the models whose changed rows are its changed rows; none where raw rows are.
        days_of: the dated entity of which it sums up whole days, by the date of UTC, before anything else is built:
            persons are made of such sums, so that they need not read all that ever happened.
        is_row: whether each of the model's rows is an entity of its own, as its primary key tells.
    """

    unique_id: str
    schema: str
    name: str
    entity: str
    id: str
    date: str | None = None
    persons: tuple[str, ...] = ()
    products: str | None = None
    levels: str | None = None
    follows: tuple[str, ...] = ()
    days_of: str | None = None
    is_row: bool = False

    @property
    def looks_up(self) -> bool:
        """Whether it tells which entities a changed person, SKU or level meets."""
        return bool(self.persons or self.products or self.levels)

    @property
    def relation(self) -> str:
        """The quoted name of its table."""
        return f"{quote_identifier(self.schema)}.{quote_identifier(self.name)}"


class Lineage:
    """The project's models and what leads to them."""

    def __init__(self, manifest: Mapping[str, Any], contracts: list[Contract]) -> None:
        self._nodes: dict[str, Any] = {**manifest["nodes"], **manifest["sources"]}
        self._parents: dict[str, list[str]] = manifest["parent_map"]
        self._entities = {
            (contract.silo, contract.table): contract.entity.name for contract in contracts if contract.entity
        }
        self._depths: dict[str, int] = {}
        macros = sorted((name, macro["macro_sql"]) for name, macro in manifest["macros"].items() if _is_own(macro))
        self._macros = json.dumps(macros)

    @cached_property
    def rebuilt(self) -> dict[str, Rebuilt]:
        """The models that are rebuilt by entity, by unique id, as far as a connected silo tells such entities."""
        by_name = {model.name: model for model in self._declared.values()}
        told = set(self._entities.values())

        def is_told(model: Rebuilt) -> bool:
            return model.entity in told or any(is_told(by_name[name]) for name in model.follows)

        facts = {unique_id: model for unique_id, model in self._declared.items() if not model.days_of}
        return {unique_id: model for unique_id, model in facts.items() if is_told(model)}

    @cached_property
    def days(self) -> dict[str, Rebuilt]:
        """The models that sum up whole days of a dated entity of a connected silo, by unique id."""
        told = set(self._entities.values())
        return {unique_id: model for unique_id, model in self._declared.items() if model.days_of in told}

    def summary(self, entity: str) -> Rebuilt | None:
        """The model that sums up whole days of all rows of an entity, whichever silo tells them."""
        tables = {table for table, name in self._entities.items() if name == entity}
        models = (model for model in self.days.values() if model.days_of == entity)
        return next((model for model in models if tables <= self._raw_tables(model.unique_id)), None)

    def _raw_tables(self, unique_id: str) -> set[tuple[str, str]]:
        sources = (self._nodes[node] for node in self.ancestors(unique_id) if node.startswith("source."))
        return {(source["source_name"], source["name"]) for source in sources}

    @cached_property
    def _keys(self) -> dict[str, list[str]]:
        """The primary keys of models, as dbt tests them."""
        tests = (node for node in self._nodes.values() if node["resource_type"] == "test")
        keys = (test for test in tests if (test.get("test_metadata") or {}).get("name") == "primary_key")
        return {key["attached_node"]: list(key["test_metadata"]["kwargs"]["columns"]) for key in keys}

    @cached_property
    def _declared(self) -> dict[str, Rebuilt]:
        found = {}
        for unique_id, node in self._nodes.items():
            if node["resource_type"] == "model" and node["config"]["materialized"] == "incremental":
                entity = dict(node["config"]["meta"]["entity"])
                found[unique_id] = Rebuilt(
                    unique_id=unique_id,
                    schema=node["schema"],
                    name=node["alias"],
                    entity=entity["name"],
                    id=entity["id"],
                    is_row=self._keys.get(unique_id) == [entity["id"]],
                    date=node["config"]["meta"].get("partition_column"),
                    persons=tuple(entity.get("persons", ())),
                    products=entity.get("products"),
                    levels=entity.get("levels"),
                    follows=tuple(entity.get("follows", ())),
                    days_of=entity.get("days_of"),
                )
        return found

    def ancestors(self, unique_id: str) -> set[str]:
        """Everything that leads to a node."""
        found: set[str] = set()
        waiting = [unique_id]
        while waiting:
            for parent in self._parents.get(waiting.pop(), []):
                if parent not in found:
                    found.add(parent)
                    waiting.append(parent)
        return found

    def depth(self, unique_id: str) -> int:
        """How many nodes lie one behind the other before this one: what is sorted by it is in topological order."""
        if unique_id not in self._depths:
            parents = self._parents.get(unique_id, [])
            self._depths[unique_id] = max((self.depth(parent) + 1 for parent in parents), default=0)
        return self._depths[unique_id]

    def fingerprint(self, connection: duckdb.DuckDBPyConnection, model: Rebuilt) -> str:
        """A hash of the model's text, of the views below it, and of the content of what it merely looks up.

        Raises:
            ZhongtaiError: rows of another entity reach the model through views: it could not be built by entity.
        """
        texts: list[Any] = [self._macros, self._text(model.unique_id)]
        for parent in self._looked_up(model.unique_id, model):
            node = self._nodes[parent]
            if parent in self.rebuilt or node["name"] in (PERSONS, PRODUCTS, LEVELS):
                texts.append(parent)
            elif node["name"] == "dim_policies":
                texts.append(self._policies(connection, model.unique_id))
            else:
                texts.append([parent, self._subtree_text(parent), _content(connection, node)])
        return hashlib.sha256(json.dumps(texts, default=str).encode()).hexdigest()[:16]

    def _looked_up(self, unique_id: str, model: Rebuilt) -> Iterator[str]:
        """What the model reads that is not the raw rows of its entity; passes through the views above those."""
        own = model.days_of or model.entity
        for parent in sorted(self._parents.get(unique_id, [])):
            entities = self._entities_below(parent)
            if parent in self.rebuilt or own not in entities:
                if parent not in self.rebuilt and self._is_view(parent) and entities - {own}:
                    others = ", ".join(sorted(entities))
                    raise ZhongtaiError(
                        f"{model.name} is rebuilt by {model.entity}, but reads {self._nodes[parent]['name']}, whose "
                        f"rows change by {others}. Make that a table, or the model no incremental one."
                    )
                yield parent
            elif self._nodes[parent]["resource_type"] != "source":
                yield from self._looked_up(parent, model)

    def _entities_below(self, unique_id: str) -> set[str]:
        """The entities of the raw tables that reach a node through views."""
        node = self._nodes[unique_id]
        if node["resource_type"] == "source":
            entity = self._entities.get((node["source_name"], node["name"]))
            return {entity} if entity else set()
        if not self._is_view(unique_id):
            return set()
        return set().union(*(self._entities_below(parent) for parent in self._parents.get(unique_id, [])))

    def _is_view(self, unique_id: str) -> bool:
        node = self._nodes[unique_id]
        return node["resource_type"] == "model" and node["config"]["materialized"] == "view"

    def _text(self, unique_id: str) -> list[Any]:
        """What people wrote about a model, and about the views above its entity's raw rows."""
        node = self._nodes[unique_id]
        if node["resource_type"] == "source":
            return [unique_id]
        columns = [(name, column["data_type"]) for name, column in node.get("columns", {}).items()]
        below = [self._text(parent) for parent in sorted(self._parents.get(unique_id, [])) if self._is_view(parent)]
        return [unique_id, node.get("raw_code"), columns, below]

    def _subtree_text(self, unique_id: str) -> list[Any]:
        return self._text(unique_id) if self._is_view(unique_id) else []

    def _policies(self, connection: duckdb.DuckDBPyConnection, unique_id: str) -> list[Any]:
        """The values of the policies that a model names, or a macro that it may call."""
        text = json.dumps(self._text(unique_id)) + self._macros
        query = (
            "select policy, position, policy_value, effective_from, effective_to, is_current "
            "from unified.dim_policies order by all"
        )
        return [row for row in connection.execute(query).fetchall() if f"'{row[0]}'" in text]


def _is_own(macro: Mapping[str, Any]) -> bool:
    return macro["package_name"] == "zhongtai"


def _content(connection: duckdb.DuckDBPyConnection, node: Mapping[str, Any]) -> list[Any]:
    """The hashes of what a table or view shows."""
    name = node.get("alias") or node["identifier"]
    relation = f"{quote_identifier(node['schema'])}.{quote_identifier(name)}"
    query = f"select count(*), bit_xor(hash(rows)), sum(hash(rows)::hugeint) from {relation} as rows"
    return list(connection.execute(query).fetchone() or ())
