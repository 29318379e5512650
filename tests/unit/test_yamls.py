"""YAML files: a key that stands twice is refused wherever the platform reads one, with file, line and key."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from zhongtai import merchant, policies
from zhongtai.dictionary import glossary
from zhongtai.errors import UsageError
from zhongtai.ingest.contract import load_contracts
from zhongtai.quality.suites import load_suites
from zhongtai.settings import PROJECT_ROOT, Settings
from zhongtai.yamls import read_yaml

MERCHANT = "title: Shop\ntime_zone: Asia/Shanghai\ncurrency: CNY\nlocale: zh_CN\nsilos: {erp: {path: /data/erp}}\n"


def _read(folder: Path, text: str) -> object:
    file = folder / "some.yml"
    file.write_text(text, encoding="utf-8")
    return read_yaml(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: the key 'a' stands twice, first in line 1"),
        ("policies: {new_buyer_days: 5, new_buyer_days: 6}", "line 1: the key 'new_buyer_days' stands twice"),
        ("- x\n- {deep: [{b: 1,\n  c: 2,\n  b: 1}]}", "line 4: the key 'b' stands twice, first in line 2"),
        ('a: 1\n"a": 2\n', "line 2: the key 'a' stands twice"),
        ("yes: 1\ntrue: 2\n", "line 2: the key 'true' stands twice"),
        ("base: &base {a: 1}\nx:\n  <<: *base\n  <<: *base\n", "line 4: the key '<<' stands twice"),
        ("? {a: 1, a: 2}\n: 3\n", "line 1: the key 'a' stands twice"),
    ],
)
def test_a_key_that_stands_twice_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(yaml.YAMLError, match=re.escape(message)):
        _read(tmp_path, text)


def test_what_only_looks_doubled_is_read(tmp_path: Path) -> None:
    merged = "base: &base {a: 1, b: 2}\nx: {<<: *base, a: 3}\ny: {<<: [*base, {b: 4}], c: 5}\n"
    text = f"{merged}z: [*base, *base]\n1: x\n'1': y\n"
    assert _read(tmp_path, text) == yaml.safe_load(text)
    assert _read(tmp_path, "a: &a [1, {b: *a}]\n") is not None, "an alias within itself ends"
    assert _read(tmp_path, "") is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("2026-13-01", "line 2: '2026-13-01' is no date: month must be in 1..12"),
        ("0x_", "line 2: '0x_' is no number"),
        ("9" * 5_000, f"line 2: '{'9' * 40}' is no number"),
    ],
)
def test_a_value_that_is_none_says_its_line(tmp_path: Path, value: str, message: str) -> None:
    with pytest.raises(yaml.YAMLError, match=re.escape(message)):
        _read(tmp_path, f"a: 2026-01-01\nb: {value}\n")


def _merchant(settings: Settings) -> object:
    return policies.load(merchant.load("shop", settings), settings)


def _contracts(settings: Settings) -> object:
    return load_contracts(settings.sources)


def _glossary(settings: Settings) -> object:
    return glossary.load(settings.transform)


def _suites(settings: Settings) -> object:
    return load_suites(settings.project / "expectations")


@pytest.mark.parametrize(
    ("name", "text", "load"),
    [
        ("merchants/shop.yml", f"{MERCHANT}policies: {{a_days: 5, a_days: 6}}\n", _merchant),
        ("merchants/shop.yml", f"{MERCHANT}title: Other\n", _merchant),
        (
            "merchants/policies.yml",
            "a_days: {value: 1, value: 2, unit: days, name_zh: 天数, description: Days.}",
            _merchant,
        ),
        ("transform/models/sources/shop.yml", "sources: [{name: shop, tables: [], tables: []}]", _contracts),
        ("transform/glossary.yml", "columns: {a: 甲, a: 乙}", _glossary),
        ("expectations/marts/mart_days.yml", "expectations: []\nexpectations: []\n", _suites),
    ],
)
def test_every_reader_says_file_line_and_key(
    tmp_path: Path, name: str, text: str, load: Callable[[Settings], object]
) -> None:
    settings = Settings(project=tmp_path, home=tmp_path / "home", merchant=None, merchants=tmp_path / "merchants")
    for place, content in {"merchants/shop.yml": MERCHANT, "merchants/policies.yml": "{}", name: text}.items():
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=r"line \d+: the key '\w+' stands twice") as error:
        load(settings)
    assert str(error.value).startswith(f"{tmp_path / name}: ")


def test_yaml_is_read_in_one_place() -> None:
    """Another reader would take the last of two keys."""
    found = [
        str(file.relative_to(PROJECT_ROOT))
        for package in ("zhongtai", "orchestration")
        for file in sorted((PROJECT_ROOT / package).rglob("*.py"))
        if re.search(r"\byaml\.(\w*load\w*|\w*Loader)\b", file.read_text(encoding="utf-8"))
    ]
    assert found == ["zhongtai/yamls.py"]


def test_no_file_of_the_project_has_a_key_twice() -> None:
    """Those that only dbt reads too."""
    folders = ("merchants", "transform", "expectations")
    found = (file for folder in folders for file in (PROJECT_ROOT / folder).rglob("*.yml"))
    files = [file for file in found if "target" not in file.parts]
    assert len(files) > 100
    for file in files:
        read_yaml(file)
