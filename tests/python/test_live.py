"""Rows that come alone: the answers of frames, for every type of value, and clear errors that lose nothing."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pytest

import hypostyle as hs
from data import plain

KERNELS = [
    hs.rolling_mean("x", 3, over="key").alias("mean"),
    hs.ewm_mean("x", span=5, over="key").alias("ewm"),
    hs.rolling_sum("i", "10m", by="ts", over="key").alias("sum"),
    hs.rolling_max("high", 4, over="key").alias("max"),
    hs.rolling_ols("y", "x", 5, fields=["coefficients", "r2"], over="key").alias("ols"),
    hs.session_id("ts", "5m", over="key").alias("session"),
]


def test_rows_answer_as_frames_do() -> None:
    frame = plain(600).sort("ts")
    expected = hs.with_columns(frame, *KERNELS).select("mean", "ewm", "sum", "max", "ols", "session")
    stage = hs.Stage(KERNELS)
    stage.advance(frame.head(100))
    got = []
    for row in frame.slice(100).iter_rows(named=True):
        peeked = stage.peek_row(row)
        got.append(stage.advance_row(row))
        assert same(peeked, got[-1])
    for ours, theirs in zip(got, expected.slice(100).to_dicts(), strict=True):
        ols = theirs["ols"]
        if ols is not None and all(value is None for value in ols.values()):
            theirs["ols"] = None
        assert same(ours, theirs)
    assert stage.rows == 600


def same(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return bool(one == other) or (one != one and other != other)


def test_the_types_must_be_known() -> None:
    stage = hs.Stage(hs.rolling_mean("x", 2, over="key"))
    with pytest.raises(ValueError, match="the types of its columns aren't known; tell them with `begin`"):
        stage.advance_row({"x": 1.0, "key": "a"})
    with pytest.raises(hs.ColumnNotFoundError, match="no column 'key'"):
        stage.begin({"x": pl.Float64})
    stage.begin({"x": pl.Float64, "key": pl.String, "more": pl.Int8})
    assert stage.advance_row({"x": 1, "key": "a", "whatever": object()}) == {"x": None}
    assert stage.advance(pl.DataFrame({"x": [3.0], "key": ["a"]}))["x"].to_list() == [2.0]


UTC = timezone.utc
VALUES: list[tuple[Any, list[Any], Any]] = [
    (pl.Int8, [1, -7, None], 300),
    (pl.UInt64, [2**64 - 1, 0, None], -1),
    (pl.Int64, [-(2**63), 5], 1.5),
    (pl.Boolean, [True, False, None], 1),
    (pl.Date, [date(2020, 2, 29), date(1960, 1, 1), np.datetime64("2021-01-01")], datetime(2020, 1, 1)),
    (pl.Time, [time(23, 59, 59, 999_999), time(0)], 1.5),
    (pl.Duration("us"), [timedelta(days=-1, microseconds=3), np.timedelta64(5, "s")], 1.5),
    (
        pl.Datetime("ns"),
        [datetime(2020, 1, 1, 1, 2, 3, 4), pd.Timestamp("2020-01-01")],
        datetime(2020, 1, 1, tzinfo=UTC),
    ),
    (pl.Datetime("ms"), [datetime(1960, 1, 1), np.datetime64("2020-01-01T00:00:01", "ns")], "2020-01-01"),
    (
        pl.Datetime("us", "Europe/Berlin"),
        [datetime(2020, 7, 1, tzinfo=ZoneInfo("Europe/Berlin")), datetime(2020, 7, 1, 3, tzinfo=UTC)],
        datetime(2020, 1, 1),
    ),
]


@pytest.mark.parametrize(("dtype", "values", "wrong"), VALUES, ids=[str(dtype) for dtype, _, _ in VALUES])
def test_values_of_every_type(dtype: Any, values: list[Any], wrong: Any) -> None:
    """`expanding_last` gives each value back as Polars does."""
    stage = hs.Stage(hs.expanding_last("v"))
    stage.begin({"v": dtype})
    framed = hs.Stage(hs.expanding_last("v"))
    for value in values:
        plainly = value.astype(f"{type(value).__name__}[s]").item() if isinstance(value, np.generic) else value
        expected = framed.advance(pl.DataFrame({"v": pl.Series([plainly]).cast(dtype)}))["v"].to_list()[0]
        assert stage.advance_row({"v": value}) == {"v": expected}
    with pytest.raises(TypeError, match=r"column 'v' has type .*, which can't hold the row's value"):
        stage.advance_row({"v": wrong})


@pytest.mark.parametrize("dtype", [pl.Float32, pl.Float64])
def test_floats_are_rounded_as_their_column_is(dtype: Any) -> None:
    values = [0.1, 2, 1e10, float("nan"), float("inf")]
    stage, framed = hs.Stage(hs.expanding_sum("v")), hs.Stage(hs.expanding_sum("v"))
    stage.begin({"v": dtype})
    for value in values:
        expected = framed.advance(pl.DataFrame({"v": pl.Series([value], dtype=dtype)}))["v"].to_list()
        assert same(stage.advance_row({"v": value})["v"], expected[0])


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        (pl.String, ["a", "a longer name than that", "", None, "a"]),
        (pl.Categorical, ["u", "v", None, "u"]),
        (pl.Enum(["u", "v"]), ["u", "v", None, "u"]),
        (pl.Int16, [5, -5, None, 5]),
        (pl.Date, [date(2020, 1, 1), None, date(2020, 1, 1)]),
        (pl.Boolean, [True, None, True]),
    ],
    ids=str,
)
def test_keys_of_every_type(dtype: Any, values: list[Any]) -> None:
    frame = pl.DataFrame({"key": pl.Series(values, dtype=dtype), "other": [1] * len(values), "x": [1.0] * len(values)})
    for over in ("key", ["key", "other"]):
        kernel = hs.expanding_count("x", over=over)
        expected = hs.with_columns(frame, kernel)["x"].to_list()
        stage = hs.Stage(kernel)
        stage.begin(frame.schema)
        assert [stage.advance_row(row)["x"] for row in frame.iter_rows(named=True)] == expected


def test_keys_without_single_values_are_refused() -> None:
    stage = hs.Stage(hs.expanding_count("x", over="key"))
    stage.advance(pl.DataFrame({"key": [1.5], "x": [1]}))
    with pytest.raises(TypeError, match="a key of type Float64 can't come as a single value; give its rows as a batch"):
        stage.advance_row({"key": 1.5, "x": 1})


def test_errors_lose_nothing() -> None:
    stage = hs.Stage([hs.rolling_sum("x", "5s", by="t", over="key"), hs.expanding_mean("x", over="key").alias("m")])
    stage.advance(pl.DataFrame({"t": [10], "x": [1.0], "key": ["a"]}).with_columns(pl.col("t").cast(pl.Datetime("ms"))))
    before = stage.state()
    good = {"t": 20, "x": 2.0, "key": "a"}
    for wrong, message in [
        (good | {"t": 5}, "time column 't' decreases in row 1 of key key=\"a\": .* after .*; sort by it first"),
        (good | {"t": None, "key": "new"}, "time column 't' is null in row 1 of key key=\"new\""),
        (good | {"x": "two"}, "column 'x' has type Float64, which can't hold the row's value 'two'"),
        ({"t": 20, "x": 1.0}, "the row lacks the column 'key'"),
    ]:
        for call in (stage.advance_row, stage.peek_row):
            with pytest.raises((ValueError, TypeError, hs.ColumnNotFoundError), match=message):
                call(wrong)
    assert stage.state().equals(before)
    assert stage.keys == 1
    assert stage.advance_row(good)["m"] == 1.5


def test_threads_may_send_rows() -> None:
    stage = hs.Stage(hs.expanding_count("x"))
    stage.begin({"x": pl.Float64})
    frame = pl.DataFrame({"x": [1.0] * 100_000})
    start = threading.Barrier(4)

    def feed(at: int) -> list[int]:
        start.wait()
        if at == 0:
            return [n for _ in range(10) for n in stage.advance(frame)["x"].to_list()]
        return [stage.advance_row({"x": 1.0})["x"] for _ in range(5000)]

    with ThreadPoolExecutor(4) as pool:
        seen = sorted(n for part in pool.map(feed, range(4)) for n in part)
    assert seen == list(range(1, 10 * 100_000 + 3 * 5000 + 1))


def test_an_event_loop_sends_rows() -> None:
    """As in docs/live.md: a queue of rows in, a queue of features out."""
    stage = hs.Stage(hs.rolling_mean("price", 2, over="symbol").alias("mean"))
    stage.begin({"symbol": pl.String, "price": pl.Float64})

    async def run() -> list[Any]:
        rows: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        features: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

        async def worker() -> None:
            while (row := await rows.get()) is not None:
                await features.put(row | stage.advance_row(row))

        task = asyncio.create_task(worker())
        for price in (1.0, 3.0, 5.0):
            await rows.put({"symbol": "a", "price": price})
        await rows.put(None)
        await task
        return [features.get_nowait()["mean"] for _ in range(3)]

    assert asyncio.run(run()) == [None, 2.0, 4.0]
