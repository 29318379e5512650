"""What a run begins with: every silo that has a database or an interface is asked for what is new."""

from __future__ import annotations

import logging

from zhongtai import settings
from zhongtai.errors import UsageError, ZhongtaiError
from zhongtai.ingest.contract import Contract
from zhongtai.merchant import Merchant, SiloLocation

LOGGER = logging.getLogger(__name__)


def extract(merchant: Merchant, contracts: list[Contract], silos: list[str] | None = None) -> dict[str, str]:
    """Writes what is new into the silos' folders.

    A silo that cannot be asked does not keep the others waiting, nor does a table of it.

    Args:
        silos: only these, where given.

    Returns:
        What went wrong, by silo.

    Raises:
        UsageError: an extraction of a table that has no contract, or a secret that the environment lacks.
    """
    failures: dict[str, str] = {}
    for silo, location in merchant.silos.items():
        if not is_extracted(merchant, silo) or (silos is not None and silo not in silos):
            continue
        own = [contract for contract in contracts if contract.silo == silo]
        _check_tables(merchant, silo, location, own)
        merchant.silo_folder(silo).mkdir(parents=True, exist_ok=True)
        try:
            _extract_silo(merchant, silo, location, own)
        except UsageError:
            raise
        except ZhongtaiError as error:
            LOGGER.warning("%s", error)
            failures[silo] = str(error)
    return failures


def is_extracted(merchant: Merchant, silo: str) -> bool:
    """Whether the silo has a database or an interface."""
    location = merchant.silos.get(silo)
    return location is not None and (location.postgres is not None or location.rest is not None)


def _extract_silo(merchant: Merchant, silo: str, location: SiloLocation, contracts: list[Contract]) -> None:
    broken = []
    if location.postgres is not None:
        from zhongtai.extract import postgres

        dsn = _secret(merchant, silo, location.postgres.dsn_env)
        try:
            postgres.extract(merchant, silo, location.postgres, dsn, contracts)
        except UsageError:
            raise
        except ZhongtaiError as error:
            broken.append(str(error))
    if location.rest is not None:
        from zhongtai.extract import rest

        name = location.rest.token_env
        token = _secret(merchant, silo, name) if name is not None else None
        secrets = {variable: _secret(merchant, silo, variable) for variable in location.rest.variables}
        try:
            rest.extract(merchant, silo, location.rest, token, contracts, secrets)
        except ZhongtaiError as error:
            broken.append(str(error))
    if broken:
        raise ZhongtaiError("; ".join(broken))


def _secret(merchant: Merchant, silo: str, name: str) -> str:
    value = settings.secret(name)
    if value is None:
        raise UsageError(f"{merchant.file}: silos.{silo}: set the environment variable {name} to its secret")
    return value


def _check_tables(merchant: Merchant, silo: str, location: SiloLocation, contracts: list[Contract]) -> None:
    tables = {contract.table: contract for contract in contracts}
    wanted: dict[str, list[str]] = {
        "parquet": list(location.postgres.tables) if location.postgres else [],
        "json": list(location.rest.endpoints) if location.rest else [],
    }
    for form, names in wanted.items():
        for name in names:
            if name not in tables:
                raise UsageError(f"{merchant.file}: silos.{silo}: there is no contract of a table '{name}'")
            if tables[name].format != form:
                raise UsageError(
                    f"{merchant.file}: silos.{silo}: {name} is extracted as {form}, and its contract says "
                    f"'{tables[name].format}' ({tables[name].yaml_file})"
                )
