"""Who else computes shifts, differences, returns and cumulative statistics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pandas as pd
import polars as pl

from oracle import Oracle
from reference import Case, duration

Other = Callable[[Any, Any], Any]


def neighbor(of: Other) -> Callable[[pd.DataFrame, Case], Any]:
    """A function of the column and of the column of the other rows' values."""

    def compute(frame: pd.DataFrame, case: Case) -> Any:
        values = frame[case["column"]].astype("f8")
        if "by" in case:
            times = frame[case["by"]]
            # The last row at or before the time: -1 if there is none.
            at = np.searchsorted(times.to_numpy(), (times - duration(case["n"])).to_numpy(), side="right") - 1
            other = pd.Series(np.where(at >= 0, values.to_numpy()[np.maximum(at, 0)], np.nan))
        else:
            other = cast("pd.Series", values.shift(case.get("n", 1)))
        with np.errstate(all="ignore"):
            return np.asarray(of(values, other), dtype="f8")

    return compute


def cumulative(method: str) -> Callable[[pd.DataFrame, Case], Any]:
    """The value so far, also on null rows."""

    def compute(frame: pd.DataFrame, case: Case) -> Any:
        values = frame[case["column"]].astype("f8")
        least = case.get("min_samples", 0 if method == "count" else 1)
        return getattr(values.expanding(min_periods=least), method)().to_numpy()

    return compute


def running_product(frame: pd.DataFrame, case: Case) -> Any:
    return frame[case["column"]].astype("f8").cumprod().ffill().to_numpy()


def polars(method: str) -> Callable[[Case], pl.Expr]:
    return lambda case: getattr(pl.col(case["column"]), method)(case.get("n", 1))


def polars_cumulative(method: str) -> Callable[[Case], pl.Expr]:
    return lambda case: getattr(pl.col(case["column"]), method)()


CASES: list[Case] = [
    {"column": "x"},
    {"column": "x", "n": 3},
    {"column": "i", "n": 2},
    {"column": "f"},
    {"column": "x", "n": 0},
    {"column": "x", "n": 700},
    {"column": "x", "n": "5m", "by": "ts"},
    {"column": "i", "n": "1m", "by": "ts"},
]
SO_FAR: list[Case] = [{"column": "x"}, {"column": "i"}, {"column": "f"}, {"column": "x", "min_samples": 4}]

ORACLES: dict[str, Oracle] = {
    "shift": Oracle(CASES, neighbor(lambda _, other: other), polars("shift")),
    "diff": Oracle(CASES, neighbor(lambda own, other: own - other), polars("diff")),
    "pct_change": Oracle(
        CASES, neighbor(lambda own, other: (own - other) / other), polars("pct_change"), tolerance=1e-14
    ),
    "log_return": Oracle(
        CASES,
        neighbor(lambda own, other: np.log(own / other)),
        lambda case: (pl.col(case["column"]) / pl.col(case["column"]).shift(case.get("n", 1))).log(),
        tolerance=1e-12,
        bench={"column": "z"},
    ),
    "cum_sum": Oracle(SO_FAR, cumulative("sum"), polars_cumulative("cum_sum"), tolerance=1e-12),
    "cum_prod": Oracle(
        [{"column": "a"}, {"column": "i"}, {"column": "f"}],
        running_product,
        polars_cumulative("cum_prod"),
        tolerance=1e-9,
        bench={"column": "x"},
    ),
    "cum_min": Oracle(SO_FAR, cumulative("min"), polars_cumulative("cum_min")),
    "cum_max": Oracle(SO_FAR, cumulative("max"), polars_cumulative("cum_max")),
    "cum_count": Oracle(SO_FAR[:3], cumulative("count"), polars_cumulative("cum_count")),
    "cum_mean": Oracle(SO_FAR, cumulative("mean"), tolerance=1e-12),
}
