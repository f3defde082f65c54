"""The worked values of the kernels for events and running sums that start over, and what they refuse."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

import hypostyle as hs

NAN, INF = math.nan, math.inf
Values = list[Any]


def moments(*seconds: float) -> pl.Series:
    return pl.Series([datetime(2024, 1, 1) + timedelta(seconds=s) for s in seconds], dtype=pl.Datetime("us"))


SUMS = {"x": [1.0, 2.0, None, 4.0, 12.0, 1.0], "flag": [False, True, False, None, False, False]}
VOLUMES = {"x": [None, 3.0, -4.0, 5.0, None, 25.0, 4.0, 2.0]}
EQUITY = {"x": [None, 100.0, 80.0, None, 90.0, 120.0, 60.0, 120.0]}
COUNTS = {"x": [10.0, 12.0, 15.0, 3.0, 5.0, None, 9.0]}
SHIFTED = {"x": [0.0, 1.0, 3.0, 2.0, -1.0, -4.0, -3.0, 0.0]}
STEPS = {"x": [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]}
PRICES = {"x": [None, 100.0, 104.0, 110.0, None, NAN, 121.0, 109.0, 108.0, 119.0, 100.0]}
REQUESTS = {"t": moments(0, 0, 0.5, 1, 1, 9, 9, 9)}
FLAGS = {"flag": [False, True, False, None, False, True, True], "t": moments(0, 1, 1, 5, 6, 60, 61)}
HOLES = {"x": [None, 1.0, None, None, 2.0, None, NAN, None], "t": moments(0, 0, 4, 5, 9, 15, 20, 20)}
RATES = {"x": [None, 10.0, 14.0, None, 2.0, 2.0, 5.0], "t": moments(0, 0, 2, 3, 4, 4, 4)}
LEVELS = {"x": [None, 1.0, 3.0, 4.0, None, 6.0, 0.0], "t": moments(0, 10, 10, 12, 13, 14, 20)}
TRADES = {"q": [None, 10.0, 10.0, -15.0, 0.0, -10.0, 5.0], "p": [1.0, 1.0, 2.0, 3.0, 9.0, 4.0, 2.0]}

WORKED: list[tuple[str, dict[str, Any], dict[str, Any], Values | dict[str, Values]]] = [
    ("cumsum_reset", SUMS, {"column": "x", "reset": "flag"}, [1, 2, 2, 6, 18, 19]),
    ("cumsum_reset", SUMS, {"column": "x", "on_null": "reset"}, [1, 3, 0, 4, 16, 17]),
    ("cumsum_reset", SUMS, {"column": "x", "threshold": 5}, [1, 3, 3, 7, 12, 1]),
    ("cumsum_reset", SUMS, {"column": "x", "threshold": 5, "keep_remainder": True}, [1, 3, 3, 7, 14, 5]),
    ("bucket_by_sum", VOLUMES, {"column": "x", "size": 10}, [None, 0, 0, 0, 0, 1, 2, 2]),
    ("bucket_by_sum", VOLUMES, {"column": "x", "size": 10, "carry": True}, [None, 0, 0, 0, 0, 1, 2, 3]),
    (
        "drawdown",
        EQUITY,
        {"column": "x"},
        {
            "drawdown": [None, 0, 80 / 100 - 1, 80 / 100 - 1, 90 / 100 - 1, 0, -0.5, 0],
            "worst": [None, 0, *[80 / 100 - 1] * 4, -0.5, -0.5],
            "rows": [None, 0, 1, 1, 2, 0, 1, 0],
            "peak": [None, 100, 100, 100, 100, 120, 120, 120],
        },
    ),
    (
        "latch",
        {"x": [None, 3.0, 4.0, 3.0, None, NAN, 2.0, 3.0, 9.0]},
        {"column": "x", "on": 4, "off": 2},
        [None, False, True, True, True, True, False, False, True],
    ),
    (
        "state_machine",
        {"x": [None, 2, 1, None, 7, -1, 2, 1, 0]},
        {"column": "x", "transitions": [[0, 1, 0], [0, 1, 2], [0, 2, 2]]},
        [None, 0, 1, 1, 1, 1, 2, 2, 0],
    ),
    (
        "streak",
        {"x": [None, 0.0, -0.0, None, 0.0, 5.0, NAN, NAN, 5.0, 5.0]},
        {"column": "x"},
        [None, 1, 2, 2, 3, 1, 1, 1, 1, 2],
    ),
    ("since_true", FLAGS, {"flag": "flag"}, [None, 0, 1, 2, 3, 0, 0]),
    (
        "since_true",
        FLAGS,
        {"flag": "flag", "by": "t"},
        [s and timedelta(seconds=s - 1) for s in (None, 1, 1, 5, 6, 1, 1)],
    ),
    (
        "min_spacing",
        {"t": moments(0, 0, 4, 5, 9, 11, 15)},
        {"time": "t", "gap": "5s"},
        [True, False, False, True, False, True, False],
    ),
    ("counter_increase", COUNTS, {"column": "x"}, [0, 2, 5, 8, 10, 10, 14]),
    ("counter_increase", COUNTS, {"column": "x", "wrap": 16}, [0, 2, 5, 9, 11, 11, 15]),
    ("counter_rate", RATES, {"column": "x", "by": "t"}, [None, None, 2, 2, 1, NAN, INF]),
    ("counter_rate", RATES, {"column": "x", "by": "t", "wrap": 16}, [None, None, 2, 2, 2, NAN, INF]),
    (
        "cusum",
        SHIFTED,
        {"column": "x", "drift": 0.5, "threshold": 10},
        {"high": [0, 0.5, 3, 4.5, 3, 0, 0, 0], "low": [0, 0, 0, 0, 0.5, 4, 6.5, 6], "hit": [False] * 8},
    ),
    (
        "cusum",
        SHIFTED,
        {"column": "x", "drift": 0.5, "threshold": 4},
        {
            "high": [0, 0.5, 3, 4.5, 0, 0, 0, 0],
            "low": [0, 0, 0, 0, 0.5, 4, 6.5, 0],
            "hit": [False, False, False, True, False, False, True, False],
        },
    ),
    (
        "page_hinkley",
        STEPS,
        {"column": "x", "min_samples": 3, "delta": 0.1, "threshold": 1, "alpha": 1},
        {
            "statistic": [0, 0, 0, 0, 0.7000000000000001, 1.2666666666666666, 0, 0],
            "hit": [False, False, False, False, False, True, False, False],
        },
    ),
    (
        "zigzag",
        PRICES,
        {"column": "x", "threshold": 0.1},
        {
            "direction": [None, 0, 0, 1, 1, 1, 1, 1, -1, 1, -1],
            "pivot": [None, None, None, 100, 100, 100, 100, 100, 121, 108, 119.0],
        },
    ),
    (
        "token_bucket",
        REQUESTS,
        {"time": "t", "rate": 1, "capacity": 2},
        [True, True, False, True, False, True, True, False],
    ),
    (
        "token_bucket",
        REQUESTS,
        {"time": "t", "rate": 1, "capacity": 2, "unit": "500ms"},
        [True, True, True, True, False, True, True, False],
    ),
    ("ffill", HOLES, {"column": "x"}, [None, 1, 1, 1, 2, 2, NAN, NAN]),
    ("ffill", HOLES, {"column": "x", "limit": 1}, [None, 1, 1, None, 2, 2, NAN, NAN]),
    ("ffill", HOLES, {"column": "x", "within": "5s", "by": "t"}, [None, 1, 1, 1, 2, None, NAN, NAN]),
    ("ffill", HOLES, {"column": "x", "within": "5s", "by": "t", "limit": 1}, [None, 1, 1, None, 2, None, NAN, NAN]),
    ("age", HOLES, {"column": "x"}, [None, 0, 1, 2, 0, 1, 0, 1]),
    ("age", {"w": [None, "a", None]}, {"column": "w"}, [None, 0, 1]),
    ("integral", LEVELS, {"column": "x", "by": "t"}, [None, 0, 0, 7, 7, 17, 35]),
    ("integral", LEVELS, {"column": "x", "by": "t", "method": "step"}, [None, 0, 0, 6, 6, 14, 50]),
    ("integral", LEVELS, {"column": "x", "by": "t", "unit": "2s"}, [None, 0, 0, 3.5, 3.5, 8.5, 17.5]),
    ("time_weighted_mean", LEVELS, {"column": "x", "by": "t"}, [None, 1, 3, 3.5, 3.5, 4.25, 3.5]),
    ("time_weighted_mean", LEVELS, {"column": "x", "by": "t", "method": "step"}, [None, 1, 3, 3, 3, 3.5, 5]),
    ("derivative", RATES, {"column": "x", "by": "t"}, [None, None, 2, 2, -6, NAN, INF]),
    ("derivative", RATES, {"column": "x", "by": "t", "unit": "1m"}, [None, None, 120, 120, -360, NAN, INF]),
    (
        "inventory",
        TRADES,
        {"quantity": "q", "price": "p"},
        {
            "quantity": [None, 10, 20, 5, 5, -5, 0],
            "cost": [None, 10, 30, 10, 10, -20, 0],
            "realized": [None, 0, 0, 25, 25, 35, 45],
        },
    ),
    (
        "inventory",
        TRADES,
        {"quantity": "q", "price": "p", "method": "lifo"},
        {
            "quantity": [None, 10, 20, 5, 5, -5, 0],
            "cost": [None, 10, 30, 5, 5, -20, 0],
            "realized": [None, 0, 0, 20, 20, 35, 45],
        },
    ),
    (
        "inventory",
        TRADES,
        {"quantity": "q", "price": "p", "method": "average"},
        {
            "quantity": [None, 10, 20, 5, 5, -5, 0],
            "cost": [None, 10, 30, 7.5, 7.5, -20, 0],
            "realized": [None, 0, 0, 22.5, 22.5, 35, 45],
        },
    ),
]


def close(found: Any, expected: Any) -> bool:
    if isinstance(expected, float) and isinstance(found, float):
        if math.isnan(expected):
            return math.isnan(found)
        return found == expected or math.isclose(found, expected, rel_tol=1e-12)
    return bool(found == expected)


@pytest.mark.parametrize(("name", "frame", "case", "expected"), WORKED)
def test_worked_values(name: str, frame: dict[str, Any], case: dict[str, Any], expected: Any) -> None:
    found = pl.DataFrame(frame, strict=False).select(getattr(hs, name)(**case).alias("found"))["found"]
    columns = {"": found} if not isinstance(expected, dict) else dict(found.struct.unnest().to_dict())
    wanted = {"": expected} if not isinstance(expected, dict) else expected
    assert list(columns) == list(wanted)
    for field, values in wanted.items():
        results = columns[field].to_list()
        assert len(results) == len(values)
        assert all(map(close, results, values)), f"{field}: {results}"


def test_changes_of_the_mean_are_found_where_river_finds_them() -> None:
    frame = pl.DataFrame({"x": [0.0] * 500 + [1.0] * 500})
    for mode, row in (("both", 553), ("up", 553), ("down", None)):
        hit = frame.select(hs.page_hinkley("x", mode=mode)).to_series().struct.field("hit")
        assert hit.arg_true().to_list()[:1] == ([] if row is None else [row])


def test_types_of_results() -> None:
    frame = pl.DataFrame(
        {"f": pl.Series([1.0, None], dtype=pl.Float32), "u": pl.Series([1, None], dtype=pl.UInt8), "t": moments(0, 1)}
    )
    types = frame.select(
        ffilled=hs.ffill("u"),
        filled_times=hs.ffill("t"),
        bar=hs.bucket_by_sum("f", 1),
        sums=hs.cumsum_reset("f", threshold=1),
        down=hs.drawdown("f"),
        test=hs.cusum("f", 1, 1),
        age=hs.age("f", by="t"),
    ).schema
    assert types["ffilled"] == pl.UInt8
    assert types["filled_times"] == pl.Datetime("us")
    assert types["bar"] == pl.Int64
    assert types["sums"] == pl.Float32
    number = pl.Float32
    assert types["down"] == pl.Struct({"drawdown": number, "worst": number, "rows": pl.Int64, "peak": number})
    assert types["test"] == pl.Struct({"high": number, "low": number, "hit": pl.Boolean})
    assert types["age"] == pl.Duration("us")


@pytest.mark.parametrize(
    ("name", "case", "message"),
    [
        ("cumsum_reset", {"column": "x"}, "at least one of reset, threshold and on_null='reset' is required"),
        ("cumsum_reset", {"column": "x", "threshold": 0}, "must be positive and finite"),
        ("cumsum_reset", {"column": "x", "on_null": "reset", "keep_remainder": True}, "requires `threshold`"),
        ("bucket_by_sum", {"column": "x", "size": NAN}, "must be positive and finite"),
        ("latch", {"column": "x", "on": 2, "off": 2}, "must be above off=2"),
        ("min_spacing", {"time": "t", "gap": "0s"}, "must be positive"),
        ("counter_increase", {"column": "x", "wrap": -1}, "must be positive and finite"),
        ("cusum", {"column": "x", "drift": -1, "threshold": 1}, "must be at least 0 and finite"),
        ("page_hinkley", {"column": "x", "alpha": 2}, "must be above 0 and at most 1"),
        ("zigzag", {"column": "x", "threshold": 0}, "must be positive and finite"),
        ("state_machine", {"column": "x", "transitions": [[0, 2]]}, "state 0 goes to 2 on event 1"),
        ("state_machine", {"column": "x", "transitions": [0, 1]}, "expected a list of lists of integers, got"),
        ("state_machine", {"column": "x", "transitions": [[0.5]]}, "expected a list of lists of integers"),
        ("token_bucket", {"time": "t", "rate": 0, "capacity": 1}, "must be positive and finite"),
        ("token_bucket", {"time": "t", "rate": 1, "capacity": 1, "cost": 2}, "must be from 0 to capacity=1"),
        ("ffill", {"column": "x", "limit": 0}, "must be at least 1 row"),
        ("ffill", {"column": "x", "within": "5s"}, "required, because 'within' is given"),
        ("ffill", {"column": "x", "by": "t"}, "requires `within`"),
        ("integral", {"column": "x", "by": "t", "method": "cubic"}, "unknown value"),
    ],
)
def test_what_is_refused(name: str, case: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        pl.DataFrame({"x": [1.0], "t": moments(0)}).select(getattr(hs, name)(**case))
