"""The table of oracles: every kernel, the arguments it is tried with, and who else computes the same.

The parity tests and the benchmarks read it.  A kernel of the catalogue that is missing here fails the tests.

A *case* is the keyword arguments of the kernel's function, without `over`; its columns are those of `data.plain()`.
Each computation takes the case, so that the benchmark can give windows of its own:

| who | takes | gives |
|---|---|---|
| pandas | the rows of one key as a pandas frame (null = NaN), the case | the column, NaN = null |
| polars | the case | an expression, to be put `.over(key)` |
| numbagg, bottleneck | a mapping of names to f64 arrays without nulls, the case | the column |
| duckdb | the case | the SQL of an aggregate, to be put `OVER (... ROWS ...)` |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
import polars as pl

Case = dict[str, Any]
Arrays = Mapping[str, Any]


@dataclass(frozen=True)
class Oracle:
    """Who else computes a kernel."""

    cases: list[Case]
    pandas: Callable[[pd.DataFrame, Case], Any]
    polars: Callable[[Case], pl.Expr] | None = None
    numbagg: Callable[[Arrays, Case], Any] | None = None
    bottleneck: Callable[[Arrays, Case], Any] | None = None
    duckdb: Callable[[Case], str] | None = None
    # The largest error relative to the largest input that is put down to the others' rounding; 0 means the same bits.
    tolerance: float = 0.0


# --- pandas ---


def duration(given: int | str) -> Any:
    """A window of a case as pandas takes it."""
    return pd.Timedelta(given.replace("m", "min").replace("d", "D")) if isinstance(given, str) else given


def windows(frame: pd.DataFrame, case: Case, column: str = "column") -> Any:
    """pandas' windows for the arguments of a rolling kernel."""
    values: Any = frame[case[column]].astype("f8") if frame[case[column]].dtype != np.float32 else frame[case[column]]
    index: Any = np.arange(len(values)) if isinstance(case["window"], int) else frame[case["by"]]
    values = pd.Series(values.to_numpy(), index=index)
    return values.rolling(
        duration(case["window"]),
        min_periods=case.get("min_samples"),
        closed=case.get("closed"),
        center=case.get("center", False),
    )


def rolling(method: str, **options: Any) -> Callable[[pd.DataFrame, Case], Any]:
    def compute(frame: pd.DataFrame, case: Case) -> Any:
        ddof = {"ddof": case.get("ddof", 1)} if method in ("var", "std") else {}
        return getattr(windows(frame, case), method)(**ddof, **options).to_numpy()

    return compute


def rolling_count(frame: pd.DataFrame, case: Case) -> Any:
    # pandas takes min_periods of count() to mean rows; here it means values.
    counts = windows(frame, case | {"min_samples": 0}).count().to_numpy()
    return np.where(counts < case.get("min_samples", 0), np.nan, counts)


def rolling_corr(frame: pd.DataFrame, case: Case) -> Any:
    index: Any = np.arange(len(frame)) if isinstance(case["window"], int) else frame[case["by"]]
    x, y = (pd.Series(frame[case[name]].astype("f8").to_numpy(), index=index) for name in "xy")
    # pandas lets a row without y count as a value of x; here a row counts where both are valid.
    both = x.notna() & y.notna()
    x, y = x.where(both), y.where(both)
    at = frame.assign(_x=x.to_numpy(), _y=y.to_numpy())
    corr = windows(at, case | {"x": "_x"}, "x").corr(y).to_numpy()
    # A constant has no correlation: null here, noise over noise or an infinity in pandas.
    lowest = case | {"min_samples": 1}
    constant = np.zeros(len(frame), dtype=bool)
    for name in ("_x", "_y"):
        window = windows(at, lowest | {"x": name}, "x")
        constant |= (window.max() == window.min()).to_numpy()
    return np.where(constant, np.nan, np.clip(corr, -1, 1))


def expanding(method: str) -> Callable[[pd.DataFrame, Case], Any]:
    def compute(frame: pd.DataFrame, case: Case) -> Any:
        values = frame[case["column"]]
        return getattr(values.expanding(min_periods=case.get("min_samples", 1)), method)().to_numpy()

    return compute


def ewm_mean(frame: pd.DataFrame, case: Case) -> Any:
    names = {"half_life": "halflife"}
    decay = {names.get(n, n): case[n] for n in ("com", "span", "half_life", "alpha") if n in case}
    ewm = (
        frame[case["column"]]
        .astype("f8")
        .ewm(
            **decay,
            adjust=case.get("adjust", True),
            ignore_na=case.get("ignore_nulls", False),
            min_periods=case.get("min_samples", 1),
        )
    )
    return ewm.mean().to_numpy()


# --- what pandas lacks, as its users write it: a loop over the rows ---


def values_of(frame: pd.DataFrame, given: float | str) -> Any:
    return frame[given].to_numpy(dtype="f8") if isinstance(given, str) else np.full(len(frame), float(given))


def cumsum_clip(frame: pd.DataFrame, case: Case) -> Any:
    total = case.get("initial", 0.0)
    out = []
    columns = (values_of(frame, case[name]) for name in ("column", "lower", "upper"))
    for x, lower, upper in zip(*columns, strict=True):
        if not (np.isnan(x) or np.isnan(lower) or np.isnan(upper)):
            total = min(max(total + x, lower), upper)
            out.append(total)
        else:
            out.append(total)
    return np.array(out, dtype="f8")


def affine_scan(frame: pd.DataFrame, case: Case) -> Any:
    y = case.get("initial", 0.0)
    out = []
    for a, b in zip(values_of(frame, case["a"]), values_of(frame, case["b"]), strict=True):
        if not (np.isnan(a) or np.isnan(b)):
            y = a * y + b
        out.append(y)
    return np.array(out, dtype="f8")


def session_id(frame: pd.DataFrame, case: Case) -> Any:
    time = frame[case["time"]]
    gap = duration(case["gap"])
    return (time.diff() > gap).cumsum().to_numpy(dtype="f8")


def risk_score(frame: pd.DataFrame, case: Case) -> Any:
    weight = frame[case["weight"]]
    total = sum(weight * frame[factor] for factor in case["factors"])
    return (total / frame[case["notional"]]).to_numpy()


def row_dot(frame: pd.DataFrame, case: Case) -> Any:
    terms = [frame[column] * weight for column, weight in zip(case["columns"], case["weights"], strict=True)]
    return sum(terms[1:], terms[0]).to_numpy()


# --- the others ---


def polars_rolling(method: str) -> Callable[[Case], pl.Expr]:
    def compute(case: Case) -> pl.Expr:
        column = pl.col(case["column"])
        if "by" in case:
            return cast("pl.Expr", getattr(column, f"rolling_{method}_by")(case["by"], case["window"]))
        return cast("pl.Expr", getattr(column, f"rolling_{method}")(case["window"]))

    return compute


def polars_rolling_count(case: Case) -> pl.Expr:
    # Polars has no rolling_count: the sum of ones.
    return pl.col(case["column"]).is_not_null().cast(pl.UInt32).rolling_sum(case["window"], min_samples=0)


def seconds(duration: str) -> float:
    return pd.Timedelta(duration.replace("m", "min")).total_seconds()


def numbagg_move(method: str) -> Callable[[Arrays, Case], Any]:
    def compute(arrays: Arrays, case: Case) -> Any:
        import numbagg

        return getattr(numbagg, f"move_{method}")(
            arrays[case["column"]], window=case["window"], min_count=case["window"]
        )

    return compute


def bottleneck_move(method: str, **options: Any) -> Callable[[Arrays, Case], Any]:
    def compute(arrays: Arrays, case: Case) -> Any:
        import bottleneck

        return getattr(bottleneck, f"move_{method}")(arrays[case["column"]], window=case["window"], **options)

    return compute


def numbagg_corr(arrays: Arrays, case: Case) -> Any:
    import numbagg

    return numbagg.move_corr(arrays[case["x"]], arrays[case["y"]], window=case["window"], min_count=case["window"])


def numbagg_ewm(arrays: Arrays, case: Case) -> Any:
    import numbagg

    alpha = case["alpha"] if "alpha" in case else 2.0 / (case["span"] + 1.0)
    return numbagg.move_exp_nanmean(arrays[case["column"]], alpha=alpha)


def sql(function: str) -> Callable[[Case], str]:
    return lambda case: f"{function}({case['column']})"


ROWS: list[Case] = [
    {"column": "x", "window": 3},
    {"column": "x", "window": 20, "min_samples": 1},
    {"column": "x", "window": 7, "min_samples": 3, "closed": "left"},
    {"column": "x", "window": 5, "min_samples": 2, "closed": "both"},
    {"column": "x", "window": 5, "min_samples": 2, "closed": "neither"},
    {"column": "x", "window": 1},
    {"column": "x", "window": 1000, "min_samples": 2},
    {"column": "i", "window": 4, "min_samples": 2},
    {"column": "f", "window": 4, "min_samples": 2},
]
CENTERED: list[Case] = [
    {"column": "x", "window": 5, "min_samples": 1, "center": True},
    {"column": "x", "window": 4, "min_samples": 2, "center": True},
]
TIME: list[Case] = [
    {"column": "x", "window": "5m", "by": "ts"},
    {"column": "x", "window": "30m", "by": "ts", "min_samples": 3, "closed": "left"},
    {"column": "x", "window": "12m", "by": "ts", "closed": "both"},
    {"column": "x", "window": "12m", "by": "ts", "closed": "neither"},
    {"column": "i", "window": "10m", "by": "ts"},
]
WINDOWS = ROWS + CENTERED + TIME
SPREAD = [*WINDOWS, {"column": "x", "window": 6, "min_samples": 1, "ddof": 0}]


def paired(cases: list[Case]) -> list[Case]:
    return [{"x": c["column"], "y": "y"} | {k: v for k, v in c.items() if k != "column"} for c in cases]


ORACLES: dict[str, Oracle] = {
    "rolling_count": Oracle(WINDOWS, rolling_count, polars_rolling_count, duckdb=sql("count")),
    "rolling_sum": Oracle(
        WINDOWS, rolling("sum"), polars_rolling("sum"), numbagg_move("sum"), bottleneck_move("sum"), sql("sum"), 1e-10
    ),
    "rolling_mean": Oracle(
        WINDOWS,
        rolling("mean"),
        polars_rolling("mean"),
        numbagg_move("mean"),
        bottleneck_move("mean"),
        sql("avg"),
        1e-10,
    ),
    "rolling_var": Oracle(
        SPREAD,
        rolling("var"),
        polars_rolling("var"),
        numbagg_move("var"),
        bottleneck_move("var", ddof=1),
        sql("var_samp"),
        1e-9,
    ),
    "rolling_std": Oracle(
        SPREAD,
        rolling("std"),
        polars_rolling("std"),
        numbagg_move("std"),
        bottleneck_move("std", ddof=1),
        sql("stddev_samp"),
        1e-7,
    ),
    "rolling_min": Oracle(WINDOWS, rolling("min"), polars_rolling("min"), None, bottleneck_move("min"), sql("min")),
    "rolling_max": Oracle(WINDOWS, rolling("max"), polars_rolling("max"), None, bottleneck_move("max"), sql("max")),
    "rolling_median": Oracle(
        WINDOWS, rolling("median"), polars_rolling("median"), None, bottleneck_move("median"), sql("median")
    ),
    "rolling_corr": Oracle(
        paired(WINDOWS),
        rolling_corr,
        lambda case: pl.rolling_corr(case["x"], case["y"], window_size=case["window"]),
        numbagg_corr,
        None,
        lambda case: f"corr({case['x']}, {case['y']})",
        1e-6,
    ),
    "expanding_mean": Oracle(
        [{"column": "x"}, {"column": "x", "min_samples": 5}, {"column": "i"}],
        expanding("mean"),
        lambda case: pl.col(case["column"]).cum_sum() / pl.col(case["column"]).cum_count(),
        duckdb=sql("avg"),
        tolerance=1e-10,
    ),
    "expanding_max": Oracle(
        [{"column": "x"}, {"column": "x", "min_samples": 5}, {"column": "i"}],
        expanding("max"),
        lambda case: pl.col(case["column"]).cum_max(),
        duckdb=sql("max"),
    ),
    "ewm_mean": Oracle(
        [
            {"column": "x", "span": 20},
            {"column": "x", "com": 0.5, "adjust": False},
            {"column": "x", "half_life": 3, "ignore_nulls": True},
            {"column": "x", "alpha": 0.3, "adjust": False, "ignore_nulls": True},
            {"column": "x", "alpha": 1.0},
            {"column": "i", "span": 5, "min_samples": 4},
        ],
        ewm_mean,
        lambda case: pl.col(case["column"]).ewm_mean(**{k: v for k, v in case.items() if k != "column"}),
        numbagg_ewm,
        tolerance=1e-10,
    ),
    "cumsum_clip": Oracle(
        [
            {"column": "x", "lower": 0.0, "upper": 50.0},
            {"column": "x", "lower": -3, "upper": 3, "initial": 1.5},
            {"column": "x", "lower": float("-inf"), "upper": 10.0},
            {"column": "x", "lower": "low", "upper": "high"},
            {"column": "i", "lower": 0, "upper": "high"},
        ],
        cumsum_clip,
    ),
    "affine_scan": Oracle(
        [
            {"a": 0.5, "b": "x"},
            {"a": "a", "b": "x", "initial": 10.0},
            {"a": "a", "b": 1.0},
        ],
        affine_scan,
        tolerance=1e-12,
    ),
    "session_id": Oracle(
        [{"time": "ts", "gap": "10m"}, {"time": "ts", "gap": "1m"}],
        session_id,
        lambda case: (
            (pl.col(case["time"]).diff() > pl.duration(seconds=seconds(case["gap"]))).fill_null(False).cum_sum()
        ),
    ),
    "risk_score": Oracle(
        [
            {"weight": "a", "notional": "high", "factors": ["x", "y", "i"]},
            {"weight": "x", "notional": "y", "factors": ["a"]},
        ],
        risk_score,
        lambda case: (
            pl.sum_horizontal([pl.col(case["weight"]) * pl.col(f) for f in case["factors"]]) / pl.col(case["notional"])
        ),
        tolerance=1e-12,
    ),
    "row_dot": Oracle(
        [{"columns": ["x", "y", "i"], "weights": [0.5, -2.0, 3]}, {"columns": ["x"], "weights": [1]}],
        row_dot,
        lambda case: pl.sum_horizontal([pl.col(c) * w for c, w in zip(case["columns"], case["weights"], strict=True)]),
        tolerance=1e-12,
    ),
}
