"""Counts over all rows that a loop with a state per key reads: `n += 1`, then `session[row.user] = n`.

A first loop finds what each row adds, which must not depend on the count.  Its running sum is a column of the second.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence

from hypostyle._profile.loop_syntax import appended, targets_of
from hypostyle._profile.syntax import names_read, names_set, root


def counts_first(body: Sequence[ast.stmt], name: str) -> bool:
    """Whether a loop only adds to a variable, and reads it no earlier in a row."""
    nodes = [n for s in body for n in ast.walk(s)]
    if any(isinstance(n, ast.For | ast.While) for n in nodes):
        return False
    adds = [n for n in nodes if _adds_to(n, name)]
    targets = {id(n.target) for n in adds if isinstance(n, ast.AugAssign)}
    order = [n.id if id(n) not in targets else "" for n in _names_in_order(body) if n.id == name]
    return bool(adds) and "" not in order[next((at for at, word in enumerate(order) if word), len(order)) :]


def _adds_to(node: ast.AST, name: str) -> bool:
    match node:
        case ast.AugAssign(target=ast.Name(id=found), op=ast.Add() | ast.Sub(), value=value):
            return found == name and name not in names_read([value])
    return False


def _names_in_order(body: Sequence[ast.stmt]) -> list[ast.Name]:
    """Return the names of statements in their order; values stand before what they are assigned to."""
    found: list[ast.Name] = []

    def go(node: ast.AST) -> None:
        if isinstance(node, ast.Name):
            found.append(node)
        parts = list(ast.iter_child_nodes(node))
        for part in reversed(parts) if isinstance(node, ast.Assign) else parts:
            go(part)

    for statement in body:
        go(statement)
    return found


def without_count(body: Sequence[ast.stmt], name: str, item: str) -> list[ast.stmt]:
    """Return a body that reads the count as a value of the row, and adds nothing to it."""

    class Reads(ast.NodeTransformer):
        def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
            return ast.Pass() if _adds_to(node, name) else self.generic_visit(node)

        def visit_If(self, node: ast.If) -> ast.AST:
            self.generic_visit(node)
            node.body = [s for s in node.body if not isinstance(s, ast.Pass)] or [ast.Pass()]
            node.orelse = [s for s in node.orelse if not isinstance(s, ast.Pass)]
            return node

        def visit_Name(self, node: ast.Name) -> ast.AST:
            return ast.Name(item, node.ctx) if node.id == name else node

    return [Reads().visit(copy.deepcopy(statement)) for statement in body]


def steps_only(body: Sequence[ast.stmt], name: str, states: set[str], step: str) -> list[ast.stmt] | None:
    """Return a body that appends what each row adds to a count, and does nothing else; None if the count decides that.

    Args:
        body: The loop's statements.
        name: The count.
        states: The dictionaries of the loop's state.
        step: A name for what a row adds; its list is called `{step}s`.
    """
    tainted = {name}

    def pruned(block: Sequence[ast.stmt]) -> list[ast.stmt] | None:
        made: list[ast.stmt] = []
        for statement in block:
            if isinstance(statement, ast.If):
                first, second = pruned(statement.body), pruned(statement.orelse)
                if first is None or second is None or names_read([statement.test]) & tainted:
                    return None
                if first or second:
                    made.append(ast.If(statement.test, first or [ast.Pass()], second))
                continue
            if _adds_to(statement, name):
                made.append(statement)
                continue
            roots = {root(target) or "" for target in targets_of(statement)}
            items = {root(t) or "" for t in targets_of(statement) if not isinstance(t, ast.Name)}
            if names_read([statement]) - roots & tainted or roots & tainted:
                tainted.update(roots - (items - states))
            elif appended(statement) is None and items <= states and isinstance(statement, ast.Assign | ast.AugAssign):
                made.append(statement)
        return made

    known: set[str] = set()
    result: list[ast.stmt] | None = []
    while known != tainted:
        known = set(tainted)
        result = pruned(body)
    if result is None:
        return None

    class Step(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.AST:
            return ast.Name(step, node.ctx) if node.id == name else node

    written = [Step().visit(copy.deepcopy(statement)) for statement in result]
    begin, end = ast.parse(f"{step} = 0\n{step}s.append({step})").body
    return [begin, *written, end]


def made_states(before: Sequence[ast.stmt]) -> set[str]:
    """Return the names that statements before a loop make dictionaries or sets."""
    makers = ("dict", "set", "defaultdict", "collections.defaultdict")
    found: set[str] = set()
    for statement in before:
        value = getattr(statement, "value", None)
        is_called = isinstance(value, ast.Call) and ast.unparse(value.func) in makers
        are_dicts = isinstance(value, ast.Tuple) and all(isinstance(e, ast.Dict) for e in value.elts)
        if isinstance(value, ast.Dict) or is_called or are_dicts:
            found |= names_set([statement])
    return found
