"""Rows for the test of a crate, with what CPython gives for them.

The values are those at which things change: None, NaN, infinities, both zeros, halves, the ends of 64 bits, the
function's own constants; and plain ones of several sizes.  The program says which rows are in error; where it gives a
result, the user's own function must give the same, or the conversion ends here.
"""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable, Iterator
from typing import Any

from hypostyle._convert.evaluate import ROW_ERRORS, EndlessError, exact, run_row
from hypostyle._convert.function import Converted
from hypostyle._convert.kinds import NO_VALUE, constant_of
from hypostyle._convert.origin import Origin
from hypostyle._functions.loop_parts import arrays_of
from hypostyle._functions.scope import Scope
from hypostyle._functions.state import State

FLOATS = [
    None, math.nan, math.inf, -math.inf, 0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 1.5, 2.5, -2.5, 2.675, 1e-3, 100.0, 1e6,
    9007199254740992.0, 9007199254740994.0, -9.223372036854775808e18, 1e300, -1e300, 5e-324,
]  # fmt: skip
INTS = [None, 0, 1, -1, 2, 3, -3, 7, 63, 64, 100, 2**31, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)]
BOOLS = [None, True, False]
PLAIN_ROWS, SEQUENCES, LENGTH = 150, 8, 40

MOST_ULPS = 2**20

Row = tuple[list[Any], Any, int]
"""The inputs of a row, its results (None for a row in error), and by how many last bits these may differ."""


class DifferenceError(Exception):
    """The program is not what the user's function is."""


def sequences(converted: Converted) -> list[list[Row]]:
    """Return rows with their results; each list begins with the state before the first row."""
    return list(_Samples(converted).sequences())


class _Samples:
    def __init__(self, converted: Converted) -> None:
        self.converted, self.origin = converted, converted.origin
        self.program = self.origin.program
        self.random = random.Random(20)
        constants = {c for c in _constants(self.program.body) if not isinstance(c, bool) and math.isfinite(c)}
        self.constants = sorted(constants, key=float)[:12]

    def sequences(self) -> Iterator[list[Row]]:
        if not self.converted.has_state:
            rows = [
                *self._edge_rows(),
                *([self._plain(name) for name in self.program.inputs] for _ in range(PLAIN_ROWS)),
            ]
            yield self._run(rows)
            return
        for number in range(SEQUENCES):
            fixed = {name: self._plain(name) for name in self._scalars()}
            rows = []
            for _ in range(LENGTH):
                draw = self._any if number % 2 and self.random.random() < 0.2 else self._plain
                rows.append([fixed[name] if name in fixed else draw(name) for name in self.program.inputs])
            yield self._run(rows)

    def _scalars(self) -> list[str]:
        if not self.origin.is_loop:
            return []
        arrays = arrays_of(self.origin.source, Scope(self.origin.source).parameters)
        return [name for name in self.program.inputs if name not in arrays]

    # Values

    def _edges(self, name: str) -> list[Any]:
        kind = self.converted.inputs[name]
        if kind == "bool":
            return BOOLS
        if kind == "int":
            ints = [int(c) + d for c in self.constants if abs(c) < 2**62 for d in (-1, 0, 1)]
            return [*INTS, *dict.fromkeys(ints)]
        floats = [float(c) for c in self.constants]
        near = [f for c in floats for f in (math.nextafter(c, -math.inf), c, math.nextafter(c, math.inf), c + 0.5)]
        return [*FLOATS, *dict.fromkeys(near)]

    def _any(self, name: str) -> Any:
        return self.random.choice(self._edges(name))

    def _plain(self, name: str) -> Any:
        kind, choose = self.converted.inputs[name], self.random
        default = self.program.defaults.get(name)
        if default is not None and choose.random() < 0.7:
            return {"float": float, "int": int, "bool": bool}[kind](default)
        if kind == "bool":
            return choose.random() < 0.5
        if kind == "int":
            return choose.choice([choose.randint(-9, 9), choose.randint(0, 100), choose.randint(-(10**6), 10**6)])
        scale = choose.choice([0.1, 1.0, 1.0, 10.0, 100.0])
        value = choose.choice([choose.gauss(0, 1), choose.random()]) * scale
        return round(value, 2) if choose.random() < 0.3 else value

    def _edge_rows(self) -> Iterator[list[Any]]:
        for name in self.program.inputs:
            for edge in self._edges(name):
                yield [edge if other == name else self._plain(other) for other in self.program.inputs]
        for _ in range(40 if len(self.program.inputs) > 1 else 0):
            yield [self._any(name) for name in self.program.inputs]

    # Results

    def _run(self, rows: list[list[Any]]) -> list[Row]:
        program = self.program
        start = {name: constant_of(value) for name, value in program.state}
        states = [dict(start) for _ in self._nudges()]
        found: list[Row] = []
        for values in rows:
            try:
                ends = [self._row(values, state, nudges) for state, nudges in zip(states, self._nudges(), strict=True)]
            except EndlessError:
                ends = []
            tolerance = _tolerance([results for results, _ in ends])
            if tolerance is None:
                if program.state:
                    break
                continue
            results = ends[0][0]
            if results is not None and not self.origin.is_loop:
                self._check(values, states[0], results)
            states = [after for _, after in ends]
            found.append((values, results, tolerance))
        if self.origin.is_loop:
            self._check_loop(found)
        return found

    def _nudges(self) -> tuple[str, ...]:
        return ("", "+", "-", "+-", "-+") if self.converted.is_inexact else ("",)

    def _row(self, values: list[Any], state: dict[str, Any], nudges: str) -> tuple[list[Any] | None, dict[str, Any]]:
        """Return the results of a row, None for one in error, and the state after it."""
        program, kinds = self.program, self.converted.fields
        variables = dict(zip(program.inputs, values, strict=True))
        try:
            left = run_row(program.body, variables, state, self.converted.floats, nudges)
            if left is None:
                return [None] * len(self.converted.results), state
            results = [stored_as(r, of.kind) for r, of in zip(left[0], self.converted.results, strict=True)]
            after = [stored_as(value, kind) for value, kind in zip(left[1], kinds.values(), strict=True)]
        except ROW_ERRORS:
            return None, state
        return results, dict(zip(state, after, strict=True))

    def _check(self, values: list[Any], state: dict[str, Any], results: list[Any]) -> None:
        """Run the user's own function on a row."""
        given = dict(zip(self.program.inputs, values, strict=True))
        function: Callable[..., Any] = self.origin.function
        try:
            if self.program.state:
                _, got = function(State((), dict(state)), **given)
            else:
                got = function(**given)
        except TypeError:
            # A parameter that takes no keyword.
            got = function(*([State((), dict(state))] if self.program.state else []), *values)
            got = got[1] if self.program.state else got
        plain = list(got) if isinstance(got, tuple) else [got] * len(results)
        if len(plain) != len(results) or not all(map(_same, plain, results)):
            call = f"{self.origin.name}({', '.join(map(repr, values))})"
            msg = f"{call} is {got!r} in Python, and the program gives {results}"
            raise DifferenceError(msg)

    def _check_loop(self, rows: list[Row]) -> None:
        """Run the user's loop on arrays, if no row is null."""
        if not rows or any(results is None or None in results or None in values for values, results, _ in rows):
            return
        import numpy as np

        scalars = self._scalars()
        columns = zip(self.program.inputs, zip(*(values for values, _, _ in rows), strict=True), strict=True)
        given = {name: column[0] if name in scalars else np.array(column) for name, column in columns}
        with np.errstate(all="ignore"):
            got = self.origin.function(**given)
        arrays = got if isinstance(got, tuple) else (got,)
        for number, (values, results, _) in enumerate(rows):
            python = [array[number] for array in arrays]
            if not all(map(_same, python, results)):
                msg = f"{self.origin.name}, row {number} ({values}): Python gives {python}, the program {results}"
                raise DifferenceError(msg)


def _tolerance(ends: list[Any]) -> int | None:
    """Return by how much a row's results may differ, given what small changes within them do; None for too much."""
    if not ends or len({results is None for results in ends}) > 1:
        return None
    widest = 0
    for values in zip(*(results or () for results in ends), strict=True):
        if not all(isinstance(value, float) and math.isfinite(value) for value in values):
            if len({repr(value) for value in values}) > 1:
                return None
            continue
        places = [_place(value) for value in values]
        widest = max(widest, *(abs(place - places[0]) for place in places))
    return 2 + 2 * widest if widest <= MOST_ULPS else None


def _place(value: float) -> int:
    """Return the position of a float among all floats."""
    bits: int = struct.unpack("<q", struct.pack("<d", value))[0]
    return bits if bits >= 0 else -(2**63) - bits


def stored_as(value: Any, kind: str) -> Any:
    """Return a result as its column stores it."""
    if value is None:
        return None
    if kind == "float":
        return exact(value) if isinstance(value, int) else float(value)
    return int(value) if kind == "int" else bool(value) if kind == "bool" else value


def _same(a: Any, b: Any) -> bool:
    if a is None or b is None:
        return a is b
    return bool(a == b) or (a != a and b != b) or (isinstance(a, float) and math.isclose(a, b, rel_tol=1e-15))


def _constants(node: Any) -> Iterator[Any]:
    found = constant_of(node)
    if found is not NO_VALUE:
        if isinstance(found, int | float):
            yield found
    elif isinstance(node, list):
        for item in node:
            yield from _constants(item)


def shown(value: Any, kind: str) -> str:
    """Return a value as the test file has it: a float by its bits."""
    if value is None:
        return "None"
    if kind == "float":
        return f"f({struct.unpack('<Q', struct.pack('<d', value))[0]:#x})"
    if kind == "bool":
        return f"Some({str(value).lower()})"
    return "Some(i64::MIN)" if value == -(2**63) else f"Some({value})"


__all__ = ["DifferenceError", "Origin", "sequences", "shown", "stored_as"]
