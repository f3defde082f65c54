"""`hs.rolling`: statistics that SciPy and NumPy have of a window, on short and on constant windows too."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

import hypostyle

hs: Any = hypostyle

VALUES = [
    3.0,
    -1.0,
    None,
    4.0,
    0.0,
    5.0,
    -9.0,
    2.5,
    2.5,
    2.5,
    None,
    2.5,
    2.5,
    1.0,
    1e6,
    1e6 + 1,
    1e6,
    1e6,
    1e6,
    1e6,
    0.1,
    0.1,
]
FRAME = pl.DataFrame({"x": VALUES, "key": ["a", "b"] * 11})


def windows(size: int, keys: list[str]) -> list[np.ndarray[Any, Any] | None]:
    """Return the valid values of the window of each row; None where there are none."""
    found = []
    for row, key in enumerate(keys):
        rows = [i for i in range(row + 1) if keys[i] == key][-size:]
        values = [x for x in (VALUES[i] for i in rows) if x is not None]
        found.append(np.array(values) if values else None)
    return found


def deviation(window):
    return np.median(np.abs(window - np.median(window)))


def lean(window, limit=0.5):
    return 1 if stats.skew(window) > limit else -1 if stats.skew(window) < -limit else 0


FUNCTIONS = [
    lambda w: stats.skew(w),
    lambda w: stats.skew(w, bias=False),
    lambda w: stats.kurtosis(w),
    lambda w: stats.kurtosis(w, bias=False),
    lambda w: stats.iqr(w),
    lambda w: stats.median_abs_deviation(w),
    lambda w: stats.trim_mean(w, 0.2),
    lambda w: stats.trim_mean(w, proportiontocut=0.25),
    lambda w: stats.sem(w),
    lambda w: stats.sem(w, ddof=0),
    lambda w: len(np.unique(w)),
    lambda w: np.unique(w).size,
    lambda w: len(set(w)),
    lambda w: stats.iqr(w) / (1 + len(set(w))),
    deviation,
    lean,
]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("over", [None, "key"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_they_are_those_of_scipy(function: Any, over: str | None, size: int) -> None:
    got = FRAME.select(hs.rolling(function)("x", size, over=over)).to_series().to_list()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        every = windows(size, FRAME["key"].to_list() if over else ["a"] * len(VALUES))
        expected = [None if window is None else float(function(window)) for window in every]
    for row, (x, want) in enumerate(zip(got, expected, strict=True)):
        if want is None or math.isnan(want):
            assert x is want is None or math.isnan(x), f"row {row}: {x}, not {want}"
        else:
            assert x == pytest.approx(want, rel=1e-9, abs=1e-9), f"row {row}"


def test_numbers_of_different_values_are_integers() -> None:
    assert FRAME.select(hs.rolling(lambda w: len(np.unique(w)))("x", 3)).to_series().dtype == pl.Int64


def test_what_is_no_constant_is_refused() -> None:
    def cut(window, share=0.1):
        return stats.trim_mean(window, share)

    for function in (
        cut,
        lambda w: stats.trim_mean(w, 0.6),
        lambda w: stats.skew(w, axis=None),
        lambda w: stats.gmean(w),
    ):
        with pytest.raises(hypostyle.UnsupportedError, match="this is not known of a window"):
            hs.rolling(function)
