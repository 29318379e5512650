"""How people and clerks type: odd formats, typing errors, masks, and nothing at all."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from zhongtai.simulator.world import World

_WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
# For each kind: how often phone, e-mail, unionid and name are shown.
_SHOWN = {
    "account": (0.88, 0.55, 0.6, 0.0),
    "device": (0.0, 0.0, 0.0, 0.0),
    "buyer": (0.93, 0.0, 0.0, 0.0),
    "open_id": (0.9, 0.0, 0.0, 0.0),
    "card": (0.0, 0.0, 0.0, 0.0),
    "contact": (0.5, 0.0, 0.82, 0.75),
    "member_card": (0.94, 0.0, 0.45, 0.8),
}
_MASKED = ("buyer", "open_id")
_ODD_RATE, _ERROR_RATE = 0.07, 0.012


def add_shown(
    world: World, identities: pd.DataFrame, rng: np.random.Generator, counters: dict[str, np.ndarray]
) -> None:
    """Adds phone, email, unionid and name as the silos show them, and `phone_origin` (own, masked, counter or '').

    Args:
        counters: the phones of counters and the rows that have them.
    """
    person = identities["person"].to_numpy()
    kind = identities["kind"].to_numpy()
    count = len(identities)
    rates = np.array([_SHOWN[one] for one in _SHOWN])
    rate = rates[pd.Categorical(kind, categories=list(_SHOWN)).codes]
    visible = rng.random((count, 4)) < rate
    # Whoever gave up or got a recycled number is known by something stronger.
    recycled = world.persons["recycled_from"].to_numpy()
    strong = np.isin(person, np.r_[np.flatnonzero(recycled >= 0), recycled[recycled >= 0]]) & (kind == "account")
    visible[strong, :3] = True
    masked = np.isin(kind, _MASKED)
    phone = pd.Series(world.persons["phone"].to_numpy()[person], dtype=object)
    phone[masked] = masks(phone[masked].to_numpy())
    typed = ~masked & visible[:, 0] & ~strong
    phone[typed] = odd_phones(phone[typed].to_numpy(), rng)
    origin = np.where(~visible[:, 0], "", np.where(masked, "masked", "own")).astype(object)
    phone[~visible[:, 0]] = None
    for number, rows in counters.items():
        phone.iloc[rows] = number
        origin[rows] = "counter"
    email = pd.Series(world.persons["email"].to_numpy()[person], dtype=object)
    email[~visible[:, 1]] = None
    shown = np.flatnonzero(visible[:, 1] & ~strong)
    email.iloc[shown] = odd_emails(email.to_numpy()[shown], rng)
    identities["phone"], identities["email"], identities["phone_origin"] = phone, email, origin
    for place, column in ((2, "unionid"), (3, "name")):
        values = world.persons[column].to_numpy()[person]
        values[~visible[:, place]] = None
        identities[column] = values


def masks(phones: np.ndarray) -> np.ndarray:
    """138****1234."""
    return np.asarray(pc.replace_substring_regex(pa.array(phones), r"^(\d{3})\d{4}", r"\1****").to_pandas())


def odd_phones(phones: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The phones as people type them: mostly plain."""
    result = phones.copy()
    draw = rng.random(len(phones))
    patterns = (r"+86\1\2\3", r"\1 \2 \3", r"\1-\2-\3", r"86 \1\2\3", r" \1\2\3")
    for place, pattern in enumerate(patterns):
        rows = np.flatnonzero((draw >= place * _ODD_RATE / 6) & (draw < (place + 1) * _ODD_RATE / 6))
        result[rows] = pc.replace_substring_regex(
            pa.array(phones[rows], pa.string()), r"^(\d{3})(\d{4})(\d{4})$", pattern
        ).to_pandas()
    wide = np.flatnonzero((draw >= 5 * _ODD_RATE / 6) & (draw < _ODD_RATE))
    result[wide] = pd.Series(phones[wide], dtype=object).str.translate(_WIDE)
    wrong = np.flatnonzero((draw >= _ODD_RATE) & (draw < _ODD_RATE + _ERROR_RATE))
    head, tail = pd.Series(phones[wrong], dtype=object).str[:8], pd.Series(phones[wrong], dtype=object).str[9:]
    digit = pd.Series(rng.integers(0, 10, len(wrong)).astype(str).astype(object))
    result[wrong] = head + digit + tail
    return result


def odd_emails(emails: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The e-mail addresses as people type them: some in capitals, some with an error or a space."""
    result = pd.Series(emails, dtype=object)
    draw = rng.random(len(result))
    upper, spaced, wrong = draw < 0.03, (draw >= 0.03) & (draw < 0.045), (draw >= 0.045) & (draw < 0.06)
    result[upper] = result[upper].str.upper()
    result[spaced] = result[spaced] + " "
    result[wrong] = result[wrong].str.replace(r"\.com$", ".con", regex=True)
    return result.to_numpy()


def typed_places(world: World, region: np.ndarray, rng: np.random.Generator, empty: float) -> tuple[pa.Array, pa.Array]:
    """Province and city as people type them: some without their ending, some not at all.

    Args:
        region: rows of the cities; negative for unknown.
        empty: how often nothing is typed.
    """
    region = np.where(rng.random(len(region)) < empty, -1, region)
    shown = []
    for column, endings in (("province", r"(省|市|壮族自治区|回族自治区|维吾尔自治区|自治区)$"), ("city", "市$")):
        full = world.regions[column].to_numpy().astype(str)
        short = pd.Series(full).str.replace(endings, "", regex=True).to_numpy()
        names = np.r_[full, short, " " + full.astype(object)].astype(object)
        form = rng.choice(3, len(region), p=[0.82, 0.17, 0.01])
        place = pa.array(np.where(region < 0, 0, region + form * len(full)), mask=region < 0)
        shown.append(pa.array(names.astype(object)).take(place))
    return shown[0], shown[1]
