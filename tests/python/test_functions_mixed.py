"""Values that are an int in one row and a float in another: what CPython computes with each."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

import hypostyle
from expressions_at_random import Mode
from function_calls import frame_of, ran
from function_oracle import expected, first_difference, same
from functions_at_random import columns, program

hs: Any = hypostyle

BIG = 2**53 + 1
INTS = [3, BIG, -BIG, 2**62, 0, -7, 1, 2, 5, -1]
FLOATS = [0.5, -1.5, 2.5, -2.5, -0.0, 1e300, math.nan, math.inf, -3.0, 7.25]
FRAME = pl.DataFrame({"n": [n for n in INTS for _ in FLOATS], "x": FLOATS * len(INTS)})
RAISED = (TypeError, ValueError, ArithmeticError, UnboundLocalError)


def chosen(n, x):
    return n if x > 0 else x


def halved(n, x):
    v = n if x > 0 else x
    return v // 2


def remainder(n, x):
    v = n if x > 0 else x
    return v % 3


def quotient(n, x):
    v = n if x > 0 else x
    return v / 3


def is_big(n, x):
    v = n if x > 0 else x
    return v == BIG


def is_above(n, x):
    v = n if x > 0 else float(n)
    return v > BIG - 1


def both_mixed(n, x):
    v = n if x > 0 else x
    w = 2.5 if n > 2 else n
    return v - w + 3


def negated(n, x):
    v = n if x > 0 else x
    return math.copysign(1.0, -v) if v == v else 0.0


def rounded(n, x):
    v = n if x > 0 else x
    return round(v, -1)


def whole(n, x):
    return int(n if x > 0 else x)


def size(n, x):
    v = n if x > 0 else x
    return abs(v) + 1


def larger(n, x):
    return max(n, x) - 1


def squared(n, x):
    v = n % 1000 if x > 0 else x
    return v**2


def kept(n, x):
    v = n if x > 0 else None
    return v if v is not None else x


def either(n, x):
    return (n or x) * 2


def grown(n, x):
    total: float = 0
    for _ in range(38):
        total = total * 3 + (1 if x > 0 else 0.5)
    return total


def carried(n, x):
    k, v = 0, n
    while k < 3 and v != 0:
        v = v - 1 if k % 2 == 0 else v - x
        k += 1
    return v


@pytest.mark.parametrize(
    "python",
    [
        *(chosen, halved, remainder, quotient, is_big, is_above, both_mixed, negated, rounded, whole, size, larger),
        *(squared, kept, either, grown, carried),
    ],
)
def test_a_row_gives_what_python_gives(python: Callable[..., Any]) -> None:
    found = FRAME.select(hs.jit(python)("n", "x"))["n"]
    kind = {pl.Float64: float, pl.Int64: int, pl.Boolean: bool}[type(found.dtype)]
    wanted = 0
    for row, (n, x, got) in enumerate(zip(FRAME["n"], FRAME["x"], found, strict=True)):
        try:
            want = python(n, x)
        except RAISED:
            want = None
        if type(want) is int and not -(2**63) <= want < 2**63:
            want = None
        wanted += want is not None
        assert same(None if want is None else kind(want), got), f"row {row}: {python.__name__}({n}, {x})"
    assert wanted > len(FRAME) / 3


def resetting(state, n, x):
    total = 0 if x < 0 else state.total + (n if x > 2 else x)
    return hs.state(total=total, count=state.count + 1), total


def compared(state, n, x):
    level = n if x > 0 else state.level
    return hs.state(level=level if x != 7.25 else x), level == BIG


def delayed(state, n, x):
    return hs.state(last=n if x > 0 else x), state.last


@pytest.mark.parametrize("over", [None, "key"])
@pytest.mark.parametrize(
    ("python", "state"),
    [
        (resetting, {"total": 0, "count": 0}),
        (resetting, {"total": 0.0, "count": 0}),
        (compared, {"level": 0.5}),
        (compared, {"level": BIG}),
        (delayed, {"last": None}),
    ],
)
def test_a_state_gives_what_python_gives(python: Callable[..., Any], state: dict[str, Any], over: str | None) -> None:
    frame = FRAME.filter(pl.col("x").is_finite() & (pl.col("n").abs() < 2**60)).with_columns(key=pl.col("n") % 3)
    call = hs.scan(**state)(python)("n", "x", over=over).alias("y")
    states: dict[Any, Any] = {}
    want = []
    for n, x, key in frame.iter_rows():
        key = key if over else None
        states[key], result = python(states.get(key, SimpleNamespace(**state)), n, x)
        want.append(result)
    results = frame.select(call)["y"]
    kind = {pl.Float64: float, pl.Int64: int, pl.Boolean: bool}[type(results.dtype)]
    want = [None if value is None else kind(value) for value in want]
    stage = hs.Stage(call)
    pieces = []
    for at in range(0, len(frame), 17):
        pieces.append(stage.advance(frame[at : at + 17])["y"])
        stage = hs.Stage.from_bytes(stage.to_bytes())
    for got in (results, pl.concat(pieces)):
        assert all(same(a, b) for a, b in zip(want, got, strict=True))


def test_a_state_that_nobody_asks_whether_it_is_an_int_is_a_float() -> None:
    @hs.scan(total=0)
    def total(state, x):
        total = 0 if x < 0 else state.total + x
        return hs.state(total=total), total if total > 5 else 0

    stage = hs.Stage(total("x"))
    stage.advance(pl.DataFrame({"x": [1.0]}))
    assert [name for name in stage.state().columns if "int" in name] == []


def test_a_loop_over_a_window() -> None:
    @hs.rolling
    def above(window):
        total = 0
        for value in window:
            if value > 2:
                total += value
        return total

    frame = pl.DataFrame({"x": [1.0, 3.0, -1.0, 5.0]})
    assert frame.select(above("x", 2))["x"].to_list() == [0.0, 3.0, 3.0, 5.0]


@pytest.mark.parametrize("seed", [711403, 714321])
def test_a_state_has_the_same_fields_whatever_is_null(seed: int) -> None:
    # What is known of columns without nulls did not show that a field is never None, which what is known of any did.
    made = program(seed, Mode(scan=True))
    data = columns(seed, 200, made)
    keys = [row % 7 for row in range(200)]
    for by_key in (False, True):
        want = expected(made, data, keys if by_key else None)
        got = ran(made, frame_of(made, data, keys), by_key=by_key)
        assert first_difference(made, want, got, narrowed=True) is None
