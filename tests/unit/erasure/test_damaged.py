"""Damaged archives are searched as far as they can be unpacked, and what cannot be is never called searched."""

from __future__ import annotations

import gzip
import io
import random
import re
import time
import zipfile
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from tests.unit.erasure.conftest import BOB, USERS, forget, planned
from tests.unit.ingest.conftest import Shop
from zhongtai.erasure import archives, search
from zhongtai.erasure.search import Answer, Needles

ANN_ID = ("shop", "user-000001")
NEEDLES = Needles(["user-000001"])
DICE = random.Random(7)
FIRST = USERS + "user-000001,138 1234 5678,,Ann,\n"
OTHERS = "".join(f"user-{DICE.randrange(10**9):09d},,,{DICE.random()},\n" for _ in range(4_000))


def zipped(*members: tuple[str, str], method: int = zipfile.ZIP_DEFLATED, streamed: bool = False) -> bytes:
    """An archive; a streamed one tells sizes and sums behind each member."""
    sink = io.BytesIO()
    with zipfile.ZipFile(_Pipe(sink) if streamed else sink, "w", method) as archive:
        for name, text in members:
            archive.writestr(name, text)
    return sink.getvalue()


class _Pipe(io.RawIOBase):
    """Bytes that are only written on."""

    def __init__(self, sink: io.BytesIO) -> None:
        self._sink = sink

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        return self._sink.write(bytes(data))  # type: ignore[call-overload]


def workbook(rows: list[tuple[str, ...]]) -> bytes:
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink, {"in_memory": True}) as book:
        sheet = book.add_worksheet("users")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return sink.getvalue()


def parquet(ids: list[str], compression: str = "zstd") -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"user_id": ids}), sink, compression=compression, use_dictionary=False)
    return sink.getvalue()


def with_other_bits(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


def look(folder: Path, content: bytes, needles: Needles = NEEDLES) -> Answer:
    file = folder / "searched"
    file.write_bytes(content)
    return needles.look_in(file)


PACKED = gzip.compress((FIRST + OTHERS).encode())
LAST = gzip.compress((USERS + OTHERS + "user-000001,,,Ann,\n").encode())
SMALL = gzip.compress(FIRST.encode())
FOUND = {
    "gzip cut": PACKED[:-200],
    "gzip cut in its trailer": SMALL[:-3],
    "gzip cut to its beginning": PACKED[:4_000],
    "gzip with a wrong sum": with_other_bits(SMALL, len(SMALL) - 6),
    "gzip damaged behind the person": with_other_bits(PACKED, len(PACKED) // 2),
    "a second gzip member": gzip.compress(OTHERS.encode()) + SMALL[:-20],
    "a gzip member behind a damaged one": with_other_bits(gzip.compress(OTHERS.encode()), 9_000) + SMALL,
    "gzip with name and comment": b"\x1f\x8b\x08\x1c" + bytes(6) + b"\x03\0abcname\0comment\0" + SMALL[10:-9],
    "zip cut": zipped(("users.csv", FIRST + OTHERS))[:-150],
    "zip cut to its beginning": zipped(("users.csv", FIRST + OTHERS))[:4_000],
    "zip that was streamed, cut": zipped(("users.csv", FIRST + OTHERS), streamed=True)[:-150],
    "zip cut, stored": zipped(("users.csv", FIRST + OTHERS), method=zipfile.ZIP_STORED)[:-150],
    "a second zip member": zipped(("a.csv", OTHERS), ("b.csv", FIRST))[:-130],
    "a zip member behind a damaged one": with_other_bits(zipped(("a.csv", OTHERS), ("b.csv", FIRST)), 9_000)[:-100],
    "zip with a wrong sum": with_other_bits(zipped(("users.csv", FIRST)), 15),
    "workbook cut": workbook([("user_id",), ("user-000001",)])[:-800],
    "Parquet": parquet(["user-000001"]),
    "Parquet cut, not packed": parquet(["user-000001"], "none")[:-10],
}


@pytest.mark.parametrize("content", FOUND.values(), ids=FOUND)
def test_what_can_be_unpacked_is_searched(tmp_path: Path, content: bytes) -> None:
    assert look(tmp_path, content) is Answer.FOUND


NOT_FOUND = {
    "gzip": gzip.compress((USERS + OTHERS).encode()),
    "gzip cut": gzip.compress((USERS + OTHERS).encode())[:-200],
    "gzip filled up with zeros": gzip.compress(b"a") + bytes(100),
    "gzip cut in its header": PACKED[:7],
    "zip": zipped(("a.csv", OTHERS), ("b.csv", OTHERS)),
    "zip that was streamed": zipped(("a.csv", OTHERS), ("b.csv", OTHERS), streamed=True),
    "zip cut": zipped(("a.csv", OTHERS))[:-150],
    "zip of nothing": zipped(),
    "workbook": workbook([("user_id",), ("user-000002",)]),
    "Parquet": parquet(["user-000002"]),
    "text that begins as Parquet's name does": b"PAR is a word",
    "nothing": b"",
}


@pytest.mark.parametrize("content", NOT_FOUND.values(), ids=NOT_FOUND)
def test_what_was_searched_to_its_end_and_holds_nobody(tmp_path: Path, content: bytes) -> None:
    assert look(tmp_path, content) is Answer.NOT_FOUND


def encrypted() -> bytes:
    content = bytearray(zipped(("users.csv", FIRST)))
    content[6] |= 1
    return bytes(content)


UNSEARCHED = {
    "the person behind a damage": with_other_bits(LAST, 5_000),
    "a damage after which the stream seems sound": with_other_bits(LAST, 20_000),
    "a stream that a damage ends early": gzip.compress(b"", mtime=0)[:-8] + b"\1" * 8 + PACKED[20:],
    "zip, the person behind a damage": with_other_bits(zipped(("a.csv", OTHERS + "user-000001")), 9_000),
    "zip that is encrypted": encrypted(),
    "zip of another method": zipped(("users.csv", FIRST), method=zipfile.ZIP_LZMA),
    "an archive in an archive in an archive": gzip.compress(gzip.compress(PACKED)),
    "an archive stored in an archive": zipped(("a.gz", PACKED.decode("latin-1")), method=zipfile.ZIP_STORED).replace(
        PACKED.decode("latin-1").encode(), PACKED
    ),
    "zstd": b"\x28\xb5\x2f\xfd" + bytes(100),
    "Parquet cut": parquet([f"user-{number:06d}" for number in range(3_000)])[:-100],
}


@pytest.mark.parametrize("content", UNSEARCHED.values(), ids=UNSEARCHED)
def test_what_cannot_be_unpacked_is_not_called_searched(tmp_path: Path, content: bytes) -> None:
    assert look(tmp_path, content) is Answer.UNSEARCHED


def test_nothing_before_a_damage_is_missed(tmp_path: Path) -> None:
    """Wherever the damage is: what zlib gives byte by byte is there."""
    for place in range(600, len(PACKED) - 8, 4_999):
        content = with_other_bits(PACKED, place)
        machine, wanted = zlib.decompressobj(31), b""
        for one in content:
            try:
                wanted += machine.decompress(bytes([one]))
            except zlib.error:
                break
        last = wanted.decode("latin-1").rsplit("\n", 1)[-1][-20:]
        assert look(tmp_path, content, _Anywhere(last)) is Answer.FOUND, place


class _Anywhere(Needles):
    """A text that also letters and digits may touch: what stands before a damage may end anywhere."""

    def __init__(self, text: str) -> None:
        super().__init__(["unused"])
        self._bytes = [(text.encode("latin-1"), re.compile(re.escape(text.encode("latin-1"))))]


def test_a_bomb_is_unpacked_only_so_far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "BOMB_BYTES", 1 << 20)
    monkeypatch.setattr(archives, "BOMB_RATIO", 10)
    assert look(tmp_path, gzip.compress(bytes(1 << 24))) is Answer.UNSEARCHED
    assert look(tmp_path, zipped(("a.csv", "\0" * (1 << 24)), ("b.csv", FIRST))) is Answer.UNSEARCHED


def test_an_archive_of_broken_members_does_not_run_without_end(tmp_path: Path) -> None:
    header = zipped(("a.csv", FIRST))[:35] + b"\xff" * 5
    begun = time.monotonic()
    assert look(tmp_path, header * 50_000) is Answer.UNSEARCHED
    assert time.monotonic() - begun < 20


def test_an_escape_of_json_s_does_not_hide_a_text(tmp_path: Path) -> None:
    for before in ('"', "\\n", "\\u8bdd", "电话"):
        assert look(tmp_path, f'{{"note": "{before}user-000001"}}'.encode()) is Answer.FOUND
    assert look(tmp_path, b"xuser-000001") is Answer.NOT_FOUND


@pytest.mark.parametrize(
    ("table", "name", "content"),
    [
        (
            "contacts",
            "contacts_2.jsonl.gz",
            gzip.compress(b'{"contact_id": "user-000001", "phone": null}\n' * 99)[:-20],
        ),
        ("users", "users_2.csv", zipped(("users.csv", FIRST + OTHERS))[:-150]),
        ("users", "users_2.csv", with_other_bits(gzip.compress((FIRST + OTHERS).encode()), 9_000)),
        ("order_lines", "order_lines_2.parquet", parquet(["user-000001"], "none")[:-10]),
    ],
    ids=["gzip cut", "zip cut", "gzip with a wrong sum", "Parquet cut"],
)
def test_a_damaged_file_that_holds_the_person_is_emptied(people: Shop, table: str, name: str, content: bytes) -> None:
    source = people.put(name, content)
    people.run()
    before = search.search(people.merchant, NEEDLES, {})
    done = forget(people, ANN_ID)
    assert done.tables["shop", table].whole_files == 1
    assert source in done.sources
    (landed,) = [file for file in people.merchant.landing.rglob("*2*") if name in file.name]
    assert any(landed in place.found for place in before)
    assert landed.read_bytes() == b""
    after = search.search(people.merchant, Needles(done.needles), {})
    assert not any(place.found or place.unsearched for place in after)
    assert people.run() == []


@pytest.mark.parametrize("form", ["parquet", "gzip"])
def test_a_file_that_cannot_be_searched_is_named_and_stays_until_it_is_to_go(people: Shop, form: str) -> None:
    if form == "parquet":
        name, content = "order_lines_2.parquet", parquet([f"order-{number:06d}" for number in range(3_000)])[:-100]
    else:
        name, content = "users_2.csv", with_other_bits(gzip.compress((USERS + OTHERS).encode()), 9_000)
    people.put(name, content)
    people.run()
    (landed,) = [file for file in people.merchant.landing.rglob("*2*") if name in file.name]
    assert planned(people, ANN_ID).unsearched == [landed]
    done = forget(people, ANN_ID)
    assert done.unsearched == [landed]
    assert landed.read_bytes() == content
    (place,) = [one for one in search.search(people.merchant, Needles(done.needles), {}) if one.name == "landing"]
    assert (place.found, place.unsearched) == ([], [landed])
    assert place.files == sum(file.is_file() for file in people.merchant.landing.rglob("*")) - 1

    # The person is nowhere else now; the same command goes on with what is left.
    again = forget(people, ANN_ID, also_doubtful=True)
    assert again.unsearched == []
    assert landed.read_bytes() == b""
    assert not any(place.unsearched for place in search.search(people.merchant, Needles(done.needles), {}))
    assert people.run() == []


def test_pages_of_a_parquet_file_that_are_damaged_are_no_end_of_the_command(people: Shop) -> None:
    content = parquet([f"line-{DICE.randrange(10**9)}" for _ in range(3_000)])
    table = pq.read_table(io.BytesIO(content)).rename_columns(["line_id"])
    wide = table.append_column("order_id", table.column(0)).append_column("units", pa.array([1] * 3_000))
    sink = io.BytesIO()
    pq.write_table(wide, sink, compression="zstd", use_dictionary=False)
    damaged = bytearray(sink.getvalue())
    damaged[2_000:2_400] = bytes(400)
    people.put("order_lines_2.parquet", bytes(damaged))
    people.run()
    done = forget(people, ANN_ID)
    assert [file.name for file in done.unsearched] == ["00000006_order_lines_2.parquet"]
    assert people.raw("users", "user_id") == [(BOB.split(",", maxsplit=1)[0],)]
