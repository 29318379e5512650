"""Valid files of every form, and random damage to them: what a broken disk, a cut transfer or an editor does."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from tests.faults.bad_excel import cells
from tests.faults.cases import Row

FORMS = ("csv", "jsonl", "json", "csv.gz", "parquet", "xlsx")
TEXTS = ["a", "茶叶", "", 'say "hi"', "two\nlines", "a,b", "x" * 200, " padded ", "\u2028", "😀", "1e5", "NULL"]
PLAIN = ["a", "茶叶", "", "x" * 200, "1e5"]
BYTES = [b"\xff", b"\0", b'"', b"\n", b"\r", b",", b"{", b"}", b"[", b"\\", b"\xe8", b"\x1f\x8b", b"\xef\xbb\xbf", b"9"]


def valid(form: str, random: Random, first_id: int) -> tuple[bytes, list[Row]]:
    """A valid file of a few records with ids of its own, and the rows that it holds."""
    ids = range(first_id, first_id + random.randint(1, 40))
    # Half of the files have plain texts only: without quotes the rows of a damaged one can be counted exactly.
    texts = TEXTS if random.random() < 0.5 else PLAIN
    records = [(number, random.choice(texts)) for number in ids]
    return _written(form, records, random), [(number, name.strip() or None) for number, name in records]


def _written(form: str, records: list[tuple[int, str]], random: Random) -> bytes:
    if form == "parquet":
        content = io.BytesIO()
        options = {"compression": random.choice(["none", "snappy", "zstd"]), "use_dictionary": random.random() < 0.5}
        ids, names = zip(*records, strict=True)
        pq.write_table(pa.table({"id": list(ids), "name": list(names)}), content, **options)
        return content.getvalue()
    if form == "xlsx":
        return cells(["id", "name"], *map(list, records))
    if form in ("jsonl", "json"):
        is_ascii = random.random() < 0.5
        lines = [json.dumps({"id": number, "name": name}, ensure_ascii=is_ascii) for number, name in records]
        return ("[" + ",\n".join(lines) + "]" if form == "json" else "\n".join(lines) + "\n").encode()
    text = "id,name\n" + "".join(f"{number},{_quoted(name, random)}\n" for number, name in records)
    return gzip.compress(text.encode(), mtime=0) if form == "csv.gz" else text.encode()


def _quoted(text: str, random: Random) -> str:
    if any(mark in text for mark in ',"\n\r') or (text not in PLAIN and random.random() < 0.5):
        return '"' + text.replace('"', '""') + '"'
    return text


def _flip(content: bytearray, _: bytes, random: Random) -> str:
    for _count in range(random.randint(1, 4)):
        place = random.randrange(len(content))
        content[place] ^= random.randint(1, 255)
    return "flip"


def _replace(content: bytearray, _: bytes, random: Random) -> str:
    place = random.randrange(len(content))
    content[place : place + random.randint(1, 8)] = random.choice(BYTES)
    return "replace"


def _cut_end(content: bytearray, _: bytes, random: Random) -> str:
    del content[random.randrange(len(content)) :]
    return "cut the end"


def _cut_front(content: bytearray, _: bytes, random: Random) -> str:
    del content[: random.randrange(len(content))]
    return "cut the front"


def _cut_block(content: bytearray, _: bytes, random: Random) -> str:
    place = random.randrange(len(content))
    del content[place : place + random.randint(1, 64)]
    return "cut a block"


def _insert(content: bytearray, _: bytes, random: Random) -> str:
    place = random.randrange(len(content) + 1)
    content[place:place] = random.choice(BYTES) * random.randint(1, 3)
    return "insert"


def _noise(content: bytearray, _: bytes, random: Random) -> str:
    place = random.randrange(len(content))
    content[place : place + 16] = random.randbytes(random.randint(1, 64))
    return "noise"


def _zeros(content: bytearray, _: bytes, random: Random) -> str:
    """A block that never reached the disk."""
    place = random.randrange(len(content))
    last = min(len(content), place + random.randint(1, 128))
    content[place:last] = bytes(last - place)
    return "zeros"


def _repeat(content: bytearray, _: bytes, random: Random) -> str:
    place = random.randrange(len(content))
    content[place:place] = content[place : place + random.randint(1, 64)]
    return "repeat a block"


def _move(content: bytearray, _: bytes, random: Random) -> str:
    place = random.randrange(len(content))
    last = place + random.randint(1, 64)
    block = content[place:last]
    del content[place:last]
    target = random.randrange(len(content) + 1)
    content[target:target] = block
    return "move a block"


def _splice(content: bytearray, other: bytes, random: Random) -> str:
    content[random.randrange(len(content)) :] = other[random.randrange(len(other)) :]
    return "splice"


def _append(content: bytearray, other: bytes, _: Random) -> str:
    content += other
    return "append the other file"


def _recode(content: bytearray, _: bytes, random: Random) -> str:
    encoding = random.choice(["utf-16", "utf-16-le", "gb18030", "utf-8-sig", "utf-32"])
    content[:] = bytes(content).decode("utf-8", "replace").encode(encoding, "replace")
    return f"recode to {encoding}"


def _line_ends(content: bytearray, _: bytes, random: Random) -> str:
    content[:] = bytes(content).replace(b"\n", random.choice([b"\r", b"\r\n", b"\n\n", b"\n\r"]))
    return "change line ends"


def _pack(content: bytearray, _: bytes, __: Random) -> str:
    content[:] = gzip.compress(bytes(content))
    return "pack"


LOCAL: list[Callable[[bytearray, bytes, Random], str]] = [_flip, _replace, _cut_block, _insert, _noise, _zeros, _repeat]
OTHER = [_cut_end, _cut_front, _move, _splice, _append, _recode, _line_ends, _pack]


def damaged(content: bytes, other: bytes, random: Random) -> tuple[bytes, str]:
    """The file with one to three damages, and what they were; another file of its form to be mixed with."""
    made = bytearray(content)
    was = []
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        if made:
            was.append(random.choice([*LOCAL, *LOCAL, *OTHER])(made, other, random))
    return bytes(made), ", ".join(was)
