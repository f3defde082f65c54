"""Rows that come alone: the answers of frames, for every type of value, and clear errors that lose nothing."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta, timezone
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
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
    assert stage.n_rows == 600


def same(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return bool(one == other) or (one != one and other != other)


def test_the_types_must_be_known() -> None:
    stage = hs.Stage(hs.rolling_mean("x", 2, over="key"))
    with pytest.raises(ValueError, match="the types of the columns are not known yet"):
        stage.advance_row({"x": 1.0, "key": "a"})
    with pytest.raises(hs.ColumnNotFoundError, match="column 'key': column not found"):
        stage.set_schema({"x": pl.Float64})
    stage.set_schema({"x": pl.Float64, "key": pl.String, "more": pl.Int8})
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
    stage.set_schema({"v": dtype})
    framed = hs.Stage(hs.expanding_last("v"))
    for value in values:
        plainly = value.astype(f"{type(value).__name__}[s]").item() if isinstance(value, np.generic) else value
        expected = framed.advance(pl.DataFrame({"v": pl.Series([plainly]).cast(dtype)}))["v"].to_list()[0]
        assert stage.advance_row({"v": value}) == {"v": expected}
    with pytest.raises(
        TypeError, match=r"column 'v'(: expected a value of type| has type .*, which cannot hold the value)"
    ):
        stage.advance_row({"v": wrong})


@pytest.mark.parametrize("dtype", [pl.Float32, pl.Float64])
def test_floats_are_rounded_as_their_column_is(dtype: Any) -> None:
    values = [0.1, 2, 1e10, float("nan"), float("inf")]
    stage, framed = hs.Stage(hs.expanding_sum("v")), hs.Stage(hs.expanding_sum("v"))
    stage.set_schema({"v": dtype})
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
        stage.set_schema(frame.schema)
        assert [stage.advance_row(row)["x"] for row in frame.iter_rows(named=True)] == expected


def test_keys_without_single_values_are_refused() -> None:
    stage = hs.Stage(hs.expanding_count("x", over="key"))
    stage.advance(pl.DataFrame({"key": [1.5], "x": [1]}))
    with pytest.raises(
        TypeError, match="a key of type Float64 cannot be given as a single value\nhelp: pass the rows as"
    ):
        stage.advance_row({"key": 1.5, "x": 1})


def test_errors_lose_nothing() -> None:
    stage = hs.Stage([hs.rolling_sum("x", "5s", by="t", over="key"), hs.expanding_mean("x", over="key").alias("m")])
    stage.advance(pl.DataFrame({"t": [10], "x": [1.0], "key": ["a"]}).with_columns(pl.col("t").cast(pl.Datetime("ms"))))
    before = stage.state()
    good = {"t": 20, "x": 2.0, "key": "a"}
    for wrong, message in [
        (
            good | {"t": 5},
            "column 't', row 1: the time column is not sorted for key key=\"a\": .* after .*"
            "since the stage began.\nhelp: leave the row out, or hold rows back",
        ),
        (good | {"t": None, "key": "new"}, "column 't', row 1: the time column has a null for key key=\"new\""),
        (good | {"x": "two"}, "column 'x' has type Float64, which cannot hold the value 'two'"),
        ({"t": 20, "x": 1.0}, "the row has no column 'key'"),
    ]:
        for call in (stage.advance_row, stage.peek_row):
            with pytest.raises((ValueError, TypeError, hs.ColumnNotFoundError), match=message):
                call(wrong)
    assert stage.state().equals(before)
    assert stage.n_keys == 1
    assert stage.advance_row(good)["m"] == 1.5


def test_threads_may_send_rows() -> None:
    stage = hs.Stage(hs.expanding_count("x"))
    stage.set_schema({"x": pl.Float64})
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
    stage.set_schema({"symbol": pl.String, "price": pl.Float64})

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


def test_types_stay_when_a_first_batch_fails() -> None:
    stage = hs.Stage([hs.rolling_sum("x", "5i", by="t"), hs.expanding_last("when").alias("last")])
    stage.set_schema({"x": pl.Float64, "t": pl.Int64, "when": pl.Datetime("us")})
    at = datetime(2024, 1, 1)
    good = {"x": 1.0, "t": 1, "when": at}
    milli = pl.DataFrame([good], schema={"x": pl.Float64, "t": pl.Int64, "when": pl.Datetime("ms")})
    back = pl.DataFrame([good | {"t": 5}, good])
    for _ in range(2):
        with pytest.raises(TypeError, match=r"'when': expected Timestamp.*, as in earlier batches"):
            stage.advance(milli)
        with pytest.raises(ValueError, match=r"'t', row .*: the time column is not sorted"):
            stage.advance(back)
    with pytest.raises(TypeError, match="column 'when': expected"):
        stage.set_schema(milli)
    stage.set_schema(back)
    assert stage.advance_row(good) == {"x": 1.0, "last": at}
    with pytest.raises(hs.ColumnNotFoundError, match="no column 'day', which the stage itself reads"):
        hs.Stage(hs.expanding_last("x"), time_column="day").set_schema({"x": pl.Float64})


def test_what_python_can_not_show_comes_as_an_integer() -> None:
    """Nothing is kept of a row whose answer can't be given; so every answer can."""
    for dtype, value in [(pl.Datetime("us"), 10**18), (pl.Date, 2**30), (pl.Duration("ms"), 2**62)]:
        stage = hs.Stage(hs.expanding_last("t"))
        stage.set_schema({"t": dtype})
        assert stage.advance_row({"t": value}) == {"t": value}
    zoned = pa.table({"t": pa.array([0], pa.timestamp("us", "+01:30"))})
    stage = hs.Stage(hs.expanding_last("t"))
    stage.advance(zoned)
    given = datetime(2024, 1, 1, tzinfo=timezone(timedelta(minutes=90)))
    assert stage.advance_row({"t": given}) == {"t": given}


@pytest.mark.parametrize("no_time", [np.datetime64("NaT"), pd.NaT])
def test_no_time_is_null(no_time: Any) -> None:
    stage = hs.Stage([hs.rolling_count("t", 5)])
    stage.set_schema({"t": pl.Datetime("ns")})
    assert stage.advance_row({"t": no_time}) == {"t": 0}
    with pytest.raises(TypeError, match="cannot hold the value"):
        stage.advance_row({"t": np.datetime64("20000-01-01", "s")})


def test_a_signal_handler_may_use_the_stage() -> None:
    """Python's code never runs while the stage is taken, so that it can't wait for itself."""
    stage = hs.Stage(hs.expanding_sum("x"))
    stage.set_schema({"x": pl.Float64})

    class Asks:
        def __float__(self) -> float:
            return float(stage.n_rows)

    stage.advance_row({"x": 1.0})
    assert stage.advance_row({"x": Asks()}) == {"x": 2.0}


def test_rows_of_any_mapping() -> None:
    stage = hs.Stage(hs.expanding_any("b"))
    stage.set_schema({"b": pl.Boolean})
    assert stage.advance_row(MappingProxyType({"b": np.bool_(True)})) == {"b": True}


def test_columns_without_a_value_suit_any_type() -> None:
    stage = hs.Stage(hs.expanding_sum("x", over="key"))
    stage.advance(pl.DataFrame({"x": [1], "key": ["a"]}))
    assert stage.advance(pl.DataFrame({"x": [None, None], "key": ["a", None]}))["x"].to_list() == [1, None]
    assert stage.advance(pl.DataFrame({"x": [5], "key": [None]}))["x"].to_list() == [5]


def test_peeking_at_many_new_keys_keeps_no_memory() -> None:
    for keys in (pl.int_range(1_000_000), pl.format("key {}", pl.int_range(1_000_000))):
        frame = pl.select(key=keys).with_columns(x=1.0)
        stage = hs.Stage(hs.expanding_sum("x", over="key"))
        stage.advance(frame.head(1))
        stage.peek(frame)
        assert stage.state_bytes() < 8e6
        assert sum(part.state_bytes() for part in stage.split(1)) < 1e5


def test_rows_are_never_cut_to_the_column() -> None:
    stage = hs.Stage(hs.rolling_count("x", "1s", by="t", over="k").alias("n"))
    stage.set_schema({"x": pl.Float64, "k": pl.Enum(["a", "b"]), "t": pl.Datetime("ms")})
    noon = datetime(2024, 1, 1, 12)
    for late in (
        noon.replace(microsecond=1_500),
        np.datetime64("2024-01-01T12:00:00.000001"),
        pd.Timestamp("2024-01-01 12:00:00.000000001"),
    ):
        for call in (stage.advance_row, stage.peek_row):
            with pytest.raises(
                TypeError, match=r"column 't': got .*, which is finer than the milliseconds of the column"
            ):
                call({"x": 1.0, "k": "a", "t": late})
    with pytest.raises(TypeError, match=r"column 't': got .* finer than the milliseconds"):
        stage.evict(before=noon.replace(microsecond=1))
    assert stage.n_rows == 0
    assert stage.advance_row({"x": 1.0, "k": "a", "t": noon.replace(microsecond=2_000)}) == {"n": 1}


def test_rows_have_the_categories_of_an_enum() -> None:
    keyed = hs.Stage(hs.expanding_sum("x", over="k").alias("s"))
    by_frame = hs.Stage(hs.expanding_sum("x", over="k").alias("s"))
    keyed.set_schema({"x": pl.Float64, "k": pl.Enum(["a", "b"])})
    by_frame.advance(pl.DataFrame({"x": [0.0], "k": ["a"]}, schema_overrides={"k": pl.Enum(["a", "b"])}))
    for stage in (keyed, by_frame, keyed.copy(), *by_frame.split(["b"])):
        for call in (stage.advance_row, stage.peek_row):
            with pytest.raises(TypeError, match="column 'k' is an Enum without the category 'c'; pass one of its"):
                call({"x": 1.0, "k": "c"})
        assert stage.peek_row({"x": 1.0, "k": "b"}) == {"s": 1.0}
        assert stage.peek_row({"x": 1.0, "k": None}) == {"s": 1.0}
