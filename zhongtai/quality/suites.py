"""Expectation suites as data: `expectations/<layer>/…/<table>.yml`, a file a table.

Reading them costs milliseconds and imports no Great Expectations; `validate.check_suites` compares types and arguments
with its classes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from zhongtai.errors import UsageError
from zhongtai.quality.results import Severity
from zhongtai.yamls import read_yaml

Layer = Literal["raw", "unified", "marts"]
BATCH = "{batch}"
UNEXPECTED_ROWS = "unexpected_rows"


class ExpectationSpec(BaseModel):
    """One entry of a suite.

    Attributes:
        name: snake case, unique in its file.
        description: what must hold, in words.
        severity: critical blocks what depends on the table, warning is shown.
        type: Great Expectations' name, for example `expect_column_mean_to_be_between`; or `unexpected_rows`, whose
            `query` selects from `{batch}` (the table) what must not be there.
        kwargs: the expectation's arguments.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    description: Annotated[str, Field(min_length=1)]
    severity: Severity
    type: str
    kwargs: dict[str, Any]

    @model_validator(mode="after")
    def _reads_the_table(self) -> ExpectationSpec:
        if self.type == UNEXPECTED_ROWS and BATCH not in str(self.kwargs.get("query")):
            raise ValueError(f"kwargs must have a query that selects from {BATCH}")
        return self


@dataclass(frozen=True)
class Suite:
    """What must hold of one table.

    Attributes:
        layer: raw, unified or marts.
        schema_name, table: as named in the warehouse; `raw_<silo>` for raw.
        file: where it is written.
        expectations: in the order of the file.
    """

    layer: Layer
    schema_name: str
    table: str
    file: Path
    expectations: tuple[ExpectationSpec, ...]

    @property
    def name(self) -> str:
        """The table with its schema, for example `unified.fct_orders`."""
        return f"{self.schema_name}.{self.table}"


def load_suites(folder: Path, connected_silos: Collection[str] | None = None) -> list[Suite]:
    """Reads all suites below a folder, ordered from raw to marts and by name.

    Args:
        folder: holds `raw/<silo>/<table>.yml`, `unified/<table>.yml` and `marts/<table>.yml`.
        connected_silos: leave out the raw tables of all other silos; None keeps all.

    Raises:
        UsageError: a file is not as it must be; the message names file and entry.
    """
    placed = [(_place(file.relative_to(folder), file), file) for file in folder.rglob("*.yml")]
    wanted = [
        Suite(layer, schema_name, file.stem, file, _read(file))
        for (layer, schema_name), file in placed
        if connected_silos is None or layer != "raw" or schema_name.removeprefix("raw_") in connected_silos
    ]
    order = ("raw", "unified", "marts")
    return sorted(wanted, key=lambda suite: (order.index(suite.layer), suite.name))


def _place(path: Path, file: Path) -> tuple[Layer, str]:
    """Layer and schema that a file's place says."""
    match path.parts[:-1]:
        case ("raw", silo):
            return "raw", f"raw_{silo}"
        case ("unified",):
            return "unified", "unified"
        case ("marts",):
            return "marts", "marts"
    raise UsageError(f"{file}: a suite stands in raw/<silo>/, unified/ or marts/")


def _read(file: Path) -> tuple[ExpectationSpec, ...]:
    """The entries of one file."""
    try:
        content = read_yaml(file)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: not YAML: {_one_line(error)}") from error
    entries = content.get("expectations") if isinstance(content, dict) and len(content) == 1 else None
    if not isinstance(entries, list) or not entries:
        raise UsageError(f"{file}: must hold a list `expectations` and nothing else")
    specs = [_entry(file, number, entry) for number, entry in enumerate(entries, start=1)]
    _refuse_repeats(file, specs)
    return tuple(specs)


def _entry(file: Path, number: int, entry: object) -> ExpectationSpec:
    """One entry, or an error that says which field is wrong."""
    name = entry.get("name", "without a name") if isinstance(entry, dict) else "not a mapping"
    try:
        return ExpectationSpec.model_validate(entry)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))} {fault['msg']}".strip() for fault in error.errors())
        raise UsageError(f"{file}: expectation {number} ({name}): {faults}") from error


def _refuse_repeats(file: Path, specs: list[ExpectationSpec]) -> None:
    """Two entries of one name, or that assert the same: Great Expectations would drop the second silently."""
    for position, spec in enumerate(specs):
        for earlier in specs[:position]:
            if spec.name == earlier.name:
                raise UsageError(f"{file}: expectation {position + 1} ({spec.name}): the name is taken")
            if (spec.type, spec.kwargs) == (earlier.type, earlier.kwargs):
                raise UsageError(
                    f"{file}: expectation {position + 1} ({spec.name}): asserts the same as {earlier.name}"
                )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
