# ruff: noqa: RET503, RET504
"""Functions of rows: every one runs through the program and through CPython, and both agree bit for bit."""

from __future__ import annotations

import math
import math as m
from collections.abc import Callable
from itertools import product
from math import sqrt
from typing import Any

import numpy as np
import pytest

from hypostyle._functions.source import function_from_text
from hypostyle._functions.translate import translate
from program_reference import evaluate

# Numbers on which operators differ: null, zeros of both signs, integers and floats, nan, infinities, large ones.
VALUES: list[Any] = [
    None, 0, 1, -1, 2, 3, 7, -5, True, False, 0.0, -0.0, 0.5, -1.5, 2.0, 1e300, -1e300, math.nan, math.inf, -math.inf,
    1000, 100,
]  # fmt: skip

WEIGHTS = (0.5, 0.25, 0.125)
PAIRS = ((1, 2.0), (3, 4.0))
LEVEL = 2
FACTOR = np.float64(1.5)
COUNT = np.int64(3)
MODE = "fast"
DEBUG = False
SIDES = ("buy", "sell")


def bits(value: Any) -> Any:
    """A value for comparisons of type and bits."""
    if isinstance(value, tuple):
        return tuple(bits(item) for item in value)
    if isinstance(value, np.generic):
        value = value.item()
    return (type(value).__name__, "nan" if value != value else repr(value))


def in_python(function: Callable[..., Any], values: tuple[Any, ...]) -> Any:
    """What CPython gives on a row: None if it raises or leaves 64 bits."""
    try:
        with np.errstate(all="ignore"):
            found = function(*values)
    except (TypeError, ValueError, ArithmeticError, LookupError, AssertionError, UnboundLocalError):
        return "error"
    for item in found if isinstance(found, tuple) else (found,):
        if isinstance(item, complex) or (isinstance(item, int) and not -(2**63) <= item < 2**63):
            return "error"
    return found


def agree(function: Callable[..., Any]) -> None:
    """Compare the program with CPython on all combinations of values."""
    program = translate(function)
    rows = list(product(VALUES, repeat=len(program.inputs)))
    with np.errstate(all="ignore"):
        found = evaluate(program.plain, list(zip(*rows, strict=True)))
    for row, result in zip(rows, found, strict=True):
        expected = in_python(function, row)
        if isinstance(expected, str):
            expected = (None,) * len(program.outputs) if program.outputs else None
        elif expected is None and program.outputs:
            expected = (None,) * len(program.outputs)
        assert bits(result) == bits(expected), (row, result, expected)


def arithmetic(x, y):
    return (x + y) * 2 - x / 3 + -y


def whole_division(x, y):
    return x // y + x % y


def power(x):
    return x**2 + 2**0.5


def bitwise(x, y):
    return (x & y) | (x ^ 3)


def shifts(x):
    return (~x << 2) + (x >> 1)


def plus(x):
    return +x


def chained(x, y):
    return 0 < x < y <= 100


def chained_by_side(x, y):
    return x < 5 < y != x


def is_none(x, y):
    if x is None:
        return y
    return x if y is not None else None


def none_on_the_left(x):
    return None is x


def equals_none(x):
    return x == None  # noqa: E711


def and_or_not(x, y):
    return (x and y) or not x


def or_default(x):
    return (x or 0.0) + 1


def branches(x, y):
    if x > y:
        result = x
    elif x == y:
        result = 0
    else:
        result = -1
    return result


def falls_off(x):
    if x > 0:
        return x


def early_return(x, y):
    if x is None or y is None:
        return None
    if x > 1:
        return 1.0
    z = x + y
    if z > 1:
        return z
    return -z


def conditional_expression(x, y):
    return 1 if x > y else 2 if x == y else 3


def swap(x, y):
    x, y = y, x
    return x - y


def rotate(x, y):
    a, b, c = x, y, 1
    a, b, c = b, c, a
    return a, b, c


def nested_tuples(x, y):
    (a, b), c = (x, y), 3
    t = (a, (b, c))
    return t[1][0], t[0], t[-1][1]


def chained_assignment(x):
    a = b = x + 1
    a += 1
    return a, b


def augmented(x):
    x += 1
    x *= 2
    x -= 0.5
    x /= 4
    return x


def integer_augmented(x):
    x //= 2
    x %= 5
    x **= 2
    return x


def annotated(x: float) -> float:
    y: float = x + 1
    z: int
    z = 2
    return y * z


def while_loop(x):
    n = 0
    while x > 1 and n < 20:
        x = x / 2
        n += 1
    return n, x


def while_true(x):
    steps = 0
    while True:
        steps += 1
        if steps > 5:
            break
        if x < steps:
            continue
        x -= 1
    return x, steps


def for_range(x):
    total = 0
    for i in range(4):
        total += i * x
    return total, i


def for_range_of_three(x):
    total = 0
    for i in range(10, 0, -3):
        total = total * 2 + i + x
    return total


def for_break(x):
    for i in range(5):
        if i > x:
            break
    return i


def for_continue(x):
    total = 0
    for i in (1, 2, 3, 4):
        if i % 2 == 0:
            continue
        total += x * i
    return total


def nested_loops(x):
    total = 0
    for i in range(3):
        for j in range(3):
            if j > i:
                break
            if (i + j) % 2:
                continue
            total += x * (i + 1) + j
    return total


def for_over_values(x, y):
    best = x
    for v in (x, y, x + y):
        x = 0
        if v > best:
            best = v
    return best


def loop_variable_changes(x):
    total = 0
    for i in range(3):
        i += 1
        total += i * x
    return total, i


def index_by_loop(x):
    total = 0.0
    for i in range(3):
        total += WEIGHTS[i] * x + WEIGHTS[2 - i] + WEIGHTS[-1]
    return total


def loop_over_pairs(x):
    total = 0
    for a, b in PAIRS:
        total += a * x + b
    return total


def loop_over_zip(x, y):
    total = 0
    for w, v in zip(WEIGHTS, (x, y, 1)):  # noqa: B905
        total += w * v
    return total


def loop_over_enumerate(x):
    total = 0
    for i, w in enumerate(WEIGHTS, start=1):
        total += i * w * x
    return total


def loop_over_list(x):
    total = 0
    for i in [1, 2.5, 3]:
        total += x * i
    return total


def empty_loop(x):
    for i in range(0):
        x += i
    return x


def may_be_unbound(x):
    if x > 0:
        y = x
    return y


def walrus(x, y):
    return (z := x + y) * z + z


def walrus_in_condition(x, y):
    if (d := x - y) > 1:
        return d
    return -d


def walrus_short_circuit(x, y):
    if x > 1 and (z := y * 2) > 2:
        return z
    return x


def walrus_order(x):
    return x + (x := 2) + x


def walrus_while(x):
    n = 0
    while (n := n + 1) < 5:
        x += n
    return x, n


def modules(x):
    return m.sqrt(x) + math.exp(x) + sqrt(x + 1) + math.pi + m.inf


def math_functions(x):
    return math.floor(x), math.ceil(x), math.trunc(x), math.isnan(x), math.log1p(x)


def logarithms(x, y):
    return math.log(x, y) + math.log(x) + math.log2(x)


def two_arguments(x, y):
    return math.atan2(x, y), math.hypot(x, y), math.fmod(x, y), math.copysign(x, y), math.pow(x, y)


def captured(x):
    return x * LEVEL + FACTOR * 2 + COUNT


def extremes(x, y):
    return max(x, y, 1), min(x, y), max(WEIGHTS), min((x, y))


def roundings(x):
    return round(x), round(x, 2), round(x, ndigits=1), round(x, None)


def conversions(x):
    return int(x), float(x), bool(x), abs(x)


def divmod_and_pow(x, y):
    q, r = divmod(x, y)
    return q + r + pow(x, 2)


def sums(x, y):
    return sum((x, y, 1)), sum(w * x for w in WEIGHTS), sum([x, y], 5)


def filtered_sum(x, y):
    return sum(w * x for w in WEIGHTS if w > 0.2) + sum(v for v in (x, y) if v > 0)


def double_generator(x):
    return sum(i * j * x for i in range(1, 3) for j in range(3) if i != j)


def any_all(x, y):
    return any((x, y)), all((x, y)), any(x > w for w in WEIGHTS), all(v > 0 for v in (x, y) if v != 1)


def list_comprehension(x):
    return sum([w + x for w in WEIGHTS]), max([w * x for w in WEIGHTS])


def membership(x, y):
    return x in (1, 2, y), x not in (1, 2), x in WEIGHTS, x in {0, 7}


def lengths(x):
    t = (x, 1, 2)
    return len(t) + len(WEIGHTS) + t[0] + t[len(t) - 1]


def tuple_of_choice(x, y):
    a, b = (x, y) if x > y else (y, x)
    return a - b


def captured_choice(x):
    return x * 2 if MODE == "fast" else print(x)


def debug_branch(x):
    if DEBUG:
        print(x)
    return x


def dead_code(x):
    return x
    print(x)


def constant_local(x):
    n = 3
    total = x
    for i in range(n):
        total += i
    return total


def expression_statement(x):
    1 / x
    return 1


def helper(a, b=2, *, c=1):
    if a is None:
        return None
    y = a * b
    return y + c


def ordered(a, b):
    if a > b:
        return b, a
    return a, b


def shadow(x):
    total = x + 1
    return total * 2


def twice(f):
    return shadow(shadow(f))


triple = lambda v: v * 3  # noqa: E731


def calls_helper(x, y):
    return helper(x), helper(y, 3, c=x), helper(b=x, a=y)


def calls_tuple_helper(x, y):
    low, high = ordered(x, y)
    return high - low + ordered(1, 2)[1]


def calls_nested_helpers(x):
    total = 1
    return twice(x) + triple(total) + total


def helper_in_loop(x):
    total = 0
    for i in range(3):
        total += helper(x, i)
    return total


def helper_with_range(x, n):
    total = 0.0
    for i in range(n):
        total += x * i
    return total


def calls_helper_with_range(x):
    return helper_with_range(x, 3) + helper_with_range(x, n=2)


def helper_with_tuple(x, weights):
    return sum(w * x for w in weights) + len(weights)


def calls_helper_with_tuple(x, y):
    return helper_with_tuple(x, WEIGHTS) + helper_with_tuple(2, (x, y))


def reassigns(a):
    a = a + 1
    return a


def helper_keeps_argument(x):
    return reassigns(x) + x + reassigns(5)


def side_helper(side, x):
    return x if side == "buy" else -x


def calls_with_text(x):
    return side_helper("buy", x), side_helper("sell", x)


def compares_with_text(x):
    return x == "buy", x in SIDES, x != SIDES[0], "a" < "b"


def mixed_none_and_tuple(x):
    if x is None:
        return None
    return x, 1


def numpy_functions(x):
    return np.sqrt(x) + np.pi


def numpy_pair(x, y):
    return np.maximum(x, y), np.where(x > y, 1.0, 2.0)


FUNCTIONS = [
    arithmetic, whole_division, power, bitwise, shifts, plus, chained, chained_by_side, is_none, none_on_the_left,
    equals_none, and_or_not, or_default, branches, falls_off, early_return, conditional_expression, swap, rotate,
    nested_tuples, chained_assignment, augmented, integer_augmented, annotated, while_loop, while_true, for_range,
    for_range_of_three, for_break, for_continue, nested_loops, for_over_values, loop_variable_changes, index_by_loop,
    loop_over_pairs, loop_over_zip, loop_over_enumerate, loop_over_list, empty_loop, may_be_unbound, walrus,
    walrus_in_condition, walrus_short_circuit, walrus_order, walrus_while, modules, math_functions, logarithms,
    two_arguments, captured, extremes, roundings, conversions, divmod_and_pow, sums, filtered_sum, double_generator,
    any_all, list_comprehension, membership, lengths, tuple_of_choice, captured_choice, debug_branch, dead_code,
    constant_local, expression_statement, calls_helper, calls_tuple_helper, calls_nested_helpers, helper_in_loop,
    calls_helper_with_range, calls_helper_with_tuple, helper_keeps_argument, calls_with_text, compares_with_text,
    mixed_none_and_tuple,
]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_a_function_gives_what_python_gives(function: Callable[..., Any]) -> None:
    agree(function)


def test_lambdas_on_one_line() -> None:
    for function in (lambda x: x + 1, lambda x: x - 1, lambda x: x if x is None else x * 2):
        agree(function)
    agree(lambda x: x + 1)
    first, second = lambda x: (x, 1), lambda x: (x, 2)
    agree(first)
    agree(second)


def test_closures() -> None:
    factor, shift = 3, 0.5

    def inner(x):
        return x * factor + shift

    agree(inner)
    factor = 4
    agree(inner)


def test_a_builtin_that_is_shadowed() -> None:
    max = helper

    def inner(x):
        return max(x, 3)

    agree(inner)


def test_names_of_outputs() -> None:
    assert translate(while_true).outputs == ("x", "steps")
    assert translate(extremes).outputs == ("field_0", "field_1", "field_2", "field_3")
    assert translate(arithmetic).outputs == ()
    assert translate(swap, outputs=None).outputs == ()
    assert translate(rotate, outputs=("p", "q", "r")).outputs == ("p", "q", "r")
    with pytest.raises(ValueError, match="outputs names 1 fields, but the function returns one value"):
        translate(swap, outputs=("a",))


def test_numpy_on_numbers() -> None:
    for function in (numpy_functions, numpy_pair):
        program = translate(function)
        floats = [v for v in VALUES if isinstance(v, float)]
        rows = list(product(floats, repeat=len(program.inputs)))
        with np.errstate(all="ignore"):
            found = evaluate(program.plain, list(zip(*rows, strict=True)))
            for row, result in zip(rows, found, strict=True):
                assert bits(result) == bits(function(*row)), row


def test_the_text_of_a_program() -> None:
    assert translate(arithmetic).json == (
        '{"name":"arithmetic","inputs":["x","y"],"state":[],"outputs":[],"body":[["return",[["+",["-",["*",["+",'
        '["get","x"],["get","y"]],2],["/",["get","x"],3]],["neg",["get","y"]]]],[]]]}'
    )
    assert translate(helper).plain["body"][0] == ["if", ["is_none", ["get", "a"]], [["return", [None], []]], []]


def test_integers_beyond_64_bits_are_errors_of_the_row() -> None:
    found = evaluate(translate(lambda x: x * 2 - x).plain, [[2**61, 2**62, -(2**62), -(2**63)]])
    assert found == [2**61, None, -(2**62), None]


def mapped(x: Any, y: Any) -> Any:
    x, y = map(math.radians, [x, y])
    return sum(map(abs, (x, y))) - np.deg2rad(x) * np.degrees(y)


def test_map_goes_through_what_is_written_out() -> None:
    agree(mapped)


def raises(x: Any, y: Any) -> Any:
    if x < 0:
        raise ValueError("negative")
    if x == 0:
        z = y
    else:
        raise ArithmeticError
    return z


def matched(x: Any, y: Any) -> Any:
    match x * 2:
        case 0 | 2:
            z = 1
        case 4 if y > 1:
            return y * 2
        case None:
            return -1
        case _:
            z = y
    return z


def matched_texts(x: Any) -> Any:
    match "slow":
        case "fast":
            return x
        case "slow":
            return x + 1


def looked_up(x: Any, y: Any) -> Any:
    return {0: 1.5, 1: y, 2: -1}[x] + {2.0: 1, 7: 3}.get(y, 10) + ({1: 2, None: 5}.get(x) or 0)


asserts = function_from_text(
    "def asserts(x, y):\n    assert x > 0\n    return x / y"
)  # pytest rewrites those of a file


@pytest.mark.parametrize("function", [raises, matched, matched_texts, looked_up, asserts])
def test_choices_by_constants_and_rows_that_raise(function: Any) -> None:
    agree(function)
