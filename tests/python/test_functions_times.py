"""Times in users' functions: parts, differences, and constants that get the unit of the column."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import hypostyle as hs

PAUSE = dt.timedelta(minutes=30)
HALF_HOUR = pd.Timedelta("30min")
UNITS = ["ms", "us", "ns"]


@hs.loop
def by_seconds(ts: Any) -> Any:
    out = []
    last = None
    number = -1
    for i in range(len(ts)):
        if last is None or (ts[i] - last).total_seconds() > 1800:
            number += 1
        last = ts[i]
        out.append(number)
    return out


@hs.loop
def by_captured(ts: Any) -> Any:
    out = []
    last = None
    number = -1
    for i in range(len(ts)):
        if last is None or ts[i] - last > PAUSE:
            number += 1
        last = ts[i]
        out.append(number)
    return out


@hs.scan(last=None, number=-1)
def by_default(state: Any, ts: Any, pause: Any = HALF_HOUR) -> Any:
    number = state.number + 1 if state.last is None or ts - state.last > pause else state.number
    return hs.state(ts, number), number


@hs.scan(last=None, number=-1)
def by_call(state: Any, ts: Any) -> Any:
    number = state.number + 1 if state.last is None or ts - state.last > np.timedelta64(30, "m") else state.number
    return hs.state(ts, number), number


def sessions(moments: list[dt.datetime]) -> list[int]:
    gaps = [0.0, *((b - a).total_seconds() for a, b in itertools.pairwise(moments))]
    return [int(n) for n in np.cumsum([gap > 1800 for gap in gaps])]


@pytest.fixture(scope="module")
def moments() -> list[dt.datetime]:
    dice = np.random.default_rng(5)
    seconds = np.sort(dice.integers(0, 10**7, 3_000))
    edges = [0, 1800, 3601]  # exactly the pause, and a second more
    return [dt.datetime(1969, 12, 1) + dt.timedelta(seconds=int(s)) for s in [*edges, *(seconds + 10_000)]]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("function", [by_seconds, by_captured, by_default, by_call])
def test_a_pause_is_that_of_python_in_every_unit(function: Any, unit: Any, moments: list[dt.datetime]) -> None:
    for zone in (None, "UTC", "Asia/Tokyo"):
        frame = pl.DataFrame({"ts": pl.Series(moments).cast(pl.Datetime(unit))})
        frame = frame if zone is None else frame.with_columns(pl.col("ts").dt.replace_time_zone(zone))
        assert frame.select(function("ts")).to_series().to_list() == sessions(moments)


def test_parts_of_a_moment_are_those_of_python() -> None:
    @hs.jit
    def parts(t: Any) -> Any:
        return {
            "year": t.year,
            "month": t.month,
            "day": t.day,
            "hour": t.hour,
            "minute": t.minute,
            "second": t.second,
            "weekday": t.weekday(),
            "isoweekday": t.isoweekday(),
            "late": t >= pd.Timestamp("1999-12-31 23:59:59.5"),
            "leap": t.date() == dt.date(2024, 2, 29),
        }

    dice = np.random.default_rng(3)
    first, last = dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31)
    days = [first, last, dt.datetime(2024, 2, 29, 12), dt.datetime(1900, 3, 1), dt.datetime(2000, 2, 29, 23, 59, 59)]
    days += [first + (last - first) * float(x) for x in dice.random(5_000)]
    days += [dt.datetime(2023, 12, 25) + dt.timedelta(hours=7 * k) for k in range(1_000)]
    found = pl.DataFrame({"t": days}).select(parts("t").alias("p")).unnest("p")
    for name in ("year", "month", "day", "hour", "minute", "second"):
        assert found[name].to_list() == [getattr(day, name) for day in days], name
    for name in ("weekday", "isoweekday"):
        assert found[name].to_list() == [getattr(day, name)() for day in days], name
    assert found["late"].to_list() == [day >= dt.datetime(1999, 12, 31, 23, 59, 59, 500_000) for day in days]
    assert found["leap"].to_list() == [day.date() == dt.date(2024, 2, 29) for day in days]


def test_durations_are_those_of_python() -> None:
    @hs.jit
    def parts(x: Any, y: Any) -> Any:
        gap = x - y
        return {
            "days": gap.days,
            "seconds": gap.seconds,
            "total": gap.total_seconds(),
            "hours": gap / dt.timedelta(hours=1),
        }

    dice = np.random.default_rng(8)
    xs, ys = (
        [dt.datetime(2000, 1, 1) + dt.timedelta(microseconds=int(n)) for n in dice.integers(0, 10**16, 2_000)]
        for _ in "xy"
    )
    found = pl.DataFrame({"x": xs, "y": ys}).select(parts("x", "y").alias("p")).unnest("p")
    gaps = [x - y for x, y in zip(xs, ys, strict=True)]
    assert found["days"].to_list() == [gap.days for gap in gaps]
    assert found["seconds"].to_list() == [gap.seconds for gap in gaps]
    assert found["total"].to_list() == [gap.total_seconds() for gap in gaps]
    assert found["hours"].to_list() == [gap / dt.timedelta(hours=1) for gap in gaps]


def test_dates_are_counted_in_days() -> None:
    @hs.jit
    def since(day: Any) -> Any:
        return (day - dt.date(2024, 1, 1)).days

    days = [dt.date(2024, 2, 29), dt.date(2023, 12, 31), None]
    assert pl.DataFrame({"d": days}).select(since("d")).to_series().to_list() == [59, -1, None]


@hs.jit
def hour(t: Any) -> Any:
    return t.hour


@hs.jit
def after(t: Any) -> Any:
    return t > dt.datetime(2024, 1, 1)


@hs.jit
def after_aware(t: Any) -> Any:
    return t > dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc)


@hs.jit
def gap(x: Any, y: Any) -> Any:
    return x - y > PAUSE


@pytest.mark.parametrize(
    ("function", "columns", "message"),
    [
        (by_seconds, {"ts": pl.Series([1, 2])}, "no column is a time or a duration"),
        (
            by_seconds,
            {"ts": pl.Series([dt.date(2024, 1, 1)])},
            "1 s is no whole number of days, the unit of the column",
        ),
        (
            gap,
            {"x": pl.Series([0]).cast(pl.Datetime("us")), "y": pl.Series([0]).cast(pl.Datetime("ns"))},
            "its time columns are in us and in ns: cast one",
        ),
        (hour, {"t": pl.Series([0]).cast(pl.Datetime("us", "Europe/Berlin"))}, "parts of a moment in Europe/Berlin"),
        (after, {"t": pl.Series([0]).cast(pl.Datetime("us", "UTC"))}, "without a time zone is compared with a column"),
        (after_aware, {"t": pl.Series([0]).cast(pl.Datetime("us"))}, "in a time zone is compared with a column"),
    ],
)
def test_columns_that_do_not_go_with_the_times_are_refused(function: Any, columns: Any, message: str) -> None:
    with pytest.raises(pl.exceptions.ComputeError, match=message):
        pl.DataFrame(columns).select(function(*columns))


def test_a_state_and_pieces_of_a_function_with_times(moments: list[dt.datetime]) -> None:
    frame = pl.DataFrame({"ts": moments, "k": [n % 3 for n in range(len(moments))]})
    kernel = by_default("ts", over="k").alias("n")
    whole = frame.with_columns(kernel)
    stage = hs.Stage(kernel)
    pieces = [stage.advance(frame[start : start + 700]) for start in range(0, 1_400, 700)]
    stage = hs.Stage.from_bytes(stage.to_bytes())
    pieces.append(stage.advance(frame[1_400:]))
    assert pl.concat(pieces).equals(whole)


def test_aware_and_naive_constants_and_numbers_beyond_the_unit() -> None:
    aware = pl.DataFrame({"t": [dt.datetime(2024, 1, 1, 1, tzinfo=dt.timezone.utc)]})
    assert aware.select(after_aware("t")).to_series().to_list() == [True]
    assert pl.DataFrame({"t": [dt.datetime(2024, 1, 1)]}).select(after("t")).to_series().to_list() == [False]
    with pytest.raises(SyntaxError, match="beyond 64 bits of nanoseconds"):

        @hs.jit
        def late(t: Any) -> Any:
            return t > dt.datetime(9999, 1, 1)


def test_arguments_of_a_duration_are_constants() -> None:
    with pytest.raises(SyntaxError, match=r"the arguments of dt\.timedelta are constants here"):

        @hs.jit
        def late(t: Any, n: Any) -> Any:
            return t > dt.timedelta(seconds=n)


def test_float_of_a_string_is_a_constant() -> None:
    @hs.jit
    def cut(x: Any) -> Any:
        return float("nan") if x > float("1e2") or x < -float("inf") else x

    found = pl.DataFrame({"x": [1.0, 200.0]}).select(cut("x")).to_series()
    assert found[0] == 1.0
    assert found.is_nan().to_list() == [False, True]
    with pytest.raises(SyntaxError, match="could not convert string to float"):

        @hs.jit
        def wrong(x: Any) -> Any:
            return x + float("one")


DURATIONS = [0, 1, -1, 2, 3, 5, -5, 1_000_000, 7, 10**12 + 1, None]
FACTORS = [0.5, 0.1, -0.3, 1.5, float("nan"), float("inf"), 0.0, 2.0, -0.5, 1e-30, 1e300]


def divided(x: Any, k: Any) -> Any:
    return (x / k).total_seconds()


def multiplied(x: Any, k: Any) -> Any:
    return (k * x).total_seconds()


def halves(x: Any, k: Any) -> Any:
    return (x / 2 + k * x).total_seconds()


def is_long(x: Any, k: Any) -> Any:
    return k if x else -k


def as_python_has_it(function: Any, *values: Any) -> Any:
    try:
        return function(*values)
    except (TypeError, ValueError, ArithmeticError):
        return None


@pytest.mark.parametrize("function", [divided, multiplied, halves, is_long])
@pytest.mark.parametrize("factors", [[1, 2, 3, -2, -3, 7, 0, 4], FACTORS], ids=["int", "float"])
def test_parts_of_durations_are_rounded_as_timedelta_does(function: Any, factors: list[Any]) -> None:
    durations = [None if x is None else dt.timedelta(microseconds=x) for x in DURATIONS]
    rows = list(itertools.product(durations, factors))
    kind = pl.Int64 if isinstance(factors[0], int) else pl.Float64
    frame = pl.DataFrame(rows, schema={"x": pl.Duration("us"), "k": kind}, orient="row")
    got = frame.select(hs.jit(function)("x", "k")).to_series().to_list()
    wanted = [as_python_has_it(function, *row) for row in rows]
    bad = [case for case in zip(rows, got, wanted, strict=True) if case[1] != case[2] and case[1] == case[1]]
    assert bad == []


@pytest.mark.parametrize("function", [lambda t: 1 if t else 0, lambda t: int((t or None) is not None), lambda t: not t])
@pytest.mark.parametrize("zero", [dt.time(0), dt.date(1970, 1, 1), dt.datetime(1970, 1, 1)], ids=repr)
def test_every_moment_is_true(function: Any, zero: Any) -> None:
    column = pl.Series("t", [zero, type(zero).max, None])
    got = pl.select(hs.jit(function)(column)).to_series().to_list()
    assert got == [function(value) for value in column]


def test_states_begin_with_times() -> None:
    @hs.scan(last=dt.datetime(1970, 1, 1), total=dt.timedelta(0))
    def thirds(state: Any, t: Any) -> Any:
        total = state.total + (t - state.last) / 3
        return hs.state(t, total), total.total_seconds()

    @hs.loop
    def later(ts: Any) -> Any:
        out = []
        last = dt.datetime(2000, 1, 1)
        for t in ts:
            out.append(t > last)
            last = t
        return out

    moments = [dt.datetime(1970, 1, 1), dt.datetime(1970, 1, 1, 0, 0, 1), dt.datetime(2001, 1, 1)]
    frame = pl.DataFrame({"t": moments})
    total, last, wanted = dt.timedelta(0), dt.datetime(1970, 1, 1), []
    for moment in moments:
        total, last = total + (moment - last) / 3, moment
        wanted.append(total.total_seconds())
    for unit in ("us", "ms", "ns"):
        column = pl.col("t").dt.cast_time_unit(unit)
        if unit == "us":
            assert frame.select(thirds(column)).to_series().to_list() == wanted
        assert frame.select(later(column)).to_series().to_list() == [False, True, True]
    with pytest.raises(pl.exceptions.ComputeError, match="no column is a time"):
        pl.DataFrame({"t": [1, 2]}).select(later("t"))


@hs.jit
def results(t: Any, before: Any) -> Any:
    gap = t - before
    return {
        "gap": gap,
        "half": gap / 2,
        "back": -gap,
        "size": abs(before - t),
        "later": max(t, before),
        "next": t + dt.timedelta(hours=36),
        "midnight": t.normalize(),
        "perhaps": None if gap.days > 0 else t,
        "days": gap.days,
    }


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_results_that_are_times_are_those_of_pandas(unit: Any, zone: str | None, moments: list[dt.datetime]) -> None:
    columns = {"t": moments, "before": [dt.datetime(1969, 12, 31, 23, 59), *moments[:-1]]}
    frame = pl.DataFrame({n: pl.Series(v, dtype=pl.Datetime(unit)) for n, v in columns.items()})
    frame = frame.with_columns(pl.all().dt.replace_time_zone(zone))
    found = frame.select(results("t", "before").alias("r")).unnest("r")
    for name, of in found.schema.items():
        wanted = {"days": pl.Int64()}.get(name, pl.Datetime(unit, zone))
        assert of == (pl.Duration(unit) if name in ("gap", "half", "back", "size") else wanted), name
    rows = zip(*(frame[name].to_list() for name in columns), strict=True)
    plain = [results.function(pd.Timestamp(t), pd.Timestamp(before)) for t, before in rows]
    for name in found.columns:
        got = [pd.Timestamp(x) if isinstance(x, dt.datetime) else x for x in found[name].to_list()]
        assert got == [row[name] for row in plain], name


@hs.loop
def last_seen(ts: Any, is_seen: Any) -> Any:
    out = []
    last = None
    for i in range(len(ts)):
        if is_seen[i]:
            last = ts[i]
        out.append(last)
    return out


@pytest.mark.parametrize(
    "of",
    [pl.Date, pl.Datetime("ms"), pl.Datetime("ns"), pl.Datetime("us", "Europe/Berlin"), pl.Duration("us")],
    ids=str,
)
def test_moments_that_a_loop_keeps_are_of_the_type_of_their_column(of: Any) -> None:
    ticks = pl.Series("t", [5, 7, None, -3, 20_000]).cast(of if of == pl.Date else pl.Int64).cast(of)
    frame = pl.DataFrame([ticks, pl.Series("ok", [False, True, False, True, False])])
    whole = frame.select(last_seen("t", "ok").alias("last"))["last"]
    assert whole.dtype == of
    assert whole.to_list() == [None, ticks[1], ticks[1], ticks[3], ticks[3]]
    stage = hs.Stage(last_seen("t", "ok").alias("last"))
    pieces = [stage.advance(frame[i : i + 1]) for i in range(len(frame))]
    assert pl.concat(pieces)["last"].equals(whole)


@hs.jit
def days_later(t: Any, n: Any) -> Any:
    return t + n * dt.timedelta(days=1)


@pytest.mark.parametrize("of", [pl.Date, pl.Datetime("ms"), pl.Datetime("us", "UTC")], ids=str)
def test_moments_beyond_the_years_of_python_are_null(of: Any) -> None:
    starts = pl.Series("t", [dt.date(1, 1, 2), dt.date(9999, 12, 30)]).cast(of)
    frame = pl.DataFrame({"t": starts}).join(pl.DataFrame({"n": [0, 1, -1, 2, -2, 2**40]}), how="cross")
    found = frame.with_columns(days_later("t", "n").alias("later"))
    for t, n, later in found.select(
        pl.col("t").dt.replace_time_zone(None) if of != pl.Date else "t", "n", "later"
    ).rows():
        try:
            wanted = t + n * dt.timedelta(days=1)
        except OverflowError:
            wanted = None
        assert (later.replace(tzinfo=None) if isinstance(later, dt.datetime) else later) == wanted
    raising = hs.jit(days_later.function, errors="raise")
    with pytest.raises(ValueError, match=r"row 4\b"):
        hs.with_columns(frame, raising("t", "n").alias("later"))
