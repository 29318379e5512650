"""Chinese names of tables and columns, and what tables are: `transform/glossary.yml`."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from zhongtai.errors import UsageError
from zhongtai.yamls import read_yaml


class Glossary(BaseModel):
    """By name; a column is called the same in every table."""

    model_config = ConfigDict(extra="forbid")

    tables: dict[str, str] = {}
    descriptions: dict[str, str] = {}
    columns: dict[str, str] = {}


def load(transform: Path) -> Glossary:
    """Reads the glossary of a dbt project.

    Raises:
        UsageError: the file is missing or is not as it should be; says where.
    """
    file = transform / "glossary.yml"
    try:
        return Glossary.model_validate(read_yaml(file))
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{file}: not valid YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        advice = "Write NAME: TEXT below tables:, descriptions: or columns:."
        raise UsageError(f"{file}: {where}: {first['msg']}. {advice}") from error
