"""What the dbt project says about its published tables: keys, lineage, policies, silos, personal data."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from zhongtai.dictionary.glossary import Glossary

# What may be a policy's name, also where it is handed on by a macro or stands in a list.
_QUOTED = re.compile(r"""['"](\w+)['"]""")
_MODEL_OF_SILO = re.compile(r"""['"](?:stg|int)_([a-z0-9_]+?)__\w+['"]""")
_REFERENCE = re.compile(r"\bfrom ((?:dim|fct|bridge)_\w+)")


class ColumnFacts(BaseModel):
    """A column as the project describes it.

    Attributes:
        references: the table that the column's values are ids of.
        personal_data: class of the source column that it is, where it goes by the same name or is renamed in staging.
    """

    label_zh: str = ""
    references: str | None = None
    personal_data: str | None = None


class TableFacts(BaseModel):
    """A table as the project describes it; tables are named `schema.table`.

    Attributes:
        description_zh: what the description says, in Chinese.
        domain: folder of the model: user, product, order …
        key: columns that tell its rows apart, which is its grain.
        date_column: the date or moment that tells how fresh it is: its partition's, or `date_column` of its `meta`.
        sources: the landed tables that it stands on, as `silo.table`.
        silos: whose rows can become rows of it, connected or not.
        tests: how many data tests dbt runs on it.
    """

    label_zh: str = ""
    description_zh: str = ""
    domain: str = ""
    key: list[str] = []
    date_column: str | None = None
    upstream: list[str] = []
    sources: list[str] = []
    downstream: list[str] = []
    silos: list[str] = []
    policies: list[str] = []
    tests: int = 0
    columns: dict[str, ColumnFacts] = {}


class Project:
    """dbt's manifest, asked about what is published."""

    def __init__(self, manifest: Mapping[str, Any], glossary: Glossary, schemas: Collection[str]) -> None:
        self._nodes: dict[str, Any] = {**manifest["nodes"], **manifest["sources"]}
        self._macros: dict[str, Any] = manifest["macros"]
        self._glossary = glossary
        self._published = {
            key: node
            for key, node in manifest["nodes"].items()
            if node["resource_type"] == "model" and node["schema"] in schemas
        }

    def facts(self, policies: Collection[str]) -> dict[str, TableFacts]:
        """Every published table.

        Args:
            policies: the names of all policies: a quoted text in a model's SQL is one of them or no policy.
        """
        return {self._name(key): self._table(key, policies) for key in self._published}

    def _table(self, key: str, policies: Collection[str]) -> TableFacts:
        node = self._published[key]
        meta = node["config"]["meta"]
        private = self._private(key)
        return TableFacts(
            label_zh=self._glossary.tables.get(node["name"], ""),
            description_zh=self._glossary.descriptions.get(node["name"], ""),
            domain=node["fqn"][2],
            key=self._keys.get(key, []),
            date_column=meta.get("partition_column") or meta.get("date_column"),
            upstream=sorted(self._name(parent) for parent in self._upstream[key]),
            sources=sorted(self._sources(key, private)),
            downstream=sorted(self._name(child) for child, above in self._upstream.items() if key in above),
            silos=sorted(self._silos(key, private)),
            policies=sorted(self._quoted([key, *private]) & set(policies)),
            tests=sum(test.get("attached_node") == key for test in self._tests),
            columns=self._columns(node, private),
        )

    def _columns(self, node: Mapping[str, Any], private: Collection[str]) -> dict[str, ColumnFacts]:
        tables = {each["name"]: self._name(key) for key, each in self._published.items()}
        classes = self._personal_classes(private)
        found = {}
        for name, column in node["columns"].items():
            match = _REFERENCE.search(column["description"])
            found[name] = ColumnFacts(
                label_zh=self._glossary.columns.get(name, ""),
                references=tables.get(match[1]) if match else None,
                personal_data=classes.get(name),
            )
        return found

    @cached_property
    def _upstream(self) -> dict[str, set[str]]:
        """The published tables that a published table reads, straight or through views and seeds."""
        return {
            key: {parent for each in (key, *self._private(key)) for parent in self._parents(each)}
            & set(self._published)
            for key in self._published
        }

    @cached_property
    def _tests(self) -> list[Any]:
        return [node for node in self._nodes.values() if node["resource_type"] == "test"]

    @cached_property
    def _keys(self) -> dict[str, list[str]]:
        return {
            test["attached_node"]: test["test_metadata"]["kwargs"]["columns"]
            for test in self._tests
            if (test.get("test_metadata") or {}).get("name") == "primary_key"
        }

    def _private(self, key: str) -> list[str]:
        """What leads to a table without passing another published one."""
        found: list[str] = []
        waiting = [key]
        while waiting:
            for parent in self._parents(waiting.pop()):
                if parent not in found and parent not in self._published:
                    found.append(parent)
                    waiting.append(parent)
        return found

    def _sources(self, key: str, private: Iterable[str]) -> set[str]:
        """The landed tables that it reads, and for a table of no silo those of the tables it reads.

        Another fresh one, joined for its ids, would hide that its own is stale or not connected. What the platform
        writes itself is not landed.
        """
        if self._named_silos(key, private):
            nodes = [self._nodes[each] for each in private if self._nodes[each]["resource_type"] == "source"]
            return {f"{node['source_name']}.{node['name']}" for node in nodes if "file" in node["config"]["meta"]}
        return {source for parent in self._upstream[key] for source in self._sources(parent, self._private(parent))}

    def _parents(self, key: str) -> list[str]:
        nodes: list[str] = self._nodes[key].get("depends_on", {}).get("nodes", [])
        return nodes

    def _silos(self, key: str, private: Iterable[str]) -> set[str]:
        """The silos whose models the SQL names, and for a table without any those of the tables it reads."""
        return self._named_silos(key, private) or {
            silo for parent in self._upstream[key] for silo in self._silos(parent, self._private(parent))
        }

    def _named_silos(self, key: str, private: Iterable[str]) -> set[str]:
        texts = [self._nodes[each].get("raw_code") or "" for each in (key, *private)]
        return {silo for text in texts for silo in _MODEL_OF_SILO.findall(text)}

    def _quoted(self, keys: Iterable[str]) -> set[str]:
        """Every quoted word of models and of the project's macros that they call."""
        found: set[str] = set()
        for key in keys:
            node = self._nodes[key]
            found.update(_QUOTED.findall(node.get("raw_code") or ""))
            for name in node.get("depends_on", {}).get("macros", []):
                macro = self._macros[name]
                if macro["package_name"] == node["package_name"]:
                    found.update(_QUOTED.findall(macro["macro_sql"]))
        return found

    def _personal_classes(self, private: Iterable[str]) -> dict[str, str]:
        """Classes by column, of the sources that lead here and as staging renames them."""
        classes: dict[str, set[str]] = defaultdict(set)
        for key in private:
            if self._nodes[key]["resource_type"] != "model" or self._nodes[key]["fqn"][1] != "staging":
                continue
            code = self._nodes[key]["raw_code"]
            for source in self._parents(key):
                for name, column in self._nodes[source]["columns"].items():
                    kind = column["config"]["meta"].get("personal_data")
                    if kind:
                        renamed = re.findall(rf"\b{name}\s+as\s+(\w+)", code)
                        for each in renamed or [name]:
                            classes[each].add(kind)
        return {name: ", ".join(sorted(kinds)) for name, kinds in classes.items()}

    def _name(self, key: str) -> str:
        return f"{self._nodes[key]['schema']}.{self._nodes[key]['name']}"
