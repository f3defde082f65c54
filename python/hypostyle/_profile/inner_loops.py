"""Loops in a loop that go over the rows before: `for j in range(max(0, i - 19), i + 1): total += price[j]`.

The inner loop is one over the values of a window, and what is done before and after it belongs to the same function.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence
from dataclasses import dataclass

from hypostyle._profile.loop_syntax import appended, without_continue
from hypostyle._profile.row_access import Header
from hypostyle._profile.syntax import is_path, names_read, names_set


@dataclass
class InnerLoop:
    """What a loop computes of the rows from one number to another."""

    output: str
    is_array: bool
    column: ast.expr
    lower: ast.expr
    upper: ast.expr
    statements: list[ast.stmt]
    """A function of the values `window`; the row's own is `window[-1]`, numbers that depend on the row are left."""
    otherwise: ast.expr | None


def inner_loop(node: ast.For, header: Header) -> InnerLoop | None:
    """Read a loop over rows with one loop over a range in it."""
    index = header.index
    body = without_continue(copy.deepcopy(node.body))
    otherwise: ast.expr | None = None
    output: tuple[str, bool] | None = None
    if len(body) == 1 and isinstance(guard := body[0], ast.If):
        inside, other = guard.body, guard.orelse
        if any(isinstance(s, ast.For) for s in other):
            inside, other = other, inside
        if len(other) > 1 or (other and (found := _written(other[0], index)) is None):
            return None
        if other and found is not None:
            output, otherwise = (found[0], found[2]), found[1]
        body = inside
    loops = [s for s in body if isinstance(s, ast.For)]
    end = _written(body[-1], index) if body else None
    if index is None or len(loops) != 1 or end is None or (output is not None and output[0] != end[0]):
        return None
    if otherwise is not None and names_read([otherwise]) & {index}:
        return None
    loop = loops[0]
    bounds = _bounds(loop)
    if bounds is None or not all(isinstance(s, ast.Assign | ast.For | ast.If) for s in body[:-1]):
        return None
    counter, lower, upper = bounds
    items = [n for s in body for n in ast.walk(s) if isinstance(n, ast.Subscript) and _is_item(n, {counter, index})]
    columns = {ast.dump(n.value): _column(n) for n in items}
    if len(columns) != 1 or (column := next(iter(columns.values()))) is None:
        return None

    row = index

    class OfWindow(ast.NodeTransformer):
        def visit_Subscript(self, item: ast.Subscript) -> ast.AST:
            if _is_item(item, {counter}):
                return ast.Name("value", ast.Load())
            if _is_item(item, {row}):
                return ast.parse("window[-1]", mode="eval").body
            return self.generic_visit(item)

    end_value = ast.Return(end[1])
    statements = [OfWindow().visit(s) for s in [*body[:-1], end_value]]
    made = next(s for s in statements if isinstance(s, ast.For))
    made.target, made.iter = ast.Name("value", ast.Store()), ast.Name("window", ast.Load())
    used = names_read(statements) | names_set(statements)
    if counter in used or "value" in names_set(made.body) or header.index in names_set(statements):
        return None
    return InnerLoop(end[0], end[2], column, lower, upper, statements, otherwise)


def _written(statement: ast.stmt, index: str | None) -> tuple[str, ast.expr, bool] | None:
    """Return the output of a statement, its value, and whether it is an array."""
    if (found := appended(statement)) is not None:
        return found[0], found[1], False
    match statement:
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name), slice=ast.Name(id=at))], value=value):
            return (name, value, True) if at == index else None
    return None


def _bounds(loop: ast.For) -> tuple[str, ast.expr, ast.expr] | None:
    match loop:
        case ast.For(
            target=ast.Name(id=counter),
            iter=ast.Call(func=ast.Name(id="range"), args=[lower, upper], keywords=[]),
            orelse=[],
        ):
            return counter, lower, upper
    return None


def _is_item(node: ast.AST, positions: set[str]) -> bool:
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Load)
        and isinstance(node.slice, ast.Name)
        and node.slice.id in positions
    )


def _column(node: ast.Subscript) -> ast.expr | None:
    column = node.value
    if isinstance(column, ast.Attribute) and column.attr in ("iloc", "values", "iat"):
        column = column.value
    return column if is_path(column) else None


def reads_row(statements: Sequence[ast.stmt]) -> bool:
    """Whether a function of a window reads the value of the row itself."""
    return any("window[-1]" in ast.unparse(statement) for statement in statements)


def without_row(statements: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Return a function of a window in which the loop leaves out the last value: that of the row itself."""
    made: list[ast.stmt] = []
    for statement in copy.deepcopy(list(statements)):
        if isinstance(statement, ast.For):
            is_before = ast.parse("if passed < len(window): pass").body[0]
            assert isinstance(is_before, ast.If)
            is_before.body = statement.body
            statement.body = [*ast.parse("passed += 1").body, is_before]
            made += ast.parse("passed = 0").body
        made.append(statement)
    return made


def with_counts(statements: Sequence[ast.stmt], is_count: dict[str, bool], count: str) -> list[ast.stmt]:
    """Write what is the number of the rows that the inner loop goes over as such.

    Args:
        statements: The function.
        is_count: By the code of an expression, whether it is that number.
        count: The code of the number.
    """

    class Counts(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            if isinstance(node, ast.expr) and is_count.get(ast.unparse(node)):
                return ast.parse(count, mode="eval").body
            return self.generic_visit(node)

    made: list[ast.stmt] = [Counts().visit(copy.deepcopy(statement)) for statement in statements]  # type: ignore[misc]
    return made
