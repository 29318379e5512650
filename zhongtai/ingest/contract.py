"""Contracts of raw tables, read from the dbt sources YAML: the one place that states them."""

from __future__ import annotations

import fnmatch
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.main import IncEx

from zhongtai.errors import UsageError
from zhongtai.ingest.casts import EXCEL
from zhongtai.yamls import read_yaml

LoadMode = Literal["append", "upsert", "snapshot", "tombstone"]
FileFormat = Literal["parquet", "csv", "jsonl", "json", "xlsx"]
# none: no person behind it. attribute: describes a person, names none. The rest identify one: an identifier is a silo's
# own number for a person, and stays; the others are tokens in raw.
PersonalData = Literal["none", "attribute", "identifier", "name", "phone", "email", "address", "device"]
_TOKENISED = ("name", "phone", "email", "address", "device")

_TYPE = re.compile(r"string|boolean|integer|bigint|double|date|timestamp|decimal\([1-9]\d?,\s?\d\d?\)", re.IGNORECASE)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Column(_Strict):
    """One column of a raw table.

    Attributes:
        name: the name in raw; snake case.
        data_type: a type that DuckDB and Spark both know: string, boolean, integer, bigint, double, date,
            timestamp or decimal(p,s).
        source_name: the header in the silo's file, where it differs from `name`.
        also_named: what other files call it, such as those of before the silo gave it another name.
        nullable: whether an empty value is accepted; never for a key.
        allowed: the only values accepted, compared as text; empty for any.
        time_zone: IANA zone of a naive timestamp's clock, or "local" for the merchant's; raw holds UTC.
        formats: how dates and timestamps may be written beside ISO 8601, as strptime has it: `%d.%m.%Y`;
            `excel`: as days since 1900.
        decimal: what stands before the fraction of a number in text; the other mark may group thousands.
        personal_data: class of personal data.
        identity: of an identifier, `silo.column` where the same one is told in another table; by default its own.
        of_another: whether an identifier is somebody else's than the row is about: who invited, who served.
    """

    name: str
    description: str
    data_type: str
    source_name: str
    also_named: tuple[str, ...] = ()
    nullable: bool = True
    allowed: tuple[str, ...] = ()
    time_zone: str = "UTC"
    formats: tuple[str, ...] = ()
    decimal: Literal[".", ","] = "."
    personal_data: PersonalData = "none"
    identity: str | None = None
    of_another: bool = False

    @property
    def is_tokenised(self) -> bool:
        """Whether raw holds tokens in place of the values (zhongtai/ingest/personal.py)."""
        return self.personal_data in _TOKENISED

    @field_validator("data_type")
    @classmethod
    def _portable_type(cls, value: str) -> str:
        if not _TYPE.fullmatch(value):
            raise ValueError(
                f"'{value}' is not one of string, boolean, integer, bigint, double, date, timestamp, decimal(p,s)"
            )
        return value.lower().replace(" ", "")

    @field_validator("name")
    @classmethod
    def _not_reserved(cls, value: str) -> str:
        if not value or value.startswith("_"):
            raise ValueError(f"'{value}': names that start with an underscore are the platform's own")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value != "local":
            try:
                ZoneInfo(value)
            except (ZoneInfoNotFoundError, ValueError) as error:
                raise ValueError(f"'{value}' is neither 'local' nor an IANA time zone") from error
        return value

    @field_validator("formats")
    @classmethod
    def _says_the_day(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            if text != EXCEL and not (re.search("%[dj-]", text) and re.search("%[yY]", text)):
                raise ValueError(
                    f"'{text}' is no format of a date, such as %d.%m.%Y or %m/%d/%y %H:%M, and not '{EXCEL}'"
                )
        return value

    @field_validator("allowed", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        return tuple(str(item) for item in value) if isinstance(value, list) else value


class Entity(_Strict):
    """Whose rows are made anew together when one of a raw table's rows changes: an order's, a day's stock.

    Attributes:
        name: what it is; tables with the same name belong together.
        column: the column that names it.
        silo: whose id it is, where it is not the table's own.
        is_dated: whether `event_time` tells the date on which the middle layer has the row, so that no other date needs
            to be looked at.
    """

    name: str = Field(pattern="^[a-z_]+$")
    column: str
    silo: str | None = None
    is_dated: bool = False


class Contract(_Strict):
    """What a raw table's files must look like, and how they add up.

    Attributes:
        file: glob on the file's name, for example `orders_*.csv`.
        format: how the file is read; by default from the pattern's ending.
        load_mode: append, upsert, snapshot or tombstone (docs/decisions/0003-load-modes.md).
        key: columns that identify a row; never null.
        version: the column whose greatest value wins (upsert, tombstone); by default the landing order.
        deleted: the boolean column that marks a key as deleted (tombstone).
        history: whether raw shows every version of a key, deletions included, not only the one that holds (upsert and
            tombstone with a version).
        event_time: the column that tells when the row happened; what lies after `as_of` does not exist.
        records: where the records are in a JSON document, keys joined by dots; empty where the document is the list.
        sheet: the sheet of a workbook; by default the first.
        delimiter, quote, encoding: of CSV files; an empty quote says that nothing is quoted.
        business_date: the column that tells on which day a row counts (its local date, where it is a timestamp), where
            `event_time` tells when it was written; a day of which rows are rejected is incomplete.
        cadence: how often the table is expected to land.
        freshness_hours: after how many hours without a new file it is late; by default after two cadences.
        entity: what the middle layer makes anew when a row changes (docs/decisions/0019-what-changed.md); by default
            whatever reads the table.
    """

    silo: str
    table: str
    description: str
    columns: tuple[Column, ...] = Field(min_length=1)
    file: str
    format: FileFormat
    load_mode: LoadMode
    key: tuple[str, ...] = Field(min_length=1)
    version: str | None = None
    deleted: str | None = None
    history: bool = False
    event_time: str | None = None
    business_date: str | None = None
    records: str = ""
    sheet: str | None = None
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    quote: str = Field(default='"', max_length=1)
    encoding: str = "utf-8"
    cadence: Literal["once", "hourly", "daily", "weekly", "monthly"] = "daily"
    freshness_hours: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    entity: Entity | None = None
    yaml_file: Path = Field(exclude=True)

    @property
    def has_days(self) -> bool:
        """Whether its rows tell on which day they count."""
        return self.business_date is not None or self.event_time is not None

    @model_validator(mode="after")
    def _columns_exist(self) -> Contract:
        known = {column.name for column in self.columns}
        # DuckDB and Spark do not tell upper case from lower case in names.
        if len({name.casefold() for name in known}) != len(self.columns):
            raise ValueError("a column is named twice")
        for role, names in (
            ("key", self.key),
            ("version", (self.version,)),
            ("deleted", (self.deleted,)),
            ("event_time", (self.event_time,)),
            ("business_date", (self.business_date,)),
            ("entity", (self.entity.column if self.entity else None,)),
        ):
            for name in names:
                if name is not None and name not in known:
                    raise ValueError(f"{role} names '{name}', which is not a column")
        for name in self.key:
            if self.column(name).nullable:
                raise ValueError(f"'{name}' is part of the key and cannot be nullable")
        if self.history and (self.load_mode not in ("upsert", "tombstone") or self.version is None):
            raise ValueError("history is kept of upsert and tombstone tables with a version")
        for role, told in (("event_time", self.event_time), ("business_date", self.business_date)):
            if told and self.column(told).data_type not in ("timestamp", "date"):
                raise ValueError(f"{role} '{told}' must be a timestamp or a date")
        return self

    @model_validator(mode="after")
    def _dated_by_something(self) -> Contract:
        if self.entity and self.entity.is_dated:
            if self.event_time is None:
                raise ValueError("entity: is_dated needs event_time, the column that tells the date")
            if self.load_mode in ("upsert", "tombstone"):
                raise ValueError(
                    "entity: is_dated is for rows that stay as they are, and those of upsert may change dates"
                )
            if self.column(self.event_time).nullable:
                raise ValueError(
                    f"entity: is_dated needs a date of every row: '{self.event_time}' must be nullable: false"
                )
        return self

    @model_validator(mode="after")
    def _tokens_fit(self) -> Contract:
        known = {column.name.casefold() for column in self.columns}
        for column in self.columns:
            if not column.is_tokenised:
                continue
            what = f"'{column.name}' is of the class {column.personal_data}"
            if column.data_type != "string":
                raise ValueError(f"{what}, of which raw holds tokens: its data_type must be string")
            if column.name == self.version:
                raise ValueError(f"{what}, of which raw holds tokens: they have no order, and cannot be the version")
            if column.personal_data == "phone" and column.name in self.key:
                raise ValueError(f"{what}, and cannot be part of the key: a masked phone has no token")
            if column.personal_data == "phone" and f"{column.name}_partial".casefold() in known:
                raise ValueError(f"{what}: raw has '{column.name}_partial' beside it, and the file may not")
        return self

    @model_validator(mode="after")
    def _other_names_are_free(self) -> Contract:
        names = [name for column in self.columns for name in (column.source_name, *column.also_named)]
        for column in self.columns:
            for name in column.also_named:
                if names.count(name) > 1:
                    raise ValueError(f"'{column.name}' is also_named '{name}', which is a name of another column too")
        return self

    def called(self, names: Sequence[str]) -> list[str]:
        """The names of a file's columns, those that the contract also knows under another name by their `source_name`.

        Where a file has a column under two of its names, the names stay: nobody can tell which of them counts.
        """
        by_name = {
            found[0]: column.source_name
            for column in self.columns
            if column.also_named
            and column.source_name not in names
            and len(found := [name for name in names if name in column.also_named]) == 1
        }
        return [by_name.get(name, name) for name in names]

    @property
    def is_tokenised(self) -> bool:
        """Whether raw holds tokens in some column."""
        return any(column.is_tokenised for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)

    def matches(self, file_name: str) -> bool:
        """Whether a file of this name belongs to the table."""
        return fnmatch.fnmatchcase(file_name, self.file)

    @property
    def hash(self) -> str:
        """Changes when what is loaded would; words alone do not load every file again."""
        # Contracts from before there were other names keep their hash.
        unused = set() if any(column.also_named for column in self.columns) else {"also_named"}
        columns: IncEx = {"__all__": {"description", "identity", "of_another", *unused}}
        words: IncEx = {
            "description": True,
            "cadence": True,
            "freshness_hours": True,
            "entity": True,
            "columns": columns,
            **({} if self.business_date else {"business_date": True}),
        }
        return hashlib.sha256(self.model_dump_json(exclude=words).encode()).hexdigest()[:16]


def load_contracts(folder: Path, silos: list[str] | None = None) -> list[Contract]:
    """Reads every contract below `folder`, in the order of file and table names.

    Args:
        folder: the dbt sources folder, `transform/models/sources`.
        silos: only these, where given.

    Raises:
        UsageError: a contract is wrong, or a silo has none; names file, table and column.
    """
    contracts: list[Contract] = []
    for file in sorted(folder.glob("*.yml")):
        contracts += [contract for contract in _read(file) if silos is None or contract.silo in silos]
    for silo in silos or []:
        if not any(contract.silo == silo for contract in contracts):
            raise UsageError(
                f"The silo '{silo}' has no contracts: there is no {folder / (silo + '.yml')}. See docs/contracts.md."
            )
    return contracts


def _read(file: Path) -> list[Contract]:
    try:
        content = read_yaml(file) or {}
    except yaml.YAMLError as error:
        raise UsageError(f"{file}: not valid YAML: {error}") from error
    contracts = []
    for source in content.get("sources", []):
        for table in source.get("tables", []):
            meta = dict((table.get("config") or {}).get("meta") or {})
            if "file" not in meta:
                continue  # not landed from files: tables that the platform itself writes
            try:
                contracts.append(_contract(source["name"], table, meta, file))
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(str(part) for part in first["loc"])
                raise UsageError(
                    f"{file}: {source['name']}.{table.get('name')}: {where or 'contract'}: {first['msg']}"
                ) from error
    return contracts


def _contract(silo: str, table: dict, meta: dict, file: Path) -> Contract:
    columns = []
    for column in table.get("columns", []):
        column_meta = dict((column.get("config") or {}).get("meta") or {})
        columns.append(
            {
                "name": column.get("name"),
                "description": column.get("description"),
                "data_type": column.get("data_type"),
                "source_name": column.get("name"),
                "nullable": column.get("name") not in meta.get("key", []),
                **column_meta,
            }
        )
    plain = str(meta["file"]).removesuffix(".gz").removesuffix(".zip")
    meta.setdefault("format", "parquet" if plain.endswith(".parquet") else "csv")
    return Contract.model_validate(
        {
            "silo": silo,
            "table": table.get("name"),
            "description": table.get("description"),
            "columns": columns,
            "yaml_file": file,
            **meta,
        }
    )
