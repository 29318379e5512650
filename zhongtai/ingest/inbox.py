"""The folders of the silos: which files are there, and which table each belongs to."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import BaseModel

from zhongtai.errors import UsageError
from zhongtai.ingest import sheet_scan
from zhongtai.ingest.contract import Contract
from zhongtai.ingest.unpack import FileFault, plain_form
from zhongtai.merchant import Merchant

LOGGER = logging.getLogger(__name__)

_UNFINISHED = (".tmp", ".part")


class Source(BaseModel):
    """The silo's file as it was when it landed."""

    path: str
    mtime_ns: int
    size: int


@dataclass(frozen=True)
class Arrival:
    """A file in a silo's folder that belongs to a table.

    Attributes:
        by_order: whether the landing order is the version: a content that comes again takes back what was between.
    """

    silo: str
    table: str
    file: Path
    source: Source
    by_order: bool


def arrivals(merchant: Merchant, contracts: list[Contract]) -> Iterator[Arrival]:
    """The files that belong to a table, by silo, time and name; a workbook once for each table with a sheet in it.

    Raises:
        UsageError: a silo's folder is missing, or a file matches two contracts.
    """
    for silo in sorted(merchant.silos):
        found = []
        own = [contract for contract in contracts if contract.silo == silo]
        for file in _files(merchant, silo):
            matching = _matching(file, own)
            if len(matching) > 1 and not _are_sheets(matching):
                tables = " and ".join(f"{contract.table} ({contract.file})" for contract in matching)
                raise UsageError(
                    f"{file} matches two contracts of the silo '{silo}': {tables}. "
                    f"Narrow their 'file' patterns in {matching[0].yaml_file}."
                )
            source = source_of(file) if matching and _is_utf8(file) else None
            if source is not None:
                found += [Arrival(silo, contract.table, file, source, is_by_order(contract)) for contract in matching]
        yield from sorted(found, key=lambda arrival: (arrival.source.mtime_ns, arrival.file.name, arrival.source.path))


def unmatched(merchant: Merchant, contracts: list[Contract]) -> list[Path]:
    """The files in the connected silos' folders that no contract of the silo names, sorted."""
    return sorted(
        file
        for silo in merchant.silos
        for file in _files(merchant, silo)
        if not _matching(file, [contract for contract in contracts if contract.silo == silo]) or not _is_utf8(file)
    )


def unread_sheets(contracts: list[Contract], silo: str, name: str, content: Path) -> list[str]:
    """The sheets of a landed workbook that no contract of its silo reads; none of what is no workbook.

    Args:
        name: of the silo's file.
        content: the landed file.
    """
    matching = _matching(Path(name), [contract for contract in contracts if contract.silo == silo])
    if not matching or any(contract.format != "xlsx" for contract in matching):
        return []
    try:
        with TemporaryDirectory() as folder:
            found = sheet_scan.sheets(plain_form(matching[0], content, Path(folder)))
    except FileFault:
        return []  # ingest says what is wrong with it
    read = {contract.sheet or next(iter(found), "") for contract in matching}
    return [sheet for sheet in found if sheet not in read]


def is_by_order(contract: Contract) -> bool:
    """Whether what lands last holds."""
    return contract.load_mode in ("upsert", "tombstone") and contract.version is None


def _are_sheets(contracts: list[Contract]) -> bool:
    """Whether the tables are different sheets of one workbook."""
    sheets = [contract.sheet for contract in contracts if contract.format == "xlsx"]
    return len(sheets) == len(contracts) and None not in sheets and len(set(sheets)) == len(sheets)


def _files(merchant: Merchant, silo: str) -> list[Path]:
    """The silo's files, without hidden and unfinished ones."""
    folder = merchant.silo_folder(silo)
    if not folder.is_dir():
        raise UsageError(
            f"{merchant.file}: silos.{silo}: there is no folder {folder}. Create it, or correct its 'path'."
        )
    found: list[Path] = []
    for base, folders, names in os.walk(folder, onerror=warn):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files = [Path(base, name) for name in names if not name.startswith(".") and not name.endswith(_UNFINISHED)]
        found += [file for file in files if _is_file(file)]
    return found


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError as error:
        warn(error)
        return False


def _matching(file: Path, contracts: list[Contract]) -> list[Contract]:
    return [contract for contract in contracts if contract.matches(file.name)]


def _is_utf8(file: Path) -> bool:
    """Whether the name can be written in a log and a query."""
    try:
        str(file).encode()
    except UnicodeEncodeError:
        return False
    return True


def warn(error: OSError) -> None:
    """One file or folder that cannot be read must not keep the others from landing."""
    if not isinstance(error, FileNotFoundError):  # taken away: whoever did so knows
        LOGGER.warning("%s was not landed: %s. Make it readable, then run again", ascii(error.filename), error.strerror)


def source_of(file: Path) -> Source | None:
    """The file as it is now; None where it has gone, or cannot be looked at."""
    try:
        status = file.stat()
    except OSError as error:
        warn(error)
        return None
    return Source(path=str(file), mtime_ns=status.st_mtime_ns, size=status.st_size)
