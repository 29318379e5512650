"""What a check found; the same shape for expectations and dbt's data tests."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

Severity = Literal["critical", "warning"]
Status = Literal["passed", "failed", "errored"]


class CheckResult(BaseModel):
    """One check of one table.

    Attributes:
        name: unique within the table, for example `price_is_plausible`.
        schema_name, table: what was checked, as named in the warehouse.
        kind: expectation, data_test, or the ledger's reconciliation.
        severity: a critical check blocks what depends on the table; a warning is shown.
        status: passed, failed (the data are wrong) or errored (the check itself could not run).
        description: what must hold, in words.
        observed: figures found, JSON values only (`unexpected_count`, `element_count`, `observed_value` …).
        samples: up to 10 offending rows.
        message: why it failed or errored, one line.
        seconds: wall time, 0 where it was measured for the table as a whole.
    """

    name: str
    schema_name: str
    table: str
    kind: Literal["expectation", "data_test", "reconciliation"]
    severity: Severity
    status: Status
    description: str = ""
    observed: dict[str, object] = {}
    samples: list[dict[str, object]] = []
    message: str = ""
    seconds: float = 0.0

    @property
    def blocks(self) -> bool:
        """Whether nothing that depends on the table may go on."""
        return self.severity == "critical" and self.status != "passed"
