"""What peers lack, written by hand: numba loops as a skilled user writes them, numpy expressions, two yardsticks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numba import njit

from inputs import Array, Inputs

SLICE = 100_000


@njit()
def _clip_loop(x: Array, key: Array, keys: int, lower: float, upper: float) -> Array:
    total = np.zeros(keys)
    out = np.empty(len(x))
    for i in range(len(x)):
        value = min(max(total[key[i]] + x[i], lower), upper)
        total[key[i]] = value
        out[i] = value
    return out


@njit()
def _clip_alone(x: Array, lower: float, upper: float) -> Array:
    total = 0.0
    out = np.empty(len(x))
    for i in range(len(x)):
        total = min(max(total + x[i], lower), upper)
        out[i] = total
    return out


@njit()
def _affine_loop(a: Array, b: Array, key: Array, keys: int) -> Array:
    y = np.zeros(keys)
    out = np.empty(len(a))
    for i in range(len(a)):
        value = a[i] * y[key[i]] + b[i]
        y[key[i]] = value
        out[i] = value
    return out


@njit()
def _affine_alone(a: Array, b: Array) -> Array:
    y = 0.0
    out = np.empty(len(a))
    for i in range(len(a)):
        y = a[i] * y + b[i]
        out[i] = y
    return out


@njit()
def _session_loop(time: Array, key: Array, keys: int, gap: int) -> Array:
    last = np.full(keys, np.iinfo(np.int64).max)
    session = np.zeros(keys, dtype=np.int64)
    out = np.empty(len(time), dtype=np.int64)
    for i in range(len(time)):
        k = key[i]
        # The first row of a key has no row before it.
        if last[k] != np.iinfo(np.int64).max and time[i] - last[k] > gap:
            session[k] += 1
        last[k] = time[i]
        out[i] = session[k]
    return out


@njit()
def _session_alone(time: Array, gap: int) -> Array:
    session = 0
    out = np.empty(len(time), dtype=np.int64)
    for i in range(len(time)):
        if i > 0 and time[i] - time[i - 1] > gap:
            session += 1
        out[i] = session
    return out


def numba_loop(kernel: str, case: dict[str, Any], data: Inputs) -> Callable[[], Array] | None:
    """The kernel as a loop; with keys, telling them apart (pandas' factorize) is part of the work."""
    arrays = data.arrays

    def codes() -> tuple[Array, int]:
        found, names = pd.factorize(data.pandas["key"])
        return found, len(names)

    if kernel == "cumsum_clip":
        x, lower, upper = arrays[case["column"]], case["lower"], case["upper"]
        if data.keyed:
            return lambda: _clip_loop(x, *codes(), lower, upper)
        return lambda: _clip_alone(x, lower, upper)
    if kernel == "affine_scan":
        a, b = arrays[case["a"]], arrays[case["b"]]
        return (lambda: _affine_loop(a, b, *codes())) if data.keyed else (lambda: _affine_alone(a, b))
    if kernel == "session_id":
        time, gap = arrays[case["time"]].view("i8"), pd.Timedelta(case["gap"]).value // 1000
        return (lambda: _session_loop(time, *codes(), gap)) if data.keyed else (lambda: _session_alone(time, gap))
    return None


def numpy_form(kernel: str, case: dict[str, Any], arrays: dict[str, Array]) -> Callable[[], Array] | None:
    """The kernel as an expression of numpy."""
    if kernel == "expanding_mean":
        x = arrays[case["column"]]
        return lambda: np.cumsum(x) / np.arange(1, len(x) + 1)
    if kernel == "expanding_max":
        return lambda: np.maximum.accumulate(arrays[case["column"]])
    if kernel == "risk_score":
        weight, notional = arrays[case["weight"]], arrays[case["notional"]]
        return lambda: weight * sum(arrays[name] for name in case["factors"]) / notional
    if kernel == "row_dot":
        terms = list(zip(case["columns"], case["weights"], strict=True))
        return lambda: sum(arrays[name] * weight for name, weight in terms)
    return None


@dataclass(frozen=True, slots=True)
class Position:
    """A row as an object, for the loop that hypostyle's row functions replace."""

    weight: float
    notional: float
    factors: list[float]


def python_loop(kernel: str, case: dict[str, Any], arrays: dict[str, Array]) -> Callable[[], list[float]]:
    """The row function as a plain loop over objects, of the first `SLICE` rows."""
    if kernel == "risk_score":
        columns = [arrays[name][:SLICE].tolist() for name in (case["weight"], case["notional"], *case["factors"])]
        objects = [Position(weight, notional, list(rest)) for weight, notional, *rest in zip(*columns, strict=True)]
        return lambda: [sum(row.weight * factor for factor in row.factors) / row.notional for row in objects]
    columns = [arrays[name][:SLICE].tolist() for name in case["columns"]]
    rows = [Position(1.0, 1.0, list(row)) for row in zip(*columns, strict=True)]
    weights = case["weights"]
    return lambda: [sum(x * w for x, w in zip(row.factors, weights, strict=True)) for row in rows]


def memory_copy(kernel: str, case: dict[str, Any], arrays: dict[str, Array]) -> Callable[[], None]:
    """A copy of every column that the row function reads, and of one more for its output, into memory in use."""
    names = [case["weight"], case["notional"], *case["factors"]] if kernel == "risk_score" else case["columns"]
    sources = [arrays[name] for name in (*names, "x")]
    targets = [source.copy() for source in sources]

    def copy() -> None:
        for target, source in zip(targets, sources, strict=True):
            np.copyto(target, source)

    return copy
