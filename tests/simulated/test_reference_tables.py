"""Calendar, regions and channels are no silo's: they are compared with what is known of China and of the domain."""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest

from tests.real.comparison import assert_same
from tests.simulated.unified.calendar import holidays
from tests.simulated.unified.company import CHANNEL_GROUPS, bare_province
from zhongtai.settings import PROJECT_ROOT

pytestmark = pytest.mark.silos

# First two digits of GB/T 2260 codes.
PROVINCES = {
    "华北": {"11": "北京", "12": "天津", "13": "河北", "14": "山西", "15": "内蒙古"},
    "东北": {"21": "辽宁", "22": "吉林", "23": "黑龙江"},
    "华东": {"31": "上海", "32": "江苏", "33": "浙江", "34": "安徽", "35": "福建", "36": "江西", "37": "山东"},
    "华中": {"41": "河南", "42": "湖北", "43": "湖南"},
    "华南": {"44": "广东", "45": "广西", "46": "海南"},
    "西南": {"50": "重庆", "51": "四川", "52": "贵州", "53": "云南", "54": "西藏"},
    "西北": {"61": "陕西", "62": "甘肃", "63": "青海", "64": "宁夏", "65": "新疆"},
}
CITIES = {
    **{"110100": "北京市", "120100": "天津市", "310100": "上海市", "500100": "重庆市", "440100": "广州市"},
    **{"440300": "深圳市", "440400": "珠海市", "440600": "佛山市", "441900": "东莞市", "442000": "中山市"},
    **{"320100": "南京市", "320500": "苏州市", "330100": "杭州市", "330200": "宁波市", "350200": "厦门市"},
    **{"370200": "青岛市", "210200": "大连市", "420100": "武汉市", "430100": "长沙市", "510100": "成都市"},
    **{"610100": "西安市", "220200": "吉林市", "460200": "三亚市", "540100": "拉萨市", "650100": "乌鲁木齐市"},
}
CORE_CITIES = {"北京市", "上海市", "广州市", "深圳市"}


def test_channels_are_those_of_the_domain_in_their_groups(release: duckdb.DuckDBPyConnection) -> None:
    found = dict(release.sql("select channel, channel_group from unified.dim_channels").fetchall())
    assert CHANNEL_GROUPS.items() <= found.items()


def test_regions_have_the_codes_provinces_and_macro_regions_of_china(release: duckdb.DuckDBPyConnection) -> None:
    regions = release.sql("from unified.dim_regions").df().set_index("region_id")
    wanted = {(code, name, macro) for macro, codes in PROVINCES.items() for code, name in codes.items()}
    found = zip(regions.index.str[:2], bare_province(regions["province"]), regions["macro_region"], strict=True)
    assert set(found) == wanted, "every province, each under its code"
    assert CITIES.items() <= regions["city"].to_dict().items()
    assert set(regions.loc[regions["is_core_city"], "city"]) >= CORE_CITIES


def test_seed_has_the_holidays_of_2024_and_2025() -> None:
    """The simulated company lives in the autumn of 2025; the seed knows more."""
    seed = pd.read_csv(PROJECT_ROOT / "transform" / "seeds" / "holidays.csv", parse_dates=["holiday_date"])
    days = pd.date_range("2024-01-01", "2025-12-31")
    told = pd.DataFrame([{"holiday_date": day, **holidays(day.date())} for day in days])
    wanted = told[told["holiday_name"].notna() | told["festival_name"].notna()]
    assert_same(seed[seed["holiday_date"].isin(days)], wanted, ["holiday_date"], "holidays.csv")
