"""How well buyers with masked phones were linked: links against the simulator's truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from tests.simulated.identity_score import bridge_of, truth_of


@dataclass(frozen=True)
class MaskedScore:
    """Links of masked buyers to persons.

    Attributes:
        buyers: whom only masked phones are known of.
        linkable: of those, whose person showed a whole phone in another silo.
        pairs: of a buyer and a person with the same phone pattern, which were compared.
        found: buyers linked.
        right: of those, to the person whom the truth tells.
    """

    buyers: int
    linkable: int
    pairs: int
    found: int
    right: int

    @property
    def precision(self) -> float:
        """Of the links, the share that is right."""
        return self.right / self.found

    @property
    def recall(self) -> float:
        """Of the buyers who could be linked, the share that was linked rightly."""
        return self.right / self.linkable


def links_of(home: Path) -> pd.DataFrame:
    """silo, source_id, user_id and match_probability of the current release."""
    with duckdb.connect(str(home / "releases" / "current" / "zhongtai.duckdb"), read_only=True) as connection:
        query = "select silo, source_id, user_id, match_probability from unified.bridge_masked_identities"
        return connection.execute(query).df()


def score(home: Path, links: pd.DataFrame) -> MaskedScore:
    """Compares links with the truth.

    Args:
        home: the simulated merchant's folder, after a run with links_masked_phones.
        links: silo, source_id and user_id.
    """
    truth = truth_of(home)[["silo", "source_id", "person_id"]].drop_duplicates(["silo", "source_id"])
    # A person of the platform is whom most of its identities belong to.
    owners = bridge_of(home).merge(truth, on=["silo", "source_id"])
    owner = owners.groupby("user_id")["person_id"].agg(lambda persons: persons.mode().iloc[0]).rename("owner")
    with duckdb.connect(str(next((home / "warehouse").glob("*.duckdb"))), read_only=True) as connection:
        records = connection.execute("select * from intermediate.int_masked_phone_records").df()
        pairs = connection.execute("select count(*) from intermediate.int_masked_phone_links").fetchall()[0][0]
    buyers = records[records["is_masked"]][["silo", "source_id"]].drop_duplicates().merge(truth)
    known = owner[owner.index.isin(records.loc[~records["is_masked"], "user_id"])]
    found = links.merge(truth, on=["silo", "source_id"]).merge(owner, left_on="user_id", right_index=True)
    return MaskedScore(
        buyers=len(buyers),
        linkable=int(buyers["person_id"].isin(known).sum()),
        pairs=pairs,
        found=len(found),
        right=int((found["person_id"] == found["owner"]).sum()),
    )
