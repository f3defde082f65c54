"""A loop over the first rows, `for i in range(n)`, and the one over the others, `for i in range(n, len(x))`, as one.

What stands between them belongs to the last of the first rows.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence

from hypostyle._functions.loop_cells import RowsWithCells
from hypostyle._functions.loop_parts import ONE_LOOP, Parts
from hypostyle._functions.values import Tup, Value


class FirstRows(RowsWithCells):
    """Joins two loops, and reads `x[:n]` before them."""

    def one_loop(self, parts: Parts) -> ast.For:
        """Return the loop over all rows."""
        if len(parts.loops) == 1:
            return parts.loops[0]
        first, second = parts.loops
        of_first, of_second = self._bounds(first), self._bounds(second)
        if of_first is None or of_second is None:
            raise self.error(second, ONE_LOOP)
        (start, end), (following, length) = of_first, of_second
        last, behind = self._constant(end), self._constant(following)
        if last is None or last != behind or self.is_length(end) or not self.is_length(length):
            raise self.error(second, ONE_LOOP)
        if parts.between and any(isinstance(n, ast.Continue | ast.Break) for s in first.body for n in ast.walk(s)):
            raise self.error(parts.between[0], "behind a loop with continue nothing is compiled; write if")
        index = first.target
        assert isinstance(index, ast.Name)
        assert isinstance(second.target, ast.Name)
        between = [_AtRow(self, index.id, last - 1).visit(copy.deepcopy(s)) for s in parts.between]
        others = [_Renamed(second.target.id, index.id).visit(copy.deepcopy(s)) for s in second.body]
        body: list[ast.stmt] = list(first.body)
        read = ast.Name(index.id, ast.Load())
        if between:
            body.append(ast.If(ast.Compare(read, [ast.Eq()], [ast.Constant(last - 1)]), between, []))
        rows: list[ast.stmt] = [ast.If(ast.Compare(read, [ast.Lt()], [ast.Constant(last)]), body, others)]
        assert isinstance(second.iter, ast.Call)
        made = ast.For(index, ast.Call(second.iter.func, [start, length], []), rows, [])
        for part in ast.walk(made):
            if not hasattr(part, "lineno"):
                ast.copy_location(part, first)
        return made

    def _bounds(self, loop: ast.For) -> tuple[ast.expr, ast.expr] | None:
        match loop:
            case ast.For(target=ast.Name(), iter=ast.Call(func=function, args=given, keywords=[])):
                if self.object_of(function) is range and len(given) in (1, 2):
                    return (given[0], given[1]) if len(given) == 2 else (ast.Constant(0), given[0])
        return None

    def _constant(self, node: ast.expr) -> int | None:
        if self.is_length(node):
            return None
        choices = self.values_of(self.expr(node))
        return choices[0] if choices is not None and len(choices) == 1 and choices[0] > 0 else None

    # The first rows before the loop

    def iterable(self, node: ast.expr) -> Tup:
        """Translate something with a number of items that is known: before the loop `x[:n]` too."""
        items = self.first_items(node)
        return super().iterable(node) if items is None else Tup(tuple(items))

    def first_items(self, node: ast.expr) -> Sequence[Value] | None:
        """Return the items of `x[:n]` before the loop."""
        match node:
            case ast.Subscript(value=owner, slice=ast.Slice(lower=lower, upper=ast.expr() as upper, step=None)):
                array = self.array(owner)
                if array is None or not array.is_input or self.fixed_row is None:
                    return None
                start = 0 if lower is None else self._constant(lower) or 0
                end = self._constant(upper)
                if end is None or not start < end <= self.fixed_row + 1:
                    return None
                return [self.delayed(array, self.fixed_row - number) for number in range(start, end)]
        return None


class _Renamed(ast.NodeTransformer):
    def __init__(self, name: str, other: str) -> None:
        self._name, self._other = name, other

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.copy_location(ast.Name(self._other, node.ctx), node) if node.id == self._name else node


class _AtRow(ast.NodeTransformer):
    """Writes `out[14]` as `out[i]` where that is the row."""

    def __init__(self, rows: FirstRows, index: str, row: int) -> None:
        self._rows, self._index, self._row = rows, index, row

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if self._rows.array(node.value) is None or isinstance(node.slice, ast.Slice):
            return self.generic_visit(node)
        choices = self._rows.values_of(self._rows.expr(node.slice))
        if choices != [self._row]:
            msg = f"between the loops the item of the last row is compiled: number {self._row}"
            raise self._rows.error(node, msg)
        item = ast.Subscript(node.value, ast.Name(self._index, ast.Load()), node.ctx)
        for part in (item, item.slice):
            ast.copy_location(part, node)
        return item
