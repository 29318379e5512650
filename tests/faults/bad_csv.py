"""CSV and TSV files with broken text: encodings, line ends, headers, records."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import partial

from tests.faults.cases import Case, Maker, Rejected, in_lines, one_file, table, whole_file

CSV = table("csv")
ok: Maker = partial(one_file, CSV)
bad: Maker = partial(whole_file, CSV)
TSV = table("csv", settings={"delimiter": "\t"})
TEXT = "id,name\n1,茶\n2,𠮷野\n"
ROWS = [(1, "茶"), (2, "𠮷野")]


def _in(encoding: str) -> dict[str, object]:
    return table("csv", settings={"encoding": encoding})


ENCODINGS = [
    ok("csv: BOM", "\ufeff" + TEXT, ROWS),
    ok("csv: BOM before a quoted header", '\ufeff"id",name\n1,a\n', [(1, "a")]),
    ok(
        "csv: BOM of a second file in the middle", "id,name\n1,a\n\ufeff2,b\n", [(1, "a")], *in_lines((2, "id", "type"))
    ),
    one_file(_in("utf-16"), "csv: UTF-16 LE", b"\xff\xfe" + TEXT.encode("utf-16-le"), ROWS),
    one_file(_in("utf-16"), "csv: UTF-16 BE", b"\xfe\xff" + TEXT.encode("utf-16-be"), ROWS),
    one_file(_in("gb18030"), "csv: GB18030 with four-byte characters", TEXT.encode("gb18030"), ROWS),
    bad("csv: UTF-16 where UTF-8 is said", TEXT.encode("utf-16"), "write 'encoding: utf-16'"),
    bad("csv: GB18030 where UTF-8 is said", TEXT.encode("gb18030"), "write 'encoding: gb18030'"),
    whole_file(_in("gb18030"), "csv: UTF-8 where GB18030 is said", "id,name\n1,茶\n", "write 'encoding: utf-8'"),
    whole_file(_in("utf-16"), "csv: UTF-16 cut in a character", TEXT.encode("utf-16")[:-1], "not readable as utf-16"),
    bad("csv: an invalid byte in the middle", b"id,name\n1,a\n2,b\xffc\n3,d\n", "not readable as utf-8"),
    bad("csv: an invalid byte in the header", b"id,na\xe9me\n1,a\n", "not readable as utf-8"),
    bad("csv: an encoded surrogate", b"id,name\n1,\xed\xa0\x80\n", "not readable as utf-8"),
    bad("csv: an overlong NUL", b"id,name\n1,\xc0\x80\n", "not readable as utf-8"),
    bad("csv: cut in a character", "id,name\n1,茶".encode()[:-1], "not readable as utf-8"),
]

LINE_ENDS = [
    ok("csv: quoted line ends", 'id,name\n1,"a\nb"\n2,"c\r\nd"\n3,e\n', [(1, "a\nb"), (2, "c\r\nd"), (3, "e")]),
    ok("csv: CR only", "id,name\r1,a\r2,b\r", [(1, "a"), (2, "b")]),
    ok(
        "csv: CR only and a broken line",
        "id,name\r1,a\r2\r3,c\r",
        [(1, "a"), (3, "c")],
        *in_lines((2, None, "structure")),
    ),
    ok("csv: mixed line ends", "id,name\r\n1,a\n2,b\r3,c\r\n", [(1, "a"), (2, "b"), (3, "c")]),
    ok("csv: no final line end", "id,name\n1,a\n2,b", [(1, "a"), (2, "b")]),
    ok("csv: no final line end after a quote", 'id,name\n1,a\n2,"b"', [(1, "a"), (2, "b")]),
    ok(
        "csv: blank lines",
        "\n\nid,name\n\n1,a\n\n\nx,b\n\n",
        [(1, "a")],
        Rejected(2, 8, "id", "type"),
    ),
    ok("csv: a line of delimiters", "id,name\n1,a\n,\n2,b\n", [(1, "a"), (2, "b")], *in_lines((2, "id", "null"))),
    ok("csv: Unicode line separators in values", "id,name\n1,a\u2028b\x85c\n", [(1, "a\u2028b\x85c")]),
    ok("csv: form feeds in values", "id,name\n1,a\x0cb\x0bc\n", [(1, "a\x0cb\x0bc")]),
]

HEADERS = [
    ok("csv: padded headers", " id ,\tname\u3000\n1,a\n", [(1, "a")]),
    ok("csv: quoted padded headers", '" id ","name "\n1,a\n', [(1, "a")]),
    bad("csv: duplicate header", "id,id,name\n1,2,a\n", "'id' is there twice", 1),
    bad("csv: duplicate header after padding", "id,name, id\n1,a,2\n", "'id' is there twice", 1),
    ok(
        "csv: duplicate extra header",
        "id,name,x,x\n1,a,b,c\n",
        [(1, "a")],
        extra=[{"x": "b", "x (2)": "c"}],
    ),
    bad("csv: missing column", "id\n1\n2\n", "'name' is missing", 2),
    bad("csv: renamed column", "id,title\n1,a\n2,b\n", "'name' is missing; the file has: id, title", 2),
    bad("csv: header in capitals", "ID,NAME\n1,a\n", "'id' is missing", 1),
    ok("csv: reordered columns", "name,id\na,1\n", [(1, "a")]),
    ok(
        "csv: extra column",
        "id,colour,name\n1,red,a\n2,,b\n",
        [(1, "a"), (2, "b")],
        extra=[{"colour": "red"}, {"colour": None}],
    ),
    ok("csv: extra column without a name", "id,name,\n1,a,\n", [(1, "a")]),
    ok(
        "csv: extra columns named like the platform's own",
        "_row_number,_extra,id,name,_file_position\n9,8,1,a,7\n",
        [(1, "a")],
    ),
    ok("csv: only a header", "id,name\n", []),
    ok("csv: only a header, without a line end", "id,name", []),
    ok(
        "csv: the header again in the middle",
        "id,name\n1,a\nid,name\n2,b\n",
        [(1, "a"), (2, "b")],
        *in_lines((2, "id", "type")),
    ),
    bad("csv: a title before the header", "Orders of May\nid,name\n1,a\n", "'id' is missing", 2),
    bad("csv: no header", "1,a\n2,b\n", "'id' is missing", 1),
    bad("csv: empty file", b"", "empty"),
    bad("csv: only a BOM", "\ufeff", "empty"),
    bad("csv: only blank lines", "\n\r\n\n", "empty"),
    bad("csv: an open quote in the header", '"id,name\n1,a\n', "header"),
    bad("csv: other delimiter", "id;name\n1;a\n", "'id' is missing", 1),
]

RECORDS = [
    ok("csv: short row", "id,name\n1,a\n2\n3,c\n", [(1, "a"), (3, "c")], *in_lines((2, None, "structure"))),
    ok("csv: long row", "id,name\n1,a\n2,b,x\n3,c\n", [(1, "a"), (3, "c")], *in_lines((2, None, "structure"))),
    ok("csv: every row long", "id,name\n1,a,x\n2,b,y\n", [], *in_lines((1, None, "structure"), (2, None, "structure"))),
    ok(
        "csv: open quote at the start",
        'id,name\n1,"a\n2,b\n3,c\n',
        [(2, "b"), (3, "c")],
        *in_lines((1, None, "structure")),
    ),
    ok(
        "csv: open quote in the middle",
        'id,name\n1,a\n2,"b\n3,c\n',
        [(1, "a"), (3, "c")],
        *in_lines((2, None, "structure")),
    ),
    ok(
        "csv: open quote at the end", 'id,name\n1,a\n2,b\n3,"c', [(1, "a"), (2, "b")], *in_lines((3, None, "structure"))
    ),
    ok("csv: quote inside an unquoted value", 'id,name\n1,5" nail\n2,b\n', [(1, '5" nail'), (2, "b")]),
    ok("csv: text after a closing quote", 'id,name\n1,"a"b\n2,b\n', [(2, "b")], *in_lines((1, None, "structure"))),
    ok(
        "csv: quotes escaped by backslashes",
        'id,name\n1,"say \\"hi\\""\n2,b\n',
        [(2, "b")],
        *in_lines((1, None, "structure")),
    ),
    ok("csv: doubled quotes", 'id,name\n1,"say ""hi"""\n2,""""\n', [(1, 'say "hi"'), (2, '"')]),
    ok("csv: quoted delimiters", 'id,name\n1,"a,b"\n"2",",,"\n', [(1, "a,b"), (2, ",,")]),
    ok("csv: NUL bytes", "id,name\n1,a\0b\n\0,c\n3,d\n", [(1, "a\0b"), (3, "d")], *in_lines((2, "id", "type"))),
    ok("csv: control characters", "id,name\n1,a\x01\x1b\x7fb\n2,c\n", [(1, "a\x01\x1b\x7fb"), (2, "c")]),
    ok("csv: white space of other scripts", "id,name\n1,\u3000茶\u00a0\n2,\u3000\n", [(1, "茶"), (2, None)]),
    ok("csv: format characters are no white space", "id,name\n1,\u200ba\u202e\n", [(1, "\u200ba\u202e")]),
    ok(
        "csv: a line of 10 MB",
        "id,name\n1," + "茶x" * 2_500_000 + "\n2,b\nx,c\n",
        [(1, "茶x" * 2_500_000), (2, "b")],
        *in_lines((3, "id", "type")),
    ),
    ok(
        "csv: 5,000 columns",
        ",".join(["id", "name", *(f"c{number}" for number in range(4998))]) + "\n" + "1,a" + ",v" * 4998 + "\n2,b\n",
        [(1, "a")],
        *in_lines((2, None, "structure")),
        extra=[{f"c{number}": "v" for number in range(4998)}],
    ),
    one_file(TSV, "tsv: commas and quotes in values", 'id\tname\n1\ta,b\n2\t"c\td"\n', [(1, "a,b"), (2, "c\td")]),
    one_file(TSV, "tsv: an empty first value", "id\tname\n\ta\n2\tb\n", [(2, "b")], *in_lines((1, "id", "null"))),
    one_file(
        TSV,
        "tsv: padded by spaces where a tab is expected",
        "id\tname\n1   a\n2\tb\n",
        [(2, "b")],
        *in_lines((1, None, "structure")),
    ),
    one_file(
        table("csv", settings={"delimiter": "\x01"}), "csv: delimited by U+0001", "id\x01name\n1\x01a,b\n", [(1, "a,b")]
    ),
    one_file(
        table("csv", settings={"delimiter": "|"}),
        "csv: delimited by bars",
        "id|name\n1|a,b\n2|c|d\n",
        [(1, "a,b")],
        *in_lines((2, None, "structure")),
    ),
]

GERMAN = table(
    "csv",
    day={"data_type": "date", "formats": ["%d.%m.%Y"]},
    amount={"data_type": "decimal(18,2)", "decimal": ","},
    settings={"delimiter": ";"},
)
BY_CONTRACT = [
    one_file(
        GERMAN,
        "csv: dates and decimals as the contract says",
        "id;day;amount\n1;05.01.2024;1.234,50\n2;2024-01-05;12\n3;31.02.2024;1\n4;05.01.2024;12.5\n",
        [(1, date(2024, 1, 5), Decimal("1234.50")), (2, date(2024, 1, 5), Decimal("12.00"))],
        *in_lines((3, "day", "type"), (4, "amount", "type")),
    ),
    one_file(
        table("csv", at={"data_type": "timestamp", "formats": ["excel"]}),
        "csv: moments as Excel counts them",
        "id,at\n1,45351.5\n2,2024-02-29 12:00:00\n3,60\n4,1e5\n",
        [(1, datetime(2024, 2, 29, 12)), (2, datetime(2024, 2, 29, 12))],
        *in_lines((3, "at", "type"), (4, "at", "type")),
    ),
    one_file(
        GERMAN,
        "csv: a year of two digits where the contract says four",
        "id;day;amount\n1;05.01.24;1\n",
        [],
        *in_lines((1, "day", "type")),
    ),
    one_file(
        table("csv", status={"data_type": "string", "allowed": ["paid", "open"], "nullable": False}),
        "csv: values that are not allowed",
        "id,status\n1, paid \n2,PAID\n3,lost\n4,\n5,open\n6,paid open\n",
        [(1, "paid"), (5, "open")],
        *in_lines((2, "status", "allowed"), (3, "status", "allowed"), (4, "status", "null"), (6, "status", "allowed")),
    ),
]

CASES: list[Case] = [*BY_CONTRACT, *ENCODINGS, *LINE_ENDS, *HEADERS, *RECORDS]
