"""Whose records they are: from the identities that are known to all that records tell together with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zhongtai.erasure import apart
from zhongtai.erasure.apart import Value
from zhongtai.erasure.search import LEAST_CHARACTERS
from zhongtai.errors import UsageError, ZhongtaiError
from zhongtai.ingest import personal

if TYPE_CHECKING:
    import duckdb

# The kind of an id that no column with a class has, after its silo.
UNTOLD = ".id_given"
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


@dataclass(frozen=True)
class Found:
    """Who was found.

    Attributes:
        others: SILO:ID of others who have one of the person's phones or addresses, and are told apart.
        untold: what was given and stands in no column with its class, and how to call it.
    """

    others: list[str]
    untold: dict[Value, str]


def find(connection: duckdb.DuckDBPyConnection, start: Start, registers: set[str], holders_limit: int) -> Found:
    """Fills `known` (kind, value) with the person's identities, `shared` with those that are nobody's.

    Args:
        registers: as `evidence.registers` gives them.
        holders_limit: a value that more identities of one silo share is nobody's; OneID's policy.

    Raises:
        UsageError: an identity of the start is none, or a shared one.
        ZhongtaiError: too many identities for one person.
    """
    _find_shared(connection, holders_limit)
    given: dict[Value, str] = {}
    untold: dict[Value, str] = {}
    for silo, value in start.identities:
        found = connection.execute(
            "select distinct kind, value from evidence where value = ? and silo = ? and not of_another "
            "and (contains(kind, '.') or kind = 'device')",
            [value, silo],
        ).fetchall()
        if not found:
            untold[silo + UNTOLD, value] = f"{silo}:{value}"
        given |= _given(connection, found, f"{silo}:{value}", holders_limit)
    for kind, values in (("phone", start.phones), ("email", start.emails)):
        for value in values:
            normalised = _normalised(connection, kind, value)
            found = connection.execute(
                "select distinct kind, value from evidence where value = ? and kind = ? and not of_another",
                [normalised, kind],
            ).fetchall()
            if not found:
                untold[kind, normalised] = f"the {kind} given"
            given |= _given(connection, found, f"the {kind} given", holders_limit)
    person = apart.person(_records_around(connection, set(given)), set(given), registers)
    if person.disputed:
        what = given[min(person.disputed)]
        raise UsageError(
            f"{what} is of several persons, whom an account, a card or a union id tells apart: nothing was erased. "
            "Leave it out, and name every id of the one person: --person SILO:ID"
        )
    if len(person.values) > _MOST_IDENTITIES:
        raise ZhongtaiError(
            f"More than {_MOST_IDENTITIES} identities hang together with this one: that is not one person. Nothing "
            "was erased. See which with --dry-run and a single --person."
        )
    connection.execute("create or replace temp table known (kind varchar, value varchar)")
    connection.executemany("insert into known values (?, ?)", sorted(person.values | set(untold)))
    others = sorted(f"{kind.partition('.')[0]}:{value}" for kind, value in person.others if "." in kind)
    return Found(others, untold)


def _normalised(connection: duckdb.DuckDBPyConnection, kind: str, typed: str) -> str:
    query = f"select {personal.normalised('typed', kind)} from (select ?::varchar as typed)"
    row = connection.execute(query, [typed]).fetchone()
    if not row or row[0] is None:
        raise nowhere(f"the {kind} given")
    return str(row[0])


def nowhere(what: str) -> UsageError:
    """Nothing in landing has what was given."""
    return UsageError(
        f"No landed record has {what}: nothing was erased. Either it was erased before, or the silo writes it "
        "otherwise."
    )


def _given(
    connection: duckdb.DuckDBPyConnection, found: list[Value], what: str, holders_limit: int
) -> dict[Value, str]:
    for kind, value in found:
        if connection.execute("select 1 from shared where kind = ? and value = ?", [kind, value]).fetchone():
            raise UsageError(
                f"{what} is shared by more than {holders_limit} identities of one silo: it is nobody's. Name the "
                "person by an id: --person SILO:ID"
            )
    return dict.fromkeys(found, what)


def _find_shared(connection: duckdb.DuckDBPyConnection, holders_limit: int) -> None:
    """A counter's phone or the like: what more identities of one silo have, of phones, addresses and union ids."""
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
            having count(distinct (names.kind, names.value)) > {holders_limit}
        )
        """
    )


def _records_around(connection: duckdb.DuckDBPyConnection, start: set[Value]) -> list[list[Value]]:
    """The values of each record to which some way leads from the start; devices, which families use, lead nowhere."""
    connection.execute(
        """
        create or replace temp table links as
        select position, row_number, kind, value from evidence anti join shared using (kind, value)
        where is_linking and not of_another and kind <> 'device'
        """
    )
    connection.execute("create or replace temp table around (kind varchar, value varchar)")
    if not start:
        return []
    connection.executemany("insert into around values (?, ?)", sorted(start))
    while True:
        row = connection.execute(
            """
            insert into around
            select distinct others.kind, others.value
            from around
            inner join links as told using (kind, value)
            inner join links as others using (position, row_number)
            anti join around as seen on others.kind = seen.kind and others.value = seen.value
            """
        ).fetchone()
        if not row or not row[0]:
            break
    records: dict[tuple[int, int], list[Value]] = {}
    query = "select position, row_number, kind, value from links semi join around using (kind, value) order by all"
    for position, number, kind, value in connection.execute(query).fetchall():
        records.setdefault((position, number), []).append((kind, value))
    return list(records.values())


def plan(connection: duckdb.DuckDBPyConnection) -> None:
    """Fills `erased` (position, row_number), `blanked` (…, column_name, text), `devices`, `texts` (text, kind)."""
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
        select distinct text, kind from evidence
        where not of_another and ((kind, value) in (select (kind, value) from known)
            or (kind = 'device' and value in (select value from devices)))
        union
        select value, kind from known
        """
    )
    contacts = connection.execute("select kind, value from known where kind in ('phone', 'email')").fetchall()
    if spelled := {(text, kind) for kind, value in contacts for text in personal.spelled(kind, value)}:
        connection.executemany("insert into texts values (?, ?)", sorted(spelled))
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
