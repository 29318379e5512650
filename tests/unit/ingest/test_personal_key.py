"""The key of personal tokens: where it comes from, and which are refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.ingest.conftest import Shop
from zhongtai import merchant as merchants
from zhongtai.errors import UsageError
from zhongtai.ingest import personal_key
from zhongtai.merchant import Merchant
from zhongtai.settings import PROJECT_ROOT, Settings

SECRET, OTHER = "5e" * 32, "0f" * 32
FILE = "title: Shop\ntime_zone: Asia/Shanghai\ncurrency: CNY\nlocale: zh_CN\nsilos: {}\n"

NAMED = {
    **Shop.ORDERS,
    "columns": {**Shop.ORDERS["columns"], "buyer": {"data_type": "string", "personal_data": "name"}},
}

NAMED = {
    **Shop.ORDERS,
    "columns": {**Shop.ORDERS["columns"], "buyer": {"data_type": "string", "personal_data": "name"}},
}


def load(tmp_path: Path, extra: str = "", key: str | None = None, key_file: Path | None = None) -> Merchant:
    """A merchant whose file has this line more, in this environment."""
    (tmp_path / "merchants").mkdir(exist_ok=True)
    (tmp_path / "merchants" / "shop.yml").write_text(FILE + extra, encoding="utf-8")
    installation = Settings(
        project=PROJECT_ROOT,
        home=tmp_path / "data",
        merchant=None,
        merchants=tmp_path / "merchants",
        personal_key=key,
        personal_key_file=key_file,
    )
    return merchants.load("shop", installation)


def key_file(folder: Path, text: str = SECRET + "\n", mode: int = 0o600) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "shop.key"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return file


def test_the_key_is_the_environment_s_or_its_file_s_or_the_merchant_file_s(tmp_path: Path) -> None:
    file = key_file(tmp_path / "keys")
    named = f"personal_key_file: {file}\n"
    assert personal_key.key(load(tmp_path, key=OTHER)) == bytes.fromhex(OTHER)
    assert personal_key.key(load(tmp_path, key_file=file)) == bytes.fromhex(SECRET)
    assert personal_key.key(load(tmp_path, named)) == bytes.fromhex(SECRET)
    assert personal_key.key(load(tmp_path, "personal_key_file: ../keys/shop.key\n")) == bytes.fromhex(SECRET)
    assert personal_key.key(load(tmp_path, named, key=OTHER)) == bytes.fromhex(OTHER)


def test_a_public_key_holds_whatever_the_environment_says(tmp_path: Path) -> None:
    public = load(tmp_path, f'public_personal_key: "{OTHER}"\n', key=SECRET)
    assert personal_key.key(public) == bytes.fromhex(OTHER)


@pytest.mark.parametrize(
    ("text", "mode", "message"),
    [
        (SECRET, 0o640, "can be read by others than its owner. Run: chmod 600"),
        (SECRET, 0o604, "can be read by others"),
        ("", 0o600, "holds no key: 64 hexadecimal digits"),
        (SECRET[:-2], 0o600, "holds no key"),
        ("pässword", 0o600, "holds no key"),
    ],
)
def test_a_bad_key_file_is_refused(tmp_path: Path, text: str, mode: int, message: str) -> None:
    file = key_file(tmp_path / "keys", text, mode)
    with pytest.raises(UsageError, match=message) as error:
        personal_key.key(load(tmp_path, key_file=file))
    assert SECRET[:8] not in str(error.value)


def test_a_key_file_in_the_data_folder_is_refused_also_behind_a_link(tmp_path: Path) -> None:
    inside = key_file(tmp_path / "data" / "shop")
    link = tmp_path / "elsewhere.key"
    link.symlink_to(inside)
    for file in (inside, link):
        with pytest.raises(UsageError, match="is in the data folder"):
            personal_key.key(load(tmp_path, key_file=file))


def test_a_key_file_that_is_gone_says_what_a_new_one_means(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be read: No such file.*loads every table"):
        personal_key.key(load(tmp_path, key_file=tmp_path / "gone.key"))


def test_two_keys_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="are both set"):
        personal_key.key(load(tmp_path, key=SECRET, key_file=tmp_path / "any.key"))
    with pytest.raises(UsageError, match="are both given"):
        load(tmp_path, f'public_personal_key: "{OTHER}"\npersonal_key_file: a.key\n')
    with pytest.raises(UsageError, match="public_personal_key"):
        load(tmp_path, "public_personal_key: short\n")
    with pytest.raises(UsageError, match="the platform sets this itself"):
        load(tmp_path, f'environment_personal_key: "{OTHER}"\n')


def test_only_a_merchant_with_columns_that_become_tokens_needs_a_key(tmp_path: Path, shop: Shop) -> None:
    keyless = load(tmp_path)
    shop.declare(orders=NAMED)
    with pytest.raises(UsageError, match="zhongtai key > FILE"):
        personal_key.require_key(keyless, shop.contracts)
    shop.declare(orders=Shop.ORDERS)
    personal_key.require_key(keyless, shop.contracts)
    assert personal_key.fingerprint(keyless, shop.contracts[0]) == ""
    assert personal_key.fingerprint(keyless) == ""


def test_the_fingerprint_changes_with_the_key_and_is_not_part_of_it(tmp_path: Path, shop: Shop) -> None:
    shop.declare(orders=NAMED)
    shop.declare(orders=NAMED)
    prints = {personal_key.fingerprint(load(tmp_path, key=key), shop.contracts[0]) for key in (SECRET, SECRET, OTHER)}
    assert len(prints) == 2
    assert not any(found in SECRET + OTHER for found in prints)


def test_the_key_is_in_nothing_that_is_shown(tmp_path: Path) -> None:
    shown = load(tmp_path, key=SECRET)
    settings = Settings(tmp_path, tmp_path, None, tmp_path, personal_key=SECRET)
    for text in (repr(shown), str(shown), repr(settings), shown.model_dump_json()):
        assert SECRET not in text


def test_the_command_makes_a_key_that_only_its_owner_can_read(tmp_path: Path) -> None:
    file = tmp_path / "new.key"
    with file.open("w") as stream:
        file.chmod(0o644)
        done = subprocess.run(
            [sys.executable, "-m", "orchestration.cli", "key"],
            stdout=stream,
            stderr=subprocess.PIPE,
            text=True,
            check=True,
            env={**os.environ, "ZHONGTAI_HOME": str(tmp_path / "data")},
        )
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text(encoding="utf-8").strip() not in done.stderr
    assert "personal_key_file" in done.stderr
    assert len(personal_key.key(load(tmp_path, key_file=file))) == 32
