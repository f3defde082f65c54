"""What a user's function must return over columns: CPython runs it row by row.

Two things differ from a plain loop.  A row on which Python raises is null, and leaves the state as it was.  And so is a
row on which an int leaves 64 bits, even if only in between: the syntax tree is rewritten so that the result of every
operation and call is checked, which a subclass of `int` cannot do (`True + big` and `round(1e300)` would escape it).
"""

from __future__ import annotations

import ast
import inspect
import math
import operator
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, cast

import polars as pl

Kind = Literal["float", "int", "bool"]
Value = float | int | bool | None
DTYPES: dict[Kind, type[pl.DataType]] = {"float": pl.Float64, "int": pl.Int64, "bool": pl.Boolean}
LEAST, MOST = -(2**63), 2**63 - 1
# The errors that make a row null.  Any other means that the program itself is wrong.
ROW_ERRORS = (ZeroDivisionError, ValueError, OverflowError, TypeError, UnboundLocalError)
# The name of the only output of a function that returns one value.
ALONE = "out"


@dataclass(frozen=True)
class Program:
    """A function as source text, with what is needed to run it and to judge its result."""

    source: str
    name: str
    # The parameters that are columns, without `state`.
    columns: Mapping[str, Kind]
    # The kind of each output: `ALONE`, or the keys of the dictionary that the function returns.
    results: Mapping[str, Kind]
    # The fields before the first row.  A function without state is a row function.
    state: Mapping[str, Value] = field(default_factory=dict)
    # How many units in the last place a float may differ: libms differ in exp and the like.
    ulps: int = 0

    @classmethod
    def of(cls, function: Callable[..., Any], *, results: Mapping[str, Kind], **more: Any) -> Program:
        """Return the program of a function that stands in a file, with all of that file as its source."""
        path = inspect.getsourcefile(function)
        assert path is not None, function
        return cls(Path(path).read_text(encoding="utf-8"), function.__name__, results=results, **more)


Rows = dict[str, list[Value]]


def expected(program: Program, columns: Mapping[str, Sequence[Value]], keys: Sequence[Any] | None = None) -> Rows:
    """Return the columns of results, as CPython computes them; with `keys` every key has a state of its own."""
    function = checked(program.source)[program.name]
    start = SimpleNamespace(**program.state)
    states: dict[Any, SimpleNamespace] = {}
    found: Rows = {name: [] for name in program.results}
    rows = list(zip(*(columns[name] for name in program.columns), strict=True))
    for row, key in zip(rows, keys or [None] * len(rows), strict=True):
        values: dict[str, Value] = dict.fromkeys(program.results)
        try:
            if program.state:
                after, result = function(states.get(key, start), *row)
                values = outputs(program, result)
                fits(*vars(after).values())
                states[key] = after
            else:
                values = outputs(program, function(*row))
        except ROW_ERRORS:
            values = dict.fromkeys(program.results)
        for name, value in values.items():
            found[name].append(value)
    return found


def outputs(program: Program, result: Any) -> dict[str, Value]:
    """Return the results of one row, as CPython computes them."""
    fields = {ALONE: result} if list(program.results) == [ALONE] else cast("dict[str, Any]", result)
    assert fields.keys() == program.results.keys(), f"the function returns {fields}"
    fits(*fields.values())
    return {name: checked_kind(fields[name], kind) for name, kind in program.results.items()}


RANKS: dict[type | Kind, int] = {bool: 0, int: 1, float: 2, "bool": 0, "int": 1, "float": 2}


def checked_kind(value: Any, kind: Kind) -> Value:
    """Return a value that a column of this kind can hold.  A complex number is null."""
    if value is None or isinstance(value, complex):
        return None
    assert RANKS[type(value)] <= RANKS[kind], f"a column of {kind} cannot hold {value!r}"
    return cast("Value", value)


def stored(value: Value, kind: Kind) -> Value:
    """Return a value as a column of this kind stores it; one of a wider kind only if that does not change it."""
    if value is None or not math.isfinite(value):
        return value
    made: Value = {"bool": bool, "int": int, "float": float}[kind](value)
    return made if RANKS[type(value)] <= RANKS[kind] or made == value else value


def fits(*values: Any) -> None:
    """Raise if an int is outside 64 bits."""
    for value in values:
        if type(value) is int and not LEAST <= value <= MOST:
            raise OverflowError("the int leaves 64 bits")


# The operations, each checked.


def checked_value(value: Any) -> Any:
    """Return the value if it fits; a complex number has no column to be in, so that its row is null."""
    kind = type(value)
    if kind is not float and kind is not bool:
        fits(value)
        if kind is complex:
            raise ValueError("the result is complex")
    return value


def power(base: Any, exponent: Any) -> Any:
    """Return `base ** exponent` without making ints of millions of digits; `x ** 2` of a float is `x * x`.

    CPython calls the C library's pow, which glibc does not round correctly: about one square in a thousand is off by
    one unit in the last place.  Compiled functions multiply, and give the same bits on every machine.
    """
    if isinstance(base, float) and type(exponent) is int and exponent == 2:
        square = base * base
        if math.isinf(square) and math.isfinite(base):
            raise OverflowError("Numerical result out of range")
        return square
    if isinstance(base, int) and isinstance(exponent, int) and abs(base) > 1 and exponent > 64:
        raise OverflowError("the int leaves 64 bits")
    return base**exponent


def shifted(value: Any, places: Any) -> Any:
    """Return `value << places` without making ints of millions of digits."""
    if isinstance(value, int) and isinstance(places, int) and value and places > 64:
        raise OverflowError("the int leaves 64 bits")
    return operator.lshift(value, places)


CHECKS: dict[str, Callable[..., Any]] = {"_checked": checked_value, "_power": power, "_shifted": shifted}
OPERATORS: dict[type[ast.operator], str] = {ast.Pow: "_power", ast.LShift: "_shifted"}


# Where a node that is put in stands in the source: nobody asks, but Python wants to know.
PLACE: dict[str, Any] = {"lineno": 1, "col_offset": 0, "end_lineno": 1, "end_col_offset": 0}


class Checks(ast.NodeTransformer):
    """Puts a check around every operation and every call."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return call("_checked", operation(node.left, node.op, node.right))

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        assert isinstance(node.target, ast.Name), "only variables are assigned to"
        read = ast.Name(node.target.id, ast.Load(), **PLACE)
        return ast.Assign([node.target], call("_checked", operation(read, node.op, node.value)), **PLACE)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return node if isinstance(node.op, ast.Not) else call("_checked", node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        return call("_checked", node)


def operation(left: ast.expr, operator: ast.operator, right: ast.expr) -> ast.expr:
    """Return the operation, through a function if Python's own could need much memory."""
    name = OPERATORS.get(type(operator))
    return ast.BinOp(left, operator, right, **PLACE) if name is None else call(name, left, right)


def call(name: str, *arguments: ast.expr) -> ast.Call:
    """Return the call of one of `CHECKS`."""
    return ast.Call(ast.Name(name, ast.Load(), **PLACE), list(arguments), [], **PLACE)


@lru_cache(maxsize=4)
def checked(source: str) -> dict[str, Any]:
    """Run the source with checks in its functions; return what it defines."""
    tree = ast.parse(source)
    tree.body = [Checks().visit(node) if isinstance(node, ast.FunctionDef) else node for node in tree.body]
    namespace: dict[str, Any] = {"__name__": "function_under_test", **CHECKS}
    exec(compile(tree, "<checked>", "exec"), namespace)
    namespace["hs"] = SimpleNamespace(state=SimpleNamespace)
    return namespace


# Comparing.


def same(want: Value, got: Value, ulps: int = 0) -> bool:
    """Whether two results are bit-identical; NaN equals NaN, whatever its bits.  Floats may be `ulps` apart."""
    if type(want) is not type(got):
        return False
    if not isinstance(want, float) or not isinstance(got, float):
        return want == got
    if math.isnan(want) or math.isnan(got):
        return math.isnan(want) and math.isnan(got)
    if ulps and math.isfinite(want) and math.isfinite(got):
        return abs(place(want) - place(got)) <= ulps
    return struct.pack("<d", want) == struct.pack("<d", got)


def place(value: float) -> int:
    """Return the position of a float among all floats; neighbors are 1 apart, and both zeros are at 0."""
    bits: int = struct.unpack("<q", struct.pack("<d", value))[0]
    return bits if bits >= 0 else LEAST - bits


@dataclass(frozen=True)
class Difference:
    """The first value that is not as expected."""

    output: str
    row: int | None
    want: Any
    got: Any


def first_difference(program: Program, want: Rows, got: pl.Series, *, narrowed: bool = False) -> Difference | None:
    """Compare a column of results, a struct if the function has several, with the expected ones.

    Branches that no row can reach do not count for the data type: `narrowed` admits any that holds the same values.
    """
    several = list(program.results) != [ALONE]
    if several and not isinstance(got.dtype, pl.Struct):
        return Difference("the struct", None, list(program.results), got.dtype)
    fields = {field.name: field for field in (got.struct.unnest() if several else got.to_frame(ALONE))}
    for name, kind in program.results.items():
        found = fields[name].dtype if name in fields else None
        narrower = next((other for other, dtype in DTYPES.items() if narrowed and dtype == found), kind)
        if found != DTYPES[narrower]:
            return Difference(name, None, DTYPES[kind], found)
        wanted = [stored(value, narrower) for value in want[name]]
        for row, pair in enumerate(zip(wanted, fields[name].to_list(), strict=True)):
            if not same(*pair, ulps=program.ulps):
                return Difference(name, row, *pair)
    return None
