"""What a function says about itself: its operations, the kernels that do the same, its named results."""

from __future__ import annotations

import json
import math
from typing import Any

import polars as pl
import pytest

import hypostyle as hs
from hypostyle._functions.errors import UnsupportedError

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators

WITH_NULLS = "the same on 64 rows, also with nulls: "
WITHOUT = "the same on 64 rows without nulls, but not on rows with a null: "


@hs.scan(best=None)
def largest(s, x):
    if x is None:
        return s, s.best
    best = x if s.best is None or x > s.best else s.best
    return hs.state(best=best), best


@hs.scan(total=0.0)
def clipped(s, x, low=-3.0, high=4.0):
    total = min(max(s.total + x, low), high)
    return hs.state(total=total), total


@hs.scan(mean=None)
def smooth(s, x, alpha=0.25):
    if x is None:
        return s, s.mean
    mean = x if s.mean is None else (1 - alpha) * s.mean + alpha * x
    return hs.state(mean=mean), mean


@hs.scan(last=None, number=0)
def session(s, t):
    number = s.number + (s.last is not None and t - s.last > 20)
    return hs.state(last=t, number=number), number


@hs.scan(y=1.0)
def decay(s, x):
    y = 0.5 * s.y + x
    return hs.state(y=y), y


@hs.scan(n=0)
def counted(s, x):
    n = s.n + (x is not None)
    return hs.state(n=n), n


@hs.scan(total=0.0)
def summed(s, x):
    return hs.state(s.total + x), s.total + x


@hs.jit
def risk(weight, notional, f1, f2):
    return (weight * f1 + weight * f2) / notional


@hs.jit
def dot(x, y):
    return x * 0.5 + y * 2.0


@pytest.mark.parametrize(
    ("function", "line"),
    [
        (largest, WITH_NULLS + "hs.expanding_max('x')"),
        (clipped, WITHOUT + "hs.cumsum_clip('x', -3.0, 4.0)"),
        (smooth, WITH_NULLS + "hs.ewm_mean('x', alpha=0.25, adjust=False, ignore_nulls=True)"),
        (session, WITHOUT + "hs.session_id('t', 20)"),
        (decay, WITHOUT + "hs.affine_scan(0.5, 'x', initial=1.0)"),
        (counted, WITH_NULLS + "hs.expanding_count('x')"),
        (summed, WITHOUT + "hs.expanding_sum('x')"),
        (risk, WITH_NULLS + "hs.risk_score('weight', 'notional', ['f1', 'f2'])"),
        (dot, WITH_NULLS + "hs.row_dot(['x', 'y'], [0.5, 2.0])"),
        (hs.jit("lambda x: math.sin(x)"), "no kernel of the catalog does this"),
        (hs.jit("lambda x: {'a': x}"), "it has several results; no kernel of the catalog does this"),
        (hs.jit("lambda x: None"), "no kernel of the catalog does this"),
        (hs.jit("lambda a, b, c, d, e, f: a + f"), "no kernel of the catalog does this"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_kernels_that_do_the_same(function: Any, line: str) -> None:
    text = function.explain()
    assert line in text.splitlines()
    assert text == hs.explain(function)


def test_the_first_line() -> None:
    assert clipped.explain().startswith("clipped(x, low=-3.0, high=4.0): a function with the state total\n")
    assert dot.explain().startswith("dot(x, y): a function of a row\n")
    named = hs.jit("lambda x: {'low': x, 'high': x + 1}")
    assert named.explain().startswith("function(x): a function of a row, which returns low, high\n")


def test_expressions_are_explained() -> None:
    text = hs.explain(clipped("p", over="k"))
    assert text.startswith('p = clipped("p", over="k")\n')
    assert "  reads   p, k\n" in text
    assert "clipped(x: float), with the state total" in text
    assert "%0: bool = column 0 is null" in text
    assert '"body"' not in text


def test_ir_has_types() -> None:
    function = hs.jit(lambda x, n, k=0.5: x * n + k)
    assert function.ir().startswith("function(x: float, n: float)\n")
    assert function.ir(n="int", k="float").startswith("function(x: float, n: int, k: float)\n")
    assert "int = column 1" in function.ir(n="int")
    assert "0.5" in function.ir()
    assert json.loads(function.program.json) == function.program.plain
    with pytest.raises(TypeError, match="function has no input 'y'; its inputs are x, n, k"):
        function.ir(y="int")
    with pytest.raises(TypeError, match="the type of 'n' must be one of 'float', 'int', 'bool', 'str', not 'date'"):
        function.ir(n="date")  # type: ignore[arg-type]
    with pytest.raises((TypeError, ValueError), match="'<<' needs ints"):
        hs.jit("lambda x: x << 1").ir(x="float")


# Results named by a dict


@hs.jit
def band(x, width=1.0):
    if x < 0:
        return {"high": 0.0, "low": x}
    if x > 5:
        return None
    return {"low": x - width, "high": x + width}


@hs.scan(total=0.0)
def parts(s, x):
    s.total += x
    return s, {"total": s.total, "half": s.total / 2}


def test_a_dict_names_the_results() -> None:
    frame = pl.DataFrame({"x": [-2.0, 1.0, 7.0, None]})
    assert frame.select(band("x")).unnest("x").to_dict(as_series=False) == {
        "high": [0.0, 2.0, None, None],
        "low": [-2.0, 0.0, None, None],
    }
    assert band.program.outputs == ("high", "low")
    assert band(1.0) == {"low": 0.0, "high": 2.0}
    assert parts.program.outputs == ("total", "half")
    assert parts(pl.Series([1.0, 3.0])).struct.field("half").to_list() == [0.5, 2.0]
    assert hs.jit("lambda x: {'only': x + 1}")(pl.Series([1])).to_list() == [{"only": 2}]
    assert hs.jit(lambda x: {"a": x, "b": x}, outputs=["c", "d"]).program.outputs == ("c", "d")
    ordered = hs.jit("lambda x: {'a': (y := x + 1), 'b': y * 2}")
    assert ordered(pl.Series([1])).to_list() == [{"a": 2, "b": 4}]


def test_a_loop_names_its_arrays() -> None:
    import numpy as np

    def levels(x):
        low = np.empty(len(x))
        high = np.empty(len(x))
        for i in range(len(x)):
            low[i] = min(x[i], low[i - 1]) if i > 0 else x[i]
            high[i] = x[i]
        return {"lowest": low, "value": high}

    found = hs.loop(levels)(pl.Series([3.0, 1.0, 2.0]))
    assert found.struct.unnest().to_dict(as_series=False) == {"lowest": [3.0, 1.0, 1.0], "value": [3.0, 1.0, 2.0]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(x):\n  if x: return {'a': x}\n  return {'b': x}", "every return must have the same names: 'a'"),
        ("def f(x):\n  if x: return {'a': x}\n  return x", "every return must have the same names: 'a'"),
        (
            "def f(x):\n  if x: return x, x\n  return {'a': x, 'b': x}",
            "every return must have the same names: 'a', 'b'",
        ),
        ("lambda x: {x: x}", "the names of results are constants"),
        ("lambda x: {'a': x, **x}", "the names of results are constants"),
        ("lambda x: {'a': x, 'a': x}", "two results have the same name"),
        ("lambda x: {}", "a result has at least one name"),
        ("lambda x: {'a': (x, x)}", "a tuple has no value of its own"),
        ("def f(x):\n  d = {'a': x}\n  return d", "a dict is not compiled"),
        ("lambda x: ({'a': x}, x)", "a dict is not compiled"),
    ],
)
def test_dicts_that_are_refused(text: str, message: str) -> None:
    with pytest.raises(UnsupportedError, match=message) as caught:
        hs.jit(text)
    assert caught.value.text
    assert caught.value.offset


def test_helpers_return_no_dict() -> None:
    def helper(x):
        return {"a": x}

    with pytest.raises(UnsupportedError, match="a dict is not compiled"):
        hs.jit(lambda x: helper(x))
    assert math.isclose(hs.jit(lambda x: {"a": x * 0.1})(1.0)["a"], 0.1)
