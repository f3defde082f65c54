"""Oracles of the kernels for events and running sums that start over: each computed by its definition, in a loop.

See `oracles.py` for the table.  A null is NaN here, and `NONE` is a result that is null.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from oracle import Oracle

Case = dict[str, Any]
NONE = float("nan")


def values(frame: pd.DataFrame, given: float | str) -> np.ndarray:
    """A column as floats, or a number for every row."""
    return frame[given].to_numpy(dtype="f8") if isinstance(given, str) else np.full(len(frame), float(given))


def microseconds(frame: pd.DataFrame, column: str) -> np.ndarray:
    return frame[column].to_numpy().astype("M8[us]").astype("i8")


def duration(text: str) -> float:
    """The microseconds of a duration with one unit."""
    units = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
    digits = text.rstrip("usmhd")
    return int(digits) * units[text[len(digits) :]]


def rows(frame: pd.DataFrame, case: Case, *names: str, **defaults: float) -> Iterator[tuple[float, ...] | None]:
    """The rows of some parameters; None for a row with a null."""
    columns = [values(frame, case.get(name, defaults.get(name, NONE))) for name in names]
    for row in zip(*columns, strict=True):
        yield None if any(np.isnan(x) for x in row) else tuple(float(x) for x in row)


def fields(names: tuple[str, ...], results: Sequence[tuple[float, ...] | None]) -> dict[str, np.ndarray]:
    """One column per field; a row without a result is null in all."""
    whole = [result or (NONE,) * len(names) for result in results]
    return {name: np.array([row[at] for row in whole], dtype="f8") for at, name in enumerate(names)}


# --- running sums ---


def cumsum_reset(frame: pd.DataFrame, case: Case) -> np.ndarray:
    flags = values(frame, case["reset"]) == 1.0 if "reset" in case else np.zeros(len(frame), bool)
    threshold = case.get("threshold")
    total, last, out = 0.0, NONE, []
    for x, flag in zip(values(frame, case["column"]), flags, strict=True):
        null = bool(np.isnan(x))
        if flag or (null and case.get("on_null") == "reset"):
            total = last = 0.0
        if not null:
            total = last = total + float(x)
            if threshold is not None and total >= threshold:
                total = total % threshold if case.get("keep_remainder") else 0.0
        out.append(last)
    return np.array(out, dtype="f8")


def bucket_by_sum(frame: pd.DataFrame, case: Case) -> np.ndarray:
    total, bar, last, out = 0.0, 0, NONE, []
    for row in rows(frame, case, "column"):
        if row is not None:
            total, last = total + abs(row[0]), float(bar)
            if total >= case["size"]:
                bar += 1
                total = total % case["size"] if case.get("carry") else 0.0
        out.append(last)
    return np.array(out, dtype="f8")


def drawdown(frame: pd.DataFrame, case: Case) -> dict[str, np.ndarray]:
    x = pd.Series(values(frame, case["column"])).dropna()
    peak = x.cummax()
    down = (x / peak - 1).where(x != peak, 0.0)
    number = pd.Series(np.arange(len(x), dtype="f8"), index=x.index)
    under = number - number.where(x == peak).ffill()
    columns = {"drawdown": down, "worst": down.cummin(), "rows": under, "peak": peak}
    return {name: column.reindex(range(len(frame))).ffill().to_numpy() for name, column in columns.items()}


# --- detectors ---


def latch(frame: pd.DataFrame, case: Case) -> np.ndarray:
    on, last, out = bool(case.get("initial", False)), NONE, []
    for row in rows(frame, case, "column", "on", "off"):
        if row is not None:
            x, above, below = row
            on = x >= above or (on and x > below)
            last = float(on)
        out.append(last)
    return np.array(out, dtype="f8")


def streak(frame: pd.DataFrame, case: Case) -> np.ndarray:
    x = pd.Series(values(frame, case["column"])).dropna()
    run = (x != x.shift()).cumsum()
    if "by" in case:
        times = pd.Series(microseconds(frame, case["by"]).astype("f8"))
        first = times[x.index].groupby(run).transform("first")
        found = times - first.reindex(range(len(frame))).ffill()
    else:
        found = (x.groupby(run).cumcount() + 1.0).reindex(range(len(frame))).ffill()
    return found.cummax().to_numpy() if case.get("longest") else found.to_numpy()


def since(frame: pd.DataFrame, case: Case, happened: np.ndarray) -> np.ndarray:
    """Rows or microseconds since the last row where something happened."""
    places = microseconds(frame, case["by"]) if "by" in case else np.arange(len(frame))
    last = pd.Series(np.where(happened, places.astype("f8"), np.nan)).ffill().to_numpy()
    return places - last


def since_true(frame: pd.DataFrame, case: Case) -> np.ndarray:
    return since(frame, case, values(frame, case["flag"]) == 1.0)


def age(frame: pd.DataFrame, case: Case) -> np.ndarray:
    return since(frame, case, frame[case["column"]].notna().to_numpy())


def min_spacing(frame: pd.DataFrame, case: Case) -> np.ndarray:
    kept, out = None, []
    for time in microseconds(frame, case["time"]):
        keep = kept is None or time - kept >= duration(case["gap"])
        kept = time if keep else kept
        out.append(float(keep))
    return np.array(out, dtype="f8")


def cusum(frame: pd.DataFrame, case: Case) -> dict[str, np.ndarray]:
    high = low = 0.0
    last, out = None, []
    for row in rows(frame, case, "column", "target", target=0.0):
        if row is not None:
            x, target = row
            high = max(0.0, high + x - target - case["drift"])
            low = max(0.0, low - x + target - case["drift"])
            hit = high > case["threshold"] or low > case["threshold"]
            last = (high, low, float(hit))
            if hit and case.get("reset", True):
                high = low = 0.0
        out.append(last)
    return fields(("high", "low", "hit"), out)


def page_hinkley(frame: pd.DataFrame, case: Case) -> dict[str, np.ndarray]:
    delta, threshold, alpha = case.get("delta", 0.005), case.get("threshold", 50.0), case.get("alpha", 0.9999)
    history: list[float] = []
    last, out = None, []
    for row in rows(frame, case, "column"):
        if row is not None:
            history.append(row[0])
            up = down = 0.0
            ups, downs = [], []
            mean = 0.0
            for count, x in enumerate(history, 1):
                mean += (x - mean) / count
                up = alpha * up + (x - mean) - delta
                down = alpha * down + (x - mean) + delta
                ups.append(up)
                downs.append(down)
            tests = {"up": up - min(ups), "down": max(downs) - down}
            mode = case.get("mode", "both")
            statistic = max(tests.values()) if mode == "both" else tests[mode]
            hit = len(history) >= case.get("min_samples", 30) and statistic > threshold
            last = (statistic, float(hit))
            if hit:
                history = []
        out.append(last)
    return fields(("statistic", "hit"), out)


def zigzag(frame: pd.DataFrame, case: Case) -> dict[str, np.ndarray]:
    leg: list[float] = []
    direction, pivot, last, out = 0.0, NONE, None, []
    for row in rows(frame, case, "column"):
        if row is not None:
            (x,) = row
            leg.append(x)
            high, low = max(leg), min(leg)
            if direction >= 0 and high > x and high - x >= case["threshold"] * abs(high):
                direction, pivot, leg = -1.0, high, [x]
            elif direction <= 0 and x > low and x - low >= case["threshold"] * abs(low):
                direction, pivot, leg = 1.0, low, [x]
            last = (direction, pivot)
        out.append(last)
    return fields(("direction", "pivot"), out)


def state_machine(frame: pd.DataFrame, case: Case) -> np.ndarray:
    state: int = case.get("start", 0)
    last, out = NONE, []
    for row in rows(frame, case, "column"):
        if row is not None:
            following = {float(event): after for event, after in enumerate(case["transitions"][state])}
            state = following.get(row[0], state)
            last = float(state)
        out.append(last)
    return np.array(out, dtype="f8")


def token_bucket(frame: pd.DataFrame, case: Case) -> np.ndarray:
    unit, times = duration(case.get("unit", "1s")), microseconds(frame, case["time"])
    tokens, then, last, out = float(case["capacity"]), None, NONE, []
    for time, row in zip(times, rows(frame, case, "cost", cost=1.0), strict=True):
        if row is not None:
            if then is not None:
                tokens = min(case["capacity"], tokens + case["rate"] * float(time - then) / unit)
            last = float(tokens >= row[0])
            tokens, then = tokens - row[0] * last, time
        out.append(last)
    return np.array(out, dtype="f8")


# --- counters, and values that hold over time ---


def grown(last: float, x: float, wrap: float | None) -> float:
    if x >= last:
        return x - last
    return x if wrap is None else x + wrap - last


def counter_increase(frame: pd.DataFrame, case: Case) -> np.ndarray:
    before, total, out = None, NONE, []
    for row in rows(frame, case, "column"):
        if row is not None:
            total = 0.0 if before is None else total + grown(before, row[0], case.get("wrap"))
            (before,) = row
        out.append(total)
    return np.array(out, dtype="f8")


def rate(frame: pd.DataFrame, case: Case, change: Any) -> np.ndarray:
    unit, times = duration(case.get("unit", "1s")), microseconds(frame, case["by"])
    before, last, out = None, NONE, []
    for time, row in zip(times, rows(frame, case, "column"), strict=True):
        if row is not None:
            if before is not None:
                with np.errstate(all="ignore"):
                    last = float(np.float64(change(before[0], row[0])) / (float(time - before[1]) / unit))
            before = (row[0], time)
        out.append(last)
    return np.array(out, dtype="f8")


def derivative(frame: pd.DataFrame, case: Case) -> np.ndarray:
    return rate(frame, case, lambda last, x: x - last)


def counter_rate(frame: pd.DataFrame, case: Case) -> np.ndarray:
    return rate(frame, case, lambda last, x: grown(last, x, case.get("wrap")))


def areas(frame: pd.DataFrame, case: Case) -> Iterator[tuple[float, float, float] | None]:
    """The integral in microseconds, the time that it covers, and the last value; None before the first."""
    before, start, area, last = None, 0, 0.0, None
    for time, row in zip(microseconds(frame, case["by"]), rows(frame, case, "column"), strict=True):
        if row is not None:
            (x,) = row
            if before is None:
                start = time
            elif time > before[1]:
                height = before[0] if case.get("method") == "step" else (before[0] + x) / 2
                area += height * float(time - before[1])
            before = (x, time)
            last = (area, float(time - start), x)
        yield last


def integral(frame: pd.DataFrame, case: Case) -> np.ndarray:
    unit = duration(case.get("unit", "1s"))
    return np.array([NONE if area is None else area[0] / unit for area in areas(frame, case)], dtype="f8")


def time_weighted_mean(frame: pd.DataFrame, case: Case) -> np.ndarray:
    def mean(area: tuple[float, float, float] | None) -> float:
        if area is None:
            return NONE
        whole, elapsed, last = area
        return whole / elapsed if elapsed else last

    return np.array([mean(area) for area in areas(frame, case)], dtype="f8")


def ffill(frame: pd.DataFrame, case: Case) -> np.ndarray:
    x = pd.Series(values(frame, case["column"]))
    filled = x.ffill(limit=case.get("limit")).to_numpy()
    if "within" in case:
        old = since(frame, {"by": case["by"]}, x.notna().to_numpy()) > duration(case["within"])
        filled = np.where(old, np.nan, filled)
    return filled


def bfill(frame: pd.DataFrame, case: Case) -> np.ndarray:
    x = pd.Series(values(frame, case["column"]))
    filled = x.bfill(limit=case.get("limit")).to_numpy()
    if "within" in case:
        after = frame[case["by"]].where(x.notna().to_numpy()).bfill()
        far = (after - frame[case["by"]]).to_numpy() > duration(case["within"])
        filled = np.where(far, np.nan, filled)
    return filled


def interpolate(frame: pd.DataFrame, case: Case) -> np.ndarray:
    x = pd.Series(values(frame, case["column"]))
    places = pd.Series(frame[case["by"]].astype("int64") if "by" in case else np.arange(len(frame)), dtype="f8")
    known = x.notna()
    before, after = places.where(known).ffill(), places.where(known).bfill()
    gone = before.isna() | after.isna()
    if "limit" in case:
        gone = gone | ((~known).groupby(known.cumsum()).cumsum() > case["limit"])
    if "max_gap" in case:
        longest = case["max_gap"] if "by" not in case else pd.Timedelta(case["max_gap"]) / frame_unit(frame, case)
        gone = gone | (after - before > longest)
    # At the time of an earlier value that value holds.
    fraction = ((places - before) / (after - before)).where(places > before, 0.0)
    line = x.ffill() + (x.bfill() - x.ffill()) * fraction
    return np.where(known, x, np.where(gone, np.nan, line))


def frame_unit(frame: pd.DataFrame, case: Case) -> pd.Timedelta:
    """Return a step of the time column."""
    return pd.Timedelta(1, unit=frame[case["by"]].dt.unit)


def inventory(frame: pd.DataFrame, case: Case) -> dict[str, np.ndarray]:
    method = case.get("method", "fifo")
    lots: list[Any] = []
    realized, last, out = 0.0, None, []
    for row in rows(frame, case, "quantity", "price"):
        if row is not None:
            left, price = row
            while left and lots and (lots[0][0] > 0) != (left > 0):
                at = -1 if method == "lifo" else 0
                held, paid = lots[at]
                closed = held if abs(held) <= abs(left) else -left
                realized += closed * (price - paid)
                left += closed
                lots[at] = (held - closed, paid)
                if lots[at][0] == 0:
                    lots.pop(at)
            if left:
                lots.append((left, price))
            if method == "average" and len(lots) > 1:
                held = sum(quantity for quantity, _ in lots)
                lots = [(held, sum(quantity * paid for quantity, paid in lots) / held)]
            cost = sum(quantity * paid for quantity, paid in lots)
            last = (float(sum(quantity for quantity, _ in lots)), float(cost), realized)
        out.append(last)
    return fields(("quantity", "cost", "realized"), out)


CARRIED: list[Case] = [
    {"column": "x"},
    {"column": "x", "limit": 1},
    {"column": "y", "within": "4m", "by": "ts"},
    {"column": "i", "limit": 2, "within": "7m", "by": "ts"},
    {"column": "f", "limit": 1},
    {"column": "b"},
]

ORACLES: dict[str, Oracle] = {
    "cumsum_reset": Oracle(
        [
            {"column": "x", "threshold": 250},
            {"column": "x", "threshold": 70, "keep_remainder": True},
            {"column": "x", "reset": "b"},
            {"column": "y", "reset": "b", "threshold": 2, "on_null": "reset"},
            {"column": "i", "on_null": "reset"},
            {"column": "f", "threshold": 1.5},
        ],
        cumsum_reset,
    ),
    "bucket_by_sum": Oracle(
        [
            {"column": "x", "size": 1000},
            {"column": "x", "size": 70, "carry": True},
            {"column": "y", "size": 3.5, "carry": True},
            {"column": "i", "size": 20},
        ],
        bucket_by_sum,
    ),
    "drawdown": Oracle([{"column": "x"}, {"column": "high"}, {"column": "f"}], drawdown, tolerance=1e-14),
    "latch": Oracle(
        [
            {"column": "x", "on": 105.0, "off": 95.0},
            {"column": "y", "on": 0.5, "off": -0.5, "initial": True},
            {"column": "y", "on": "a", "off": "low"},
            {"column": "i", "on": "high", "off": 0},
        ],
        latch,
    ),
    "streak": Oracle(
        [
            {"column": "i"},
            {"column": "b"},
            {"column": "x"},
            {"column": "b", "longest": True},
            {"column": "b", "by": "ts"},
            {"column": "i", "by": "ts", "longest": True},
        ],
        streak,
        bench={"column": "b"},
    ),
    "since_true": Oracle([{"flag": "b"}, {"flag": "b", "by": "ts"}], since_true),
    "min_spacing": Oracle([{"time": "ts", "gap": "10m"}, {"time": "ts", "gap": "1m"}], min_spacing),
    "counter_increase": Oracle(
        [{"column": "x"}, {"column": "a", "wrap": 1.0}, {"column": "i"}, {"column": "f"}], counter_increase
    ),
    "counter_rate": Oracle(
        [
            {"column": "x", "by": "ts"},
            {"column": "a", "by": "ts", "unit": "1m", "wrap": 1.0},
            {"column": "i", "by": "ts", "unit": "1h"},
        ],
        counter_rate,
    ),
    "cusum": Oracle(
        [
            {"column": "x", "drift": 2.0, "threshold": 25.0, "target": 100.0},
            {"column": "y", "drift": 0.25, "threshold": 3.0},
            {"column": "y", "drift": 0.0, "threshold": 3.0, "target": "a", "reset": False},
            {"column": "f", "drift": 0.5, "threshold": 4.0},
        ],
        cusum,
    ),
    "page_hinkley": Oracle(
        [
            {"column": "x"},
            {"column": "y", "min_samples": 5, "delta": 0.1, "threshold": 3.0},
            {"column": "y", "min_samples": 5, "threshold": 2.0, "alpha": 0.9, "mode": "up"},
            {"column": "i", "min_samples": 10, "threshold": 10.0, "alpha": 1.0, "mode": "down"},
        ],
        page_hinkley,
    ),
    "zigzag": Oracle(
        [{"column": "x", "threshold": 0.1}, {"column": "high", "threshold": 0.5}, {"column": "a", "threshold": 1.5}],
        zigzag,
    ),
    "state_machine": Oracle(
        [
            {"column": "i", "transitions": [[0, 1, 2, 1], [2, 2, 0, 1], [0, 1, 1, 2]]},
            {"column": "b", "transitions": [[1, 0], [0, 1]], "start": 1},
            {"column": "x", "transitions": [[0]]},
        ],
        state_machine,
        bench={"column": "b", "transitions": [[1, 0], [0, 1]]},
    ),
    "token_bucket": Oracle(
        [
            {"time": "ts", "rate": 1, "capacity": 3, "unit": "5m"},
            {"time": "ts", "rate": 0.01, "capacity": 5.0},
            {"time": "ts", "rate": 1.5, "capacity": 9, "unit": "2m", "cost": "high"},
            {"time": "ts", "rate": 20, "capacity": 200, "unit": "1m", "cost": "x"},
        ],
        token_bucket,
    ),
    "ffill": Oracle(
        CARRIED,
        ffill,
        lambda case: pl.col(case["column"]).forward_fill(case.get("limit")),
    ),
    "bfill": Oracle(
        CARRIED,
        bfill,
        lambda case: pl.col(case["column"]).backward_fill(case.get("limit")),
    ),
    "interpolate": Oracle(
        [
            {"column": "x"},
            {"column": "y", "by": "ts"},
            {"column": "x", "limit": 1, "max_gap": 3},
            {"column": "y", "max_gap": "7m", "by": "ts"},
        ],
        interpolate,
        lambda case: pl.col(case["column"]).interpolate(),
        tolerance=1e-12,
    ),
    "age": Oracle([{"column": "x"}, {"column": "x", "by": "ts"}, {"column": "key"}, {"column": "b"}], age),
    "time_weighted_mean": Oracle(
        [{"column": "x", "by": "ts"}, {"column": "y", "by": "ts", "method": "step"}, {"column": "i", "by": "ts"}],
        time_weighted_mean,
    ),
    "integral": Oracle(
        [
            {"column": "x", "by": "ts"},
            {"column": "y", "by": "ts", "method": "step", "unit": "1h"},
            {"column": "i", "by": "ts", "unit": "30m"},
        ],
        integral,
    ),
    "derivative": Oracle(
        [{"column": "x", "by": "ts"}, {"column": "y", "by": "ts", "unit": "1h"}, {"column": "i", "by": "ts"}],
        derivative,
    ),
    "inventory": Oracle(
        [
            {"quantity": "y", "price": "x"},
            {"quantity": "i", "price": "x", "method": "lifo"},
            {"quantity": "y", "price": "x", "method": "average"},
            {"quantity": "x", "price": "high"},
        ],
        inventory,
        tolerance=1e-9,
    ),
}
