"""The weather of every city: seasons, typhoons, cold waves, and forecasts that know less the further they look."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhongtai.simulator.columns import pick
from zhongtai.simulator.files import Silos
from zhongtai.simulator.world import World

# For each macro-region: mean temperature, its swing over the year, share of wet days, millimetres of a wet day, and
# how much more it rains in summer than in winter.
_CLIMATE = {
    "华北": (12.5, 15.5, 0.17, 8.0, 0.75),
    "东北": (6.5, 19.5, 0.22, 7.0, 0.6),
    "华东": (17.0, 12.0, 0.34, 10.0, 0.35),
    "华中": (17.0, 12.0, 0.33, 11.0, 0.35),
    "华南": (22.5, 7.0, 0.38, 14.0, 0.5),
    "西南": (16.0, 8.5, 0.38, 9.0, 0.5),
    "西北": (9.5, 15.0, 0.13, 5.0, 0.5),
}
_COAST = ("广东省", "海南省", "福建省", "浙江省", "上海市", "江苏省", "广西壮族自治区")
# What makes a warning: blue, yellow, orange, red.
_RAIN_LEVELS, _WIND_LEVELS, _DROP_LEVELS = (50, 90, 140, 200), (17, 21, 25, 32), (8, 10, 12, 16)
_AHEAD = 5
_TYPHOONS_A_YEAR, _COLD_WAVES_A_YEAR = 7, 6
_RESTATED_RATE, _EMPTY_RATE = 0.06, 0.01
_LEADS = (1, 2, 3)


@dataclass(frozen=True)
class Weather:
    """True weather, arrays of shape (days + 5, cities).

    Attributes:
        rain: millimetres.
        wind: greatest wind, metres a second.
        temperature: mean, Celsius.
        level: warning level, 0 to 4.
    """

    rain: np.ndarray
    wind: np.ndarray
    temperature: np.ndarray
    level: np.ndarray


def happens(world: World) -> Weather:
    """The weather as it really is; the same whenever it is asked for."""
    rng = world.rng("weather")
    days, cities = world.days + _AHEAD, len(world.regions)
    climate = np.array([_CLIMATE[name] for name in world.regions["macro_region"]]).T
    dates = world.dates(np.arange(days))
    of_year = (dates - dates.astype("datetime64[Y]")).astype(int)
    season = -np.cos(2 * np.pi * (of_year - 20) / 365.25)[:, None]
    front = _smoothed(rng.normal(0, 1, (days, cities)), 0.75)
    shared = _smoothed(rng.normal(0, 1, (days, 1)), 0.75)
    temperature = climate[0] + climate[1] * season + 2.0 * front + 1.6 * shared
    wet = climate[2] * (1 + climate[4] * season)
    # Neighbours get wet together: a common part in the number that decides.
    hits = np.argsort(np.argsort(0.8 * shared + rng.normal(0, 1, (days, cities)), axis=0), axis=0) / days < wet
    rain = np.where(hits, rng.gamma(0.8, 1, (days, cities)) * climate[3] * (1 + 0.5 * season), 0)
    wind = 4 + rng.gamma(2.2, 1.5, (days, cities))
    _add_typhoons(world, dates, rain, wind, rng)
    _add_cold_waves(world, dates, rain, wind, temperature, rng)
    drop = np.vstack([np.zeros((2, cities)), temperature[:-2] - temperature[2:]])
    # A fall matters where it ends in frost.
    drop = np.where(temperature < 6, drop, 0)
    level = np.maximum(_level(rain, _RAIN_LEVELS), np.maximum(_level(wind, _WIND_LEVELS), _level(drop, _DROP_LEVELS)))
    return Weather(np.round(rain, 1), np.round(wind, 1), np.round(temperature, 1), level)


def _smoothed(noise: np.ndarray, memory: float) -> np.ndarray:
    """Noise that remembers the day before, with variance 1."""
    for day in range(1, len(noise)):
        noise[day] = memory * noise[day - 1] + np.sqrt(1 - memory**2) * noise[day]
    return noise


def _level(values: np.ndarray, bounds: tuple[float, ...]) -> np.ndarray:
    return np.searchsorted(np.array(bounds), values, side="right")


def _starts(dates: np.ndarray, months: tuple[int, ...], a_year: float, rng: np.random.Generator) -> np.ndarray:
    """Days on which something begins that comes so often a year, in those months; at least once, if it can."""
    month = dates.astype("datetime64[M]").astype(int) % 12 + 1
    possible = np.flatnonzero(np.isin(month, months))
    if not len(possible):
        return possible
    count = max(1, round(a_year * len(possible) / (30.4 * len(months))))
    return np.sort(rng.choice(possible, min(count, len(possible)), replace=False))


def _add_typhoons(
    world: World, dates: np.ndarray, rain: np.ndarray, wind: np.ndarray, rng: np.random.Generator
) -> None:
    """Typhoons: two or three days of storm in some provinces of the coast."""
    coast = np.array(_COAST)
    province = world.regions["province"].to_numpy()
    for day in _starts(dates, (7, 8, 9, 10), _TYPHOONS_A_YEAR, rng):
        middle = int(rng.integers(0, len(coast)))
        hit = np.isin(province, coast[max(0, middle - 1) : middle + 2])
        for offset, force in enumerate((0.6, 1.0, 0.5)):
            if day + offset < len(dates):
                size = force * rng.uniform(0.6, 1.1, hit.sum())
                rain[day + offset, hit] += 190 * size
                wind[day + offset, hit] += 22 * size


def _add_cold_waves(
    world: World,
    dates: np.ndarray,
    rain: np.ndarray,
    wind: np.ndarray,
    temperature: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Cold waves from the north: a sharp fall that lasts some days, with snow and wind."""
    macro = world.regions["macro_region"].to_numpy()
    reach = np.select([np.isin(macro, ["东北", "华北", "西北"]), np.isin(macro, ["华中", "华东"])], [1.0, 0.75], 0.3)
    for day in _starts(dates, (1, 2, 3, 11, 12), _COLD_WAVES_A_YEAR, rng):
        depth = rng.uniform(9, 17) * reach * rng.uniform(0.8, 1.1, len(reach))
        for offset, force in enumerate((0.5, 1.0, 1.0, 0.8, 0.5, 0.2)):
            if day + offset < len(dates):
                temperature[day + offset] -= depth * force
                wind[day + offset] += 0.45 * depth * force * (offset < 3)
                rain[day + offset] += np.where(offset < 2, rng.gamma(1.2, 4, len(reach)) * reach, 0)


def write(world: World, silos: Silos) -> None:
    """Writes what was measured, with restatements, and what was forecast."""
    truth = happens(world)
    _write_daily(world, silos, truth)
    _write_forecast(world, silos, truth)


def _write_daily(world: World, silos: Silos, truth: Weather) -> None:
    rng = world.rng("weather report")
    cities = len(world.regions)
    day = np.repeat(np.arange(world.days), cities)
    city = np.tile(np.arange(cities), world.days)
    restated = np.flatnonzero(rng.random(len(day)) < _RESTATED_RATE)
    later = day[restated] + rng.integers(1, 3, len(restated))
    restated, later = restated[later < world.days], later[later < world.days]
    row = np.r_[np.arange(len(day)), restated]
    reported_day = np.r_[day, later]
    first = np.ones(len(day))
    # What is restated was first reported with another rain.
    first[restated] = rng.uniform(0.6, 1.4, len(restated))
    rain = truth.rain[day[row], city[row]] * np.where(np.arange(len(row)) < len(day), first[row], 1.0)
    seconds = np.where(np.arange(len(row)) < len(day), 23 * 3600, 10 * 3600) + city[row]
    columns = {
        "region_id": pick(world.regions["region_id"], city[row]),
        "weather_date": world.dates(day[row]),
        "rain_mm": np.where(rng.random(len(row)) < _EMPTY_RATE, np.nan, np.round(rain, 1)),
        "wind_ms": np.where(rng.random(len(row)) < _EMPTY_RATE, np.nan, truth.wind[day[row], city[row]]),
        "temperature_celsius": truth.temperature[day[row], city[row]],
        "warning_level": truth.level[day[row], city[row]],
        "reported_at": world.at(reported_day, seconds),
    }
    silos.write("weather", "weather_daily", columns, reported_day, label="week")


def _write_forecast(world: World, silos: Silos, truth: Weather) -> None:
    """Forecasts of the next three days; planted: skill falls with the lead."""
    rng = world.rng("forecast")
    cities = len(world.regions)
    issued = np.repeat(np.arange(world.days), cities * len(_LEADS))
    city = np.tile(np.repeat(np.arange(cities), len(_LEADS)), world.days)
    lead = np.tile(np.array(_LEADS), world.days * cities)
    count = len(lead)
    day = issued + lead
    rain, wind, level = truth.rain[day, city], truth.wind[day, city], truth.level[day, city]
    knows = rng.random(count) < 0.97 - 0.11 * lead
    other = rng.integers(0, world.days, count)
    guess = np.where(knows, rain, truth.rain[other, city]) * rng.lognormal(0, 0.12 * lead)
    blow = np.where(knows, wind, truth.wind[other, city]) + rng.normal(0, 0.8 * lead)
    alarm = np.where(rng.random(count) < 0.006 * lead, rng.integers(1, 3, count), 0)
    warned = np.where(knows, np.clip(level + rng.integers(-1, 2, count) * (rng.random(count) < 0.1 * lead), 0, 4), 0)
    chance = np.clip(np.where(guess > 0.5, 0.9, 0.1) - np.where(guess > 0.5, 1, -1) * 0.11 * lead, 0, 1)
    columns = {
        "region_id": pick(world.regions["region_id"], city),
        "forecast_date": world.dates(day),
        "issued_date": world.dates(issued),
        "rain_mm": np.round(guess, 1),
        "wind_ms": np.round(np.maximum(blow, 0), 1),
        "warning_level": np.where(level > 0, warned, alarm),
        "rain_probability": np.round(np.clip(chance + rng.normal(0, 0.05, count), 0, 1), 2),
    }
    silos.write("weather", "weather_forecast", columns, issued, label="week")
