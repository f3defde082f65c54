"""Values by key that a loop makes where there is none, `v = d.get(k)` and `if v is None: v = d[k] = new`, in one form.

That is `if k not in d: d[k] = new`, and then `v = d[k]`.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence


def made_first(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Return a body with such statements in the one form."""
    written: list[ast.stmt] = []
    rest = list(body)
    while rest:
        found = _by_get(rest[0], rest[1]) if len(rest) > 1 else None
        if found is not None:
            written += found
            rest = rest[2:]
            continue
        written += _by_error(rest[0]) or [rest[0]]
        rest = rest[1:]
    return written


def _by_get(first: ast.stmt, second: ast.stmt) -> list[ast.stmt] | None:
    match first, second:
        case (
            ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(func=ast.Attribute(value=ast.Name() as owner, attr="get"), args=[key], keywords=[]),
            ),
            ast.If(test=test, body=block, orelse=[]),
        ) if ast.unparse(test) in (f"{name} is None", f"not {name}"):
            made = _made(block, name, ast.Subscript(owner, key, ast.Load()))
            return None if made is None else _written(name, owner, key, made)
    return None


def _by_error(statement: ast.stmt) -> list[ast.stmt] | None:
    match statement:
        case ast.Try(
            body=[ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript(value=ast.Name() as owner, slice=key))],
            handlers=[ast.ExceptHandler(type=ast.Name(id="KeyError"), body=block)],
            orelse=[],
            finalbody=[],
        ):
            made = _made(block, name, ast.Subscript(owner, key, ast.Load()))
            return None if made is None else _written(name, owner, key, made)
    return None


def _made(block: Sequence[ast.stmt], name: str, item: ast.Subscript) -> ast.expr | None:
    """Return the value that a block gives both a name and an item, if it does nothing else."""
    targets: set[str] = set()
    made: ast.expr | None = None
    both = {name, ast.unparse(item)}
    for statement in block:
        if not isinstance(statement, ast.Assign):
            return None
        targets |= {ast.unparse(target) for target in statement.targets}
        if made is None:
            made = statement.value
        elif ast.unparse(statement.value) not in both:
            return None
    return made if targets == both else None


def _written(name: str, owner: ast.expr, key: ast.expr, made: ast.expr) -> list[ast.stmt]:
    def item(context: ast.expr_context) -> ast.Subscript:
        return ast.Subscript(copy.deepcopy(owner), copy.deepcopy(key), context)

    begin = ast.Assign([item(ast.Store())], made, lineno=0)
    is_new = ast.Compare(copy.deepcopy(key), [ast.NotIn()], [copy.deepcopy(owner)])
    taken = ast.Assign([ast.Name(name, ast.Store())], item(ast.Load()), lineno=0)
    return [ast.fix_missing_locations(s) for s in (ast.If(is_new, [begin], []), taken)]
