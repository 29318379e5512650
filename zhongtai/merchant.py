"""A merchant: which silos it has, where they are, and its money and clock."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from zhongtai import settings as settings_module
from zhongtai.errors import UsageError
from zhongtai.extract.config import PostgresSource, RestSource
from zhongtai.settings import Settings
from zhongtai.yamls import read_yaml

# The silos of an e-commerce company; a merchant may have any of them, and exports of its own beside them.
SILOS = (
    "storefront",
    "marketplace",
    "live",
    "stores",
    "crm",
    "marketing",
    "market",
    "erp",
    "logistics",
    "weather",
)


class SiloLocation(BaseModel):
    """Where a silo's files arrive: a folder, or the folder of an installed data package.

    Attributes:
        postgres, rest: a database or an interface whose rows are written into the folder first.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    path: str | None = None
    package: str | None = None
    postgres: PostgresSource | None = None
    rest: RestSource | None = None

    @model_validator(mode="after")
    def _one_place(self) -> SiloLocation:
        if self.path is None and self.package is None:
            raise ValueError("give 'path' (a folder), or 'package' and 'path' below it")
        if self.package is not None and (self.postgres is not None or self.rest is not None):
            raise ValueError("what is extracted goes into a folder of the merchant: give 'path' without 'package'")
        return self

    def folder(self, base: Path) -> Path:
        """The silo's folder; a relative path is below `base` or the package's folder.

        Raises:
            UsageError: the package is not installed.
        """
        if self.package is not None:
            spec = importlib.util.find_spec(self.package)
            if spec is None or not spec.submodule_search_locations:
                raise UsageError(
                    f"The data package '{self.package}' is not installed. "
                    f"Run: pip install {self.package.replace('_', '-')}"
                )
            base = Path(next(iter(spec.submodule_search_locations)))
        return (base / (self.path or ".")).expanduser()


class Merchant(BaseModel):
    """One merchant file, and the folders of its data.

    Attributes:
        time_zone: IANA name; a business date is the local date in it.
        currency: ISO 4217 code of every amount.
        silos: the connected silos by name; a silo that is not here is "not connected".
        policies: overrides of `merchants/policies.yml`, checked in `zhongtai.policies`.
        links_masked_phones: whether buyers with masked phones are linked to persons, as evidence apart.
        personal_key_file: the file that holds the key of personal tokens; relative to the merchant file.
        public_personal_key: the key itself, of data without real persons: whoever has it can undo the tokens.
        environment_personal_key, environment_personal_key_file: the environment's, as `settings` read them.
    """

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True)

    name: str
    title: str
    description: str = ""
    time_zone: str
    currency: str
    locale: str
    silos: dict[str, SiloLocation]
    policies: dict[str, object] = {}
    links_masked_phones: bool = False
    personal_key_file: str | None = None
    public_personal_key: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    file: Path
    home: Path
    environment_personal_key: SecretStr | None = Field(default=None, exclude=True)
    environment_personal_key_file: Path | None = Field(default=None, exclude=True)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"'{value}' is not an IANA time zone such as Asia/Shanghai") from error
        return value

    @model_validator(mode="after")
    def _one_key(self) -> Merchant:
        if self.personal_key_file is not None and self.public_personal_key is not None:
            raise ValueError("personal_key_file and public_personal_key are both given: the public one is no secret")
        return self

    @property
    def landing(self) -> Path:
        """Immutable files as they came, and the log of their order."""
        return self.home / "landing"

    @property
    def raw(self) -> Path:
        """Typed Parquet, a file for each landed file, and the ledger."""
        return self.home / "raw"

    @property
    def quarantine(self) -> Path:
        """Rejected rows with their reasons, a file for each landed file."""
        return self.home / "quarantine"

    @property
    def warehouse(self) -> Path:
        """The private build; readers never open it."""
        return self.home / "warehouse"

    @property
    def database(self) -> Path:
        """The private DuckDB file that dbt builds in."""
        return self.warehouse / "zhongtai.duckdb"

    @property
    def releases(self) -> Path:
        """What readers open."""
        return self.home / "releases"

    @property
    def silo_states(self) -> dict[str, str]:
        """Every silo: connected, or not connected."""
        return dict.fromkeys(self.silos, "connected") | {
            silo: "not connected" for silo in SILOS if silo not in self.silos
        }

    def silo_folder(self, silo: str) -> Path:
        """Where the silo's files arrive; a relative path is below the merchant's data folder."""
        return self.silos[silo].folder(self.home)


def load(name: str | None = None, settings: Settings | None = None) -> Merchant:
    """Reads `merchants/<name>.yml`.

    Args:
        name: the merchant; by default the environment's, else the only one that there is or that has data.

    Raises:
        UsageError: no such merchant, none chosen among several, or a wrong file.
    """
    settings = settings or settings_module.load()
    chosen = name or settings.merchant or _only_one(settings)
    file = settings.merchants / f"{chosen}.yml"
    if not file.is_file():
        raise UsageError(f"There is no merchant '{chosen}'. {_choice(settings)}")
    try:
        content = read_yaml(file) or {}
        if not isinstance(content, dict):
            raise UsageError(f"{file}: a merchant file is a mapping; see docs/merchants.md")
        own = {
            "name": chosen,
            "file": file,
            "home": settings.home / chosen,
            "environment_personal_key": settings.personal_key,
            "environment_personal_key_file": settings.personal_key_file,
        }
        if taken := sorted(set(own) & set(content)):
            raise UsageError(f"{file}: {taken[0]}: the platform sets this itself; remove it")
        return Merchant.model_validate(content | own)
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: not UTF-8 text: {error}") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{file}: not valid YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise UsageError(f"{file}: {where}: {first['msg']}") from error


def names(settings: Settings) -> list[str]:
    """The merchants that have a file, sorted."""
    return sorted(file.stem for file in settings.merchants.glob("*.yml") if file.stem != "policies")


def _only_one(settings: Settings) -> str:
    found = names(settings)
    if len(found) > 1:
        found = [name for name in found if (settings.home / name).is_dir()]
    if len(found) != 1:
        raise UsageError(f"Which merchant? {_choice(settings)}")
    return found[0]


def _choice(settings: Settings) -> str:
    return f"Give --merchant or set ZHONGTAI_MERCHANT: {', '.join(names(settings)) or 'none yet'}."
