"""How well persons were found: pairs of identities against the simulator's truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tests.simulated.personal_tokens import token_of

# What the silos show of a person without a mask, in any version of a row; a login shows whose device it is.
_SHOWN = """
    select 'storefront' as silo, user_id as source_id, 'phone' as kind, phone as shown from raw_storefront.users
    union all select 'storefront', user_id, 'email', email from raw_storefront.users
    union all select 'storefront', user_id, 'unionid', unionid from raw_storefront.users
    union all select 'crm', external_id, 'phone', phone from raw_crm.contacts
    union all select 'crm', external_id, 'unionid', unionid from raw_crm.contacts
    union all select 'crm', external_id, 'contact', external_id from raw_crm.contacts
    union all select 'crm', card_no, 'phone', phone from raw_crm.members
    union all select 'crm', card_no, 'unionid', unionid from raw_crm.members
    union all select 'crm', card_no, 'contact', external_id from raw_crm.members
    union all select 'crm', card_no, 'card', card_no from raw_crm.members
    union all select 'stores', card_no, 'card', card_no from raw_stores.receipts
    union all select 'stores', card_no, 'card', card_no from raw_stores.visits
    union all select 'storefront', user_id, 'device', device_id from raw_storefront.events where user_id is not null
    union all select 'storefront', device_id, 'device', device_id from raw_storefront.events where user_id is not null
"""


@dataclass(frozen=True)
class Score:
    """Pairs of identities.

    Attributes:
        identities: known to the platform and to the truth.
        found: pairs of one user_id.
        right: of those, of one person in truth.
        sharing: pairs of one person whose identities unmasked values connect.
        sharing_found: of those, of one user_id.
    """

    identities: int
    found: int
    right: int
    sharing: int
    sharing_found: int

    @property
    def precision(self) -> float:
        """Of the pairs that were found, the share that is right."""
        return self.right / self.found

    @property
    def recall(self) -> float:
        """Of the pairs that share unmasked evidence, the share that was found."""
        return self.sharing_found / self.sharing


def truth_of(home: Path) -> pd.DataFrame:
    """silo, source_id, person_id and kind, devices by their tokens."""
    truth = pd.read_parquet(home / "truth" / "identities.parquet")
    is_device = truth["kind"] == "device"
    truth.loc[is_device, "source_id"] = [token_of("device", one) for one in truth.loc[is_device, "source_id"]]
    return truth


def bridge_of(home: Path) -> pd.DataFrame:
    """silo, source_id and user_id of the current release."""
    with duckdb.connect(str(home / "releases" / "current" / "zhongtai.duckdb"), read_only=True) as connection:
        return connection.execute("select silo, source_id, user_id from unified.bridge_user_identities").df()


def score(home: Path, bridge: pd.DataFrame) -> Score:
    """Compares persons with the truth.

    Args:
        home: the simulated merchant's folder, after a run.
        bridge: silo, source_id and user_id.
    """
    truth = truth_of(home)
    found = bridge.merge(truth, on=["silo", "source_id"])
    with duckdb.connect(str(next((home / "warehouse").glob("*.duckdb"))), read_only=True) as connection:
        query = f"select distinct * from ({_SHOWN}) where source_id is not null and shown is not null"
        values = (
            connection.execute(query).df().merge(found[["silo", "source_id", "person_id"]], on=["silo", "source_id"])
        )
    found["group"] = _connected(found, values)
    return Score(
        len(found),
        _pairs(found, ["user_id"]),
        _pairs(found, ["user_id", "person_id"]),
        _pairs(found, ["group"]),
        _pairs(found, ["group", "user_id"]),
    )


def _pairs(frame: pd.DataFrame, columns: list[str]) -> int:
    sizes = frame.groupby(columns).size()
    return int((sizes * (sizes - 1) // 2).sum())


def _connected(found: pd.DataFrame, values: pd.DataFrame) -> np.ndarray:
    """The identities of one person that equal values connect, as groups."""
    places = pd.Series(np.arange(len(found)), index=pd.MultiIndex.from_frame(found[["silo", "source_id"]]))
    place = places.loc[pd.MultiIndex.from_frame(values[["silo", "source_id"]])].to_numpy()
    value = values.groupby(["person_id", "kind", "shown"]).ngroup().to_numpy() + len(found)
    count = len(found) + len(values)
    graph = coo_array((np.ones(len(place), np.int8), (place, value)), shape=(count, count))
    return connected_components(graph, directed=False)[1][: len(found)]
