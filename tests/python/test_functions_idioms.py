"""Compiled functions: what people write: dicts, tuples that are compared, lists with conditions, NumPy's functions."""

# ruff: noqa: C408, E731
# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import bisect
import datetime as dt
import enum
import math
import statistics
import types
from collections import namedtuple
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest

import hypostyle
from hypostyle._functions.errors import UnsupportedError

hs: Any = hypostyle

FLOATS = [0.0, -0.0, 1.0, 2.5, -3.0, 1e300, -1e300, math.inf, -math.inf, math.nan, None, 1.5, 4.0, 2.675]
INTEGERS = [0, 1, -1, 2, 3, 5, 7, -4, None, 2**53 + 1, 12]
TEXTS = ["buy", "sell", "hold", None, ""]

RATES = types.MappingProxyType({1: 0.5, 2: 0.25, "buy": 7.0})
PAIRS = types.MappingProxyType({(1, 2): 3, (2, 1): 4})
WANTED = frozenset({1, 2, "buy"})
DAYS = range(1, 4)
MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
TABLE = ((1, 2.5), (3, 4.5))
Limits = namedtuple("Limits", ["low", "high"])
LIMITS = Limits(-1.0, 2.0)


class Bounds(NamedTuple):
    low: float
    high: float = 9.0


@dataclass
class Quote:
    bid: float
    ask: float


class Side(enum.Enum):
    BUY = 1
    SELL = "sell"


class Word(str, enum.Enum):
    BUY = "buy"


def local_table(x, y):
    r = {1: 0.5, 2.5: x, None: 3.0}
    return r[x] + r.get(y, -1.0)


def table_with_in(x, y):
    r = {1: 10, -3.0: 20}
    if x in r:
        return r[x]
    return len(r) if y in r else sum(r.values()) + sum(r)


def made_by_name(x, y):
    return dict(low=1.0, high=x)["high"] + dict(low=y).get("low")


def table_in_turns(x, y):
    weights = {0: 0.5, 1: x}
    total = 0.0
    for key, weight in weights.items():
        total += weight * key + y
    return total


def captured_table(x, y):
    return RATES.get(x, y) if x in RATES else RATES[y]


def pairs_as_keys(x, y):
    return PAIRS.get((x, y), 0) * 10 + PAIRS[(1, 2)]


def captured_sets(x, y):
    return (x in WANTED) * 100 + (y in DAYS) * 10 + (x not in DAYS) + len(WANTED)


def tuples_of_tuples(x, y):
    return TABLE[1][0] * x + TABLE[0][1] * y + LIMITS.low * LIMITS[1]


def tuples_before(x, y):
    return (x + 0, y) < (y + 0, x)


def tuples_at_most(x, y):
    return ((x * 1, 2) <= (y * 1, 2)) + 10 * ((x * 1, 1) >= (y * 1, 2, 3)) + 100 * ((x * 1, 1) > (y * 1,))


def equal_tuples(x, y):
    return ((x, y) == (y, x)) + 10 * ((x, 1) != (x, 1)) + 100 * ((x, (1, y)) == (1.0, (1, 2.5)))


def chained_tuples(x, y):
    return (0, 5) <= (x, y) < (2.5, 3)


def tuples_of_names(x, y):
    here = (x, y)
    return here == (1.0, 2.5) or here < (0, 0)


def in_itself(x, y):
    return (x in (x, y)) + 2 * (x in (y, 1)) + 4 * (x not in (1.0, 2))


def tuple_in(x, y):
    return (x, y) in ((1, 2), (2.5, 1.0), (x, 7))


def two_in_order(x, y):
    low, high = sorted((x, y))
    return low * 3 - high if math.isfinite(low) and math.isfinite(high) else low


def two_down(x, y):
    return sorted([x, y], reverse=True)[0]


def three_in_order(x, y):
    if x != x or y != y:
        return None
    low, mid, high = sorted((x, y, 1.25))
    return low if x == 1.0 else mid if x == 2.5 else high


def five_down(x, y):
    if x != x or y != y:
        return None
    values = (x, 1, y, 0, 2.5)
    return sorted(values, reverse=True)[2] * 2 + sorted(values)[0]


def median_of_four(x, y):
    if x != x or y != y:
        return None
    return statistics.median((x, y, 1, 2.0)) - statistics.median([y, x, 0])


def first_there(x, y):
    return next((v for v in (x, y) if v is not None), -1.0)


def first_above(x, y):
    return next((v * 2 for v in (x, y, 3) if v > 2), None)


def sums_of_some(x, y):
    valid = [v for v in (x, y, 2.0) if v is not None and v == v]
    if not valid:
        return -1.0
    return sum(valid) / len(valid)


def some_without_any(x, y):
    valid = [v for v in (x, y) if v is not None]
    if valid and max(valid) > 1:
        return valid[0] + valid[-1]
    return len(valid)


def some_in_turns(x, y):
    some = [v for v in (x, y, 1.0) if v is not None]
    squares = sum(v * v for v in some)
    return squares + sum([v for v in some if v > 0]) + (1.0 in some)


def extremes_of_some(x, y):
    return max(v for v in (x, y, 1.5) if v is not None) - min([v for v in (x, y) if v is not None], default=0.0)


def extremes_by_key(x, y):
    return max(x, y, 1, key=abs) * 2 + min((x, y), key=lambda v: -v)


def any_of_some(x, y):
    return any(v > 1 for v in (x, y) if v is not None) + 2 * all(v > 1 for v in (x, y) if v is not None)


def close(x, y):
    return math.isclose(x, y, rel_tol=0.5) + 2 * math.isclose(x, y, abs_tol=1.0) + 4 * math.isclose(x, y)


def product(x, y):
    return math.prod((x, y, 2)) + math.prod(v for v in (x, y) if v > 0)


def fraction(x, y):
    part, whole = math.modf(x)
    return part * 2 if y == 1.0 else whole


def numpy_rounded(x, y):
    return float(np.round(x, 2)) if y == 1.0 else float(np.round(x))


def numpy_divided(x, y):
    return float(np.divide(x, y))


def numpy_best(x, y):
    return float(np.fmax(x, y) if x == 1.0 else np.fmin(x, y))


def numpy_numbers(x, y):
    return float(np.nan_to_num(x)) + float(np.nan_to_num(y, nan=-1.0, posinf=5.0))


def numpy_selected(x, y):
    return float(np.select([x > 1, y > 1], [x, 2], -1.0))


def numpy_interpolated(x, y):
    if x is None:
        return None
    return float(np.interp(x, (-3.0, 1.0, 1.5, 4.0), (1.0, 2.0, -2.0, 0.1)))


def places(x, y):
    edges = (-3.0, 0.0, 1.0, 2.5)
    one = bisect.bisect(edges, x) + 10 * bisect.bisect_left(edges, x)
    return one + 100 * int(np.searchsorted(edges, y)) + 1000 * int(np.searchsorted(edges, y, side="right"))


def digits(x, y):
    return int(np.digitize(x, (0.0, 1.0, 2.5))) + 10 * int(np.digitize(y, (0.0, 1.0), right=True))


def truths(x, y):
    match x > y:
        case True:
            return 1
        case False:
            return 0


def matched_pairs(x, y):
    match (x, y):
        case (1.0, 2.5):
            return 1
        case (None, _):
            return 2
        case (2.5, 1.0 | -3.0):
            return 3
        case _:
            return 4


def reads_outside(x, y):
    scale = 2.0 if y is None else 3.0

    def scaled(v):
        return v * scale

    scale = scale + 1
    more = lambda v: scaled(v) + x
    return scaled(x) + more(1.0)


def of_enumerations(x, y):
    return x * Side.BUY.value if y == 1.0 else x


def texts_inside(x, y):
    mode = "up" if x > y else "down"
    if x == 1.0:
        mode = "one"
    return mode == "up" or mode in ("one", "two")


def as_named(v):
    return Bounds(v, v * 2)


def of_names(x, y):
    both = as_named(x)
    return both.low + Limits(1.0, y).high + both[1]


OF_FLOATS = [
    *(local_table, table_with_in, made_by_name, table_in_turns, captured_table, pairs_as_keys, captured_sets),
    *(
        tuples_of_tuples,
        tuples_before,
        tuples_at_most,
        equal_tuples,
        chained_tuples,
        tuples_of_names,
        tuple_in,
        in_itself,
    ),
    *(two_in_order, two_down, three_in_order, five_down, median_of_four, first_there, first_above, sums_of_some),
    *(some_without_any, some_in_turns, extremes_of_some, extremes_by_key, any_of_some, close, product, fraction),
    *(numpy_rounded, numpy_divided, numpy_best, numpy_numbers, numpy_selected, numpy_interpolated, places, digits),
    *(truths, matched_pairs, reads_outside, of_enumerations, texts_inside, of_names),
]


def month_lengths(x, y):
    return MONTHS[x - 1] + MONTHS[y]


def divisors(x, y):
    return math.gcd(x, y)


def roots(x, y):
    return math.isqrt(x) + math.isqrt(y)


OF_INTEGERS = [month_lengths, divisors, roots, local_table, pairs_as_keys, tuples_before, five_down, numpy_rounded]
OF_INTEGERS += [sums_of_some, extremes_by_key, captured_sets, two_in_order, median_of_four, equal_tuples]


def priced(x, y):
    return RATES.get(x, 0) + {"buy": 1, "sell": -1}.get(y, 0) * (x in WANTED)


def of_sides(x, y):
    return (x == Side.SELL.value) + 2 * (y == Word.BUY) + 4 * ((x, y) == ("buy", "sell"))


def words(x, y):
    word = {"buy": "long", "sell": "short"}.get(x, y)
    return word == "long" or (word or "none") == "none"


OF_TEXTS = [priced, of_sides, words]


def wanted(function: Any, x: Any, y: Any) -> Any:
    # Columns have no NaN in common, but `FLOATS` has: Python takes one object for equal to itself.
    x, y = (float("nan") if isinstance(v, float) and v != v else v for v in (x, y))
    with np.errstate(all="ignore"):
        try:
            return function(x, y)
        except Exception:
            return None


def same(got: Any, want: Any) -> bool:
    if got is None or want is None:
        return got is want
    if isinstance(want, int) and not isinstance(got, int):
        want = float(want)
    return (got != got and want != want) or (got == want and math.copysign(1, got) == math.copysign(1, want))


@pytest.mark.parametrize(
    ("function", "values"),
    [
        *((f, FLOATS) for f in OF_FLOATS),
        *((f, INTEGERS) for f in OF_INTEGERS),
        *((f, TEXTS) for f in OF_TEXTS),
    ],
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


def months(t):
    return t.time() >= dt.time(9, 30) and (t.month, t.day) < (3, 10)


def test_moments_are_compared_by_their_parts_and_times_of_day() -> None:
    moments = [dt.datetime(2024, 3, 9, 9, 30), dt.datetime(2024, 3, 10, 12), dt.datetime(2023, 1, 31, 9, 29, 59), None]
    frame = pl.DataFrame({"t": moments})
    want = [None if t is None else months(t) for t in moments]
    assert frame.select(hs.jit(months)("t")).to_series().to_list() == want == [True, False, False, None]


OPEN, CLOSE = dt.time(9, 30), dt.time(16, 0, 0, 5)


def is_open(t):
    return OPEN <= t < CLOSE


def test_times_of_day_are_constants() -> None:
    times = [dt.time(9, 29, 59), dt.time(9, 30), dt.time(16), dt.time(16, 0, 0, 5), None]
    got = pl.DataFrame({"t": times}).select(hs.jit(is_open)("t")).to_series().to_list()
    assert got == [None if t is None else is_open(t) for t in times]


def bounds(x):
    if x < 0:
        return Bounds(x)
    return Bounds(high=x + 1, low=x)


def quote(x):
    return Quote(x, ask=x * 2)


@pytest.mark.parametrize(("function", "names"), [(bounds, ("low", "high")), (quote, ("bid", "ask"))])
def test_records_are_results_with_names(function: Any, names: tuple[str, ...]) -> None:
    values = [1.5, -2.0, 0.0]
    got = pl.DataFrame({"x": values}).select(hs.jit(function)("x")).to_series()
    assert got.to_list() == [{name: getattr(function(x), name) for name in names} for x in values]
    assert got.struct.fields == list(names)


def test_a_scan_keeps_a_string() -> None:
    @hs.scan(mode="idle", before=None)
    def machine(state, event, x):
        mode = state.mode
        if mode == "idle" and event == "start":
            mode = "run"
        elif mode == "run" and x > 5:
            mode = "halt"
        elif event == "reset":
            mode = "idle"
        changed = mode != state.before
        return hs.state(mode=mode, before=mode), {"idle": 0, "run": 1, "halt": 2}[mode] + 10 * changed

    frame = pl.DataFrame(
        {
            "event": ["go", "start", "start", "", "start", "reset", None, "start"],
            "x": [1.0, 9.0, 2.0, 6.0, 7.0, 0.0, 1.0, 1.0],
            "k": [1, 1, 1, 1, 1, 1, 1, 2],
        }
    )
    want = [10, 11, 1, 12, 2, 10, 0, 11]
    assert frame.select(machine("event", "x", over="k")).to_series().to_list() == want
    whole = hs.Stage(machine("event", "x", over="k").alias("m"))
    assert [v for part in (frame[:3], frame[3:]) for v in whole.advance(part)["m"]] == want


def modes(x):
    mode = "idle"
    out = []
    for v in x:
        if mode == "idle" and v > 2:
            mode = "run"
        elif mode == "run" and v < 0:
            mode = "idle"
        out += [mode == "run"]
    return out


def test_a_loop_keeps_a_string() -> None:
    values = [1.0, 3.0, 1.0, -1.0, 2.0, 5.0, math.nan]
    got = pl.DataFrame({"x": values}).select(hs.loop(modes)("x")).to_series().to_list()
    assert got == modes(values) == [False, True, True, False, False, True, True]


def full_of_ints(x):
    out = np.full(len(x), 7)
    for i in range(1, len(x)):
        out[i] = out[i - 1] / 2 + x[i]
    return out


def full_of_truths(x):
    out = np.full(len(x), False)
    for i in range(len(x)):
        out[i] = x[i] - 1
    return out


def full_of_floats(x):
    out = np.full(len(x), 0.0)
    for i in range(len(x)):
        out[i] = 1 if x[i] > 1 else 2**53 + 1
    return out


def like_zeros(x):
    out = np.zeros_like(x)
    for i in range(1, len(x)):
        out[i] = out[i - 1] + x[i] / 2
    return out


def like_a_fill(x):
    out = np.full_like(x, 2.7)
    for i in range(1, len(x)):
        if x[i] > 1:
            out[i] = out[i - 1] / 2 - x[i]
    return out


def a_copy(x):
    out = x.copy()
    for i in range(1, len(x)):
        if x[i] > 2:
            out[i] = x[i] / 2
    return out


def like_empty(x):
    out = np.empty_like(x)
    for i in range(len(x)):
        out[i] = x[i]
    return out


def like_another(x):
    ones = np.ones_like(x)
    out = np.zeros_like(ones)
    for i in range(len(x)):
        out[i] = -x[i] / 4
    return out


@pytest.mark.parametrize("values", [[1, 2, 3, -5, 2**53 + 1], [1.0, 2.5, 3.5, -5.5, 1e300]], ids=["ints", "floats"])
@pytest.mark.parametrize(
    "function",
    [
        *(full_of_ints, full_of_truths, full_of_floats),
        *(like_zeros, like_a_fill, a_copy, like_empty, like_another),
    ],
)
def test_arrays_convert_as_numpy(function: Any, values: list[Any]) -> None:
    if function is full_of_ints:
        values = values[:-1]
    array = np.array(values)
    want = function(array)
    got = pl.DataFrame({"x": values}).select(hs.loop(function)("x")).to_series()
    assert got.to_list() == want.tolist()
    if function in (full_of_ints, full_of_truths, full_of_floats, like_empty):
        assert got.to_numpy().dtype == want.dtype


def last_but_one(x):
    out = np.empty_like(x)
    before = x[0]
    for i in range(len(x)):
        out[i] = before
        before = x[i]
    return out


@pytest.mark.parametrize("function", [like_zeros, like_a_fill, a_copy, like_empty, last_but_one])
def test_arrays_like_those_of_booleans(function: Any) -> None:
    values = np.array([True, False, False, True, True])
    got = pl.DataFrame({"x": values}).select(hs.loop(function)("x")).to_series()
    assert got.to_list() == function(values).tolist()
    assert got.dtype == pl.Boolean


def test_arrays_like_those_of_moments_are_of_their_type() -> None:
    moments = pl.Series("x", [dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 2), dt.datetime(2024, 1, 4)])
    got = moments.to_frame().select(hs.loop(last_but_one)("x")).to_series()
    assert got.to_list() == [moments[0], moments[0], moments[1]]


def test_an_index_is_an_integer() -> None:
    with pytest.raises(pl.exceptions.ComputeError, match=r"\|"):
        pl.DataFrame({"x": [1.0], "y": [1.0]}).select(hs.jit(month_lengths)("x", "y"))


LIST_OF_RATES = {"a": 1}


def captured_dict(x):
    return LIST_OF_RATES.get(x, 0)


def table_in_a_branch(x):
    if x > 0:
        r = {1: 2}
        return r[x]
    return 0


def truth_of_a_column(x):
    match x:
        case True:
            return 1
    return 0


def part_of_a_string(x):
    return x[:3] == "buy"


def starts(x):
    return x.startswith("b")


def mean_of_statistics(x):
    return statistics.mean((x, 1))


def two_in_a_list(x):
    out = []
    for v in x:
        out.append((v, 1))
    return out


def a_mean_before(x):
    mean = sum(x) / len(x)
    out = []
    for v in x:
        out.append(v - mean)
    return out


def a_dict_of_state(x):
    last = {}
    out = []
    for v in x:
        last[v] = 1
        out.append(v)
    return out


REFUSED = {
    captured_dict: r"write it in the function, or wrap it: types.MappingProxyType",
    table_in_a_branch: r"assigned once: to one name, in no branch",
    truth_of_a_column: r"case True is compiled of a comparison only",
    part_of_a_string: r"str\.slice\(0, 3\) as a column",
    starts: r"pl\.col\('x'\)\.str\.starts_with",
    mean_of_statistics: r"statistics.mean is not compiled; of a tuple write sum\(t\) / len\(t\)",
}
REFUSED_LOOPS = {
    two_in_a_list: r"make a list for each",
    a_mean_before: r"pl\.col\('x'\)\.mean\(\)",
    a_dict_of_state: r"keep a state for each key",
}


@pytest.mark.parametrize("function", REFUSED, ids=lambda value: value.__name__)
def test_what_is_refused_names_the_way_out(function: Any) -> None:
    with pytest.raises(UnsupportedError, match=REFUSED[function]):
        hs.jit(function)


@pytest.mark.parametrize("function", REFUSED_LOOPS, ids=lambda value: value.__name__)
def test_what_is_refused_of_a_loop(function: Any) -> None:
    with pytest.raises(UnsupportedError, match=REFUSED_LOOPS[function]):
        hs.loop(function)
