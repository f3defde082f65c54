"""The engine of pandas 3: `apply` and `map` with `engine=hs.jit` give what pandas' own loop gives."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import hypostyle as hs
from hypostyle._functions import pandas_engine
from hypostyle._functions.captured import key_of

# mypy: allow-untyped-defs, allow-untyped-calls

ENGINE: Any = hs.jit
RAISING: Any = hs.jit(errors="raise")
FACTOR = 2.0


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "w": [1.0, 2.5, float("nan"), -3.0, -0.0, float("inf")],
            "n": [1, 2, 3, 4, -5, 0],
            "small": np.array([1, 2, 3, 4, 5, 6], "i2"),
            "single": np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], "f4"),
            "flag": [True, False, True, True, False, False],
            "side": list("bbsbss"),
            "two words": [1.5] * 6,
        },
        index=pd.Index([5, 3, 3, 9, 1, 0], name="id"),
    )


def by_attribute(r):
    return r.w * 2 if r.n > 1 else r.w


def by_item(r):
    return r["w"] + r["two words"] * r["n"]


def scaled(r, k=3, shift=0.5):
    return r.n * k + shift


def capturing(r):
    return halved(r.w) * FACTOR


def halved(x):
    return x / 2


def branches(r):
    if r.flag:
        return math.sqrt(abs(r.w)) if r.w < 100 else 0.0
    return max(r.small, r.single)


def chosen(r):
    return r.w > 1 or r.flag


def missing(r):
    return -1.0 if pd.isna(r.w + r.n) else r.w


def there(r):
    return pd.notna(r.w) and pd.notnull(r.n)


ROW_FUNCTIONS = (by_attribute, by_item, scaled, capturing, branches, chosen, missing, there)


@pytest.mark.parametrize("function", ROW_FUNCTIONS, ids=lambda function: function.__name__)
@pytest.mark.parametrize("axis", [1, "columns"])
def test_rows(frame: pd.DataFrame, function: Callable[..., Any], axis: Any) -> None:
    found = frame.apply(function, axis=axis, engine=ENGINE)
    pd.testing.assert_series_equal(found, frame.apply(function, axis=1), check_exact=True, check_dtype=False)
    assert found.dtype != object


def test_arguments(frame: pd.DataFrame) -> None:
    for more in ({"args": (7,)}, {"k": 7}, {"shift": 1, "k": 2.5}, {"args": (1, 2)}):
        found = frame.apply(scaled, axis=1, engine=ENGINE, **more)
        expected = frame.apply(scaled, axis=1, **more)
        pd.testing.assert_series_equal(found, expected, check_dtype=False)


def test_a_string_as_argument(frame: pd.DataFrame) -> None:
    def priced(r, side="buy"):
        return r.w if side == "buy" else -r.w

    for more in ({}, {"side": "sell"}, {"args": ("sell",)}):
        found = frame.apply(priced, axis=1, engine=ENGINE, **more)
        pd.testing.assert_series_equal(found, frame.apply(priced, axis=1, **more))


def test_each_column_has_its_own_type() -> None:
    frame = pd.DataFrame({"big": [2**53 + 1, 2**62], "x": [0.5, 1.5], "text": ["a", "b"]})
    found = frame.apply(lambda r: r.big + 1, axis=1, engine=ENGINE)
    assert found.dtype == np.dtype("i8")
    assert found.tolist() == [2**53 + 2, 2**62 + 1]
    assert frame.apply(lambda r: r.big if r.x > 1 else None, axis=1, engine=ENGINE).tolist()[1] == 2.0**62


def test_nan_is_a_number_and_na_is_none(frame: pd.DataFrame) -> None:
    function = lambda r: -1.0 if r.w is None else (0.0 if r.w != r.w else r.w)  # noqa: E731
    assert frame.apply(function, axis=1, engine=ENGINE).tolist() == [1.0, 2.5, 0.0, -3.0, -0.0, float("inf")]
    nullable = pd.DataFrame({"w": pd.array([1.0, None], "Float64")})
    found = nullable.apply(function, axis=1, engine=ENGINE)
    assert found.dtype == pd.Float64Dtype()
    assert found.tolist() == [1.0, -1.0]
    arrow = pd.DataFrame({"w": pd.array([1, None], "int64[pyarrow]")})
    found = arrow.apply(lambda r: r.w if r.w is None else r.w + 1, axis=1, engine=ENGINE)
    assert found.dtype == pd.ArrowDtype(__import__("pyarrow").int64())
    assert found[0] == 2
    assert found[1] is pd.NA
    objects = pd.DataFrame({"w": np.array([1.0, None], object)})
    assert objects.apply(function, axis=1, engine=ENGINE).tolist() == [1.0, -1.0]


def test_several_results_are_a_frame(frame: pd.DataFrame) -> None:
    found = frame.apply(lambda r: {"low": r.n - 1, "high": r.w}, axis=1, engine=ENGINE)
    expected = pd.DataFrame({"low": frame["n"] - 1, "high": frame["w"]})
    pd.testing.assert_frame_equal(found, expected)
    unnamed = frame.apply(lambda r: (r.n, r.w), axis=1, engine=ENGINE)
    assert list(unnamed) == ["field_0", "field_1"]


def test_compiled_functions(frame: pd.DataFrame) -> None:
    @hs.jit
    def risk(w, n, k=2.0):
        return w * n / k

    expected = pd.Series(frame["w"] * frame["n"] / 2.0)
    pd.testing.assert_series_equal(frame.apply(risk, axis=1, engine=ENGINE), expected)
    pd.testing.assert_series_equal(frame.apply(risk, axis=1, engine=ENGINE, k=1.0), expected * 2)
    pd.testing.assert_series_equal(frame["n"].map(hs.jit(lambda x: x + 1), engine=ENGINE), frame["n"] + 1)
    with pytest.raises(TypeError, match="risk: its parameters are columns"):
        frame.apply(risk, axis=1, args=(1.0,), engine=ENGINE)
    with pytest.raises(hs.ColumnNotFoundError, match="risk: the frame has no column 'w'; its columns are n"):
        frame[["n"]].apply(risk, axis=1, engine=ENGINE)


def test_compiled_functions_with_a_state(frame: pd.DataFrame) -> None:
    @hs.scan(total=0)
    def running(state, n):
        return hs.state(total=state.total + n), state.total + n

    assert frame.apply(running, axis=1, engine=ENGINE).tolist() == frame["n"].cumsum().tolist()
    pd.testing.assert_series_equal(frame["n"].map(running, engine=ENGINE), frame["n"].cumsum())
    values = pd.Series([1, None, 3], dtype="Int64")
    found = values.map(running, engine=ENGINE, na_action="ignore")
    pd.testing.assert_series_equal(found, values.cumsum())


@pytest.mark.parametrize("na_action", [None, "ignore"])
def test_map(frame: pd.DataFrame, na_action: Any) -> None:
    functions: tuple[Callable[..., Any], ...] = (
        lambda x: 0.0 if x != x else x * 2,
        lambda x: max(x, 0.0),
        lambda x: x > 1,
        lambda x: x if x > 0 else None,
    )
    for name in ("w", "n", "small", "flag"):
        for function in functions:
            found = frame[name].map(function, engine=ENGINE, na_action=na_action)
            expected = frame[name].map(function, na_action=na_action)
            wanted = [float("nan") if value is None else float(value) for value in expected]
            assert [float(v).hex() for v in found] == [float(v).hex() for v in wanted]
            assert found.index.equals(frame.index)
            assert found.name == name


def test_map_with_arguments(frame: pd.DataFrame) -> None:
    def shifted(x, by=1, times=2):
        return (x + by) * times

    expected = frame["n"].map(shifted, by=3)
    pd.testing.assert_series_equal(frame["n"].map(shifted, engine=ENGINE, by=3), expected)
    with pytest.raises(TypeError, match="shifted, parameter 'at': unknown parameter"):
        frame["n"].map(shifted, engine=ENGINE, at=3)


def test_raising(frame: pd.DataFrame) -> None:
    found = frame.apply(lambda r: 1 / r.n, axis=1, engine=ENGINE)
    assert math.isnan(found.iloc[5])
    with pytest.raises(ValueError, match=r"row 5\b"):
        frame.apply(lambda r: 1 / r.n, axis=1, engine=RAISING)
    with pytest.raises(ValueError, match=r"row 5\b"):
        frame["n"].map(lambda x: 1 / x, engine=RAISING)
    with pytest.raises(ValueError, match=r"row 5\b"):
        frame["n"].map(hs.jit(lambda x: 1 / x, errors="raise"), engine=ENGINE)


def test_what_is_refused(frame: pd.DataFrame) -> None:
    dated = frame.assign(t=pd.Timestamp("2024-01-01"))
    twice = pd.concat([frame, frame], axis=1)
    wrong: list[tuple[Callable[[], Any], type[Exception], str]] = [
        (lambda: frame.apply(by_item, axis=0, engine=ENGINE), NotImplementedError, "axis=1, not axis=0"),
        (lambda: frame.apply(by_item, axis="index", engine=ENGINE), NotImplementedError, "not axis='index'"),
        (lambda: frame.apply(by_item, axis=1, raw=True, engine=ENGINE), NotImplementedError, "raw=True loses"),
        (
            lambda: frame.apply(by_item, axis=1, result_type="expand", engine=ENGINE),
            NotImplementedError,
            "result_type='expand'",
        ),
        (lambda: frame.apply([by_item], axis=1, engine=ENGINE), TypeError, "takes a Python function, not "),
        (lambda: frame.apply("sum", axis=1, engine=ENGINE), TypeError, "takes a Python function, not 'sum'"),
        (lambda: frame.apply(lambda r: r.zz, axis=1, engine=ENGINE), hs.ColumnNotFoundError, "no column 'zz'; its"),
        (lambda: frame.apply(lambda r: r.sum(), axis=1, engine=ENGINE), SyntaxError, "a method of a value"),
        (lambda: frame.apply(lambda r: 1.0, axis=1, engine=ENGINE), SyntaxError, "uses no column of the row"),
        (lambda: frame.apply(lambda r, k: r.w * k, axis=1, engine=ENGINE), TypeError, "required argument: 'k'"),
        (lambda: frame.apply(scaled, axis=1, q=1, engine=ENGINE), TypeError, "unexpected keyword argument 'q'"),
        (lambda: frame.apply(scaled, axis=1, k=[1], engine=ENGINE), TypeError, "parameter 'k' takes a column"),
        (lambda: dated.apply(lambda r: r.t, axis=1, engine=ENGINE), TypeError, "column 't' of type datetime64"),
        (lambda: dated["t"].map(lambda t: t, engine=ENGINE), TypeError, "make it a number first"),
        (lambda: twice.apply(by_item, axis=1, engine=ENGINE), ValueError, "more than one column 'w'"),
        (lambda: frame["n"].map({1: 2}, engine=ENGINE), ValueError, "only be specified when func is a function"),
        (lambda: frame["n"].map(lambda x: {"a": x}, engine=ENGINE), ValueError, "several: a; call"),
        (lambda: frame["n"].map(abs, engine=ENGINE), SyntaxError, "write a lambda that calls it"),
    ]
    for call, error, message in wrong:
        with pytest.raises(error, match=message):
            call()


def test_empty_frames_are_left_to_pandas(frame: pd.DataFrame) -> None:
    """pandas calls the Python function itself, with an empty Series, and hides what it raises."""
    for function in ROW_FUNCTIONS:
        found = frame.iloc[:0].apply(function, axis=1, engine=ENGINE)
        assert found.shape[0] == 0
    assert frame[[]].apply(lambda r: 1.0, axis=1, engine=ENGINE).tolist() == [1.0] * 6
    compiled = hs.jit(lambda w: w + 1)
    assert frame.iloc[:0].apply(compiled, axis=1, engine=ENGINE).shape[0] == 0
    empty = frame["n"].iloc[:0].map(lambda x: x / 2, engine=ENGINE)
    assert (empty.shape, empty.dtype) == ((0,), np.dtype("f8"))


def test_what_is_captured_is_read_at_every_call(frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    first = frame.apply(capturing, axis=1, engine=ENGINE)
    monkeypatch.setitem(globals(), "FACTOR", 20.0)
    pd.testing.assert_series_equal(frame.apply(capturing, axis=1, engine=ENGINE), first * 10)
    monkeypatch.setitem(globals(), "halved", lambda x: x)
    pd.testing.assert_series_equal(frame.apply(capturing, axis=1, engine=ENGINE), first * 20)


def closure(k: Any) -> Callable[..., Any]:
    return lambda r: r.n * k


class Settings:
    k = 1


def reading_a_class(r):
    return r.n * Settings.k


def test_the_cache(frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pandas_engine, "_programs", {})
    translated: list[Any] = []
    real = pandas_engine.translate_row

    def counting(function: Any) -> Any:
        translated.append(function)
        return real(function)

    monkeypatch.setattr(pandas_engine, "translate_row", counting)
    for k in (1, 1, 1.0, True, 1, 2):
        assert frame.apply(closure(k), axis=1, engine=ENGINE).tolist() == (frame["n"] * k).tolist()
    assert len(translated) == 4
    frame.apply(closure(1), axis=1, engine=RAISING)
    assert len(translated) == 5
    for k in (1, 5):
        monkeypatch.setattr(Settings, "k", k)
        assert frame.apply(reading_a_class, axis=1, engine=ENGINE).tolist() == (frame["n"] * k).tolist()
    for k in range(1000, 1000 + 2 * pandas_engine.KEPT):
        frame.apply(closure(k), axis=1, engine=ENGINE)
    assert len(pandas_engine._programs) == pandas_engine.KEPT


def with_default(k: Any) -> Callable[..., Any]:
    def function(r, k=k):
        return r.n * k

    return function


def with_keyword_default(k: Any) -> Callable[..., Any]:
    def function(r, *, k=k):
        return r.n * k

    return function


@pytest.mark.parametrize("make", [closure, with_default, with_keyword_default])
def test_keys_of_functions(make: Callable[..., Any]) -> None:
    values: list[Any] = [0, 0.0, -0.0, False, None, "0", (0,), (0.0,), float("nan"), math.sqrt, math.floor, np.int64(3)]
    assert len({key_of(make(value)) for value in values}) == len(values)
    assert all(key_of(make(value)) == key_of(make(value)) for value in values)
    assert key_of(make([1])) == key_of(make([2]))  # neither can be part of a program


def test_the_engine_is_lazy() -> None:
    code = "import sys, hypostyle as hs; hs.jit('lambda x: x + 1')('x'); assert 'pandas' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_engine_itself() -> None:
    assert callable(hs.jit)
    assert repr(hs.jit) == "hs.jit"
    assert repr(hs.jit(errors="raise")) == "hs.jit(errors='raise')"
    assert hasattr(hs.jit, "__pandas_udf__")
    with pytest.raises(ValueError, match=r"hs\.jit: errors must be one of 'null', 'raise', not 'ieee'"):
        hs.jit(errors="ieee")  # type: ignore[call-overload]
