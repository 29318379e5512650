"""Sheets of Excel workbooks looked over before they are read: how large they are, and cells without a usable value.

The reader holds a sheet as a full rectangle, so that one cell far away takes all the memory there is, and it shows
errors of formulas, and formulas that nobody computed, as empty. What is here reads the XML as a stream.
"""

from __future__ import annotations

import errno
import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from xml.parsers import expat

from zhongtai.ingest.unpack import BOMB_BYTES, BOMB_RATIO, FileFault

# A sheet is read as a rectangle of so many cells at most; Excel's own limits are beyond that.
_CELLS = 20_000_000
_ROWS, _COLUMNS = 1_048_576, 16_384
_TEXT_BYTES = 1 << 29  # of the texts that the sheets of a workbook share: they are all held in memory
_FAULTY_CELLS = 1_000_000
_BLOCK = 1 << 18
_CELL = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    RuntimeError,
    ValueError,
    OSError,  # a directory of the archive that points before its beginning
    expat.ExpatError,
)
_TRUE = ("1", "true", "on")

# What stands for a formula that was written by a program and never computed by a spreadsheet.
NOT_COMPUTED = "#NOT_COMPUTED!"
# What Excel shows in place of a value.
ERRORS = (
    *("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA", "#SPILL!", "#CALC!"),
    *("#FIELD!", "#BLOCKED!", "#CONNECT!", "#BUSY!", "#UNKNOWN!", "#EXTERNAL!", "#PYTHON!", NOT_COMPUTED),
)


@dataclass
class SheetScan:
    """What is known of a sheet without reading its values. Rows and columns are counted from 0.

    Attributes:
        height, width: the rectangle from A1 that holds every value.
        filled: rows with a value.
        faulty: errors by row and column, as Excel shows them.
        is_1904: whether dates are days since 1904, as old Macs wrote them.
    """

    height: int = 0
    width: int = 0
    filled: int = 0
    faulty: dict[int, dict[int, str]] = field(default_factory=dict)
    is_1904: bool = False


def scan(file: Path, sheet: str | None) -> tuple[str, SheetScan]:
    """Looks over a sheet, the first where none is named; returns its name too.

    Raises:
        FileFault: not a workbook, no such sheet, or one that memory could not hold.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            parts = {name.replace("\\", "/").lower(): name for name in archive.namelist()}
            _check_sizes(archive, file)
            workbook = _Workbook()
            _parse(archive.open(_part(parts, "xl/workbook.xml")), _parser(workbook.start))
            _parse(archive.open(_part(parts, "xl/_rels/workbook.xml.rels")), _parser(workbook.relation))
            name, target = workbook.sheet(sheet)
            cells = _Cells()
            part = _part(parts, posixpath.normpath(posixpath.join("/xl", target))[1:])
            _parse(archive.open(part), cells.parser)
    except _BROKEN as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise  # the disk's fault, or ours
        raise FileFault(
            f"not readable as a workbook: {error}. Old (.xls) and encrypted workbooks are not read: save it as .xlsx"
        ) from error
    cells.finish()
    cells.found.is_1904 = workbook.is_1904
    size = cells.found.height * cells.found.width
    if size > _CELLS:
        raise FileFault(
            f"the sheet '{name}' reaches to {cells.farthest}, {size:,} cells with those in between; at most {_CELLS:,} "
            "can be read. Delete what stands far from the table, or let the silo write CSV",
            max(cells.found.filled - 1, 0),
        )
    return name, cells.found


def sheets(file: Path) -> list[str]:
    """The names of a workbook's sheets, in their order.

    Raises:
        FileFault: not a workbook.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            parts = {name.replace("\\", "/").lower(): name for name in archive.namelist()}
            workbook = _Workbook()
            _parse(archive.open(_part(parts, "xl/workbook.xml")), _parser(workbook.start))
    except _BROKEN as error:
        raise FileFault(f"not readable as a workbook: {error}") from error
    return workbook.names


def _check_sizes(archive: zipfile.ZipFile, file: Path) -> None:
    members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    if unpacked > BOMB_BYTES and unpacked > BOMB_RATIO * file.stat().st_size:
        raise FileFault(f"the workbook unpacks to more than {BOMB_RATIO} times its size")
    for member in members:
        if member.filename.lower().endswith("sharedstrings.xml"):
            if member.file_size > _TEXT_BYTES:
                raise FileFault(f"more than {_TEXT_BYTES:,} bytes of text in one workbook; let the silo write CSV")
            with archive.open(member) as stream:
                while stream.read(_BLOCK):
                    pass  # to its end, where its checksum tells whether its size was true


def _part(parts: dict[str, str], name: str) -> str:
    if name.lower() not in parts:
        raise FileFault(f"not readable as a workbook: it has no part {name}")
    return parts[name.lower()]


def _parser(start: Callable[[str, dict[str, str]], None]) -> expat.XMLParserType:
    """Gives a part's elements to the handler, names as they stand; document types, and so entities, are refused."""
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise FileFault("not readable as a workbook: a document type, which no spreadsheet writes")

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    return parser


def _parse(stream: IO[bytes], parser: expat.XMLParserType) -> None:
    with stream:
        while block := stream.read(_BLOCK):
            parser.Parse(block, False)
        parser.Parse(b"", True)


class _Workbook:
    """The sheets of a workbook and where they are."""

    def __init__(self) -> None:
        self.is_1904 = False
        self._sheets: dict[str, str] = {}
        self._targets: dict[str, str] = {}

    @property
    def names(self) -> list[str]:
        """Of the sheets, in their order."""
        return list(self._sheets)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element of the workbook's own part."""
        tag = name.rpartition(":")[2]
        if tag == "sheet":
            relation = next((value for key, value in attributes.items() if key.rpartition(":")[2] == "id"), "")
            self._sheets.setdefault(attributes.get("name", ""), relation)
        elif tag == "workbookPr":
            self.is_1904 = attributes.get("date1904", "").lower() in _TRUE

    def relation(self, name: str, attributes: dict[str, str]) -> None:
        """An element of the part that says where the sheets are."""
        if name.rpartition(":")[2] == "Relationship":
            self._targets[attributes.get("Id", "")] = attributes.get("Target", "")

    def sheet(self, name: str | None) -> tuple[str, str]:
        """Name and part of the sheet that is asked for."""
        if not self._sheets:
            raise FileFault("the workbook has no sheet")
        chosen = next(iter(self._sheets)) if name is None else name
        if chosen not in self._sheets:
            raise FileFault(f"there is no sheet '{chosen}'; the workbook has: {', '.join(self._sheets)}")
        return chosen, self._targets.get(self._sheets[chosen], "")


class _Cells:
    """The cells of a sheet in their order; one is judged when the next begins, because ends are not listened to."""

    def __init__(self) -> None:
        self.found = SheetScan()
        self.farthest = "A1"
        self.parser = _parser(self._start)
        self._row, self._column = -1, -1
        self._letters: dict[str, int] = {}
        self._filled_row = -1
        self._kind: str | None = None
        self._is_judged = False
        self._count = 0
        self._text: list[str] = []

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name if ":" not in name else name.rpartition(":")[2]
        if tag in ("v", "is"):
            if self._row != self._filled_row or self._column >= self.found.width:
                self._fill()
            if self._is_judged:
                self.parser.CharacterDataHandler = self._text.append
        elif tag == "c":
            if self._is_judged:
                self.finish()
            if "r" in attributes:
                self._go_to(attributes["r"])
            else:
                self._column += 1
            self._kind = attributes.get("t")
            self._is_judged = self._kind == "e"
        elif tag == "f":
            self._fill()
            self._is_judged = True
        elif tag == "row":
            if self._is_judged:
                self.finish()
            self._row = int(attributes["r"]) - 1 if "r" in attributes else self._row + 1
            self._column = -1

    def finish(self) -> None:
        """Judges the last cell, if it is an error or a formula."""
        if not self._is_judged:
            return
        self.parser.CharacterDataHandler = None
        text = "".join(self._text).strip()
        self._text.clear()
        self._is_judged = False
        if self._kind != "e" and (text or self._kind == "str"):
            return
        self._fill()
        self.found.faulty.setdefault(self._row, {})[self._column] = text or NOT_COMPUTED
        self._count += 1
        if self._count > _FAULTY_CELLS:
            raise FileFault(
                f"more than {_FAULTY_CELLS:,} cells are errors, or formulas that were never computed; open the "
                "workbook in a spreadsheet, mend it and save it",
                max(self.found.filled - 1, 0),
            )

    def _go_to(self, reference: str) -> None:
        letters = reference.rstrip("0123456789")
        column = self._letters.get(letters)
        if column is None:
            found = _CELL.fullmatch(reference)
            column = 0
            for letter in found[1] if found else "":
                column = column * 26 + ord(letter) - 64
            if not 1 <= column <= _COLUMNS:
                raise FileFault(f"not readable as a workbook: there is no cell {reference[:20]}")
            self._letters[letters] = column = column - 1
        self._row, self._column = int(reference[len(letters) :]) - 1, column

    def _fill(self) -> None:
        """The cell has a value."""
        row, column, found = self._row, self._column, self.found
        if row != self._filled_row:
            if not 0 <= row < _ROWS:
                raise FileFault(f"not readable as a workbook: there is no row {row + 1}")
            self._filled_row = row
            found.filled += 1
        if row >= found.height or column >= found.width:
            found.height, found.width = max(found.height, row + 1), max(found.width, column + 1)
            letters = next((name for name, place in self._letters.items() if place == found.width - 1), "?")
            self.farthest = f"{letters}{found.height}"
