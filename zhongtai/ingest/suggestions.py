"""Lines of the sources YAML: what a contract would have to say."""

from __future__ import annotations

import yaml

from zhongtai.ingest.contract import Column


def column(name: str, line: str) -> str:
    """A column of the sources YAML, in one line."""
    return f"- {{name: {quoted(name)}, {line}}}"


def renamed(column_: Column, successor: str) -> str:
    """The column under its new name; files of before are loaded again by it, and have the name of before."""
    before = [name for name in (column_.source_name, *column_.also_named) if name != successor]
    others = ", ".join(map(quoted, before))
    return column(column_.name, f"config: {{meta: {{source_name: {quoted(successor)}, also_named: [{others}]}}}}")


def quoted(text: str) -> str:
    """Text as YAML inside brackets."""
    return str(yaml.safe_dump(text, default_flow_style=True, allow_unicode=True, width=10_000)).split("\n")[0]
