"""The rules of the project's layout (docs/architecture.md): names, directions of references, one dialect."""

from __future__ import annotations

import ast
import itertools
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from zhongtai import merchant as merchants
from zhongtai import settings
from zhongtai.settings import PROJECT_ROOT
from zhongtai.transform import Transform

TRANSFORM = PROJECT_ROOT / "transform"
MODELS = TRANSFORM / "models"
# Tables of this source are written by the platform itself; unified reads them as they are.
OWN_SOURCE = "zhongtai"

# Functions and syntax that DuckDB and Spark do not share, or do not agree on; transform/macros/dialect.sql has them.
FUNCTIONS_OF_ONE_ENGINE = r"""
    date_diff datediff date_sub date_part date_format dayofweek isodow strftime strptime epoch\w* to_(days|months|years)
    make_date make_timestamp timezone from_utc_timestamp to_utc_timestamp
    unnest explode generate_series sequence struct_pack struct list_\w+ array_\w+ string_agg collect_list len size
    arg_max arg_min max_by min_by any_value first last avg median quantile\w* percentile\w* bit_xor hash
    try_cast safe_cast regexp_\w+ json_\w+ get_json_object read_\w+ strpos instr printf format
    now today random rand uuid
"""
SYNTAX_OF_ONE_ENGINE = [
    r"::",
    r"//",
    r"\bqualify\b",
    r"\bilike\b",
    r"\b(exclude|except|filter)\s*\(",
    r"\*\s*replace\s*\(",
    r"\b(interval|asof|lateral|positional)\b",
    r"\b(semi|anti)\s+join\b",
    r"\bby\s+name\b",
    r"\b(group|order)\s+by\s+all\b",
    r"\busing\s+sample\b",
    r"\bcurrent_(date|time|timestamp)\b",  # the wall clock: a rebuild would not give the same
]
ONE_ENGINE_ONLY = [*(rf"\b{name}\s*\(" for name in FUNCTIONS_OF_ONE_ENGINE.split()), *SYNTAX_OF_ONE_ENGINE]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The dbt project as a merchant with every silo sees it."""
    installation = replace(settings.load(), home=tmp_path_factory.mktemp("home"))
    merchant = merchants.load("complete_journey", installation)
    every_silo = {folder.name: merchant.silos["complete_journey"] for folder in (MODELS / "staging").iterdir()}
    return Transform(merchant.model_copy(update={"silos": every_silo}), installation).manifest()


@pytest.fixture(scope="module")
def models(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The dbt models by unique id."""
    return {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}


def layer(node: dict[str, Any]) -> str:
    """source, seed, or the first folder of a model."""
    return str(node["fqn"][1]) if node["resource_type"] == "model" else str(node["resource_type"])


def published(models: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """What a release shows."""
    return [node for node in models.values() if layer(node) in ("unified", "marts")]


def parents(node: dict[str, Any], manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What a model reads."""
    for key in node["depends_on"]["nodes"]:
        yield manifest["nodes"].get(key) or manifest["sources"][key]


def sql_files(*folders: str) -> list[Path]:
    """The SQL below these folders of transform/."""
    return [file for folder in folders for file in sorted((TRANSFORM / folder).rglob("*.sql"))]


def without_comments(sql: str) -> str:
    """SQL without its own comments and Jinja's."""
    return re.sub(r"--[^\n]*", "", re.sub(r"\{#.*?#\}", "", sql, flags=re.DOTALL))


def text_files() -> list[Path]:
    """Every file of the project that a person writes: what .gitignore names is left out, and git itself."""
    ignored = [line.strip() for line in (PROJECT_ROOT / ".gitignore").open(encoding="utf-8")] + [".git/", ".git"]
    files = []
    for folder, folders, names in os.walk(PROJECT_ROOT):
        here = Path(folder)
        relative = here.relative_to(PROJECT_ROOT)
        folders[:] = [
            name
            for name in folders
            if not any(fnmatch(f"{name}/", entry) or f"{relative / name}/" == entry for entry in ignored)
        ]
        files += [here / name for name in names if str(relative / name) not in ignored]
    return files


def test_every_source_table_has_its_staging_model_and_the_reverse(manifest, models) -> None:
    wanted = {
        f"stg_{source['source_name']}__{source['name']}": source["unique_id"]
        for source in manifest["sources"].values()
        if source["source_name"] != OWN_SOURCE
    }
    found = {node["name"]: node["depends_on"]["nodes"] for node in models.values() if layer(node) == "staging"}
    assert found == {name: [source] for name, source in wanted.items()}


def test_every_column_of_a_contract_reaches_its_staging_model(manifest, models) -> None:
    lost = []
    for node in models.values():
        if layer(node) == "staging":
            (source,) = (manifest["sources"][key] for key in node["depends_on"]["nodes"])
            sql = without_comments(node["raw_code"])
            lost += [f"{node['name']}: {name}" for name in source["columns"] if not re.search(rf"\b{name}\b", sql)]
    assert lost == []


def test_models_are_named_after_their_layer(models) -> None:
    patterns = {
        "staging": r"stg_(?P<silo>[a-z0-9_]+?)__[a-z0-9_]+",
        "intermediate": r"int_((?P<silo>[a-z0-9_]+?)__)?[a-z0-9_]+",
        "unified": r"(dim|fct|bridge|log)_[a-z0-9_]+",
        "marts": r"mart_[a-z0-9_]+",
    }
    wrong = []
    for node in models.values():
        match = re.fullmatch(patterns[layer(node)], node["name"])
        silo = match.groupdict().get("silo") if match else None
        if match is None or (silo is not None and node["fqn"][2] != silo):
            wrong.append(node["original_file_path"])
    assert wrong == []


def test_references_go_one_way(manifest, models) -> None:
    allowed = {
        "staging": {"source"},
        "intermediate": {"staging", "intermediate", "unified", "seed"},
        "unified": {"staging", "intermediate", "unified", "seed", "source"},
        "marts": {"unified", "seed"},
    }
    wrong = [
        f"{node['name']} reads {parent['name']}"
        for node in models.values()
        for parent in parents(node, manifest)
        if layer(parent) not in allowed[layer(node)]
        or (layer(node) == "unified" and layer(parent) == "source" and parent["source_name"] != OWN_SOURCE)
    ]
    assert wrong == []


def test_everything_published_is_described_typed_and_keyed(manifest, models) -> None:
    keyed = {
        test["attached_node"]
        for test in manifest["nodes"].values()
        if test["resource_type"] == "test" and test["test_metadata"]["name"] == "primary_key"
    }
    wrong = []
    for node in published(models):
        if not node["description"]:
            wrong.append(f"{node['name']} has no description")
        if node["unique_id"] not in keyed:
            wrong.append(f"{node['name']} has no primary_key test")
        if not node["config"]["contract"]["enforced"] or not node["columns"]:
            wrong.append(f"{node['name']} has no contract")
        for column in node["columns"].values():
            if not (column["description"] and column["data_type"]):
                wrong.append(f"{node['name']}.{column['name']} has no description or data_type")
    assert wrong == []


def test_every_model_begins_with_what_it_is(models) -> None:
    assert [node["name"] for node in models.values() if not node["raw_code"].startswith(("-- ", '"""'))] == []
    assert [node["name"] for node in models.values() if not node["description"]] == []


def test_the_calendar_begins_with_whichever_fact_is_first(models) -> None:
    """Every fact with days of its own: lines have those of their orders, and what follows other facts theirs."""
    (first_dates,) = (node for node in models.values() if node["name"] == "int_first_dates")
    named = set(re.findall(r"\('(fct_\w+)', '(\w+)'\)", first_dates["raw_code"]))
    facts = [node for node in models.values() if node["name"].startswith("fct_") and layer(node) == "unified"]
    dated = [node for node in facts if "partition_column" in node["config"]["meta"]]
    wanted = {
        (node["name"], node["config"]["meta"]["partition_column"])
        for node in dated
        if node["name"] != "fct_order_lines" and not node["config"]["meta"].get("entity", {}).get("follows")
    }
    assert wanted - named == set()
    assert {name for name, _ in named} == {name for name, _ in wanted}


def test_a_column_has_one_type_everywhere(models) -> None:
    types: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for node in published(models):
        for column in node["columns"].values():
            types[column["name"]][column["data_type"]].append(node["name"])
    assert {name: dict(found) for name, found in types.items() if len(found) > 1} == {}


def test_columns_are_named_after_their_type(models) -> None:
    patterns = {
        r"(is|has)_\w+": "boolean",
        r"(?!known_at)\w+_at": "timestamp",  # known_at is a position in the landing order
        r"\w+_date": "date",
        r"\w+_id": "string",
        r"\w+_(rate|share|share_before)": "double",
        r"\w+_amount": "decimal(18,2)",
    }
    wrong = [
        f"{node['name']}.{column['name']}: {column['data_type']}"
        for node in published(models)
        for column in node["columns"].values()
        for pattern, data_type in patterns.items()
        if re.fullmatch(pattern, column["name"]) and column["data_type"] != data_type
    ]
    assert wrong == []


def test_only_the_dialect_macros_know_an_engine() -> None:
    wrong = []
    for file in sql_files("models", "macros", "tests"):
        if file.name == "dialect.sql":
            continue
        sql = without_comments(file.read_text(encoding="utf-8")).lower()
        # A project's own macro is no engine's function.
        sql = re.sub(r"\{%.*?%\}|(?<=\{\{)\s*\w+(?=\()", "", sql, flags=re.DOTALL)
        found = [match.group(0) for pattern in ONE_ENGINE_ONLY for match in re.finditer(pattern, sql)]
        wrong += [f"{file.relative_to(PROJECT_ROOT)}: {text}" for text in found]
    assert wrong == []


def test_every_dispatched_macro_has_both_engines() -> None:
    sql = (TRANSFORM / "macros" / "dialect.sql").read_text(encoding="utf-8")
    dispatched = set(re.findall(r"adapter\.dispatch\('(\w+)'\)", sql))
    assert dispatched
    for engine in ("duckdb", "spark"):
        assert set(re.findall(rf"macro {engine}__(\w+)\(", sql)) == dispatched


def test_every_order_says_where_nulls_go() -> None:
    """The engines' defaults differ."""
    wrong = []
    for file in sql_files("models"):
        sql = re.sub(r"\{\{.*?\}\}", "expression", without_comments(file.read_text(encoding="utf-8")), flags=re.DOTALL)
        for match in re.finditer(r"\border by\s+([^()]*)", sql):
            keys = re.split(r"\b(?:rows|range) between\b", match.group(1))[0].split(",")
            wrong += [f"{file.name}: {key.strip()}" for key in keys if "nulls" not in key]
    assert wrong == []


def test_every_policy_that_sql_reads_exists() -> None:
    policies = yaml.safe_load((PROJECT_ROOT / "merchants" / "policies.yml").read_text(encoding="utf-8"))
    sql = "".join(without_comments(file.read_text(encoding="utf-8")) for file in sql_files("models", "macros"))
    read = set(re.findall(r"policy\(\s*'(\w+)'", sql)) | set(re.findall(r"'(rfm_\w+_cuts)'", sql))
    over_time = {name for names in re.findall(r"policies_over_time\(\[([^\]]*)\]", sql) for name in names.split(",")}
    read |= {name.strip().strip("'") for name in over_time}
    assert "abc_a_share" in read and "rfm_window_days" in read
    assert read - set(policies) == set()


def test_every_buyer_falls_into_a_segment() -> None:
    lines = (TRANSFORM / "seeds" / "rfm_segments.csv").read_text(encoding="utf-8").splitlines()
    rows = [dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in lines[1:]]
    scores = ("recency", "frequency", "monetary")
    homeless = [
        combination
        for combination in itertools.product(range(1, 6), repeat=3)
        if not any(
            row["buyers"] == "any"
            and all(
                int(row[f"min_{name}_score"]) <= score <= int(row[f"max_{name}_score"])
                for name, score in zip(scores, combination, strict=True)
            )
            for row in rows
        )
    ]
    assert homeless == []


def test_the_library_imports_no_dagster() -> None:
    wrong = []
    for file in sorted((PROJECT_ROOT / "zhongtai").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            wrong += [f"{file.name}: {name}" for name in names if re.match(r"dagster|orchestration", name)]
    assert wrong == []


def test_only_settings_read_the_environment() -> None:
    """Others may set a variable for a tool that they start, or pass the whole environment on to it."""
    wrong = []
    for package in ("zhongtai", "orchestration"):
        for file in sorted((PROJECT_ROOT / package).rglob("*.py")):
            if file != PROJECT_ROOT / "zhongtai" / "settings.py":
                tree = ast.parse(file.read_text(encoding="utf-8"))
                wrong += [f"{file.relative_to(PROJECT_ROOT)}:{line}" for line in environment_reads(tree)]
    assert wrong == []


def environment_reads(tree: ast.AST) -> list[int]:
    """Lines that read a variable: `os.getenv`, `os.environ.get`, `os.environ[...]`, `"X" in os.environ`."""
    harmless: set[ast.expr | None] = set()
    for node in ast.walk(tree):
        if (isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load)) or (
            isinstance(node, ast.Attribute) and node.attr == "update"
        ):
            harmless.add(node.value)
        elif isinstance(node, ast.Dict):  # {**os.environ, …}
            harmless |= {value for key, value in zip(node.keys, node.values, strict=True) if key is None}
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
        and (node.attr == "getenv" or (node.attr == "environ" and node not in harmless))
    ]


def test_no_file_names_a_registry_or_a_place_on_one_machine() -> None:
    hosts = ["--index-url", "--extra-index-url", "--find-links", "/simple/"]
    places = [*(f"/{folder}/" for folder in ("home", "root", "Users", "work", "opt")), "C:\\\\"]
    pattern = re.compile("|".join(re.escape(host) for host in hosts) + rf"|(?<![\w.}}])({'|'.join(places)})")
    wrong = []
    for file in text_files():
        if file == Path(__file__).resolve():
            continue
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        wrong += [f"{file.relative_to(PROJECT_ROOT)}: {match.group(0)}" for match in pattern.finditer(text)]
    assert wrong == []
