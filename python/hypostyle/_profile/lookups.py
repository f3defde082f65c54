"""Tables that a script looks values up in, `fees[row["side"]]`: compiled functions know those that are written out."""

from __future__ import annotations

import ast

from hypostyle._profile.change import Values

_MOST = 30
"""The most entries that are written out."""


class Lookups(ast.NodeTransformer):
    """Writes a dictionary of constants in the place of its name, where one of its items is read."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load):
            node.value = self._written(node.value)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            node.func.value = self._written(node.func.value)
        return node

    def _written(self, node: ast.expr) -> ast.expr:
        found = self._values.of(node) if isinstance(node, ast.Name) else None
        if not isinstance(found, dict) or not 0 < len(found) <= _MOST:
            return node
        is_plain = all(type(key) in (str, int) for key in found) and all(
            type(value) in (int, float, bool) for value in found.values()
        )
        return ast.parse(repr(found), mode="eval").body if is_plain else node
