"""Groups and windows that have a name: `groups = df.groupby("s")["x"]` and `groups.transform(f)` as one expression."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

_MAKING = {"groupby", "group_by", "rolling", "ewm", "expanding"}
_SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef


def without_names(tree: ast.Module) -> ast.Module:
    """Return the tree with groups and windows written out where their names are read.

    What a name stands for is looked up in its own scope alone, and only if it is given once, before it is read.  The
    proof sees whether the frame has changed meanwhile.
    """
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    scopes: list[ast.Module | ast.FunctionDef] = [tree, *functions]
    for scope in scopes:
        found = _given(scope)
        if found:
            scope.body = [_Names(found).visit(statement) for statement in scope.body]
    return tree


def _given(scope: ast.Module | ast.FunctionDef) -> dict[str, ast.Assign]:
    """Return the assignments of names that stand for groups or windows from there on."""
    stores: dict[str, int] = {}
    made: dict[str, ast.Assign] = {}
    for node in _of_scope(scope):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            stores[node.id] = stores.get(node.id, 0) + 1
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if _makes(value):
                made[name] = node
    return {name: statement for name, statement in made.items() if stores[name] == 1}


def _of_scope(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes below one, but for those of functions and classes in it."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, _SCOPES):
            yield from _of_scope(child)


def _makes(node: ast.expr) -> bool:
    """Whether an expression is groups or windows of a frame, or a column of them."""
    match node:
        case ast.Subscript(value=of):
            return _makes(of)
        case ast.Attribute(value=of):
            return _makes(of)
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in _MAKING
    return False


class _Names(ast.NodeTransformer):
    def __init__(self, found: dict[str, ast.Assign]) -> None:
        self._found = found

    def visit_Name(self, node: ast.Name) -> ast.expr:
        made = self._found.get(node.id)
        if made is None or not isinstance(node.ctx, ast.Load) or node.lineno <= (made.end_lineno or made.lineno):
            return node
        return ast.copy_location(copy.deepcopy(made.value), node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return node
