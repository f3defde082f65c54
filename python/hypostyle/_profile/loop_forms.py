"""Other ways to write the same loop, brought to the one that a compiled loop knows.

A row that is kept by its number (`last = i`, then `price[last]`) becomes the value that it stands for; a number beside
the row's (`before = i - 1`) is written where it is used; `np.where` of one value is a conditional expression.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Sequence

from hypostyle._profile.loop_syntax import is_written
from hypostyle._profile.syntax import names_set, root


class Substituted(ast.NodeTransformer):
    """Writes expressions in the place of names that are read."""

    def __init__(self, known: dict[str, ast.expr]) -> None:
        self._known = known

    def visit_Name(self, node: ast.Name) -> ast.AST:
        found = self._known.get(node.id)
        return node if found is None or not isinstance(node.ctx, ast.Load) else copy.deepcopy(found)


def numbers_written(body: list[ast.stmt], positions: set[str], kept: set[str]) -> list[ast.stmt]:
    """Write `before = i - 1` into its uses; not that of names in `kept`."""
    made: list[ast.stmt] = []
    known: dict[str, ast.expr] = {}
    for statement in body:
        match statement:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.BinOp(left=ast.Name(id=index), op=ast.Sub() | ast.Add(), right=ast.Constant(value=int())),
            ) if index in positions and name not in kept and _times_set(body, name) == 1:
                known[name] = statement.value
            case _:
                made.append(Substituted(known).visit(statement) if known else statement)
    return made


def _times_set(body: Sequence[ast.stmt], name: str) -> int:
    return sum(
        isinstance(n, ast.Name) and n.id == name and not isinstance(n.ctx, ast.Load) for s in body for n in ast.walk(s)
    )


def rows_kept(
    body: list[ast.stmt], before: list[ast.stmt], positions: set[str], free: Callable[[str], str]
) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """Return a body and the statements before it with the values of rows that the loop keeps by their numbers."""
    for name in sorted(names_set(body)):
        index = _keeps(body, name, positions)
        first = _first(before, name)
        reads = _reads(body, name)
        changed = names_set(body) | {root(n) for s in body for n in ast.walk(s) if is_written(n)}
        if index is None or first is None or not reads:
            continue
        values: dict[str, str] = {}
        for read in reads:
            others = {n.id for n in ast.walk(read) if isinstance(n, ast.Name)} - {name}
            if others & changed or others & positions:
                break
            values.setdefault(ast.dump(read), "")
        else:
            body, before = _with_values(body, before, name, index, first, reads, free)
    return body, before


def _keeps(body: Sequence[ast.stmt], name: str, positions: set[str]) -> str | None:
    """Return the row's number if a loop sets a name to nothing else."""
    found: set[str] = set()
    for node in (n for s in body for n in ast.walk(s)):
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=ast.Name(id=index)) if target == name:
                found.add(index)
    alone = _times_set(body, name) == sum(
        isinstance(n, ast.Assign) and [ast.unparse(t) for t in n.targets] == [name] for s in body for n in ast.walk(s)
    )
    return found.pop() if alone and len(found) == 1 and found <= positions else None


def _first(before: Sequence[ast.stmt], name: str) -> int | None:
    """Return the row that a name stands for when the loop starts."""
    for statement in before:
        match statement:
            case ast.Assign(targets=targets, value=value) if name in [ast.unparse(t) for t in targets]:
                if isinstance(value, ast.Constant) and (value.value is None or type(value.value) is int):
                    return int(value.value or 0)
                if isinstance(value, ast.UnaryOp) and isinstance(value.operand, ast.Constant):
                    return 0
    return None


def _reads(body: Sequence[ast.stmt], name: str) -> list[ast.Subscript]:
    """Return the outermost items that are read at a name: `price[last]`, `frame["price"].iloc[last]`."""
    found: list[ast.Subscript] = []

    def go(node: ast.AST) -> None:
        is_item = isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)
        if isinstance(node, ast.Subscript) and is_item and any(map(reads, _slices(node))):
            found.append(node)
            return
        for child in ast.iter_child_nodes(node):
            go(child)

    def reads(part: ast.expr) -> bool:
        first = part.elts[0] if isinstance(part, ast.Tuple) and part.elts else part
        return isinstance(first, ast.Name) and first.id == name

    for statement in body:
        go(statement)
    return found


def _slices(node: ast.expr) -> list[ast.expr]:
    slices = []
    while isinstance(node, ast.Subscript | ast.Attribute):
        if isinstance(node, ast.Subscript):
            slices.append(node.slice)
        node = node.value
    return slices


def _with_values(
    body: list[ast.stmt],
    before: list[ast.stmt],
    name: str,
    index: str,
    first: int,
    reads: Sequence[ast.Subscript],
    free: Callable[[str], str],
) -> tuple[list[ast.stmt], list[ast.stmt]]:
    variables: dict[str, tuple[str, ast.Subscript]] = {}
    for read in reads:
        words = [n.value for n in ast.walk(read) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        word = words[0] if words and words[0].isidentifier() else root(read)
        if ast.dump(read) not in variables:
            variables[ast.dump(read)] = free(f"{word}_at_{name}"), read

    def setting(row: ast.expr) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for variable, read in variables.values():
            value = Substituted({name: row}).visit(copy.deepcopy(read))
            made.append(ast.Assign([ast.Name(variable, ast.Store())], value, lineno=0))
        return made

    class Values(ast.NodeTransformer):
        def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
            found = variables.get(ast.dump(node))
            return self.generic_visit(node) if found is None else ast.Name(found[0], ast.Load())

        def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
            if [ast.unparse(t) for t in node.targets] == [name]:
                return [node, *setting(ast.Name(index, ast.Load()))]
            return self.generic_visit(node)

    written: list[ast.stmt] = []
    for statement in body:
        found = Values().visit(statement)
        written += found if isinstance(found, list) else [found]
    return written, [*before, *setting(ast.Constant(first))]


class OneValue(ast.NodeTransformer):
    """Writes functions of NumPy that make arrays, called with one value, as expressions."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="np"), attr="where"), args=[test, first, second], keywords=[]
            ):
                return ast.IfExp(test, first, second)
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="np"), attr="select"),
                args=[ast.List(elts=tests), ast.List(elts=values), *rest],
            ) if len(tests) == len(values):
                default = rest[0] if rest else next((k.value for k in node.keywords), ast.Constant(0))
                for test, value in zip(reversed(tests), reversed(values), strict=True):
                    default = ast.IfExp(test, value, default)
                return default
        return node
