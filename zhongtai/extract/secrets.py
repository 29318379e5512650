"""Which names are secrets', and keeping secrets out of what is logged, said and written."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import unquote_plus, urlsplit

_PARTS = re.compile(
    r"token(?!s)|secret|passw|passphrase|credential|authorization|signature|bearer|jwt"
    r"|(api|app|access|private|session)key(?!word)|sessionid"
)
_WORDS = {"key", "sign", "sig", "auth", "pass", "pwd", "session"}
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
# Names that tell about a secret, or of an order or a place.
_ABOUT = {"type", "method", "version", "format", "algorithm", "alg", "mode"}
_HARMLESS = {
    *((word, "key") for word in ("sort", "order", "group", "primary", "partition", "search", "page")),
    *((word, "token") for word in ("page", "next", "continuation")),
}
_QUERY_VALUE = re.compile(r"""([?&]([^=&#\s]+)=)[^&#\s"']*""")
_INSTEAD = "***"


def looks_secret(name: str) -> bool:
    """Whether a parameter or header of this name holds a secret, as far as names tell."""
    words = tuple(word.lower() for word in _WORD.findall(name))
    if not words or words[-1] in _ABOUT or words in _HARMLESS:
        return False
    return not _WORDS.isdisjoint(words) or _PARTS.search("".join(words)) is not None


def setting(kind: str, name: str) -> str:
    """What to write into the merchant file in place of the secret."""
    variable = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    return f"{kind}: {{{name}: {variable}}}"


def without_values(text: str, names: Collection[str] = ()) -> str:
    """The text, to be shown, without the values of an address's parameters that look secret or are among the names."""

    def shown(found: re.Match[str]) -> str:
        name = unquote_plus(found[2])
        return found[1] + _INSTEAD if name in names or looks_secret(name) else found[0]

    return _QUERY_VALUE.sub(shown, text)


class Secrets:
    """What one endpoint is asked with.

    Attributes:
        params: query parameters by name.
    """

    def __init__(self, params: Mapping[str, str], headers: Mapping[str, str]) -> None:
        """The header of a token has it without the word Bearer: an interface may tell it back in another place."""
        self.params = params
        self._patterns = [_pattern(name, value) for name, value in [*params.items(), *headers.items()]]

    def out_of_text(self, text: str) -> str:
        """A message without the secrets, and without whatever the parameters hold."""
        return self.out_of_bytes(without_values(text, self.params).encode()).decode()

    def out_of_bytes(self, content: bytes) -> bytes:
        """A document without the secrets, which an interface may tell back, above all in the link to its next page."""
        text = content.decode("latin-1")  # bytes as they are, in whatever encoding
        for pattern in self._patterns:
            text = pattern.sub(lambda found: (found["before"] or "") + _INSTEAD, text)
        return text.encode("latin-1")

    def out_of_link(self, address: str) -> str:
        """The address of a page without the parameters that every page is asked with."""
        query = urlsplit(address).query
        left = [part for part in query.split("&") if not self._is_own(part)]
        return address.replace(f"?{query}", f"?{'&'.join(left)}" if left else "", 1) if query else address

    def missing_in(self, address: str) -> dict[str, str]:
        """The parameters that the address of a page does not have."""
        there = {unquote_plus(part.partition("=")[0]) for part in urlsplit(address).query.split("&")}
        return {name: value for name, value in self.params.items() if name not in there}

    @contextmanager
    def out_of_logs(self) -> Iterator[None]:
        """Meanwhile, what is logged about connections does not have them: it tells whole addresses."""
        logger = logging.getLogger("urllib3.connectionpool")

        def withhold(record: logging.LogRecord) -> bool:
            record.msg, record.args = self.out_of_text(record.getMessage()), None
            return True

        logger.addFilter(withhold)
        try:
            yield
        finally:
            logger.removeFilter(withhold)

    def _is_own(self, part: str) -> bool:
        name, _, value = part.partition("=")
        return self.params.get(unquote_plus(name)) == unquote_plus(value)


def _pattern(name: str, value: str) -> re.Pattern[str]:
    """Finds the secret: anywhere if it can be nothing else, else where it stands beside its name.

    Rows hold short words and numbers as well, and they must arrive as they are.
    """
    written = "".join(map(_written, value))
    has_letters, has_digits = (re.search(kind, value) is not None for kind in ("[A-Za-z]", "[0-9]"))
    if has_letters and len(value) >= (8 if has_digits else 16):
        return re.compile(f"(?P<before>){written}")
    if not looks_secret(name):
        return re.compile(r"(?P<before>)(?!)")  # such as the number of a shop: nowhere
    return re.compile(rf"(?P<before>(?i:{re.escape(name)})(?:=|\\*\"\s*:\s*\\*\")(?:(?i:bearer) )?){written}(?![\w%])")


def _written(character: str) -> str:
    """A pattern of the ways to write a character: itself, percent-encoded, or escaped in JSON."""
    in_bytes = character.encode()
    ways = [
        re.escape(in_bytes.decode("latin-1")),
        "".join(f"%(?i:{byte:02x})" for byte in in_bytes),
        rf"\\u(?i:{ord(character):04x})",
        re.escape(json.dumps(character)[1:-1]),
        *([r"\\/"] if character == "/" else []),
        *([r"\+"] if character == " " else []),
    ]
    return f"(?:{'|'.join(dict.fromkeys(ways))})"
