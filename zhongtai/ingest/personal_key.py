"""The key of personal tokens: where it comes from, and what is refused."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path

from zhongtai.errors import UsageError
from zhongtai.ingest import journal
from zhongtai.ingest.contract import Contract
from zhongtai.merchant import Merchant

_KEY = re.compile(r"[0-9a-fA-F]{64}")
_OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MAKE = "zhongtai key > FILE"


def new_key() -> str:
    """A fresh random key of 256 bits, in hexadecimal digits."""
    return secrets.token_hex(32)


def make_private(descriptor: int) -> None:
    """Lets only its owner read what is written to, where that is a file: a shell makes it readable by all."""
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.fchmod(descriptor, stat.S_IRUSR | stat.S_IWUSR)


def require_key(merchant: Merchant, contracts: Iterable[Contract]) -> None:
    """Refuses a merchant with columns that become tokens and without a key.

    Raises:
        UsageError: there is no key, or it cannot be used; never says what it is.
    """
    if any(contract.is_tokenised for contract in contracts):
        key(merchant)


def protect(merchant: Merchant, contracts: Iterable[Contract]) -> None:
    """What every run begins with: there is a key, and nobody but the owner can open the folders of the merchant's data.

    Releases are for readers, and hold tokens only.

    Raises:
        UsageError: as for `require_key`.
    """
    require_key(merchant, contracts)
    for folder in (merchant.landing, merchant.raw, merchant.quarantine, merchant.warehouse, merchant.home / "extract"):
        journal.private_folder(folder)


def key(merchant: Merchant) -> bytes:
    """The merchant's key: that of its own file where it is public, else the environment's, else its key file's.

    Raises:
        UsageError: there is none, or a file that others could read or that data would be kept with.
    """
    if merchant.public_personal_key is not None:
        return bytes.fromhex(merchant.public_personal_key)
    text, file = merchant.environment_personal_key, merchant.environment_personal_key_file
    if text is not None and file is not None:
        raise UsageError("ZHONGTAI_PERSONAL_KEY and ZHONGTAI_PERSONAL_KEY_FILE are both set: unset one of them.")
    if text is not None:
        return _parsed(text.get_secret_value(), "ZHONGTAI_PERSONAL_KEY")
    if file is None and merchant.personal_key_file is not None:
        file = merchant.file.parent / Path(merchant.personal_key_file).expanduser()
    if file is None:
        raise UsageError(
            f"{merchant.name} has personal data, and no key to make tokens with. Make one outside the data folder: "
            f"{_MAKE}, and name it in {merchant.file} (personal_key_file: FILE) or in ZHONGTAI_PERSONAL_KEY_FILE. "
            "See docs/personal-data.md."
        )
    return _parsed(_read(file, merchant), str(file))


def fingerprint(merchant: Merchant, contract: Contract | None = None) -> str:
    """Tells keys apart and says nothing of them; empty for a contract that needs none, or where there is no key.

    Args:
        contract: whose tokens are asked for; by default any, and then a missing key is no error.

    Raises:
        UsageError: as for `key`, of a contract with tokens.
    """
    if contract is not None and not contract.is_tokenised:
        return ""
    if contract is None and not _is_given(merchant):
        return ""
    return hmac.new(key(merchant), b"fingerprint of the key of personal tokens", hashlib.sha256).hexdigest()[:16]


def _is_given(merchant: Merchant) -> bool:
    return any(
        value is not None
        for value in (
            merchant.public_personal_key,
            merchant.environment_personal_key,
            merchant.environment_personal_key_file,
            merchant.personal_key_file,
        )
    )


def _parsed(text: str, source: str) -> bytes:
    if not _KEY.fullmatch(text.strip()):
        raise UsageError(f"{source} holds no key: 64 hexadecimal digits, as this prints them: {_MAKE}")
    return bytes.fromhex(text.strip())


def _read(file: Path, merchant: Merchant) -> str:
    place, data = file.resolve(), merchant.home.parent.resolve()
    if place.is_relative_to(data):
        raise UsageError(
            f"The key {file} is in the data folder {data}: whoever copies the data would have both. "
            "Move it elsewhere, and name its new place."
        )
    try:
        mode = place.stat().st_mode
        if mode & _OF_OTHERS:
            raise UsageError(f"The key {file} can be read by others than its owner. Run: chmod 600 {file}")
        return place.read_text(encoding="ascii")
    except OSError as error:
        raise UsageError(
            f"The key {file} cannot be read: {error.strerror}. Put it back, or make a new one: {_MAKE}; "
            "a new one loads every table with personal data again."
        ) from error
    except UnicodeDecodeError:
        raise UsageError(f"{file} holds no key: 64 hexadecimal digits, as this prints them: {_MAKE}") from None
