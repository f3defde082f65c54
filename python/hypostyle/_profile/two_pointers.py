"""Windows of time that a loop keeps by two pointers: it adds the row, and takes away those that are too old.

    total += x[i]
    while t[start] <= t[i] - 60:
        total -= x[start]
        start += 1

`total` and the number of rows `i - start + 1` become columns, which kernels make.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypostyle._functions.moments import nanoseconds
from hypostyle._profile.change import Values
from hypostyle._profile.row_access import Header
from hypostyle._profile.syntax import names_read, names_set
from hypostyle._profile.window_columns import Column, MadeColumns


@dataclass
class Pointers:
    """The loop that takes rows away."""

    start: str
    """The variable of the first row of the window."""
    time: ast.expr
    length: ast.expr
    keeps_edge: bool
    """Whether a row that is exactly so old stays."""
    sums: dict[str, ast.expr] = field(default_factory=dict)
    """Sums, with their columns."""


def two_pointers(
    body: list[ast.stmt], header: Header, values: Values, later: set[str], free: Callable[[str], str]
) -> tuple[list[ast.stmt], dict[str, Column], set[str]]:
    """Return a body with columns in the place of sums and counts, these columns, and the variables that it lost."""
    nothing = body, dict[str, Column](), set[str]()
    loops = [s for s in body if isinstance(s, ast.While)]
    if header.index is None or len(loops) != 1 or (found := _pointers(loops[0], header.index)) is None:
        return nothing
    lost = {found.start, *found.sums}
    length = duration_of(values.of(found.length), values.of(found.time))
    if lost & later or length is None:
        return nothing
    added = {name: [s for s in body if _adds(s, name)] for name in found.sums}
    if any(len(statements) != 1 for statements in added.values()):
        return nothing
    removed = [loops[0], *(s for statements in added.values() for s in statements)]
    rest = [s for s in body if s not in removed]
    if body.index(loops[0]) > min((body.index(s) for s in rest if lost & names_read([s])), default=len(body)):
        return nothing  # read before old rows are taken away
    made = MadeColumns(free)
    reads = _Reads(found, header.index, length, len(values.of(found.time)), made)
    rest = [reads.visit(copy.deepcopy(s)) for s in rest]
    if lost & (names_read(rest) | names_set(rest)):
        return nothing
    return rest, made.found, lost


def _pointers(loop: ast.While, index: str) -> Pointers | None:
    tests = loop.test.values if isinstance(loop.test, ast.BoolOp) and isinstance(loop.test.op, ast.And) else [loop.test]
    found = [made for test in tests if (made := _of_age(test, index)) is not None]
    if len(found) != 1:
        return None
    pointers = found[0]
    others = [test for test in tests if _of_age(test, index) is None]  # `start < i`
    if any(names_read([test]) - {index, pointers.start} for test in others):
        return None
    steps = 0
    for statement in loop.body:
        match statement:
            case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=ast.Constant(value=1)):
                steps += name == pointers.start
            case ast.AugAssign(
                target=ast.Name(id=name), op=ast.Sub(), value=ast.Subscript(value=column, slice=ast.Name(id=at))
            ) if at == pointers.start and steps == 0:
                pointers.sums[name] = column
            case _:
                return None
    return pointers if steps == 1 else None


def _of_age(test: ast.expr, index: str) -> Pointers | None:
    """Read `t[start] <= t[i] - 60`, or `t[i] - t[start] >= 60`."""
    match test:
        case ast.Compare(
            left=ast.Subscript(value=old, slice=ast.Name(id=start)),
            ops=[ast.Lt() | ast.LtE() as operator],
            comparators=[ast.BinOp(left=ast.Subscript(value=new, slice=ast.Name(id=at)), op=ast.Sub(), right=length)],
        ):
            pass
        case ast.Compare(
            left=ast.BinOp(
                left=ast.Subscript(value=new, slice=ast.Name(id=at)),
                op=ast.Sub(),
                right=ast.Subscript(value=old, slice=ast.Name(id=start)),
            ),
            ops=[ast.Gt() | ast.GtE() as operator],
            comparators=[length],
        ):
            pass
        case _:
            return None
    if at != index or start == index or ast.dump(old) != ast.dump(new) or names_read([length]) & {index, start}:
        return None
    return Pointers(start, old, length, isinstance(operator, ast.Lt | ast.Gt))


def _adds(statement: ast.stmt, name: str) -> bool:
    match statement:
        case ast.AugAssign(target=ast.Name(id=found), op=ast.Add()):
            return found == name
    return False


def duration_of(length: Any, times: Any) -> str | None:
    """Return the length of a window: steps of whole numbers, or nanoseconds."""
    if not hasattr(times, "__len__"):
        return None
    if type(length) is int and length > 0:
        return f"{length}i"
    time = nanoseconds(length)
    return f"{time[0]}ns" if time is not None and time[1] == "duration" and time[0] > 0 else None


class _Reads(ast.NodeTransformer):
    """Puts names of columns in the place of sums, and of the number of rows."""

    def __init__(self, found: Pointers, index: str, length: str, rows: int, made: MadeColumns) -> None:
        self._found, self._length, self._rows, self._made = found, length, rows, made
        self._count = f"{index} - {found.start}"

    def visit_Name(self, node: ast.Name) -> ast.AST:
        column = self._found.sums.get(node.id)
        if column is None or not isinstance(node.ctx, ast.Load):
            return node
        return self._named("rolling_sum", column)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        code = ast.unparse(node)
        if code == f"{self._count} + 1":
            return self._named("rolling_count", self._found.time)
        if code == self._count:
            return ast.BinOp(self._named("rolling_count", self._found.time), ast.Sub(), ast.Constant(1))
        return self.generic_visit(node)

    def _named(self, kernel: str, column: ast.expr) -> ast.Name:
        edge = ', closed="both"' if self._found.keeps_edge else ""
        frame = f'pl.DataFrame({{"x": {ast.unparse(column)}, "t": {ast.unparse(self._found.time)}}})'
        code = f'{frame}.select(hs.{kernel}("x", "{self._length}", by="t"{edge}))["x"].to_numpy()'
        return self._made.named(code, self._rows)
