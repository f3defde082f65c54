"""Parallel assignments, `user, price = row["user"], row["price"]`, as one assignment after the other."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from hypostyle._profile.syntax import names_read, root


def one_by_one(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Return statements with single assignments in the place of those that read rows, or make dictionaries.

    The others stay as they are written: they are shown.
    """
    made: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, ast.If):
            statement.body, statement.orelse = one_by_one(statement.body), one_by_one(statement.orelse)
        match statement:
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if _is_apart(
                targets, values
            ):
                pairs = zip(targets, values, strict=True)
                made += [ast.copy_location(ast.Assign([t], v, lineno=0), statement) for t, v in pairs]
            case _:
                made.append(statement)
    return made


def _is_apart(targets: Sequence[ast.expr], values: Sequence[ast.expr]) -> bool:
    """Whether no value needs what the assignments before it have changed, and one is more than a number."""
    if len(targets) != len(values) or any(isinstance(part, ast.Starred) for part in (*targets, *values)):
        return False
    changed: set[str | None] = set()
    for target, value in zip(targets, values, strict=True):
        if not isinstance(target, ast.Name | ast.Subscript) or changed & names_read([value, target]):
            return False
        changed.add(root(target))
    reads = any(isinstance(value, ast.Subscript | ast.Attribute | ast.Dict | ast.Call) for value in values)
    return reads or any(isinstance(target, ast.Subscript) for target in targets)
