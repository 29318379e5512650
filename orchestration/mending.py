"""What `zhongtai quarantine` does and prints: find rejected rows, take them out to mend them, load them after all."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from orchestration.printing import plain
from zhongtai import settings as settings_module
from zhongtai.errors import UsageError
from zhongtai.ingest import exported, quarantine, replay
from zhongtai.ingest.contract import Contract, load_contracts
from zhongtai.ingest.replay import Reloaded, Replayed, Waiting
from zhongtai.merchant import Merchant


def print_files(merchant: Merchant, out: Console) -> None:
    """Files with rejected rows, by reason."""
    found = quarantine.list_quarantine(merchant)
    if not found:
        out.print("No row is in quarantine.")
        return
    table = Table("table", "file", "rows", "reasons", "since then")
    for file in found:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in file.reasons.items())
        since = f"{file.mended:,} mended" if file.mended else ""
        since = "corrected by a later file" if file.replaced_by is not None else since
        rows = f"{sum(file.reasons.values()):,}"
        table.add_row(f"{file.silo}.{file.table}", plain(file.file), rows, plain(file.message or reasons), since)
    out.print(table)
    out.print("Rows: zhongtai quarantine show SILO.TABLE. How to mend them: docs/quarantine.md")


def print_rows(merchant: Merchant, name: str, limit: int, out: Console) -> None:
    """Rejected rows of a table, and where each stands.

    Raises:
        UsageError: the name is no table of the merchant's.
    """
    contract = _contract(merchant, name)[1]
    shown = quarantine.show(merchant, contract.silo, contract.table, limit)
    if not shown:
        out.print(f"No row of {name} is in quarantine.")
    for row in quarantine.with_byte_offsets(merchant, contract, shown):
        line = f"line {row['line_number']}" if row["line_number"] else None
        byte = f"byte {row['byte_offset']}" if row["byte_offset"] is not None else None
        places = ", ".join(filter(None, (line, byte)))
        number = f" row {row['row_number']}" if row["row_number"] else ""
        where = f"{row['file']}{number}" + (f" ({places})" if places else "")
        column = f", column {row['column_name']}" if row.get("column_name") else ""
        since = " [green](mended)[/green]" if row["mended_by"] else ""
        since = " [green](corrected by a later file)[/green]" if row["replaced_by"] else since
        reason = plain(row["reason"])
        out.print(f"[yellow]{reason}[/yellow] {plain(where + column)}: {plain(row['message'])}{since}", soft_wrap=True)
        if row["row_text"]:
            out.print(f"  {plain(row['row_text'])}", soft_wrap=True)
    every = quarantine.count(merchant, contract.silo, contract.table)
    if every > len(shown):
        out.print(f"{len(shown):,} of {every:,} rejected rows; see more with --limit")


def export(merchant: Merchant, name: str, to: Path, out: Console) -> None:
    """Writes a table's rejected rows for a spreadsheet."""
    contract = _contract(merchant, name)[1]
    rows = exported.export(merchant, contract, to)
    out.print(
        f"{rows:,} rejected rows of {name}, as they came, are in {to}. It holds personal data: only you can read it; "
        f"remove it when it is mended. Then: zhongtai quarantine replay {name} {to}",
        soft_wrap=True,
    )
    if to.suffix.lower() != ".xlsx":
        out.print("A spreadsheet takes leading zeros off when it opens CSV; --to FILE.xlsx keeps them.")


def replay_rows(merchant: Merchant, name: str, file: Path | None, out: Console) -> bool:
    """Loads rejected rows after all; returns whether all of them are right now."""
    contracts, contract = _contract(merchant, name)
    if file is None:
        reloaded = replay.reload(merchant, contracts, contract)
        print_reloaded(name, reloaded, out)
        return not any(reloaded.rejected)
    replayed = replay.replay(merchant, contracts, contract, file)
    _print_replayed(name, replayed, out)
    return replayed.load is None or replayed.load.rows_quarantined == 0


def _contract(merchant: Merchant, name: str) -> tuple[list[Contract], Contract]:
    """The contracts of the merchant's silos, and the one of the table."""
    silo, dot, table = name.partition(".")
    if not dot:
        raise UsageError(f"'{name}' is not a table: give silo.table, for example complete_journey.transactions")
    contracts = load_contracts(settings_module.load().sources, sorted(merchant.silos))
    for contract in contracts:
        if (contract.silo, contract.table) == (silo, table):
            return contracts, contract
    known = ", ".join(f"{contract.silo}.{contract.table}" for contract in contracts)
    raise UsageError(f"'{merchant.name}' has no table '{name}'. It has: {known}")


def print_reloaded(name: str, result: Reloaded, out: Console) -> None:
    """What became of a table's rejected rows and files."""
    if not result.files:
        out.print(
            f"The contract of {name} is the one that its files were loaded by: nothing to load again; "
            f"{_amount(result.rejected)} in quarantine. Mend the contract, or export and mend the rows. See "
            "docs/quarantine.md",
            soft_wrap=True,
        )
        return
    out.print(
        f"{name}: {_counted(result.files, 'file')} loaded again. Rejected before: {_amount(result.before)}. Not any "
        f"more: {_amount(result.mended)}. Rejected now: {_amount(result.rejected)}. Next: zhongtai run",
        soft_wrap=True,
    )


def _amount(waiting: Waiting) -> str:
    """`3 rows and 1 whole file`."""
    kinds = ((waiting.rows, "row"), (waiting.files, "whole file"))
    return " and ".join(_counted(number, kind) for number, kind in kinds if number) or "nothing"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _print_replayed(name: str, result: Replayed, out: Console) -> None:
    left = []
    if result.unchanged:
        left.append(f"{result.unchanged:,} rows are as they were exported, and wait on")
    if result.known:
        left.append(f"{result.known:,} rows were mended before or are right by now, and are left out")
    for words in left:
        out.print(f"{words}.")
    if result.load is None:
        out.print(f"Nothing to load for {name}.")
        return
    load = result.load
    out.print(
        f"{name}: {load.rows_read:,} mended rows landed as {load.file}: {load.rows_loaded + load.rows_superseded:,} "
        f"loaded, {load.rows_duplicate:,} there already, {load.rows_quarantined:,} still wrong. "
        + (f"See zhongtai quarantine show {name}. " if load.rows_quarantined else "")
        + "Next: zhongtai run",
        soft_wrap=True,
    )
