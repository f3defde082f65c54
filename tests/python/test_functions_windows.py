"""`hs.rolling`: several results, their types, rows on which Python raises, and states that are saved."""

# ruff: noqa: SIM110
# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import hypostyle

hs: Any = hypostyle

FRAME = pl.DataFrame(
    {
        "x": [3.0, -1.0, None, 4.0, 0.0, 5.0, -9.0, 2.5, 2.5, None, None, None, 1.0],
        "key": ["a", "b", "a", "a", "b", "b", "a", "b", "a", "a", "b", "b", "a"],
    }
)


def windows(size: int, *, keyed: bool) -> list[np.ndarray[Any, Any] | None]:
    """Return the window of each row, `None` where it has no values."""
    before: dict[Any, list[Any]] = {}
    found: list[Any] = []
    for x, key in FRAME.iter_rows():
        rows = before.setdefault(key if keyed else None, [])
        rows.append(x)
        values = [value for value in rows[-size:] if value is not None]
        found.append(np.array(values) if values else None)
    return found


def plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(plain(item) for item in value)
    return value.item() if isinstance(value, np.generic) else value


def count_above(window):
    n = 0
    for value in window:
        if value > 0:
            n += 1
    return n


def any_below(window):
    for value in window:
        if value < 0:
            return True
    return False


def worst(window):
    peak, fall, steps = window[0], 0.0, 0
    for value in window:
        steps += 1
        if value > 4:
            return value, fall, -steps
        peak = max(peak, value)
        fall = max(fall, peak - value)
    return peak, fall, steps


def inverse(window):
    total = 0.0
    for value in window:
        total += 1 / int(value)
    return total


def inverse_of_last(window):
    return 1 / int(window[-1])


def spreads(window):
    return window.max() - window.min(), len(window)


def mixed_zscore(window):
    spread = window.std(ddof=1)
    return (window[-1] - window.mean()) / spread if spread > 0 else 0.0


def middle(window):
    return np.quantile(window, 0.75) - np.quantile(window, 0.25) + window.std()


@pytest.mark.parametrize("over", [None, "key"])
@pytest.mark.parametrize(
    ("python", "dtype"),
    [(count_above, pl.Int64), (any_below, pl.Boolean), (worst, pl.Struct), (spreads, pl.Struct)],
)
def test_results_have_the_types_of_python(python: Any, dtype: Any, over: str | None, tmp_path: Path) -> None:
    call = hs.rolling(python)("x", 3, over=over).alias("y")
    want = [None if window is None else plain(python(window)) for window in windows(3, keyed=over is not None)]
    assert FRAME.select(call)["y"].dtype == dtype
    stage = hs.Stage(call)
    cut = []
    for row in range(len(FRAME)):
        cut += stage.advance(FRAME[row : row + 1])["y"].to_list()
        stage.save(tmp_path / "state")
        stage = hs.Stage.load(tmp_path / "state")
    for got in (FRAME.select(call)["y"].to_list(), cut):
        shown = [tuple(value.values()) if isinstance(value, dict) else value for value in got]
        shown = [None if isinstance(value, tuple) and set(value) == {None} else value for value in shown]
        assert shown == want


@pytest.mark.parametrize("python", [mixed_zscore, middle])
def test_states_of_several_kernels_are_saved(python: Any, tmp_path: Path) -> None:
    call = hs.rolling(python)("x", 4).alias("y")
    stage, got = hs.Stage(call), []
    for row in range(len(FRAME)):
        got += stage.advance(FRAME[row : row + 1])["y"].to_list()
        stage.save(tmp_path / "state:1")
        stage = hs.Stage.load(tmp_path / "state:1")
    assert got == FRAME.select(call)["y"].to_list()
    assert got.count(None) < 3


def test_one_value_has_no_degree_of_freedom() -> None:
    call = hs.rolling(mixed_zscore)("x", 2)
    assert FRAME.select(call)["x"].to_list()[:3] == [0.0, pytest.approx(-math.sqrt(0.5)), 0.0]
    spread = hs.rolling(lambda window: window.std(ddof=1))
    assert math.isnan(FRAME.select(spread("x", 2))["x"][0])


def test_a_window_without_values_is_no_window() -> None:
    largest = hs.rolling(lambda window: window.max() or 7.0)
    assert FRAME.select(largest("x", 2))["x"].to_list()[10:] == [None, None, 1.0]


@pytest.mark.parametrize("python", [inverse, inverse_of_last])
def test_rows_on_which_python_raises_are_null_or_named(python: Any) -> None:
    # A row without values is no row on which Python raises.
    assert FRAME.select(hs.rolling(python)("x", 2))["x"].null_count() > 2
    raising = hs.rolling(python, errors="raise")
    with pytest.raises(pl.exceptions.ComputeError, match=rf"row 4: the function '{python.__name__}' raises in Python"):
        FRAME.select(raising("x", 2))
    with pytest.raises(ValueError, match=r"row 4: .* \(key key=\"b\"\)"):
        hs.Stage(raising("x", 2, over="key")).advance(FRAME)
    good = FRAME.with_columns(pl.col("x").replace(0.0, 8.0))
    want = good.select(hs.rolling(python)("x", 2))["x"].to_list()
    assert want[10:12] == [None, None]
    assert good.select(raising("x", 2))["x"].to_list() == want
    stage = hs.Stage(raising("x", 2).alias("y"))
    stage.set_schema({"x": pl.Float64})
    assert [stage.advance_row({"x": x})["y"] for x in good["x"]] == want
    with pytest.raises(ValueError, match="raises in Python"):
        stage.advance_row({"x": 0.0})


def test_wrong_errors() -> None:
    with pytest.raises(ValueError, match="errors must be one of 'null', 'raise', not 'ignore'"):
        hs.rolling(inverse, errors="ignore")


def test_the_key_of_a_bad_row_is_named() -> None:
    @hs.scan(total=0.0, errors="raise")
    def inverted(state, x):
        total = state.total + 1 / x
        return hs.state(total=total), total

    frame = pl.DataFrame({"x": [1.0, 2.0, 0.0], "day": [1, 2, 1], "key": ["a", "b", "c"]})
    with pytest.raises(ValueError, match=r'row 2: .*\(key key="c", day="1"\)'):
        hs.Stage(inverted("x", over=["key", "day"])).advance(frame)


def variables_named_as_a_window_is_asked(window):
    count = 0
    first = 0.5
    for last in window:
        if last < window[-1]:
            count += 1
    return count + first + len(window)


def maximum_over_mean(window, k=2.0):
    max = window.max() * k
    mean = window.mean()
    return max - mean


@pytest.mark.parametrize("function", [variables_named_as_a_window_is_asked, maximum_over_mean])
def test_variables_are_told_from_what_is_known_of_a_window(function: Any) -> None:
    got = FRAME.select(hs.rolling(function)("x", 4, min_samples=1)).to_series().to_list()
    expected = [None if window is None else plain(function(window)) for window in windows(4, keyed=False)]
    assert got == pytest.approx(expected, rel=1e-15)


def test_a_parameter_named_as_a_window_is_asked_is_refused() -> None:
    def scaled(window, count=2.0):
        return window.max() * count

    with pytest.raises(hs.UnsupportedError, match="count is a name of what is known of a window"):
        hs.rolling(scaled)
