"""Rewrites expressions of Polars: kernels where the templates fit, the same arithmetic around them.

`(pl.col("x") / pl.col("x").shift(1) - 1).over("k")` becomes `pl.col("x") / hs.shift("x", 1, over="k") - 1`.  What goes
value by value stays as it is, and a statistic of a whole column gets the keys.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from hypostyle._profile.syntax import keyword, method, text_of
from hypostyle._profile.templates import Column, kernel_for

_BY_VALUE = {"alias", "abs", "cast", "clip", "exp", "fill_nan", "fill_null", "log", "log1p", "round", "sign", "sqrt"}
_WHOLE = {"mean", "sum", "min", "max", "std", "var", "median", "count", "first", "last"}


def column_of(node: ast.AST) -> str | None:
    """Return the name of `pl.col("x")`."""
    called = method(node)
    if called is None or called[1] != "col" or not isinstance(called[0], ast.Name) or len(called[2].args) != 1:
        return None
    return text_of(called[2].args[0]) if called[0].id in ("pl", "polars") else None


def column_in(parameter: str, only: str | None = None) -> Column:
    """Return what is a column in a function of a frame, or of the Series of the column `only`."""

    def column(node: ast.AST) -> str | None:
        if only is not None:
            return only if isinstance(node, ast.Name) and node.id == parameter else None
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == parameter:
            return text_of(node.slice)
        return column_of(node)

    return column


def keys_of(call: ast.Call) -> list[str] | None:
    """Return the keys of `group_by("a", "b")` or `over(["a", "b"])`; None if one is no column."""
    parts = [part for a in call.args for part in (a.elts if isinstance(a, ast.List | ast.Tuple) else [a])]
    keys = [text_of(part) or column_of(part) for part in parts]
    return None if not keys or None in keys else [str(key) for key in keys]


def quoted(keys: Sequence[str]) -> str:
    """Return keys as an argument."""
    return f'"{keys[0]}"' if len(keys) == 1 else str(list(keys)).replace("'", '"')


class Keyed:
    """Writes what is computed for each key as what is computed over all rows.

    Args:
        keys: The keys; none for a function of a whole column.
        column: What columns are.
    """

    def __init__(self, keys: Sequence[str], column: Column = column_of) -> None:
        self._keys = keys
        self._column = column
        self.kernels: list[str] = []

    def code(self, node: ast.expr) -> str | None:
        """Return the new code; None if a part of it is not known."""
        kernel = kernel_for(node, self._column, "polars")
        if kernel is not None:
            self.kernels.append(kernel.code(self._keys))
            return self.kernels[-1]
        name = self._column(node)
        if name is not None:
            return f'pl.col("{name}")'
        if not any(self._column(part) for part in ast.walk(node)):
            return ast.unparse(node).replace("'", '"')
        match node:
            case ast.BinOp(left=left, op=op, right=right):
                parts = self._parts([left, right])
                return None if parts is None else _written(ast.BinOp(parts[0], op, parts[1]))
            case ast.UnaryOp(op=op, operand=operand):
                parts = self._parts([operand])
                return None if parts is None else _written(ast.UnaryOp(op, parts[0]))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                parts = self._parts([left, right])
                return None if parts is None else _written(ast.Compare(parts[0], [op], [parts[1]]))
            case ast.Call(func=ast.Attribute(value=receiver, attr=called)):
                return self._call(node, receiver, called)
        return None

    def _parts(self, nodes: Sequence[ast.expr]) -> list[ast.expr] | None:
        codes = [self.code(node) for node in nodes]
        return None if None in codes else [ast.parse(str(code), mode="eval").body for code in codes]

    def _call(self, node: ast.Call, receiver: ast.expr, called: str) -> str | None:
        name = self._column(receiver)
        if name is not None and called in _WHOLE and not node.args and not node.keywords:
            over = f".over({quoted(self._keys)})" if self._keys else ""
            return f'pl.col("{name}").{called}(){over}'
        parts = self._parts([receiver, *node.args, *(k.value for k in node.keywords)])
        if called not in _BY_VALUE or parts is None:
            return None
        arguments, named = parts[1 : 1 + len(node.args)], parts[1 + len(node.args) :]
        keywords = [ast.keyword(k.arg, value) for k, value in zip(node.keywords, named, strict=True)]
        return _written(ast.Call(ast.Attribute(parts[0], called, ast.Load()), arguments, keywords))


def _written(node: ast.expr) -> str:
    return ast.unparse(ast.fix_missing_locations(ast.Expression(node))).replace("'", '"')


def in_order(call: ast.Call) -> bool:
    """Whether a call of `group_by` keeps the order of its groups."""
    given = keyword(call, "maintain_order")
    return isinstance(given, ast.Constant) and given.value is True
