"""Parts of moments and dates beyond year, month and day: what Python and pandas say, over four centuries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import hypostyle as hs
from hypostyle._functions.errors import UnsupportedError

DRAW = np.random.default_rng(8)
DAYS = [dt.date(1899, 12, 25) + dt.timedelta(days=int(n)) for n in [*range(800), *DRAW.integers(0, 110_000, 1_500)]]
MOMENTS = [
    dt.datetime(d.year, d.month, d.day) + dt.timedelta(seconds=int(s))
    for d, s in zip(DAYS, DRAW.integers(0, 86_400, len(DAYS)), strict=True)
]


def iso_week(t):
    return t.isocalendar()[1]


def iso_year(t):
    return t.isocalendar()[0] * 10 + t.isocalendar().weekday


def day_of_year(t):
    return t.timetuple().tm_yday


def ordinal(t):
    return t.toordinal()


def first_of_month(t):
    return t.replace(day=1)


@pytest.mark.parametrize(
    "function", [iso_week, iso_year, day_of_year, ordinal, first_of_month], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("times", [DAYS, MOMENTS], ids=["dates", "moments"])
def test_it_is_what_python_says(function: Callable[..., Any], times: list[Any]) -> None:
    frame = pl.DataFrame({"t": [*times, None]})
    compiled: Any = hs.jit(function)
    assert frame.select(compiled("t")).to_series().to_list() == [*map(function, times), None]


def opening(t):
    return t.replace(hour=9, minute=30, second=0, microsecond=0)


def start_of_hour(t):
    return t.replace(minute=0, second=0)


@pytest.mark.parametrize("function", [opening, start_of_hour], ids=lambda f: f.__name__)
def test_parts_of_moments_are_replaced(function: Callable[..., Any]) -> None:
    times = [moment + dt.timedelta(microseconds=7) for moment in MOMENTS[:300]]
    compiled: Any = hs.jit(function)
    assert pl.DataFrame({"t": times}).select(compiled("t")).to_series().to_list() == list(map(function, times))


PARTS = [
    "quarter", "dayofyear", "day_of_year", "days_in_month", "daysinmonth", "week", "is_leap_year", "is_month_start",
    "is_month_end", "is_year_start", "is_year_end",
]  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
def test_it_is_what_pandas_says(part: str) -> None:
    frame = pl.DataFrame({"t": MOMENTS})
    name = {"dayofyear": "day_of_year", "daysinmonth": "days_in_month"}.get(part, part)  # the first ones are deprecated
    wanted = [getattr(pd.Timestamp(moment), name) for moment in MOMENTS]
    assert frame.select(hs.jit(f"lambda t: t.{part}")("t")).to_series().to_list() == wanted


def test_what_is_refused() -> None:
    for function, words in {
        "lambda t: t.replace(day=31)": "day is replaced by a constant here: 1 to 28",
        "lambda t, n: t.replace(hour=n)": "hour is replaced by a constant here: 0 to 23",
        "lambda t: t.replace(microsecond=5)": "microsecond is replaced by a constant here: 0",
        "lambda t: t.replace(year=2000)": "replace is not compiled",
    }.items():
        with pytest.raises(UnsupportedError, match=words):
            hs.jit(function)
