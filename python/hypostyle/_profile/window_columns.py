"""Windows that a loop looks back on, `prices[i] > max(prices[i - 20 : i])`: their statistics become columns.

The loop then reads an item of a column, so that the rest of it can be compiled: states, branches, other columns.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from typing import Any

from hypostyle._profile.change import Values
from hypostyle._profile.row_access import Header
from hypostyle._profile.syntax import method, names_read
from hypostyle._profile.window_slices import column_and_window, correlation_of, made_of, sliced_of

Column = tuple[ast.expr, Any]
"""The code of a column, and values of its type and length."""


class MadeColumns:
    """Columns that are made before a loop, by the names that the loop reads them by."""

    def __init__(self, free: Callable[[str], str]) -> None:
        self.found: dict[str, Column] = {}
        self._free = free
        self._names: dict[str, str] = {}

    def named(self, code: str, rows: int) -> ast.Name:
        """Return the name of the column that code makes."""
        import numpy as np

        if code not in self._names:
            self._names[code] = name = self._free("window")
            self.found[name] = ast.parse(code, mode="eval").body, np.full(rows, np.nan)
        return ast.Name(self._names[code], ast.Load())


def window_columns(
    body: list[ast.stmt], header: Header, values: Values, free: Callable[[str], str]
) -> tuple[list[ast.stmt], dict[str, Column]]:
    """Return a body with names of columns in the place of what it computes of windows, and these columns."""
    if header.index is None:
        return body, {}
    slices, made = _named(body, header), MadeColumns(free)
    found = _Windows(header, values, made, slices)
    written = [s for s in (found.visit(copy.deepcopy(s)) for s in body) if not isinstance(s, ast.Pass)]
    if not made.found or set(slices) & names_read(written):
        return body, {}
    return written, made.found


def kernel_in(column: ast.expr) -> str:
    """Return the kernel that makes such a column."""
    calls = [n for n in ast.walk(column) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
    picked = next(n for n in calls if isinstance(n.func, ast.Attribute) and n.func.attr == "select")
    return ast.unparse(picked.args[0]).replace("'", '"')


def _named(body: list[ast.stmt], header: Header) -> dict[str, ast.expr]:
    """Return the slices that the body gives a name: `window = prices[i - 20 : i]`."""
    slices: dict[str, ast.expr] = {}
    assigned = [n.id for s in body for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    for statement in (n for s in body for n in ast.walk(s)):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript(slice=ast.Slice() as bounds) as value):
                if header.index in names_read([bounds]) and assigned.count(name) == 1:
                    slices[name] = value
    return slices


class _Windows(ast.NodeTransformer):
    """Finds the largest expressions that are computed of one window."""

    def __init__(self, header: Header, values: Values, made: MadeColumns, slices: dict[str, ast.expr]) -> None:
        self._header, self._values, self._made, self._slices = header, values, made, slices

    def visit(self, node: ast.AST) -> Any:
        match node:
            case ast.Assign(targets=[ast.Name(id=given)]) if given in self._slices:
                return ast.Pass()
        is_result = isinstance(node, ast.Call | ast.BinOp | ast.Subscript | ast.Attribute)
        name = self._column(node) if isinstance(node, ast.expr) and is_result else None
        return self.generic_visit(node) if name is None else name

    def _column(self, node: ast.expr) -> ast.Name | None:
        code = correlation_of(node, self._slices, self._header, self._values)
        if code is None:
            read = [name for name in self._slices if name in names_read([node])]
            if len(read) > 1:
                return None
            window = self._slices[read[0]] if read else None
            sliced = sliced_of(node, self._header, window, read[0] if read else "")
            if sliced is None or isinstance(sliced.result, ast.Name):
                return None
            found = column_and_window(sliced, self._header, self._values)
            made = None if found is None else made_of(sliced, found, self._values, node.lineno)
            if made is None or made.definitions:
                return None
            code = made.code
        column = next(n for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Dict)).values[0]
        column = called[0] if (called := method(column)) is not None else column  # `.to_numpy()`
        return self._made.named(f"{code}.to_numpy()", len(self._values.of(column)))
