"""The documents' commands do what the documents say."""

from __future__ import annotations

import re
import shlex
import subprocess

import pytest

from tests.qinghe import Qinghe
from zhongtai.settings import PROJECT_ROOT

pytestmark = pytest.mark.silos

README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (PROJECT_ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith(".venv/bin/zhongtai")])
def test_readme_questions_are_answered(qinghe: Qinghe, command: str) -> None:
    arguments = shlex.split(command)[1:]
    answer = qinghe.zhongtai(*arguments)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.count("│") >= 4, "no row"
    if arguments[0] == "sql":
        assert len(qinghe.query(f"from ({arguments[1]})" if "order by" not in arguments[1] else arguments[1])) >= 1


def test_documented_make_targets_exist() -> None:
    targets = {shlex.split(line, comments=True)[1] for line in COMMANDS if line.startswith("make ")}
    assert {"demo", "test"} <= targets
    named = set(re.findall(r"`make (\w+)`", README + CONTRIBUTING))
    assert {"up", "lint", "real", "silos", "faults", "soak", "browser"} <= named
    for target in targets | named | {"bench"}:
        made = subprocess.run(["make", "--dry-run", target], cwd=PROJECT_ROOT, capture_output=True, check=False)
        assert made.returncode == 0, target


def test_links_of_documents_lead_somewhere() -> None:
    for document in [*PROJECT_ROOT.glob("*.md"), *PROJECT_ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_documented_commands_are_the_ones_there_are(qinghe: Qinghe) -> None:
    documented = set(re.findall(r"^\| `zhongtai (\w+)", README, re.MULTILINE))
    offered = set(re.findall(r"^│ (\w+) ", qinghe.zhongtai("--help").stdout, re.MULTILINE))
    assert documented | {"up"} == offered


def test_documented_options_are_the_command_s_own(qinghe: Qinghe) -> None:
    rows = re.findall(r"^\| `zhongtai (\w+)[^`]*` \| (.*) \|$", README, re.MULTILINE)
    named = {command: re.findall(r"`(--[\w-]+)", text) for command, text in rows}
    assert named["run"] == ["--full-refresh", "--rebuild"]
    for command, options in named.items():
        told = qinghe.zhongtai(command, "--help").stdout if options else ""
        assert [option for option in options if f"{option} " not in told] == [], command
