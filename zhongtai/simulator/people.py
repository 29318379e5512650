"""People, and the identities under which the silos know them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zhongtai.simulator import typing_habits
from zhongtai.simulator.columns import coded
from zhongtai.simulator.world import HORIZON, World

_SURNAMES = np.array(list("王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高"))
_GIVEN = np.array(list("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰飞红鑫宇晨欣怡子涵梓轩雨佳"))
_DOMAINS = np.array(["qq.com", "163.com", "126.com", "gmail.com", "outlook.com", "sina.com"])
# How likely a person of middling reach is known to a silo, as a logit; reach moves all of them together.
_KINDS = {"account": 1.1, "tmall": -0.5, "jd": -1.5, "open_id": -0.7, "card": -0.1, "contact": 0.0}
_REACH = 1.25
_CHANNELS = {
    "account": (
        ["search_engine", "ads", "xiaohongshu", "douyin", "mini_program", "wecom", "direct", "store"],
        [0.2, 0.22, 0.14, 0.1, 0.16, 0.06, 0.08, 0.04],
    ),
    "contact": (["wecom", "group", "mini_program", "store", "pop_up"], [0.35, 0.2, 0.2, 0.2, 0.05]),
}
_SHARED_RATE, _RECYCLED_RATE, _COUNTER_RATE = 0.012, 0.003, 0.0025
_LEAST_COUNTER_HOLDERS = 10


def add_people(world: World) -> None:
    """Adds persons and identities, with phones that are shared, recycled or a counter's."""
    world.persons = _persons(world)
    world.identities = _identities(world)
    world.truth["shared_phones"] = _phone_truth(world)


def _persons(world: World) -> pd.DataFrame:
    rng = world.rng("persons")
    count = world.scale.users
    before = rng.random(count) < 0.55
    growth = np.sqrt(rng.random(count)) * 0.6 + rng.random(count) * 0.4
    first = np.where(before, -rng.integers(1, 720, count), (growth * (world.days - 3)).astype(int))
    stay = rng.exponential(world.days * 0.9, count).astype(int) + 20
    leaves = rng.random(count) < 0.35
    last = np.where(leaves, np.maximum(first, 0) + stay, HORIZON)
    # 7 and this step share no factor, so that every number is another one.
    numbers = 13_000_000_000 + (np.arange(count) * 2_654_435_761 + rng.integers(0, 7_000_000_000)) % 7_000_000_000
    letters = rng.integers(97, 123, (count, 6)).astype(np.uint8).view("S6").ravel().astype(str)
    domain = _DOMAINS[rng.choice(len(_DOMAINS), count, p=[0.4, 0.22, 0.1, 0.12, 0.08, 0.08])]
    male = rng.random(count) < 0.36
    frame = pd.DataFrame(
        {
            "person_id": coded("P", np.arange(1, count + 1)).to_numpy(zero_copy_only=False),
            "region": rng.choice(len(world.regions), count, p=world.regions["weight"]),
            "phone": coded("", numbers, 11).to_numpy(zero_copy_only=False),
            "email": _joined(letters, np.arange(count).astype(str), "@", domain),
            "unionid": _joined("o6_", coded("", (np.arange(count) * 7_368_787) % 10_000_019_999, 11)),
            "name": _joined(rng.choice(_SURNAMES, count), rng.choice(_GIVEN, count), rng.choice(_GIVEN, count)),
            "gender": np.where(male, "male", "female"),
            "birth_year": np.clip(rng.normal(1991, 9, count), 1950, 2009).astype(int),
            "activity": rng.lognormal(0, 0.9, count),
            "price_sensitivity": rng.beta(2, 2.5, count),
            "reach": rng.normal(0, 1, count),
            "first_day": first,
            "last_day": last,
            "family": -1,
        }
    )
    _share_phones(frame, world, rng)
    return frame


def _joined(*parts: object) -> np.ndarray:
    """The parts as one string a row."""
    joined = parts[0] if isinstance(parts[0], str) else np.asarray(parts[0]).astype(object)
    for part in parts[1:]:
        joined = joined + (part if isinstance(part, str) else np.asarray(part).astype(object))
    return np.asarray(joined, dtype=object)


def _share_phones(frame: pd.DataFrame, world: World, rng: np.random.Generator) -> None:
    """Gives some people the phone of a relative, and others one that somebody else had before."""
    count = len(frame)
    shared, recycled = max(4, int(count * _SHARED_RATE)), max(2, int(count * _RECYCLED_RATE))
    chosen = rng.permutation(count)[: 2 * (shared + recycled)]
    child, holder = chosen[:shared], chosen[shared : 2 * shared]
    frame.loc[child, "phone"] = frame["phone"].to_numpy()[holder]
    frame.loc[child, "family"] = holder
    old, new = chosen[2 * shared : 2 * shared + recycled], chosen[2 * shared + recycled :]
    ends = rng.integers(int(world.days * 0.2), int(world.days * 0.4), recycled)
    frame.loc[old, "first_day"] = -rng.integers(100, 700, recycled)
    frame.loc[old, "last_day"] = ends
    frame.loc[new, "first_day"] = ends + max(3, world.days // 10)
    frame.loc[new, "last_day"] = HORIZON
    frame.loc[np.r_[old, new], "reach"] = 1.5
    frame.loc[new, "phone"] = frame["phone"].to_numpy()[old]
    frame["recycled_from"] = -1
    frame.loc[new, "recycled_from"] = old


def _identities(world: World) -> pd.DataFrame:
    """Identities by kind; within a kind by the time of their making."""
    rng = world.rng("identities")
    persons = world.persons
    reach = persons["reach"].to_numpy()
    chance = {kind: 1 / (1 + np.exp(-(base + _REACH * reach))) for kind, base in _KINDS.items()}
    has = {kind: rng.random(len(persons)) < one for kind, one in chance.items()}
    recycled = persons["recycled_from"].to_numpy()
    has["account"][np.r_[np.flatnonzero(recycled >= 0), recycled[recycled >= 0]]] = True
    nowhere = ~(has["account"] | has["tmall"] | has["jd"] | has["open_id"] | has["card"])
    has["account"] |= nowhere & (rng.random(len(persons)) < 0.6)
    has["tmall"] |= nowhere & ~has["account"]
    account = _made(world, np.flatnonzero(has["account"]), "account")
    devices = _devices(world, account, rng)
    buyers = [_made(world, np.flatnonzero(has[platform]), platform) for platform in ("tmall", "jd")]
    buyer = pd.concat(buyers, ignore_index=True).sort_values("created_at", kind="stable", ignore_index=True)
    open_id = _made(world, np.flatnonzero(has["open_id"]), "open_id")
    contact = _made(world, np.flatnonzero(has["contact"]), "contact")
    member = _made(world, np.flatnonzero(has["card"]), "card")
    _add_account_ids(account, rng)
    buyer["source_id"] = np.where(
        buyer["platform"] == "tmall", coded("tb", _scrambled(len(buyer), 9), 9), coded("jd_", _scrambled(len(buyer), 8))
    )
    open_id["source_id"] = np.asarray(coded("_000", _scrambled(len(open_id), 10), 10))
    contact["source_id"] = np.asarray(coded("wmQH", _scrambled(len(contact), 9), 9))
    contact["channel"] = _channels("contact", len(contact), rng)
    member["source_id"] = np.asarray(coded("88", np.arange(1, len(member) + 1) * 7 + 60_000_000, 9))
    card = member[["person", "created_day", "created_at", "source_id"]].copy()
    named = [("storefront", "account", account), ("storefront", "device", devices), ("marketplace", "buyer", buyer)]
    named += [("live", "open_id", open_id), ("stores", "card", card)]
    named += [("crm", "contact", contact), ("crm", "member_card", member)]
    frames = [frame.assign(silo=silo, kind=kind) for silo, kind, frame in named]
    identities = pd.concat(frames, ignore_index=True)
    for column in ("platform", "channel"):
        identities[column] = identities[column].fillna("")
    for column in ("referrer", "account"):
        identities[column] = identities[column].fillna(-1).astype(int)
    typing_habits.add_shown(world, identities, rng, _counter_phones(world, identities, rng))
    names = ["silo", "kind", "source_id", "person", "phone", "email", "unionid", "name", "created_day", "created_at"]
    return identities[[*names, "referrer", "account", "platform", "channel", "phone_origin"]]


def _made(world: World, person: np.ndarray, kind: str) -> pd.DataFrame:
    """When each person's identity of a kind was made, sorted by that."""
    rng = world.rng("identities", kind)
    first = world.persons["first_day"].to_numpy()[person]
    last = np.minimum(world.persons["last_day"].to_numpy()[person], world.days - 1)
    gap = np.where(rng.random(len(person)) < 0.4, 0, rng.exponential(60, len(person))).astype(int)
    day = np.minimum(first + gap, np.maximum(last - 1, first))
    at = world.at(day, rng.integers(8 * 3600, 23 * 3600, len(person)))
    frame = pd.DataFrame({"person": person, "created_day": day, "created_at": at})
    frame["platform"] = kind if kind in ("tmall", "jd") else ""
    return frame.sort_values("created_at", kind="stable", ignore_index=True)


def _devices(world: World, account: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """One device an account or more; the first is as old as the account."""
    count = 1 + rng.poisson(0.45, len(account))
    owner = np.repeat(np.arange(len(account)), count)
    is_first = np.r_[True, owner[1:] != owner[:-1]]
    created = account["created_day"].to_numpy()[owner]
    last = np.minimum(world.persons["last_day"].to_numpy()[account["person"].to_numpy()[owner]], world.days - 1)
    later = np.minimum(created + rng.exponential(90, len(owner)).astype(int), np.maximum(last, created))
    day = np.where(is_first, created, later)
    at = np.where(is_first, account["created_at"].to_numpy()[owner], world.at(day, 12 * 3600))
    kinds = np.array(["ios", "android", "web", "mini_program"])
    return pd.DataFrame(
        {
            "person": account["person"].to_numpy()[owner],
            "created_day": day,
            "created_at": np.maximum(at, account["created_at"].to_numpy()[owner]),
            "platform": kinds[rng.choice(4, len(owner), p=[0.3, 0.36, 0.12, 0.22])],
            "source_id": np.asarray(coded("dv", _scrambled(len(owner), 10), 10)),
            "account": owner,
        }
    ).sort_values(["account", "created_at"], kind="stable", ignore_index=True)


def _scrambled(count: int, digits: int) -> np.ndarray:
    """Distinct numbers of so many digits, in no order that tells of people."""
    return (np.arange(1, count + 1) * 6_700_417 + 1_234_567) % (10**digits - 11)


def _channels(kind: str, count: int, rng: np.random.Generator) -> np.ndarray:
    names, shares = _CHANNELS[kind]
    return np.array(names, object)[rng.choice(len(names), count, p=shares)]


def _add_account_ids(account: pd.DataFrame, rng: np.random.Generator) -> None:
    """Account numbers by age, channels, and who invited whom: an account that was there before."""
    count = len(account)
    account["source_id"] = np.asarray(coded("U", np.arange(1, count + 1) * 3 + 1_000))
    account["channel"] = _channels("account", count, rng)
    invited = (rng.random(count) < 0.18) & (account["created_day"].to_numpy() >= 0) & (np.arange(count) > 5)
    inviter = (rng.random(count) ** 1.5 * np.arange(count)).astype(int)
    account["referrer"] = np.where(invited, inviter, -1)
    account.loc[invited, "channel"] = np.where(rng.random(int(invited.sum())) < 0.6, "mini_program", "wecom")


def _counter_phones(world: World, identities: pd.DataFrame, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The default and counter phones, and the contacts and cards that clerks gave them to."""
    numbers = max(1, round(world.scale.users * _COUNTER_RATE))
    holders: dict[str, np.ndarray] = {}
    typed = rng.permutation(np.flatnonzero(identities["kind"].isin(["contact", "member_card"])))
    start = 0
    for number in range(numbers):
        size = int(rng.integers(_LEAST_COUNTER_HOLDERS, _LEAST_COUNTER_HOLDERS + 5))
        phone = "13800000000" if number == 0 else f"400{number:08d}"
        holders[phone] = typed[start : start + size]
        start += size
    return holders


def _phone_truth(world: World) -> pd.DataFrame:
    """Which phones are shared in a family, recycled, or a counter's."""
    persons, origin = world.persons, world.identities["phone_origin"]
    family = np.flatnonzero(persons["family"] >= 0)
    recycled = np.flatnonzero(persons["recycled_from"] >= 0)
    counters = world.identities.loc[origin == "counter", "phone"].unique()
    phones = persons["phone"].to_numpy()
    return pd.DataFrame(
        {
            "phone": np.r_[phones[family], phones[recycled], counters],
            "kind": np.repeat(["family", "recycled", "counter"], [len(family), len(recycled), len(counters)]),
        }
    ).drop_duplicates(ignore_index=True)
