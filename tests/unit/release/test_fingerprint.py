"""The fingerprint: changes with all that decides a release, and with nothing else."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from zhongtai import fingerprint
from zhongtai.merchant import Merchant
from zhongtai.settings import Settings

FILES = {
    "zhongtai/release/store.py": "code",
    "transform/models/marts/mart.sql": "select 1",
    "transform/macros/m.sql": "macro",
    "transform/seeds/s.csv": "a,b",
    "expectations/fct_orders.yml": "suite",
    "merchants/policies.yml": "payback_days: 30",
    "requirements.lock": "duckdb",
    "docs/readme.md": "words",
}


class Project:
    """A checkout with a merchant file, below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in FILES.items():
            self.write(name, text)
        self.settings = Settings(project=folder, home=folder / "data", merchant=None, merchants=folder / "merchants")
        self.write("merchants/small.yml", "title: Small")

    def write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def mark(self, position: int = 3, as_of: str | None = None, known_at: int | None = None) -> str:
        merchant = Merchant(
            name="small",
            title="",
            time_zone="UTC",
            currency="CNY",
            locale="zh_CN",
            silos={},
            file=self.folder / "merchants" / "small.yml",
            home=self.folder / "data" / "small",
        )
        return fingerprint.fingerprint(merchant, self.settings, position, as_of, known_at)


# Whatever the checkout stands below.
@pytest.fixture(params=["plain", "target", "logs/.hidden/__pycache__"])
def project(tmp_path: Path, request: pytest.FixtureRequest) -> Project:
    return Project(tmp_path / request.param / "checkout")


def test_the_same_is_the_same(project: Project, tmp_path: Path) -> None:
    assert project.mark() == project.mark()
    assert Project(tmp_path / "another").mark() == project.mark(), "wherever the checkout is"


@pytest.mark.parametrize("name", [*(name for name in FILES if not name.startswith("docs")), "merchants/small.yml"])
def test_it_changes_with_a_file(project: Project, name: str) -> None:
    before = project.mark()
    project.write(name, "changed")
    assert project.mark() != before


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "transform/models/marts/mart.sql").rename(folder / "transform/models/marts/other.sql"),
        lambda folder: (folder / "transform/macros/m.sql").unlink(),
        lambda folder: (folder / "transform/macros/new.sql").write_text(""),
        lambda folder: (folder / "expectations/fct_orders.yml").unlink(),
    ],
)
def test_it_changes_when_files_come_and_go(project: Project, change: Callable[[Path], object]) -> None:
    before = project.mark()
    change(project.folder)
    assert project.mark() != before


def test_it_changes_with_what_was_landed_and_asked(project: Project) -> None:
    asked = [
        project.mark(),
        project.mark(position=4),
        project.mark(as_of="2024-01-01"),
        project.mark(as_of="2024-01-02"),
        project.mark(known_at=3),
        project.mark(known_at=2),
    ]
    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize(
    "name",
    [
        "zhongtai/__pycache__/store.cpython-311.pyc",
        "zhongtai/release/__pycache__/x.py",
        "transform/.user.yml",
        "transform/models/.mart.sql.swp",
        "transform/.cache/deep/x.sql",
        "transform/target/manifest.json",
        "transform/logs/dbt.log",
        "transform/dbt_packages/p/x.sql",
        "docs/readme.md",
        "merchants/other.yml",
        "data/small/landing/landing.jsonl",
    ],
)
def test_it_does_not_change_with(project: Project, name: str) -> None:
    before = project.mark()
    project.write(name, "anything")
    assert project.mark() == before


def test_content_cannot_pass_for_a_file(project: Project) -> None:
    project.write("transform/a.sql", "one")
    project.write("transform/b.sql", "two")
    before = project.mark()
    (project.folder / "transform" / "b.sql").unlink()
    project.write("transform/a.sql", "onetransform/b.sqltwo")
    assert project.mark() != before


def test_the_commit_says_when_files_differ(tmp_path: Path) -> None:
    project = Project(tmp_path)
    assert fingerprint.git_sha(project.settings) is None
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *command], check=True, capture_output=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert fingerprint.git_sha(project.settings) == head
    project.write("transform/macros/m.sql", "changed")
    assert fingerprint.git_sha(project.settings) == f"{head}+changes"
