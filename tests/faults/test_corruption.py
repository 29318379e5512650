"""Files that are damaged at random: never a crash, never an uncounted row, and what was not damaged is as it was.

`FAULT_SEED` says which files (1). What can be known of a damaged file without reading it as the platform does is
asserted: how many lines it has, whether it is text, whether its archive or its document is whole, and the records
before the first damaged byte.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.faults.cases import Row, table
from tests.faults.corruption import FORMS, damaged, valid
from tests.unit.ingest.conftest import Shop
from zhongtai.ingest import ledger, quarantine

CASES_A_LOAD = 200
IDS_A_CASE = 1000


@dataclass(frozen=True)
class Case:
    """A damaged file.

    Attributes:
        rows: of the file before its damage, and of the other file that it may be mixed with.
    """

    number: int
    form: str
    before: bytes
    rows: tuple[list[Row], list[Row]]
    content: bytes
    was: str

    @property
    def name(self) -> str:
        return f"{self.number:06}.{self.form}"


def _cases(seed: int, first: int, count: int) -> list[Case]:
    made = []
    for number in range(first, first + count):
        random = Random(f"{seed} {number}")
        form = FORMS[number % len(FORMS)]
        before, rows = valid(form, random, number * IDS_A_CASE)
        other, other_rows = valid(form, random, number * IDS_A_CASE + IDS_A_CASE // 2)
        made.append(Case(number, form, before, (rows, other_rows), *damaged(before, other, random)))
    return made


def _loaded(folder: Path, cases: list[Case]) -> Shop:
    """A shop with a table for each form, into which the files were loaded together."""
    shop = Shop(folder)
    forms = {form: form.partition(".")[0] for form in FORMS}
    shop.declare(**{f"t{at}": {**table(forms[form]), "file": f"*.{form}"} for at, form in enumerate(FORMS)})
    for case in cases:
        shop.put(case.name, case.content)
    shop.run()
    return shop


@pytest.mark.parametrize("count", [200, pytest.param(10_000, marks=pytest.mark.soak)])
def test_damaged_files(tmp_path_factory: pytest.TempPathFactory, count: int) -> None:
    seed = int(os.environ.get("FAULT_SEED", "1"))
    print(f"FAULT_SEED={seed}, {count} files")
    failures: list[str] = []
    for first in range(0, count, CASES_A_LOAD):
        cases = _cases(seed, first, min(CASES_A_LOAD, count - first))
        try:
            shop = _loaded(tmp_path_factory.mktemp("damaged"), cases)
        except Exception as error:
            failures.append(f"{type(error).__name__}: {error}: {_culprits(cases, tmp_path_factory)}")
            continue
        failures += _failures(shop, cases)
    assert not failures, "\n".join([f"seed {seed}:", *failures[:40]])


def test_a_page_that_claims_more_memory_than_there_is_is_its_files_fault(tmp_path: Path) -> None:
    """Two bytes more make a page of 2 GiB of a small one; the run goes on with the other files."""
    cases = _cases(1, 2016, 6)
    shop = _loaded(tmp_path, cases)
    assert _failures(shop, cases) == []
    reasons = {load.file: load.reason for load in ledger.read(shop.merchant)}
    assert "asks for more memory than ingest has" in (reasons["002020.parquet"] or "")


def test_json_lines_that_end_within_a_character_lose_their_last_record_alone(tmp_path: Path) -> None:
    cases = _cases(1, 5227, 1)
    shop = _loaded(tmp_path, cases)
    (load,) = ledger.read(shop.merchant)
    assert (load.rows_read, load.rows_loaded, load.rows_quarantined) == (4, 3, 1)
    assert _failures(shop, cases) == []


def _culprits(cases: list[Case], folders: pytest.TempPathFactory) -> list[str]:
    """The files that stop a run when they are loaded alone."""
    found = []
    for case in cases:
        try:
            _loaded(folders.mktemp("damaged"), [case])
        except Exception as error:
            found.append(f"{case.name} ({case.was}): {type(error).__name__}: {str(error)[:200]}")
    return found or ["none alone"]


def _failures(shop: Shop, cases: list[Case]) -> list[str]:
    """What is wrong with each file's outcome."""
    loads = {load.file: load for load in ledger.read(shop.merchant)}
    rows: dict[tuple[int, int], Row] = {}
    for at in range(len(FORMS)):
        if any(load.status == "loaded" and load.table == f"t{at}" for load in loads.values()):
            for position, number, *values in shop.raw(f"t{at}", "_file_position, _row_number, id, name"):
                rows[position, number] = tuple(values)
        for row in quarantine.show(shop.merchant, "shop", f"t{at}", 1_000_000):
            if row["row_number"] is not None:
                rows.setdefault((int(str(row["position"])), int(str(row["row_number"]))), ())
    contents = Counter(case.content for case in cases)
    found = []
    for case in cases:
        load = loads.get(case.name)
        if load is None and contents[case.content] > 1:
            continue  # another file's damage left the same: it lands once
        wrong = "did not land" if load is None else _wrong(case, load, rows)
        if wrong:
            found.append(f"{case.name} ({case.was}): {wrong}; {load}")
    return found


def _is_renamed(case: Case, reason: str) -> bool:
    """Whether damage fell on the name of a column, so that no record has it: then it seems to have another name."""
    told = re.match(r"column '(\w+)' is missing; .* it seems to be called ", reason, re.DOTALL)
    text = _text(case)
    if told is None or text is None:
        return False
    # A line that is no JSON is no record, whatever it names.
    records = [line for line in text.splitlines() if _is_json(line)] if case.form == "jsonl" else [text]
    return not any(f'"{told.group(1)}"' in record for record in records)


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _wrong(case: Case, load: ledger.FileLoad, rows: dict[tuple[int, int], Row]) -> str | None:
    """What is wrong with the file's outcome, if anything is."""
    if not load.adds_up:
        return "does not add up"
    if load.status == "quarantined":
        is_right = load.reason is not None and (not _is_readable(case) or _is_renamed(case, load.reason))
        return None if is_right else "is rejected as a whole"
    if case.form == "xlsx" and not _is_whole_workbook(case.content):
        found = [rows.get((load.position, number), ()) for number in range(1, load.rows_read + 1)]
        return None if found in case.rows else "a damaged workbook is loaded, and other rows than it had"
    if (text := _text(case)) is None:
        is_right = case.form in ("parquet", "xlsx") or _is_cut_record_rejected(case, load, rows)
        return None if is_right else "what is no text is loaded"
    least, most = _number_of_records(case.form, text)
    if not least <= load.rows_read <= most:
        return f"{load.rows_read} rows were read, of {least} to {most}"
    return _wrong_row(case, load, rows)


def _is_cut_record_rejected(case: Case, load: ledger.FileLoad, rows: dict[tuple[int, int], Row]) -> bool:
    """JSON lines that the end cuts within a character: text, of which the last record is in quarantine."""
    try:
        case.content.decode("utf-8")
    except UnicodeDecodeError as error:
        is_cut = error.reason == "unexpected end of data" and error.end == len(case.content)
        return case.form == "jsonl" and is_cut and rows.get((load.position, load.rows_read)) == ()
    return False


def _wrong_row(case: Case, load: ledger.FileLoad, rows: dict[tuple[int, int], Row]) -> str | None:
    """A record before the damage is in raw as it was, or in quarantine, or was there before."""
    missing = 0
    for number, values in enumerate(_records_before_damage(case), start=1):
        found = rows.get((load.position, number))
        if found is None:
            missing += 1
        elif found not in (values, ()):
            return f"row {number} is {found}, and was {values}"
    return f"{missing} rows are gone" if missing > load.rows_duplicate else None


def _unpacked(content: bytes) -> bytes | None:
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        return None


def _text(case: Case) -> str | None:
    """The text of the file; None where it is none, or its form has none."""
    if case.form in ("parquet", "xlsx"):
        return None
    # Any text may be packed: the content tells, not the name.
    plain = _unpacked(case.content) if case.content.startswith(b"\x1f\x8b") else case.content
    try:
        return None if plain is None else plain.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return None


def _is_readable(case: Case) -> bool:
    """Whether the file as a whole is surely not broken."""
    text = _text(case)
    if text is None:
        return False
    if case.form == "json":
        return _document(text) is not None
    return text.startswith("id,name\n") if case.form.startswith("csv") else bool(text.strip())


def _is_whole_workbook(content: bytes) -> bool:
    """Whether what holds the values has the checksum that the archive says."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for part in ("xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"):
                archive.read(part)
    except KeyError:
        return True  # a name was damaged: the values of such a part are not there to be read
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError):
        return False
    return True


def _document(text: str) -> list[Any] | None:
    """A list of records, of which every JSON reader thinks the same."""
    try:
        found = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return None
    return found if isinstance(found, list) and "\\u" not in text else None


def _number_of_records(form: str, text: str) -> tuple[int, int]:
    """The least and the greatest number of records that a reader may find."""
    if form == "json":
        records = _document(text)
        return (0, len(text)) if records is None else (len(records), len(records))
    if form == "jsonl":
        return sum(bool(line.strip()) for line in text.split("\n")), len(_lines(text))
    lines = _lines(text)
    header = min(1, len(lines))
    if '"' in text:
        return 0, len(lines) - header
    return sum(bool(line.strip()) for line in lines) - header, len(lines) - header


def _lines(text: str) -> list[str]:
    """Lines that have any character, whatever ends them."""
    return [line for line in text.replace("\r", "\n").split("\n") if line]


def _records_before_damage(case: Case) -> list[Row]:
    """The records that end before the first damaged byte, where the form has records one after the other."""
    if case.form not in ("csv", "jsonl"):
        return []
    pairs = enumerate(zip(case.before, case.content, strict=False))
    same = next((at for at, (was, now) in pairs if was != now), min(len(case.before), len(case.content)))
    ends = _record_ends(case.before[:same])
    return case.rows[0][: ends - 1 if case.form == "csv" else ends] if ends else []


def _record_ends(text: bytes) -> int:
    """The line ends that are not within quotes; JSON has none of those, and its quotes come in pairs."""
    return sum(line.count(b'"') % 2 == 0 for line in _joined(text.split(b"\n")[:-1]))


def _joined(lines: list[bytes]) -> list[bytes]:
    """Lines of which one with an odd number of quotes is joined with the next ones, until they are even."""
    found: list[bytes] = []
    for line in lines:
        if found and found[-1].count(b'"') % 2:
            found[-1] += b"\n" + line
        else:
            found.append(line)
    return found
