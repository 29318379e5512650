"""Extraction from a server that fails, throttles and cuts connections: every record arrives, and once."""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

import pytest
import tenacity

from tests.unit.ingest.conftest import Shop
from zhongtai.errors import UsageError, ZhongtaiError
from zhongtai.extract import extract, positions, rest
from zhongtai.extract.config import RestSource
from zhongtai.ingest import quarantine
from zhongtai.merchant import SiloLocation

pytestmark = pytest.mark.faults

ORDERS: dict[str, Any] = {
    "file": "orders_*.json",
    "format": "json",
    "records": "data.list",
    "load_mode": "upsert",
    "key": ["id"],
    "version": "version",
    "columns": {
        "id": {"data_type": "bigint"},
        "version": {"data_type": "bigint"},
        "amount": {"data_type": "decimal(18,2)"},
    },
}
SIZE = 10
Answer = tuple[int, dict[str, str], bytes]
Fault = Callable[["_Handler", bytes], bool]


class _Handler(BaseHTTPRequestHandler):
    """Pages of records; before each the next fault, if any, has its way."""

    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        self.server.asked.append((address.path, query, self.headers.get("Authorization")))
        body = self.server.page(query)
        fault = self.server.faults.pop(0) if self.server.faults else None
        if fault is None or not fault(self, body):
            self.answer(200, body)

    def answer(self, status: int, body: bytes, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in (self.server.headers(self) | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


class _Server(ThreadingHTTPServer):
    """Attributes: records by id; the faults to come; every request with its path, query and token."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.records: dict[int, Any] = {
            number: {"id": number, "version": 1, "amount": 19.99} for number in range(1, 96)
        }
        self.faults: list[Fault | None] = []
        self.asked: list[tuple[str, dict[str, str], str | None]] = []
        self.by = "number"

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def page(self, query: dict[str, str]) -> bytes:
        since = int(query.get("since", 0))
        records = [
            record
            for record in self.records.values()
            if not isinstance(record, dict) or not isinstance(record["version"], int) or record["version"] >= since
        ]
        place = self.place(query)
        data: dict[str, Any] = {"list": records[place : place + SIZE]}
        if place + SIZE < len(records):
            data |= {"next": place + SIZE, "link": f"/orders?place={place + SIZE}"}
        return json.dumps({"data": data}).encode()

    def place(self, query: dict[str, str]) -> int:
        if self.by == "number":
            return (int(query["page"]) - 1) * SIZE
        return int(query.get({"offset": "offset", "cursor": "cursor"}.get(self.by, "place"), 0))

    def headers(self, handler: _Handler) -> dict[str, str]:
        address = urlsplit(handler.path)
        place = self.place({name: values[0] for name, values in parse_qs(address.query).items()})
        is_last = place + SIZE >= len(self.records)
        return {} if self.by != "header" or is_last else {"Link": f'</orders?place={place + SIZE}>; rel="next"'}


@contextmanager
def serving() -> Iterator[_Server]:
    with _Server() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def server() -> Iterator[_Server]:
    with serving() as server:
        yield server


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop that waits a hundredth of the time between attempts."""
    monkeypatch.setattr(tenacity.nap.time, "sleep", lambda seconds, sleep=time.sleep: sleep(seconds / 100))
    shop = Shop(tmp_path)
    shop.declare(orders=ORDERS)
    return shop


def source(server: _Server, **more: Any) -> RestSource:
    pages = {
        "number": {"by": "number"},
        "offset": {"by": "offset", "limit": SIZE},
        "cursor": {"by": "cursor", "path": "data.next"},
        "link": {"by": "link", "path": "data.link"},
        "header": {"by": "link"},
    }[server.by]
    endpoint = {"path": "/orders", "pages": pages, "since": more.pop("since", None)}
    return RestSource.model_validate({"base_url": server.address, "endpoints": {"orders": endpoint}, **more})


def load(shop: Shop, server: _Server, **more: Any) -> int:
    extracted = rest.extract(shop.merchant, "shop", source(server, **more), "s3cret", shop.contracts)
    shop.run()
    return extracted


def stored(shop: Shop) -> list[tuple[int, int]]:
    return sorted(shop.raw("orders", "id, version"))


def error(handler: _Handler, _: bytes) -> bool:
    handler.answer(503, b"down")
    return True


def throttled(handler: _Handler, _: bytes) -> bool:
    handler.answer(429, b"slower", Retry_After="1")
    return True


def cut(handler: _Handler, body: bytes) -> bool:
    handler.answer(200, body[: len(body) // 2], length=len(body))
    handler.close_connection = True
    return True


def dropped(handler: _Handler, _: bytes) -> bool:
    handler.close_connection = True
    return True


def torn(handler: _Handler, body: bytes) -> bool:
    handler.answer(200, body[: len(body) // 2])  # whole for HTTP, and no JSON
    return True


def page_of_error(handler: _Handler, _: bytes) -> bool:
    handler.answer(200, b'{"error": "maintenance"}')
    return True


@pytest.mark.parametrize("by", ["number", "offset", "cursor", "link", "header"])
def test_every_record_arrives_once_from_a_server_that_fails(shop: Shop, server: _Server, by: str) -> None:
    server.by = by
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    chance = random.Random(seed)
    faults: list[Fault | None] = [error, throttled, cut, dropped, torn, page_of_error]
    server.faults = chance.sample(faults * 3 + [None] * 12, 30)
    assert load(shop, server, attempts=30) == 95
    assert stored(shop) == [(number, 1) for number in range(1, 96)]
    assert not server.faults or len(server.asked) >= 10
    assert {token for _, _, token in server.asked} == {"Bearer s3cret"}
    assert all(read == sum(others) for read, *others in shop.counts())


def test_pages_with_a_renamed_field_wait_for_the_contract(shop: Shop, server: _Server) -> None:
    for number in range(51, 96):
        server.records[number] = {"id": number, "version": 1, "net_amount": 20.01}
    assert load(shop, server) == 95
    assert sorted(shop.raw("orders", "id, cast(amount as varchar)")) == [(number, "19.99") for number in range(1, 51)]
    faulty = [file for file in quarantine.list_quarantine(shop.merchant) if file.message]
    assert [file.reasons for file in faulty] == [{"file": 10}] * 4 + [{"file": 5}]
    assert all("column 'amount' is missing" in str(file.message) for file in faulty)
    columns = {**ORDERS["columns"], "amount": {**ORDERS["columns"]["amount"], "also_named": ["net_amount"]}}
    shop.declare(orders={**ORDERS, "columns": columns})
    shop.run()
    assert len(shop.raw("orders")) == 95
    assert {amount for (amount,) in shop.raw("orders", "cast(amount as varchar)")} == {"19.99", "20.01"}


def test_a_server_that_tells_the_hour_is_waited_for(
    shop: Shop, server: _Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retry-After is a number of seconds or a date; a date of the past, or none at all, is no reason to wait long."""
    waited: list[float] = []
    monkeypatch.setattr(tenacity.nap.time, "sleep", waited.append)

    def until(text: str) -> Fault:
        def fault(handler: _Handler, _: bytes) -> bool:
            handler.answer(503, b"down", Retry_After=text)
            return True

        return fault

    now = datetime.now(UTC)
    soon, past = (format_datetime(now + timedelta(seconds=shift), usegmt=True) for shift in (40, -3600))
    server.faults = [until(soon), until(past), until("tomorrow")]
    assert load(shop, server) == 95
    assert 30 < waited[0] <= 40 and waited[1] == 0 and waited[2] < 2


def answering(status: int, body: bytes, location: str = "") -> Fault:
    """This answer instead of the page."""

    def fault(handler: _Handler, _: bytes) -> bool:
        handler.answer(status, body, Location=location)
        return True

    return fault


@pytest.mark.parametrize("by", ["number", "offset", "cursor", "link", "header"])
def test_what_is_no_object_is_a_row_with_its_reason_and_ends_no_paging(shop: Shop, server: _Server, by: str) -> None:
    server.by = by
    odd = [None, "x", 7, [1], True, [], "", None, None, None]
    lists = {"id": 12, "version": [3], "amount": 1}
    listed = [*server.records.values()][:SIZE] + odd + [{"id": 11, "version": 2, "amount": 1}, "last", lists]
    server.records = dict(enumerate(listed))
    assert load(shop, server, since={"param": "since", "field": "version"}) == len(listed)
    assert stored(shop) == [*((number, 1) for number in range(1, SIZE + 1)), (SIZE + 1, 2)]
    *rejected, number = shop.rejected("orders")
    assert {(row["reason"], row["message"]) for row in rejected} == {("structure", "not a JSON object")}
    texts = [None, '"x"', "7", "[1]", "true", "[]", '""', None, None, None, '"last"']
    assert [row["row_text"]["line"] for row in rejected] == texts
    assert (number["row_text"]["id"], number["reason"]) == ("12", "type")
    assert shop.counts() == [(10, 10, 0, 0, 0), (10, 0, 10, 0, 0), (3, 1, 2, 0, 0)]
    assert positions.read(shop.merchant, "shop", "orders").cursor == "2"


def test_a_server_that_dies_is_asked_again_from_where_it_broke(shop: Shop, server: _Server) -> None:
    server.faults = [None] * 4 + [error] * 3
    with pytest.raises(ZhongtaiError, match=r"shop\.orders: the page '5' of .* cannot be read: status 503") as found:
        load(shop, server, attempts=3)
    assert "s3cret" not in str(found.value)
    shop.run()
    assert len(stored(shop)) == 40
    asked = len(server.asked)
    load(shop, server)
    assert server.asked[asked][1]["page"] == "5"
    assert len(stored(shop)) == 95


def test_what_changed_is_asked_for_since_the_greatest_value(shop: Shop, server: _Server) -> None:
    since = {"param": "since", "field": "version"}
    assert load(shop, server, since=since) == 95
    server.records[3] = {"id": 3, "version": 10, "amount": 5}
    load(shop, server, since=since)
    assert positions.read(shop.merchant, "shop", "orders").cursor == "10"
    assert load(shop, server, since=since) == 1, "the last one again, because others may share its value"
    assert stored(shop) == sorted([*((number, 1) for number in range(1, 96)), (3, 10)])


def test_a_break_forgets_nothing_of_what_changed_before_it(shop: Shop, server: _Server) -> None:
    since = {"param": "since", "field": "version"}
    server.records[1]["version"] = 10
    server.faults = [None] * 2 + [error] * 2
    with pytest.raises(ZhongtaiError):
        load(shop, server, since=since, attempts=2)
    load(shop, server, since=since)
    assert positions.read(shop.merchant, "shop", "orders").cursor == "10"
    assert len(stored(shop)) == 95


def test_a_page_that_comes_twice_is_loaded_once(shop: Shop, server: _Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.by = "cursor"
    pages = server.page
    monkeypatch.setattr(server, "page", lambda query: pages({} if query.get("cursor") == "10" else query))
    with pytest.raises(ZhongtaiError, match="names itself as the next one"):
        load(shop, server)
    shop.run()
    assert len(stored(shop)) == 10


def test_the_token_stays_with_its_host(shop: Shop, server: _Server) -> None:
    with serving() as other:
        server.faults = [answering(302, b"", other.address + "/orders?page=1")]
        with pytest.raises(ZhongtaiError, match="status 302"):
            load(shop, server)
        server.by = "link"
        page = json.dumps({"data": {"list": [{"id": 1}], "link": other.address + "/orders?place=0"}}).encode()
        server.faults = [answering(200, page)]
        with pytest.raises(ZhongtaiError, match="at another host"):
            load(shop, server)
        assert not other.asked


@pytest.mark.parametrize("by", ["number", "offset", "cursor", "link", "header"])
def test_secrets_of_the_environment_are_sent_with_every_page_and_written_nowhere(
    shop: Shop, server: _Server, by: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The interface tells them back: in its links, and in what it says of the request."""
    server.by = by
    secrets = {"LIVE_KEY": "SECRET/+123", "LIVE_SIGN": "SECRET", "LIVE_LOGIN": "Basic U0VDUkVUOlNFQ1JFVA=="}
    back = f"&access_token={quote_plus(secrets['LIVE_KEY'])}&sign=SECRET"
    page, headers = server.page, server.headers

    def echoing(query: dict[str, str]) -> bytes:
        told = page(query).decode().replace("/orders?place", f"/orders?{back[1:]}&place")
        return json.dumps(json.loads(told) | {"request": query, "login": server.asked[-1][2]}).encode()

    monkeypatch.setattr(server, "page", echoing)
    monkeypatch.setattr(
        server,
        "headers",
        lambda handler: {name: value.replace(">", back + ">") for name, value in headers(handler).items()},
    )
    server.faults = [None, None, error, error]
    caplog.set_level(logging.DEBUG)
    given = source(server, attempts=2, params_env={"access_token": "LIVE_KEY"}).model_dump(by_alias=True)
    given["endpoints"]["orders"]["params_env"] = {"sign": "LIVE_SIGN"}
    given |= {"headers_env": {"Authorization": "LIVE_LOGIN"}}
    shop.merchant.silos["shop"] = SiloLocation.model_validate({"path": str(shop.incoming), "rest": given})
    with pytest.raises(UsageError, match="set the environment variable LIVE_KEY"):
        extract.extract(shop.merchant, shop.contracts)
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)

    broken = extract.extract(shop.merchant, shop.contracts)["shop"]
    assert "status 503" in broken
    assert extract.extract(shop.merchant, shop.contracts) == {}
    shop.run()
    assert stored(shop) == [(number, 1) for number in range(1, 96)]
    assert {(query["access_token"], query["sign"], login) for _, query, login in server.asked} == {
        tuple(secrets.values())
    }
    written = [file for file in shop.folder.rglob("*") if file.is_file()]
    assert any(b"***" in file.read_bytes() for file in written)
    for value in (*secrets.values(), back, "SECRET", "U0VDUkVU"):
        assert value not in broken + caplog.text
        assert not [file for file in written if value.encode() in file.read_bytes() or value in file.name]
    assert "GET /orders?" in caplog.text


def test_a_refusal_is_told_at_once(shop: Shop, server: _Server) -> None:
    server.faults = [answering(401, b"who are you")]
    with pytest.raises(ZhongtaiError, match="status 401"):
        load(shop, server)
    assert len(server.asked) == 1


def test_numbers_arrive_as_they_were_written(shop: Shop, server: _Server) -> None:
    page = b'{"data": {"list": [{"id": 9007199254740993, "version": 1, "amount": 1234567890123456.78}]}}'
    server.faults = [answering(200, page)]
    server.records = {}
    load(shop, server)
    assert [(str(item), str(amount)) for item, amount in shop.raw("orders", "id, amount")] == [
        ("9007199254740993", "1234567890123456.78")
    ]
