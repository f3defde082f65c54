"""The rows of the comparison: a kernel, how its rows are keyed, and its window.

The kernels and who else computes them stand in `tests/python/oracles.py`; this file says only which settings are worth
a row, and on which columns of `inputs.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Keys = Literal["none", "text", "integer"]
Window = int | str

ROLLING = (
    *("sum", "mean", "var", "std", "sem", "skew", "kurt", "min", "max", "range", "first", "last", "count", "product"),
    *("argmin", "argmax", "any", "all", "zscore", "fir_mean"),
    *("median", "quantile", "iqr", "mad", "rank", "nunique", "mode", "entropy"),
    *("robust_zscore", "hampel", "trimmed_mean", "winsorized_mean", "top_n"),
    *("cov", "corr", "spearman", "autocorr", "partial_corr", "coskew", "cokurt"),
    *("beta", "alpha", "r2", "trend", "ols"),
    *("weighted_sum", "weighted_mean", "weighted_var", "weighted_std", "weighted_corr", "weighted_quantile"),
)
PAIRS = ("rolling_cov", "rolling_corr")
# The arguments of a rolling kernel but for its window; those that are not here take the column x alone.
PAIR, LINE, WEIGHTED = {"x": "x", "y": "y"}, {"y": "y", "x": "x"}, {"column": "x", "weights": "a"}
COLUMNS: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("cov", "corr", "spearman", "coskew", "cokurt"), PAIR),
    **dict.fromkeys(("beta", "alpha", "r2"), LINE),
    **{f"weighted_{kind}": WEIGHTED for kind in ("sum", "mean", "var", "std")},
    "any": {"column": "b"},
    "all": {"column": "b"},
    "quantile": {"column": "x", "quantile": 0.75},
    "fir_mean": {"column": "x", "weights": "hamming"},
    "top_n": {"column": "x", "order": "y", "n": 5},
    "partial_corr": {**PAIR, "given": "z"},
    "ols": {"y": "y", "x": ["x", "z"], "fields": ["coefficients", "prediction"]},
    "weighted_corr": {**PAIR, "weights": "a"},
    "weighted_quantile": {**WEIGHTED, "quantile": 0.5},
}
# A time window takes the same driver for every statistic: one of each kind of state is enough.
BY_TIME = ("rolling_mean", "rolling_std", "rolling_max", "rolling_median")
# Keys of another type change the look-up of the keys alone: one kernel shows it.
BY_INTEGER = ("rolling_mean",)
WITHOUT_WINDOW: dict[str, dict[str, Any]] = {
    **{f"expanding_{name}": {"column": "x"} for name in ("count", "sum", "mean", "var", "min", "max", "skew")},
    "expanding_corr": {"x": "x", "y": "y"},
    "expanding_ols": {"y": "y", "x": ["x", "z"], "fields": ["coefficients"]},
    "ewm_mean": {"column": "x", "span": 20},
    "cumsum_clip": {"column": "y", "lower": -3.0, "upper": 3.0},
    "affine_scan": {"a": "a", "b": "y"},
    "session_id": {"time": "ts", "gap": "3s"},
}
ROW_FUNCTIONS: dict[str, dict[str, Any]] = {
    "risk_score": {"weight": "a", "notional": "x", "factors": ["y", "z", "w"]},
    "row_dot": {"columns": ["x", "y", "z", "w"], "weights": [0.5, -2.0, 3.0, 0.25]},
}
KERNELS = [*(f"rolling_{name}" for name in ROLLING), *WITHOUT_WINDOW, *ROW_FUNCTIONS]


@dataclass(frozen=True)
class Row:
    """One row of the report: everything but the number of threads."""

    kernel: str
    keys: Keys
    window: Window | None
    case: dict[str, Any]

    @property
    def name(self) -> str:
        window = "" if self.window is None else f" {self.window}"
        keys = {"none": "", "text": ", keyed", "integer": ", integer keys"}[self.keys]
        return f"{self.kernel}{window}{keys}"


def columns_of(kernel: str) -> dict[str, Any]:
    """The arguments of a rolling kernel but for its window."""
    return COLUMNS.get(kernel.removeprefix("rolling_"), {"column": "x"})


# Keyed, the kernels of one kind of state cost the same but for their last steps: one of each kind is enough.
BY_TEXT = {
    f"rolling_{name}" for name in ("sum", "mean", "std", "kurt", "max", "count", "median", "rank", "corr", "ols")
}


def rows_of(keys: Keys, kernels: Sequence[str], windows: Sequence[Window]) -> Iterator[Row]:
    """The rows over frames with such keys."""
    for kernel in kernels:
        if keys == "integer" and kernel not in BY_INTEGER:
            continue
        if keys == "text" and kernel.startswith("rolling_") and kernel not in BY_TEXT:
            continue
        if kernel in ROW_FUNCTIONS:
            if keys == "none":
                yield Row(kernel, keys, None, ROW_FUNCTIONS[kernel])
        elif kernel in WITHOUT_WINDOW:
            yield Row(kernel, keys, None, WITHOUT_WINDOW[kernel])
        else:
            columns = columns_of(kernel)
            for window in windows:
                if isinstance(window, int):
                    yield Row(kernel, keys, window, {**columns, "window": window})
                elif kernel in BY_TIME:
                    yield Row(kernel, keys, window, {**columns, "window": window, "by": "ts"})
