"""JSON lines and JSON documents with broken text, records of other kinds and bombs of depth."""

from __future__ import annotations

from functools import partial

from tests.faults.cases import Case, Maker, Rejected, one_file, table, whole_file
from tests.faults.cases import in_lines as _in_lines

LINES = table("jsonl")
PAGES = table("json", settings={"records": "data.list"})
LIST = table("json")
ok: Maker = partial(one_file, LINES)
bad: Maker = partial(whole_file, LINES)
in_lines = partial(_in_lines, header_lines=0)
A, C = '{"id": 1, "name": "a"}\n', '{"id": 3, "name": "c"}\n'
BOTH = [(1, "a"), (3, "c")]


def _broken(name: str, line: str | bytes, **options: str) -> Case:
    """A broken line between two good ones."""
    text = line.encode() if isinstance(line, str) else line
    content = A.encode() + text + b"\n" + C.encode()
    return ok(f"jsonl: {name}", content, BOTH, *in_lines((2, None, "structure")), **options)


def _long_line(name: str, unit: str, **options: str) -> Case:
    """A record of ten megabytes among small ones, of which one is broken."""
    content = A + '{"id": 2, "name": "' + unit * 5_000_000 + '"}\n{"id": "y"}\n' + C
    rows = [(1, "a"), (2, unit * 5_000_000), (3, "c")]
    return ok(f"jsonl: {name}", content, rows, *in_lines((3, "id", "type")), **options)


JSON_LINES = [
    _broken("a line cut in the middle", '{"id": 2, "na'),
    _broken("an array for a record", '[2, "b"]'),
    _broken("a list of records in a line", '[{"id": 2, "name": "b"}]'),
    _broken("a text for a record", '"b"'),
    _broken("null for a record", "null"),
    _broken("a number for a record", "2"),
    _broken("two records in a line", '{"id": 2, "name": "b"}{"id": 4, "name": "d"}'),
    _broken("a comma after the record", '{"id": 2, "name": "b"},'),
    ok("jsonl: a comma before the brace", A + '{"id": 2, "name": "b",}\n' + C, [(1, "a"), (2, "b"), (3, "c")]),
    _broken("single quotes", "{'id': 2, 'name': 'b'}"),
    _broken("names without quotes", '{id: 2, "name": "b"}'),
    _broken("a comment", '// {"id": 2, "name": "b"}'),
    ok("jsonl: NaN is the text of it", A + '{"id": 2, "name": NaN}\n' + C, [(1, "a"), (2, "NaN"), (3, "c")]),
    ok(
        "jsonl: Infinity in an extra",
        A + '{"id": 2, "name": "b", "x": Infinity}\n' + C,
        [(1, "a"), (2, "b"), (3, "c")],
        extra=[None, {"x": "Infinity"}, None],
    ),
    _broken("a leading zero", '{"id": 02, "name": "b"}'),
    _broken("a raw tab in a text", '{"id": 2, "name": "b\tc"}'),
    _broken("a raw NUL in a text", '{"id": 2, "name": "b\0c"}'),
    _broken("a lone surrogate", '{"id": 2, "name": "\\ud800"}'),
    _broken("a reversed surrogate pair", '{"id": 2, "name": "\\ude00\\ud83d"}'),
    _broken("an unknown escape", '{"id": 2, "name": "\\x41"}'),
    _broken("a line of a CSV file", "2,b"),
    _broken(
        "a name that comes twice",
        '{"id": 2, "id": 20, "name": "b"}',
    ),
    _broken(
        "an extra name that comes twice",
        '{"id": 2, "name": "b", "x": 1, "x": 2}',
    ),
    bad(
        "jsonl: an invalid byte in the middle",
        A.encode() + b'{"id": 2, "name": "\xff"}\n' + C.encode(),
        "not readable as utf-8",
    ),
    bad("jsonl: GB18030 where UTF-8 is said", '{"id": 1, "name": "茶"}\n'.encode("gb18030"), "not readable as utf-8"),
    bad("jsonl: UTF-16 where UTF-8 is said", A.encode("utf-16"), "not readable as utf-8"),
    ok("jsonl: BOM", "\ufeff" + A + C, BOTH),
    ok("jsonl: CRLF", (A + C).replace("\n", "\r\n"), BOTH),
    ok("jsonl: blank lines", "\n" + A + "\n\r\n" + C + "\n", BOTH),
    ok("jsonl: no final line end", (A + C).rstrip(), BOTH),
    ok("jsonl: cut in the last record", A + C[:-6], [(1, "a")], *in_lines((2, None, "structure"))),
    *(
        one_file(
            table("jsonl", settings={"encoding": encoding}),
            f"jsonl: cut in a character of {encoding}",
            A.encode(encoding) + '{"id": 3, "name": "茶'.encode(encoding)[:-1],
            [(1, "a")],
            *in_lines((2, None, "structure")),
        )
        for encoding in ("utf-8", "gb18030", "utf-16-le")
    ),
    ok(
        "jsonl: nothing but a line cut in a character",
        '{"id": 3, "name": "茶'.encode()[:-1],
        [],
        *in_lines((1, None, "structure")),
    ),
    ok("jsonl: names in another order and padded", '{ "name" : "a" , "id" : 1 }\n', [(1, "a")]),
    ok("jsonl: a name that lacks", '{"id": 1}\n{"name": "b"}\n', [(1, None)], *in_lines((2, "id", "null"))),
    bad("jsonl: names in capitals", '{"ID": 1, "NAME": "a"}\n', "'id' is missing; the file has: ID, NAME", 1),
    ok(
        "jsonl: values nested in a string column",
        '{"id": 1, "name": {"b": [1, null], "a": "x"}}\n',
        [(1, '{"b":[1,null],"a":"x"}')],
    ),
    ok(
        "jsonl: a nested extra",
        '{"id": 1, "name": "a", "x": {"y": [1, {"z": null}]}}\n',
        [(1, "a")],
        extra=[{"x": {"y": [1, {"z": None}]}}],
    ),
    ok(
        "jsonl: an extra number beyond 2^53",
        '{"id": 1, "name": "a", "x": 9007199254740993}\n',
        [(1, "a")],
        extra=[{"x": 2**53 + 1}],
    ),
    ok(
        "jsonl: an extra name of quotes and escapes",
        '{"id": 1, "name": "a", "x\\"\\n\\u0000茶": 1}\n',
        [(1, "a")],
        extra=[{'x"\n\0茶': 1}],
    ),
    ok("jsonl: an empty file of blank lines", "\n\n", []),
    bad("jsonl: empty file", b"", "empty"),
    ok(
        "jsonl: a document over several lines",
        '{\n"id": 1\n}\n',
        [],
        *in_lines(*((row, None, "structure") for row in (1, 2, 3))),
    ),
    _long_line("a line of 10 MB", "yx"),
    _long_line("a line of 10 MB in Chinese", "茶x"),
    ok(
        "jsonl: a text of a million escapes",
        '{"id": 1, "name": "' + "\\u8336" * 1_000_000 + '"}\n',
        [(1, "茶" * 1_000_000)],
    ),
    ok(
        "jsonl: 5,000 names, each in one record",
        "".join(f'{{"id": {number}, "name": "a", "x{number}": 1}}\n' for number in range(5000)),
        [(number, "a") for number in range(5000)],
        extra=[{f"x{number}": 1} for number in range(5000)],
    ),
    ok(
        "jsonl: depth bomb",
        A + '{"id": 2, "name": ' + "[" * 300_000 + "]" * 300_000 + "}\n" + C,
        [(1, "a"), (2, "[" * 300_000 + "]" * 300_000), (3, "c")],
        is_bomb=True,
    ),
    ok(
        "jsonl: open depth bomb",
        A + '{"id": 2, "name": ' + "[" * 1_000_000 + "\n" + C,
        BOTH,
        *in_lines((2, None, "structure")),
        is_bomb=True,
    ),
]

AMOUNTS = table("jsonl", name="string", amount="decimal(18,2)")
STATES = table("jsonl", state={"data_type": "string", "allowed": ["open", "paid"]})
# A record may leave out what is empty: that no record has a column proves nothing without a field that could be it.
RENAMED = [
    bad(
        "jsonl: renamed column",
        '{"id": 1, "full_name": "a"}\n{"full_name": "b", "id": 2}\n',
        "'name' is missing; the file has: id, full_name; "
        "it seems to be called 'full_name' now: - {name: name, config: {meta: {source_name: full_name, "
        "also_named: [name]}}}",
        2,
    ),
    bad(
        "jsonl: renamed column that few records have",
        '{"id": 1}\n' * 40 + '{"id": 2, "full_name": "b"}\n' + '{"id": 3}\n' * 40,
        "'name' is missing",
        81,
    ),
    bad(
        "jsonl: renamed column beside broken lines and rows",
        '{"id": 1, "full_name": "a"}\n{"id"\n{"id": "x", "full_name": "b"}\n',
        "'name' is missing",
        3,
    ),
    bad("jsonl: renamed key", '{"item_id": 1, "name": "a"}\n', "'id' is missing; the file has: name, item_id", 1),
    whole_file(
        AMOUNTS,
        "jsonl: renamed column of numbers",
        '{"id": 1, "name": "a", "Amount": 1.50}\n',
        "'amount' is missing; the file has: id, name, Amount",
        1,
    ),
    whole_file(
        STATES,
        "jsonl: renamed column that its values tell",
        '{"id": 1, "zustand": "open"}\n{"id": 2, "zustand": "paid"}\n',
        "'state' is missing; the file has: id, zustand",
        2,
    ),
    ok(
        "jsonl: a column that no record has",
        '{"id": 1}\n{"id": 2, "colour": "red"}\n',
        [(1, None), (2, None)],
        extra=[None, {"colour": "red"}],
    ),
    ok(
        "jsonl: a column that one record has, beside one called alike",
        '{"id": 1, "full_name": "a"}\n{"id": 2, "name": "b"}\n',
        [(1, None), (2, "b")],
        extra=[{"full_name": "a"}, None],
    ),
    ok(
        "jsonl: a column that is null in every record, beside one called alike",
        '{"id": 1, "name": null, "full_name": "a"}\n',
        [(1, None)],
        extra=[{"full_name": "a"}],
    ),
    ok(
        "jsonl: a column that no record has, beside an empty one called alike",
        '{"id": 1, "full_name": null}\n{"id": 2, "full_name": " "}\n',
        [(1, None), (2, None)],
    ),
    ok(
        "jsonl: a column that no record has, beside 5,000 names, each in one record",
        "".join(f'{{"id": {number}, "x{number}": 1}}\n' for number in range(5000)),
        [(number, None) for number in range(5000)],
        extra=[{f"x{number}": 1} for number in range(5000)],
    ),
    one_file(
        AMOUNTS,
        "jsonl: a column that no record has, beside one called alike of another type",
        '{"id": 1, "name": "a", "amounts": "much"}\n',
        [(1, "a", None)],
        extra=[{"amounts": "much"}],
    ),
    one_file(
        AMOUNTS,
        "jsonl: a column that no record has, beside another of its type",
        '{"id": 1, "name": "a", "score": 5}\n',
        [(1, "a", None)],
        extra=[{"score": 5}],
    ),
]


def _page(records: str) -> str:
    return '{"code": 0, "data": {"list": ' + records + "}}"


page: Maker = partial(one_file, PAGES)
page_bad: Maker = partial(whole_file, PAGES)
DOCUMENTS = [
    page_bad("json: cut in a record", _page('[{"id": 1, "name": "a"}, {"id"')[:-2], "not a JSON document"),
    page_bad("json: cut after the records", _page('[{"id": 1, "name": "a"}]')[:-1], "not a JSON document"),
    page_bad("json: documents one after the other", _page("[]") * 2, "not a JSON document"),
    page_bad("json: a document a line", (_page("[]") + "\n") * 2, "not a JSON document"),
    page_bad("json: text after the document", _page("[]") + " x", "not a JSON document"),
    page_bad("json: an error page", "<html><body>502 Bad Gateway</body></html>", "not a JSON document"),
    page_bad("json: the path is missing", '{"code": 500, "message": "busy"}', "no list of records at data.list"),
    page_bad("json: the path ends in an object", _page('{"id": 1}'), "no list of records at data.list"),
    page_bad("json: the path ends in null", _page("null"), "no list of records at data.list"),
    page_bad("json: a list where the path begins", '[{"id": 1, "name": "a"}]', "no list of records at data.list"),
    page_bad("json: null as the document", "null", "no list of records at data.list"),
    page_bad("json: empty file", b"", "empty"),
    page_bad("json: only white space", " \n\t", "not a JSON document"),
    page_bad("json: an invalid byte", b'{"data": {"list": [{"id": 1, "name": "\xff"}]}}', "not readable as utf-8"),
    page_bad("json: UTF-16 where UTF-8 is said", _page("[]").encode("utf-16"), "not readable as utf-8"),
    one_file(
        table("json", settings={"encoding": "utf-16"}),
        "json: UTF-16 by contract",
        '[{"id": 1, "name": "茶"}]'.encode("utf-16"),
        [(1, "茶")],
    ),
    page("json: BOM", "\ufeff" + _page('[{"id": 1, "name": "a"}]'), [(1, "a")]),
    page("json: no records", _page("[]"), []),
    page("json: records over lines", _page('[\r\n{"id":\n1,\n"name": "a"},\n{"id": 2}\n]'), [(1, "a"), (2, None)]),
    one_file(
        LIST,
        "json: a list of other things than records",
        '[{"id": 1, "name": "a"}, 4, null, [], "x", {"id": "y"}]',
        [(1, "a")],
        *(Rejected(row, None, None, "structure") for row in (2, 3, 4, 5)),
        Rejected(6, None, "id", "type"),
    ),
    one_file(
        LIST,
        "json: big integers",
        '[{"id": 9007199254740993, "name": 12345678901234567890}]',
        [(2**53 + 1, "12345678901234567890")],
    ),
    page_bad(
        "json: renamed column",
        _page('[{"id": 1, "full_name": "a"}, {"id": 2}]'),
        "'name' is missing; the file has: id, full_name",
        2,
    ),
    page(
        "json: a column that no record has",
        _page('[{"id": 1, "colour": "red"}]'),
        [(1, None)],
        extra=[{"colour": "red"}],
    ),
    whole_file(LIST, "json: one record without a list", '{"id": 1, "name": "a"}', "no list of records"),
    whole_file(LIST, "json: open depth bomb", "[" * 1_000_000, "not a JSON document", is_bomb=True),
    one_file(LIST, "json: NaN is the text of it", '[{"id": 1, "name": NaN}]', [(1, "NaN")]),
    one_file(LIST, "json: a comma after the last record", '[{"id": 1, "name": "a"},]', [(1, "a")]),
]

CASES: list[Case] = [*JSON_LINES, *RENAMED, *DOCUMENTS]
