"""Where a silo is extracted from, as the merchant file says it; secrets are named there, never given."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

_SECRETS = {"dsn": "dsn_env", "password": "dsn_env", "token": "token_env", "api_key": "token_env"}


class _Source(BaseModel):
    model_config = ConfigDict(extra="forbid")

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

    dsn_env: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")
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
    """One endpoint of an interface, whose pages are one table; the contract's `records` says where they hold it."""

    path: str
    params: dict[str, str | int] = {}
    pages: Pages | None = None
    since: Since | None = None


class RestSource(_Source):
    """A REST interface that answers in JSON.

    Attributes:
        token_env: the environment variable with the token, None where none is needed.
        header: the header that takes the token; as `Bearer TOKEN` where it is Authorization.
        endpoints: by the contract's table name.
        requests_per_second: an upper bound, of interfaces that say one.
        attempts: how often one page is asked for before the extraction gives up, to go on from there the next time.
        timeout_seconds: of one request.
    """

    base_url: str = Field(pattern=r"^https?://")
    token_env: str | None = Field(default=None, pattern=r"^[A-Z][A-Z0-9_]*$")
    header: str = "Authorization"
    endpoints: dict[str, Endpoint] = Field(min_length=1)
    requests_per_second: float | None = Field(default=None, gt=0)
    attempts: int = Field(default=8, ge=1)
    timeout_seconds: float = Field(default=30, gt=0)
