"""The table of oracles: every kernel, the arguments it is tried with, and who else computes the same.

The parity tests and the benchmarks read it.  A kernel of the catalog that is missing here fails the tests.

A *case* is the keyword arguments of the kernel's function, without `over`; its columns are those of `data.plain()`.
The benchmark times `bench`, over the columns of benches/inputs.py, with windows of its own; unless it is given, that is
the first case.  Each computation takes the case:

| who | takes | gives |
|---|---|---|
| pandas | the rows of one key as a pandas frame (null = NaN), the case | the column, NaN = null |
| polars | the case | an expression, to be put `.over(key)` |
| numbagg, bottleneck | a mapping of names to f64 arrays without nulls, the case | the column |
| duckdb | the case | the SQL of an aggregate, to be put `OVER (... ROWS ...)` |
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

import oracles_events
import oracles_exponential
import oracles_neighbors
import oracles_smoothers
from oracle import Oracle
from reference import (
    Case,
    affine_scan,
    argument,
    autocorr,
    bottleneck_move,
    bottleneck_rank,
    comoment,
    covariance,
    cumsum_clip,
    entropy,
    expanding,
    fir,
    hampel,
    iqr,
    line,
    mad,
    mode,
    numbagg_corr,
    numbagg_move,
    numbagg_pair,
    ols,
    over_history,
    over_pairs,
    over_rows,
    over_windows,
    partial_corr,
    polars_autocorr,
    polars_quantile,
    polars_rolling,
    polars_rolling_count,
    polars_zscore,
    quantile,
    rank,
    risk_score,
    robust_zscore,
    rolling,
    rolling_corr,
    rolling_count,
    row_dot,
    seconds,
    sem,
    session_id,
    spearman,
    sql,
    top_n,
    trend,
    trimmed_mean,
    unless_constant,
    weighted,
    weighted_corr,
    weighted_quantile,
    winsorized_mean,
    zscore,
)

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


def max_drawdown(window: np.ndarray) -> float:
    return float(np.min(window / np.maximum.accumulate(window) - 1))


def paired(cases: list[Case]) -> list[Case]:
    return [{"x": c["column"], "y": "y"} | {k: v for k, v in c.items() if k != "column"} for c in cases]


HISTORY: list[Case] = [{"column": "x"}, {"column": "x", "min_samples": 5}, {"column": "i"}, {"column": "f"}]
QUANTILES: list[Case] = [
    {**case, "quantile": quantile, "interpolation": how}
    for case, (quantile, how) in zip(
        WINDOWS,
        [
            (0.0, "linear"),
            (0.3, "linear"),
            (0.5, "lower"),
            (0.9, "higher"),
            (0.25, "nearest"),
            (1.0, "midpoint"),
            (0.7, "midpoint"),
            (0.75, "linear"),
            (0.1, "lower"),
        ]
        * 2,
        strict=False,
    )
]
RANKED = [c for c in ROWS + TIME if c.get("closed", "right") in ("right", "both")]
RANKS: list[Case] = [
    {**case, "method": method, "pct": pct}
    for case, (method, pct) in zip(
        RANKED, [("average", False), ("min", True), ("max", False), ("average", True)] * 4, strict=False
    )
]


def weights_of(cases: list[Case]) -> list[Case]:
    return [{**c, "weights": "a"} for c in cases]


def regressed(cases: list[Case]) -> list[Case]:
    return [{"y": "y", "x": c["column"]} | {k: v for k, v in c.items() if k != "column"} for c in cases]


def swapped(cases: list[Case], **names: Any) -> list[Case]:
    """The cases with other columns instead of the one."""
    return [names | {k: v for k, v in c.items() if k != "column"} for c in cases]


def each(cases: list[Case], *choices: Case) -> list[Case]:
    """The cases with one choice after the other."""
    return [case | choices[i % len(choices)] for i, case in enumerate(cases)]


OF_ROWS = [*(c for c in ROWS if c["window"] < 1000), *CENTERED]
FLAGS = [{**c, "column": "b"} for c in WINDOWS if c["column"] == "x"]
FIR_SHAPES = (
    *("boxcar", "triang", "bartlett", "hann", "hamming", "blackman", "nuttall", "blackmanharris", "flattop", "cosine"),
    *("bohman", "parzen", "barthann", "lanczos"),
)
FILTERS: list[Case] = [
    *each(OF_ROWS, *({"weights": shape} for shape in ("linear", "hamming", "triang", "cosine"))),
    *({"column": "x", "window": w, "weights": shape, "min_samples": w} for shape in FIR_SHAPES for w in (6, 7)),
    {"column": "x", "window": 9, "min_samples": 1, "weights": "exponential", "alpha": 0.2},
    {"column": "x", "window": 9, "min_samples": 1, "weights": "gaussian", "std": 2.5},
    {"column": "x", "window": 3, "min_samples": 1, "weights": [0.5, 1.5, -0.25]},
    {"column": "x", "window": 2, "min_samples": 1, "weights": [1, 0, 2], "closed": "both"},
    {"column": "x", "window": 40, "min_samples": 1, "weights": "hamming", "closed": "left"},
]
FITS: list[Case] = [
    {"y": "x", "x": ["y"], "window": 12, "min_samples": 4},
    {"y": "y", "x": ["x", "a"], "window": 30, "min_samples": 5, "fields": ["coefficients", "r2"]},
    {"y": "y", "x": ["x", "a", "i"], "window": "2h", "by": "ts", "min_samples": 6, "weights": "high"},
    {"y": "y", "x": ["x", "a"], "window": 25, "min_samples": 5, "add_intercept": False, "fields": ["errors", "r2"]},
    {"y": "y", "x": ["a"], "window": 20, "min_samples": 3, "closed": "left", "fields": ["prediction", "residual"]},
    {"y": "x", "x": ["i"], "window": 15, "min_samples": 3, "center": True, "fields": ["residual", "coefficients"]},
    {"y": "y", "x": ["a", "low", "high", "x"], "window": 60, "min_samples": 10},
]


def bottleneck(method: str) -> dict[str, Any]:
    return {"bottleneck": bottleneck_move(method)}


def both(name: str, rolling_cases: list[Case], expanding_cases: list[Case], *others: Any, **more: Any) -> Any:
    """A rolling kernel and its expanding one, by the same computation; other peers have the first one alone."""
    shared = {k: v for k, v in more.items() if k in ("tolerance", "bench", "passes")}
    return {
        f"rolling_{name}": Oracle(rolling_cases, *others, **more),
        f"expanding_{name}": Oracle(expanding_cases, others[0], **shared),
    }


ORACLES: dict[str, Oracle] = {
    "rolling_product": Oracle(WINDOWS, over_windows(lambda w: float(np.prod(w))), tolerance=1e-12),
    "rolling_sem": Oracle(SPREAD, sem(history=False), tolerance=1e-7),
    "rolling_skew": Oracle(
        WINDOWS,
        unless_constant(rolling("skew")),
        lambda case: pl.col(case["column"]).rolling_skew(case["window"], bias=False),
        tolerance=1e-6,
    ),
    "rolling_kurt": Oracle(
        WINDOWS,
        unless_constant(rolling("kurt")),
        lambda case: pl.col(case["column"]).rolling_kurtosis(case["window"], bias=False),
        tolerance=1e-6,
    ),
    "rolling_max_drawdown": Oracle([{**case, "column": "high"} for case in WINDOWS], over_windows(max_drawdown)),
    "rolling_range": Oracle(WINDOWS, over_windows(lambda w: float(np.ptp(w)))),
    "rolling_first": Oracle(WINDOWS, over_windows(lambda w: float(w[0]))),
    "rolling_last": Oracle(WINDOWS, over_windows(lambda w: float(w[-1]))),
    "rolling_quantile": Oracle(
        QUANTILES,
        quantile(history=False),
        polars_quantile,
        tolerance=1e-14,
        bench={"column": "x", "quantile": 0.75},
    ),
    "rolling_iqr": Oracle(WINDOWS, over_windows(iqr), tolerance=1e-13),
    "rolling_mad": Oracle(WINDOWS, over_windows(mad), tolerance=1e-13),
    "rolling_rank": Oracle(
        [*RANKS, *each(RANKED, {"method": "dense"}, {"method": "dense", "pct": True})],
        rank(history=False),
        lambda case: pl.col(case["column"]).rolling_rank(case["window"], "average").cast(pl.Float64),
        bottleneck=bottleneck_rank,
        tolerance=1e-15,
    ),
    "rolling_nunique": Oracle(WINDOWS, over_windows(lambda w: float(len(np.unique(w))))),
    "rolling_cov": Oracle(
        [*paired(WINDOWS), {"x": "x", "y": "y", "window": 6, "min_samples": 1, "ddof": 0}],
        lambda frame, case: over_pairs(("x", "y"), lambda x, y: covariance(x, y, case.get("ddof", 1)))(frame, case),
        lambda case: pl.rolling_cov(case["x"], case["y"], window_size=case["window"]),
        numbagg_pair("cov"),
        None,
        lambda case: f"covar_samp({case['x']}, {case['y']})",
        1e-9,
    ),
    "rolling_beta": Oracle(
        regressed(WINDOWS),
        over_pairs(("y", "x"), line("beta")),
        duckdb=lambda case: f"regr_slope({case['y']}, {case['x']})",
        tolerance=1e-9,
    ),
    "rolling_alpha": Oracle(
        regressed(WINDOWS),
        over_pairs(("y", "x"), line("alpha")),
        duckdb=lambda case: f"regr_intercept({case['y']}, {case['x']})",
        tolerance=1e-7,
    ),
    "rolling_r2": Oracle(
        regressed(WINDOWS),
        over_pairs(("y", "x"), line("r2")),
        duckdb=lambda case: f"regr_r2({case['y']}, {case['x']})",
        tolerance=1e-8,
    ),
    "rolling_weighted_sum": Oracle(
        weights_of(WINDOWS), over_pairs(("column", "weights"), weighted("sum")), tolerance=1e-10
    ),
    "rolling_weighted_mean": Oracle(
        weights_of(WINDOWS), over_pairs(("column", "weights"), weighted("mean")), tolerance=1e-10
    ),
    "rolling_weighted_var": Oracle(
        weights_of(WINDOWS), over_pairs(("column", "weights"), weighted("var")), tolerance=1e-8
    ),
    "rolling_weighted_std": Oracle(
        weights_of(WINDOWS), over_pairs(("column", "weights"), weighted("std")), tolerance=1e-7
    ),
    "expanding_count": Oracle(
        [{"column": "x"}, {"column": "i"}],
        lambda frame, case: frame[case["column"]].notna().cumsum().to_numpy(dtype="f8"),
        lambda case: pl.col(case["column"]).cum_count(),
        duckdb=sql("count"),
    ),
    "expanding_sum": Oracle(
        HISTORY,
        expanding("sum"),
        lambda case: pl.col(case["column"]).cum_sum(),
        duckdb=sql("sum"),
        tolerance=1e-10,
    ),
    "expanding_product": Oracle(
        [{"column": "a"}, {"column": "a", "min_samples": 5}],
        lambda frame, case: np.where(
            frame[case["column"]].expanding(min_periods=0).count() < case.get("min_samples", 1),
            np.nan,
            frame[case["column"]].cumprod(),
        ),
        lambda case: pl.col(case["column"]).cum_prod(),
        tolerance=1e-12,
    ),
    "expanding_var": Oracle([*HISTORY, {"column": "x", "ddof": 0}], expanding("var"), tolerance=1e-9),
    "expanding_std": Oracle([*HISTORY, {"column": "x", "ddof": 0}], expanding("std"), tolerance=1e-7),
    "expanding_sem": Oracle(HISTORY, sem(history=True), tolerance=1e-7),
    "expanding_skew": Oracle(HISTORY, unless_constant(expanding("skew"), history=True), tolerance=1e-6),
    "expanding_kurt": Oracle(HISTORY, unless_constant(expanding("kurt"), history=True), tolerance=1e-6),
    "expanding_min": Oracle(
        HISTORY, expanding("min"), lambda case: pl.col(case["column"]).cum_min(), duckdb=sql("min")
    ),
    "expanding_range": Oracle(HISTORY, over_history(lambda w: float(np.ptp(w)))),
    "expanding_max_drawdown": Oracle(
        [{"column": "high"}, {"column": "a", "min_samples": 5}], over_history(max_drawdown)
    ),
    "expanding_first": Oracle(HISTORY, over_history(lambda w: float(w[0]))),
    "expanding_last": Oracle(HISTORY, over_history(lambda w: float(w[-1]))),
    "expanding_median": Oracle(HISTORY, expanding("median")),
    "expanding_quantile": Oracle(
        [{**case, "quantile": q} for case, q in zip(HISTORY, [0.1, 0.5, 0.75, 1.0], strict=True)],
        quantile(history=True),
        tolerance=1e-14,
    ),
    "expanding_iqr": Oracle(HISTORY, over_history(iqr), tolerance=1e-13),
    "expanding_mad": Oracle(HISTORY, over_history(mad), tolerance=1e-13),
    "expanding_rank": Oracle(
        [
            {"column": "x"},
            {"column": "x", "method": "min", "pct": True},
            {"column": "i", "method": "max"},
            {"column": "i", "method": "dense", "pct": True},
        ],
        rank(history=True),
        tolerance=1e-15,
    ),
    "expanding_nunique": Oracle(HISTORY, over_history(lambda w: float(len(np.unique(w))))),
    "expanding_cov": Oracle(
        [{"x": "x", "y": "y"}, {"x": "x", "y": "y", "ddof": 0}],
        lambda frame, case: over_pairs(("x", "y"), lambda x, y: covariance(x, y, case.get("ddof", 1)))(frame, case),
        tolerance=1e-9,
    ),
    "expanding_corr": Oracle(
        [{"x": "x", "y": "y"}, {"x": "i", "y": "y", "min_samples": 5}],
        over_pairs(
            ("x", "y"),
            lambda x, y: np.nan if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0 else float(np.corrcoef(x, y)[0, 1]),
        ),
        tolerance=1e-6,
    ),
    **{
        f"expanding_{kind}": Oracle(
            [{"y": "y", "x": "x"}, {"y": "y", "x": "i", "min_samples": 5}],
            over_pairs(("y", "x"), line(kind)),
            tolerance=1e-7,
        )
        for kind in ("beta", "alpha", "r2")
    },
    **{
        f"expanding_weighted_{kind}": Oracle(
            [{"column": "x", "weights": "a"}, {"column": "i", "weights": "a", "min_samples": 5}],
            over_pairs(("column", "weights"), weighted(kind)),
            tolerance=1e-7,
        )
        for kind in ("sum", "mean", "var", "std")
    },
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
    "cumsum_clip": Oracle(
        [
            {"column": "x", "lower": 0.0, "upper": 50.0},
            {"column": "x", "lower": -3, "upper": 3, "initial": 1.5},
            {"column": "x", "lower": float("-inf"), "upper": 10.0},
            {"column": "x", "lower": "low", "upper": "high"},
            {"column": "i", "lower": 0, "upper": "high"},
        ],
        cumsum_clip,
        bench={"column": "y", "lower": -3.0, "upper": 3.0},
    ),
    "affine_scan": Oracle(
        [
            {"a": 0.5, "b": "x"},
            {"a": "a", "b": "x", "initial": 10.0},
            {"a": "a", "b": 1.0},
        ],
        affine_scan,
        tolerance=1e-12,
        bench={"a": "a", "b": "y"},
    ),
    "session_id": Oracle(
        [
            {"time": "ts", "gap": "10m"},
            {"time": "ts", "gap": "1m"},
            {"time": "ts", "gap": "10m", "longest": "20m"},
            {"time": "ts", "gap": "10m", "restart": "b"},
            {"time": "ts", "gap": "5m", "longest": "30m", "restart": "b"},
        ],
        session_id,
        lambda case: (
            (pl.col(case["time"]).diff() > pl.duration(seconds=seconds(case["gap"]))).fill_null(False).cum_sum()
        ),
        bench={"time": "ts", "gap": "3s"},
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
        bench={"weight": "a", "notional": "x", "factors": ["y", "z", "w"]},
    ),
    "row_dot": Oracle(
        [{"columns": ["x", "y", "i"], "weights": [0.5, -2.0, 3]}, {"columns": ["x"], "weights": [1]}],
        row_dot,
        lambda case: pl.sum_horizontal([pl.col(c) * w for c, w in zip(case["columns"], case["weights"], strict=True)]),
        tolerance=1e-12,
        bench={"columns": ["x", "y", "z", "w"], "weights": [0.5, -2.0, 3.0, 0.25]},
    ),
    **both("argmin", each(WINDOWS, {}, {"ties": "last"}), HISTORY, argument(False), **bottleneck("argmin")),
    **both(
        "argmax",
        each(WINDOWS, {"ties": "last"}, {}),
        HISTORY,
        argument(True),
        bench={"column": "x"},
        **bottleneck("argmax"),
    ),
    **both("any", FLAGS, [{"column": "b"}], over_rows(("column",), lambda rows, _, __, x: float(x[rows].any()))),
    **both("all", FLAGS, [{"column": "b"}], over_rows(("column",), lambda rows, _, __, x: float(x[rows].all()))),
    **both("zscore", SPREAD, HISTORY, over_rows(("column",), zscore, judged=True), polars_zscore, tolerance=1e-9),
    **both("robust_zscore", WINDOWS, HISTORY, over_rows(("column",), robust_zscore, judged=True), tolerance=1e-12),
    **both(
        "hampel",
        each(WINDOWS, {}, {"threshold": 1.0}),
        each(HISTORY, {}, {"threshold": 1.0}),
        over_rows(("column",), hampel, judged=True),
    ),
    **both(
        "trimmed_mean",
        each(WINDOWS, {"proportion": 0.2}, {}, {"proportion": 0.4}),
        HISTORY,
        over_rows(("column",), trimmed_mean),
        tolerance=1e-13,
        bench={"column": "x"},
    ),
    **both(
        "winsorized_mean",
        each(WINDOWS, {"proportion": 0.2}, {}, {"proportion": 0.4}),
        HISTORY,
        over_rows(("column",), winsorized_mean),
        tolerance=1e-13,
        bench={"column": "x"},
    ),
    **both("mode", WINDOWS, HISTORY, over_rows(("column",), mode)),
    **both("entropy", each(WINDOWS, {}, {"base": 2}), HISTORY, over_rows(("column",), entropy), tolerance=1e-13),
    **both(
        "top_n",
        each(
            swapped(WINDOWS, column="x", order_by="i"),
            {"n": 2},
            {"n": 3, "statistic": "sum", "largest": False},
            {"n": 4, "statistic": "std"},
            {"n": 2, "statistic": "min"},
            {"n": 50, "statistic": "max"},
        ),
        [{"column": "x", "order_by": "y", "n": 5}, {"column": "f", "order_by": "f", "n": 2, "statistic": "sum"}],
        over_rows(("column", "order_by"), top_n),
        tolerance=1e-12,
        bench={"column": "x", "order_by": "y", "n": 5},
    ),
    **both(
        "spearman",
        paired(WINDOWS),
        [{"x": "x", "y": "y"}, {"x": "i", "y": "y"}],
        over_rows(("x", "y"), spearman),
        tolerance=1e-12,
        passes=True,
    ),
    **both("autocorr", each(WINDOWS, {}, {"lag": 3}), HISTORY, autocorr, polars_autocorr, tolerance=1e-6),
    **both(
        "partial_corr",
        swapped(WINDOWS, x="x", y="y", covar="a"),
        [{"x": "x", "y": "y", "covar": "i"}],
        over_rows(("x", "y", "covar"), partial_corr),
        tolerance=1e-6,
        bench={"x": "x", "y": "y", "covar": "z"},
    ),
    **both("coskew", paired(WINDOWS), [{"x": "x", "y": "y"}], over_rows(("x", "y"), comoment(2)), tolerance=1e-7),
    **both("cokurt", paired(WINDOWS), [{"x": "x", "y": "y"}], over_rows(("x", "y"), comoment(3)), tolerance=1e-7),
    **both(
        "trend",
        each(WINDOWS, {}, {"against": "ts"}, {"against": "ts", "per": "1h"}),
        [*HISTORY, {"column": "x", "against": "ts"}],
        trend,
        tolerance=1e-9,
    ),
    **both(
        "ols",
        FITS,
        [{"y": "y", "x": ["x", "a"]}, {"y": "f", "x": ["a"], "fields": ["r2"]}],
        ols,
        tolerance=1e-7,
        bench={"y": "y", "x": ["x", "z"], "fields": ["coefficients", "prediction"]},
    ),
    **both(
        "weighted_corr",
        swapped(WINDOWS, x="x", y="y", weights="a"),
        [{"x": "x", "y": "i", "weights": "a"}],
        over_rows(("x", "y", "weights"), weighted_corr),
        tolerance=1e-7,
        bench={"x": "x", "y": "y", "weights": "a"},
    ),
    **both(
        "weighted_quantile",
        each(weights_of(WINDOWS), {"quantile": 0.5}, {"quantile": 0.9}, {"quantile": 0.0}, {"quantile": 1.0}),
        [{"column": "x", "weights": "a", "quantile": 0.25}],
        over_rows(("column", "weights"), weighted_quantile),
    ),
    **{
        f"rolling_fir_{kind}": Oracle(
            FILTERS, fir(kind), tolerance=1e-9, bench={"column": "x", "weights": "hamming"}, passes=True
        )
        for kind in ("sum", "mean", "var", "std")
    },
    **oracles_neighbors.ORACLES,
    **oracles_exponential.ORACLES,
    **oracles_smoothers.ORACLES,
    **oracles_events.ORACLES,
}

# What has no window of its own kind keeps all arguments of its first case in the benchmark.
for _name, _oracle in ORACLES.items():
    if not _name.startswith(("rolling_", "expanding_")) and _oracle.bench is None:
        ORACLES[_name] = replace(_oracle, bench=_oracle.cases[0])
