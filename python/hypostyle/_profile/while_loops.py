"""`while` loops that count: read as the `for` loops that they are.

`i = 0`, `while i < len(x): ...; i += 1` goes over the same rows as `for i in range(len(x))`.  Only the tree is changed,
the text stays: the loop as it was written is what a replacement is compared with.  `i` ends one higher, so that a
script that reads it afterwards gets no replacement.
"""

from __future__ import annotations

import ast


def counted(tree: ast.Module) -> ast.Module:
    """Return a tree with `for` loops in place of `while` loops that count."""
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                block[:] = [_as_for(_start(block[:at], s), s) for at, s in enumerate(block)]
    return tree


def _start(before: list[ast.stmt], loop: ast.stmt) -> ast.stmt | None:
    """Return the last assignment of what a `while` loop counts, if only other assignments stand between them."""
    if isinstance(loop, ast.While) and isinstance(loop.test, ast.Compare):
        for statement in reversed(before):
            if not isinstance(statement, ast.Assign):
                return None
            stored = [n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
            if ast.unparse(loop.test.left) in stored:
                return statement
    return None


def _as_for(before: ast.stmt | None, loop: ast.stmt) -> ast.stmt:
    """Return a `while` loop as a `for` loop, if a statement before it begins the count."""
    match before, loop:
        case (
            ast.Assign(targets=[ast.Name(id=index)], value=ast.Constant(value=int(start))),
            ast.While(
                test=ast.Compare(left=ast.Name(id=tested), ops=[ast.Lt()], comparators=[length]),
                body=[*body, last],
                orelse=[],
            ),
        ) if index == tested and body and _adds_one(last, index) and _counts(body, index):
            numbers = f"range({start}, 0)" if start else "range(0)"
            iterated = ast.parse(numbers, mode="eval").body
            assert isinstance(iterated, ast.Call)
            iterated.args[-1] = length
            made = ast.For(ast.Name(index, ast.Store()), iterated, body, [])
            for part in (made.target, iterated):
                ast.copy_location(part, loop)
            return ast.fix_missing_locations(ast.copy_location(made, loop))
    return loop


def _adds_one(statement: ast.stmt, index: str) -> bool:
    return ast.unparse(statement) in (f"{index} += 1", f"{index} = {index} + 1")


def _counts(body: list[ast.stmt], index: str) -> bool:
    """Whether nothing else changes the count, or goes on without it."""
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Continue):
                return False
            if isinstance(node, ast.Name) and node.id == index and not isinstance(node.ctx, ast.Load):
                return False
    return True
