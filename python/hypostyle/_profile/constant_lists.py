"""Lists that a script never changes, as `STEPS = [50, 150, 400]`: constants of the functions that are written."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypostyle._profile.change import Change
from hypostyle._profile.syntax import SourceFile, names_read, names_set

_MOST = 64
"""Items that are written out."""


def with_constants(change: Change, file: SourceFile, variables: Mapping[str, Any]) -> Change:
    """Return a change whose definitions hold the items of such lists, as a compiled function keeps what it captures."""
    if not change.definitions:
        return change
    tree = ast.parse(change.definitions)
    free = names_read([tree]) - names_set([tree])
    constants = {name: code for name in free if (code := _literal(variables.get(name))) and _is_constant(file, name)}
    if not constants:
        return change
    made = ast.unparse(_Written(constants).visit(tree)) + "\n"
    old = change.definitions.rstrip()
    edits = [(first, last, text.replace(old, made.rstrip())) for first, last, text in change.edits]
    return replace(change, definitions=made, edits=edits)


def _is_constant(file: SourceFile, name: str) -> bool:
    """Whether a name of the module is set once, and what it stands for is only read."""
    stores = 0
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Name) and node.id == name:
            stores += isinstance(node.ctx, ast.Store)
            above = file.parent(node)
            if isinstance(above, ast.Attribute) or (isinstance(above, ast.Call) and node in above.args[1:]):
                return False
            if isinstance(above, ast.Subscript) and not isinstance(above.ctx, ast.Load):
                return False
    return stores == 1


def _literal(value: object) -> str:
    """Return a list of constants as the code of a tuple; nothing for what is none, or long."""
    return (_item(value) or "") if type(value) is list and len(value) <= _MOST else ""


def _item(value: object) -> str | None:
    if value is None or isinstance(value, bool | int | str):
        return repr(value)
    if isinstance(value, float):
        return repr(value) if abs(value) < float("inf") else f'float("{value}")'
    if isinstance(value, list | tuple) and value:
        items = [_item(item) for item in value]
        return None if None in items else f"({', '.join(map(str, items))},)"
    return None


class _Written(ast.NodeTransformer):
    def __init__(self, constants: Mapping[str, str]) -> None:
        self._constants = constants

    def visit_Name(self, node: ast.Name) -> ast.expr:
        code = self._constants.get(node.id)
        return node if code is None else ast.parse(code, mode="eval").body
