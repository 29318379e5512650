"""A person of the simulated company is forgotten: gone from every file, and nobody else's row is another one."""

from __future__ import annotations

import contextlib
import gzip
import io
import re
import shutil
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import yaml

from tests.qinghe import Qinghe
from tests.simulated.contracts import SILOS, SOURCES
from tests.simulated.personal_tokens import token, token_of

pytestmark = pytest.mark.silos

KINDS = {"account", "contact", "member_card", "card", "buyer"}


@dataclass(frozen=True)
class Person:
    """A person as the simulator's truth has it.

    Attributes:
        ids: own ids by silo; a device is the storefront's.
        values: what names the person in clear, ids and devices too.
        tokens: of phone, address and devices.
    """

    ids: dict[str, set[str]]
    devices: set[str]
    phone: str
    values: set[str]
    tokens: set[str]


def persons(qinghe: Qinghe) -> Iterator[tuple[pd.Series, pd.DataFrame]]:
    """Persons and their identities, in the order of their ids."""
    truth = qinghe.home / "truth"
    identities = pd.read_parquet(truth / "identities.parquet")
    for _, person in pd.read_parquet(truth / "persons.parquet").sort_values("person_id").iterrows():
        yield person, identities[identities["person_id"] == person["person_id"]]


@pytest.fixture(scope="module")
def person(qinghe: Qinghe) -> Person:
    """Somebody in shop, marketplace, stores and CRM, whose phone and name are nobody else's."""
    everyone = pd.read_parquet(qinghe.home / "truth" / "persons.parquet")
    shared = set(everyone["shares_phone_of"].dropna()) | set(everyone["has_phone_after"].dropna())
    for told, own in persons(qinghe):
        phones = own[own["kind"].isin(["account", "contact", "member_card"])]["phone_origin"]
        alone = (everyone["phone"] == told["phone"]).sum() == 1 == everyone["name"].str.contains(told["name"]).sum()
        if set(own["kind"]) >= KINDS and set(phones) == {"own"} and alone and told["person_id"] not in shared:
            devices = set(own[own["kind"] == "device"]["source_id"])
            others = own[own["kind"] != "device"]
            values = {*own["source_id"], told["phone"], told["email"], told["unionid"], told["name"]}
            tokens = {token("phone", told["phone"]), token_of("email", told["email"]), token_of("name", told["name"])}
            tokens |= {token_of("device", device) for device in devices}
            ids = {silo: set(others.loc[others["silo"] == silo, "source_id"]) for silo in set(others["silo"])}
            return Person(ids, devices, told["phone"], values, {one for one in tokens if one})
    raise AssertionError("nobody is in all of these silos")


@pytest.fixture(scope="module")
def company(qinghe: Qinghe, tmp_path_factory: pytest.TempPathFactory) -> Qinghe:
    """The company elsewhere, with all that the platform made of it, and without the silos' files and the truth."""
    other = qinghe.only(tmp_path_factory.mktemp("forgetting"), list(SILOS))
    for part in ("releases", "warehouse"):
        shutil.copytree(qinghe.home / part, other.home / part, symlinks=True)
    shutil.copytree(qinghe.data / "dagster", other.data / "dagster")
    return other


@pytest.fixture(scope="module")
def printed(person: Person, company: Qinghe) -> str:
    """What the command says. It is told the account and the buyers, to whom only masked phones lead."""
    given = [
        f"--person={silo}:{one}" for silo in ("storefront", "marketplace", "live") for one in person.ids.get(silo, ())
    ]
    assert found(company.data, person) == {"landing", "raw", "releases", "warehouse"}
    done = company.zhongtai("forget", *given, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def found(data: Path, person: Person) -> set[str]:
    """The folders in which something of the person stands."""
    texts = sorted(person.values | person.tokens)
    spaced = r"[-\s()]*".join(person.phone)
    pattern = re.compile("|".join([*map(re.escape, texts), spaced]))
    forms = {text.encode(encoding) for text in texts for encoding in ("utf-8", "gb18030", "utf-16-le")}
    places = set()
    for file in data.rglob("*"):
        if file.is_file() and not file.is_symlink():
            folder = file.relative_to(data).parts
            if any(form in block for block in unpacked(file.read_bytes()) for form in forms) or any(
                pattern.search(text) for text in texts_of(file)
            ):
                places.add(folder[1] if folder[0] == "qinghe" else folder[0])
    return places


def unpacked(content: bytes) -> Iterator[bytes]:
    """The bytes, and what is packed in them: of a file that is cut short, a planted fault, all before the cut."""
    yield content
    if content[:2] == b"\x1f\x8b":
        reader, parts = gzip.GzipFile(fileobj=io.BytesIO(content)), []
        with contextlib.suppress(EOFError):
            while part := reader.read1(1 << 24):
                parts.append(part)
        yield b"".join(parts)
    elif content[:4] == b"PK\x03\x04":
        # By the headers of its members: the directory stands at the end.
        for header in re.finditer(rb"PK\x03\x04.{22}(..)(..)", content, re.DOTALL):
            name, extra = (int.from_bytes(length, "little") for length in header.groups())
            if header[0][8:10] == b"\x08\0":
                yield zlib.decompressobj(-zlib.MAX_WBITS).decompress(content[header.end() + name + extra :])


def test_the_helper_sees_what_stands_before_a_cut() -> None:
    text = "".join(f"{number * 7919 % 100_003},".rjust(40) for number in range(9_000)).encode()
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", text)
    for content in (gzip.compress(text)[:-200], book.getvalue()[:-300]):
        *_, seen = unpacked(content)
        assert len(text) * 0.98 < len(seen) < len(text)


def texts_of(file: Path) -> Iterator[str]:
    """Every row of a table as a text; a file of text as a whole."""
    if file.suffix == ".parquet":
        if file.stat().st_size:
            yield from (str(row) for row in duckdb.sql(f"from '{file}'").fetchall())
    elif file.suffix == ".duckdb":
        with duckdb.connect(str(file), read_only=True) as connection:
            for schema, name in connection.sql("select schema_name, table_name from duckdb_tables()").fetchall():
                yield from (str(row) for row in connection.sql(f'from "{schema}"."{name}"').fetchall())
    else:
        yield from (block.decode("utf-8", errors="ignore") for block in unpacked(file.read_bytes()))


def raw(home: Path) -> dict[tuple[str, str], pd.DataFrame]:
    """Every raw table with rows, all values as texts."""
    tables = {}
    for folder in sorted((home / "raw").glob("*/*/")):
        if files := sorted(map(str, folder.glob("*.parquet"))):
            rows = duckdb.sql(f"select columns(*)::varchar from read_parquet({files}, union_by_name = true)").df()
            tables[folder.parent.name, folder.name] = rows.drop(columns=["_file_position", "_row_number"])
    return tables


def declared() -> Iterator[tuple[tuple[str, str], dict[str, Any], dict[str, dict[str, Any]]]]:
    """Of each table the settings of its contract, and those of its columns."""
    for silo in SILOS:
        (source,) = yaml.safe_load((SOURCES / f"{silo}.yml").read_text(encoding="utf-8"))["sources"]
        for table in source["tables"]:
            columns = {one["name"]: one.get("config", {}).get("meta", {}) for one in table["columns"]}
            yield (silo, table["name"]), table["config"]["meta"], columns


def expected(before: dict[tuple[str, str], pd.DataFrame], person: Person) -> dict[tuple[str, str], pd.DataFrame]:
    """The raw tables without the person: own rows, and those that name nobody and hang on the key of one of them."""
    mine = {table: pd.Series(False, index=rows.index) for table, rows in before.items()}
    ids = set().union(*person.ids.values())
    devices = {token_of("device", device) for device in person.devices}
    nobodys, keys = set(), {}
    for table, settings, columns in declared():
        if table not in before:
            continue
        own = {name for name, one in columns.items() if one.get("personal_data") == "identifier"}
        own = {name for name in own if not columns[name].get("of_another")}
        keys[table] = settings["key"][0] if len(settings["key"]) == 1 else None
        if not own:
            nobodys.add(table)
        for name in own:
            mine[table] |= before[table][name].isin(ids)
        if "device_id" in columns:
            mine[table] |= before[table]["device_id"].isin(devices)
        for name, one in columns.items():
            if one.get("personal_data") == "phone":
                mine[table] |= before[table][name] == token("phone", person.phone)
    for _ in range(4):  # orders, their lines, refunds of the lines, …
        for (silo, name), key in keys.items():
            gone = set(before[silo, name].loc[mine[silo, name], key]) if key else set()
            for table in nobodys:
                if gone and table[0] == silo and key in before[table]:
                    mine[table] |= before[table][key].isin(gone)
    users = before["storefront", "users"]
    users.loc[users["referrer_user_id"].isin(ids), "referrer_user_id"] = None
    return {table: rows[~mine[table]] for table, rows in before.items()}


def counted(rows: pd.DataFrame) -> Counter[tuple[Any, ...]]:
    return Counter(rows[sorted(rows.columns)].astype("string").fillna("").itertuples(index=False, name=None))


def test_nothing_of_the_person_is_anywhere(person: Person, company: Qinghe, printed: str) -> None:
    assert found(company.data, person) == set()
    assert "found in 0" in printed
    for ids in person.ids.values():
        assert company.query(f"from unified.bridge_user_identities where source_id in {(*ids, '')}") == []


@pytest.mark.usefixtures("printed")
def test_everybody_elses_rows_are_as_they_were(person: Person, qinghe: Qinghe, company: Qinghe) -> None:
    wanted, after = expected(raw(qinghe.home), person), raw(company.home)
    assert sum(map(len, wanted.values())) < sum(map(len, raw(qinghe.home).values())) - 20
    for table, rows in wanted.items():
        there = counted(after[table]) if table in after else Counter()
        assert there == counted(rows), table


@pytest.mark.usefixtures("printed")
def test_others_keep_their_ids_and_their_orders(person: Person, qinghe: Qinghe, company: Qinghe) -> None:
    ids = set().union(*person.ids.values()) | person.tokens
    bridge = "select silo, source_id, user_id from unified.bridge_user_identities"
    before = {(silo, one): user for silo, one, user in qinghe.query(bridge) if one not in ids}
    assert {(silo, one): user for silo, one, user in company.query(bridge)} == before
    orders = "select order_id, user_id, paid_amount, paid_at from unified.fct_orders"
    users = {user for _, one, user in qinghe.query(bridge) if one in ids}
    assert set(company.query(orders)) == {row for row in qinghe.query(orders) if row[1] not in users}


def test_every_row_that_was_read_is_accounted_for(qinghe: Qinghe, company: Qinghe, printed: str) -> None:
    before, after = qinghe.manifest["sources"], company.manifest["sources"]
    counts = ("rows_loaded", "rows_quarantined", "rows_duplicate", "rows_superseded", "rows_erased")
    erased = 0
    for table, totals in after.items():
        assert totals["rows_read"] == before[table]["rows_read"] == sum(totals[count] for count in counts), table
        erased += totals["rows_erased"]
    assert re.search(rf"\b{erased:,} records in [\d,]+ landed files", printed)


@pytest.mark.usefixtures("printed")
def test_the_next_run_publishes_without_the_person(person: Person, company: Qinghe) -> None:
    first = company.manifest["release_id"]
    assert [entry.name for entry in (company.home / "releases").iterdir() if entry.name.startswith("2")] == [first]
    unchanged = company.zhongtai("run")
    assert unchanged.returncode == 0 and company.manifest["release_id"] == first, "nothing arrived since"
    done = company.zhongtai("run", "--as-of", "2025-11-29T00:00:00+00:00")
    assert done.returncode == 0, done.stdout + done.stderr
    assert company.manifest["release_id"] != first
    assert found(company.data, person) == set()


def test_who_shares_a_phone_is_named_to_whoever_erases(qinghe: Qinghe) -> None:
    """Of two in one household who both have an account, each keeps the own one."""
    accounts = {}
    for told, own in persons(qinghe):
        with_phone = own[(own["kind"] == "account") & (own["phone_origin"] == "own")]["source_id"]
        accounts[told["person_id"]] = set(with_phone)
    for told, _ in persons(qinghe):
        mine, theirs = accounts[told["person_id"]], accounts.get(told["shares_phone_of"], set())
        if mine and theirs:
            shown = qinghe.zhongtai("forget", f"--person=storefront:{min(mine)}", "--dry-run").stdout
            assert "are told apart by an account, a card or a union id" in shown
            assert all(f"storefront:{one}" in shown for one in theirs)
            assert "this was a dry run" in shown
            return
    raise AssertionError("no household shares a phone")
