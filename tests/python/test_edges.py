"""Laws at the edges of the numbers: what moving and scaling the values of a column does to the results of a kernel.

A kernel is compared with itself on small, harmless numbers, where `test_parity.py` has shown it right.  `NATURES` says
how each one behaves; the cases are those of the oracles.  So every kernel of the catalog is tried on

- integers beyond 2^53, up to the ends of 64 bits, and neighboring floats: values that differ in their last bits alone;
- values times 2^500, 2^-500 and 2^-1000, whose squares over- and underflow;
- one infinity; constants of every size; two values; decimals; timestamps in nanoseconds and times at the ends of i64.

A kernel may refuse a type (`TypeError`).  It may not return a wrong value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import polars as pl
import pytest

import hypostyle as hs
from kernels_under_test import NAMES
from oracles import ORACLES, Case

Values = list[Any]
Fields = dict[str, Values]
EPS = 2.0**-53
TINY, LEAST = 2.0**-1022, 2.0**-1074  # numbers below the first have fewer digits, down to the second alone


# What happens to a result when values are moved by c: nothing; it moves along, by c times the kernel's result over
# ones; it loses c times the slope; nothing that could be said in general.
Shift = Literal["same", "along", "slope", None]


@dataclass(frozen=True)
class Input:
    """What a kernel's result does when the values of one input are changed.

    If the values are scaled by s, the result is scaled by s^degree; a product of n values by s^n.
    """

    degree: int | Literal["count"]
    shift: Shift
    # Fields of a struct that behave otherwise.
    fields: dict[str, tuple[int, Shift]] | None = None
    # Parameters in the unit of the values: scaled with them.
    scaled: tuple[str, ...] = ()

    def of(self, field: str) -> tuple[int | Literal["count"], Shift]:
        for pattern, effect in (self.fields or {}).items():
            if re.fullmatch(pattern, field):
                return effect
        return self.degree, self.shift


@dataclass(frozen=True)
class Nature:
    """How a kernel responds to its inputs, and to an infinity in its window.

    | infinity | the result of a window with one |
    |---|---|
    | nan | NaN |
    | huge | as for a huge number, of which infinity is the limit |
    | ieee | the same, or NaN by IEEE 754 (0 times infinity) |
    | median | NaN if the median is infinite (null for a boolean), else as for a huge number |
    """

    infinity: Literal["nan", "huge", "ieee", "median"]
    inputs: dict[str, Input]


def moments(**degrees: int) -> Nature:
    """Statistics of deviations: they do not see where the values are."""
    return Nature("nan", {name: Input(degree, "same") for name, degree in degrees.items()})


def order(degree: int, shift: Shift, infinity: Literal["huge", "median"] = "huge") -> Nature:
    """Statistics of the sorted values of `column`."""
    return Nature(infinity, {"column": Input(degree, shift)})


def weighted(degree: int, shift: Shift, infinity: Literal["nan", "ieee"], weights: int = 0) -> Nature:
    return Nature(infinity, {"column": Input(degree, shift), "weights": Input(weights, None)})


# Every kernel of the catalog, without `rolling_` and `expanding_`.
NATURES: dict[str, Nature] = {
    "count": order(0, "same"),
    "sum": Nature("ieee", {"column": Input(1, "along")}),
    "product": Nature("ieee", {"column": Input("count", None)}),
    "mean": Nature("ieee", {"column": Input(1, "along")}),
    "var": moments(column=2),
    "std": moments(column=1),
    "sem": moments(column=1),
    "skew": moments(column=0),
    "kurt": moments(column=0),
    "min": order(1, "along"),
    "max": order(1, "along"),
    "argmin": order(0, "same"),
    "argmax": order(0, "same"),
    "range": Nature("ieee", {"column": Input(1, "same")}),
    "first": order(1, "along"),
    "last": order(1, "along"),
    "any": Nature("huge", {}),
    "all": Nature("huge", {}),
    "zscore": moments(column=0),
    "median": order(1, "along"),
    "quantile": order(1, "along"),
    "iqr": Nature("ieee", {"column": Input(1, "same")}),
    "mad": order(1, "same", "median"),
    "robust_zscore": order(0, "same", "median"),
    "hampel": order(0, "same", "median"),
    "max_drawdown": Nature("ieee", {"column": Input(0, None)}),
    "trimmed_mean": order(1, "along"),
    "winsorized_mean": order(1, "along"),
    "rank": order(0, "same"),
    "nunique": order(0, "same"),
    "mode": order(1, "along"),
    "entropy": order(0, "same"),
    "top_n": Nature("ieee", {"column": Input(1, "along"), "order_by": Input(0, "same")}),
    "cov": moments(x=1, y=1),
    "corr": moments(x=0, y=0),
    "spearman": Nature("huge", {"x": Input(0, "same"), "y": Input(0, "same")}),
    "autocorr": moments(column=0),
    "partial_corr": moments(x=0, y=0, covar=0),
    "coskew": moments(x=0, y=0),
    "cokurt": moments(x=0, y=0),
    "beta": moments(y=1, x=-1),
    "alpha": Nature("nan", {"y": Input(1, "along"), "x": Input(0, "slope")}),
    "r2": moments(y=0, x=0),
    "trend": moments(column=1),
    "ols": Nature(
        "nan",
        {
            "y": Input(1, "same", {"r2": (0, "same"), "intercept|prediction": (1, "along")}),
            "x": Input(-1, "same", {"(se_)?intercept": (0, None), "prediction|residual|r2": (0, "same")}),
            "weights": Input(0, None),
        },
    ),
    "weighted_sum": weighted(1, "along", "ieee", weights=1),
    "weighted_mean": weighted(1, "along", "ieee"),
    "weighted_var": weighted(2, "same", "nan"),
    "weighted_std": weighted(1, "same", "nan"),
    "weighted_corr": Nature("nan", {"x": Input(0, "same"), "y": Input(0, "same"), "weights": Input(0, None)}),
    "weighted_quantile": Nature("huge", {"column": Input(1, "along"), "weights": Input(0, None)}),
    "fir_sum": Nature("ieee", {"column": Input(1, "along")}),
    "fir_mean": Nature("ieee", {"column": Input(1, "along")}),
    "fir_var": moments(column=2),
    "fir_std": moments(column=1),
    "cum_sum": Nature("ieee", {"column": Input(1, "along")}),
    "cum_prod": Nature("ieee", {}),
    "cum_min": order(1, "along"),
    "cum_max": order(1, "along"),
    "cum_count": order(0, "same"),
    "cum_mean": Nature("ieee", {"column": Input(1, "along")}),
    "shift": order(1, "along"),
    "diff": Nature("ieee", {"column": Input(1, "same")}),
    "pct_change": Nature("ieee", {"column": Input(0, None)}),
    "log_return": Nature("ieee", {}),
    "ewm_mean": Nature("ieee", {"column": Input(1, "along")}),
    "ewm_sum": Nature("ieee", {"column": Input(1, "along")}),
    "ewm_var": moments(column=2),
    "ewm_std": moments(column=1),
    "ewm_zscore": moments(column=0),
    "ewm_cov": moments(x=1, y=1),
    "ewm_corr": moments(x=0, y=0),
    "ewm_beta": moments(y=1, x=-1),
    "ema": Nature("ieee", {"column": Input(1, "along")}),
    "wilder": Nature("ieee", {"column": Input(1, "along")}),
    "dema": Nature("ieee", {"column": Input(1, None)}),
    "tema": Nature("ieee", {"column": Input(1, None)}),
    "t3": Nature("ieee", {"column": Input(1, None)}),
    "kama": Nature("ieee", {"column": Input(1, None)}),
    "trix": Nature("ieee", {"column": Input(0, None)}),
    "macd": Nature("ieee", {"column": Input(1, None)}),
    "rsi": Nature("ieee", {"column": Input(0, None)}),
    "cmo": Nature("ieee", {"column": Input(0, None)}),
    "true_range": Nature("ieee", {}),
    "atr": Nature("ieee", {}),
    "sar": Nature("ieee", {}),
    "directional_movement": Nature("ieee", {}),
    "holt": Nature("ieee", {"column": Input(1, None, scaled=("initial_level", "initial_trend"))}),
    "holt_winters": Nature("ieee", {}),
    "kalman": Nature("ieee", {"column": Input(1, None, {"variance|gain": (0, None)}, scaled=("initial",))}),
    "lfilter": Nature("ieee", {}),
    "cumsum_reset": Nature("ieee", {}),
    "bucket_by_sum": Nature("ieee", {}),
    "drawdown": Nature("ieee", {"column": Input(0, None, {"peak": (1, None)})}),
    "latch": Nature("huge", {}),
    "streak": order(0, "same"),
    "since_true": Nature("huge", {}),
    "min_spacing": Nature("huge", {}),
    "counter_increase": Nature("ieee", {"column": Input(1, None, scaled=("wrap",))}),
    "counter_rate": Nature("ieee", {"column": Input(1, None, scaled=("wrap",))}),
    "cusum": Nature("ieee", {}),
    "page_hinkley": Nature("ieee", {}),
    "zigzag": Nature("ieee", {}),
    "state_machine": Nature("huge", {}),
    "token_bucket": Nature("huge", {}),
    "ffill": order(1, "along"),
    "bfill": order(1, "along"),
    "interpolate": Nature("ieee", {"column": Input(1, None)}),
    "age": order(0, "same"),
    "time_weighted_mean": Nature("ieee", {"column": Input(1, None)}),
    "integral": Nature("ieee", {"column": Input(1, None)}),
    "derivative": Nature("ieee", {"column": Input(1, None)}),
    "inventory": Nature("ieee", {}),
    "cumsum_clip": Nature("ieee", {"column": Input(1, None, scaled=("lower", "upper", "initial"))}),
    "affine_scan": Nature("ieee", {"b": Input(1, None, scaled=("initial",))}),
    "session_id": Nature("huge", {}),
    "risk_score": Nature("ieee", {"weight": Input(1, None), "notional": Input(-1, None), "factors": Input(1, None)}),
    "row_dot": Nature("ieee", {"columns": Input(1, None)}),
}
# Sums are rounded at every addition, by at most eps of their size; other results that move along a few times.
SUMS = {
    "sum",
    "mean",
    "weighted_sum",
    "weighted_mean",
    "fir_sum",
    "fir_mean",
    "top_n",
    "ewm_mean",
    "ewm_sum",
    "cum_sum",
    "cum_mean",
    "ema",
    "wilder",
}


def base(name: str) -> str:
    return name.removeprefix("rolling_").removeprefix("expanding_")


def test_every_kernel_has_a_nature() -> None:
    assert set(NATURES) == {base(name) for name in NAMES}


ROWS = 150


def whole(low: int, high: int, seed: int, holes: float = 0.0) -> pl.Series:
    random = np.random.default_rng(seed)
    values = pl.Series(random.integers(low, high + 1, ROWS))
    return values.scatter(np.flatnonzero(random.random(ROWS) < holes), None) if holes else values


def small(holes: float, **ranges: tuple[int, int]) -> pl.DataFrame:
    """Small integers, in the columns that the cases of the oracles name."""
    spans = {"x": (-50, 50), "y": (-40, 40), "i": (-5, 5), "f": (-20, 20)} | ranges
    columns = {name: whole(*span, seed, holes) for seed, (name, span) in enumerate(spans.items())}
    weights = {"a": whole(1, 9, 10), "low": whole(-10, -1, 11), "high": whole(1, 10, 12)}
    time = {"ts": pl.Series(np.cumsum(np.random.default_rng(13).integers(0, 6, ROWS)))}
    return pl.DataFrame(columns | weights | time | {"b": whole(0, 1, 14, holes).cast(pl.Boolean)})


SHAPES = {
    "nulls": small(0.1),
    "no nulls": small(0.0),
    "two values": small(0.0, x=(0, 1), y=(0, 1), i=(0, 1), f=(0, 1)),
    "constant": small(0.0, x=(3, 3), y=(7, 7), i=(1, 1), f=(2, 2)),
}


@dataclass(frozen=True)
class Call:
    """A case of a kernel with columns of its own for each parameter: `given` are the values, by parameter."""

    name: str
    case: Case
    given: dict[str, list[pl.Series]]
    time: pl.Series

    def run(self, given: dict[str, list[pl.Series]] | None = None, name: str | None = None, **changed: Any) -> Fields:
        """Return the results by field, under the name "" if there is one."""
        given = self.given if given is None else given
        columns = {"ts": self.time}
        case = self.case | changed
        for parameter, values in given.items():
            names = [f"{parameter}{at}" for at in range(len(values))]
            columns |= dict(zip(names, values, strict=True))
            case[parameter] = names if isinstance(self.case[parameter], list) else names[0]
        out = hs.with_columns(pl.DataFrame(columns), getattr(hs, name or self.name)(**case).alias("out"))["out"]
        if not isinstance(out.dtype, pl.Struct):
            return {"": out.to_list()}
        absent = out.is_null()
        fields = {field.name: field.to_list() for field in out.struct.unnest()}
        return {f: [None if gone else v for v, gone in zip(vs, absent, strict=True)] for f, vs in fields.items()}

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{k}={v!r}' for k, v in self.case.items())})"


def calls(name: str, frame: pl.DataFrame, dtype: Any) -> Iterator[Call]:
    """Every case, its columns of numbers in the given type; times are integers.  Some, unless there are nulls."""
    seen = set()
    for case in ORACLES[name].cases[:: 1 if frame["x"].null_count() else 3]:
        if base(name) == "product":
            frame = frame.with_columns(pl.col("x", "i", "f").replace(0, 1))
        flags = [parameter for parameter, value in case.items() if value == "b"]
        if "key" in case.values() or set(flags) & set(NATURES[base(name)].inputs):
            continue  # texts and booleans are not moved or scaled
        if isinstance(case.get("alpha"), str):
            continue  # no column here has smoothing factors
        given = {}
        for parameter, value in case.items():
            names = value if isinstance(value, list) else [value]
            if all(isinstance(n, str) and n in frame.columns for n in names) and names[0] not in ("ts", "b"):
                given[parameter] = [frame[n].cast(dtype) for n in names]
        changed = {k: in_units(v, "i") for k, v in case.items()}
        if case.get("against") == "ts" and "per" not in case:
            changed["per"] = "1i"
        text = repr({k: given.get(k, v) if k not in given else case[k] for k, v in changed.items()})
        if text not in seen:
            seen.add(text)
            extra = {parameter: [frame["b"]] for parameter in flags}
            yield Call(name, changed, given | extra, frame["ts"])


def in_units(value: Any, unit: str) -> Any:
    """Return a duration of minutes or hours as a number of units, one for each minute."""
    if isinstance(value, str) and (found := re.fullmatch(r"(\d+)([mh])", value)):
        return f"{int(found[1]) * (60 if found[2] == 'h' else 1)}{unit}"
    return value


def choices(call: Call) -> Iterator[list[str]]:
    """Return the inputs to change: each alone, and all."""
    used = [name for name in NATURES[base(call.name)].inputs if name in call.given]
    yield from ([name] for name in used)
    if len(used) > 1:
        yield used


def differences(call: Call, what: str, found: Fields, right: Callable[[str, int], Any]) -> Iterator[str]:
    """Return one line per field with wrong results; `right` returns the right one, or the found one if that will do."""
    for field, values in found.items():
        expected = [right(field, row) for row in range(len(values))]
        wrong = [row for row in range(len(values)) if not same(values[row], expected[row])]
        if wrong:
            row = wrong[0]
            where = f" field {field}" if field else ""
            share = f"{len(wrong)} of {len(values)} rows, first {row}"
            yield f"{call} | {what}{where} | {share} | found {values[row]!r} | right {expected[row]!r}"


def same(found: Any, expected: Any, tolerance: float = 0.0) -> bool:
    """Equal; NaN equals NaN, and null equals null."""
    if found is None or expected is None or isinstance(found, bool):
        return found is expected
    if math.isnan(expected) or math.isnan(found):
        return math.isnan(expected) and math.isnan(found)
    if found == expected:
        return True
    return math.isfinite(expected) and math.isfinite(found) and abs(found - expected) <= tolerance * abs(expected)


def roundings(call: Call) -> int:
    return ROWS if base(call.name) in SUMS else 4


def changed(call: Call, chosen: list[str], change: Callable[[pl.Series], pl.Series]) -> dict[str, list[pl.Series]]:
    return {p: [change(v) for v in vs] if p in chosen else vs for p, vs in call.given.items()}


def outcome(call: Call, what: str, given: dict[str, list[pl.Series]], **parameters: Any) -> Fields | str | None:
    """Return the results; `None` if the type is refused, and a line of the report for any other error."""
    try:
        return call.run(given, **parameters)
    except TypeError:
        return None
    except Exception as error:
        return f"{call} | {what} | {type(error).__name__}: {error}"


# ---- values that differ in their last bits alone


@dataclass(frozen=True)
class Move:
    """Values x as c + s * x, exactly."""

    dtype: Any
    c: int
    s: Fraction = Fraction(1)

    def __call__(self, column: pl.Series) -> pl.Series:
        exact = [None if v is None else self.c + self.s * int(v) for v in column.to_list()]
        number = float if self.dtype == pl.Float64 else int
        made = pl.Series([None if v is None else number(v) for v in exact], dtype=self.dtype)
        assert all(v is None or v == Fraction(w) for v, w in zip(exact, made.to_list(), strict=True))
        return made


MOVES = {
    "2^53": Move(pl.Int64, 2**53),
    "2^62": Move(pl.Int64, 2**62),
    "-2^63": Move(pl.Int64, -(2**63) + 2**7),
    "2^64 of u64": Move(pl.UInt64, 2**64 - 2**7),
    "even floats at 2^53": Move(pl.Float64, 2**53, Fraction(2)),
    "neighbors of 1.0": Move(pl.Float64, 1, Fraction(1, 2**52)),
}


def broken_by_moving(name: str) -> Iterator[str]:
    for shape, frame in SHAPES.items():
        for dtype in (pl.Int64, pl.Float64):
            for call in calls(name, frame, dtype):
                if call.case.get("add_intercept") is False:  # the fit goes through the origin
                    continue
                reference = call.run()
                for chosen in choices(call):
                    for label, move in MOVES.items():
                        if (move.dtype == pl.Float64) == (dtype == pl.Float64):
                            yield from moved(call, chosen, reference, move, f"{shape}, {chosen} at {label}")


def moved(call: Call, chosen: list[str], reference: Fields, move: Move, what: str) -> Iterator[str]:
    inputs = NATURES[base(call.name)].inputs
    if any(inputs[name].shift is None for name in chosen):
        return
    found = outcome(call, what, changed(call, chosen, move))
    if not isinstance(found, dict):
        yield from [found] if found else []
        return
    effects = {field: [inputs[name].of(field) for name in chosen] for field in found}
    shifts_of = {field: {shift for _, shift in each} for field, each in effects.items()}
    scales = {f: move.s ** sum(degree for degree, _ in e if isinstance(degree, int)) for f, e in effects.items()}
    along = any("along" in shifts for shifts in shifts_of.values())
    ones = call.run(changed(call, chosen, lambda column: column * 0 + 1)) if along else {}
    slopes = call.run(name=call.name.replace("alpha", "beta"))[""] if base(call.name) == "alpha" else []
    rounding = 1e-9 if base(call.name) == "ols" else 1e-12

    def right(field: str, row: int) -> Any:
        value, before = found[field][row], reference[field][row]
        if before is None or isinstance(before, bool) or not math.isfinite(before):
            return before
        scale, shifts = scales[field], shifts_of[field]
        if shifts == {"same"}:
            expected = before if scale == 1 else before * float(scale)  # a power of two
            exactly = isinstance(value, int) and isinstance(before, int)
            return value if same(value, expected, 0.0 if exactly else rounding) else expected
        exact = Fraction(before) * scale
        slack = abs(exact) * Fraction(rounding)
        if "along" in shifts:
            number = 1 if field in ("intercept", "prediction") else ones[field][row]
            exact += move.c * Fraction(number or 0)
            slack += scale * Fraction(rounding)
        if "slope" in shifts:
            part = move.c * Fraction(slopes[row]) * (1 if "along" in shifts else 1 / move.s)
            exact -= part
            slack += abs(part) * Fraction(rounding)
        if isinstance(value, int) and isinstance(before, int):
            return int(exact)
        slack += abs(exact) * Fraction(EPS) * roundings(call)
        if value is not None and math.isfinite(value) and abs(Fraction(value) - exact) <= slack:
            return value
        return float(exact)

    yield from differences(call, what, found, right)


# ---- scales


def broken_by_scaling(name: str) -> Iterator[str]:
    for shape, frame in SHAPES.items():
        for call in calls(name, frame, pl.Float64):
            reference = call.run()
            counts = call.run(name=name.replace("product", "count"))[""] if base(name) == "product" else []
            for chosen in choices(call):
                if len(chosen) > 1 and (NATURES[base(name)].inputs[chosen[0]].shift is None or "weights" in chosen):
                    continue  # products of inputs are computed as they are written
                for power in (500, -500, -1000):
                    yield from scaled(call, chosen, reference, power, counts, f"{shape}, {chosen} * 2^{power}")


def scaled(call: Call, chosen: list[str], reference: Fields, power: int, counts: Values, what: str) -> Iterator[str]:
    inputs = NATURES[base(call.name)].inputs
    units = [name for parameter in chosen for name in inputs[parameter].scaled if name not in call.given]
    numbers = {name: math.ldexp(call.case[name], power) for name in units if name in call.case}
    also = [*chosen, *(name for parameter in chosen for name in inputs[parameter].scaled)]
    found = outcome(call, what, changed(call, also, lambda column: times_power(column, power)), **numbers)
    if not isinstance(found, dict):
        yield from [found] if found else []
        return

    def right(field: str, row: int) -> Any:
        before = reference[field][row]
        if before is None and found[field][row] == 0:
            return 0.0  # a negative weight makes a variance negative, and it underflows
        if before is None or not isinstance(before, float) or not math.isfinite(before):
            return before
        degrees = [counts[row] if degree == "count" else degree for degree, _ in map(of(field), chosen)]
        exact = ldexp(before, power * int(sum(degrees)))
        value = found[field][row]
        subnormal = abs(exact) < TINY and value is not None and abs(value - exact) <= 64 * LEAST
        return value if subnormal else exact

    def of(field: str) -> Callable[[str], tuple[Any, Shift]]:
        return lambda name: inputs[name].of(field)

    yield from differences(call, what, found, right)


def times_power(column: pl.Series, power: int) -> pl.Series:
    return pl.Series(np.ldexp(column.to_numpy(), power)).fill_nan(None)


def ldexp(value: float, power: int) -> float:
    try:
        return math.ldexp(value, power)
    except OverflowError:
        return math.copysign(math.inf, value)


# ---- constants


CONSTANTS = (0.1, 1 / 3, -1e16 - 2, 1e300, 1e-300, 5e-324)


def broken_by_a_constant(name: str) -> Iterator[str]:
    """Over equal values, results follow from those over ones: a spread is 0, a place is the value."""
    for holes in ("nulls", "no nulls"):
        for call in calls(name, SHAPES[holes], pl.Float64):
            for chosen in choices(call):
                inputs = NATURES[base(name)].inputs
                if any(inputs[p].shift not in ("same", "along") or p == "covar" for p in chosen):
                    continue
                ones = call.run(changed(call, chosen, lambda column: column * 0 + 1))
                for value in CONSTANTS:
                    what = f"{holes}, {chosen} = {value}"
                    found = outcome(call, what, changed(call, chosen, lambda column, v=value: column * 0 + v))
                    if isinstance(found, dict):
                        yield from differences(call, what, found, constant(call, chosen, found, ones, value))
                    elif found:
                        yield found


def constant(call: Call, chosen: list[str], found: Fields, ones: Fields, repeated: float) -> Callable[[str, int], Any]:
    inputs = NATURES[base(call.name)].inputs

    def right(field: str, row: int) -> Any:
        one = ones[field][row]
        if one is None or not isinstance(one, float) or not math.isfinite(one):
            return one
        if all(inputs[name].of(field)[1] == "same" for name in chosen):
            if base(call.name) == "ols":
                return found[field][row] if same(found[field][row], one, 1e-9) or one != 0 else one
            return one if one == 0 or all(inputs[name].of(field)[0] == 0 for name in chosen) else found[field][row]
        exact = Fraction(one) * Fraction(repeated)
        expected = float(exact) if abs(exact) < 2**1023 else math.inf * (1 if exact > 0 else -1)
        value, steps = found[field][row], roundings(call)
        subnormal = abs(expected) < TINY and value is not None and abs(value - expected) <= ROWS * LEAST
        return value if subnormal or same(value, expected, steps * EPS) else expected

    return right


# ---- one infinity


HUGE = 2.0**1000
AT = 70  # the row of the infinity: one with values in all columns
JUDGED = {"zscore", "robust_zscore", "hampel", "rank", "ols"}  # of the current row, in the window or not


def broken_by_an_infinity(name: str) -> Iterator[str]:
    for shape in ("nulls", "no nulls"):
        for call in calls(name, SHAPES[shape], pl.Float64):
            for parameter in NATURES[base(name)].inputs:
                if parameter in call.given and parameter != "weights":
                    for infinity in (math.inf, -math.inf):
                        what = f"{shape}, {parameter}[{AT}] = {infinity}"
                        yield from with_infinity(call, parameter, infinity, what)


def with_infinity(call: Call, parameter: str, infinity: float, what: str) -> Iterator[str]:
    nature = NATURES[base(call.name)]
    assert all(column[AT] is not None for columns in call.given.values() for column in columns)

    def at(value: float) -> dict[str, list[pl.Series]]:
        first, *rest = call.given[parameter]
        return call.given | {parameter: [first.clone().scatter(AT, value), *rest]}

    found = outcome(call, what, at(infinity))
    if not isinstance(found, dict):
        yield from [found] if found else []
        return
    without, huge = call.run(at(1.0)), call.run(at(math.copysign(HUGE, infinity)))
    inside = affected(call)
    medians = over_the_same_windows(call, "median", at(infinity)["column"][0]) if nature.infinity == "median" else []

    def right(field: str, row: int) -> Any:
        value, limit = found[field][row], huge[field][row]
        if not inside[row]:
            return value if row == AT and base(call.name) in JUDGED else without[field][row]
        if limit is None and value is None:
            return None
        if nature.infinity == "median" and medians[row] is not None and math.isinf(medians[row]):
            return None if isinstance(limit, bool) else math.nan
        if nature.infinity == "ieee" and value is not None and math.isnan(value):
            return value
        if limit is None:
            return value if base(call.name) == "ols" and value is not None and math.isnan(value) else None
        if nature.infinity == "nan":
            return math.nan
        if isinstance(limit, float) and abs(limit) >= 2.0**800:
            return math.copysign(math.inf, limit)
        return 0.0 if isinstance(limit, float) and abs(limit) <= 2.0**-800 else limit

    yield from differences(call, what, found, right)


def affected(call: Call) -> list[bool]:
    """Return whether the window of each row has the row of the infinity, as a row that counts."""
    family = hs.kernels().row(by_predicate=pl.col("name") == call.name, named=True)["family"]
    if family != "rolling":
        return [row == AT if family == "row" else row >= AT for row in range(ROWS)]
    marks = {AT}
    if base(call.name) == "autocorr":
        column, lag = call.given["column"][0], call.case.get("lag", 1)
        marks = {row for row, other in ((AT, AT - lag), (AT + lag, AT + lag)) if column[other] is not None}
    marker = pl.Series([float(row in marks) for row in range(ROWS)])
    return [value == 1.0 for value in over_the_same_windows(call, "max", marker)]


def over_the_same_windows(call: Call, name: str, column: pl.Series) -> Values:
    kind = call.name.split("_")[0]
    windows = {k: v for k, v in call.case.items() if k in ("window", "by", "closed", "center")}
    return Call(f"{kind}_{name}", windows | {"column": "", "min_samples": 0}, {"column": [column]}, call.time).run()[""]


# ---- other types of the same numbers


def broken_by_a_type(name: str) -> Iterator[str]:
    """Decimals, and times: as values they are refused, or give what their numbers give."""
    types = {
        "decimal": lambda column: column.cast(pl.Decimal(20, 3)),
        "decimal of 30 digits": lambda column: column.cast(pl.Decimal(38, 8)),
        "u8": lambda column: (column + 60).cast(pl.UInt8),
        "date": lambda column: column.cast(pl.Date),
        "ns": lambda column: (column + 2**60).cast(pl.Datetime("ns")),
        "duration": lambda column: (column + 2**60).cast(pl.Duration("ns")),
    }
    offsets = {"u8", "ns", "duration"}  # moved, as they have no negative values or none near 0
    epochs = {"date": datetime(1970, 1, 1).date(), "ns": None, "duration": None}
    for call in calls(name, SHAPES["nulls"], pl.Int64):
        if call.case.get("add_intercept") is False:
            continue
        reference = call.run()
        for chosen in choices(call):
            inputs = NATURES[base(name)].inputs
            for label, change in types.items():
                what = f"{chosen} as {label}"
                if base(name) == "diff" and label in epochs:
                    continue  # a difference of times is a duration: test_neighbors.py
                found = outcome(call, what, changed(call, chosen, change))
                if isinstance(found, dict):
                    moved = {f for f in found if {inputs[p].of(f)[1] for p in chosen} != {"same"}}
                    found = {
                        field: as_numbers(values, epochs.get(label))
                        for field, values in found.items()
                        if label not in offsets or field not in moved
                    }
                    yield from differences(call, what, found, close(found, reference))
                elif found:
                    yield found


def as_numbers(values: Values, epoch: Any) -> Values:
    number = {"Decimal": float, "date": lambda value: (value - epoch).days}
    return [number.get(type(value).__name__, lambda value: value)(value) for value in values]


def close(found: Fields, expected: Fields, tolerance: float = 1e-12) -> Callable[[str, int], Any]:
    def right(field: str, row: int) -> Any:
        value, other = found[field][row], expected[field][row]
        if field and value is not None and other is not None and abs(value - other) <= 1e-9:
            return value  # a fit
        return value if same(value, other, tolerance) else other

    return right


# ---- times at the ends of 64 bits


def broken_by_times(name: str) -> Iterator[str]:
    """Windows, gaps and slopes depend on differences of times alone."""
    small = SHAPES["nulls"]
    times: dict[str, tuple[str, Callable[[pl.Series], pl.Series]]] = {
        "ns of 2262": ("ns", lambda time: (time + (2**63 - 2**12)).cast(pl.Datetime("ns"))),
        "ns of 2024": ("ns", lambda time: (time + 1_704_067_200_000_000_000).cast(pl.Datetime("ns"))),
        "us of 2024": ("us", lambda time: (time + 1_704_067_200_000_000).cast(pl.Datetime("us"))),
        "2^53": ("i", lambda time: time + 2**53),
        "2^63 - 2^12": ("i", lambda time: time + (2**63 - 2**12)),
        "-2^63": ("i", lambda time: time + (-(2**63))),
    }
    for call in calls(name, small, pl.Float64):
        timed = {k: v for k, v in call.case.items() if isinstance(v, str) and re.fullmatch(r"\d+i", v)}
        if not timed:
            continue
        reference = call.run()
        for label, (unit, change) in times.items():
            case = call.case | {k: v.replace("i", unit) for k, v in timed.items()}
            what = f"times at {label}"
            found = outcome(Call(name, case, call.given, change(call.time)), what, call.given)
            if isinstance(found, dict):
                yield from differences(call, what, found, close(found, reference, 1e-12))
            else:
                yield found or f"{call} | {what} | refused"


LAWS = {
    "moving": broken_by_moving,
    "scaling": broken_by_scaling,
    "constants": broken_by_a_constant,
    "infinities": broken_by_an_infinity,
    "types": broken_by_a_type,
    "times": broken_by_times,
}


@dataclass(frozen=True)
class Limit:
    """Cases that are known to be wrong, and why; when none is wrong any more, the limit has to go."""

    law: str
    kernels: tuple[str, ...]
    cases: str
    reason: str

    def covers(self, law: str, name: str) -> bool:
        return law == self.law and base(name) in self.kernels


LIMITS = [
    Limit(
        "moving",
        ("iqr", "mad", "robust_zscore", "hampel"),
        "at (even floats at 2.53|neighbors of 1.0)",
        "the mean of two neighboring floats is rounded to one of them",
    ),
    Limit(
        "moving",
        ("weighted_var", "weighted_std", "weighted_corr", "fir_var", "fir_std", "top_n"),
        r" at -?2\^",
        "integers are rounded to f64 first: docs/semantics.md",
    ),
    Limit(
        "moving",
        ("alpha", "ols"),
        " at ",
        "as above; and an intercept far from the data is known to eps times the data",
    ),
    Limit(
        "scaling",
        ("fir_std", "top_n"),
        r"\* 2\^-(500|1000)",
        "squares of the tiniest numbers are 0 in filters and in top rows",
    ),
    Limit(
        "scaling",
        ("ewm_std", "ewm_zscore", "ewm_corr", "ewm_beta"),
        r"\* 2\^-1000",
        "squares of the tiniest distances are 0: the notes of these kernels",
    ),
    Limit("moving", ("cum_sum",), r" at -?2\^6", "an exact sum that leaves 64 bits is null"),
    Limit(
        "infinities",
        ("ols",),
        "field",
        "an infinite predictor leaves errors and r2 null instead of NaN, or the other way round",
    ),
    Limit("infinities", ("fir_var", "fir_std"), "inf", "by the weight of the infinity, NaN or null"),
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("law", LAWS)
def test_edges(law: str, name: str) -> None:
    wrong = list(LAWS[law](name))
    for limit in LIMITS:
        if limit.covers(law, name):
            wrong = [case for case in wrong if not re.search(limit.cases, case)]
    assert not wrong, f"{len(wrong)} cases are wrong, such as\n" + "\n".join(wrong[:20])


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: f"{limit.law}-{limit.kernels[0]}")
def test_every_limit_is_one(limit: Limit) -> None:
    for kernel in limit.kernels:
        wrong = list(LAWS[limit.law](kernel if kernel in ORACLES else f"rolling_{kernel}"))
        assert any(re.search(limit.cases, case) for case in wrong), f"{kernel} is right now: remove it from {limit}"
