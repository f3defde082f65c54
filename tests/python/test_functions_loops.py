"""Loops as they are written for numba: the program gives what Python gives on arrays."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

import hypostyle as hs
from hypostyle._functions.errors import UnsupportedError
from hypostyle._functions.loop_parts import ONE_LOOP
from hypostyle._functions.loops import loop
from program_reference import evaluate

RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=60).cumsum().round(2)
Y = RANDOM.uniform(0.5, 2.0, size=60).round(2)
FLAGS = RANDOM.integers(0, 2, size=60).astype(float)

ARGUMENTS: dict[str, Any] = {"x": X, "y": Y, "flags": FLAGS}
LAG = 3


def cusum(x, drift=0.5, limit=2.0):
    """Two-sided CUSUM with a reset."""
    n = len(x)
    alarm = np.zeros(n, dtype=np.int64)
    up, down = 0.0, 0.0
    for i in range(n):
        up = max(0.0, up + x[i] - drift)
        down = max(0.0, down - x[i] - drift)
        if up > limit or down > limit:
            alarm[i] = 1
            up = down = 0.0
    return alarm


def ewma_first(x, span=5):
    out = np.empty(len(x))
    alpha = 2.0 / (span + 1)
    out[0] = x[0]
    for i in range(1, len(x)):
        out[i] = alpha * x[i] + (1 - alpha) * out[i - 1]
    return out


def ewma_level(x, alpha=0.2):
    out = np.empty_like(x)
    level = x[0]
    for i in range(x.shape[0]):
        level += alpha * (x[i] - level)
        out[i] = level
    return out


def drawdown(x):
    result = []
    peak = -np.inf
    for value in x:
        if value > peak:
            peak = value
        result.append(value - peak)
    return np.array(result)


def position(x, y, limit=2):
    n = x.size
    held = np.zeros(n)
    cash = np.zeros(n)
    pos = 0
    money = 100.0
    for i in range(n):
        if y[i] > 1.5 and pos < limit:
            pos += 1
            money -= x[i]
        elif y[i] < 0.7 and pos > -limit:
            pos -= 1
            money += x[i]
        held[i] = pos
        cash[i] = money
    return held, cash


def lag2_filter(x):
    n = len(x)
    out = np.zeros(n)
    for i in range(2, n):
        out[i] = 0.5 * x[i] + 0.3 * x[i - 1] + 0.2 * x[i - 2] - 0.1 * out[i - 1] + 0.05 * out[i - 2]
    return out


def lag_by_constant(x):
    out = np.full(len(x), np.nan)
    for i in range(LAG, len(x)):
        out[i] = x[i] - x[i - LAG]
    return out


def sessions(x, gap=1.0):
    ids = np.zeros(len(x), dtype=int)
    session = 0
    last = x[0]
    for i in range(len(x)):
        if abs(x[i] - last) > gap:
            session += 1
        ids[i] = session
        last = x[i]
    return ids


def guarded(x):
    out = np.zeros(len(x))
    for i in range(len(x)):
        if i > 0:
            out[i] = x[i] - x[i - 1]
    return out


def guarded_by_continue(x):
    out = np.ones(len(x))
    for i in range(len(x)):
        if i == 0 or i < 2:
            continue
        out[i] = x[i] - x[i - 2]
    return out


def guarded_by_choice(x):
    out = np.empty(len(x))
    for i in range(len(x)):
        before = x[i - 1] if i else 0.0
        rises = i >= 1 and x[i] > x[i - 1]
        out[i] = before + rises
    return out


def plain_zip(x, y):
    out = []
    total = weight = 0.0
    for v, w in zip(x, y):  # noqa: B905
        total += v * w
        weight += w
        out.append(total / weight)
    return out


def with_enumerate(x):
    out = [0.0] * len(x)
    best = -math.inf
    where = 0
    for i, v in enumerate(x):
        if v >= best:
            best, where = v, i
        out[i] = i - where
    return out


def enumerate_zip(x, y):
    out = np.zeros(len(x))
    for i, (a, b) in enumerate(zip(x, y)):  # noqa: B905
        out[i] = a * b + i
    return out


def cumulative(x):
    out = np.zeros(len(x))
    for i in range(len(x)):
        out[i] = out[i - 1] + x[i]
    return out


def append_last(x, a=0.3):
    out = [x[0]]
    for i in range(1, len(x)):
        out.append(a * x[i] + (1 - a) * out[-1])
    return np.array(out)


def normalised(x):
    out = np.empty(len(x))
    base = x[0]
    scale = 1 / (base + 100)
    for i in range(len(x)):
        out[i] = (x[i] - base) * scale
    return out


def inner_constant_loop(x):
    weights = (0.5, 0.3, 0.2)
    out = np.zeros(len(x))
    for i in range(2, len(x)):
        total = 0.0
        for k in range(3):
            total += weights[k] * x[i - k]
        out[i] = total
    return out


def inner_while(x):
    out = np.zeros(len(x))
    level = 1.0
    for i in range(len(x)):
        steps = 0
        while level < abs(x[i]) and steps < 10:
            level *= 1.5
            steps += 1
        level = level * 0.9
        out[i] = level + steps
    return out


def two_starts(x):
    out = np.zeros(len(x))
    prev2, prev1 = x[0], x[1]
    out[0] = prev2
    out[1] = prev1
    for i in range(2, len(x)):
        out[i] = x[i] - 2 * prev1 + prev2
        prev2, prev1 = prev1, x[i]
    return out


def state_machine(x, flags):
    """Enter on a flag, leave after a loss of 1."""
    n = len(x)
    out = np.zeros(n, dtype=bool)
    inside = False
    entry = 0.0
    for i in range(n):
        if not inside:
            if flags[i] > 0:
                inside = True
                entry = x[i]
        elif x[i] < entry - 1.0:
            inside = False
        out[i] = inside
    return out


def bars_since(flags):
    out = np.empty(len(flags))
    count = -1
    for i in range(len(flags)):
        if flags[i]:
            count = 0
        elif count >= 0:
            count += 1
        out[i] = count
    return out


def copied(x):
    out = x.copy()
    for i in range(1, len(x)):
        if x[i] < x[i - 1]:
            out[i] = x[i - 1]
    return out


def clipped(x, most=0.5):
    out = np.zeros(len(x))
    for i in range(1, len(x)):
        step = min(max(x[i] - out[i - 1], -most), most)
        out[i] = out[i - 1] + step
    return out


def times_two(v):
    return v * 2


def with_helper(x):
    out = np.zeros(len(x))
    total = 0
    for i in range(len(x)):
        total = times_two(total) % 7 + x[i]
        out[i] = total
    return out


def uses_index(x):
    out = np.zeros(len(x))
    total = 0.0
    for i in range(len(x)):
        total += x[i]
        out[i] = total / (i + 1)
    return out


def first_row_in_the_loop(x):
    n = len(x)
    out = np.empty(n)
    out[:] = np.nan
    if n == 0:
        return out
    for i in range(n):
        if i == 0:
            out[i] = 0.0
        else:
            out[i] = x[i] - prev  # noqa: F821
        prev = x[i]  # noqa: F841
    return out


def skips_rows(x, y):
    out = np.full(len(x), np.nan)
    last = np.nan
    for i in range(len(x)):
        if x[i] < 0:
            continue
        if not np.isnan(last):
            out[i] = x[i] / last
        last = x[i] + y[i]
    return out


def generator_of_lags(x):
    out = np.zeros(len(x))
    for i in range(3, len(x)):
        out[i] = sum(w * x[i - k - 1] for k, w in enumerate((0.5, 0.25, 0.25)))
    return out


def nested_guard(x):
    out = np.zeros(len(x))
    for i in range(len(x)):
        if not (i < 2 or x[i] < 0):
            out[i] = x[i] - x[i - 2]
        elif i != 0:
            out[i] = x[i - 1]
    return out


def several_starts(x):
    low = high = x[0]
    middle = low / 2
    out = np.empty(len(x), dtype=float)
    for i in range(len(x)):
        low, high = min(low, x[i]), max(high, x[i])
        middle = middle * 0.5 + (low + high) * 0.25
        out[i] = middle
    return out


def appends_on_every_path(x):
    out = []
    total = 0.0
    for v in x:
        if v > 2:
            out.append(v)
            total += 1 if v > 4 else 2
            continue
        if v < 0:
            total -= v
            out.append(total)
        else:
            total += 1
            if v < 1:
                out.append(0.0)
            else:
                out.append(total)
    return out


WARM = 4


def several_rows_before(x):
    out = [0.0] * WARM
    level = 0.0
    for i in range(WARM, len(x)):
        level = 0.5 * level + x[i] - x[i - WARM]
        out.append(level)
    return out


def from_the_second_value(x, span=5):
    a = 2 / (span + 1)
    out = [x[0]]
    for v in x[1:]:
        out.append(a * v + (1 - a) * out[-1])
    return out


def from_the_third_row(x, y):
    out = [0.0, 1.0]
    total = 0.0
    for a, b in zip(x[2:], y[2:], strict=True):
        total += a * b
        out.append(total)
    return out


def double_smoothing(x, keep=0.9):
    n = len(x)
    first, second = np.zeros(n), np.zeros(n)
    for i in range(n):
        first[i] = x[i] if i == 0 else keep * first[i - 1] + (1 - keep) * x[i]
        second[i] = first[i] if i == 0 else keep * second[i - 1] + (1 - keep) * first[i]
    return 2 * first - second, -first * second + x


def breaks(x):
    out = np.zeros(len(x))
    for i in range(len(x)):
        if x[i] > 3:
            break
        out[i] = 1
    return out


def sums_of_lists(x):
    first, second = [0.0] * len(x), [1.0] * len(x)
    for i in range(len(x)):
        first[i] = x[i]
    return first + second


def twice_a_list(x):
    out = []
    for v in x:
        out.append(v)
    return 2 * out


def sum_of_flags(x):
    first, second = np.zeros(len(x), dtype=bool), np.ones(len(x), dtype=bool)
    for i in range(len(x)):
        first[i] = x[i] > 0
    return first + second


def a_number(x):
    out = np.zeros(len(x))
    for i in range(len(x)):
        out[i] = x[i]
    return 5


def counted_from_0(x):
    out = [0.0]
    for i, v in enumerate(x[1:]):
        out.append(i * v)
    return out


@pytest.mark.parametrize("function", [sums_of_lists, twice_a_list, sum_of_flags, a_number, counted_from_0])
def test_what_is_not_as_it_looks_for_a_row_is_refused(function: Callable[..., Any]) -> None:
    with pytest.raises(UnsupportedError, match=r"arrays that the loop fills are returned|counts from 0"):
        loop(function)


LOOPS = [
    several_rows_before, from_the_second_value, from_the_third_row, double_smoothing,
    first_row_in_the_loop, skips_rows, generator_of_lags, nested_guard, several_starts,
    cusum, ewma_first, ewma_level, drawdown, position, lag2_filter, lag_by_constant, sessions, guarded,
    guarded_by_continue, guarded_by_choice, plain_zip, with_enumerate, enumerate_zip, cumulative, append_last,
    normalised, inner_constant_loop, inner_while, two_starts, state_machine, bars_since, copied, clipped, with_helper,
    uses_index, appends_on_every_path, breaks,
]  # fmt: skip


def bits(value: Any) -> Any:
    """A value for comparisons of bits."""
    return None if value is None else np.float64(value).tobytes()


@pytest.mark.parametrize("python", LOOPS, ids=lambda f: f.__name__)
def test_a_loop_gives_what_python_gives(python: Callable[..., Any]) -> None:
    function = loop(python)
    program = function.program.with_constants(function.program.defaults)
    columns = [ARGUMENTS[name].tolist() for name in program.inputs]
    expected = python(*(ARGUMENTS[name] for name in program.inputs))
    found = evaluate(program.plain, columns)
    if program.outputs:
        expected = list(zip(*expected, strict=True))
        for row, (left, right) in enumerate(zip(found, expected, strict=True)):
            assert list(map(bits, left)) == list(map(bits, right)), row
    else:
        assert list(map(bits, found)) == list(map(bits, expected))


# What is refused


def refusal(function: Callable[..., Any]) -> str:
    """The error as Python prints it: the caret's part of the line, and the message."""
    with pytest.raises(UnsupportedError) as caught:
        loop(function)
    error = caught.value
    printed = "".join(traceback.format_exception_only(error))
    assert len(printed.splitlines()) <= 5, printed
    if error.text is None:
        return str(error.msg)
    assert error.offset is not None
    assert error.end_offset is not None
    return f"{error.text[error.offset - 1 : error.end_offset - 1]}: {error.msg}"


def future(x):
    out = np.zeros(len(x))
    for i in range(len(x)):
        out[i] = x[i + 1]
    return out


def to_last_but_one(x):
    out = np.zeros(len(x))
    for i in range(len(x) - 1):
        out[i] = x[i]
    return out


def two_loops(x):
    out = np.zeros(len(x))
    for i in range(len(x)):
        out[i] = x[i]
    for i in range(len(x)):
        out[i] = out[i] + 1
    return out


def length_inside(x):
    out = np.zeros(len(x))
    for i in range(len(x)):
        out[i] = x[i] / len(x)
    return out


def length_name_inside(x):
    n = len(x)
    out = np.zeros(n)
    for i in range(n):
        out[i] = x[i] / n
    return out


def writes_input(x):
    for i in range(len(x)):
        x[i] = 0.0
    return x


def nested(x):
    out = np.zeros(len(x))
    for i in range(len(x)):
        for j in range(i):
            out[i] += x[j]
    return out


def a_slice(x):
    out = np.zeros(len(x))
    for i in range(3, len(x)):
        out[i] = sum(x[i - 3 : i])
    return out


def returns_number(x):
    total = 0.0
    for v in x:
        total += v
    return total


def appends_sometimes(x):
    out = []
    for v in x:
        if v > 0:
            out.append(v)
    return out


def appends_twice(x):
    out = []
    for v in x:
        out.append(v)
        out.append(v)
    return out


def no_start(x):
    out = np.zeros(len(x))
    for i in range(len(x)):
        if x[i] > 0:
            out[i] = last  # noqa: F821
        last = x[i]  # noqa: F841
    return out


def array_to_helper(x):
    out = np.zeros(len(x))
    for i in range(len(x)):
        out[i] = item_of(x, i)
    return out


def item_of(values, i):
    return values[i]


def early_out(x):
    out = np.zeros(len(x))
    if len(x) < 2:
        return out
    for i in range(len(x)):
        out[i] = x[i]
    return out


def variable_lag(x, k):
    out = np.zeros(len(x))
    for i in range(len(x)):
        out[i] = x[i - k]
    return out


def fixed_item(x):
    out = np.zeros(len(x))
    for i in range(len(x)):
        out[i] = x[i] - x[0]
    return out


def whole_array(x):
    out = np.zeros(len(x))
    for i in range(len(x)):
        out[i] = x[i] - np.mean(x)
    return out


def print_before(x):
    print(len(x))
    out = np.zeros(len(x))
    for i in range(len(x)):
        out[i] = x[i]
    return out


def earlier_item(x):
    out = np.zeros(len(x))
    for i in range(1, len(x)):
        out[i - 1] = x[i]
    return out


def backwards(x):
    out = np.zeros(len(x))
    for i in range(len(x) - 1, -1, -1):
        out[i] = x[i]
    return out


def changes_index(x):
    out = np.zeros(len(x))
    for i in range(len(x)):
        i = i + 1
        out[i] = 0
    return out


def no_loop(x):
    return x[0]


def no_array(n):
    total = 0
    for i in range(n):
        total += i
    return total


def by_condition(x):
    out = np.zeros(len(x))
    if x[0] > 0:
        out[0] = 1
    for i in range(1, len(x)):
        out[i] = x[i]
    return out


def appends_in_an_inner_loop(x):
    out = []
    for v in x:
        for _ in range(3):
            out.append(v)
    return out


ROWS = "the number of rows is not known inside of the loop: rows may still come"
REFUSED = {
    future: "i + 1: this reads a later row, which may not have come yet; shift the loop: x[i] and x[i - 1]",
    to_last_but_one: "len(x) - 1: the loop goes to the last row: range(len(x)); "
    "a loop to len(x) - 1 looks at the next row",
    two_loops: f"for i in range(len(x)):: {ONE_LOOP}",
    length_inside: f"len(x): {ROWS}",
    length_name_inside: f"n: {ROWS}",
    writes_input: "x[i]: x is an input; write to an array of its own: out = np.empty(len(x))",
    nested: "i: a range needs constants here, such as range(3); "
    "for a number of rounds that depends on the row write while",
    a_slice: "i - 3 : i: a slice of an array is not compiled; for moving windows use hs.rolling_mean",
    returns_number: "total: the arrays that the loop fills are returned: return out; "
    "for one number return its last row",
    appends_sometimes: "for v in x:: this path appends nothing to out; append once in every row",
    appends_in_an_inner_loop: "out.append(v): out can get two values in one row; append once in every row",
    appends_twice: "out.append(v): out can get two values in one row; append once in every row",
    no_start: "last: last may be read before it has a value; give it one before the loop",
    array_to_helper: "i: an array cannot be passed to a function; pass its item: x[i] (in item_of, which is inlined)",
    early_out: "if len(x) < 2:: before the loop only assignments are compiled",
    variable_lag: "i - k: how far x looks back is a number or a captured constant: x[i - 1]",
    fixed_item: "0: inside of the loop an array is read at the row: x[i]; "
    "for a fixed item write first = x[0] before the loop",
    whole_array: "np.mean(x): numpy.mean is not compiled; of a tuple write sum(t) / len(t); "
    "of a whole column pass it as another column: f('x', pl.col('x').mean()), with .over('key') for each key",
    print_before: "print(len(x)): before the loop only assignments are compiled",
    earlier_item: "out[i - 1]: a row writes its own item only: out[i]",
    backwards: "range(len(x) - 1, -1, -1): the loop goes over all rows, forwards: for i in range(len(x))",
    changes_index: "i: i is the loop's index; use another name",
    no_loop: "def no_loop(x):: there is no loop over the rows: for i in range(len(x)); use hs.jit or hs.scan",
    no_array: "def no_array(n):: no parameter is an array: one is read as x[i], or gone over",
    by_condition: "if x[0] > 0:: before the loop only assignments are compiled",
}


@pytest.mark.parametrize("function", REFUSED, ids=lambda f: f.__name__)
def test_what_is_refused(function: Callable[..., Any]) -> None:
    assert refusal(function) == REFUSED[function]


# Where a loop over arrays and a function of columns differ


def unguarded(x):
    out = np.zeros(len(x))
    total = 0.0
    for i in range(len(x)):
        total += 1
        out[i] = total + x[i] - x[i - 2]
    return out


def test_before_the_first_row_there_is_nothing() -> None:
    program = loop(unguarded).program
    assert program.state == (
        ("total", ["float", "0.0"]), ("x[i-1]", None), ("x[i-2]", None), ("i", 0),
    )  # fmt: skip
    found = evaluate(program.plain, [[1.0, 2.0, 4.0, 8.0, 16.0]])
    assert found == [None, None, 1.0 + 3.0, 2.0 + 6.0, 3.0 + 12.0]


def test_only_the_path_that_reads_too_early_is_null() -> None:
    def branch(x):
        out = np.zeros(len(x))
        for i in range(len(x)):
            if x[i] > 1:
                out[i] = x[i - 1]
        return out

    assert evaluate(loop(branch).program.plain, [[0.0, 2.0, 3.0]]) == [0.0, 0.0, 2.0]
    assert evaluate(loop(branch).program.plain, [[2.0, 3.0, 0.0]]) == [None, 2.0, 0.0]


def test_a_null_is_left_out_of_the_sequence() -> None:
    found = evaluate(loop(ewma_first).program.with_constants({"span": 1}).plain, [[None, 1.0, None, 2.0]])
    assert found == [None, 1.0, None, 2.0]
    found = evaluate(loop(guarded).program.plain, [[1.0, 5.0, None, 7.0]])
    assert found == [0.0, 4.0, None, 2.0]


def test_the_text_of_a_loop() -> None:
    assert loop(drawdown).program.json == (
        '{"name":"drawdown","inputs":["x"],"state":[["peak",["float","-inf"]]],"outputs":[],"body":[["set","peak",["field",'
        '"peak"]],["set","result",null],["set","value",["get","x"]],["if",["compare",["get","value"],[[">",["get","peak"]]]'
        '],[["set","peak",["get","value"]]],[]],["set","result",["-",["get","value"],["get","peak"]]],["return",[["get",'
        '"result"]],[["get","peak"]]]]}'
    )


def test_names_and_options() -> None:
    assert loop(position).program.outputs == ("held", "cash")
    assert loop(position, outputs=("a", "b")).program.outputs == ("a", "b")
    assert loop(errors="raise")(drawdown).errors == "raise"
    assert loop(cusum).program.defaults == {"drift": 0.5, "limit": 2.0}
    with pytest.raises(ValueError, match="outputs names 1 fields, but the loop returns 2"):
        loop(position, outputs=("a",))
    assert loop(drawdown)(X).tolist() == drawdown(X).tolist()


def test_a_function_that_numba_compiled() -> None:
    numba = pytest.importorskip("numba")
    compiled = numba.njit(cusum)
    function = loop(compiled)
    assert function.program == loop(cusum).program
    assert function(X).tolist() == cusum(X).tolist()


def again(window: Any) -> Any:
    total = 0.0
    for value in window:
        total += value
    value = total / len(window)
    spread = 0.0
    for value in window:
        spread += abs(value - total / len(window))
    return spread


def after(window: Any) -> Any:
    total = 0.0
    for value in window:
        total += value
    return total + 2.0 * value


@pytest.mark.parametrize("function", [again, after])
def test_the_variable_of_a_loop_over_a_window_is_one_like_any_other(function: Any) -> None:
    """It is read after the loop, and may be that of a second one."""
    values = [1.0, 2.5, -4.0, 8.0, 8.0, 0.5]
    found = pl.DataFrame({"x": values}).select(hs.rolling(function)("x", 3, min_samples=3))["x"].to_list()
    assert found == [None, None, *(function(values[at : at + 3]) for at in range(4))]
