"""Merchant files: what is read, and what a wrong one says."""

from __future__ import annotations

from pathlib import Path

import pytest

from zhongtai import merchant
from zhongtai.errors import UsageError
from zhongtai.settings import PROJECT_ROOT, Settings

GOOD = "title: Shop\ntime_zone: Asia/Shanghai\ncurrency: CNY\nlocale: zh_CN\nsilos:\n  erp: {path: /data/erp}\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "merchants").mkdir()
    return Settings(project=PROJECT_ROOT, home=tmp_path / "home", merchant=None, merchants=tmp_path / "merchants")


def _write(settings: Settings, name: str, text: str) -> None:
    (settings.merchants / f"{name}.yml").write_text(text, encoding="utf-8")


def test_reads_silos_and_folders(settings: Settings) -> None:
    _write(settings, "shop", GOOD)
    shop = merchant.load("shop", settings)
    assert shop.silo_folder("erp") == Path("/data/erp")
    assert shop.database == settings.home / "shop" / "warehouse" / "zhongtai.duckdb"
    assert shop.silo_states["erp"] == "connected"
    assert shop.silo_states["weather"] == "not connected"
    assert len(shop.silo_states) == 10


def test_relative_folder_is_below_the_merchants_data(settings: Settings) -> None:
    _write(settings, "shop", GOOD.replace("/data/erp", "inbox/erp"))
    assert merchant.load("shop", settings).silo_folder("erp") == settings.home / "shop" / "inbox" / "erp"


def test_the_only_merchant_needs_no_name_and_one_of_several_does(settings: Settings) -> None:
    with pytest.raises(UsageError, match="none yet"):
        merchant.load(None, settings)
    _write(settings, "shop", GOOD)
    assert merchant.load(None, settings).name == "shop"
    _write(settings, "other", GOOD)
    with pytest.raises(UsageError, match="--merchant or set ZHONGTAI_MERCHANT: other, shop"):
        merchant.load(None, settings)
    (settings.home / "other").mkdir(parents=True)
    assert merchant.load(None, settings).name == "other", "the only one with data"
    (settings.home / "shop").mkdir()
    with pytest.raises(UsageError, match="Which merchant"):
        merchant.load(None, settings)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("Asia/Shanghai", "China"), "time_zone: .*'China' is not an IANA time zone"),
        (GOOD.replace("currency: CNY\n", ""), "currency: Field required"),
        (GOOD + "colour: red\n", "colour: Extra inputs"),
        (GOOD.replace("{path: /data/erp}", "{}"), "silos.erp: .*give 'path'"),
        (GOOD + "home: /elsewhere\n", "home: the platform sets this itself"),
        ("- a list\n", "is a mapping"),
        ("title: [unclosed\n", "not valid YAML"),
    ],
)
def test_wrong_file_says_where(settings: Settings, text: str, message: str) -> None:
    _write(settings, "shop", text)
    with pytest.raises(UsageError, match=message) as error:
        merchant.load("shop", settings)
    assert "shop.yml" in str(error.value)


def test_missing_package_says_how_to_get_it(settings: Settings) -> None:
    _write(settings, "shop", GOOD.replace("path: /data/erp", "package: no_such_package"))
    with pytest.raises(UsageError, match="pip install no-such-package"):
        merchant.load("shop", settings).silo_folder("erp")
