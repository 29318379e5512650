"""Whom a phone or an e-mail address does not join: persons whom an account, a card or a union id tells apart.

OneID believes the same (zhongtai/analytics/identity.py); what is erased cannot be split again, so in doubt it stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Value = tuple[str, str]  # kind, value

# Evidence that several persons can share, the strongest first.
WEAK = ("email", "phone")


@dataclass(frozen=True)
class Person:
    """What is one person's.

    Attributes:
        values: identities, and the phones and addresses that nobody else has.
        others: identities of others who have one of the person's phones or addresses, and are told apart.
        disputed: what of the start several persons have, so that it says nothing.
    """

    values: set[Value]
    others: set[Value]
    disputed: set[Value]


def person(records: Iterable[list[Value]], start: set[Value], registers: set[str]) -> Person:
    """Who has the start, by what records tell together.

    Identities that stand in one record are one person's. An e-mail address joins whom no union id tells apart; a phone
    those who, moreover, have not each an account or card of their own: else it is a family's or has a new holder.

    Args:
        records: the values that each tells.
        start: what is known to be one person's.
        registers: kinds of which a person has one: the silo keeps a table of them.
    """
    groups = _Groups()
    groups.join([value for value in start if value[0] not in WEAK])
    holders: dict[Value, set[Value]] = {}
    for number, record in enumerate(records):
        names = [value for value in record if value[0] not in WEAK] or [("", str(number))]
        groups.join(names)
        for value in record:
            if value[0] in WEAK:
                holders.setdefault(value, set()).add(names[0])
    for kind in WEAK:
        of_kind = [names for value, names in holders.items() if value[0] == kind]
        for together in _believed(groups, of_kind, registers if kind == "phone" else set()):
            groups.join(together)
    return _result(groups, holders, start)


def _result(groups: _Groups, holders: Mapping[Value, set[Value]], start: set[Value]) -> Person:
    roots = {value: {groups.root(name) for name in names} for value, names in holders.items()}
    disputed = {value for value in start if len(roots.get(value, ())) > 1}
    mine = {root for value in start - disputed for root in roots.get(value, {groups.root(value)})}
    names = {value for value in groups.values() if groups.root(value) in mine and value[0]}
    values = {value for value, held in roots.items() if held <= mine}
    theirs = {root for held in roots.values() if held & mine for root in held - mine}
    others = {value for value in groups.values() if groups.root(value) in theirs and value[0] and value[0] not in WEAK}
    return Person(names | values | (start - disputed), others, disputed)


class _Groups:
    """Values that are one person's."""

    def __init__(self) -> None:
        self._parent: dict[Value, Value] = {}

    def values(self) -> list[Value]:
        """Everything that was asked for."""
        return list(self._parent)

    def root(self, value: Value) -> Value:
        """The same for all values of a person."""
        parent = self._parent.setdefault(value, value)
        while parent != (above := self._parent[parent]):
            self._parent[value] = value = parent
            parent = above
        return parent

    def join(self, values: Iterable[Value]) -> None:
        """These are one person's."""
        roots = [self.root(value) for value in values]
        for root in roots:
            self._parent[root] = roots[0]


def _believed(groups: _Groups, held: list[set[Value]], registers: set[str]) -> list[list[Value]]:
    """Who is joined by the values of a kind.

    First values go whose own holders are told apart, then all of those whose holders would meet through a third.

    Args:
        held: the holders of each value.
    """
    traits: dict[Value, set[str]] = {}
    for name in groups.values():
        if name[0] in registers or (name[0] and "." not in name[0]):  # of a register, or told by several silos
            traits.setdefault(groups.root(name), set()).add(name[0])

    def are_apart(roots: Iterable[Value]) -> bool:
        kinds = Counter(kind for root in roots for kind in traits.get(root, ()))
        return any(number > 1 for number in kinds.values())

    met = _Groups()
    for names in held:
        roots = {groups.root(name) for name in names}
        if not are_apart(roots):
            met.join(roots)
    together: dict[Value, list[Value]] = {}
    for root in met.values():
        together.setdefault(met.root(root), []).append(root)
    return [roots for roots in together.values() if not are_apart(roots)]
