"""Functions whose results are strings: words of their own, and those of columns."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import hypostyle as hs
from hypostyle._functions.errors import UnsupportedError

ROWS = 120
DRAW = np.random.default_rng(23)
X = [None if row % 11 == 4 else float(value) for row, value in enumerate(DRAW.normal(0, 3, ROWS).round(2))]
FRAME = pl.DataFrame(
    {
        "x": X,
        "n": DRAW.integers(-3, 8, ROWS),
        "s": DRAW.choice(["gold", "silver", "bronze", "a rather long word", ""], ROWS),
        "key": DRAW.integers(0, 3, ROWS),
    }
)


def tier(x, n):
    if x is None:
        return "unknown"
    if x < -2 or n == 7:
        return "low"
    if x < 2:
        return "in the middle"
    return "high"


def chosen(x):
    return "up" if x > 0 else "down"


def renamed(s):
    return {"gold": "first of all", "silver": "second"}.get(s, "other")


def passed(s, n):
    return s if n > 0 else None


def by_number(n):
    match n % 4:
        case 0 | 1:
            return "even or one"
        case 2:
            return "two"
        case _:
            return None


def of_a_variable(x, n):
    word = "none"
    for at in range(3):
        if n > at:
            word = "more than " + "one" if False else "some"
    if x > 4:
        word = "many of these"
    return word


def where(x):
    return np.where(x > 0, "positive", "not positive")


FUNCTIONS = [tier, chosen, renamed, passed, by_number, of_a_variable, where]


def expected(function: Callable[..., Any], frame: pl.DataFrame) -> list[Any]:
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    found = []
    for row in zip(*(frame[name].to_list() for name in names), strict=True):
        try:
            value = function(*row)
        except TypeError:
            value = None
        found.append(None if value is None else str(value))
    return found


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_a_row_function_gives_what_python_gives(function: Callable[..., Any]) -> None:
    compiled: Any = hs.jit(function)
    lazy = FRAME.lazy().select(compiled(*compiled.program.inputs).alias("found"))
    assert lazy.collect_schema()["found"] == pl.String
    assert lazy.collect()["found"].to_list() == expected(function, FRAME)
    assert FRAME[:0].select(compiled(*compiled.program.inputs).alias("found")).schema["found"] == pl.String


def test_in_pandas_it_is_what_apply_gives() -> None:
    frame = pd.DataFrame({"x": [1.0, -2.0, 5.0], "n": [1, 7, 2]})
    wanted = frame.apply(lambda r: tier(r["x"], r["n"]), axis=1)
    pd.testing.assert_series_equal(frame.apply(lambda r: tier(r["x"], r["n"]), axis=1, engine=hs.jit), wanted)
    pd.testing.assert_series_equal(frame["x"].map(chosen, engine=hs.jit), frame["x"].map(chosen))
    pd.testing.assert_series_equal(hs.jit(chosen)(frame["x"]), frame["x"].map(chosen))
    sides = pd.DataFrame({"side": ["buy", "sell", None], "n": [1, 2, 3]})
    found = sides.apply(lambda r: r.side, axis=1, engine=hs.jit)
    pd.testing.assert_series_equal(found, sides.apply(lambda r: r.side, axis=1))
    words = pd.Series(["gold", "x"], name="s")
    pd.testing.assert_series_equal(hs.jit(renamed)(words), words.map(renamed))


def test_in_numpy_it_is_an_array_of_objects() -> None:
    found = hs.jit(by_number)(np.arange(4))
    assert found.dtype == object
    assert found.tolist() == ["even or one", "even or one", "two", None]


def signals(x, limit=2.0):
    out = []
    state = "flat"
    for v in x:
        if v > limit:
            state = "long position"
        elif v < -limit:
            state = "short"
        out.append(state)
    return out


def in_objects(x):
    out = np.full(len(x), "nothing at all", dtype=object)
    last = None
    for i in range(len(x)):
        if x[i] > 1:
            out[i] = "buy" if last != "buy" else "hold on"
            last = out[i]
    return out


def in_a_list(x):
    out = [None] * len(x)
    for i in range(len(x)):
        if x[i] > 0:
            out[i] = "above zero"
    return out


@pytest.mark.parametrize("function", [signals, in_objects, in_a_list], ids=lambda f: f.__name__)
def test_a_loop_gives_what_python_gives(function: Callable[..., Any]) -> None:
    compiled: Any = hs.loop(function)
    frame = FRAME.with_columns(pl.col("x").fill_null(0.0))
    whole = frame.select(compiled("x").alias("found"))["found"]
    assert whole.to_list() == list(function(frame["x"].to_numpy()))
    stage = hs.Stage(compiled("x", over="key").alias("found"))
    parts = [stage.advance(frame[:50])]
    stage = pickle.loads(pickle.dumps(stage))
    rows = [stage.advance_row(row) for row in frame[50:60].iter_rows(named=True)]
    parts.append(stage.advance(frame[60:]))
    found = [*parts[0]["found"], *(row["found"] for row in rows), *parts[1]["found"]]
    assert found == frame.select(compiled("x", over="key").alias("found"))["found"].to_list()
    for key in range(3):
        one = frame.filter(pl.col("key") == key)
        wanted = list(function(one["x"].to_numpy()))
        assert [value for value, other in zip(found, frame["key"], strict=True) if other == key] == wanted


def test_a_function_of_a_window_may_give_one() -> None:
    @hs.rolling
    def trend(window):
        return "rising a little" if window[-1] > window.mean() else "flat"

    values = FRAME["n"].to_list()
    found = FRAME.select(trend("n", 4, min_samples=4).alias("found"))["found"].to_list()
    for row in range(ROWS):
        window = values[row - 3 : row + 1] if row >= 3 else None
        wanted = None if window is None else "rising a little" if window[-1] > sum(window) / 4 else "flat"
        assert found[row] == wanted


def mixed(x):
    return "high" if x > 0 else 1


def cut_off(x):
    out = np.full(len(x), "low")
    for i in range(len(x)):
        out[i] = "higher"
    return out


def in_floats(x):
    out = np.zeros(len(x))
    for i in range(len(x)):
        out[i] = "a"
    return out


def test_what_is_refused() -> None:
    with pytest.raises(pl.exceptions.ComputeError, match="a string on one path and a number on another"):
        FRAME.select(hs.jit(mixed)("x"))
    with pytest.raises(UnsupportedError, match="make one of objects: dtype=object"):
        hs.loop(cut_off)
    with pytest.raises(UnsupportedError, match="an array of strings is one of objects"):
        hs.loop(in_floats)
