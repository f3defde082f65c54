"""Compiled functions: try, else of loops, ranges by row, and functions, imports and lists inside of a function."""

# ruff: noqa: E731, B007, RET504, SIM102, SIM208
# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

import hypostyle
from hypostyle._functions.errors import UnsupportedError

hs: Any = hypostyle

FLOATS = [0.0, -0.0, 1.0, 2.5, -3.0, 1e300, -1e300, math.inf, -math.inf, math.nan, None, 710.0, 4.0, 7.0]
INTEGERS = [0, 1, -1, 2, 3, 5, 7, -4, None, 9]
WEIGHTS = (0.5, 0.25, 0.125)


def ratio(x, y):
    try:
        return x / y
    except ZeroDivisionError:
        return -1.0


def ratio_of_nothing(x, y):
    try:
        return x / y + 1
    except (ZeroDivisionError, TypeError):
        return 0.0


def any_failure(x, y):
    try:
        z = math.sqrt(x) / y
        z = z + math.log(y)
    except Exception:
        z = -7.0
    return z


def two_handlers(x, y):
    try:
        z = math.sqrt(x) / y
    except ValueError:
        z = 1.0
    except ZeroDivisionError:
        z = 2.0
    return z


def one_of_two_failures(x, y):
    # The root raises first; of it no handler is told.
    try:
        z = math.sqrt(x) / y
    except ZeroDivisionError:
        z = 2.0
    return z


def what_was_set_before_stays(x, y):
    z = 5.0
    try:
        z = x * 2
        z = 1 / y
    except ZeroDivisionError:
        pass
    return z


def otherwise(x, y):
    try:
        z = x // y
    except ZeroDivisionError:
        return None
    else:
        z += 1
    return z


def bare(x, y):
    try:
        return int(x / 1e290) % int(y / 1e290)
    except:  # noqa: E722
        return -1


def large(x, y):
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def inside_of_a_loop(x, y):
    total = 0.0
    for k in range(-2, 3):
        try:
            total += x / (k - y)
        except ZeroDivisionError:
            continue
        if total > 100:
            break
    return total


def first_above(x, y):
    for k in range(5):
        if k > x:
            break
    else:
        k = 99
    return k


def else_that_returns(x, y):
    for weight in WEIGHTS:
        if weight * y > x:
            result = weight
            break
    else:
        return -1.0
    return result


def else_of_while(x, y):
    n = 0
    while n < 3:
        if x > n and y < n:
            break
        n += 1
    else:
        n = -n
    return n


def nested_else(x, y):
    n = 0
    for i in range(3):
        for j in range(3):
            if i * j > x:
                break
            n += 1
        else:
            n += 10
            continue
        break
    else:
        n += 100
    return n


def factorial(n, m):
    result = 1
    for i in range(1, n + 1):
        result *= i
    return result


def counted_down(n, m):
    total = 0
    for i in range(n, m, -2):
        if i == 3:
            continue
        if total > 20:
            break
        total = total * 10 + i
    else:
        total = -total
    return total


def rounds_of_rounds(n, m):
    total = 0
    for i in range(4):
        for j in range(i):
            total += i * j + n
    return total


def the_range_is_made_once(n, m):
    total = 0
    for i in range(n):
        n = 0
        total += i + m
    return total


def last_of_range(n, m):
    i = -5
    for i in range(m):
        n += 0
    return i + n


def with_a_helper(x, y):
    def clipped(v, low=-1.0, high=2.0):
        return max(low, min(high, v))

    double = lambda v: v * 2
    return clipped(x) + double(clipped(y, high=0.5))


def with_imports(x, y):
    import math as m
    from math import floor as down
    from math import pi

    return m.hypot(x, y) + down(pi * 2) if x is not None and y is not None and abs(x) < 1e9 else pi


def deviation(x, y):
    points = [x, y, x + y]
    mean = sum(points) / len(points)
    return math.sqrt(sum((p - mean) ** 2 for p in points) / (len(points) - 1))


def doubled(x, y):
    a, b, c = [v * 2 for v in (x, y, 1.0)]
    return a + b * c


def how_many(x, y):
    return len([v for v in (x, y) if v > 0]) * 10 + len([1 for v in (x, y, 2.0) if v < 5])


def larger(x, y):
    return (x, y)[x < y]


def by_number(n, m):
    return (1.5, 2.5, 3.5)[int(n)] + [10, 20][int(m)]


def horner(x, y):
    result = 0.0
    for c in reversed([1.0, -2.0, y]):
        result = result * x + c
    return result


def pair_of(n, limit):
    if n >= limit:
        return True, 0.0
    return False, n


def first_below(x, y):
    for step in (1, 2, 3):
        if x - step < y:
            return step, x - step
        if x == 7:
            return -1, 0.0
    return 0, x


def nested_pairs(x, y):
    if x < 0:
        return (x, 1), y
    if y < 0:
        return (y, 2), x
    return (0, 3), x + y


def pairs_of_pairs(x, y):
    if x > 2:
        hit, n = pair_of(x, y)
        if hit:
            return n, 5
        return n, 6
    a, b = pair_of(y, x)
    return (1 if a else 2), b


def the_first_way_out(x, y):
    hit, n = pair_of(x, y)
    return 10 * hit + n


def ways_out_of_a_loop(x, y):
    step, rest = first_below(x, y)
    return 100 * step + rest


def ways_out_with_pairs(x, y):
    (which, number), other = nested_pairs(x, y)
    return which * 10 + number + other


def ways_out_of_both(x, y):
    n, m = pairs_of_pairs(x, y)
    hit, n = pair_of(n, m)
    return n if hit else n - m


def ways_out_in_turns(x, y):
    n = x
    for _ in range(4):
        hit, n = pair_of(n + 1, y)
        if hit:
            n = n - 2
    return n


def a_way_that_is_never_gone(x, y):
    # With and without nulls, other ways are seen to be impossible; results of both kinds stay a bool.
    if -1 <= x < 2.5 or bool(x):
        return not not x * (x > 0)
    if bool(x) or -1 <= x < 2.5:
        if x + x - (x and x):
            v = x is None
            if x < bool(v) <= int(v):
                return x if v & v else x // 7 + (x + v * 0.5)
    return None


OF_FLOATS = [
    *(ratio, ratio_of_nothing, any_failure, two_handlers, one_of_two_failures, what_was_set_before_stays, otherwise),
    *(bare, large, inside_of_a_loop, first_above, else_that_returns, else_of_while, nested_else, with_a_helper),
    *(with_imports, deviation, doubled, how_many, larger, horner),
    *(the_first_way_out, ways_out_of_a_loop, ways_out_with_pairs, ways_out_of_both, ways_out_in_turns),
    a_way_that_is_never_gone,
]
OF_INTEGERS = [factorial, counted_down, rounds_of_rounds, the_range_is_made_once, last_of_range, by_number, ratio]
OF_INTEGERS += [the_first_way_out, ways_out_of_a_loop, ways_out_of_both, ways_out_in_turns]


def wanted(function: Any, x: Any, y: Any) -> Any:
    try:
        return function(x, y)
    except Exception:
        return None


def same(got: Any, want: Any) -> bool:
    if got is None or want is None:
        return got is want
    return (got != got and want != want) or got == want or math.isclose(got, want, rel_tol=4e-16)


@pytest.mark.parametrize(
    ("function", "values"),
    [*((f, FLOATS) for f in OF_FLOATS), *((f, INTEGERS) for f in OF_INTEGERS)],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_they_are_those_of_python(function: Any, values: list[Any]) -> None:
    pairs = [(x, y) for x in values for y in values]
    frame = pl.DataFrame(pairs, schema=["a", "b"], orient="row", strict=False)
    got = frame.select(hs.jit(function)("a", "b")).to_series().to_list()
    bad = [(pair, x, wanted(function, *pair)) for pair, x in zip(pairs, got, strict=True)]
    assert [case for case in bad if not same(*case[1:])] == []
    # Columns without nulls are read by other code.
    full = frame.drop_nulls()
    left = [x for pair, x in zip(pairs, got, strict=True) if None not in pair]
    again = full.select(hs.jit(function)("a", "b")).to_series().to_list()
    assert all(same(x, y) for x, y in zip(again, left, strict=True))


def test_states_are_as_before_the_row_that_raises() -> None:
    @hs.scan(total=0.0)
    def shares(state, x):
        try:
            share = x / state.total
        except ZeroDivisionError:
            share = 1.0
        return hs.state(state.total + x), share

    frame = pl.DataFrame({"x": [2.0, 3.0, -5.0, 4.0, None, 1.0]})
    assert frame.select(shares("x")).to_series().to_list() == [1.0, 1.5, -1.0, 1.0, None, 0.25]


def averages(price, size):
    from math import sqrt

    def smooth(before, now, part=0.25):
        return before + part * (now - before)

    out = np.zeros(len(price))
    roots = []
    mean, volume, amount = price[0], 0.0, 0.0
    for i in range(len(price)):
        mean = smooth(mean, price[i])
        volume += size[i]
        amount += price[i] * size[i]
        try:
            out[i] = amount / volume - mean
        except ZeroDivisionError:
            out[i] = np.nan
        try:
            roots.append(sqrt(price[i] - 3))
        except ValueError:
            roots.append(-1.0)
    return out, roots


def test_loops_know_them_too() -> None:
    price, size = np.array([2.0, 4.0, 3.0, 9.0]), np.array([0.0, 0.0, 2.0, 1.0])
    with np.errstate(all="ignore"):
        plain = averages(price.tolist(), size.tolist())
    compiled = hs.loop(averages)(price, size)
    for got, want in zip(compiled, plain, strict=True):
        np.testing.assert_array_equal(got, np.array(want))


def a_list_comes_out(x, y):
    both = [x, y]
    both = [y, x]
    return both


def two_of_a_name(x, y):
    f = lambda v: v + 1
    if x > 0:
        f = lambda v: v - 1
    return f(y)


def raised_again(x, y):
    try:
        return x / y
    except ZeroDivisionError:
        raise


def anything_else(x, y):
    try:
        return math.gamma(x)
    except ValueError:
        return y


def a_range_of_floats(x, y):
    for _ in range(x):
        y += 1
    return y


def imported_from_elsewhere(x, y):
    from statistics import mean

    return mean((x, y))


REFUSED = {
    a_list_comes_out: "a list is not compiled as a result; return a tuple",
    two_of_a_name: "f is a function here, and something else too; give it a name of its own",
    raised_again: "raise in except is not compiled",
    anything_else: "a call in a try is abs, min, max, int, float, round, or exp, sqrt and log of math",
    imported_from_elsewhere: "import inside the function is not compiled; import at the top of the file",
}


@pytest.mark.parametrize("function", REFUSED, ids=lambda value: value.__name__)
def test_the_rest_is_refused(function: Any) -> None:
    with pytest.raises(UnsupportedError, match=REFUSED[function]):
        hs.jit(function)


def test_of_a_float_python_makes_no_range() -> None:
    frame = pl.DataFrame({"x": [1.0, 2.0], "y": [1.0, 1.0]})
    with pytest.raises(pl.exceptions.ComputeError, match=r"\|"):
        frame.select(hs.jit(a_range_of_floats)("x", "y"))
