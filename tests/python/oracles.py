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


def over_windows(function: Callable[[Any], float]) -> Callable[[pd.DataFrame, Case], Any]:
    """A function of each window's values, for what pandas' windows don't have."""

    def compute(frame: pd.DataFrame, case: Case) -> Any:
        least = case.get("min_samples", case["window"] if isinstance(case["window"], int) else 1)
        if case.get("closed") == "neither" and "min_samples" not in case:
            least = least - 1 if isinstance(case["window"], int) else 1

        def of(window: Any) -> float:
            values = window[~np.isnan(window)]
            return function(values) if len(values) >= max(least, 1) else np.nan

        return windows(frame, case | {"min_samples": 0}).apply(of, raw=True).to_numpy()

    return compute


def over_history(function: Callable[[Any], float]) -> Callable[[pd.DataFrame, Case], Any]:
    """A function of all values so far."""
    return lambda frame, case: over_windows(function)(
        frame, {"window": max(len(frame), 1), "min_samples": 1} | {k: v for k, v in case.items() if k != "window"}
    )


def unless_constant(compute: Callable[[pd.DataFrame, Case], Any], history: bool = False) -> Any:
    """A constant has no skewness and no kurtosis: null here, 0 and -3 in pandas."""

    def masked(frame: pd.DataFrame, case: Case) -> Any:
        answers = compute(frame, case)
        if history:
            values = frame[case["column"]].astype("f8").expanding(min_periods=1)
        else:
            values = windows(frame, case | {"min_samples": 1})
        return np.where((values.max() == values.min()).to_numpy(), np.nan, answers)

    return masked


def sem(history: bool) -> Callable[[pd.DataFrame, Case], Any]:
    def compute(frame: pd.DataFrame, case: Case) -> Any:
        if history:
            values = frame[case["column"]].astype("f8").expanding(min_periods=case.get("min_samples", 1))
            counts = frame[case["column"]].astype("f8").expanding(min_periods=0).count()
        else:
            values, counts = windows(frame, case), windows(frame, case | {"min_samples": 0}).count()
        return values.std(ddof=case.get("ddof", 1)).to_numpy() / counts.to_numpy() ** 0.5

    return compute


def quantile(history: bool) -> Callable[[pd.DataFrame, Case], Any]:
    def compute(frame: pd.DataFrame, case: Case) -> Any:
        how = case.get("interpolation", "linear")
        if history:
            values = frame[case["column"]].astype("f8").expanding(min_periods=case.get("min_samples", 1))
            return values.quantile(case["quantile"], interpolation=how).to_numpy()
        return windows(frame, case).quantile(case["quantile"], interpolation=how).to_numpy()

    return compute


def rank(history: bool) -> Callable[[pd.DataFrame, Case], Any]:
    def compute(frame: pd.DataFrame, case: Case) -> Any:
        options = {"method": case.get("method", "average"), "pct": case.get("pct", False)}
        if history:
            values = frame[case["column"]].astype("f8").expanding(min_periods=case.get("min_samples", 1))
            return values.rank(**options).to_numpy()
        return windows(frame, case).rank(**options).to_numpy()

    return compute


def pair(case: Case, frame: pd.DataFrame, names: tuple[str, str]) -> tuple[pd.Series, pd.Series]:
    """Two columns where both are valid, with the index that pandas' windows go by."""
    index: Any = frame[case["by"]] if "by" in case else np.arange(len(frame))
    a, b = (pd.Series(frame[case[name]].astype("f8").to_numpy(), index=index) for name in names)
    both = a.notna() & b.notna()
    return a.where(both), b.where(both)


def over_pairs(names: tuple[str, str], function: Callable[[Any, Any], float]) -> Callable[[pd.DataFrame, Case], Any]:
    """A numpy function of the pairs in each window (or so far), the rows found by pandas' windows."""

    def compute(frame: pd.DataFrame, case: Case) -> Any:
        a, b = pair(case, frame, names)
        place = pd.Series(np.arange(len(a), dtype="f8"), index=a.index).where(a.notna())
        if "window" in case:
            least = case.get("min_samples", case["window"] if isinstance(case["window"], int) else 1)
            if case.get("closed") == "neither" and "min_samples" not in case and isinstance(case["window"], int):
                least -= 1
            rolled = place.rolling(
                duration(case["window"]),
                min_periods=0,
                closed=case.get("closed"),
                center=case.get("center", False),
            )
        else:
            least = case.get("min_samples", 1)
            rolled = place.rolling(max(len(a), 1), min_periods=0)
        first, second = a.to_numpy(), b.to_numpy()

        def of(window: Any) -> float:
            at = window[~np.isnan(window)].astype(int)
            return function(first[at], second[at]) if len(at) >= max(least, 1) else np.nan

        return rolled.apply(of, raw=True).to_numpy()

    return compute


def covariance(x: Any, y: Any, ddof: int = 1) -> float:
    return float(((x - x.mean()) * (y - y.mean())).sum() / (len(x) - ddof)) if len(x) > ddof else np.nan


def line(kind: str) -> Callable[[Any, Any], float]:
    """What scipy.stats.linregress fits, and nothing where x is constant."""

    def fit(y: Any, x: Any) -> float:
        if len(x) < 2 or np.ptp(x) == 0 or (kind == "r2" and np.ptp(y) == 0):
            return np.nan
        slope = covariance(x, y) / covariance(x, x)
        if kind == "beta":
            return slope
        if kind == "alpha":
            return float(y.mean() - slope * x.mean())
        return float(covariance(x, y) ** 2 / (covariance(x, x) * covariance(y, y)))

    return fit


def weighted(kind: str) -> Callable[[Any, Any], float]:
    """numpy.average, and the weighted mean of squared distances to it."""

    def compute(x: Any, w: Any) -> float:
        if kind == "sum":
            return float((x * w).sum())
        if w.sum() == 0:
            return np.nan
        mean = np.average(x, weights=w)
        if kind == "mean":
            return float(mean)
        variance = np.average((x - mean) ** 2, weights=w)
        return float(variance if kind == "var" else variance**0.5)

    return compute


def iqr(values: Any) -> float:
    return float(np.subtract(*np.quantile(values, [0.75, 0.25])))


def mad(values: Any) -> float:
    """What scipy.stats.median_abs_deviation gives, unscaled."""
    return float(np.median(np.abs(values - np.median(values))))


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
        ddof = {"ddof": case.get("ddof", 1)} if method in ("var", "std") else {}
        return getattr(values.expanding(min_periods=case.get("min_samples", 1)), method)(**ddof).to_numpy()

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
RANKS: list[Case] = [
    {**case, "method": method, "pct": pct}
    for case, (method, pct) in zip(
        [c for c in ROWS + TIME if c.get("closed", "right") in ("right", "both")],
        [("average", False), ("min", True), ("max", False), ("average", True)] * 4,
        strict=False,
    )
]


def weights_of(cases: list[Case]) -> list[Case]:
    return [{**c, "weights": "a"} for c in cases]


def regressed(cases: list[Case]) -> list[Case]:
    return [{"y": "y", "x": c["column"]} | {k: v for k, v in c.items() if k != "column"} for c in cases]


def polars_quantile(case: Case) -> pl.Expr:
    column = pl.col(case["column"])
    how = case.get("interpolation", "linear")
    if "by" in case:
        return column.rolling_quantile_by(case["by"], case["window"], quantile=case["quantile"], interpolation=how)
    return column.rolling_quantile(case["quantile"], how, window_size=case["window"])


def numbagg_pair(method: str) -> Callable[[Arrays, Case], Any]:
    def compute(arrays: Arrays, case: Case) -> Any:
        import numbagg

        return getattr(numbagg, f"move_{method}")(
            arrays[case["x"]], arrays[case["y"]], window=case["window"], min_count=case["window"]
        )

    return compute


def bottleneck_rank(arrays: Arrays, case: Case) -> Any:
    """From -1 to 1 there; a place from 1 here."""
    import bottleneck

    window = case["window"]
    return bottleneck.move_rank(arrays[case["column"]], window=window) * ((window - 1) / 2) + (window + 1) / 2


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
    "rolling_range": Oracle(WINDOWS, over_windows(lambda w: float(np.ptp(w)))),
    "rolling_first": Oracle(WINDOWS, over_windows(lambda w: float(w[0]))),
    "rolling_last": Oracle(WINDOWS, over_windows(lambda w: float(w[-1]))),
    "rolling_quantile": Oracle(QUANTILES, quantile(history=False), polars_quantile, tolerance=1e-14),
    "rolling_iqr": Oracle(WINDOWS, over_windows(iqr), tolerance=1e-13),
    "rolling_mad": Oracle(WINDOWS, over_windows(mad), tolerance=1e-13),
    "rolling_rank": Oracle(
        RANKS,
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
        [{"column": "x"}, {"column": "x", "method": "min", "pct": True}, {"column": "i", "method": "max"}],
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
