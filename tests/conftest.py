"""In which order the files of tests are handed to the workers."""

from __future__ import annotations

import pytest

# Each makes what other files share, and takes longest: the workers begin with them, one each, instead of waiting
# for each other. What shares it comes last.
FIRST = ("tests/integration/test_run.py", "tests/simulated/test_documents.py", "tests/unit/transform/")
LAST = ("tests/integration/", "tests/simulated/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sorts by file; tests of one file keep their order."""
    items.sort(key=lambda item: _rank(item.nodeid))


def _rank(test: str) -> int:
    for rank, place in enumerate(FIRST):
        if test.startswith(place):
            return rank
    return len(FIRST) + (1 if test.startswith(LAST) else 0)
