"""docs/ta-lib.md: every line gives what TA-Lib gives, from the same row on."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import polars as pl
import pytest
from talib import abstract as talib

import hypostyle as hs
from data import ROOT

sys.path.append(str(ROOT / "tools"))

from talib_table import SECTIONS, Same  # isort: skip

FUNCTIONS = [same for rows in SECTIONS.values() for same in rows]


def prices(rows: int = 400, seed: int = 3) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    close = 100 + np.cumsum(random.normal(0, 1, rows))
    start = close + random.normal(0, 0.5, rows)
    high = np.maximum(close, start) + np.abs(random.normal(0, 0.5, rows))
    low = np.minimum(close, start) - np.abs(random.normal(0, 0.5, rows))
    volume = random.integers(100, 10_000, rows).astype("f8")
    return {"open": start, "high": high, "low": low, "close": close, "volume": volume}


@pytest.mark.parametrize("same", FUNCTIONS, ids=lambda same: same.name)
def test_the_same_as_talib(same: Same) -> None:
    columns = prices()
    found = talib.Function(same.name)(columns)
    found = found if isinstance(found, list) else [found]
    assert len(found) == len(same.code)
    frame = pl.DataFrame(columns)
    for theirs, code, earlier in zip(found, same.code, same.earlier, strict=False):
        ours = frame.select(eval(code, {"hs": hs, "pl": pl}).cast(pl.Float64).alias("y"))["y"].to_numpy()
        theirs = np.asarray(theirs, dtype="f8")
        first = int(np.flatnonzero(~np.isnan(ours))[0])
        if same.name.endswith("INDEX"):
            theirs[:first] = np.nan  # integers have no NaN
        assert int(np.flatnonzero(~np.isnan(theirs))[0]) == first + earlier, code
        kept = slice(first + earlier, None)
        np.testing.assert_allclose(ours[kept], theirs[kept], rtol=1e-10, atol=1e-10, err_msg=code)


def test_the_range_of_keltners_channel_is_another() -> None:
    """Why KC is not in the list: its range begins anew where the band begins."""
    columns = prices()
    upper, middle, _ = talib.Function("KC")(columns)
    half = (upper - middle) / 2
    first = int(np.flatnonzero(~np.isnan(half))[0])
    frame = pl.DataFrame(columns)
    ranges = frame.select(hs.true_range("high", "low", "close")).to_series()
    assert half[first] == pytest.approx(ranges[first - 9 : first + 1].mean())
    assert half[first] != pytest.approx(frame.select(hs.atr("high", "low", "close", 10)).to_series()[first])


def test_enough_of_them() -> None:
    assert len({same.name for same in FUNCTIONS}) == len(FUNCTIONS) >= 75
