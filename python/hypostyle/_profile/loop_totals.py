"""Counts over all rows in a loop that keeps a state per key: `raised += 1`, of which only the total is read afterwards.

A loop per key sees the rows of one key at a time.  It returns what each row adds, and the script sums that up.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hypostyle._profile.syntax import names_read, names_set


@dataclass
class Total:
    """A variable to which rows only add."""

    name: str
    step: str
    """The variable that holds what a row adds."""
    start: ast.expr | None
    """What it is before the loop; None if other code sets it."""


def totals_of(
    body: list[ast.stmt], before: list[ast.stmt], carried: Sequence[str], free: Callable[[str], str]
) -> tuple[list[ast.stmt], list[ast.stmt], list[Total]] | None:
    """Return a body with what each row adds, the statements before it, and the totals; None if a variable is none."""
    totals: list[Total] = []
    for name in carried:
        if not only_added(body, name):
            return None
        starts = [s for s in before if name in names_set([s])]
        start = starts[-1].value if starts and isinstance(starts[-1], ast.Assign) else None
        if any(not isinstance(s, ast.Assign) or not isinstance(s.value, ast.Constant) for s in starts):
            return None
        totals.append(Total(name, free(f"{name}_step"), start))
        body = [_Steps(name, totals[-1].step).visit(copy.deepcopy(s)) for s in body]
        first = 0.0 if isinstance(start, ast.Constant) and isinstance(start.value, float) else 0
        body = [ast.Assign([ast.Name(totals[-1].step, ast.Store())], ast.Constant(first), lineno=0), *body]
    names = {total.name for total in totals}
    return body, [rest for s in before if (rest := without_names(s, names)) is not None], totals


def only_added(body: Sequence[ast.stmt], name: str) -> bool:
    """Whether a loop does nothing with a variable but to add to it."""
    uses = sum(isinstance(n, ast.Name) and n.id == name for s in body for n in ast.walk(s))
    added = 0
    for node in (n for s in body for n in ast.walk(s)):
        match node:
            case ast.AugAssign(target=ast.Name(id=found), op=ast.Add() | ast.Sub(), value=value) if found == name:
                added += name not in names_read([value])
    return uses == added


class _Steps(ast.NodeTransformer):
    def __init__(self, name: str, step: str) -> None:
        self._name, self._step = name, step

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self._step, node.ctx) if node.id == self._name else node


def without_names(statement: ast.stmt, names: set[str]) -> ast.stmt | None:
    """Return `a = b = 0` without some of its names; None if none is left."""
    if isinstance(statement, ast.Assign) and names_set([statement]) & names:
        targets = [t for t in statement.targets if not names_set([t]) & names]
        return ast.Assign(targets, statement.value, lineno=0) if targets else None
    return statement
