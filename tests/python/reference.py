"""How others compute what the kernels compute: what the table in `oracles.py` is made of.

A *case* is the keyword arguments of a kernel's function, without `over`; its columns are those of `data.plain()`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import pandas as pd
import polars as pl
import scipy.signal
import scipy.stats
import statsmodels.api as sm

Case = dict[str, Any]
Arrays = Mapping[str, Any]
Answer = Callable[[pd.DataFrame, Case], Any]


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
        if case.get("method") == "dense":
            return over_rows(("column",), dense_rank, judged=True)(frame, case)
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
    times, gap = frame[case["time"]], duration(case["gap"])
    longest = duration(case["longest"]) if "longest" in case else pd.Timedelta.max
    restarts = frame[case["restart"]] if "restart" in case else pd.Series(False, frame.index)
    out: list[int] = []
    session = -1
    first: Any = None
    last: Any = None
    for time, restart in zip(times, restarts, strict=True):
        if first is None or time - last > gap or time - first > longest or restart is True:
            session, first = session + 1, time
        last = time
        out.append(session)
    return np.array(out, dtype="f8")


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


def polars_zscore(case: Case) -> pl.Expr:
    x = pl.col(case["column"])
    return (x - x.rolling_mean(case["window"])) / x.rolling_std(case["window"])


def polars_autocorr(case: Case) -> pl.Expr:
    x = pl.col(case["column"])
    return pl.rolling_corr(x, x.shift(case.get("lag", 1)), window_size=case["window"])


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


def sql(function: str) -> Callable[[Case], str]:
    return lambda case: f"{function}({case['column']})"


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


# --- any function of a window's rows ---


def bounds(frame: pd.DataFrame, case: Case) -> tuple[Any, Any]:
    """Where the window of each row begins and ends, as pandas' own indexers say."""
    rows = len(frame)
    if "window" not in case:
        return np.zeros(rows, dtype=int), np.arange(1, rows + 1)
    index: Any = frame[case["by"]] if "by" in case else np.arange(rows)
    zeros: Any = pd.Series(np.zeros(rows), index=index)
    center, closed = case.get("center", False), case.get("closed")
    indexer = zeros.rolling(duration(case["window"]), closed=closed, center=center)._get_window_indexer()
    starts, ends = indexer.get_window_bounds(num_values=rows, min_periods=0, center=center, closed=closed)
    return starts, ends


def least_samples(case: Case) -> int:
    """`min_samples`, given or not."""
    if "min_samples" in case:
        return int(case["min_samples"])
    window = case.get("window")
    if not isinstance(window, int):
        return 1
    return window - 1 if case.get("closed") == "neither" else window


def over_rows(names: tuple[str, ...], function: Callable[..., float], judged: bool = False) -> Answer:
    """`function(rows, row, case, *columns)` for the rows of each window where all columns are valid.

    The columns are those that these parameters of the case name.  With `judged`, only for rows that are valid
    themselves.
    """

    def compute(frame: pd.DataFrame, case: Case) -> Any:
        columns = [frame[case[name]].astype("f8").to_numpy() for name in names]
        valid = np.all([~np.isnan(column) for column in columns], axis=0) if len(frame) else np.array([], dtype=bool)
        starts, ends = bounds(frame, case)
        answers = np.full(len(frame), np.nan)
        for row, (start, end) in enumerate(zip(starts, ends, strict=True)):
            rows = np.arange(start, end)[valid[start:end]]
            if len(rows) >= max(least_samples(case), 1) and (valid[row] or not judged):
                answers[row] = function(rows, row, case, *columns)
        return answers

    return compute


def argument(greatest: bool) -> Answer:
    """How many rows ago numpy's argmin or argmax is."""

    def offset(rows: Any, row: int, case: Case, x: Any) -> float:
        values = x[rows] if greatest else -x[rows]
        at = len(rows) - 1 - np.argmax(values[::-1]) if case.get("ties") == "last" else np.argmax(values)
        return float(row - rows[at])

    return over_rows(("column",), offset)


def zscore(rows: Any, row: int, case: Case, x: Any) -> float:
    ddof = case.get("ddof", 1)
    if len(rows) <= ddof or np.ptp(x[rows]) == 0:
        return np.nan
    return float((x[row] - x[rows].mean()) / x[rows].std(ddof=ddof))


def robust_zscore(rows: Any, row: int, _: Case, x: Any) -> float:
    deviation = scipy.stats.median_abs_deviation(x[rows], scale="normal")
    return float((x[row] - np.median(x[rows])) / deviation) if deviation else np.nan


def hampel(rows: Any, row: int, case: Case, x: Any) -> float:
    deviation = scipy.stats.median_abs_deviation(x[rows], scale="normal")
    return float(abs(x[row] - np.median(x[rows])) > case.get("threshold", 3.0) * deviation)


def trimmed_mean(rows: Any, _: int, case: Case, x: Any) -> float:
    return float(scipy.stats.trim_mean(x[rows], case.get("proportion", 0.1)))


def winsorized_mean(rows: Any, _: int, case: Case, x: Any) -> float:
    limit = case.get("proportion", 0.1)
    return float(np.mean(scipy.stats.mstats.winsorize(x[rows], limits=(limit, limit))))


def mode(rows: Any, _: int, __: Case, x: Any) -> float:
    return float(scipy.stats.mode(x[rows]).mode)


def entropy(rows: Any, _: int, case: Case, x: Any) -> float:
    return float(scipy.stats.entropy(np.unique(x[rows], return_counts=True)[1], base=case.get("base")))


def top_n(rows: Any, _: int, case: Case, x: Any, order: Any) -> float:
    ranked = rows[np.argsort(-order[rows] if case.get("largest", True) else order[rows], kind="stable")]
    top = x[ranked[: case["n"]]]
    if case.get("statistic") == "std":
        return float(top.std(ddof=1)) if len(top) > 1 else np.nan
    return float(getattr(np, case.get("statistic", "mean"))(top))


def dense_rank(rows: Any, row: int, case: Case, x: Any) -> float:
    rank = scipy.stats.rankdata(x[rows], method="dense")[rows == row][0]
    return float(rank / len(np.unique(x[rows])) if case.get("pct") else rank)


def is_constant(*columns: Any) -> bool:
    return any(len(column) < 2 or np.ptp(column) == 0 for column in columns)


def spearman(rows: Any, _: int, __: Case, x: Any, y: Any) -> float:
    return np.nan if is_constant(x[rows], y[rows]) else float(scipy.stats.spearmanr(x[rows], y[rows]).statistic)


def autocorr(frame: pd.DataFrame, case: Case) -> Any:
    values: Any = frame[case["column"]].astype("f8")
    shifted = frame.assign(_shifted=values.shift(case.get("lag", 1)))

    def of(rows: Any, _: int, __: Case, x: Any, y: Any) -> float:
        return np.nan if is_constant(x[rows], y[rows]) else float(np.corrcoef(x[rows], y[rows])[0, 1])

    return over_rows(("column", "shifted"), of)(shifted, case | {"shifted": "_shifted"})


def partial_corr(rows: Any, _: int, __: Case, x: Any, y: Any, z: Any) -> float:
    """The correlation of the residuals of two regressions."""
    if len(rows) < 3 or is_constant(x[rows], y[rows], z[rows]):
        return np.nan
    design = sm.add_constant(z[rows], has_constant="add")
    left = [values[rows] - design @ np.linalg.lstsq(design, values[rows], rcond=None)[0] for values in (x, y)]
    if any(r.var() <= 1e-10 * values[rows].var() for r, values in zip(left, (x, y), strict=True)):
        return np.nan
    return float(np.corrcoef(*left)[0, 1])


def comoment(power: int) -> Callable[..., float]:
    def of(rows: Any, _: int, __: Case, x: Any, y: Any) -> float:
        x, y = x[rows], y[rows]
        if is_constant(x, y):
            return np.nan
        return float((scipy.stats.zscore(x) * scipy.stats.zscore(y) ** power).mean())

    return of


def trend(frame: pd.DataFrame, case: Case) -> Any:
    """scipy.stats.linregress against the row's number, or against time in the unit that is asked for."""
    place = np.arange(len(frame), dtype="f8")
    if "against" in case:
        unit = pd.Timedelta(case.get("per", "1s").replace("m", "min"))
        times: Any = frame[case["against"]]
        place = ((times - pd.Timestamp(2024, 1, 1)) / unit).to_numpy(dtype="f8")

    def of(rows: Any, _: int, __: Case, x: Any) -> float:
        if is_constant(place[rows]):
            return np.nan
        return float(scipy.stats.linregress(place[rows], x[rows]).slope)

    return over_rows(("column",), of)(frame, case)


def weighted_corr(rows: Any, _: int, __: Case, x: Any, y: Any, w: Any) -> float:
    x, y, w = x[rows], y[rows], w[rows]
    if is_constant(x[w > 0], y[w > 0]):
        return np.nan
    cov = np.cov(x, y, aweights=w, ddof=0)
    return float(cov[0, 1] / np.sqrt(cov[0, 0] * cov[1, 1]))


def weighted_quantile(rows: Any, _: int, case: Case, x: Any, w: Any) -> float:
    return float(np.quantile(x[rows], case["quantile"], weights=w[rows], method="inverted_cdf"))


def fir(kind: str) -> Answer:
    """numpy, with the weights of scipy.signal.windows."""

    def weights(case: Case) -> Any:
        held = case["window"] + {"both": 1, "neither": -1}.get(case.get("closed", "right"), 0)
        shape = case["weights"]
        if not isinstance(shape, str):
            return np.array(shape, dtype="f8")
        if shape == "linear":
            return np.arange(1.0, held + 1)
        if shape == "exponential":
            return (1 - case["alpha"]) ** np.arange(held - 1, -1, -1.0)
        form = (shape, case["std"]) if shape == "gaussian" else shape
        return scipy.signal.get_window(form, held, fftbins=False)

    def compute(frame: pd.DataFrame, case: Case) -> Any:
        vector = weights(case)
        lead = (case["window"] - 1) // 2 if case.get("center") else 0
        lag = 1 if case.get("closed") in ("left", "neither") else 0

        def of(rows: Any, row: int, _: Case, x: Any) -> float:
            # The youngest place of the vector belongs to the last row of the whole window.
            w = vector[rows - (row + lead - lag) + len(vector) - 1]
            if kind == "sum":
                return float((w * x[rows]).sum())
            if w.sum() == 0:
                return np.nan
            mean = (w * x[rows]).sum() / w.sum()
            if kind == "mean":
                return float(mean)
            n, ddof = len(rows), case.get("ddof", 1)
            if n <= ddof:
                return np.nan
            variance = (w * (x[rows] - mean) ** 2).sum() / w.sum() * n / (n - ddof)
            variance = variance if variance >= 0 else np.nan
            return float(variance if kind == "var" else np.sqrt(variance))

        return over_rows(("column",), of)(frame, case)

    return compute


def ols(frame: pd.DataFrame, case: Case) -> dict[str, Any]:
    """statsmodels' WLS in every window; the fields by name."""
    predictors, intercept = case["x"], case.get("add_intercept", True)
    columns = [case["y"], *predictors, *([case["weights"]] if "weights" in case else [])]
    table = frame[columns].astype("f8")
    valid = table.notna().all(axis=1).to_numpy()
    names = [*(["intercept"] if intercept else []), *predictors]
    fields = [*names, *(f"se_{name}" for name in names), "prediction", "residual", "r2"]
    answers = {name: np.full(len(frame), np.nan) for name in fields}
    y, x = table[case["y"]].to_numpy(), table[predictors].to_numpy()
    design = np.column_stack([np.ones(len(frame)), x]) if intercept else x
    weights = table[case["weights"]].to_numpy() if "weights" in case else np.ones(len(frame))
    starts, ends = bounds(frame, case)
    for row, (start, end) in enumerate(zip(starts, ends, strict=True)):
        rows = np.arange(start, end)[valid[start:end]]
        if len(rows) < max(least_samples(case), len(names)) or np.linalg.matrix_rank(design[rows]) < len(names):
            continue
        fit = sm.WLS(y[rows], design[rows], weights[rows], hasconst=intercept).fit()
        for name, value, error in zip(names, fit.params, fit.bse, strict=True):
            answers[name][row] = value
            answers[f"se_{name}"][row] = error if len(rows) > len(names) else np.nan
        if np.ptp(y[rows]) > 0 or not intercept:
            answers["r2"][row] = fit.rsquared
        if valid[row]:
            answers["prediction"][row] = design[row] @ fit.params
            answers["residual"][row] = y[row] - design[row] @ fit.params
    wanted = case.get("fields", ["coefficients", "errors", "prediction", "residual", "r2"])
    groups = {"coefficients": names, "errors": [f"se_{name}" for name in names]}
    return {name: answers[name] for group in wanted for name in groups.get(group, [group])}
