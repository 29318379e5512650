"""OneID: which identities of which silos are one person.

Identities are nodes of a graph, and a value that several of them hold (a phone, a WeChat unionid) is an edge. Kinds of
evidence are believed in the order of their strength, and a weak one never joins what a stronger one tells apart: a
phone of two accounts is a family's or has a new holder, a device of two persons is a family's. The result follows from
the set of evidence alone, whatever the order in which it came; only the log of merges tells of order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

_UNIONID = "unionid"
_EXCLUSIVE = ("account", "contact", "card")


@dataclass(frozen=True)
class _Kind:
    """A kind of evidence.

    Attributes:
        is_judged: whether persons with different unionids are told apart in spite of it.
        is_exclusive: whether persons who both have an identity of one exclusive kind are: an app gives a phone to one
            account, a member has one card.
    """

    name: str
    is_judged: bool = True
    is_exclusive: bool = False


# The strongest first.
EVIDENCE = (
    _Kind("card", is_judged=False),
    _Kind("contact", is_judged=False),
    _Kind(_UNIONID, is_judged=False),
    _Kind("email"),
    _Kind("phone_and_name"),
    _Kind("phone", is_exclusive=True),
    _Kind("device", is_exclusive=True),
)


_RESULT = pa.schema(
    [
        ("identity_rank", pa.int64()),
        ("person_rank", pa.int64()),
        ("evidence", pa.string()),
        ("evidence_token", pa.string()),
        ("joined_rank", pa.int64()),
        ("joined_position", pa.int64()),
        ("joined_evidence", pa.string()),
        ("joined_token", pa.string()),
    ]
)


def resolve(identities: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    """Joins identities to persons.

    Args:
        identities: a row for each identity, in the order in which they landed: identity_rank (0 … n - 1),
            identity_kind, landed_position (of the first row that names it, rising).
        links: a row for each identity and value that it holds: identity_rank, evidence, evidence_token,
            landed_position (of the first row that tells both). All unionids, else only values of several holders.

    Returns:
        A row for each identity: identity_rank; person_rank, the rank of the person's earliest landed identity;
        evidence and evidence_token, the strongest that joined the identity to another (NULL where nothing did);
        joined_position and joined_rank, when the person whose earliest identity this one was became part of another,
        and the rank of that one's earliest identity (NULL where the identity came as part of a person, or still is
        the earliest of its own); joined_evidence and joined_token, what joined the two.

    Raises:
        ValueError: identity_rank is not 0 … n - 1, or evidence is of an unknown kind.
    """
    count = len(identities)
    if not np.array_equal(identities["identity_rank"].to_numpy(), np.arange(count)):
        raise ValueError("identity_rank must be 0 … n - 1 in order")
    unknown = set(links["evidence"].unique()) - {kind.name for kind in EVIDENCE}
    if unknown:
        raise ValueError(f"unknown kinds of evidence: {', '.join(sorted(unknown))}")
    traits = _traits(identities, links)
    edges, labels = _no_edges(), np.arange(count)
    for strength, kind in enumerate(EVIDENCE):
        found = _edges(links[links["evidence"] == kind.name], strength)
        believed = _believed(found, labels, kind, traits)
        edges = pd.concat([edges, believed], ignore_index=True)
        labels = _components(count, edges)
    return _persons(identities, edges, labels)


def resolve_tables(identities: pa.Table, links: pa.Table) -> pa.Table:
    """`resolve` from engine to engine: Arrow in, Arrow out, with types that do not depend on the rows."""
    result = resolve(identities.to_pandas(), links.to_pandas())
    return pa.Table.from_pandas(result, schema=_RESULT, preserve_index=False)


def _no_edges() -> pd.DataFrame:
    columns = {"first": "int64", "second": "int64", "position": "int64", "strength": "int64", "evidence": "object"}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in {**columns, "evidence_token": "object"}.items()})


def _edges(links: pd.DataFrame, strength: int) -> pd.DataFrame:
    """From the first holder of each value to each other: first, second, position, strength, evidence, evidence_token.

    The first is the holder that had the value first, and an edge is there since its second holder had it.
    """
    ordered = links.sort_values(["landed_position", "identity_rank"], kind="stable")
    holder = ordered.groupby("evidence_token", sort=False)["identity_rank"].transform("first").to_numpy()
    others = ordered[holder != ordered["identity_rank"].to_numpy()]
    return pd.DataFrame(
        {
            "first": holder[holder != ordered["identity_rank"].to_numpy()].astype("int64"),
            "second": others["identity_rank"].to_numpy("int64"),
            "position": others["landed_position"].to_numpy("int64"),
            "strength": strength,
            "evidence": others["evidence"].to_numpy(object),
            "evidence_token": others["evidence_token"].to_numpy(object),
        }
    )


def _traits(identities: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    """What tells persons apart: a row for each identity and unionid (`trait` 'unionid'), or exclusive kind."""
    unionids = links.loc[links["evidence"] == _UNIONID, ["identity_rank", "evidence_token"]]
    exclusive = identities.loc[identities["identity_kind"].isin(_EXCLUSIVE), ["identity_rank", "identity_kind"]]
    known = pd.DataFrame(
        {
            "identity": unionids["identity_rank"].to_numpy("int64"),
            "trait": _UNIONID,
            "value": pd.factorize(unionids["evidence_token"])[0],
        }
    )
    kinds = pd.DataFrame(
        {
            "identity": exclusive["identity_rank"].to_numpy("int64"),
            "trait": exclusive["identity_kind"].to_numpy(object),
            "value": -1,
        }
    )
    return pd.concat([known, kinds], ignore_index=True)


def _believed(edges: pd.DataFrame, labels: np.ndarray, kind: _Kind, traits: pd.DataFrame) -> pd.DataFrame:
    """The edges that join nobody whom stronger evidence tells apart.

    First values go whose own holders differ, then all edges of a group that would meet through a third.
    """
    if not kind.is_judged or edges.empty:
        return edges
    wanted = [_UNIONID, *(_EXCLUSIVE if kind.is_exclusive else ())]
    held = traits[traits["trait"].isin(wanted)].copy()
    held["cluster"] = labels[held["identity"].to_numpy()]
    # Two clusters differ by having another unionid each, or each an account of its own.
    own = held["value"].to_numpy() < 0
    held["value"] = np.where(own, held["cluster"], held["value"])
    held = held[["cluster", "trait", "value"]].drop_duplicates()
    by_value = pd.factorize(edges["evidence_token"])[0]
    edges = edges[~np.isin(by_value, _contested(by_value, edges, labels, held))]
    joined = _components(
        len(labels), pd.DataFrame({"first": labels[edges["first"]], "second": labels[edges["second"]]})
    )
    groups = joined[labels[edges["first"].to_numpy()]]
    return edges[~np.isin(groups, _contested(groups, edges, labels, held))]


def _contested(groups: np.ndarray, edges: pd.DataFrame, labels: np.ndarray, held: pd.DataFrame) -> np.ndarray:
    """The groups of edges whose clusters have several values of one trait between them."""
    ends = pd.DataFrame(
        {
            "group": np.r_[groups, groups],
            "cluster": labels[np.r_[edges["first"].to_numpy(), edges["second"].to_numpy()]],
        }
    ).drop_duplicates()
    several = ends.groupby("group")["cluster"].transform("size") > 1
    met = ends[several].merge(held, on="cluster")[["group", "trait", "value"]].drop_duplicates()
    values = met.groupby(["group", "trait"]).size()
    return values[values > 1].index.get_level_values("group").unique().to_numpy()


def _components(count: int, edges: pd.DataFrame) -> np.ndarray:
    """The component of each node."""
    first, second = edges["first"].to_numpy("int64"), edges["second"].to_numpy("int64")
    graph = coo_array((np.ones(len(edges), np.int8), (first, second)), shape=(count, count))
    return connected_components(graph, directed=False)[1]


def _persons(identities: pd.DataFrame, edges: pd.DataFrame, labels: np.ndarray) -> pd.DataFrame:
    """The result of `resolve`."""
    ranks = np.arange(len(identities))
    # The first identity of each component, in the order of landing, is the lowest rank.
    earliest = np.full(labels.max(initial=-1) + 1, len(ranks))
    np.minimum.at(earliest, labels, ranks)
    result = pd.DataFrame({"identity_rank": ranks, "person_rank": earliest[labels]})
    return result.join(_strongest(edges)).join(_merges(identities["landed_position"].to_numpy("int64"), edges))


def _strongest(edges: pd.DataFrame) -> pd.DataFrame:
    """By identity, the evidence of its strongest edge, the earliest of several."""
    ends = pd.concat([edges.assign(identity=edges["first"]), edges.assign(identity=edges["second"])])
    ordered = ends.sort_values(["strength", "position", "evidence_token"], kind="stable")
    return ordered.drop_duplicates("identity").set_index("identity")[["evidence", "evidence_token"]]


def _merges(births: np.ndarray, edges: pd.DataFrame) -> pd.DataFrame:
    """By identity, when and to whom the person was joined of whom it was the earliest identity.

    Edges are taken in the order of their positions; of the two persons that one joins, the one with the earliest
    identity remains. Only edges that join something count: they are a minimum spanning forest (Kruskal).
    """
    count = len(births)
    forest = _forest(count, edges)
    parent = _joined_at_birth(births, forest)
    root = _followed(parent)
    later = forest[root[forest["first"]] != root[forest["second"]]].sort_values(["position", "first", "second"])
    ends = root[later["first"]].tolist(), root[later["second"]].tolist()
    leader = {rank: rank for rank in {*ends[0], *ends[1]}}

    def leader_of(rank: int) -> int:
        while leader[rank] != rank:
            leader[rank] = leader[leader[rank]]
            rank = leader[rank]
        return rank

    merges = []
    # Only what joins two persons who both were there comes here, and each depends on the one before.
    for first, second in zip(*ends, strict=True):
        remaining, absorbed = sorted((leader_of(first), leader_of(second)))
        leader[absorbed] = remaining
        merges.append((absorbed, remaining))
    joined = pd.DataFrame(merges, columns=["identity", "joined_rank"])
    for name, column in (("position", "position"), ("evidence", "evidence"), ("token", "evidence_token")):
        joined[f"joined_{name}"] = later[column].to_numpy()
    return joined.set_index("identity")


def _forest(count: int, edges: pd.DataFrame) -> pd.DataFrame:
    """The edges that join something when they are taken in the order of their positions."""
    ordered = edges.sort_values(["position", "strength", "first", "second"], kind="stable", ignore_index=True)
    ordered = ordered[~ordered[["first", "second"]].duplicated()].reset_index(drop=True)
    weights = np.arange(1, len(ordered) + 1)  # 0 would be no edge
    graph = coo_array((weights, (ordered["first"], ordered["second"])), shape=(count, count))
    kept = minimum_spanning_tree(graph.tocsr()).data.astype("int64")
    return ordered.iloc[np.sort(kept) - 1]


def _joined_at_birth(births: np.ndarray, forest: pd.DataFrame) -> np.ndarray:
    """For each identity, an earlier one to which it was joined by what landed together with it, else itself.

    Most identities come with their evidence: they join a person and never were one.
    """
    first, second = forest["first"].to_numpy("int64"), forest["second"].to_numpy("int64")
    younger, older = np.maximum(first, second), np.minimum(first, second)
    at_birth = forest["position"].to_numpy() <= births[younger]
    parent = np.arange(len(births))
    # The earliest of several: the last that is assigned stays.
    order = np.argsort(-older[at_birth], kind="stable")
    parent[younger[at_birth][order]] = older[at_birth][order]
    return parent


def _followed(parent: np.ndarray) -> np.ndarray:
    """The end of each chain of parents."""
    while True:
        further = parent[parent]
        if np.array_equal(further, parent):
            return parent
        parent = further
