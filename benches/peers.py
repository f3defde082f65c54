"""Who takes part in a row, and how each is run.

Polars, numbagg, bottleneck and duckdb come from the table of oracles, which the parity tests read too.  pandas is
written here once more: the oracle's form takes one key and mends differences of meaning, which would count against it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

import hypostyle as hs
from inputs import Array, Inputs
from loops import numba_loop, numpy_form
from oracles import ORACLES, Case
from table import PAIRS, ROW_FUNCTIONS, Row


@dataclass(frozen=True)
class Peer:
    """One who takes part: what is timed, and how its answer becomes a column of floats in the order of the rows."""

    run: Callable[[], Any]
    values: Callable[[Any], Array] = lambda answer: np.asarray(answer, dtype="f8")
    # Answers where a window isn't full yet too; those rows are not compared.
    partial: bool = False
    # The first run compiles: its time says nothing.
    compiles: bool = False


def peers(row: Row, data: Inputs, chosen: set[str] | None = None) -> dict[str, Peer]:
    """Hypostyle first, then everyone who has the kernel."""
    made = {
        "hypostyle": hypostyle(row, data),
        "polars": polars(row, data),
        "pandas": pandas(row, data),
        "numbagg": over_arrays(ORACLES[row.kernel].numbagg, row, data),
        "bottleneck": over_arrays(ORACLES[row.kernel].bottleneck, row, data),
        "duckdb": duckdb(row, data),
        "numpy": None if data.keyed else plain(numpy_form(row.kernel, row.case, data.arrays)),
        "numba, by hand": plain(numba_loop(row.kernel, row.case, data)),
    }
    return {name: peer for name, peer in made.items() if peer and (chosen is None or name in {*chosen, "hypostyle"})}


def floats(answer: pl.DataFrame) -> Array:
    return answer.to_series().cast(pl.Float64).to_numpy()


def hypostyle(row: Row, data: Inputs) -> Peer:
    over = {"over": "key"} if data.keyed else {}
    expression = getattr(hs, row.kernel)(**row.case, **over)
    return Peer(lambda: data.polars.select(expression), floats)


def polars(row: Row, data: Inputs) -> Peer | None:
    make = ORACLES[row.kernel].polars
    if make is None or (row.kernel in ("rolling_cov", "rolling_corr", "rolling_count") and "by" in row.case):
        return None
    expression = make(row.case)
    if data.keyed:
        expression = expression.over("key")
    return Peer(lambda: data.polars.select(expression), floats)


def over_arrays(compute: Callable[[Any, Case], Any] | None, row: Row, data: Inputs) -> Peer | None:
    if compute is None or data.keyed or isinstance(row.window, str):
        return None
    return Peer(lambda: compute(data.arrays, row.case), compiles=True)


def plain(run: Callable[[], Any] | None) -> Peer | None:
    return None if run is None else Peer(run, compiles=True)


def duckdb(row: Row, data: Inputs) -> Peer | None:
    """SQL's windows, fetched to Arrow with the column that says which row is which."""
    make = ORACLES[row.kernel].duckdb
    if make is None or not (data.keyed or isinstance(row.window, str)):
        return None
    if row.window is None:
        frame = "ORDER BY n ROWS UNBOUNDED PRECEDING"
    elif isinstance(row.window, int):
        frame = f"ORDER BY n ROWS BETWEEN {row.window - 1} PRECEDING AND CURRENT ROW"
    else:
        # Both ends belong to a RANGE; times are whole microseconds, and none occurs twice.
        reach = pd.Timedelta(row.window) // pd.Timedelta(1, "us") - 1
        frame = f"ORDER BY ts RANGE BETWEEN INTERVAL '{reach} microseconds' PRECEDING AND CURRENT ROW"
    partition = "PARTITION BY key " if data.keyed else ""
    query = f"SELECT n, {make(row.case)} OVER ({partition}{frame}) AS answer FROM rows"

    def values(answer: Any) -> Array:
        out = np.empty(len(data))
        out[answer["n"].to_numpy()] = answer["answer"].to_numpy()
        return out

    return Peer(lambda: data.duckdb.sql(query).to_arrow_table(), values, partial=True)


def pandas(row: Row, data: Inputs) -> Peer | None:
    """The usual form.  With keys the answer stays in the order of the groups: putting it back is not timed."""
    frame, case, kernel = data.pandas, row.case, row.kernel
    if kernel in ROW_FUNCTIONS:
        return Peer(lambda: ORACLES[kernel].pandas(frame, case))
    if kernel == "session_id":
        gap = pd.Timedelta(case["gap"])
        if not data.keyed:
            return Peer(lambda: (frame[case["time"]].diff() > gap).cumsum())
        return Peer(
            lambda: (frame.groupby("key", sort=False)[case["time"]].diff() > gap).groupby(frame["key"]).cumsum()
        )
    if kernel in ("cumsum_clip", "affine_scan", "rolling_beta", "rolling_weighted_mean") or (
        kernel in PAIRS and data.keyed
    ):
        return None  # groupby.apply or a pairwise table, minutes a run

    def source() -> Any:
        return frame.groupby("key", sort=False) if data.keyed else frame

    def run() -> Any:
        if kernel in PAIRS:
            return getattr(frame["x"].rolling(case["window"]), kernel.removeprefix("rolling_"))(frame["y"])
        if kernel == "ewm_mean":
            return source()[case["column"]].ewm(span=case["span"]).mean()
        if kernel.startswith("expanding_"):
            return getattr(source()[case["column"]].expanding(), kernel.removeprefix("expanding_"))()
        if "by" in case:
            windows = source().rolling(case["window"], on=case["by"])[case["column"]]
        else:
            fewest = 0 if kernel == "rolling_count" else None
            windows = source()[case["column"]].rolling(case["window"], min_periods=fewest)
        quantile = [case["quantile"]] if "quantile" in case else []
        return getattr(windows, kernel.removeprefix("rolling_"))(*quantile)

    if not data.keyed:
        return Peer(run)
    order = np.concatenate(list(frame.groupby("key", sort=False).indices.values()))

    def values(answer: Any) -> Array:
        out = np.empty(len(data))
        out[order] = answer.to_numpy(dtype="f8")
        return out

    return Peer(run, values)
