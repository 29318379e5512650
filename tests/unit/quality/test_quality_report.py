"""The page: headline, hostile values, order, and nothing from outside."""

import re
from html.parser import HTMLParser

from zhongtai.quality.report import outcome, render
from zhongtai.quality.results import CheckResult

HOSTILE = "<script>alert('x')</script>"


def check(name: str, status: str, severity: str = "critical", schema: str = "unified", **more: object) -> CheckResult:
    entry = {"name": name, "schema_name": schema, "table": "fct_orders", "kind": "expectation", **more}
    return CheckResult.model_validate({**entry, "severity": severity, "status": status})


class Tags(HTMLParser):
    """Tags and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def text(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.split("</style>")[1]).split())


def test_outcomes() -> None:
    assert outcome(check("a", "failed")) == "failed"
    assert outcome(check("a", "failed", "warning")) == "warned"
    assert outcome(check("a", "errored", "warning")) == "errored"
    assert outcome(check("a", "passed")) == "passed"


def test_the_headline_counts_in_two_languages() -> None:
    page = render(
        "Quality", [check("a", "passed"), check("b", "passed"), check("c", "failed", "warning")], {"Run": "r1"}
    )
    assert "2 passed 通过 1 warned 警告 0 failed 失败" in text(page)
    assert "errored 出错" not in text(page)
    assert "Run r1" in text(page)


def test_failures_come_first_then_all_by_layer() -> None:
    page = text(
        render(
            "Quality",
            [
                check("mart_check", "passed", schema="marts"),
                check("a_warning", "failed", "warning", schema="raw_shop"),
                check("a_failure", "failed", message="3 of 4 rows", description="About it."),
                check("an_error", "errored", kind="data_test"),
            ],
            {},
        )
    )
    names = ["a_failure", "an_error", "a_warning", "Raw 原始层", "Unified 统一层", "Marts 集市层", "mart_check"]
    assert sorted(names, key=page.index) == names
    assert "About it. 3 of 4 rows" in page
    assert "dbt test" in page


def test_hostile_values_stay_text() -> None:
    hostile = check(
        "bad",
        "failed",
        message=HOSTILE,
        description=HOSTILE,
        samples=[{HOSTILE: '"><img src=x onerror=alert(1)>', "empty": None, "price": "-1.50"}, {"empty": 3}],
    )
    page = render(HOSTILE, [hostile], {HOSTILE: HOSTILE})
    tags = Tags(page).found
    assert not {tag for tag, _ in tags} & {"script", "img"}
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]
    assert "Sample rows 抽样行" in page
    assert '<td class="number">-1.50</td>' in page
    assert '<td class="null">NULL</td>' in page


def test_nothing_is_fetched() -> None:
    page = render("Quality", [check("a", "failed", samples=[{"url": "https://example.org/x.js"}])], {})
    tags = Tags(page).found
    assert not {tag for tag, _ in tags} & {"link", "script", "img", "iframe"}
    assert "url(" not in page.split("</style>")[0]
    assert "prefers-color-scheme: dark" in page


def test_nothing_checked() -> None:
    assert "Nothing was checked." in render("Quality", [], {})
