"""The silos' files in the terms of the unified layer, and how a table is compared whole with what they say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from tests.real.comparison import assert_table
from tests.simulated import expected

# Channels of the domain and their groups (公域, 私域, 线下).
CHANNEL_GROUPS = {
    **dict.fromkeys(("search_engine", "tmall", "jd", "douyin", "xiaohongshu", "ads", "direct"), "public"),
    **dict.fromkeys(("wecom", "group", "mini_program", "sms"), "private"),
    **dict.fromkeys(("store", "pop_up", "pick_up"), "offline"),
}
_PROVINCE_ENDINGS = r"(?:省|市|(?:壮族|回族|维吾尔)?自治区)$"


@dataclass(frozen=True, eq=False)
class Company:
    """What the silos' files tell, and two mappings of the release that other tests judge.

    Attributes:
        silos: the folder of the files.
        people: user_id by silo and source_id: who is who is OneID's.
        regions: region_id by the city's name without 市.
    """

    silos: Path
    people: pd.Series
    regions: pd.Series

    @classmethod
    def of(cls, silos: Path, release: duckdb.DuckDBPyConnection) -> Company:
        """Reads the mappings; no two cities of dim_regions bear one name, so the province is not asked."""
        people = release.sql("select silo, source_id, user_id from unified.bridge_user_identities").df()
        regions = release.sql("select city, region_id from unified.dim_regions").df()
        regions["city"] = bare_city(regions["city"])
        return cls(silos, people.set_index(["silo", "source_id"])["user_id"], regions.set_index("city")["region_id"])

    def rows(self, silo: str, table: str) -> pd.DataFrame:
        """The rows of a silo's table that hold at the end."""
        return expected.rows(self.silos, silo, table)

    def person_of(self, silo: str | pd.Series, source_id: pd.Series) -> pd.Series:
        """The person whom the bridge names; none of an id that it does not know."""
        asked = pd.DataFrame({"silo": silo, "source_id": source_id})
        people = self.people.reset_index()
        found = asked.merge(people, how="left", on=["silo", "source_id"], validate="many_to_one")["user_id"]
        return pd.Series(found.to_numpy(), index=source_id.index)

    def region_of(self, city: pd.Series) -> pd.Series:
        """The region of a city as typed, with or without 市; none of a city that nobody knows."""
        assert self.regions.index.is_unique
        return bare_city(city).map(self.regions)


@dataclass(frozen=True)
class Table:
    """A unified table, its key, and the calculation of its rows.

    Attributes:
        calculated: gives every column but those `apart`; amounts in cents.
        key: names a row.
        apart: columns that are judged elsewhere, or of which only the uniqueness is specified.
        current_only: compares what holds now; the versions before are judged elsewhere.
    """

    calculated: Callable[[Company], pd.DataFrame]
    key: Sequence[str]
    apart: Sequence[str] = ()
    current_only: bool = False


def assert_unified(company: Company, release: duckdb.DuckDBPyConnection, name: str, table: Table) -> None:
    """The table has the calculated rows, in the calculated columns and no others.

    Raises:
        AssertionError: with the first rows that differ, by key and column.
    """
    wanted = table.calculated(company)
    columns = set(release.sql(f"from unified.{name}").columns)
    only_one = (columns - set(table.apart)) ^ set(wanted.columns)
    assert not only_one, f"{name}: columns that only one side has: {only_one}"
    assert not wanted.empty, f"{name}: the files tell no row, so nothing is compared"
    assert_table(release, f"unified.{name}", wanted, table.key, joins="where is_current" if table.current_only else "")


def unified(silo: str | pd.Series, codes: pd.Series) -> pd.Series:
    """Unified ids: the silo's name before its own id; none where there is none."""
    return (silo + ":" + codes).astype(object).where(codes.notna(), None)


def bare_city(city: pd.Series) -> pd.Series:
    return city.str.removesuffix("市")


def bare_province(province: pd.Series) -> pd.Series:
    return province.str.replace(_PROVINCE_ENDINGS, "", regex=True)
