"""REST interfaces to files of pages, each as it came: no page is lost, and none is asked for twice without need.

A page is a file as soon as it is whole, and only then is the next one remembered; so a break costs no more than the
page that broke.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from zhongtai.errors import ZhongtaiError
from zhongtai.extract import positions
from zhongtai.extract.config import CursorPages, Endpoint, LinkedPages, NumberedPages, OffsetPages, RestSource
from zhongtai.extract.positions import Position
from zhongtai.extract.secrets import Secrets, without_values
from zhongtai.ingest.contract import Contract
from zhongtai.merchant import Merchant
from zhongtai.progress import timed

if TYPE_CHECKING:
    import requests
    import tenacity

_LONGEST_WAIT = 60.0
_WORTH_RETRYING = (408, 425, 429, *range(500, 600))


class _Unusable(Exception):
    """An answer that may be better the next time.

    Attributes:
        wait: seconds that the server asks for.
    """

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


def extract(
    merchant: Merchant,
    silo: str,
    source: RestSource,
    token: str | None,
    contracts: list[Contract],
    secrets: Mapping[str, str] | None = None,
) -> int:
    """Asks each endpoint for what is new; returns how many records were written.

    Args:
        secrets: by the environment variables that the source names for parameters and headers.

    Raises:
        ZhongtaiError: endpoints that keep failing; the others were asked nevertheless.
    """
    by_table = {contract.table: contract for contract in contracts}
    known = secrets or {}
    headers = {name: known[variable] for name, variable in source.headers_env.items()}
    told = headers if token is None else headers | {source.header: token}
    records, broken = 0, []
    with _session(source, token, headers) as session:
        for name, endpoint in source.endpoints.items():
            params = {**source.params_env, **endpoint.params_env}
            own = Secrets({param: known[variable] for param, variable in params.items()}, told)
            with timed("extract", f"{silo}.{name}") as stage, own.out_of_logs():
                try:
                    stage.rows = _endpoint(session, merchant, by_table[name], source, endpoint, own)
                    records += stage.rows
                except ZhongtaiError as error:
                    broken.append(str(error))
    if broken:
        raise ZhongtaiError("; ".join(broken))
    return records


def _session(source: RestSource, token: str | None, headers: dict[str, str]) -> requests.Session:
    import requests

    session = requests.Session()
    session.trust_env = False  # no proxy or password file of this machine takes part
    session.headers["Accept"] = "application/json"
    session.headers.update(headers)
    if token is not None:
        session.headers[source.header] = f"Bearer {token}" if source.header == "Authorization" else token
    return session


def _endpoint(
    session: requests.Session,
    merchant: Merchant,
    contract: Contract,
    source: RestSource,
    endpoint: Endpoint,
    secrets: Secrets,
) -> int:
    """Writes a file for each page that is left."""
    position = positions.read(merchant, contract.silo, contract.table)
    records = 0
    while True:
        response = _asked(session, contract, source, endpoint, position, secrets)
        found = _records(contract, response.json())
        if found:
            content = secrets.out_of_bytes(response.content)
            position.sequence = positions.put(merchant, contract, position.sequence, partial(_write, content=content))
        records += len(found)
        if endpoint.since is not None:
            position.seen = _greatest([position.seen, *_values(found, endpoint.since.field)])
        position.page = _next_page(source, endpoint, position, response, len(found), secrets)
        if position.page is None:
            break
        positions.save(merchant, contract.silo, position)
        if source.requests_per_second is not None:
            time.sleep(1 / source.requests_per_second)
    position.cursor, position.seen = _greatest([position.cursor, position.seen]), None
    positions.save(merchant, contract.silo, position)
    return records


def _asked(
    session: requests.Session,
    contract: Contract,
    source: RestSource,
    endpoint: Endpoint,
    position: Position,
    secrets: Secrets,
) -> requests.Response:
    """The page, asked for until it is whole.

    Raises:
        ZhongtaiError: it is not, after every attempt, or the interface refuses.
    """
    import requests
    import tenacity

    address, params = _request(source, endpoint, position, secrets)

    def ask() -> requests.Response:
        # A redirect could lead the token elsewhere.
        response = session.get(address, params=params, timeout=source.timeout_seconds, allow_redirects=False)
        if response.status_code in _WORTH_RETRYING:
            raise _Unusable(f"status {response.status_code}", _retry_after(response))
        if response.status_code != 200:
            raise ZhongtaiError(f"status {response.status_code}")
        try:
            _records(contract, response.json())
        except ValueError as error:
            raise _Unusable(str(error)) from error
        return response

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type((requests.RequestException, _Unusable)),
        stop=tenacity.stop_after_attempt(source.attempts),
        wait=_wait,
        reraise=True,
    )
    try:
        return retrying(ask)
    except (requests.RequestException, _Unusable, ZhongtaiError) as error:
        reason = type(error).__name__ if isinstance(error, requests.RequestException) else str(error)
        where = f"the page '{without_values(position.page)}'" if position.page else "the first page"
        raise ZhongtaiError(
            f"{contract.silo}.{contract.table}: {where} of {source.base_url}{endpoint.path} cannot be read: {reason}. "
            "The pages before it are kept; the next run goes on from there."
        ) from None


def _wait(state: tenacity.RetryCallState) -> float:
    """What the server asks for, else longer each time, and not in step with others."""
    import tenacity

    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, _Unusable) and error.wait is not None:
        return min(error.wait, _LONGEST_WAIT)
    return float(tenacity.wait_random_exponential(multiplier=0.2, max=_LONGEST_WAIT)(state))


def _retry_after(response: requests.Response) -> float | None:
    """Seconds until the server wants to be asked again: a number or a date (RFC 9110, 10.2.3), or a rate limit's."""
    for name in ("Retry-After", "X-RateLimit-Reset-After"):
        value = response.headers.get(name, "")
        if value.replace(".", "", 1).isdecimal():
            return float(value)
        try:
            return max((parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds(), 0.0)
        except (ValueError, TypeError):
            continue  # no date either, or one without a clock
    return None


def _request(
    source: RestSource, endpoint: Endpoint, position: Position, secrets: Secrets
) -> tuple[str, dict[str, Any]]:
    """Address and parameters of the page where the extraction stands."""
    address = source.base_url.rstrip("/") + "/" + endpoint.path.lstrip("/")
    params: dict[str, Any] = {**endpoint.params, **secrets.params}
    if endpoint.since is not None and position.cursor is not None:
        params[endpoint.since.param] = position.cursor
    pages = endpoint.pages
    if isinstance(pages, LinkedPages) and position.page is not None:
        return position.page, secrets.missing_in(position.page)
    if isinstance(pages, NumberedPages):
        params[pages.param] = position.page or pages.first
    elif isinstance(pages, OffsetPages):
        params |= {pages.param: position.page or 0, pages.limit_param: pages.limit}
    elif isinstance(pages, CursorPages) and position.page is not None:
        params[pages.param] = position.page
    return address, params


def _next_page(
    source: RestSource,
    endpoint: Endpoint,
    position: Position,
    response: requests.Response,
    records: int,
    secrets: Secrets,
) -> str | None:
    """What the next page is asked by, None after the last one.

    Raises:
        ZhongtaiError: it is elsewhere, or the one that was just read: the pages would never end.
    """
    pages = endpoint.pages
    following: str | None = None
    if isinstance(pages, NumberedPages):
        following = str(int(position.page or pages.first) + 1) if records else None
    elif isinstance(pages, OffsetPages):
        following = str(int(position.page or 0) + pages.limit) if records else None
    elif isinstance(pages, CursorPages):
        found = _at(response.json(), pages.path)
        following = str(found) if found not in (None, "", False) else None
    elif isinstance(pages, LinkedPages):
        link = response.links.get("next", {}).get("url") if pages.path is None else _at(response.json(), pages.path)
        following = secrets.out_of_link(urljoin(str(response.url), str(link))) if link else None
        if following and urlsplit(following)[:2] != urlsplit(source.base_url)[:2]:
            raise ZhongtaiError(f"{endpoint.path}: the next page is at another host, which does not get the token")
    if following is not None and following == position.page:
        raise ZhongtaiError(f"{endpoint.path}: the page '{without_values(following)}' names itself as the next one")
    return following


def _records(contract: Contract, document: Any) -> list[Any]:
    """The page's records, where the contract says they are; what is no object among them is for ingest to judge.

    Raises:
        ValueError: there is no list.
    """
    found = _at(document, contract.records)
    if not isinstance(found, list):
        raise ValueError(f"the answer has no list at {contract.records or 'its root'}")
    return found


def _at(document: Any, path: str) -> Any:
    """What stands at keys joined by dots; None where one is missing."""
    for key in filter(None, path.split(".")):
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _values(records: list[Any], field: str) -> list[str | int | float]:
    """What the records tell in a field; another kind of value is no place to go on from."""
    values = [record.get(field) for record in records if isinstance(record, dict)]
    return [value for value in values if isinstance(value, str | int | float)]


def _greatest(values: list[Any]) -> str | None:
    """The greatest of numbers by value, of texts (ISO 8601 moments in one clock) by their letters."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    try:
        return str(max(known, key=int))
    except (ValueError, OverflowError):
        return str(max(known, key=str))


def _write(file: Path, *, content: bytes) -> None:
    file.write_bytes(content)
