"""OneID of the simulated company against its truth, and what new evidence does to those whom it does not concern."""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest

from tests.qinghe import Qinghe
from tests.simulated.identity_score import bridge_of, score, truth_of
from zhongtai.analytics import identity

pytestmark = pytest.mark.silos

# One wrong pair of a thousand weighs ten times what it does at scale s, where benchmarks/identity.py holds OneID to
# 0.998 and 0.97.
PRECISION, RECALL = 0.99, 0.96


@pytest.fixture(scope="module")
def evidence(qinghe: Qinghe) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Identities and the values that they hold, as the run left them for OneID."""
    with duckdb.connect(str(qinghe.home / "warehouse" / "zhongtai.duckdb"), read_only=True) as connection:
        found = connection.execute("select * from intermediate.int_identities_unioned order by identity_rank").df()
        links = connection.execute("select * from intermediate.int_identity_links order by all").df()
    return found, links


def test_persons_are_those_of_the_truth(qinghe: Qinghe) -> None:
    found = score(qinghe.home, bridge_of(qinghe.home))
    assert found.identities > 800
    assert found.precision >= PRECISION
    assert found.recall >= RECALL


def test_no_one_is_joined_by_what_many_share(qinghe: Qinghe) -> None:
    """A default, a shop's own or a family's phone is held by several; no person has identities of many."""
    truth = truth_of(qinghe.home).merge(bridge_of(qinghe.home), on=["silo", "source_id"])
    people = truth.groupby("user_id")["person_id"].nunique()
    assert people.max() <= 2
    assert (people > 1).mean() < 0.01


def test_new_evidence_leaves_everybody_else_as_they_were(evidence: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Persons of the first half of what landed, and of all of it."""
    identities, links = evidence
    middle = int(identities["landed_position"].median())
    early, then = identities[identities["landed_position"] <= middle], links[links["landed_position"] <= middle]
    assert len(early) < len(identities) and len(then) < len(links)
    assert list(early["identity_rank"]) == list(identities["identity_rank"][: len(early)]), "ranks follow the landing"
    before = identity.resolve(early, then).set_index("identity_rank")["person_rank"]
    after = identity.resolve(identities, links).set_index("identity_rank")["person_rank"]

    late = links[links["landed_position"] > middle]
    # A value concerns all who hold it, and whoever is one person with them, before or after.
    met = links[links["evidence_token"].isin(late["evidence_token"])]["identity_rank"]
    concerned = set(before.reindex(met).dropna()) | set(before[after.reindex(before.index).isin(after.reindex(met))])
    untouched = before[~before.isin(concerned)]
    assert len(untouched) > 50
    assert (after.reindex(untouched.index) == untouched).all()
    assert len(concerned) > 50


def test_a_value_that_joins_two_persons_changes_them_alone(evidence: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    identities, links = evidence
    before = identity.resolve(identities, links).set_index("identity_rank")["person_rank"]
    accounts = identities[identities["identity_kind"] == "contact"]["identity_rank"]
    first, second = [rank for rank in accounts if (before == before[rank]).sum() == 1][:2]
    joined = pd.DataFrame(
        [{"evidence": "email", "evidence_token": "new", "identity_rank": rank} for rank in (first, second)]
    ).assign(landed_position=int(links["landed_position"].max()) + 1)
    after = identity.resolve(identities, pd.concat([links, joined])).set_index("identity_rank")
    changed = after["person_rank"][after["person_rank"] != before]
    assert dict(changed) == {second: before[first]}
    merge = after.loc[second]
    assert (merge["joined_evidence"], merge["joined_token"], merge["joined_rank"]) == ("email", "new", before[first])
