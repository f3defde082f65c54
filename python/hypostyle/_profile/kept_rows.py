"""Rows that a loop keeps whole: `prev = row`, of which it reads `prev["price"]` at a later row.

Each column of it that is read becomes a variable: `prev_price = row["price"]`.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable

from hypostyle._profile.syntax import names_set, text_of


def kept_rows(
    body: list[ast.stmt], before: list[ast.stmt], row: str | None, later: set[str], free: Callable[[str], str]
) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """Return a body and the statements before it with variables in the place of rows that are kept."""
    if row is None:
        return body, before
    for name in sorted(_keeping(body, row) - later):
        made = _Columns(name, row, free)
        written = [made.visit(copy.deepcopy(statement)) for statement in body]
        starts = [s for s in before if names_set([s]) == {name}]
        is_none = all(isinstance(s, ast.Assign) and ast.unparse(s.value) == "None" for s in starts)
        if made.is_read_whole or not made.variables or not is_none:
            continue
        parts = [part for s in written for part in (s if isinstance(s, list) else [s])]
        body = [_Spread(made).visit(part) for part in parts]
        body = [part for s in body for part in (s if isinstance(s, list) else [s])]
        first = [ast.parse(f"{variable} = None").body[0] for variable in made.variables.values()]
        before = [*(s for s in before if s not in starts), *(first if starts else [])]
    return body, before


def _keeping(body: list[ast.stmt], row: str) -> set[str]:
    """Return the names that get the row, and nothing else."""
    given: dict[str, bool] = {}
    for node in (n for statement in body for n in ast.walk(statement)):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                given[name] = given.get(name, True) and isinstance(value, ast.Name) and value.id == row
    return {name for name, only in given.items() if only and name != row}


class _Columns(ast.NodeTransformer):
    """Puts a variable in the place of each column that is read of a row."""

    def __init__(self, name: str, row: str, free: Callable[[str], str]) -> None:
        self.name, self.row, self._free = name, row, free
        self.variables: dict[str, str] = {}
        """By the code of the column."""
        self.is_read_whole = False

    def _variable(self, code: str, word: str) -> ast.Name:
        if code not in self.variables:
            self.variables[code] = self._free(f"{self.name}_{word}" if word.isidentifier() else f"{self.name}_column")
        return ast.Name(self.variables[code], ast.Load())

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        word = text_of(node.slice)
        if isinstance(node.value, ast.Name) and node.value.id == self.name and word is not None:
            return self._variable(f"[{word!r}]", word)
        return self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id == self.name:
            return self._variable(f".{node.attr}", node.attr)
        return self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        match node:
            case ast.Compare(left=ast.Name(id=name), ops=[ast.Is() | ast.IsNot()]) if name == self.name:
                return node  # a row is there or not
        return self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        return node if ast.unparse(node) == f"{self.name} = {self.row}" else self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        self.is_read_whole |= node.id == self.name
        return node


class _Spread(ast.NodeTransformer):
    """Writes the row that is kept, and the question whether there is one, for its columns."""

    def __init__(self, made: _Columns) -> None:
        self._made = made

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
        if ast.unparse(node) != f"{self._made.name} = {self._made.row}":
            return node
        columns = self._made.variables.items()
        return [ast.parse(f"{variable} = {self._made.row}{code}").body[0] for code, variable in columns]

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        if isinstance(node.left, ast.Name) and node.left.id == self._made.name:
            node.left = ast.Name(next(iter(self._made.variables.values())), ast.Load())
        return self.generic_visit(node)
