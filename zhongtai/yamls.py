"""YAML files read by libyaml where it is there: ten times as fast as the same in Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(file: Path) -> Any:
    """The content of a file in UTF-8.

    Raises:
        yaml.YAMLError: it is not valid YAML.
        UnicodeDecodeError: it is not UTF-8.
    """
    return yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER)
