"""Building again what did not change: a release of its own, with the same content."""

from __future__ import annotations

import pytest

from tests.integration.conftest import Small


@pytest.mark.real
def test_what_is_built_again_is_published_and_the_same(small: Small) -> None:
    lines = small.query("select count(*), sum(paid_amount) from unified.fct_order_lines")
    before = small.manifest
    contents = _contents(small)
    assert len(contents) > 50
    released = [before["release_id"]]
    for asked in (["--rebuild", "2017-06-01..2017-06-07"], ["--full-refresh"]):
        run = small.run(*asked)
        assert run.returncode == 0, run.stdout
        assert f"Published {small.manifest['release_id']}" in run.stdout
        assert small.manifest["release_id"] not in released
        released.append(small.manifest["release_id"])
        again = _contents(small)
        assert again.keys() == contents.keys(), asked
        assert [table for table in contents if again[table] != contents[table]] == [], asked
        assert small.query("select count(*), sum(paid_amount) from unified.fct_order_lines") == lines
        for same in ("as_of", "known_at", "sources", "policies"):
            assert small.manifest[same] == before[same], same

    run = small.run()
    assert (run.returncode, small.manifest["release_id"]) == (0, released[-1])
    assert f"Nothing new since release {released[-1]}" in run.stdout


def _contents(small: Small) -> dict[str, tuple[int, str]]:
    """Rows and content hash of each table of the current release."""
    return {name: (table["rows"], table["content_hash"]) for name, table in small.manifest["tables"].items()}
