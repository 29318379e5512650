"""What was planted, kept apart from the silos; the platform never reads it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from zhongtai.simulator.behaviour import Behaviour
from zhongtai.simulator.defects import Defects
from zhongtai.simulator.selling import Orders
from zhongtai.simulator.world import HORIZON, World

# Kinds of which every identity stands in a file; the others only where they bought or were seen.
_ALWAYS_SHOWN = ("account", "contact", "member_card")


def identities(world: World, sold: Orders, behaviour: Behaviour) -> pd.DataFrame:
    """silo, source_id, person_id, kind, phone_origin of every identity that a file names.

    A member card is in the stores' files only when it was shown there.
    """
    frame = world.identities
    shown = frame["kind"].isin(_ALWAYS_SHOWN).to_numpy()
    bought = sold.orders["identity"].to_numpy()
    shown[bought[bought >= 0]] = True
    shown[behaviour.devices] = True
    return pd.DataFrame(
        {
            "silo": frame["silo"][shown],
            "source_id": frame["source_id"][shown],
            "person_id": world.persons["person_id"].to_numpy()[frame["person"][shown]],
            "kind": frame["kind"][shown],
            "phone_origin": frame["phone_origin"][shown],
        }
    )


def persons(world: World) -> pd.DataFrame:
    """Who the people are, and what moves them."""
    frame = world.persons
    ids = frame["person_id"].to_numpy()
    family, former = frame["family"].to_numpy(), frame["recycled_from"].to_numpy()
    last = np.where(frame["last_day"] >= HORIZON, np.datetime64("NaT", "D"), world.dates(frame["last_day"].to_numpy()))
    return pd.DataFrame(
        {
            "person_id": ids,
            "name": frame["name"],
            "phone": frame["phone"],
            "email": frame["email"],
            "unionid": frame["unionid"],
            "region_id": world.regions["region_id"].to_numpy()[frame["region"]],
            "gender": frame["gender"],
            "birth_year": frame["birth_year"],
            "price_sensitivity": frame["price_sensitivity"],
            "first_date": world.dates(frame["first_day"].to_numpy()).astype("datetime64[s]"),
            "last_date": last.astype("datetime64[s]"),
            "shares_phone_of": np.where(family >= 0, ids[family], None),
            "has_phone_after": np.where(former >= 0, ids[former], None),
        }
    )


def write(world: World, folder: Path, sold: Orders, behaviour: Behaviour, defects: Defects) -> None:
    """Writes a Parquet file for each planted truth."""
    folder.mkdir(parents=True, exist_ok=True)
    planted = {
        **world.truth,
        "persons": persons(world),
        "identities": identities(world, sold, behaviour),
        "defects": defects.truth(),
    }
    for name, frame in sorted(planted.items()):
        table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
        pq.write_table(table, folder / f"{name}.parquet", store_schema=False)
