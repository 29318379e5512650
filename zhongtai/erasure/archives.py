"""What is packed in a gzip file or a zip archive, as far as it can be unpacked: also of one that is damaged or cut."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from mmap import mmap

from zhongtai.ingest.unpack import BOMB_BYTES, BOMB_RATIO

_GZIP, _MEMBER = b"\x1f\x8b\x08", b"PK\x03\x04"
_EXTRA, _NAME, _COMMENT, _HEADER_CHECK = 4, 8, 16, 2  # flags of a gzip header
_STORED, _DEFLATED = 0, 8
_IS_ENCRYPTED = 1
# bzip2, xz, zstd, 7z, rar: nothing here opens them.
_CLOSED = (b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07")
_READ, _PIECE = 1 << 14, 1 << 20
_MOST_BROKEN = 1_000  # members that break: what has more of them was made to keep a reader busy


def is_archive(start: bytes) -> bool:
    """Whether a file that begins so has to be unpacked to see what is in it."""
    return start.startswith((b"\x1f\x8b", _MEMBER, *_CLOSED))


class Archive:
    """The contents of an archive.

    An archive's directory, which a cut one lacks, is not relied on: what stands before a damage is given, and what
    begins after it.

    Attributes:
        is_whole: whether all that is there was unpacked as it was packed; known when all contents were gone through.
    """

    def __init__(self, data: mmap) -> None:
        self.is_whole = True
        self._data = data
        # Of a bomb only so much is unpacked.
        self._left = max(BOMB_BYTES, BOMB_RATIO * len(data))
        self._broken = 0
        self._end = 0
        self._sum: int | None = None

    def contents(self) -> Iterator[Iterator[bytes]]:
        """The bytes of each member, in pieces. Go through each before the next."""
        if self._data[:2] == _GZIP[:2]:
            yield from self._gzip_members()
        elif self._data[:4] == _MEMBER:
            yield from self._zip_members()
        else:
            self.is_whole = False

    @property
    def _may_go_on(self) -> bool:
        return self._left > 0 and self._broken < _MOST_BROKEN

    def _gzip_members(self) -> Iterator[Iterator[bytes]]:
        place = 0
        while 0 <= place < len(self._data) and self._may_go_on:
            start = self._after_gzip_header(place)
            if start is None:
                self.is_whole = False
                start = self._end = place + len(_GZIP)
            else:
                yield self._inflated(start)
                self._compare({self._number(self._end)})
            place = self._data.find(_GZIP, self._end)

    def _after_gzip_header(self, place: int) -> int | None:
        """Where the packed bytes begin; None where this is no header."""
        if self._data[place : place + 3] != _GZIP and len(self._data) - place >= 3:
            return None
        flags = int.from_bytes(self._data[place + 3 : place + 4])
        place += 10
        if flags & _EXTRA:
            place += 2 + int.from_bytes(self._data[place : place + 2], "little")
        for flag in (_NAME, _COMMENT):
            if flags & flag:
                ending = self._data.find(b"\0", place)
                place = ending + 1 if ending >= 0 else len(self._data)
        return place + (2 if flags & _HEADER_CHECK else 0)

    def _zip_members(self) -> Iterator[Iterator[bytes]]:
        place = 0
        while place >= 0 and place + 30 <= len(self._data) and self._may_go_on:
            flags, method, told, name_bytes, extra_bytes = struct.unpack(
                "<HH4xI8xHH", self._data[place + 6 : place + 30]
            )
            start = place + 30 + name_bytes + extra_bytes
            self._end = place + len(_MEMBER)
            if flags & _IS_ENCRYPTED or method not in (_STORED, _DEFLATED):
                self.is_whole = False
            elif method == _DEFLATED:
                yield self._inflated(start)
                self._compare({told, self._number(self._end), self._number(self._end + 4)})
                if self._sum is None:  # what seems to be packed may be a name's bytes: the next member is looked for
                    self._end = place + len(_MEMBER) if self._end < len(self._data) else self._end
            elif is_archive(head := self._data[start : start + 8]) and not head.startswith(_MEMBER):
                self.is_whole = False
            # What is only stored is among the file's own bytes.
            place = self._data.find(_MEMBER, self._end)

    def _compare(self, sums: set[int]) -> None:
        """After a damage a stream may seem sound, and give other bytes than were packed. One that is cut has no sum."""
        if self._sum is not None and self._end + 4 <= len(self._data) and self._sum not in sums:
            self.is_whole = False

    def _number(self, place: int) -> int:
        return int.from_bytes(self._data[place : place + 4], "little")

    def _inflated(self, place: int) -> Iterator[bytes]:
        """What the stream at a place gives until it ends, breaks or is cut off.

        Sets where that is, and the sum of what it gave, None where it did not come to its end.
        """
        machine = zlib.decompressobj(-zlib.MAX_WBITS)
        size, total = _READ, 0
        self._sum = None
        while place < len(self._data) and not machine.eof and self._left > 0:
            before = machine.copy()
            packed = self._data[place : place + size]
            try:
                piece = machine.decompress(packed, _PIECE)
            except zlib.error:
                # What came before the damage is lost with the call: it is made again with less.
                machine, size = before, size // 2
                if size == 0:
                    self.is_whole = False
                    self._broken += 1
                    break
                continue
            place += len(packed) - len(machine.unconsumed_tail) - len(machine.unused_data)
            total = zlib.crc32(piece, total)
            self._left -= len(piece)
            yield piece
        if machine.eof:
            self._sum = total
        elif self._left <= 0:
            self.is_whole = False
        elif size:
            yield machine.flush()
        self._end = place
