"""Persons, products and member levels: kept as the last build left them, and compared with what the next one made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zhongtai.changes.lineage import LEVELS, PERSONS, PRODUCTS
from zhongtai.sql import quote_identifier

if TYPE_CHECKING:
    import duckdb

SCHEMA = "changes"
# A level ends where the next one begins, so its end tells nothing more.
_LEVELS = "select user_id, card_id, member_level, valid_from"
# Columns of a version that change when another version comes.
_OF_VERSIONS = ("valid_to", "is_current", "version_number")


def make_schema(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes the place of what is known of changes."""
    connection.execute(f"create schema if not exists {SCHEMA}")


def keep(connection: duckdb.DuckDBPyConnection) -> None:
    """Puts the dimensions aside, as they are before they are built again."""
    make_schema(connection)
    connection.execute(
        f"create or replace table {SCHEMA}.persons_before as select silo, source_id, user_id from unified.{PERSONS}"
    )
    connection.execute(f"create or replace table {SCHEMA}.products_before as select * from unified.{PRODUCTS}")
    connection.execute(f"create or replace table {SCHEMA}.levels_before as {_LEVELS} from unified.{LEVELS}")


def keep_unchanged(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Says that no row of a unified table changed: no silo with entities has any, and what others have did not."""
    changes = f"{SCHEMA}.{quote_identifier(name)}"
    query = f"select *, true as is_new from unified.{quote_identifier(name)} where false"
    connection.execute(f"create or replace table {changes} as {query}")


def compare(connection: duckdb.DuckDBPyConnection) -> None:
    """What is not as it was: `changed_persons` (silo, source_id), and `changed_levels` and `changed_products`.

    Those two have user_id or sku_id, and changed_from: the moment since when.
    """
    now = f"select silo, source_id, user_id from unified.{PERSONS}"
    before = f"from {SCHEMA}.persons_before"
    connection.execute(
        f"create or replace table {SCHEMA}.changed_persons as select distinct silo, source_id from "
        f"(({now} except {before}) union all ({before} except {now}))"
    )
    now, before = f"{_LEVELS} from unified.{LEVELS}", f"from {SCHEMA}.levels_before"
    connection.execute(
        f"create or replace table {SCHEMA}.changed_levels as select user_id, min(valid_from) as changed_from from "
        f"(({now} except {before}) union all ({before} except {now})) group by user_id"
    )
    now, before = f"unified.{PRODUCTS}", f"{SCHEMA}.products_before"
    # Where versions follow each other, the end of one is the beginning of the next.
    values = ", ".join(quote_identifier(name) for name in _columns(connection) if name not in _OF_VERSIONS)
    connection.execute(
        f"""
        create or replace table {SCHEMA}.changed_products as
        -- Earlier by what a day's end by the local clock may lie behind its name in UTC.
        select sku_id, min(changed_from) - interval 2 day as changed_from from (
            select sku_id, coalesce(valid_from, timestamp '0001-01-03') as changed_from from (
                (select {values} from {now} except all select {values} from {before})
                union all (select {values} from {before} except all select {values} from {now})
            )
            union all
            select old.sku_id, least(coalesce(old.valid_to, '9999-12-31'), coalesce(new.valid_to, '9999-12-31'))
            from {before} as old
            inner join {now} as new on old.sku_id = new.sku_id and old.valid_from is not distinct from new.valid_from
            where old.valid_to is distinct from new.valid_to
        ) group by sku_id
        """
    )


def _columns(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The columns of products that are there before and now."""
    query = (
        "select column_name from duckdb_columns() where (schema_name, table_name) in (('unified', ?), (?, ?)) "
        "and database_name = current_database() group by all having count(*) = 2 order by all"
    )
    return [name for (name,) in connection.execute(query, [PRODUCTS, SCHEMA, "products_before"]).fetchall()]
