"""Landing: files of the silos, copied once, hashed, numbered in order and never changed again."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel

from zhongtai.erasure import erasures
from zhongtai.errors import ZhongtaiError
from zhongtai.ingest import inbox, journal, personal_key
from zhongtai.ingest.contract import Contract
from zhongtai.ingest.inbox import Arrival, Source, unmatched
from zhongtai.merchant import Merchant
from zhongtai.progress import timed

LOGGER = logging.getLogger(__name__)

_BLOCK = 1 << 20
_TOGETHER = 256  # files that are put in place, and into the log, at once
_NAME_BYTES, _ENDING_CHARACTERS = 255, 10
# Patterns, quotes, line ends: what a query, a shell or another operating system could take for something else.
_STRANGE = re.compile(r"[^\w .,+=@%()-]")
_WAITING = 16  # threads that wait for the disk


class LandedFile(BaseModel):
    """One line of `landing/landing.jsonl`.

    Attributes:
        position: 1, 2, 3 … the landing order over all tables.
        path: relative to the landing folder.
        name: the file's name at the silo.
        landed_at: UTC; recorded for people, never used by data.
        mends: of a file of mended rows, which rejected rows they are in place of: by position, numbers as `3-5,9`. The
            log has the numbers of then; `read_log` those that the rows have since persons were erased.
    """

    position: int
    silo: str
    table: str
    path: str
    name: str
    size_bytes: int
    sha256: str
    landed_at: datetime
    source: Source
    mends: dict[int, str] = {}


class _Landed:
    """What has landed, and whether an arrival adds anything to it."""

    def __init__(self, log: list[LandedFile], erased: set[tuple[str, str, str]]) -> None:
        self._erased = erased
        self.position = 0
        self._latest: dict[tuple[str, str, str], LandedFile] = {}
        self._contents: dict[tuple[str, str], dict[str, set[int]]] = {}  # when each content was written
        self._sizes: set[tuple[str, str, int]] = set()
        self._last: dict[tuple[str, str], str] = {}
        for file in log:
            self.add(file)

    def add(self, file: LandedFile) -> None:
        """The next file of the landing order."""
        self.position = file.position
        contents = self._contents.setdefault((file.silo, file.table), {})
        replaced = self._latest.get((file.silo, file.table, file.source.path))
        if replaced is not None:
            contents.pop(replaced.sha256, None)  # what was corrected is news when it comes again
        self._latest[file.silo, file.table, file.source.path] = file
        contents.setdefault(file.sha256, set()).add(file.source.mtime_ns)
        self._sizes.add((file.silo, file.table, file.size_bytes))
        self._last[file.silo, file.table] = file.sha256

    def has(self, arrival: Arrival) -> bool:
        """Whether it is what last landed from its place, or, from a new place, content that the table has.

        A file that goes back to an earlier content is news: it takes back the correction in between.
        """
        latest = self._latest.get((arrival.silo, arrival.table, arrival.source.path))
        if latest is not None and latest.source == arrival.source:
            return True
        # Only a file of a size that has landed before can have landed before: the others are read once.
        if (arrival.silo, arrival.table, arrival.source.size) not in self._sizes:
            return False
        try:
            sha256 = _sha256(arrival.file)
        except OSError:
            return False  # what keeps it from being read is told where it is copied
        return self._holds(arrival, sha256, latest)

    def _holds(self, arrival: Arrival, sha256: str, latest: LandedFile | None) -> bool:
        if (arrival.silo, arrival.table, sha256) in self._erased:
            return True  # it holds a person who was erased since
        if latest is not None:
            return sha256 == latest.sha256
        contents = self._contents.get((arrival.silo, arrival.table), {})
        if not arrival.by_order or self._last.get((arrival.silo, arrival.table)) == sha256:
            return sha256 in contents
        # Of its old time it was only moved; else it takes back what came in between.
        return arrival.source.mtime_ns in contents.get(sha256, set())


def land(merchant: Merchant, contracts: list[Contract]) -> list[LandedFile]:
    """Copies every new file of the connected silos into landing, in the order of silo, time and name.

    A file whose content the table already has is not landed again; a file that changed lands as a new one.

    Returns:
        What landed now.

    A workbook lands once for each table that has a sheet in it.

    Raises:
        UsageError: a silo's folder is missing, or a file matches two contracts.
        ZhongtaiError: landed files exist that the log does not know.
    """
    personal_key.protect(merchant, contracts)
    arrivals = list(inbox.arrivals(merchant, contracts))
    for file in unmatched(merchant, contracts):
        LOGGER.warning("%s matches no contract and was not landed", ascii(str(file)))
    journal.private_folder(merchant.landing)
    log = repair(merchant)
    landed = _Landed(log, erasures.erased_contents(merchant))
    new: list[LandedFile] = []
    copied: list[LandedFile] = []
    with timed("ingest", "landing") as progress:
        for arrival in arrivals:
            if landed.has(arrival):
                continue
            landing_file = _copy_one(merchant.landing, arrival, landed.position + 1)
            if landing_file is not None:
                landed.add(landing_file)
                copied.append(landing_file)
            if len(copied) == _TOGETHER:
                new += _commit(merchant, copied)
                copied = []
        new += _commit(merchant, copied)
        _tell_of_unread_sheets(merchant, contracts, new)
        progress.rows = 0
        progress.note = f"{len(new):,} new files" if new else ""
    return new


def _tell_of_unread_sheets(merchant: Merchant, contracts: list[Contract], new: list[LandedFile]) -> None:
    """A workbook may have more sheets than contracts name, and what is in them would vanish without a word."""
    workbooks = {file.source.path: file for file in new}
    for place, file in workbooks.items():
        for sheet in inbox.unread_sheets(contracts, file.silo, file.name, merchant.landing / file.path):
            LOGGER.warning("%s: no contract reads the sheet %s", ascii(place), ascii(sheet))


def land_mended(
    merchant: Merchant, silo: str, table: str, name: str, write: Callable[[Path], None], mends: dict[int, str]
) -> LandedFile:
    """Lands a file of mended rows, which no silo has, together with what it mends.

    Args:
        name: of the file.
        write: writes its content to the path that it is given.
        mends: as `LandedFile` has it.
    """
    log = repair(merchant)
    number = log[-1].position + 1 if log else 1
    folder = journal.private_folder(merchant.landing / silo / table)
    temporary = _temporary(folder, number)
    write(temporary)
    temporary.chmod(0o400)
    status = temporary.stat()
    file = LandedFile(
        position=number,
        silo=silo,
        table=table,
        path=str((folder / _landed_name(number, Path(name))).relative_to(merchant.landing)),
        name=name,
        size_bytes=status.st_size,
        sha256=_sha256(temporary),
        landed_at=datetime.now(UTC),
        source=Source(path=f"mended:{number}", mtime_ns=status.st_mtime_ns, size=status.st_size),
        mends=mends,
    )
    return _commit(merchant, [file])[0]


def repair(merchant: Merchant) -> list[LandedFile]:
    """Finishes what a killed landing began, or takes it back; call it before landed files are read.

    Returns:
        What has landed.

    Raises:
        ZhongtaiError: landed files exist that the log does not know.
    """
    journal.repair(_log(merchant))
    log = read_log(merchant)
    _finish_or_clear(merchant.landing, log)
    return log


def waiting(merchant: Merchant, contracts: list[Contract]) -> list[Source]:
    """What `land` would copy: new files, and changed ones. Only files whose name, size or time is new are read.

    Raises:
        UsageError: as for `land`.
    """
    landed = _Landed(read_log(merchant), erasures.erased_contents(merchant))
    return [arrival.source for arrival in inbox.arrivals(merchant, contracts) if not landed.has(arrival)]


def read_log(merchant: Merchant) -> list[LandedFile]:
    """Every landed file in landing order."""
    log = [LandedFile.model_validate(entry) for entry in journal.read(_log(merchant))]
    mends = {file.position: file.mends for file in log if file.mends}
    if not mends:
        return log
    now = erasures.renumbered(merchant, mends)
    return [file.model_copy(update={"mends": now.get(file.position, {})}) for file in log]


def position(merchant: Merchant) -> int:
    """The last position of the landing order, 0 if nothing has landed."""
    entries = journal.read(_log(merchant))
    return LandedFile.model_validate(entries[-1]).position if entries else 0


def _log(merchant: Merchant) -> Path:
    return merchant.landing / "landing.jsonl"


def _finish_or_clear(landing: Path, log: list[LandedFile]) -> None:
    """Puts in place what a killed run had logged, and removes the temporary files that it had not.

    Raises:
        ZhongtaiError: a file in place has no line, so lines of the log were lost.
    """
    last = log[-1].position if log else 0
    finals = {file.position: landing / file.path for file in log}
    for temporary in landing.glob("*/*/.*.tmp"):
        number = temporary.name[1:].removesuffix(".tmp")
        final = finals.get(int(number)) if number.isdecimal() else None
        if final is not None and not final.exists():
            journal.put_in_place(temporary, final)
        else:
            temporary.unlink()
    unlogged = [
        file
        for file in landing.glob("*/*/*")
        if (prefix := file.name.split("_", 1)[0]).isdecimal() and int(prefix) > last
    ]
    if unlogged:
        raise ZhongtaiError(
            f"{max(unlogged)} has landed, but {landing / 'landing.jsonl'} ends at position {last}: lines of the log "
            "were lost. Restore it from a backup; landed files are never numbered anew."
        )


def _copy_one(landing: Path, arrival: Arrival, number: int) -> LandedFile | None:
    """Copies one file to a temporary one for the position `number`; None where it is still being written, or gone."""
    folder = journal.private_folder(landing / arrival.silo / arrival.table)
    temporary = _temporary(folder, number)
    try:
        sha256 = _copy(arrival.file, temporary)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if error.filename != str(arrival.file):
            raise  # the disk's fault, or ours
        inbox.warn(error)
        return None
    if inbox.source_of(arrival.file) != arrival.source:
        temporary.unlink()
        LOGGER.warning("%s changed while it was copied; it lands when it is finished", arrival.file)
        return None
    temporary.chmod(0o400)
    return LandedFile(
        position=number,
        silo=arrival.silo,
        table=arrival.table,
        path=str((folder / _landed_name(number, arrival.file)).relative_to(landing)),
        name=arrival.file.name,
        size_bytes=arrival.source.size,
        sha256=sha256,
        landed_at=datetime.now(UTC),
        source=arrival.source,
    )


def _landed_name(number: int, file: Path) -> str:
    """The name in landing: the position and what every tool takes of the file's own; the log has it whole."""
    name = _STRANGE.sub("_", file.name)
    ending = Path(name).suffix if len(Path(name).suffix) <= _ENDING_CHARACTERS else ""
    stem = name.removesuffix(ending)
    room = _NAME_BYTES - len(f"{number:08d}_{ending}".encode())
    return f"{number:08d}_{stem.encode()[: max(room, 0)].decode(errors='ignore')}{ending}"


def _commit(merchant: Merchant, files: list[LandedFile]) -> list[LandedFile]:
    """Logs copied files and puts them in place, together: to wait for the disk once a file is slow.

    The log comes first: a file in place always has its line, and a line without its file can be finished.
    """
    finals = [merchant.landing / file.path for file in files]
    temporaries = [_temporary(final.parent, file.position) for file, final in zip(files, finals, strict=True)]
    with ThreadPoolExecutor(_WAITING) as pool:
        list(pool.map(journal.sync_file, temporaries))
    journal.append(_log(merchant), [file.model_dump(mode="json", exclude_defaults=True) for file in files])
    for temporary, final in zip(temporaries, finals, strict=True):
        temporary.replace(final)
    for folder in {final.parent for final in finals}:
        journal.sync_folder(folder)
    return files


def _temporary(folder: Path, number: int) -> Path:
    return folder / f".{number:08d}.tmp"


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _copy(source: Path, target: Path) -> str:
    """Copies the bytes, hashing on the way."""
    digest = hashlib.sha256()
    with source.open("rb") as reading, target.open("wb") as writing:
        while block := reading.read(_BLOCK):
            digest.update(block)
            writing.write(block)
    return digest.hexdigest()
