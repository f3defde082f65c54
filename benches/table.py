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
    *("sum", "mean", "var", "std", "skew", "kurt", "min", "max", "count"),
    *("median", "quantile", "rank", "cov", "corr", "beta", "weighted_mean"),
)
PAIRS = ("rolling_cov", "rolling_corr")
# A time window takes the same driver for every statistic: one of each kind of state is enough.
BY_TIME = ("rolling_mean", "rolling_std", "rolling_max", "rolling_median")
# Keys of another type change the look-up of the keys alone: one kernel shows it.
BY_INTEGER = ("rolling_mean",)
WITHOUT_WINDOW: dict[str, dict[str, Any]] = {
    "expanding_mean": {"column": "x"},
    "expanding_max": {"column": "x"},
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
    if kernel in PAIRS:
        return {"x": "x", "y": "y"}
    if kernel == "rolling_beta":
        return {"y": "y", "x": "x"}
    if kernel == "rolling_weighted_mean":
        return {"column": "x", "weights": "a"}
    return {"column": "x", **({"quantile": 0.75} if kernel == "rolling_quantile" else {})}


# Keyed, the kernels of one kind of state cost the same but for their last steps: one of each kind is enough.
BY_TEXT = {f"rolling_{name}" for name in ("sum", "mean", "std", "kurt", "max", "count", "median", "rank", "corr")}


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
