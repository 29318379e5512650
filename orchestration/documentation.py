"""What `zhongtai docs` prints: where the data dictionary of a release is, and dbt's lineage graph."""

from __future__ import annotations

from rich.console import Console

from zhongtai import lock
from zhongtai import release as releases
from zhongtai.errors import UsageError
from zhongtai.merchant import Merchant
from zhongtai.settings import Settings
from zhongtai.transform import Transform


def print_places(merchant: Merchant, settings: Settings, release_id: str, *, lineage: bool, out: Console) -> None:
    """Prints the pages' paths, one a line; with `lineage` dbt's page is built first.

    Raises:
        UsageError: there is no such release, or it was published before there were dictionaries.
        ZhongtaiError: dbt could not describe the warehouse.
    """
    manifest = releases.get(merchant, release_id)
    page = merchant.releases / manifest.release_id / "dictionary.html"
    if not page.is_file():
        raise UsageError(f"{manifest.release_id} has no dictionary: it is older than they are. Run: zhongtai run")
    out.print(str(page), soft_wrap=True, markup=False)
    if lineage:
        with lock.hold(merchant, "docs"):
            made = Transform(merchant, settings).document(merchant.home / "docs")
        out.print(str(made), soft_wrap=True, markup=False)
