"""Few values that a loop keeps in an array, a list or a `deque` of its own: compiled loops know them as state."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from hypostyle._functions.loop_cells import MOST
from hypostyle._profile.change import Values
from hypostyle._profile.loop_syntax import appended, is_written
from hypostyle._profile.syntax import root

_MAKERS = {"zeros", "ones", "empty", "full"}


def cells_of(before: Sequence[ast.stmt], body: Sequence[ast.stmt], later: set[str], values: Values) -> set[str]:
    """Return the names of such values: made before the loop with a constant length, changed in it, not read later."""
    written = {root(n) for s in body for n in ast.walk(s) if is_written(n)}
    appends = {made[0] for s in body for n in ast.walk(s) if (made := appended(n))}
    arrays = {name for name, value in _made(before) if name in written - appends and _is_small(value, values)}
    deques = {name for name, value in _made(before) if name in appends and _is_deque(value, values)}
    return (arrays | deques) - later


def _made(before: Sequence[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    for statement in before:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value


def _is_small(value: ast.expr, values: Values) -> bool:
    match value:
        case ast.List(elts=[_, *_] as elements):
            return len(elements) <= MOST and all(isinstance(e, ast.Constant | ast.UnaryOp) for e in elements)
        case ast.BinOp(left=ast.List(elts=[_]), op=ast.Mult(), right=ast.Constant() as count):
            return _is_count(count, values)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=arguments):
            return name in _MAKERS and bool(arguments) and _is_count(arguments[0], values)
    return False


def _is_deque(value: ast.expr, values: Values) -> bool:
    match value:
        case ast.Call(func=ast.Name(id="deque") | ast.Attribute(attr="deque"), keywords=keywords):
            return any(k.arg == "maxlen" and _is_count(k.value, values) for k in keywords)
    return False


def _is_count(node: ast.expr, values: Values) -> bool:
    """Whether a node is a small number that is written out, or a name of one: no length of a column."""
    if not isinstance(node, ast.Constant | ast.Name):
        return False
    found = values.of(node)
    return type(found) is int and 0 < found <= MOST
