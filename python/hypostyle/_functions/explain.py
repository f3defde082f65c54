"""What a compiled function does, and which kernels of the catalog do the same; `hs.explain` returns it.

Whether two do the same is not proved but tried: both run on fixed rows, and their results are compared bit by bit.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import permutations, product
from typing import Any

import polars as pl

import hypostyle._kernels as kernels
from hypostyle._expr import KernelExpr
from hypostyle._functions.data import expression
from hypostyle._functions.functions import Function
from hypostyle._functions.program import Program
from hypostyle._spec import CATALOG

ROWS = 64
MOST_CONSTANTS = 6
"""The most constants of a function that are tried as parameters; more would take long."""

SHOWN = 3
"""The most kernels that a text lists."""

Candidate = tuple[str, Callable[[], KernelExpr]]


def explained(function: Function[..., Any]) -> str:
    """Return the text about a compiled function."""
    program = function.program.with_constants(function.program.defaults)
    kind = "a function of a row"
    if program.state:
        kind = f"a function with the state {', '.join(name for name, _ in program.state)}"
    results = f", which returns {', '.join(program.outputs)}" if program.outputs else ""
    given = [f"{name}={function.program.defaults[name]!r}" for name in function.program.defaults]
    lines = [f"{program.name}({', '.join([*program.inputs, *given])}): {kind}{results}"]
    if program.outputs:
        lines.append("it has several results; no kernel of the catalog does this")
        return "\n".join(lines)
    same = found(program)
    exact = [text for text, with_nulls in same.items() if with_nulls]
    if exact:
        lines += _listed(f"the same on {ROWS} rows, also with nulls", exact)
    elif same:
        lines += _listed(f"the same on {ROWS} rows without nulls, but not on rows with a null", list(same))
    else:
        lines.append("no kernel of the catalog does this")
    return "\n".join(lines)


def _listed(what: str, texts: Sequence[str]) -> list[str]:
    """Return a line for each of the first kernels."""
    more = [f"and {len(texts) - SHOWN} more"] if len(texts) > SHOWN else []
    return [*(f"{what}: {text}" for text in texts[:SHOWN]), *more]


def found(program: Program) -> dict[str, bool]:
    """Return the kernels whose results are those of a function without nulls, and whether they are with nulls too.

    Both are run over floats and over integers; a kernel that takes one of them only, or returns another type for it,
    is compared over the other.
    """
    call = expression(program, program.inputs, None, "null")
    frames = []
    for frame in _frames(program.inputs):
        plain, with_nulls = _result(frame, lambda: call), _result(_with_nulls(frame), lambda: call)
        if plain is not None and with_nulls is not None and plain.null_count() < ROWS:
            frames.append((frame, plain, with_nulls))
    same: dict[str, bool] = {}
    for text, candidate in _candidates(program):
        verdicts: list[bool] = []
        for frame, plain, with_nulls in frames:
            result = _result(frame, candidate)
            if result is None or result.dtype != plain.dtype:
                continue
            if not _equal(plain, result):
                verdicts = []
                break
            verdicts.append(_equal(with_nulls, _result(_with_nulls(frame), candidate)))
        if verdicts:
            same.setdefault(text, all(verdicts))
    return same


def _frames(names: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Yield frames of floats, whose sums are rounded, and of integers that do not decrease, such as times."""
    draw = random.Random(1)
    yield pl.DataFrame({name: [round(draw.uniform(-9, 9), 3) for _ in range(ROWS)] for name in names})
    yield pl.DataFrame({name: sorted(draw.randrange(0, 600) for _ in range(ROWS)) for name in names})


def _with_nulls(frame: pl.DataFrame) -> pl.DataFrame:
    draw = random.Random(2)
    columns = [column.scatter([0, *draw.sample(range(1, ROWS), ROWS // 5)], None) for column in frame]
    return pl.DataFrame(columns)


def _result(frame: pl.DataFrame, candidate: Callable[[], KernelExpr]) -> pl.Series | None:
    """Return the results over a frame, `None` if the parameters or types do not fit."""
    try:
        return frame.select(candidate()).to_series()
    except (TypeError, ValueError, pl.exceptions.PolarsError):
        return None


def _equal(one: pl.Series, other: pl.Series | None) -> bool:
    """Return whether results are the same, bit by bit."""
    if other is None or one.dtype != other.dtype:
        return False
    if not one.dtype.is_float():
        return one.equals(other)
    return [None if value is None else value.hex() for value in one] == [
        None if value is None else value.hex() for value in other
    ]


def _candidates(program: Program) -> Iterator[Candidate]:
    """Yield the kernels that could do the same, with parameters from the function's constants."""
    names = list(program.inputs)
    constants = _constants(program)
    if len(names) == 1:
        yield from _of_one(names[0], constants)
    if len(names) == 2:
        yield from _of_two(names, constants)
    if len(names) == 3:
        for column, lower, upper in permutations(names):
            yield _call("cumsum_clip", (column, lower, upper), {})
    if len(names) > 2:
        for weight, notional in permutations(names, 2):
            factors = [name for name in names if name not in (weight, notional)]
            yield _call("risk_score", (weight, notional, factors), {})
            yield _call("risk_score", (weight, notional, [weight, *factors]), {})
    for weights in product(constants[:MOST_CONSTANTS], repeat=len(names)) if len(names) <= 4 else ():
        yield _call("row_dot", (names, list(weights)), {})


def _of_one(name: str, constants: Sequence[float]) -> Iterator[Candidate]:
    for kernel in CATALOG.values():
        required = [p["name"] for p in kernel["parameters"] if p["default"] == "required"]
        if len(required) == 1 and kernel["family"] == "expanding":
            yield _call(kernel["name"], (name,), {})
    windows = sorted({int(c) for c in constants if c == int(c) and 2 <= c <= ROWS} | {2, 3, 4, 5})
    for kernel in CATALOG.values():
        required = [p["name"] for p in kernel["parameters"] if p["default"] == "required"]
        if len(required) == 2 and required[1] == "window" and kernel["family"] == "rolling":
            for window, more in product(windows, ({}, {"min_samples": 1})):
                yield _call(kernel["name"], (name, window), more)
    few = constants[:MOST_CONSTANTS]
    for value, parameter in product(few, ("alpha", "com", "span", "half_life")):
        for adjust, ignored in product((False, True), repeat=2):
            yield _call("ewm_mean", (name,), {parameter: value, "adjust": adjust, "ignore_nulls": ignored})
    for value in few:
        yield _call("affine_scan", (value, name), {})
        yield _call("affine_scan", (name, value), {})
        for initial in (start for start in few if start):
            yield _call("affine_scan", (value, name), {"initial": initial})
            yield _call("affine_scan", (name, value), {"initial": initial})
        if value == int(value):
            yield _call("session_id", (name, int(value)), {})
    bounds = [*few, float("-inf"), float("inf")]
    for lower, upper in product(bounds, repeat=2):
        if lower < upper:
            yield _call("cumsum_clip", (name, lower, upper), {})


def _of_two(names: Sequence[str], constants: Sequence[float]) -> Iterator[Candidate]:
    for pair in permutations(names):
        yield _call("affine_scan", pair, {})
        for kernel in CATALOG.values():
            required = [p["kind"] for p in kernel["parameters"] if p["default"] == "required"]
            if required == ["column", "column"] and kernel["family"] == "expanding":
                yield _call(kernel["name"], pair, {})
        for bound in [*constants[:MOST_CONSTANTS], float("-inf"), float("inf")]:
            yield _call("cumsum_clip", (*pair, bound), {})
            yield _call("cumsum_clip", (pair[0], bound, pair[1]), {})


def _call(name: str, positional: Sequence[Any], named: dict[str, Any]) -> Candidate:
    """Return the call of a kernel as text, and what makes its expression."""
    parts = [*map(_written, positional), *(f"{key}={_written(value)}" for key, value in named.items())]
    return f"hs.{name}({', '.join(parts)})", lambda: getattr(kernels, name)(*positional, **named)


def _written(value: Any) -> str:
    return f"float('{value}')" if value in (float("inf"), float("-inf")) else repr(value)


def _constants(program: Program) -> list[float]:
    """Return the numbers of a function, and their complements to 1, in the order in which they appear."""
    numbers = dict.fromkeys(_numbers([program.body, [start for _, start in program.state]]))
    found = [number for number in numbers if number == number and abs(number) < 1e15]
    return list(dict.fromkeys([*found, *(-number for number in found), *(1 - number for number in found)]))


def _numbers(part: Any) -> Iterator[float]:
    if isinstance(part, bool):
        return
    if isinstance(part, int):
        yield part
    elif isinstance(part, list):
        if part[:1] == ["float"] and len(part) == 2:
            yield float(part[1])
            return
        for item in part:
            yield from _numbers(item)
