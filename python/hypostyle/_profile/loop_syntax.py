"""Pieces of loops: what they append and write, and how their ends are rewritten."""

from __future__ import annotations

import ast
import copy
from typing import Any

from hypostyle._profile.row_access import Access
from hypostyle._profile.syntax import names_read, root


def appended(node: ast.AST) -> tuple[str, ast.expr] | None:
    """Return list and value of `out.append(value)`."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[value])):
            return name, value
    return None


def is_written(node: ast.AST) -> bool:
    """Whether a node is an item that is assigned: `out[i] = ...`."""
    return isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)


def targets_of(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return [t for target in node.targets for t in (target.elts if isinstance(target, ast.Tuple) else [target])]
    return [node.target] if isinstance(node, ast.AugAssign) else []


def cell_of(node: ast.AST) -> tuple[ast.expr, str] | None:
    """Return frame and column of `frame.at[i, "c"]`, `frame.loc[i, "c"]`, `frame["c"].iloc[i]`."""
    match node:
        case ast.Subscript(
            value=ast.Attribute(value=frame, attr="at" | "loc"),
            slice=ast.Tuple(elts=[_, ast.Constant(value=str(name))]),
        ):
            return frame, name
        case ast.Subscript(
            value=ast.Attribute(
                value=ast.Subscript(value=frame, slice=ast.Constant(value=str(name))), attr="iloc" | "at" | "iat"
            )
        ):
            return frame, name
    return None


def position_of(node: ast.Subscript) -> ast.expr | None:
    return node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else node.slice


def returning(body: list[ast.stmt], name: str, index: str) -> list[ast.stmt] | None:
    """Return a body that returns what it appended or wrote as its last step; None if it does more than that."""
    made: list[ast.stmt] = []
    for at, statement in enumerate(body):
        value = None
        if (found := appended(statement)) is not None and found[0] == name:
            value = found[1]
        elif (
            isinstance(statement, ast.Assign)
            and isinstance(target := statement.targets[0], ast.Subscript)
            and root(target) == name
        ):
            value = statement.value
        if value is not None:
            rest = body[at + 1 :]
            if rest and not isinstance(rest[0], ast.Continue):
                return None
            return [*made, ast.Return(value)]
        if isinstance(statement, ast.If):
            first, second = (returning(part, name, index) for part in (statement.body, statement.orelse))
            if first is None or second is None:
                return None
            made.append(ast.If(statement.test, first or [ast.Pass()], second))
        elif isinstance(statement, ast.Continue | ast.Break):
            return None
        else:
            made.append(statement)
    return made


def at_end(body: list[ast.stmt], statements: list[ast.stmt]) -> list[ast.stmt]:
    """Put statements at the end of each way through a loop's body."""

    class Continues(ast.NodeTransformer):
        def visit_Continue(self, node: ast.Continue) -> list[ast.stmt]:
            return [*copy.deepcopy(statements), node]

        def visit_For(self, node: ast.For) -> ast.AST:
            return node  # `continue` of an inner loop is its own

        def visit_While(self, node: ast.While) -> ast.AST:
            return node

    made: list[ast.stmt] = []
    for statement in body:
        found = Continues().visit(statement)
        made += found if isinstance(found, list) else [found]
    return [*made, *statements]


def ends_with_append(body: list[ast.stmt], name: str) -> bool:
    """Whether a body appends to a list in one place, and does not read the list afterwards."""
    at = next((at for at, s in enumerate(body) if (found := appended(s)) and found[0] == name), None)
    return at is not None and name not in names_read(body[at + 1 :])


def appending_once(body: list[ast.stmt], name: str, index: str, value: str) -> list[ast.stmt]:
    """Write appends of several branches as one at the end, and what is read of the row's own item as its value."""

    class Items(ast.NodeTransformer):
        def __init__(self, is_appended: bool) -> None:
            self._is_appended = is_appended

        def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
            if isinstance(node.value, ast.Name) and node.value.id == name:
                code = ast.unparse(node.slice)
                if code == index or (code == "-1" and self._is_appended):
                    return ast.Name(value, node.ctx)
            return self.generic_visit(node)

    def go(block: list[ast.stmt], is_appended: bool) -> tuple[list[ast.stmt], bool]:
        made: list[ast.stmt] = []
        for statement in block:
            found = appended(statement)
            if found is not None and found[0] == name:
                item = Items(is_appended).visit(found[1])
                made.append(ast.Assign([ast.Name(value, ast.Store())], item, lineno=0))
                is_appended = True
            elif isinstance(statement, ast.If):
                test = Items(is_appended).visit(statement.test)
                first, does_first = go(statement.body, is_appended)
                second, does_second = go(statement.orelse, is_appended)
                made.append(ast.If(test, first, second))
                is_appended = does_first or does_second
            else:
                made.append(Items(is_appended).visit(statement))
        return made, is_appended

    return at_end(go(body, False)[0], ast.parse(f"{name}.append({value})").body)


def without_continue(body: list[ast.stmt]) -> list[ast.stmt]:
    """Write what follows an `if` that goes on with the next row as its other branch."""
    for at, statement in enumerate(body):
        if isinstance(statement, ast.Continue):
            return body[:at]
        if isinstance(statement, ast.If) and _goes_on(statement):
            rest = body[at + 1 :]
            first = without_continue([*statement.body, *copy.deepcopy(rest)])
            second = without_continue([*statement.orelse, *rest])
            return [*body[:at], ast.copy_location(ast.If(statement.test, first or [ast.Pass()], second), statement)]
    return body


def _goes_on(statement: ast.stmt) -> bool:
    """Whether a statement has a `continue` of the loop that it is in."""
    if isinstance(statement, ast.Continue):
        return True
    if isinstance(statement, ast.If):
        return any(map(_goes_on, [*statement.body, *statement.orelse]))
    return False


def renamed(statement: ast.stmt, old: str, new: str) -> ast.stmt:
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and node.id == old:
            node.id = new
    return statement


def with_length(statement: ast.stmt, access: Access, rows: int) -> ast.stmt:
    """Write the number of rows as the length of a parameter."""

    class Lengths(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            is_candidate = isinstance(node, ast.Call | ast.Subscript | ast.Name) and isinstance(
                getattr(node, "ctx", ast.Load()), ast.Load
            )
            if is_candidate and isinstance(node, ast.expr) and access.is_length(node, rows):
                return access.length()
            return self.generic_visit(node)

    made = Lengths().visit(statement)
    assert isinstance(made, ast.stmt)
    return made


def same_value(value: Any, rows: int) -> str | None:
    """Return the one value that a column holds before the loop, as code."""
    try:
        items = set(map(repr, value[:] if isinstance(value, list) else value.tolist()))
    except (AttributeError, TypeError):
        return None
    if len(items) != 1 or len(value) != rows:
        return None
    only = items.pop()
    return "np.nan" if only == "nan" else only if only not in ("inf", "-inf") else None
