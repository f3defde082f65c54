"""Oracles of the smoothers: plain loops over the values of a key, by the definitions of TA-Lib, R, statsmodels, scipy.

The table in `oracles.py` includes these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import scipy.signal

from oracle import Oracle

Case = dict[str, Any]
Row = float | dict[str, float]
Compute = Callable[[pd.DataFrame, Case], Any]

NONE = float("nan")


def held(columns: tuple[str, ...], results: Callable[[list[Any], Case], list[Any]]) -> Compute:
    """Results of the rows in which no column is null; other rows keep the last one."""

    def compute(frame: pd.DataFrame, case: Case) -> Any:
        rows = frame[[case[column] for column in columns]].to_numpy(dtype="f8")
        given = ~np.isnan(rows).any(axis=1)
        values = [row[0] if len(columns) == 1 else tuple(row) for row in rows[given].tolist()]
        found = results(values, case)
        first = found[0] if found else results(values or [(0.0,) * len(columns) if len(columns) > 1 else 0.0], case)[0]
        names = list(first) if isinstance(first, dict) else [None]
        place = np.cumsum(given) - 1
        out = {}
        for name in names:
            own = np.array([one if name is None else one[name] for one in found], dtype="f8")
            out[name] = np.array([own[at] if at >= 0 else NONE for at in place], dtype="f8")
        return out[None] if names == [None] else out

    return compute


def seeded(values: list[float], window: int, alpha: float) -> list[float]:
    """An exponential mean that begins with the mean of the first values; NaN before, and where there is no value."""
    out: list[float] = []
    first: list[float] = []
    mean = NONE
    for x in values:
        if np.isnan(x):
            out.append(NONE)
            continue
        if len(first) < window:
            first.append(x)
            mean = sum(first) / window if len(first) == window else NONE
        else:
            mean = (1 - alpha) * mean + alpha * x
        out.append(mean)
    return out


def ema(values: list[float], window: int) -> list[float]:
    return seeded(values, window, 2 / (window + 1))


def rma(values: list[float], window: int) -> list[float]:
    return seeded(values, window, 1 / window)


def cascade(values: list[float], window: int, means: int) -> list[np.ndarray]:
    out = []
    for _ in range(means):
        values = ema(values, window)
        out.append(np.array(values))
    return out


def dema(values: list[float], case: Case) -> list[float]:
    one, two = cascade(values, case["window"], 2)
    return list(2 * one - two)


def tema(values: list[float], case: Case) -> list[float]:
    one, two, three = cascade(values, case["window"], 3)
    return list(3 * one - 3 * two + three)


def t3(values: list[float], case: Case) -> list[float]:
    """Three times (1 + v) m - v m(m), multiplied out by numpy."""
    v = case.get("volume_factor", 0.7)
    weights = np.poly1d([-v, 1 + v, 0]) ** 3
    return list(sum(weights[k + 1] * mean for k, mean in enumerate(cascade(values, case["window"], 6)) if k > 1))


def trix(values: list[float], case: Case) -> list[float]:
    mean = cascade(values, case["window"], 3)[2]
    return [NONE, *(100 * (mean[1:] / mean[:-1] - 1))][: len(values)]


def macd(values: list[float], case: Case) -> list[dict[str, float]]:
    fast, slow, window = case.get("fast", 12), case.get("slow", 26), case.get("signal", 9)
    late = slow - fast
    line = np.array([NONE] * min(late, len(values)) + ema(values[late:], fast)) - np.array(ema(values, slow))
    signal = ema(list(line), window)
    return [{"macd": m, "signal": s, "histogram": m - s} for m, s in zip(line, signal, strict=True)]


def kama(values: list[float], case: Case) -> list[float]:
    n, fast, slow = case["window"], 2 / (case.get("fast", 2) + 1), 2 / (case.get("slow", 30) + 1)
    out, mean = [], NONE
    for i, x in enumerate(values):
        if i >= n:
            mean = values[n - 1] if i == n else mean
            way = sum(abs(values[j] - values[j - 1]) for j in range(i - n + 1, i + 1))
            efficiency = abs(x - values[i - n]) / way if way else 1.0
            mean += (efficiency * (fast - slow) + slow) ** 2 * (x - mean)
        out.append(mean)
    return out


def gains_and_losses(values: list[float], window: int) -> Iterator[tuple[float, float]]:
    changes = [NONE, *np.diff(values)][: len(values)]
    gains = rma([max(c, 0.0) if c == c else NONE for c in changes], window)
    losses = rma([max(-c, 0.0) if c == c else NONE for c in changes], window)
    return zip(gains, losses, strict=True)


def rsi(values: list[float], case: Case) -> list[float]:
    pairs = gains_and_losses(values, case.get("window", 14))
    return [100 * up / (up + down) if up + down != 0 else 50.0 for up, down in pairs]


def cmo(values: list[float], case: Case) -> list[float]:
    pairs = gains_and_losses(values, case.get("window", 14))
    return [100 * (up - down) / (up + down) if up + down != 0 else 0.0 for up, down in pairs]


def true_range(rows: list[Any], _: Case) -> list[float]:
    out = [NONE]
    for (_, _, before), (high, low, _) in pairwise(rows):
        out.append(max(high - low, abs(high - before), abs(low - before)))
    return out[: len(rows)]


def atr(rows: list[Any], case: Case) -> list[float]:
    return rma(true_range(rows, case), case.get("window", 14))


def sar(rows: list[Any], case: Case) -> list[float]:
    """The stop of each row's trend; `turned` says whether the row has reached it."""
    most = case.get("maximum", 0.2)
    least = min(case.get("acceleration", 0.02), most)
    out = [NONE]
    if len(rows) > 1:
        (high, low), second = rows[:2]
        up = not max(0.0, second[0] - high) < low - second[1]
        stop, extreme, factor = (low, second[0], least) if up else (high, second[1], least)
        last = second
        for row in rows[1:]:
            turned = row[1] <= stop if up else row[0] >= stop
            if turned:
                up, now, factor = not up, extreme, least
                now = min(now, last[1], row[1]) if up else max(now, last[0], row[0])
                extreme = stop = row[0] if up else row[1]
            else:
                now = stop
                if row[0] > extreme if up else row[1] < extreme:
                    extreme, factor = (row[0] if up else row[1]), min(factor + least, most)
            out.append(now)
            stop = now + factor * (extreme - now)
            stop = min(stop, last[1], row[1]) if up else max(stop, last[0], row[0])
            last = row
    return out[: len(rows)]


def directional_movement(rows: list[Any], case: Case) -> list[dict[str, float]]:
    n = case.get("window", 14)
    ranges = true_range(rows, case)
    plus = minus = span = 0.0
    dx, indices, averages, out = 0.0, [], [], []
    for i, (high, low, _) in enumerate(rows):
        names = ("plus_dm", "minus_dm", "plus_di", "minus_di", "dx", "adx", "adxr")
        row = dict.fromkeys(names, NONE)
        if i > 0:
            up, down = high - rows[i - 1][0], rows[i - 1][1] - low
            moved = (up if up > max(down, 0) else 0.0, down if down > max(up, 0) else 0.0, ranges[i])
            keep = 1.0 if i < n else 1 - 1 / n
            plus, minus, span = (keep * s + x for s, x in zip((plus, minus, span), moved, strict=True))
        if i >= n - 1:
            row["plus_dm"], row["minus_dm"] = plus, minus
        if i >= n:
            row["plus_di"] = 100 * plus / span if span else 0.0
            row["minus_di"] = 100 * minus / span if span else 0.0
            total = row["plus_di"] + row["minus_di"]
            if total:
                dx = 100 * abs(row["plus_di"] - row["minus_di"]) / total
            row["dx"] = dx
            indices.append(dx if total else 0.0)
            if len(indices) == n:
                averages.append(sum(indices) / n)
            elif len(indices) > n:
                averages.append(averages[-1] + (dx - averages[-1]) / n if total else averages[-1])
            if averages:
                row["adx"] = averages[-1]
            if len(averages) >= n:
                row["adxr"] = (averages[-1] + averages[-n]) / 2
        out.append(row)
    return out


def over_gaps(fields: tuple[str, ...], rows: Callable[[Iterator[float], Case], Iterator[Row]]) -> Compute:
    """A loop that sees the null rows too, as NaN."""

    def compute(frame: pd.DataFrame, case: Case) -> dict[str, Any]:
        found = list(rows((float(x) for x in frame[case["column"]].to_numpy(dtype="f8")), case))
        return {field: np.array([row[i] for row in found], dtype="f8") for i, field in enumerate(fields)}  # type: ignore[index]

    return compute


def holt(values: Iterator[float], case: Case) -> Iterator[Any]:
    alpha, beta, phi = case["alpha"], case["beta"], case.get("damping", 1.0)
    level, trend = case.get("initial_level", NONE), case.get("initial_trend", NONE)
    for x in values:
        ahead = level + phi * trend
        if np.isnan(ahead):
            if not np.isnan(x):
                level, trend = x, x - level
        elif np.isnan(x):
            level, trend = ahead, phi * trend
        else:
            last, level = level, alpha * x + (1 - alpha) * ahead
            trend = beta * (level - last) + (1 - beta) * phi * trend
        yield level, trend, level + phi * trend


def holt_winters(values: Iterator[float], case: Case) -> Iterator[Any]:
    m, alpha, beta, gamma = (case[name] for name in ("period", "alpha", "beta", "gamma"))
    factors = case.get("seasonal", "additive") == "multiplicative"
    seed: list[float] = []
    seasons: list[float] = []
    level = trend = NONE
    for value in values:
        if len(seed) < 2 * m:
            if not np.isnan(value):
                seed.append(value)
            if len(seed) < 2 * m:
                yield (NONE,) * 4
                continue
            if not seasons:
                level = sum(seed[:m]) / m
                trend = (sum(seed[m:]) / m - level) / m
                seasons = [x / level if factors else x - level for x in seed[:m]]
                rows = seed
        else:
            rows = [value]
        for x in rows:
            season, ahead = seasons[-m], level + trend
            if np.isnan(x):
                level = ahead
                seasons.append(season)
                continue
            last, level = level, alpha * (x / season if factors else x - season) + (1 - alpha) * ahead
            trend = beta * (level - last) + (1 - beta) * trend
            seasons.append(gamma * (x / ahead if factors else x - ahead) + (1 - gamma) * season)
        ahead = level + trend
        yield level, trend, seasons[-1], ahead * seasons[-m] if factors else ahead + seasons[-m]


def kalman(values: Iterator[float], case: Case) -> Iterator[Any]:
    q, r = case["state_noise"], case["measurement_noise"]
    level, prior = case.get("initial", NONE), case.get("initial_variance", NONE)
    for x in values:
        if np.isnan(level):
            gain = 1.0 if not np.isnan(x) else NONE
            level, variance = x, r if not np.isnan(x) else NONE
        else:
            gain = prior / (prior + r) if not np.isnan(x) else 0.0
            level = gain * x + (1 - gain) * level if gain else level
            variance = (1 - gain) * prior
        prior = variance + q
        yield level, variance, gain


def lfilter(values: list[float], case: Case) -> list[float]:
    if not values:
        return []
    order = max(len(case["b"]), len(case["a"])) - 1
    return list(scipy.signal.lfilter(case["b"], case["a"], values, zi=case.get("zi", [0.0] * order))[0])


def of_window(*windows: int, **more: Any) -> list[Case]:
    cases = [{"column": "x", "window": window} for window in windows]
    return [*cases, {"column": "i", "window": 4}, {"column": "f", "window": 5}, {"column": "y", "window": 3} | more]


PRICES: Case = {"high": "high", "low": "low", "close": "y"}
BANDS: list[Case] = [PRICES | {"window": 3}, PRICES, {"high": "x", "low": "a", "close": "f", "window": 5}]
VALUE = ("column",)
BARS = ("high", "low", "close")
SMOOTHED = ("level", "trend", "forecast")
SEASONAL: Case = {"column": "x", "period": 4, "alpha": 0.5, "beta": 0.25, "gamma": 0.125}
BUTTER_B, BUTTER_A = ([float(x) for x in part] for part in scipy.signal.butter(2, 0.25))

BENCH: Case = {"high": "high", "low": "low", "close": "x"}
ORACLES: dict[str, Oracle] = {
    "ema": Oracle(of_window(1, 3, 20), held(VALUE, lambda values, case: ema(values, case["window"])), tolerance=1e-11),
    "wilder": Oracle(
        of_window(1, 3, 20), held(VALUE, lambda values, case: rma(values, case["window"])), tolerance=1e-11
    ),
    "dema": Oracle(of_window(1, 3, 20), held(VALUE, dema), tolerance=1e-11),
    "tema": Oracle(of_window(1, 3, 20), held(VALUE, tema), tolerance=1e-11),
    "t3": Oracle(of_window(1, 3, 10, volume_factor=0.3), held(VALUE, t3), tolerance=1e-10),
    "trix": Oracle([{"column": "x", "window": n} for n in (1, 3, 15)], held(VALUE, trix), tolerance=1e-10),
    "macd": Oracle(
        [{"column": "x"}, {"column": "x", "fast": 3, "slow": 5, "signal": 2}, {"column": "f", "fast": 1, "signal": 1}],
        held(VALUE, macd),
        tolerance=1e-11,
    ),
    "kama": Oracle(of_window(1, 3, 10, fast=3, slow=12), held(VALUE, kama), tolerance=1e-10),
    "rsi": Oracle([{"column": "x"}, *of_window(1, 3)], held(VALUE, rsi), tolerance=1e-10),
    "cmo": Oracle([{"column": "x"}, *of_window(1, 3)], held(VALUE, cmo), tolerance=1e-10),
    "true_range": Oracle(
        [PRICES, {"high": "x", "low": "a", "close": "i"}], held(BARS, true_range), tolerance=1e-14, bench=BENCH
    ),
    "atr": Oracle([*BANDS, PRICES | {"window": 1}], held(BARS, atr), tolerance=1e-11, bench=BENCH | {"window": 14}),
    "sar": Oracle(
        [
            {"high": "high", "low": "low"},
            {"high": "high", "low": "low", "acceleration": 0.1, "maximum": 0.25},
            {"high": "x", "low": "a", "acceleration": 0.5},
            {"high": "i", "low": "f", "maximum": 0.0},
        ],
        held(("high", "low"), sar),
        tolerance=1e-13,
    ),
    "directional_movement": Oracle(
        BANDS, held(BARS, directional_movement), tolerance=1e-10, bench=BENCH | {"window": 14}
    ),
    "holt": Oracle(
        [
            {"column": "x", "alpha": 0.5, "beta": 0.25},
            {"column": "x", "alpha": 0.2, "beta": 0.1, "damping": 0.9},
            {"column": "i", "alpha": 1.0, "beta": 0.0, "initial_level": 1.0, "initial_trend": 0.5},
            {"column": "f", "alpha": 0.3, "beta": 1.0},
        ],
        over_gaps(SMOOTHED, holt),
        tolerance=1e-10,
    ),
    "holt_winters": Oracle(
        [SEASONAL, SEASONAL | {"seasonal": "multiplicative"}, SEASONAL | {"column": "f", "period": 7, "gamma": 0.0}],
        over_gaps(("level", "trend", "season", "forecast"), holt_winters),
        tolerance=1e-9,
    ),
    "kalman": Oracle(
        [
            {"column": "x", "state_noise": 0.5, "measurement_noise": 1.0},
            {"column": "y", "state_noise": 0.0, "measurement_noise": 2.0},
            {"column": "f", "state_noise": 0.1, "measurement_noise": 3, "initial": 0.0, "initial_variance": 1.0},
        ],
        over_gaps(("level", "variance", "gain"), kalman),
        tolerance=1e-11,
    ),
    "lfilter": Oracle(
        [
            {"column": "x", "b": [0.5], "a": [1.0, -0.5], "zi": [0.5]},
            {"column": "x", "b": BUTTER_B, "a": BUTTER_A},
            {"column": "f", "b": [1.0, -1.0], "a": [2.0]},
            {"column": "i", "b": [1.0], "a": [1.0]},
        ],
        held(VALUE, lfilter),
        tolerance=1e-12,
    ),
}
