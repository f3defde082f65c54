"""Tables that a script looks values up in, `fees[row["side"]]`, as conditions; compiled functions know none."""

from __future__ import annotations

import ast
import copy
from typing import Any

from hypostyle._profile.change import Values

_MOST = 30
"""The most entries that are written out."""


class Lookups(ast.NodeTransformer):
    """Writes an item of a dictionary of constants as a chain of conditions."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        table = self._table(node.value) if isinstance(node.ctx, ast.Load) else None
        return node if table is None else _chain(table, node.slice, ast.Constant(None))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr="get"), args=[key, *rest], keywords=[]) if len(rest) < 2:
                table = self._table(owner)
                return node if table is None else _chain(table, key, rest[0] if rest else ast.Constant(None))
        return node

    def _table(self, node: ast.expr) -> dict[Any, Any] | None:
        found = self._values.of(node) if isinstance(node, ast.Name) else None
        if not isinstance(found, dict) or not 0 < len(found) <= _MOST:
            return None
        is_plain = all(type(key) in (str, int) for key in found) and all(
            type(value) in (int, float, bool) for value in found.values()
        )
        return found if is_plain else None


def _chain(table: dict[Any, Any], key: ast.expr, otherwise: ast.expr) -> ast.expr:
    made = otherwise
    for known, value in reversed(table.items()):
        test = ast.Compare(copy.deepcopy(key), [ast.Eq()], [ast.Constant(known)])
        made = ast.IfExp(test, ast.Constant(value), made)
    return made
