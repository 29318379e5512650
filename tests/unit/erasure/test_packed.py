"""Workbooks and Parquet in gzip and zip: a person is taken out of them, and they stay what they were."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from tests.unit.erasure.conftest import forget
from tests.unit.ingest.conftest import Shop
from zhongtai.erasure.search import Answer, Needles
from zhongtai.ingest import landing, ledger

VISITS = {
    "file": "visits*",
    "load_mode": "append",
    "key": ["visit_id"],
    "columns": {
        "visit_id": {"data_type": "string"},
        "user_id": {"data_type": "string", "personal_data": "identifier"},
    },
}
ROWS = [("v1", "user-000001"), ("v2", "user-000002")]


def _workbook() -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([("visit_id", "user_id"), *ROWS]):
            sheet.write_row(number, 0, row)
    return content.getvalue()


def _parquet() -> bytes:
    content = io.BytesIO()
    visits, users = zip(*ROWS, strict=True)
    pq.write_table(pa.table({"visit_id": visits, "user_id": users}), content, compression="zstd")
    return content.getvalue()


def _zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/visits.xlsx", content)
    return packed.getvalue()


@pytest.mark.parametrize("pack", [gzip.compress, _zipped])
@pytest.mark.parametrize(("form", "made"), [("xlsx", _workbook), ("parquet", _parquet)])
def test_a_person_in_a_packed_file_is_found_and_gone(
    shop: Shop, form: str, made: Callable[[], bytes], pack: Callable[[bytes], bytes]
) -> None:
    shop.declare(visits={**VISITS, "format": form})
    packed = pack(made())
    place = shop.put("visits_1", packed)
    shop.run()
    (file,) = landing.read_log(shop.merchant)
    landed = shop.merchant.landing / file.path
    ann, bob = Needles(["user-000001"]), Needles(["user-000002"])
    assert (ann.look_in(place), bob.look_in(landed)) == (Answer.FOUND, Answer.FOUND)

    assert forget(shop, ("shop", "user-000001")).rows == 1
    (load,) = ledger.read(shop.merchant)
    assert (load.rows_read, load.rows_loaded, load.rows_erased) == (2, 1, 1)
    assert shop.raw("visits", "visit_id, user_id") == [("v2", "user-000002")]
    (file,) = landing.read_log(shop.merchant)
    landed = shop.merchant.landing / file.path
    assert (ann.look_in(landed), bob.look_in(landed)) == (Answer.NOT_FOUND, Answer.FOUND)
    assert landed.read_bytes()[:2] == packed[:2], "packed as it was"


def test_what_is_packed_in_what_is_packed_is_not_called_searched(shop: Shop) -> None:
    place = shop.put("visits_1", _zipped(_zipped(gzip.compress(b"user-000001"))))
    assert Needles(["user-000001"]).look_in(place) is Answer.UNSEARCHED
