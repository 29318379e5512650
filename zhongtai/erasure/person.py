"""Whose records they are: from the identities that are known to all that records tell together with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zhongtai.erasure.search import LEAST_CHARACTERS
from zhongtai.errors import UsageError, ZhongtaiError
from zhongtai.ingest import personal

if TYPE_CHECKING:
    import duckdb

# A value that more identities of one silo share is a counter's phone or the like: nobody's (OneID says the same).
SHARED_BY = 8
# A person with more identities is several persons.
_MOST_IDENTITIES = 200


@dataclass(frozen=True)
class Start:
    """What is known of a person.

    Attributes:
        identities: (silo, id) pairs.
        phones, emails: as anyone would type them.
    """

    identities: tuple[tuple[str, str], ...] = ()
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


def find(connection: duckdb.DuckDBPyConnection, start: Start) -> None:
    """Fills `known` (kind, value) with the person's identities, `shared` with those that are nobody's.

    Raises:
        UsageError: nothing in landing has an identity of the start, or it is a shared one.
        ZhongtaiError: too many identities for one person.
    """
    _find_shared(connection)
    connection.execute("create or replace temp table known (kind varchar, value varchar)")
    for silo, value in start.identities:
        found = connection.execute(
            "select distinct kind, value from evidence where value = ? and silo = ? and not of_another "
            "and (contains(kind, '.') or kind = 'device')",
            [value, silo],
        ).fetchall()
        _begin(connection, found, f"{silo}:{value}")
    for kind, values in (("phone", start.phones), ("email", start.emails)):
        for value in values:
            found = connection.execute(
                "select distinct kind, evidence.value from evidence inner join "
                f"(select {personal.normalised('typed', kind)} as value from (select ?::varchar as typed)) as given "
                "on evidence.value = given.value where kind = ? and not of_another",
                [value, kind],
            ).fetchall()
            _begin(connection, found, f"the {kind} given")
    connection.execute("create or replace temp table known as select distinct * from known")
    _close(connection)


def _begin(connection: duckdb.DuckDBPyConnection, found: list[tuple[str, str]], what: str) -> None:
    if not found:
        raise UsageError(f"No landed record has {what}: nothing was erased. Is it written as the silo writes it?")
    for kind, value in found:
        if connection.execute("select 1 from shared where kind = ? and value = ?", [kind, value]).fetchone():
            raise UsageError(
                f"{what} is shared by more than {SHARED_BY} identities of one silo: it is nobody's. Name the person by "
                "an id: --person SILO:ID"
            )
        connection.execute("insert into known values (?, ?)", [kind, value])


def _find_shared(connection: duckdb.DuckDBPyConnection) -> None:
    """Phones, addresses and union ids that more than `SHARED_BY` identities of one silo have."""
    connection.execute(
        f"""
        create or replace temp table shared as
        select distinct kind, value from (
            select links.kind, links.value, names.silo
            from evidence as links
            inner join evidence as names using (position, row_number)
            where not contains(links.kind, '.') and links.kind <> 'device' and contains(names.kind, '.')
                and not links.of_another and not names.of_another
            group by links.kind, links.value, names.silo
            having count(distinct (names.kind, names.value)) > {SHARED_BY}
        )
        """
    )


def _close(connection: duckdb.DuckDBPyConnection) -> None:
    """Follows records that tell a known identity beside another; devices are used by families, and lead nowhere."""
    while True:
        row = connection.execute(
            """
            insert into known
            select distinct others.kind, others.value
            from known
            inner join evidence as told using (kind, value)
            inner join evidence as others using (position, row_number)
            where not told.of_another and not others.of_another and told.kind <> 'device' and others.kind <> 'device'
                and (others.kind, others.value) not in (select (kind, value) from known)
                and (others.kind, others.value) not in (select (kind, value) from shared)
            """
        ).fetchone()
        counted = connection.execute("select count(*) from known").fetchone()
        if counted and counted[0] > _MOST_IDENTITIES:
            raise ZhongtaiError(
                f"More than {_MOST_IDENTITIES} identities hang together with this one: that is not one person. Nothing "
                "was erased. See which with --dry-run and a single --person."
            )
        if not row or not row[0]:
            return


def plan(connection: duckdb.DuckDBPyConnection) -> None:
    """Fills `erased` (position, row_number), `blanked` (…, column_name, text), `devices` and `texts` from `known`."""
    connection.execute(
        """
        create or replace temp table erased as
        select distinct position, row_number from evidence inner join known using (kind, value) where not of_another
        """
    )
    _add_devices(connection)
    while _add_belonging(connection):
        continue  # a line belongs to an order, a refund to a line
    connection.execute(
        """
        create or replace temp table texts as
        select distinct text from evidence
        where not of_another and ((kind, value) in (select (kind, value) from known)
            or (kind = 'device' and value in (select value from devices)))
        union
        select value from known
        """
    )
    connection.execute(
        f"""
        insert into erased
        select distinct position, row_number from broken_records, texts
        where length(text) >= {LEAST_CHARACTERS} and contains(record, text)
            and (position, row_number) not in (select (position, row_number) from erased)
        """
    )
    connection.execute(
        """
        create or replace temp table blanked as
        select distinct position, row_number, column_name, text
        from evidence inner join known using (kind, value) anti join erased using (position, row_number)
        where of_another
        """
    )


def _add_devices(connection: duckdb.DuckDBPyConnection) -> None:
    """What was done on the person's own device without being logged in, where nobody else ever was."""
    connection.execute(
        """
        create or replace temp table devices as
        select distinct value from evidence inner join erased using (position, row_number) where kind = 'device'
        union
        select value from known where kind = 'device'
        """
    )
    connection.execute(
        """
        delete from devices where value in (
            select used.value from evidence as used
            inner join evidence as others using (position, row_number)
            where used.kind = 'device' and others.kind <> 'device' and not others.of_another
                and (others.kind, others.value) not in (select (kind, value) from known)
        )
        """
    )
    connection.execute(
        """
        insert into erased
        select distinct position, row_number from evidence anti join erased using (position, row_number)
        where kind = 'device' and value in (select value from devices)
        """
    )


def _add_belonging(connection: duckdb.DuckDBPyConnection) -> bool:
    """Records that name nobody and belong to an erased one: lines and payments of an order; older versions of it."""
    row = connection.execute(
        """
        insert into erased
        select distinct belonging.position, belonging.row_number
        from record_keys as belonging
        where (belonging.kind, belonging.value) in (
                select (kind, value) from record_keys inner join erased using (position, row_number) where is_own
            )
            and (belonging.position, belonging.row_number) not in (select (position, row_number) from erased)
            and (belonging.position, belonging.row_number) not in (
                select (position, row_number) from evidence where not of_another and kind <> 'device'
            )
        """
    ).fetchone()
    return bool(row and row[0])
