"""Private domain as the CRM exports it: contacts, groups, messages, touches, members and their points."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zhongtai.simulator import growth, touches
from zhongtai.simulator.columns import coded, pick
from zhongtai.simulator.contacts import Contacts, Groups, build_contacts, build_groups
from zhongtai.simulator.files import Silos
from zhongtai.simulator.selling import Orders
from zhongtai.simulator.versions import chunks, versions
from zhongtai.simulator.world import World

_CHUNK_ROWS = 500_000
_LEVELS = np.array(["V1", "V2", "V3", "V4", "V5", "V6"], object)
_LEVEL_POINTS = (500, 2_000, 5_000, 12_000, 30_000)
_KNOWN_CONTACT_RATE, _LEVEL_EMPTY_RATE = 0.6, 0.05


def write(world: World, silos: Silos, sold: Orders) -> None:
    """Writes every table of the CRM.

    Args:
        sold: orders and refunds, which touches led to and which earn points.
    """
    contacts = build_contacts(world)
    groups = build_groups(world, contacts)
    sent = touches.touch(world, sold.orders, contacts, groups)
    ledger = growth.earn(world, sold, sent)
    _write_contacts(world, silos, contacts)
    _write_groups(world, silos, contacts, groups)
    _write_touches(world, silos, contacts, sent)
    _write_members(world, silos, contacts, ledger)
    _write_ledger(world, silos, ledger)


def _write_contacts(world: World, silos: Silos, contacts: Contacts) -> None:
    """Contacts as they are added, as their phone is noted, and as they are deleted."""
    people = world.identities.iloc[contacts.identity]
    rows = versions(world, [contacts.added_at, contacts.noted_at, contacts.deleted_at])
    thing = rows.thing
    # Who has no instant of noting has the phone, if any, from the start.
    known = (rows.stage > 0) | np.isnat(contacts.noted_at[thing])
    columns = {
        "external_id": pick(people["source_id"], thing),
        "unionid": pick(people["unionid"], thing),
        "phone": pick(people["phone"], np.where(known, thing, -1)),
        "name": pick(people["name"], thing),
        "owner": coded("staff", contacts.owner[thing], 3),
        "source_channel": people["channel"].to_numpy()[thing],
        "added_at": contacts.added_at[thing],
        "is_deleted": rows.stage == 2,
        "updated_at": rows.updated_at,
    }
    silos.write("crm", "contacts", columns, rows.day)


def _write_groups(world: World, silos: Silos, contacts: Contacts, groups: Groups) -> None:
    """Groups, who joined and left, and what was posted."""
    frame = world.groups
    day = np.maximum(frame["created_day"].to_numpy(), 0)
    created = world.at(frame["created_day"].to_numpy(), 10 * 3600)
    names = ("group_id", "group_name", "category_id", "group_type", "owner")
    columns = {name: frame[name].to_numpy() for name in names}
    silos.write("crm", "groups", {**columns, "created_at": created, "updated_at": created}, day)
    ids = world.identities["source_id"].to_numpy()[contacts.identity]
    rows = versions(world, [groups.joined_at, groups.left_at])
    columns = {
        "group_id": pick(frame["group_id"], groups.group[rows.thing]),
        "external_id": pick(ids, groups.contact[rows.thing]),
        "joined_at": groups.joined_at[rows.thing],
        "left_at": rows.shown(groups.left_at),
        "updated_at": rows.updated_at,
    }
    silos.write("crm", "group_members", columns, rows.day)
    messages = groups.messages.sort_values("posted_at", kind="stable")
    columns = {
        "message_id": coded("MS", messages.index.to_numpy() + 1),
        "group_id": pick(frame["group_id"], messages["group"].to_numpy()),
        "author_kind": messages["author_kind"].to_numpy(),
        "author_external_id": pick(ids, messages["author"].to_numpy()),
        "content_type": messages["content_type"].to_numpy(),
        "offer_type": messages["offer_type"].to_numpy(),
        "posted_at": messages["posted_at"].to_numpy(),
    }
    silos.write("crm", "group_messages", columns, world.day_of(messages["posted_at"].to_numpy()))


def _write_touches(world: World, silos: Silos, contacts: Contacts, sent: pd.DataFrame) -> None:
    ids = world.identities["source_id"].to_numpy()[contacts.identity]
    steps = ("delivered_at", "opened_at", "clicked_at")
    rows = versions(world, [sent["sent_at"].to_numpy(), *(sent[name].to_numpy() for name in steps)])
    shown = {name: rows.shown(sent[name].to_numpy()) for name in steps}
    for part in chunks(rows.day, _CHUNK_ROWS):
        thing = rows.thing[part]
        chosen = sent.iloc[thing]
        columns = {
            "touch_id": coded("TO", thing + 1, 9),
            "external_id": pick(ids, chosen["contact"].to_numpy()),
            "phone": pick(world.identities["phone"], chosen["account"].to_numpy()),
            "touch_channel": chosen["channel"].to_numpy(),
            "message_id": coded("MS", np.where(chosen["message"] >= 0, chosen["message"] + 1, -1)),
            "group_id": pick(world.groups["group_id"], chosen["group"].to_numpy()),
            "campaign_id": pick(world.campaigns["campaign_id"], chosen["campaign"].to_numpy()),
            "content_type": chosen["content_type"].to_numpy(),
            "offer_type": chosen["offer_type"].to_numpy(),
            "sent_at": chosen["sent_at"].to_numpy(),
            **{name: values[part] for name, values in shown.items()},
            "updated_at": rows.updated_at[part],
        }
        silos.write("crm", "touches", columns, rows.day[part])


def _write_members(world: World, silos: Silos, contacts: Contacts, ledger: growth.Ledger) -> None:
    """Member cards as they are issued, and whenever a month's end brings another level."""
    rng = world.rng("members file")
    people = world.identities.iloc[ledger.cards]
    count = len(people)
    joined = people["created_at"].to_numpy().astype("datetime64[s]")
    card, day, level = _level_changes(world, ledger)
    row = np.r_[np.arange(count), card]
    updated = np.r_[joined, world.at(day, 23 * 3600 + 1800)]
    reached = np.r_[np.zeros(count, int), level]
    # Cards older than the period are in the first file; a change there replaces the first row.
    days = np.r_[np.maximum(people["created_day"].to_numpy(), 0), day]
    contact = contacts.of_person[people["person"].to_numpy()]
    known = (contact >= 0) & (rng.random(count) < _KNOWN_CONTACT_RATE)
    known &= contacts.added_at[contact] <= joined
    ids = world.identities["source_id"].to_numpy()[contacts.identity]
    blank = (rng.random(count) < _LEVEL_EMPTY_RATE)[row] & (np.arange(len(row)) < count)
    order = np.argsort(days, kind="stable")
    row, updated, reached, blank = row[order], updated[order], reached[order], blank[order]
    columns = {
        "card_no": pick(people["source_id"], row),
        "external_id": pick(ids, np.where(known, contact, -1)[row]),
        "unionid": pick(people["unionid"], row),
        "phone": pick(people["phone"], row),
        "name": pick(people["name"], row),
        "joined_at": joined[row],
        "level": pick(_LEVELS, np.where(blank, -1, reached)),
        "updated_at": updated,
    }
    silos.write("crm", "members", columns, days[order])


def _level_changes(world: World, ledger: growth.Ledger) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Card, day and new level (from 0) at each month's end that changed it."""
    months = world.dates(np.arange(world.days)).astype("datetime64[M]")
    ends = np.flatnonzero(np.r_[months[1:] != months[:-1], True])
    count = len(ledger.cards)
    month = np.searchsorted(ends, world.day_of(ledger.entries["earned_at"].to_numpy()))
    place = month * count + ledger.entries["card"].to_numpy()
    earned = np.bincount(place, weights=ledger.entries["points"].to_numpy(), minlength=len(ends) * count)
    total = earned.reshape(len(ends), count).cumsum(axis=0)
    level = np.searchsorted(np.array(_LEVEL_POINTS), total, side="right")
    before = np.vstack([np.zeros((1, count), int), level[:-1]])
    month, card = np.nonzero(level != before)
    return card, ends[month], level[month, card]


def _write_ledger(world: World, silos: Silos, ledger: growth.Ledger) -> None:
    entries = ledger.entries
    columns = {
        "entry_id": coded("GL", np.arange(len(entries)) + 1, 9),
        "card_no": pick(world.identities["source_id"].to_numpy()[ledger.cards], entries["card"].to_numpy()),
        "points": entries["points"].to_numpy(),
        "source": entries["source"].to_numpy(),
        "source_ref": entries["source_ref"].to_numpy(),
        "earned_at": entries["earned_at"].to_numpy(),
    }
    silos.write("crm", "growth_ledger", columns, world.day_of(entries["earned_at"].to_numpy()))
