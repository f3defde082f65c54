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
from oracles import ORACLES
from reference import Case
from table import ROW_FUNCTIONS, Row


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
        "polars-ds": polars_ds(row, data),
        "ta-lib": talib(row, data),
        "numpy": None if data.keyed else plain(numpy_form(row.kernel, row.case, data.arrays)),
        "numba, by hand": plain(numba_loop(row.kernel, row.case, data)),
    }
    return {name: peer for name, peer in made.items() if peer and (chosen is None or name in {*chosen, "hypostyle"})}


def floats(answer: pl.DataFrame) -> Array:
    column = answer.to_series()
    if isinstance(column.dtype, pl.Struct):  # of a fit, the last field: the prediction, or the last coefficient
        column = column.struct.unnest().to_series(-1)
    return column.cast(pl.Float64).to_numpy()


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


def polars_ds(row: Row, data: Inputs) -> Peer | None:
    if row.kernel != "rolling_ols" or data.keyed or isinstance(row.window, str):
        return None
    import polars_ds as pds

    fit = pds.rolling_lin_reg(*row.case["x"], target=row.case["y"], window_size=row.case["window"], add_bias=True)
    return Peer(lambda: data.polars.select(fit), floats)


def talib(row: Row, data: Inputs) -> Peer | None:
    if row.kernel != "rolling_trend" or data.keyed or isinstance(row.window, str):
        return None
    import talib as ta

    return Peer(lambda: ta.LINEARREG_SLOPE(data.arrays["x"], timeperiod=row.case["window"]))


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
    method = kernel.removeprefix("rolling_").removeprefix("expanding_")
    if method in ("cov", "corr") and data.keyed:
        return None  # a pairwise table, minutes a run
    owner = type(frame.expanding() if kernel.startswith("expanding_") else frame.rolling(2))
    combined = ("zscore", "fir_mean", "autocorr", "any", "all")
    if kernel != "ewm_mean" and not hasattr(owner, method) and (method not in combined or data.keyed):
        return None  # groupby.apply or rolling.apply, minutes a run

    def windows(source: Any, **more: Any) -> Any:
        return source.expanding() if kernel.startswith("expanding_") else source.rolling(case["window"], **more)

    def run() -> Any:
        source = frame.groupby("key", sort=False) if data.keyed else frame
        if method in ("cov", "corr"):
            return getattr(windows(frame[case["x"]]), method)(frame[case["y"]])
        if method == "zscore":
            of_x = windows(frame["x"])
            return (frame["x"] - of_x.mean()) / of_x.std()
        if method == "fir_mean":
            return windows(frame["x"], win_type=case["weights"]).mean()
        if method == "autocorr":
            return windows(frame["x"]).corr(frame["x"].shift(1))
        if method in ("any", "all"):
            return windows(frame["b"]).max() if method == "any" else windows(frame["b"]).min()
        if kernel == "ewm_mean":
            return source[case["column"]].ewm(span=case["span"]).mean()
        if "by" in case:
            return getattr(source.rolling(case["window"], on=case["by"])[case["column"]], method)()
        more = {"min_periods": 0} if kernel == "rolling_count" else {}
        quantile = [case["quantile"]] if "quantile" in case else []
        return getattr(windows(source[case["column"]], **more), method)(*quantile)

    if not data.keyed:
        return Peer(run)
    order = np.concatenate(list(frame.groupby("key", sort=False).indices.values()))

    def values(answer: Any) -> Array:
        out = np.empty(len(data))
        out[order] = answer.to_numpy(dtype="f8")
        return out

    return Peer(run, values)
