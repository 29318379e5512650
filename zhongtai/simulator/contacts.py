"""WeCom contacts, the groups that they join, and what is posted there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from zhongtai.simulator.world import World

_NEVER = np.datetime64("NaT", "s")
_LEAVERS_DELETE_RATE, _OTHERS_DELETE_RATE = 0.5, 0.03
_NOTED_LATER_RATE = 0.12
_GROUPS_A_CONTACT, _LEAVE_RATE = 0.9, 0.22
_MESSAGES_A_DAY = 0.4
CONTENT_TYPES = np.array(["review", "usage_scene", "tutorial", "promotion"], object)
OFFER_TYPES = np.array(["none", "coupon", "flash_sale", "member_price"], object)
_AUTHORS = np.array(["staff", "member", "koc"], object)


@dataclass(frozen=True)
class Contacts:
    """Contacts; a contact is called by its position here.

    Attributes:
        identity: rows of world.identities.
        of_person: for each person the contact, -1 for none.
        owner: number of the member of staff.
        added_at, noted_at (when a phone was filled in later, NaT), deleted_at (NaT): instants, rising.
    """

    identity: np.ndarray
    of_person: np.ndarray
    owner: np.ndarray
    added_at: np.ndarray
    noted_at: np.ndarray
    deleted_at: np.ndarray

    def there(self, contact: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Whether contacts (-1: nobody) exist at instants."""
        deleted = self.deleted_at[contact]
        return (contact >= 0) & (self.added_at[contact] <= at) & (np.isnat(deleted) | (deleted > at))


@dataclass(frozen=True)
class Groups:
    """Who is in which group, and what was posted.

    Attributes:
        group, contact: of each membership; sorted by contact.
        joined_at, left_at (NaT): instants.
        messages: group, posted_at, author_kind, author (contact, -1), content_type, offer_type; sorted by group and
            posted_at.
    """

    group: np.ndarray
    contact: np.ndarray
    joined_at: np.ndarray
    left_at: np.ndarray
    messages: pd.DataFrame


def build_contacts(world: World) -> Contacts:
    """The contacts; many who leave the merchant delete it, and a few others do."""
    rng = world.rng("contacts")
    identity = np.flatnonzero(world.identities["kind"] == "contact")
    person = world.identities["person"].to_numpy()[identity]
    added = world.identities["created_at"].to_numpy()[identity].astype("datetime64[s]")
    count = len(identity)
    last = world.persons["last_day"].to_numpy()[person]
    start = np.maximum(world.day_of(added), 0)
    leaves = (last < world.days) & (rng.random(count) < _LEAVERS_DELETE_RATE)
    tires = ~leaves & (rng.random(count) < _OTHERS_DELETE_RATE)
    random_day = start + ((world.days - start) * rng.random(count)).astype(int)
    day = np.where(leaves, np.maximum(last, start), random_day) + 1
    deleted = np.where(leaves | tires, world.at(day, rng.integers(9 * 3600, 22 * 3600, count)), _NEVER)
    deleted = np.where(deleted < world.end, deleted, _NEVER)
    later = (rng.random(count) < _NOTED_LATER_RATE) & world.identities["phone"].notna().to_numpy()[identity]
    noted = added + rng.integers(86_400, 50 * 86_400, count).astype("timedelta64[s]")
    later &= (noted < world.end) & (np.isnat(deleted) | (noted < deleted))
    of_person = np.full(len(world.persons), -1)
    of_person[person] = np.arange(count)
    staff = max(3, len(world.groups) // 3)
    owner = rng.integers(1, staff + 1, count)
    return Contacts(identity, of_person, owner, added, np.where(later, noted, _NEVER), deleted)


def build_groups(world: World, contacts: Contacts) -> Groups:
    """Memberships and messages."""
    rng = world.rng("group members")
    count, groups = len(contacts.identity), len(world.groups)
    contact = np.repeat(np.arange(count), rng.poisson(_GROUPS_A_CONTACT, count))
    group = np.minimum((rng.random(len(contact)) ** 1.3 * groups).astype(int), groups - 1)
    pairs = np.unique(contact * groups + group)
    contact, group = pairs // groups, pairs % groups
    opened = world.at(world.groups["created_day"].to_numpy(), 10 * 3600)[group]
    wait = rng.exponential(8 * 86_400, len(contact)).astype("int64").astype("timedelta64[s]")
    joined = np.maximum(contacts.added_at[contact], opened) + wait
    stays = rng.exponential(90 * 86_400, len(contact)).astype("int64").astype("timedelta64[s]")
    left = np.where(rng.random(len(contact)) < _LEAVE_RATE, joined + stays, _NEVER)
    left = np.fmin(left, contacts.deleted_at[contact])
    left = np.where(left < world.end, left, _NEVER)
    real = (joined < world.end) & (np.isnat(left) | (left > joined))
    group, contact, joined, left = group[real], contact[real], joined[real], left[real]
    return Groups(group, contact, joined, left, _messages(world, group, contact, joined, left))


def _messages(
    world: World, group: np.ndarray, contact: np.ndarray, joined: np.ndarray, left: np.ndarray
) -> pd.DataFrame:
    """Posts of staff and members; on Wednesdays, the day of members, more offers."""
    rng = world.rng("group messages")
    created = world.groups["created_day"].to_numpy()
    wednesday = (world.calendar["weekday"] == 2).to_numpy()
    pace = _MESSAGES_A_DAY * np.where(wednesday, 1.8, 0.87)[:, None] * (created < np.arange(world.days)[:, None])
    posts = rng.poisson(pace * rng.uniform(0.5, 1.5, len(created)))
    where, day = np.nonzero(posts.T)
    where, day = (np.repeat(part, posts.T[posts.T > 0]) for part in (where, day))
    count = len(where)
    posted = world.at(day, rng.integers(9 * 3600, 22 * 3600, count))
    # Whoever writes must be in the group: a membership of the group at random, kept if it holds at that time.
    by_group = np.argsort(group, kind="stable")
    bounds = np.searchsorted(group[by_group], np.arange(len(created) + 1))
    size = np.diff(bounds)[where]
    drawn = by_group[np.minimum(bounds[where] + (rng.random(count) * size).astype(int), max(0, len(group) - 1))]
    inside = (size > 0) & (joined[drawn] <= posted) & (np.isnat(left[drawn]) | (left[drawn] > posted))
    kind = np.where(inside, rng.choice(3, count, p=[0.55, 0.3, 0.15]), 0)
    staff = kind == 0
    offers = np.where(wednesday[day], rng.choice(4, count, p=[0.25, 0.2, 0.15, 0.4]), 0)
    offers = np.where(wednesday[day], offers, rng.choice(4, count, p=[0.55, 0.22, 0.15, 0.08]))
    offers = np.where(staff, offers, 0)
    content = np.where(staff & (offers > 0), rng.choice(4, count, p=[0.1, 0.15, 0.1, 0.65]), 0)
    content = np.where(staff & (offers == 0), rng.choice(4, count, p=[0.2, 0.35, 0.35, 0.1]), content)
    content = np.where(staff, content, rng.choice(4, count, p=[0.6, 0.3, 0.1, 0.0]))
    frame = pd.DataFrame(
        {
            "group": where,
            "posted_at": posted,
            "author_kind": _AUTHORS[kind],
            "author": np.where(staff, -1, contact[drawn]),
            "content_type": CONTENT_TYPES[content],
            "offer_type": OFFER_TYPES[offers],
        }
    )
    return frame.sort_values(["group", "posted_at"], kind="stable", ignore_index=True)
