"""What of data goes to a terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from orchestration.printing import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("青禾 [red]x[/red]", "青禾 [red]x[/red]"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("2\r.0", "2\\r.0"),
        ("o\0k", "o\\x00k"),
        ("a\u3000b\u202ec", "a\\u3000b\\u202ec"),
        ("two\nlines", "two\nlines"),
        (7, "7"),
    ],
)
def test_data_are_shown_and_never_obeyed(text: object, shown: str) -> None:
    written = io.StringIO()
    Console(file=written, width=200).print(plain(text))
    assert written.getvalue() == shown + "\n"
