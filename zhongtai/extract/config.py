"""Where a silo is extracted from, as the merchant file says it; secrets are named there, never given."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from zhongtai.extract.secrets import looks_secret, setting

_SECRETS = {"dsn": "dsn_env", "password": "dsn_env", "token": "token_env", "api_key": "token_env"}


_VARIABLE = r"^[A-Z][A-Z0-9_]*$"
_HEADER = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"  # RFC 9110, 5.1
Variables = dict[str, Annotated[str, Field(pattern=_VARIABLE)]]


class _Source(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _without_secrets(cls, given: Any) -> Any:
        for name in _SECRETS if isinstance(given, dict) else ():
            if name in given:
                raise ValueError(
                    f"'{name}' is a secret and does not belong in a file: put it in an environment variable, and give "
                    f"the variable's name in '{_SECRETS[name]}'"
                )
        return given


class PostgresTable(_Source):
    """One table of a database.

    Attributes:
        relation: its name there, with schema if it is another one; by default the contract's table.
        cursor: a column that grows with every change; without one the whole table is read each time.
    """

    relation: str | None = None
    cursor: str | None = None


class PostgresSource(_Source):
    """A PostgreSQL database.

    Attributes:
        dsn_env: the environment variable with the connection string.
        tables: by the contract's table name.
    """

    dsn_env: str = Field(pattern=_VARIABLE)
    db_schema: str = Field(default="public", alias="schema")
    tables: dict[str, PostgresTable | None] = Field(min_length=1)


class NumberedPages(_Source):
    """Pages by number, until one is empty."""

    by: Literal["number"]
    param: str = "page"
    first: int = 1


class OffsetPages(_Source):
    """Pages by offset and limit, until one is empty."""

    by: Literal["offset"]
    param: str = "offset"
    limit_param: str = "limit"
    limit: int = Field(default=100, ge=1)


class CursorPages(_Source):
    """Each page tells a cursor of the next one, at a path such as `data.next_cursor`."""

    by: Literal["cursor"]
    param: str = "cursor"
    path: str


class LinkedPages(_Source):
    """Each page tells the address of the next one, at a path, or in its Link header where no path is given."""

    by: Literal["link"]
    path: str | None = None


Pages = Annotated[NumberedPages | OffsetPages | CursorPages | LinkedPages, Field(discriminator="by")]


class Since(_Source):
    """Only what changed since the last time.

    Attributes:
        param: the query parameter that takes the greatest value seen.
        field: the field of a record that tells it.
    """

    param: str
    field: str


class Endpoint(_Source):
    """One endpoint of an interface, whose pages are one table; the contract's `records` says where they hold it.

    Attributes:
        params_env: query parameters that are secrets, by the environment variables that hold them.
    """

    path: str
    params: dict[str, str | int] = {}
    params_env: Variables = {}
    pages: Pages | None = None
    since: Since | None = None

    @model_validator(mode="after")
    def _without_literals(self) -> Endpoint:
        _check_literals([*self.params, *_query_names(self.path)])
        return self


class RestSource(_Source):
    """A REST interface that answers in JSON.

    Attributes:
        token_env: the environment variable with the token, None where none is needed.
        header: the header that takes the token; as `Bearer TOKEN` where it is Authorization.
        params_env, headers_env: query parameters and headers of every request that are secrets, by the environment
            variables that hold them as they are sent.
        endpoints: by the contract's table name.
        requests_per_second: an upper bound, of interfaces that say one.
        attempts: how often one page is asked for before the extraction gives up, to go on from there the next time.
        timeout_seconds: of one request.
    """

    base_url: str = Field(pattern=r"^https?://")
    token_env: str | None = Field(default=None, pattern=_VARIABLE)
    header: str = Field(default="Authorization", pattern=_HEADER)
    params_env: Variables = {}
    headers_env: dict[Annotated[str, Field(pattern=_HEADER)], Annotated[str, Field(pattern=_VARIABLE)]] = {}
    endpoints: dict[str, Endpoint] = Field(min_length=1)
    requests_per_second: float | None = Field(default=None, gt=0)
    attempts: int = Field(default=8, ge=1)
    timeout_seconds: float = Field(default=30, gt=0)

    @property
    def variables(self) -> list[str]:
        """The environment variables of parameters and headers, sorted."""
        named = [self.params_env, self.headers_env, *(endpoint.params_env for endpoint in self.endpoints.values())]
        return sorted({variable for variables in named for variable in variables.values()})

    @model_validator(mode="after")
    def _without_literals(self) -> RestSource:
        if "@" in urlsplit(self.base_url).netloc:
            raise ValueError(
                "a user's name and password in base_url are a secret and do not belong in a file: put 'Basic …' in an "
                f"environment variable, and give the variable's name: {setting('headers_env', 'Authorization')}"
            )
        _check_literals(_query_names(self.base_url))
        for endpoint in self.endpoints.values():
            if twice := sorted(set(endpoint.params) & {*self.params_env, *endpoint.params_env}):
                raise ValueError(f"{endpoint.path}: '{twice[0]}' is in params and in params_env")
        if self.token_env is not None and self.header.lower() in map(str.lower, self.headers_env):
            raise ValueError(f"{self.header} is in headers_env, and takes the token as well")
        return self


def _query_names(address: str) -> list[str]:
    return [name for name, _ in parse_qsl(urlsplit(address).query, keep_blank_values=True)]


def _check_literals(names: list[str]) -> None:
    for name in names:
        if looks_secret(name):
            raise ValueError(
                f"'{name}' is a secret and does not belong in a file: put it in an environment variable, and give the "
                f"variable's name: {setting('params_env', name)}"
            )
