"""Columns as a whole in functions that are written anew: what gives the same values, and other names for them."""

from __future__ import annotations

import ast

SAME_VALUES = {"to_numpy", "to_list", "tolist", "copy"}
"""Methods of a column that give its values."""


def without_aliases(body: list[ast.stmt], parameters: set[str]) -> list[ast.stmt]:
    """Return a body without `values = s`, which is all that is left of `values = s.to_numpy()`."""
    others = {}
    written = []
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=other)], value=ast.Name(id=name)) if name in parameters:
                others[other] = name
            case _:
                written.append(statement)
    for node in (n for s in written for n in ast.walk(s)):
        if isinstance(node, ast.Name):
            node.id = others.get(node.id, node.id)
    return written
