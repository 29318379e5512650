"""Tokens of personal values in plain Python, from docs/personal-data.md and the demo's public key."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from functools import cache

import yaml

from zhongtai.settings import PROJECT_ROOT


@cache
def public_key() -> bytes:
    """The key that stands in the demo's merchant file."""
    merchant = yaml.safe_load((PROJECT_ROOT / "merchants" / "qinghe.yml").read_text(encoding="utf-8"))
    return bytes.fromhex(merchant["public_personal_key"])


def token(personal_class: str, text: str | None) -> str | None:
    """The token of a normalised value."""
    if not text:
        return None
    digest = hmac.new(public_key(), f"{personal_class}:{text}".encode(), hashlib.sha256).hexdigest()
    return f"{personal_class}:{digest[:32]}"


def token_of(personal_class: str, value: str) -> str | None:
    """The token of a value as typed."""
    plain = unicodedata.normalize("NFC", value).strip()
    if personal_class == "phone":
        digits = phone(value)
        return None if "*" in digits else token("phone", digits)
    if personal_class == "device":
        return token("device", plain)
    return token(personal_class, " ".join(plain.lower().split()))


def partial_token(value: str) -> str | None:
    """The token of what a masked phone shows."""
    shown = re.fullmatch(r"(\d{3})(?:\d{3,}|\*+)(\d{4})", phone(value))
    return token("phone_partial", f"{shown[1]}****{shown[2]}") if shown else None


def phone(value: str) -> str:
    """A Chinese mobile as eleven characters; anything else as its digits, plus signs and asterisks."""
    digits = "".join(character for character in unicodedata.normalize("NFKC", value) if character in "0123456789+*")
    mobile = re.fullmatch(r"(?:(?:\+|00)?86)?0?(1[3-9]\d(?:\d{4}|\*+)\d{4})", digits)
    return mobile[1] if mobile else digits
