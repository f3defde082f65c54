"""Rows that are dictionaries or lists, as `csv` reads them: `float(row["price"])` becomes an item of a column.

The column is a list of the same expression for each row, which Python makes before the loop.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Sequence
from typing import Any

_READ = {"float": float, "int": int}


def columns_of(
    body: Sequence[ast.stmt], row: str, rows: ast.expr, items: Sequence[Any], free: Callable[[str], str]
) -> tuple[list[ast.stmt], dict[str, tuple[ast.expr, list[Any]]]]:
    """Return a body with names in the place of what it reads of a row, and their columns."""
    found: dict[str, str] = {}
    columns: dict[str, tuple[ast.expr, list[Any]]] = {}

    class Columns(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            if isinstance(node, ast.expr) and _is_of_row(node, row):
                code = ast.unparse(node)
                if code not in found:
                    listed = ast.parse(f"[{code} for {row} in {ast.unparse(rows)}]", mode="eval").body
                    values = _values(node, row, items)
                    if values is None:
                        return node
                    words = [str(n.value) for n in ast.walk(node) if isinstance(n, ast.Constant) and _is_word(n.value)]
                    found[code] = free(words[0] if words else "column")
                    columns[found[code]] = listed, values
                return ast.Name(found[code], ast.Load())
            return self.generic_visit(node)

    return [Columns().visit(copy.deepcopy(statement)) for statement in body], columns  # type: ignore[misc]


def _is_word(value: object) -> bool:
    return isinstance(value, str) and value.isidentifier()


def _is_of_row(node: ast.expr, row: str) -> bool:
    """Whether an expression is an item of the row, or a number read from one."""
    match node:
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(), ctx=ast.Load()):
            return name == row
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get"), args=[ast.Constant(), *rest]):
            return name == row and all(isinstance(r, ast.Constant) for r in rest) and not node.keywords
        case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]) if name in _READ:
            return _is_of_row(inner, row)
        case ast.BoolOp(op=ast.Or(), values=[inner, ast.Constant()]):
            return _is_of_row(inner, row)
    return False


def _values(node: ast.expr, row: str, items: Sequence[Any]) -> list[Any] | None:
    """Return what an expression is in each row; there is nothing of the user's in it that would run."""
    function = ast.Expression(ast.parse(f"lambda {row}: {ast.unparse(node)}", mode="eval").body)
    try:
        read = eval(compile(ast.fix_missing_locations(function), "<rows>", "eval"), {"__builtins__": _READ})
        return [read(item) for item in items]
    except Exception:  # a row without the item, or no number
        return None
