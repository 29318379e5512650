"""Keys that come again: in one file, over files, in each load mode, and files that are corrected."""

from __future__ import annotations

from typing import Any

from tests.faults.cases import Case, Counts, Rejected, Row, in_lines, table

APPEND, SNAPSHOT, UPSERT = (table("csv", mode=mode) for mode in ("append", "snapshot", "upsert"))
VERSIONS = table("csv", mode="upsert", name="string", version="integer", settings={"version": "version"})
HISTORY: dict[str, Any] = {**VERSIONS, "history": True}
TOMBSTONE = table(
    "csv",
    mode="tombstone",
    version="integer",
    is_deleted="boolean",
    settings={"version": "version", "deleted": "is_deleted"},
)


def case(
    name: str,
    contract: dict[str, Any],
    texts: list[str],
    counts: list[Counts],
    holds: list[Row],
    *rejected: Rejected,
    names: str = "12345",
    **options: Any,
) -> Case:
    """Files of these lines, each with the contract's header; files of one name correct each other."""
    header = ",".join(contract["columns"]) + "\n"
    files = tuple((file, (header + text).encode()) for file, text in zip(names, texts, strict=False))
    return Case(f"keys: {name}", contract, files, None, list(rejected), {}, counts, holds=holds, **options)


def _conflict(row: int, position: int = 1) -> Rejected:
    return Rejected(row, row + 1, "id", "key_conflict", position)


APPENDED = [
    case("equal rows in a file", APPEND, ["1,a\n1,a\n2,b\n1,a\n"], [(4, 2, 0, 2, 0)], [(1, "a"), (2, "b")]),
    case("equal rows, written otherwise", APPEND, ['1,a\n1.0,"a"\n +1 , a \n'], [(3, 1, 0, 2, 0)], [(1, "a")]),
    case(
        "conflicts in a file",
        APPEND,
        ["1,a\n1,b\n1,a\n1,c\n"],
        [(4, 1, 2, 1, 0)],
        [(1, "a")],
        _conflict(2),
        _conflict(4),
    ),
    case("a conflict with nothing", APPEND, ["1,\n1,b\n"], [(2, 1, 1, 0, 0)], [(1, None)], _conflict(2)),
    case(
        "equal rows over files",
        APPEND,
        ["1,a\n", "1,a\n2,b\n"],
        [(1, 1, 0, 0, 0), (2, 1, 0, 1, 0)],
        [(1, "a"), (2, "b")],
    ),
    case(
        "conflicts over files",
        APPEND,
        ["1,a\n", "2,b\n1,c\n"],
        [(1, 1, 0, 0, 0), (2, 1, 1, 0, 0)],
        [(1, "a"), (2, "b")],
        _conflict(2, 2),
    ),
    case(
        "a conflict with a rejected row is none",
        APPEND,
        ["1,a,x\n1,b\n"],
        [(2, 1, 1, 0, 0)],
        [(1, "b")],
        *in_lines((1, None, "structure")),
    ),
    case(
        "nothing in the key",
        APPEND,
        [",a\n \t,b\n1,c\n"],
        [(3, 1, 2, 0, 0)],
        [(1, "c")],
        *in_lines((1, "id", "null"), (2, "id", "null")),
    ),
    case("a file under another name", APPEND, ["1,a\n", "1,a\n"], [(1, 1, 0, 0, 0)], [(1, "a")]),
    case(
        "a corrected file", APPEND, ["1,a\n2,b\n", "1,z\n"], [(2, 0, 0, 0, 2), (1, 1, 0, 0, 0)], [(1, "z")], names="11"
    ),
    case(
        "a corrected file frees what was a conflict with it",
        APPEND,
        ["1,a\n", "1,b\n", "2,c\n"],
        [(1, 0, 0, 0, 1), (1, 1, 0, 0, 0), (1, 1, 0, 0, 0)],
        [(1, "b"), (2, "c")],
        names="121",
    ),
    case(
        "a correction taken back",
        APPEND,
        ["1,a\n", "1,b\n", "1,a\n"],
        [(1, 0, 0, 0, 1), (1, 0, 0, 0, 1), (1, 1, 0, 0, 0)],
        [(1, "a")],
        names="111",
    ),
    case(
        "a corrected file that is broken",
        APPEND,
        ["1,a\n", "x,b\n"],
        [(1, 0, 0, 0, 1), (1, 0, 1, 0, 0)],
        [],
        Rejected(1, 2, "id", "type", 2),
        names="11",
    ),
    Case(
        "keys: rows that differ in an extra column only",
        APPEND,
        (("1", b"id,name,x\n1,a,b\n"), ("2", b"id,name,x\n1,a,c\n")),
        [(1, "a")],
        [],
        {},
        [(1, 1, 0, 0, 0), (1, 0, 0, 1, 0)],  # or a silo that adds a column would make all that it sends again conflicts
    ),
]

UPSERTED = [
    case("newer over files", VERSIONS, ["1,a,1\n", "1,b,2\n"], [(1, 0, 0, 0, 1), (1, 1, 0, 0, 0)], [(1, "b", 2)]),
    case("older over files", VERSIONS, ["1,b,2\n", "1,a,1\n"], [(1, 1, 0, 0, 0), (1, 0, 0, 0, 1)], [(1, "b", 2)]),
    case(
        "versions in a file, in disorder", VERSIONS, ["1,c,3\n1,a,1\n1,b,2\n1,c,3\n"], [(4, 1, 0, 1, 2)], [(1, "c", 3)]
    ),
    case(
        "one version with other values: the later",
        VERSIONS,
        ["1,a,1\n", "1,b,1\n"],
        [(1, 0, 0, 0, 1), (1, 1, 0, 0, 0)],
        [(1, "b", 1)],
    ),
    case(
        "an old version sent again",
        VERSIONS,
        ["1,a,1\n", "1,b,2\n", "1,a,1\n3,c,1\n"],
        [(1, 0, 0, 0, 1), (1, 1, 0, 0, 0), (2, 1, 0, 1, 0)],
        [(1, "b", 2), (3, "c", 1)],
    ),
    case(
        "versions are numbers, not texts",
        VERSIONS,
        ["1,a,9\n", "1,b,10\n"],
        [(1, 0, 0, 0, 1), (1, 1, 0, 0, 0)],
        [(1, "b", 10)],
    ),
    case(
        "every version of a history",
        HISTORY,
        ["1,a,1\n", "1,b,2\n"],
        [(1, 0, 0, 0, 1), (1, 1, 0, 0, 0)],
        [(1, "a", 1), (1, "b", 2)],
    ),
    case(
        "without a version the latest landed",
        UPSERT,
        ["1,a\n1,b\n", "1,c\n"],
        [(2, 0, 0, 0, 2), (1, 1, 0, 0, 0)],
        [(1, "c")],
    ),
    case(
        "a value that goes back",
        UPSERT,
        ["1,a\n", "1,b\n", "1,a\n2,x\n"],
        [(1, 0, 0, 0, 1), (1, 0, 0, 0, 1), (2, 2, 0, 0, 0)],
        [(1, "a"), (2, "x")],
    ),
]

DELETED = [
    case(
        "a deleted key",
        TOMBSTONE,
        ["1,1,false\n2,1,false\n", "1,2,true\n"],
        [(2, 1, 0, 0, 1), (1, 1, 0, 0, 0)],
        [(2, 1, False)],
    ),
    case("deleted and back again", TOMBSTONE, ["1,1,0\n1,2,1\n1,3,0\n"], [(3, 1, 0, 0, 2)], [(1, 3, False)]),
    case(
        "a mark older than the row",
        TOMBSTONE,
        ["1,2,0\n", "1,1,1\n"],
        [(1, 1, 0, 0, 0), (1, 0, 0, 0, 1)],
        [(1, 2, False)],
    ),
    case("a mark for a key that never was", TOMBSTONE, ["9,1,1\n"], [(1, 1, 0, 0, 0)], []),
    case(
        "a mark that is none",
        TOMBSTONE,
        ["1,1,maybe\n2,1,\n"],
        [(2, 1, 1, 0, 0)],
        [(2, 1, None)],
        *in_lines((1, "is_deleted", "type")),
    ),
]

PICTURES = [
    case(
        "two pictures",
        SNAPSHOT,
        ["1,a\n", "1,a\n2,b\n"],
        [(1, 1, 0, 0, 0), (2, 2, 0, 0, 0)],
        [(1, "a"), (1, "a"), (2, "b")],
    ),
    case("a key twice in a picture", SNAPSHOT, ["1,a\n1,a\n"], [(2, 1, 0, 1, 0)], [(1, "a")]),
    case("a conflict in a picture", SNAPSHOT, ["1,a\n1,b\n"], [(2, 1, 1, 0, 0)], [(1, "a")], _conflict(2)),
    case(
        "a corrected picture",
        SNAPSHOT,
        ["1,a\n2,b\n", "1,z\n"],
        [(2, 0, 0, 0, 2), (1, 1, 0, 0, 0)],
        [(1, "z")],
        names="11",
    ),
]

CASES: list[Case] = [*APPENDED, *UPSERTED, *DELETED, *PICTURES]
