"""What pandas, Polars, TA-Lib and SQL call something, and what does the same here.

One list: the messages about unknown names read it, and tools/generate.py makes docs/other-names.md of it.  Every `use`
is code that a test runs, and every kernel in it is one of the catalog.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Counterpart:
    """Names in other libraries, separated by commas, and the code that does the same here.

    The code is an expression over columns `x`, `y` and `w` of numbers, `t` of times and `key`.  It is Polars' own if no
    kernel does it; without code, `note` says what to do.
    """

    use: str
    pandas: str = ""
    polars: str = ""
    talib: str = ""
    sql: str = ""
    note: str = ""

    @property
    def by_library(self) -> list[list[str]]:
        """The names in pandas, Polars, TA-Lib and SQL."""
        return [_split(text) for text in (self.pandas, self.polars, self.talib, self.sql)]

    @property
    def advice(self) -> str:
        """What to use, in a line."""
        if not self.use:
            return self.note
        return f"use {self.use}" + (f" ({self.note})" if self.note else "")


SECTIONS: dict[str, list[Counterpart]] = {
    "Windows": [
        Counterpart('hs.rolling_mean("x", 20)', "rolling(20).mean()", "rolling_mean(20)", "SMA, MA", "AVG"),
        Counterpart(
            'hs.rolling_mean("x", "5m", by="t")',
            'rolling("5min").mean()',
            'rolling_mean_by("t", "5m")',
            sql="AVG ... RANGE INTERVAL '5 minutes' PRECEDING",
            note="so for every rolling kernel",
        ),
        Counterpart('hs.rolling_sum("x", 20)', "rolling(20).sum()", "rolling_sum(20)", "SUM", "SUM"),
        Counterpart('hs.rolling_count("x", 20)', "rolling(20).count()", sql="COUNT"),
        Counterpart('hs.rolling_product("x", 20)', "rolling(20).apply(np.prod)", sql="PRODUCT"),
        Counterpart('hs.rolling_min("x", 20)', "rolling(20).min()", "rolling_min(20)", "MIN", "MIN"),
        Counterpart('hs.rolling_max("x", 20)', "rolling(20).max()", "rolling_max(20)", "MAX", "MAX"),
        Counterpart('hs.rolling_range("x", 20)', "rolling(20).apply(np.ptp)"),
        Counterpart(
            'hs.rolling_max_drawdown("x", 20)',
            "rolling(20).apply(lambda w: (w / np.maximum.accumulate(w) - 1).min())",
        ),
        Counterpart(
            'hs.rolling_argmax("x", 20)',
            "rolling(20).apply(np.argmax)",
            note="counts rows back from the current one; pandas' from the window start",
        ),
        Counterpart('pl.int_range(pl.len()) - hs.rolling_argmax("x", 20)', talib="MAXINDEX"),
        Counterpart('pl.int_range(pl.len()) - hs.rolling_argmin("x", 20)', talib="MININDEX"),
        Counterpart('hs.rolling_std("x", 20)', "rolling(20).std()", "rolling_std(20)", sql="STDDEV, STDDEV_SAMP"),
        Counterpart('hs.rolling_std("x", 20, ddof=0)', talib="STDDEV", sql="STDDEV_POP"),
        Counterpart('hs.rolling_var("x", 20)', "rolling(20).var()", "rolling_var(20)", sql="VARIANCE, VAR_SAMP"),
        Counterpart('hs.rolling_var("x", 20, ddof=0)', talib="VAR", sql="VAR_POP"),
        Counterpart('hs.rolling_sem("x", 20)', "rolling(20).sem()", sql="SEM"),
        Counterpart(
            'hs.rolling_skew("x", 20)',
            "rolling(20).skew()",
            "rolling_skew(20, bias=False)",
            sql="SKEWNESS",
        ),
        Counterpart(
            'hs.rolling_kurt("x", 20)', "rolling(20).kurt()", "rolling_kurtosis(20, bias=False)", sql="KURTOSIS"
        ),
        Counterpart('hs.rolling_zscore("x", 20)', "(x - x.rolling(20).mean()) / x.rolling(20).std()"),
        Counterpart('hs.rolling_median("x", 20)', "rolling(20).median()", "rolling_median(20)", sql="MEDIAN"),
        Counterpart(
            'hs.rolling_quantile("x", 0.9, 20)',
            "rolling(20).quantile(0.9)",
            'rolling_quantile(0.9, "linear", 20)',
            sql="QUANTILE_CONT, PERCENTILE_CONT",
        ),
        Counterpart('hs.rolling_mad("x", 20)', sql="MAD"),
        Counterpart('hs.rolling_rank("x", 20)', "rolling(20).rank()", "rolling_rank(20)"),
        Counterpart('hs.rolling_nunique("x", 20)', "rolling(20).nunique()", sql="COUNT(DISTINCT x)"),
        Counterpart('hs.rolling_mode("x", 20)', sql="MODE"),
        Counterpart('hs.rolling_entropy("x", 20, base=2)', sql="ENTROPY"),
        Counterpart(
            'hs.rolling_first("x", 20)',
            "rolling(20).first()",
            sql="FIRST_VALUE(x IGNORE NULLS)",
            note="nulls are skipped",
        ),
        Counterpart(
            'hs.rolling_last("x", 20)', "rolling(20).last()", sql="LAST_VALUE(x IGNORE NULLS)", note="nulls are skipped"
        ),
        Counterpart('hs.rolling_any(pl.col("x") > 2, 20)', "(x > 2).rolling(20).max()", sql="BOOL_OR"),
        Counterpart('hs.rolling_all(pl.col("x") > 2, 20)', "(x > 2).rolling(20).min()", sql="BOOL_AND"),
        Counterpart(
            'hs.rolling_cov("x", "y", 20)',
            "rolling(20).cov(y)",
            'pl.rolling_cov("x", "y", window_size=20)',
            sql="COVAR_SAMP",
        ),
        Counterpart('hs.rolling_cov("x", "y", 20, ddof=0)', sql="COVAR_POP"),
        Counterpart(
            'hs.rolling_corr("x", "y", 20)',
            "rolling(20).corr(y)",
            'pl.rolling_corr("x", "y", window_size=20)',
            "CORREL",
            "CORR",
        ),
        Counterpart('hs.rolling_autocorr("x", 20, lag=1)', "rolling(20).corr(x.shift(1))"),
        Counterpart('hs.rolling_beta("y", "x", 20)', sql="REGR_SLOPE(y, x)"),
        Counterpart('hs.rolling_alpha("y", "x", 20)', sql="REGR_INTERCEPT(y, x)"),
        Counterpart('hs.rolling_r2("y", "x", 20)', sql="REGR_R2(y, x)"),
        Counterpart(
            'hs.rolling_beta(pl.col("y").pct_change(), pl.col("x").pct_change(), 5)',
            talib="BETA",
            note="TA-Lib's is the slope of the returns; that of the values is hs.rolling_beta",
        ),
        Counterpart('hs.rolling_trend("x", 14)', talib="LINEARREG_SLOPE"),
        Counterpart(
            'hs.rolling_mean("x", 14) + 6.5 * hs.rolling_trend("x", 14)', talib="LINEARREG", note="6.5 is (14 - 1) / 2"
        ),
        Counterpart('hs.rolling_mean("x", 14) - 6.5 * hs.rolling_trend("x", 14)', talib="LINEARREG_INTERCEPT"),
        Counterpart('hs.rolling_mean("x", 14) + 7.5 * hs.rolling_trend("x", 14)', talib="TSF"),
        Counterpart('hs.rolling_trend("x", 14).arctan().degrees()', talib="LINEARREG_ANGLE"),
        Counterpart('hs.rolling_ols("y", ["x", "w"], 20)', "RollingOLS(y, X, 20)"),
        Counterpart(
            'hs.rolling_weighted_mean("x", "w", 20)',
            "(x * w).rolling(20).sum() / w.rolling(20).sum()",
            note="VWAP: w is the volume",
        ),
        Counterpart('hs.rolling_fir_mean("x", 20, "linear")', talib="WMA"),
        Counterpart('hs.rolling_fir_mean("x", 21, "triang")', talib="TRIMA", note="the same for odd windows"),
        Counterpart('hs.rolling_fir_mean("x", 20, "hann")', 'rolling(20, win_type="hann").mean()'),
        Counterpart('hs.rolling_fir_mean("x", 3, [1, 2, 3])', polars="rolling_mean(3, weights=[1, 2, 3])"),
        Counterpart(
            'hs.rolling_fir_sum("x", 3, [1, 2, 3])',
            "np.convolve(x, [3, 2, 1])[: len(x)]",
            "rolling_sum(3, weights=[1, 2, 3])",
        ),
        Counterpart(
            "",
            "rolling(20).apply(f)",
            "rolling_map(f, 20)",
            note="compile f with @hs.rolling: see own-functions.md",
        ),
    ],
    "All rows so far": [
        Counterpart('hs.expanding_mean("x")', "expanding().mean()", sql="AVG", note="so for every expanding kernel"),
        Counterpart('hs.cum_sum("x")', "cumsum(), expanding().sum()", "cum_sum()", "CUMSUM", "SUM"),
        Counterpart('hs.cum_max("x")', "cummax(), expanding().max()", "cum_max()", sql="MAX"),
        Counterpart('hs.cum_min("x")', "cummin(), expanding().min()", "cum_min()", sql="MIN"),
        Counterpart('hs.cum_prod("x")', "cumprod()", "cum_prod()", sql="PRODUCT"),
        Counterpart('hs.cum_count("x")', "expanding().count()", "cum_count()", sql="COUNT"),
        Counterpart('hs.expanding_std("x")', "expanding().std()"),
        Counterpart('hs.expanding_quantile("x", 0.9)', "expanding().quantile(0.9)"),
        Counterpart('hs.expanding_first("x")', sql="FIRST_VALUE(x IGNORE NULLS)"),
        Counterpart(
            'hs.ffill("x")',
            "ffill()",
            'forward_fill(), fill_null(strategy="forward")',
            sql="LAST_VALUE(x IGNORE NULLS)",
        ),
        Counterpart('hs.ffill("x", limit=3)', "ffill(limit=3)", "forward_fill(3)"),
        Counterpart(
            'hs.cumsum_reset("x", reset=pl.col("w") > 2)',
            "(x).groupby((w > 2).cumsum()).cumsum()",
            '(pl.col("x").cum_sum().over((pl.col("w") > 2).cum_sum()))',
        ),
        Counterpart(
            'hs.drawdown("x").struct.field("drawdown")',
            "(x / x.cummax()) - 1",
            note="beside the worst so far, the rows under water and the peak",
        ),
        Counterpart('hs.expanding_max_drawdown("x")', "(x / x.cummax() - 1).cummin()"),
        Counterpart('hs.streak("x")', "(x).groupby((x != x.shift()).cumsum()).cumcount() + 1"),
        Counterpart('hs.since_true(pl.col("x") > 2)', note="barssince of charting tools"),
        Counterpart(
            'hs.expanding_count("t", over="key")',
            polars='pl.int_range(1, pl.len() + 1).over("key")',
            sql="ROW_NUMBER",
            note="of a column without nulls",
        ),
        Counterpart(
            'hs.expanding_count("t", over="key") - 1',
            "groupby(key).cumcount()",
            'pl.int_range(pl.len()).over("key")',
            note="of a column without nulls",
        ),
        Counterpart(
            'hs.cumsum_clip("x", 0, 5)',
            "cumsum().clip(0, 5)",
            "cum_sum().clip(0, 5)",
            note="clips the running sum itself at every row, not only what is shown of it",
        ),
        Counterpart(
            'hs.session_id("t", "30m")',
            '(t.diff() > "30min").cumsum()',
            '(pl.col("t").diff() > pl.duration(minutes=30)).cum_sum()',
            sql="SESSION",
        ),
        Counterpart('hs.affine_scan(0.9, "x")', sql="WITH RECURSIVE", note="y = 0.9 y + x"),
        Counterpart('hs.lfilter("x", [1.0], [1.0, -0.9])', "scipy.signal.lfilter([1], [1, -0.9], x)"),
        Counterpart(
            "",
            "for row in frame.itertuples()",
            "map_batches(f)",
            note="compile the loop with @hs.scan or @hs.loop: see own-functions.md",
        ),
    ],
    "Exponential weights": [
        Counterpart('hs.ewm_mean("x", span=20)', "ewm(span=20).mean()", "ewm_mean(span=20)"),
        Counterpart(
            'hs.ewm_mean("x", half_life="1h", by="t")',
            'ewm(halflife="1h", times=t).mean()',
            note="so for every exponentially weighted kernel",
        ),
        Counterpart(
            'hs.ewm_mean("x", half_life="1h", by="t", adjust=False)', polars='ewm_mean_by("t", half_life="1h")'
        ),
        Counterpart('hs.ewm_sum("x", span=20)', "ewm(span=20).sum()"),
        Counterpart('hs.ewm_std("x", span=20)', "ewm(span=20).std()", "ewm_std(span=20)"),
        Counterpart('hs.ewm_var("x", span=20)', "ewm(span=20).var()", "ewm_var(span=20)"),
        Counterpart('hs.ewm_corr("x", "y", span=20)', "ewm(span=20).corr(y)"),
        Counterpart('hs.ewm_cov("x", "y", span=20)', "ewm(span=20).cov(y)"),
        Counterpart('hs.ewm_beta("y", "x", span=20)', "(y).ewm(span=20).cov(x) / x.ewm(span=20).var()"),
        Counterpart('hs.ema("x", 20)', talib="EMA", note="starts from the mean of the first 20 values"),
        Counterpart('hs.wilder("x", 14)', talib="RMA", sql="", note="Wilder's moving average"),
        Counterpart('hs.dema("x", 20)', talib="DEMA"),
        Counterpart('hs.tema("x", 20)', talib="TEMA"),
        Counterpart('hs.t3("x", 5)', talib="T3"),
        Counterpart('hs.kama("x", 30)', talib="KAMA"),
    ],
    "Indicators": [
        Counterpart('(hs.rolling_max("x", 14) + hs.rolling_min("x", 14)) / 2', talib="MIDPOINT"),
        Counterpart(
            'hs.rolling_mean("x", 20) + 2 * hs.rolling_std("x", 20, ddof=0)', talib="BBANDS", note="the upper band"
        ),
        Counterpart('hs.diff("x", 10)', "diff(10)", "diff(10)", talib="MOM"),
        Counterpart('100 * hs.pct_change("x", 10)', talib="ROC"),
        Counterpart('hs.rsi("x")', talib="RSI"),
        Counterpart('hs.cmo("x")', talib="CMO"),
        Counterpart('hs.trix("x", 15)', talib="TRIX"),
        Counterpart('hs.macd("x")', talib="MACD", note="a struct"),
        Counterpart('hs.true_range("x", "y", "w")', talib="TRANGE", note="of the high, the low and the close"),
        Counterpart('hs.atr("x", "y", "w")', talib="ATR", note="of the high, the low and the close"),
        Counterpart(
            'hs.directional_movement("x", "y", "w")',
            talib="ADX, ADXR, DX, PLUS_DI, MINUS_DI, PLUS_DM, MINUS_DM",
            note="a struct, of the high, the low and the close",
        ),
        Counterpart(
            '(pl.col("x") - hs.rolling_min("x", 14)) / hs.rolling_range("x", 14) - 1',
            talib="WILLR",
            note="times 100, with the low in the minimum and the high in the maximum",
        ),
        Counterpart('hs.sar("x", "y")', talib="SAR", note="of the high and the low"),
        Counterpart(
            "", talib="HT_TRENDLINE, MAMA", note="no kernel; write the recurrence with @hs.scan: see own-functions.md"
        ),
    ],
    "Rows before and after": [
        Counterpart('hs.shift("x", 1)', "shift(), shift(1)", "shift(), shift(1)", sql="LAG"),
        Counterpart('hs.shift("x", -1)', "shift(-1)", "shift(-1)", sql="LEAD", note="in memory only"),
        Counterpart('hs.shift("x", "5m", by="t")', note="the last row at or before that time, as an ASOF join"),
        Counterpart('hs.diff("x")', "diff()", "diff()"),
        Counterpart('hs.pct_change("x")', "pct_change()", "pct_change()"),
        Counterpart('hs.pct_change("x", 10)', "pct_change(10)", "pct_change(10)"),
        Counterpart('hs.log_return("x")', "np.log(x / x.shift())", "log().diff()"),
        Counterpart('hs.bfill("x")', "bfill()", "backward_fill()", note="in memory only"),
        Counterpart('hs.interpolate("x")', "interpolate(limit_area='inside')", "interpolate()", note="in memory only"),
        Counterpart(
            'hs.interpolate("x", by="t")', 'interpolate("index")', 'interpolate_by("t")', note="in memory only"
        ),
        Counterpart(
            'pl.col("x").rank()',
            "rank()",
            "rank()",
            sql="RANK, DENSE_RANK, PERCENT_RANK, NTILE",
            note="ranks the whole column: no kernel; hs.expanding_rank ranks among the rows so far",
        ),
        Counterpart(
            "",
            "resample(rule), groupby(key).agg(f)",
            "group_by(key), group_by_dynamic(t)",
            sql="GROUP BY",
            note="kernels give a result per row; use the frame's own group_by",
        ),
    ],
}

PARAMETERS: dict[str, str] = {
    "window": "window_size, timeperiod, period, periods, length, size, win, n",
    "min_samples": "min_periods, min_count, min_obs",
    "half_life": "halflife",
    "n": "periods, n_periods",
    "ignore_nulls": "ignore_na, ignore_nan",
    "by": "on, index_column, time, times, time_column, timestamp",
    "over": "groupby, group_by, partition_by, key, keys, by",
    "quantile": "q, percentile",
    "method": "ties",
    "lower": "a_min, lower_bound, min",
    "upper": "a_max, upper_bound, max",
    "initial": "init, start",
    "gap": "timeout, threshold, max_gap",
    "covar": "given",
    "time_column": "time, by",
    "threads": "n_threads, num_threads, n_jobs",
    "column": "expr, col, x",
}
"""Our parameters, with their names elsewhere."""

NO_PARAMETERS: dict[str, str] = {
    "weights": "use hs.rolling_fir_mean for weights by position, hs.rolling_weighted_mean for weights in a column",
    "win_type": "use hs.rolling_fir_mean, _sum, _var or _std with weights='hann'",
    "bias": "the result is corrected for bias, as in pandas",
    "engine": "kernels are compiled: leave it out",
    "engine_kwargs": "kernels are compiled: leave it out",
    "raw": "kernels are compiled: leave it out",
    "numeric_only": "name the column instead",
    "axis": "kernels go along the rows; hs.row_dot goes across columns",
    "name": "name the result with .alias()",
    "alias": "name the result with .alias()",
}
"""Parameters that no kernel has, with what to do."""


def counterparts() -> Iterator[Counterpart]:
    """Return all of them."""
    for section in SECTIONS.values():
        yield from section


@cache
def by_key() -> dict[str, list[Counterpart]]:
    """Return them by what a program may try, in lower case: `rolling_std` and `std` for `rolling(20).std()`."""
    found: dict[str, list[Counterpart]] = {}
    for counterpart in counterparts():
        for names in counterpart.by_library:
            for key in {key for name in names for key in _keys(name)}:
                same = found.setdefault(key, [])
                if counterpart not in same:
                    same.append(counterpart)
    return found


def _split(text: str) -> list[str]:
    """Split at commas outside of parentheses and brackets."""
    names = [""]
    for part in text.split(", "):
        within = names[-1].count("(") > names[-1].count(")")
        if within:
            names[-1] += f", {part}"
        else:
            names.append(part)
    return [name for name in names if name]


def _keys(name: str) -> set[str]:
    """Return the identifiers of a name: those of its calls, without their arguments."""
    if not re.fullmatch(r"[\w.]+(\([^()]*\))?(\.\w+\([^()]*\))*", name):
        return set()
    words = [word.lower() for word in re.sub(r"\([^()]*\)", "", name).split(".") if word]
    words = [word for word in words if word not in ("over", "pl", "np")]
    return {"_".join(words), words[-1]}
