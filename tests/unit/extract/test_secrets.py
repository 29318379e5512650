"""Secrets stay out of merchant files, and out of what is logged, said and written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import yaml

from zhongtai import merchant
from zhongtai.errors import UsageError
from zhongtai.extract.secrets import Secrets, looks_secret, without_values
from zhongtai.settings import PROJECT_ROOT, Settings

SECRET = "hunter2/+ &x"


@pytest.mark.parametrize(
    "name",
    [
        *("token", "access_token", "accessToken", "ACCESSTOKEN", "X-Auth-Token", "secret", "app_secret", "appsecret"),
        *("key", "api_key", "apikey", "APIKey", "app_key", "X-Api-Key", "key1", "password", "passwd", "userPwd"),
        *("sign", "signature", "authorization", "auth", "session", "sessionid", "client_credential", "auth[token]"),
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "page",
            "page_token",
            "pageToken",
            "next_token",
            "sort_key",
            "order_key",
            "keyword",
            "keywords",
            "max_tokens",
        ),
        *("sign_type", "signMethod", "token_type", "design", "author", "passenger_id", "monkey", "status", "limit", ""),
    ],
)
def test_names_of_harmless_parameters(name: str) -> None:
    assert not looks_secret(name)


def load(folder: Path, **rest: Any) -> merchant.Merchant:
    content = {
        **{"title": "Shop", "time_zone": "Asia/Shanghai", "currency": "CNY", "locale": "zh_CN"},
        "silos": {"live": {"path": "live", "rest": {"base_url": "https://open.example.com", **rest}}},
    }
    (folder / "shop.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return merchant.load("shop", Settings(project=PROJECT_ROOT, home=folder, merchant=None, merchants=folder))


@pytest.mark.parametrize(
    ("rest", "instead"),
    [
        ({"endpoints": {"doc": {"path": "/d", "params": {"access_token": "hunter2"}}}}, "access_token: ACCESS_TOKEN"),
        ({"endpoints": {"doc": {"path": "/d", "params": {"password": 77234}}}}, "password: PASSWORD"),
        ({"endpoints": {"doc": {"path": "/d?v=2&api-key=hunter2"}}}, "api-key: API_KEY"),
        (
            {"base_url": "https://open.example.com/?sign=hunter2", "endpoints": {"doc": {"path": "/d"}}},
            "sign: SIGN",
        ),
    ],
)
def test_a_secret_in_a_merchant_file_is_refused_with_the_setting_to_write(
    tmp_path: Path, rest: dict[str, Any], instead: str
) -> None:
    with pytest.raises(UsageError, match=rf"is a secret and does not belong .* params_env: \{{{instead}\}}") as found:
        load(tmp_path, **rest)
    for text in (str(found.value), str(found.value.__cause__)):
        assert "hunter2" not in text and "77234" not in text


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ({"base_url": "https://ann:hunter2@open.example.com"}, r"headers_env: \{Authorization: AUTHORIZATION\}"),
        ({"params_env": {"access_token": "hunter2"}}, r"params_env\.access_token: .*match pattern"),
        ({"headers_env": {"X-Token": "hunter2"}}, r"headers_env\.X-Token: .*match pattern"),
        ({"token_env": "hunter2"}, r"token_env: .*match pattern"),
        ({"token_env": "A", "header": "X-Token: hunter2"}, r"header: .*match pattern"),
        ({"token_env": "A", "headers_env": {"authorization": "B"}}, "Authorization is in headers_env, and takes the"),
        ({"params_env": {"shop": "SHOP"}}, "/d: 'shop' is in params and in params_env"),
    ],
)
def test_other_places_of_a_secret_are_refused_without_telling_it(
    tmp_path: Path, rest: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message) as found:
        load(tmp_path, **{"endpoints": {"doc": {"path": "/d", "params": {"shop": 1}}}, **rest})
    assert "hunter2" not in str(found.value) + str(found.value.__cause__)


def test_what_the_pager_sets_is_no_secret(tmp_path: Path) -> None:
    pages = {"by": "cursor", "param": "page_token", "path": "next_token"}
    since = {"param": "key", "field": "key"}
    shop = load(tmp_path, endpoints={"doc": {"path": "/d", "pages": pages, "since": since, "params": {"limit": 5}}})
    assert shop.silos["live"].rest is not None


@pytest.mark.parametrize(
    "told",
    [
        json.dumps({"token": SECRET}),
        json.dumps({"inner": json.dumps({"token": SECRET})}).replace("/", r"\/"),
        "/orders?token=" + quote(SECRET, safe=""),
        "/orders?token=" + quote_plus(SECRET).replace("%2F", "%2f"),
        json.dumps(SECRET).replace("&", "\\u0026"),
    ],
)
def test_a_secret_is_found_in_whatever_form(told: str) -> None:
    left = Secrets({"token": SECRET}, {}).out_of_bytes(f"茶 {told}".encode()).decode()
    assert "hunter2" not in left and "***" in left and left.startswith("茶 ")


def test_short_secrets_are_found_beside_their_names_and_rows_stay_as_they_are() -> None:
    secrets = Secrets({"key": "10", "shop": "77", "sort": "created_at"}, {"Authorization": "s3cret"})
    rows = b'[{"shop": "77", "id": 10, "amount": "10.77", "created_at": "s3cret", "keys": "10"}]'
    assert secrets.out_of_bytes(rows) == rows
    told = b'{"url": "/a?key=10&b=10", "key": "10", "headers": {"authorization": "Bearer s3cret"}}'
    assert (
        secrets.out_of_bytes(told)
        == b'{"url": "/a?key=***&b=10", "key": "***", "headers": {"authorization": "Bearer ***"}}'
    )


def test_messages_have_no_values_of_parameters_that_look_secret() -> None:
    assert without_values("https://a.b/c?page=2&sign=ab%2Fc&x=1 failed") == "https://a.b/c?page=2&sign=***&x=1 failed"
    assert Secrets({"shop": "77"}, {}).out_of_text('"GET /c?shop=77&x=1 HTTP/1.1" 200') == (
        '"GET /c?shop=***&x=1 HTTP/1.1" 200'
    )


def test_the_link_of_a_page_keeps_all_but_the_parameters_of_every_page() -> None:
    secrets = Secrets({"token": "a b", "shop": "77"}, {})
    link = secrets.out_of_link("https://a.b/c?x=1%2C2&token=a+b&page=2&shop=78")
    assert link == "https://a.b/c?x=1%2C2&page=2&shop=78"
    assert secrets.missing_in(link) == {"token": "a b"}
    assert secrets.out_of_link("https://a.b/c?token=a%20b") == "https://a.b/c"
    assert secrets.out_of_link("https://a.b/c") == "https://a.b/c"
