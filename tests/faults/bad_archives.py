"""Files that are packed: cut, joined, nested, encrypted, bombs, or of another form than their name says."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from functools import partial

from tests.faults.bad_excel import cells
from tests.faults.bad_parquet import written
from tests.faults.cases import Case, Maker, Rejected, in_lines, one_file, renamed, table, whole_file

CSV, LINES = table("csv"), table("jsonl")
ok: Maker = partial(one_file, CSV)
bad: Maker = partial(whole_file, CSV)
GOOD = "id,name\n1,a\nx,b\n"
ROWS, FAULTS = [(1, "a")], in_lines((2, "id", "type"))
MANY = "id,name\n" + "".join(f"{number},{number * 7919}\n" for number in range(20_000))
PACKED = gzip.compress(MANY.encode())
BOMB_BYTES = 1_200 << 20


def zipped(*members: tuple[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, member in members:
            archive.writestr(name, member)
    return content.getvalue()


def _encrypted() -> bytes:
    """An archive whose member says that it is encrypted."""
    content = bytearray(zipped(("a.csv", GOOD)))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


PART_OF_A_BOMB = b"a" * (16 << 20)


def _gzip_bomb() -> bytes:
    """1.2 GiB of one letter, in members of 16 MiB each."""
    member = gzip.compress(PART_OF_A_BOMB)
    return gzip.compress(b"id,name\n") + member * (BOMB_BYTES // len(PART_OF_A_BOMB))


def _zip_bomb() -> bytes:
    """The same as one member of a zip archive: a packed block of 16 MiB, again and again."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(PART_OF_A_BOMB) + packer.flush(zlib.Z_FULL_FLUSH)
    packed = block * (BOMB_BYTES // len(PART_OF_A_BOMB)) + b"\x03\0"
    entry = struct.pack("<5HIIIHH", 20, 0, 8, 0, 0, 0, len(packed), BOMB_BYTES, 1, 0)
    local = b"PK\x03\x04" + entry + b"a" + packed
    central = b"PK\x01\x02" + struct.pack("<H", 20) + entry + struct.pack("<HHHII", 0, 0, 0, 0, 0) + b"a"
    return local + central + b"PK\x05\x06" + struct.pack("<4HIIH", 0, 0, 1, 1, len(central), len(local), 0)


def _lying_zip() -> bytes:
    """The directory says that the member is 16 bytes long; it is more."""
    content = bytearray(zipped(("a.csv", MANY)))
    struct.pack_into("<I", content, content.index(b"PK\x01\x02") + 24, 16)
    struct.pack_into("<I", content, 22, 16)
    return bytes(content)


def _tar() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        member = tarfile.TarInfo("a.csv")
        member.size = len(GOOD)
        archive.addfile(member, io.BytesIO(GOOD.encode()))
    return content.getvalue()


def _with_embedded(book: bytes) -> bytes:
    """A workbook with another among its parts, as where a table of a document was pasted."""
    content = io.BytesIO(book)
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("xl/embeddings/Microsoft_Excel_Worksheet.xlsx", book)
    return content.getvalue()


GZIP = [
    ok("gzip: a file", gzip.compress(GOOD.encode()), ROWS, *FAULTS),
    ok(
        "gzip: two members",
        gzip.compress(b"id,name\n1,a\n") + gzip.compress(b"2,b\nx,c\n"),
        [(1, "a"), (2, "b")],
        *in_lines((3, "id", "type")),
    ),
    ok("gzip: a member that ends within a line", gzip.compress(b"id,name\n1,") + gzip.compress(b"a\n"), [(1, "a")]),
    bad("gzip: cut in the middle", PACKED[: len(PACKED) // 2], "cut short"),
    bad("gzip: cut in the last bytes", PACKED[:-4], "cut short"),
    bad("gzip: cut in the header", PACKED[:8], "cut short"),
    bad("gzip: the second member is cut", gzip.compress(b"id,name\n1,a\n") + PACKED[:2000], "cut short"),
    bad("gzip: a wrong checksum", PACKED[:-8] + b"\0\0\0\0" + PACKED[-4:], "archive is broken"),
    bad("gzip: a damaged middle", PACKED[:5000] + b"\xaa" * 100 + PACKED[5100:], "archive is broken"),
    ok("gzip: NULs behind the end", gzip.compress(GOOD.encode()) + bytes(512), ROWS, *FAULTS),
    bad("gzip: text behind the end", gzip.compress(GOOD.encode()) + b"2,b\n", "archive is broken"),
    bad("gzip: of gzip", gzip.compress(gzip.compress(GOOD.encode())), "not readable as utf-8"),
    bad("gzip: of nothing", gzip.compress(b""), "empty"),
    bad("gzip: of an archive", _tar(), "'id' is missing", 3),
    renamed(ok("gzip: without the ending", gzip.compress(GOOD.encode()), ROWS, *FAULTS), "a.csv"),
    renamed(ok("gzip: the ending without being packed", GOOD, ROWS, *FAULTS), "a.csv.gz"),
    one_file(
        LINES,
        "gzip: of JSON lines that are cut",
        gzip.compress(b'{"id": 1, "name": "a"}\n{"id": 2'),
        [(1, "a")],
        *in_lines((2, None, "structure"), header_lines=0),
    ),
    bad("gzip: bomb of 1.2 GiB", _gzip_bomb, "unpacks to", is_bomb=True, is_slow=True),
]
ZIP = [
    ok("zip: a file", zipped(("a.csv", GOOD)), ROWS, *FAULTS),
    ok("zip: a file in a folder", zipped(("folder/", b""), ("folder/a.csv", GOOD)), ROWS, *FAULTS),
    ok("zip: a file that would leave its folder", zipped(("../../../a.csv", GOOD)), ROWS, *FAULTS),
    ok("zip: packed by LZMA", zipped(("a.csv", GOOD), method=zipfile.ZIP_LZMA), ROWS, *FAULTS),
    bad("zip: two files", zipped(("a.csv", GOOD), ("b.csv", GOOD)), "holds 2 files"),
    bad(
        "zip: no file",
        zipped(),
        "holds 0 files",
    ),
    bad("zip: of nothing", zipped(("a.csv", b"")), "empty"),
    bad("zip: of a zip", zipped(("a.zip", zipped(("a.csv", GOOD)))), "not readable as utf-8"),
    bad("zip: cut", zipped(("a.csv", MANY))[:-30], "archive is broken"),
    bad(
        "zip: a wrong checksum",
        zipped(("a.csv", MANY)).replace(struct.pack("<I", zlib.crc32(MANY.encode())), b"\1\2\3\4"),
        "archive is broken",
    ),
    bad("zip: encrypted", _encrypted(), "encrypted"),
    bad("zip: a member longer than said", _lying_zip(), "archive is broken"),
    bad("zip: a workbook of that name", cells(["id", "name"], [1, "a"]), "files; one is expected"),
    bad("zip: bomb of 1.2 GiB", _zip_bomb, "unpacks to", is_bomb=True, is_slow=True),
]
BOOK, PARQUET = table("xlsx"), table("parquet")
SHEET = cells(["id", "name"], [1, "a"], ["x", "b"])
COLUMNS = written({"id": ["1", "x"], "name": ["a", "b"]})
FORMS = [
    one_file(BOOK, "gzip: of a workbook", gzip.compress(SHEET), ROWS, *FAULTS),
    one_file(BOOK, "zip: of a workbook", zipped(("a.xlsx", SHEET)), ROWS, *FAULTS),
    one_file(BOOK, "xlsx: with another workbook in it", _with_embedded(SHEET), ROWS, *FAULTS),
    whole_file(BOOK, "gzip: of a workbook, cut", gzip.compress(SHEET)[:-20], "cut short"),
    whole_file(BOOK, "zip: of two workbooks", zipped(("a.xlsx", SHEET), ("b.xlsx", SHEET)), "holds 2 files"),
    whole_file(
        BOOK, "zip: of a CSV file where a workbook is said", zipped(("a.csv", GOOD)), "not readable as a workbook"
    ),
    one_file(PARQUET, "gzip: of Parquet", gzip.compress(COLUMNS), ROWS, Rejected(2, None, "id", "type")),
    one_file(PARQUET, "zip: of Parquet", zipped(("a.parquet", COLUMNS)), ROWS, Rejected(2, None, "id", "type")),
    one_file(
        PARQUET,
        "gzip: of good Parquet",
        gzip.compress(written({"id": [1, 2], "name": ["a", "b"]})),
        [(1, "a"), (2, "b")],
    ),
    whole_file(PARQUET, "zip: of Parquet, cut", zipped(("a.parquet", COLUMNS))[:-30], "archive is broken"),
    whole_file(PARQUET, "gzip: of cut Parquet", gzip.compress(COLUMNS[:-6]), "not readable as Parquet"),
    whole_file(PARQUET, "gzip: bomb where Parquet is said", _gzip_bomb, "unpacks to", is_bomb=True, is_slow=True),
]
OTHERS = [
    bad("archive: bzip2", bz2.compress(GOOD.encode()), "not readable as"),
    bad("archive: xz", lzma.compress(GOOD.encode()), "not readable as"),
    bad("archive: zstd", bytes.fromhex("28b52ffd2010810000") + GOOD.encode(), "not readable as"),
    bad("archive: 7z", bytes.fromhex("377abcaf271c0004") + bytes(range(256)), "not readable as"),
]

CASES: list[Case] = [*GZIP, *ZIP, *FORMS, *OTHERS]
