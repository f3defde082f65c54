"""The rows of the comparison: a kernel, how its rows are keyed, and its window.

The kernels are those of the catalog.  Their arguments and who else computes them are in `tests/python/oracles.py`; this
file says only which settings are worth a row.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import hypostyle as hs

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests" / "python"))

from oracles import ORACLES

Keys = Literal["none", "text", "integer"]
Window = int | str

CATALOG = hs.kernels()
KERNELS: list[str] = CATALOG["name"].to_list()
ROLLING: list[str] = CATALOG.filter(family="rolling")["name"].to_list()
ROW_FUNCTIONS: list[str] = CATALOG.filter(family="row")["name"].to_list()
# A result costs a pass over its window: too slow for long ones.
PASSES = [name for name in KERNELS if ORACLES[name].passes]
# Each row of an expanding kernel would cost a pass over all rows before it: hours.
WITHOUT_ROW = [name for name in PASSES if name.startswith("expanding_")]
# A time window takes the same driver for every statistic: one of each kind of state is enough.
BY_TIME = ("rolling_mean", "rolling_std", "rolling_max", "rolling_median")
# Keys of another type change the look-up of the keys alone: one kernel shows it.
BY_INTEGER = ("rolling_mean",)
# Keyed, the kernels of one kind of state cost the same except for their last steps: one of each kind is enough.
BY_TEXT = (
    *(f"rolling_{name}" for name in ("sum", "mean", "std", "kurt", "max", "count", "median", "rank", "corr", "ols")),
    *(f"expanding_{name}" for name in ("count", "sum", "mean", "var", "min", "max", "skew", "corr", "ols")),
)


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


def rows_of(keys: Keys, kernels: Sequence[str], windows: Sequence[Window]) -> Iterator[Row]:
    """The rows over frames with such keys."""
    for kernel in kernels:
        if kernel in WITHOUT_ROW or (keys == "integer" and kernel not in BY_INTEGER):
            continue
        if keys == "text" and kernel.startswith(("rolling_", "expanding_")) and kernel not in BY_TEXT:
            continue
        arguments = ORACLES[kernel].timed
        if kernel not in ROLLING:
            if keys == "none" or kernel not in ROW_FUNCTIONS:
                yield Row(kernel, keys, None, arguments)
            continue
        for window in windows:
            if isinstance(window, int):
                yield Row(kernel, keys, window, {**arguments, "window": window})
            elif kernel in BY_TIME:
                yield Row(kernel, keys, window, {**arguments, "window": window, "by": "ts"})
