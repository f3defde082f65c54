"""Shifts, differences and returns: values worked by hand, types, time, later rows; cumulative kernels of integers."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
import polars as pl
import pytest

import hypostyle as hs

NOON = datetime(2024, 1, 2, 12)


def column(kernel: hs.KernelExpr, **columns: Any) -> list[Any]:
    return pl.DataFrame(columns).select(kernel.alias("y"))["y"].to_list()


def test_rows_before_and_after() -> None:
    x = [1.0, None, 4.0, 2.0]
    assert column(hs.shift("x"), x=x) == [None, 1.0, None, 4.0]
    assert column(hs.shift("x", 2), x=x) == [None, None, 1.0, None]
    assert column(hs.shift("x", 0), x=x) == x
    assert column(hs.shift("x", -1), x=x) == [None, 4.0, 2.0, None]
    assert column(hs.shift("x", 9), x=x) == [None] * 4
    assert column(hs.diff("x", -1), x=x) == [None, None, 2.0, None]
    # A null on either side gives null.
    assert column(hs.diff("x"), x=x) == [None, None, None, -2.0]
    assert column(hs.pct_change("x"), x=[-2.0, 1.0, 0.0, 3.0]) == [None, -1.5, -1.0, math.inf]
    assert column(hs.log_return("x"), x=[1.0, math.e, 0.0]) == [None, pytest.approx(1.0, 1e-15), -math.inf]
    # Close values lose no digits.
    assert column(hs.log_return("x"), x=[1e9, 1e9 + 1])[1] == pytest.approx(9.999999995e-10, 1e-15)


def test_by_time() -> None:
    frame = pl.DataFrame(
        {
            "t": [NOON + timedelta(minutes=m) for m in (0, 2, 5, 5, 7, 30)],
            "x": [1.0, 2.0, 3.0, 4.0, None, 6.0],
            "k": ["a", "a", "a", "b", "a", "a"],
        }
    )
    shifted = frame.select(hs.shift("x", "5m", by="t"))["x"].to_list()
    assert shifted == [None, None, 1.0, 1.0, 2.0, None]
    assert frame.select(hs.shift("x", timedelta(minutes=5), by="t", over="k"))["x"].to_list() == [
        *(None, None, 1.0, None, 2.0),
        None,
    ]
    assert frame.select(hs.diff("x", "2m", by="t"))["x"].to_list() == [None, 1.0, 1.0, 2.0, None, None]


@pytest.mark.parametrize(
    ("values", "shifted", "differences"),
    [
        ([2**53, 2**53 + 1], pl.Int64, pl.Int64),
        ([True, False], pl.Boolean, pl.Int64),
        ([date(2024, 1, 1), date(2024, 3, 1)], pl.Date, pl.Duration("ms")),
        ([NOON, NOON + timedelta(seconds=1)], pl.Datetime("us"), pl.Duration("us")),
        ([timedelta(1), timedelta(3)], pl.Duration("us"), pl.Duration("us")),
        (pl.Series([1, 2**64 - 1], dtype=pl.UInt64), pl.UInt64, pl.Int64),
        (pl.Series([1.0, 2.5], dtype=pl.Float32), pl.Float32, pl.Float32),
    ],
)
def test_types(values: Any, shifted: Any, differences: Any) -> None:
    frame = pl.DataFrame({"x": values})
    found = frame.select(hs.shift("x").alias("s"), hs.diff("x").alias("d"))
    assert found["s"].dtype == shifted
    assert found["s"].to_list() == [None, frame["x"][0]]
    assert found["d"].dtype == differences
    exact = frame["x"][1] - frame["x"][0] if frame["x"].dtype != pl.Boolean else -1
    within = not isinstance(exact, int) or -(2**63) <= exact < 2**63
    assert found["d"].to_list() == [None, exact if within else None]


def test_a_stage_takes_no_later_rows() -> None:
    with pytest.raises(ValueError, match="later rows"):
        hs.Stage(hs.shift("x", -1).alias("y"))
    stage = hs.Stage(hs.shift("x", 2, over="k").alias("y"))
    assert stage.advance(pl.DataFrame({"k": [1, 1], "x": [1.0, 2.0]}))["y"].to_list() == [None, None]
    assert stage.advance_row({"k": 1, "x": 3.0})["y"] == 1.0
    stage = hs.Stage.from_bytes(stage.to_bytes())
    assert stage.advance(pl.DataFrame({"k": [1, 2], "x": [4.0, 5.0]}))["y"].to_list() == [2.0, None]


@pytest.mark.parametrize(
    ("kernel", "words"),
    [
        (lambda: hs.shift("x", "5m"), "'by': required, because 'n' is a duration"),
        (lambda: hs.shift("x", 1, by="t"), "'by': needs a duration"),
        (lambda: hs.shift("x", "5 minutes"), "'n': .*duration"),
        (lambda: hs.shift("x", -(2**40)), "'n': must be at least"),
        (lambda: hs.shift("x", periods=2), "did you mean 'n'"),
        (lambda: hs.cum_sum("x", min_samples=-1), "'min_samples': must not be negative"),
        (lambda: hs.ema("x", -1), "'window': must not be negative"),
    ],
)
def test_what_does_not_go_together_is_refused(kernel: Any, words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        kernel()


def test_pandas_frames() -> None:
    frame = pd.DataFrame({"k": ["a", "b", "a"], "x": [1.0, 2.0, 4.0]})
    found = hs.with_columns(frame, hs.diff("x", over="k").alias("d"), hs.cum_sum("x", over="k").alias("c"))
    assert found["d"].tolist()[2] == 3.0
    assert found["c"].tolist() == [1.0, 2.0, 5.0]


def test_cumulative_sums_keep_integers() -> None:
    assert column(hs.cum_sum("x"), x=[2**53, 1, None, -1]) == [2**53, 2**53 + 1, 2**53 + 1, 2**53]
    assert column(hs.cum_sum("x"), x=[2**63 - 1, 1, -1]) == [2**63 - 1, None, 2**63 - 1]
    assert column(hs.cum_sum("x"), x=[True, True, None]) == [1, 2, 2]
    assert column(hs.cum_sum("x"), x=[timedelta(1), timedelta(2)]) == [timedelta(1), timedelta(3)]
    assert column(hs.cum_count("x"), x=["a", None, "b"]) == [1, 1, 2]
    assert column(hs.cum_max("x"), x=[date(2024, 1, 1), date(2023, 1, 1)]) == [date(2024, 1, 1)] * 2
    with pytest.raises(TypeError, match="cum_sum, column 'x': expected a number"):
        hs.with_columns(pl.DataFrame({"x": [NOON]}), hs.cum_sum("x"))
