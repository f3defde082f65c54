"""Loops with few values of their own, in arrays, lists and deques; with a loop over the first rows; with `break`."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

import hypostyle as hs
from hypostyle._functions.errors import UnsupportedError
from hypostyle._functions.loops import loop
from program_reference import evaluate
from test_functions_loops import bits

RANDOM = np.random.default_rng(17)
ROWS = 150
X = RANDOM.normal(size=ROWS).cumsum().round(2)
N = RANDOM.integers(-9, 10, size=ROWS)
ARGUMENTS: dict[str, Any] = {"x": X, "n": N}


def ring(x, size=20):
    kept, out, total = np.zeros(size), np.empty(len(x)), 0.0
    for i in range(len(x)):
        total += x[i] - kept[i % size]
        kept[i % size] = x[i]
        out[i] = total / min(i + 1, size)
    return out


def range_of_a_ring(x):
    last = [0.0] * 5
    at = 0
    out = []
    for v in x:
        last[at] = v
        at = (at + 1) % 5
        out.append(max(last) - min(last))
    return out


def items_from_the_end(n):
    kept = [0, 0, 0, 0]
    out = np.zeros(len(n))
    for i in range(len(n)):
        k = -1 - i % 4
        kept[k] = n[i]
        kept[-2] += 1
        out[i] = kept[0] * 1000 + kept[1] * 100 + kept[-1] * 10 + kept[k]
    return out


def shifted(x):
    last = [0.0, 0.0, 0.0]
    out = np.zeros(len(x))
    for i in range(len(x)):
        last[0] = last[1]
        last[1] = last[2]
        last[2] = x[i]
        out[i] = last[0] - last[2]
    return out


def constant_weights(x):
    weights = [0.5, 0.3, 0.2]
    out = np.zeros(len(x))
    for i in range(2, len(x)):
        total = 0.0
        for j in range(3):
            total += weights[j] * x[i - j]
        out[i] = total
    return out


def counted(n):
    seen = np.zeros(19, dtype=np.int64)
    out = np.zeros(len(n), dtype=np.int64)
    for i in range(len(n)):
        seen[n[i] + 9] += 1
        out[i] = seen[n[i] + 9]
    return out


def cut_to_whole_numbers(x):
    kept = np.zeros(3, dtype=np.int64)
    out = np.zeros(len(x))
    for i in range(len(x)):
        kept[i % 3] += x[i]
        out[i] = kept[i % 3] / 2
    return out


def by_numpy(x):
    kept = np.zeros(12)
    centre, width = np.zeros(len(x)), np.zeros(len(x))
    for i in range(len(x)):
        kept[i % 12] = x[i]
        centre[i] = kept.mean() + np.std(kept) + kept.var()
        width[i] = kept.max() - np.min(kept) + np.sum(kept)
    return centre, width


def mean_of_a_deque(x):
    last = deque(maxlen=7)
    out = np.zeros(len(x))
    for i in range(len(x)):
        last.append(x[i])
        out[i] = sum(last) / len(last)
    return out


def items_of_a_deque(x):
    last = deque(maxlen=6)
    out = np.zeros(len(x))
    for i in range(len(x)):
        last.append(x[i])
        if len(last) == 6:
            out[i] = max(last) - min(last) + last[0] - last[-1] + last[i % 6]
        elif len(last) > 2:
            out[i] = last[-2] + last[1]
        if x[i] > 2:
            last.clear()
    return out


def filled_deque(x):
    last = deque([False] * 3, maxlen=3)
    out = np.zeros(len(x), dtype=bool)
    for i in range(len(x)):
        last.append(x[i] > 0)
        out[i] = all(last)
    return out


def how_many_are_less(x):
    last = deque(maxlen=8)
    out = np.zeros(len(x), dtype=np.int64)
    for i in range(len(x)):
        out[i] = sum(1 for v in last if v < x[i])
        last.append(x[i])
    return out


def squares_of_a_list(x):
    last = []
    out = []
    for v in x:
        last.append(v)
        if len(last) > 5:
            last.pop(0)
        mean = sum(last) / len(last)
        total = 0.0
        for u in last:
            if u == mean:
                continue
            total += (u - mean) ** 2
        out.append(total)
    return out


def drops_first(x):
    last = []
    out = []
    for v in x:
        if len(last) >= 4:
            last.pop(0)
        last.append(v)
        out.append(last[0])
    return out


def rsi(x, n=14):
    out = np.full(len(x), np.nan)
    gain = loss = 0.0
    for i in range(1, n + 1):
        step = x[i] - x[i - 1]
        if step > 0:
            gain += step
        else:
            loss -= step
    gain /= n
    loss /= n
    out[n] = 100 - 100 / (1 + gain / loss)
    for j in range(n + 1, len(x)):
        step = x[j] - x[j - 1]
        gain = (gain * (n - 1) + max(step, 0)) / n
        loss = (loss * (n - 1) + max(-step, 0)) / n
        out[j] = 100 - 100 / (1 + gain / loss)
    return out


def seeded(x, n=10):
    out = np.full(len(x), np.nan)
    alpha = 2 / (n + 1)
    out[n - 1] = np.mean(x[:n])
    for i in range(n, len(x)):
        out[i] = alpha * x[i] + (1 - alpha) * out[i - 1]
    return out


def seeded_by_a_sum(x):
    out = np.zeros(len(x))
    level = sum(x[:5]) / 5
    for i in range(5, len(x)):
        level += 0.3 * (x[i] - level)
        out[i] = level
    return out


def until_the_first(n):
    out = np.ones(len(n))
    total = 0
    for i in range(len(n)):
        total += n[i]
        if total < -5:
            out[i] = total
            break
        out[i] = 2
    return out


def as_floats(n):
    n = np.asarray(n, dtype=float)
    out = np.zeros(n.shape[0])
    level = 0.0
    for i in range(n.shape[0]):
        level = (level + n[i]) / 2
        out[i] = level
    return out


LOOPS = [
    ring, range_of_a_ring, items_from_the_end, shifted, constant_weights, counted, cut_to_whole_numbers, by_numpy,
    mean_of_a_deque, items_of_a_deque, filled_deque, how_many_are_less, squares_of_a_list, drops_first, rsi, seeded,
    seeded_by_a_sum, until_the_first, as_floats,
]  # fmt: skip


def rows_of(found: Any) -> list[list[Any]]:
    """The results of rows as bits, of one output or of several."""
    columns = found if isinstance(found, tuple) else (found,)
    return [list(map(bits, row)) for row in zip(*columns, strict=True)]


def in_frame(function: Any, frame: pl.DataFrame, **options: Any) -> pl.Series:
    return frame.select(function(*function.program.inputs, **options).alias("found"))["found"]


def plain(found: pl.Series) -> Any:
    if isinstance(found.dtype, pl.Struct):
        return tuple(found.struct.field(name).to_list() for name in found.struct.fields)
    return found.to_list()


FRAME = pl.DataFrame({"x": X, "n": N, "key": RANDOM.integers(0, 3, size=ROWS)})


@pytest.mark.parametrize("python", LOOPS, ids=lambda f: f.__name__)
def test_a_loop_gives_what_python_gives(python: Callable[..., Any]) -> None:
    function: Any = loop(python)
    program = function.program.with_constants(function.program.defaults)
    expected = rows_of(python(*(ARGUMENTS[name] for name in program.inputs)))
    evaluated = evaluate(program.plain, [ARGUMENTS[name].tolist() for name in program.inputs])
    assert rows_of(tuple(zip(*evaluated, strict=True)) if program.outputs else evaluated) == expected
    assert rows_of(plain(in_frame(function, FRAME))) == expected


@pytest.mark.parametrize("python", LOOPS, ids=lambda f: f.__name__)
def test_keys_and_pieces_change_nothing(python: Callable[..., Any]) -> None:
    function: Any = loop(python)
    whole = in_frame(function, FRAME, over="key")
    for key in range(3):
        rows = FRAME["key"] == key
        arguments = (FRAME[name].filter(rows).to_numpy() for name in function.program.inputs)
        assert rows_of(plain(whole.filter(rows))) == rows_of(python(*arguments))
    stage = hs.Stage(function(*function.program.inputs, over="key").alias("found"))
    parts = [stage.advance(FRAME[:31]), stage.advance(FRAME[31:32])]
    stage = pickle.loads(pickle.dumps(stage))
    parts.append(stage.advance(FRAME[32:]))
    assert rows_of(plain(pl.concat(parts)["found"])) == rows_of(plain(whole))


def test_an_item_beyond_an_array_is_an_error_of_the_row() -> None:
    def beyond(n):
        kept = [0] * 4
        out = np.zeros(len(n))
        for i in range(len(n)):
            kept[n[i]] += 1
            out[i] = sum(kept)
        return out

    frame = pl.DataFrame({"n": [3, 4, -4, -5, None, 0]})
    assert in_frame(loop(beyond), frame).to_list() == [1.0, None, 2.0, None, None, 3.0]
    with pytest.raises(pl.exceptions.ComputeError, match="row 1"):
        in_frame(loop(beyond, errors="raise"), frame)


def test_an_item_of_an_empty_deque_is_an_error_of_the_row() -> None:
    def first(x):
        last = deque(maxlen=2)
        out = np.zeros(len(x))
        for i in range(len(x)):
            if x[i] > 0:
                last.append(x[i])
            if x[i] == 0:
                last.popleft()
            out[i] = last[0]
        return out

    frame = pl.DataFrame({"x": [0.0, -1.0, 3.0, 4.0, 5.0, 0.0, -1.0, 0.0]})
    assert in_frame(loop(first), frame).to_list() == [None, None, 3.0, 3.0, 4.0, 5.0, 5.0, None]


def too_many(x):
    kept = np.zeros(100)
    out = np.zeros(len(x))
    for i in range(len(x)):
        kept[i % 100] = x[i]
        out[i] = kept[0]
    return out


def the_same_list(x):
    kept = [0.0, 0.0]
    out = np.zeros(len(x))
    for i in range(len(x)):
        kept[i % 2] = x[i]
        other = kept
        out[i] = other[0]
    return out


def surely_beyond(x):
    kept = [0.0, 0.0]
    out = np.zeros(len(x))
    for i in range(len(x)):
        kept[2] = x[i]
        out[i] = kept[0]
    return out


def a_gap_between_loops(x):
    out = np.zeros(len(x))
    for i in range(3):
        out[i] = 0.0
    for i in range(5, len(x)):
        out[i] = x[i]
    return out


def another_row_between_loops(x):
    out = np.zeros(len(x))
    for i in range(3):
        out[i] = x[i]
    out[0] = 1.0
    for i in range(3, len(x)):
        out[i] = x[i]
    return out


def breaks_a_list(x):
    out = []
    for v in x:
        if v > 3:
            break
        out.append(v)
    return out


REFUSED = {
    too_many: "kept keeps 100 values from row to row; at most 64 are compiled",
    the_same_list: "other would be the same list as the other name; read its items",
    surely_beyond: "item 2 is beyond kept, which has 2",
    a_gap_between_loops: "one loop over the rows is compiled, perhaps with one over the first rows",
    another_row_between_loops: "between the loops the item of the last row is compiled: number 2",
    breaks_a_list: "break ends a list that grows early; write to an array",
}


@pytest.mark.parametrize("function", REFUSED, ids=lambda f: f.__name__)
def test_what_is_refused(function: Callable[..., Any]) -> None:
    with pytest.raises(UnsupportedError, match=REFUSED[function]):
        loop(function)
