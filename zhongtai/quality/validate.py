"""Runs suites on a DuckDB file with Great Expectations, which is imported only when something is to be checked."""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zhongtai import settings
from zhongtai.errors import UsageError, ZhongtaiError
from zhongtai.progress import timed
from zhongtai.quality import explain
from zhongtai.quality.json_values import json_safe
from zhongtai.quality.results import CheckResult, Status
from zhongtai.quality.suites import UNEXPECTED_ROWS, ExpectationSpec, Suite

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.datasource.fluent.interfaces import Batch
    from great_expectations.datasource.fluent.sql_datasource import TableAsset
    from great_expectations.expectations.expectation import Expectation

    from zhongtai.quality.duckdb_datasource import DuckDBDatasource

MAX_SAMPLES = 10
# The first pass asks only whether, so that one scan answers all; the second fetches the rows that break the rule.
PASS_OR_FAIL = "BOOLEAN_ONLY"
WITH_ROWS = {"result_format": "COMPLETE", "include_unexpected_rows": True, "partial_unexpected_count": MAX_SAMPLES}
SILENCE = logging.NullHandler()
# Figures worth keeping of a result; the others repeat the rows.
FIGURES = ("element_count", "missing_count", "unexpected_count", "unexpected_percent", "observed_value", "details")


def validate(database: Path, suites: list[Suite], read_only: bool = True) -> list[CheckResult]:
    """Judges tables by their suites.

    Args:
        database: a DuckDB file.
        suites: what to check; the tables may be views.
        read_only: false where this process itself has the file open for writing.

    Returns:
        A result an expectation, in the order of the suites. An expectation that could not run, for example because
        its table does not exist, is errored.

    Raises:
        ZhongtaiError: the file cannot be opened.
        UsageError: a suite names a type or an argument that Great Expectations does not know.
    """
    if not suites:
        return []
    if not database.exists():
        raise ZhongtaiError(f"{database}: no such database to check")
    results: list[CheckResult] = []
    with _quiet(), _datasource(database, read_only) as datasource:
        expectations = _build(suites)
        for suite in suites:
            with timed("quality", suite.name) as progress:
                found = _check_table(datasource, suite, expectations[suite.name])
                progress.note = _summary(found)
            results.extend(found)
    return results


def check_suites(suites: list[Suite]) -> None:
    """Compares types and arguments with Great Expectations' classes, without data.

    Raises:
        UsageError: names file and entry.
    """
    with _quiet():
        _build(suites)


@contextmanager
def _quiet() -> Iterator[None]:
    """Great Expectations without telemetry, log lines and deprecation warnings: what it finds is in the results."""
    os.environ.update(settings.NO_TELEMETRY)
    logger = logging.getLogger("great_expectations")
    # Levels would not do: some of its modules set their own. Without a handler Python would print warnings itself.
    logger.addHandler(SILENCE)
    logger.propagate = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.propagate = True


@contextmanager
def _datasource(database: Path, read_only: bool) -> Iterator[DuckDBDatasource]:
    """The file, opened for Great Expectations and let go afterwards."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.datasource.fluent.interfaces import TestConnectionError

    from zhongtai.quality.duckdb_datasource import open_datasource

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    try:
        datasource = open_datasource(context, "warehouse", database, read_only)
    except TestConnectionError as error:
        raise ZhongtaiError(f"{database} cannot be opened: {explain.error(str(error.__cause__ or error))}") from error
    try:
        yield datasource
    finally:
        datasource.get_execution_engine().close()


def _build(suites: list[Suite]) -> dict[str, list[Expectation]]:
    """Great Expectations' own objects for every suite, by the suite's name."""
    from great_expectations.compatibility.pydantic import ValidationError
    from great_expectations.exceptions.exceptions import ExpectationNotFoundError

    built: dict[str, list[Expectation]] = {}
    for suite in suites:
        for spec in suite.expectations:
            try:
                built.setdefault(suite.name, []).append(_expectation(spec))
            except ExpectationNotFoundError as error:
                raise UsageError(f"{suite.file}: {spec.name}: unknown type {spec.type}") from error
            except ValidationError as error:
                faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
                raise UsageError(f"{suite.file}: {spec.name}: {faults}") from error
    return built


def _expectation(spec: ExpectationSpec) -> Expectation:
    """One expectation; its name goes along as meta, because results come back in another order."""
    from great_expectations.expectations.core.unexpected_rows_expectation import UnexpectedRowsExpectation
    from great_expectations.expectations.registry import get_expectation_impl

    meta = {"name": spec.name}
    if spec.type != UNEXPECTED_ROWS:
        return get_expectation_impl(spec.type)(**spec.kwargs, meta=meta)
    others = {key: value for key, value in spec.kwargs.items() if key != "query"}
    return UnexpectedRowsExpectation(unexpected_rows_query=_query(spec.kwargs["query"]), **others, meta=meta)


def _query(query: str) -> str:
    """A suite's query as Great Expectations wants it.

    It would paste a subquery for {batch}, with an alias only where the query has no join, and take all other braces
    for placeholders. Given a name instead, the table may be aliased and joined like any other.
    """
    text = query.replace("{", "{{").replace("}", "}}").replace("{{batch}}", "batch")
    return f"with batch as not materialized (select * from {{batch}}) select * from (\n{text.rstrip().rstrip(';')}\n)"


def _check_table(datasource: DuckDBDatasource, suite: Suite, expectations: list[Expectation]) -> list[CheckResult]:
    """All expectations of one table."""
    from great_expectations.datasource.fluent.interfaces import TestConnectionError

    started = time.perf_counter()
    try:
        asset = datasource.add_table_asset(suite.name, table_name=suite.table, schema_name=suite.schema_name)
    except TestConnectionError as error:
        cause = explain.error(str(error.__cause__ or error))
        message = f"{suite.name} cannot be read: {cause}"
        return [_result(suite, spec, "errored", message=message) for spec in suite.expectations]
    batch = asset.add_batch_definition_whole_table("whole_table").get_batch()
    first = _run(batch, expectations, PASS_OR_FAIL)
    failed = [each for each in expectations if not first[_name(each)].success and not _raised(first[_name(each)])]
    if failed and _is_empty(datasource, asset):
        failed = [each for each in failed if not _judges_values(each)]
    second = _run(batch, failed, WITH_ROWS) if failed else {}
    seconds = (time.perf_counter() - started) / len(expectations)
    return [_judge(suite, spec, first[spec.name], second.get(spec.name), seconds) for spec in suite.expectations]


def _run(batch: Batch, expectations: list[Expectation], result_format: Any) -> dict[str, ExpectationValidationResult]:
    """Results by the expectation's name."""
    from great_expectations import ExpectationSuite

    # A suite keeps what it is given and refuses to lend it to another: each pass gets copies.
    suite = ExpectationSuite(name="pass", expectations=[each.copy() for each in expectations])
    results = batch.validate(suite, result_format=result_format).results
    return {result.expectation_config.meta["name"]: result for result in results if result.expectation_config}


def _is_empty(datasource: DuckDBDatasource, asset: TableAsset) -> bool:
    import sqlalchemy as sa

    query = sa.select(sa.literal(1)).select_from(asset.as_selectable()).limit(1)
    return datasource.get_execution_engine().execute_query(query).first() is None


def _judges_values(expectation: Expectation) -> bool:
    """Whether it is about a column's values, of which an empty table has none: the mean of nothing is not wrong."""
    return not expectation.expectation_type.startswith(("expect_table_", "expect_query_", "unexpected_rows"))


def _name(expectation: Expectation) -> str:
    return str((expectation.meta or {})["name"])


def _raised(result: ExpectationValidationResult) -> str:
    """The message of an exception, empty where there was none; an expectation that raised has not failed."""
    info: dict[str, Any] = result.exception_info or {}
    # One exception, or one for each metric that raised.
    infos = [info] if "raised_exception" in info else [each for each in info.values() if isinstance(each, dict)]
    for each in infos:
        if each.get("raised_exception"):
            return str(each.get("exception_message") or "an exception without a message")
    return ""


def _judge(
    suite: Suite,
    spec: ExpectationSpec,
    first: ExpectationValidationResult,
    second: ExpectationValidationResult | None,
    seconds: float,
) -> CheckResult:
    """What the two passes say about one expectation."""
    if message := _raised(first):
        return _result(suite, spec, "errored", message=explain.error(message), seconds=seconds)
    if second is None:
        return _result(suite, spec, "passed", seconds=seconds)
    if message := _raised(second):
        reason = f"failed; the rows could not be fetched: {explain.error(message)}"
        return _result(suite, spec, "failed", message=reason, seconds=seconds)
    found: dict[str, Any] = second.result or {}
    samples = _samples(found)
    observed = {key: json_safe(found[key]) for key in FIGURES if found.get(key) is not None}
    if spec.type == UNEXPECTED_ROWS:
        observed.pop("details", None)
    message = explain.failure(spec, observed, samples)
    return _result(suite, spec, "failed", message=message, observed=observed, samples=samples, seconds=seconds)


def _samples(found: dict[str, Any]) -> list[dict[str, object]]:
    """Offending rows, whole where they are rows of the table."""
    details = found.get("details") or {}
    rows = found.get("unexpected_rows") or details.get("unexpected_rows") or []
    return [json_safe(row) for row in rows[:MAX_SAMPLES]]


def _result(suite: Suite, spec: ExpectationSpec, status: Status, **found: Any) -> CheckResult:
    return CheckResult(
        name=spec.name,
        schema_name=suite.schema_name,
        table=suite.table,
        kind="expectation",
        severity=spec.severity,
        status=status,
        description=spec.description,
        **found,
    )


def _summary(results: list[CheckResult]) -> str:
    """A table's results in words, for example `6 passed, 1 warned`."""
    counts = {
        "passed": sum(result.status == "passed" for result in results),
        "warned": sum(result.status == "failed" and not result.blocks for result in results),
        "failed": sum(result.status == "failed" and result.blocks for result in results),
        "errored": sum(result.status == "errored" for result in results),
    }
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)
