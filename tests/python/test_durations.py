"""Durations in the words of Python, numpy and pandas: the same kernel as with ours."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import hypostyle as hs
from data import plain

FRAME = plain(200).sort("ts")

SAME: list[tuple[Any, str]] = [
    ("5min", "5m"),
    ("1h30min", "1h30m"),
    ("2D", "2d"),
    ("1W", "7d"),
    ("30s", "30s"),
    ("500ms", "500ms"),
    ("100us", "100us"),
    (pd.Timedelta("5min"), "5m"),
    (pd.Timedelta(7, "ns"), "7ns"),
    (pd.offsets.Minute(5), "5m"),
    (pd.offsets.Hour(2), "2h"),
    (timedelta(minutes=5), "5m"),
    (np.timedelta64(5, "m"), "5m"),
    (np.timedelta64(2, "D"), "2d"),
]


@pytest.mark.parametrize(("given", "ours"), SAME, ids=[str(given) for given, _ in SAME])
def test_durations_mean_the_same(given: Any, ours: str) -> None:
    for make in (
        lambda window: hs.rolling_mean("x", window, by="ts"),
        lambda window: pl.col("x").hs.rolling_sum(window, by="ts", over="key"),  # type: ignore[attr-defined]
        lambda gap: hs.session_id("ts", gap),
        lambda per: hs.rolling_trend("x", 5, against="ts", per=per),
        lambda window: hs.rolling(lambda values: values.max() - values.min())("x", window, by="ts"),
    ):
        assert make(given)._kernel.normal == make(ours)._kernel.normal


def test_every_interface_takes_them() -> None:
    ours, theirs = (hs.rolling_sum("x", window, by="ts", over="key").alias("s") for window in ("5m", "5min"))
    expected = FRAME.with_columns(ours)
    assert FRAME.with_columns(theirs).equals(expected)
    assert hs.Stage(theirs).advance(FRAME).equals(expected)
    assert FRAME.lazy().hs.with_columns(theirs).collect().equals(expected)  # type: ignore[attr-defined]
    pandas = hs.with_columns(FRAME.to_pandas(), theirs)["s"]
    assert pandas.equals(hs.with_columns(FRAME.to_pandas(), ours)["s"])
    stage = hs.Stage(ours)
    stage.advance(FRAME)
    idle = stage.copy()
    assert stage.evict(idle_for="1min") == idle.evict(idle_for="1m")


WRONG: list[tuple[Any, str]] = [
    ("1M", "\"1M\" is not a valid duration: 'M' could be minutes or months\nhelp: write '1m' for minutes"),
    ("1mo", "calendar unit 'mo'.*\nhelp: use days"),
    ("5T", "\"5T\" is not .* 'T' .*\nhelp: write '5m'"),
    ("2H", "\"2H\" is not .* 'H' .*\nhelp: write '2h'"),
    ("1.5h", '"1.5h" is not a valid duration\nhelp: write an integer and a unit'),
    ("5 parsecs", '"5 parsecs" is not a valid duration'),
    (timedelta(minutes=-5), "must be positive, got -0:05:00"),
    (timedelta(0), "must be positive, got 0:00:00"),
    (pd.Timedelta("-5min"), "must be positive, got -0 days 00:05:00"),
    (np.timedelta64(-5, "m"), "must be positive, got -5 minutes"),
    (np.timedelta64("NaT"), "is not a time"),
    (np.timedelta64(5), "has no unit"),
    (np.timedelta64(1, "M"), "has no fixed length"),
]


@pytest.mark.parametrize(("window", "message"), WRONG, ids=[repr(window) for window, _ in WRONG])
def test_durations_that_are_refused(window: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"rolling_mean, parameter 'window': .*{message}"):
        hs.rolling_mean("x", window, by="ts")
    with pytest.raises(ValueError, match=f"session_id, parameter 'gap': .*{message}"):
        hs.session_id("ts", window)


def test_offsets_without_a_length() -> None:
    for offset in (pd.offsets.MonthEnd(1), pd.offsets.Week(1)):
        with pytest.raises((ValueError, TypeError), match=r"rolling_mean, parameter .window.: .*fixed length"):
            hs.rolling_mean("x", offset, by="ts")  # type: ignore[arg-type]
