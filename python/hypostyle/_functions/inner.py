"""Functions and imports inside of a function: names that stand for objects, as captured ones do."""

from __future__ import annotations

import ast
import importlib
import types
from collections.abc import Iterator

from hypostyle._functions.scope import Scope

_MODULES = {"math", "numpy", "datetime", "operator", "bisect", "collections"}
"""What may be imported while a function is compiled: nothing that runs code of its own."""


def imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, object]]:
    """Yield the names that an import sets, with their objects; raise `ImportError` if there are none to be had."""
    if isinstance(node, ast.ImportFrom):
        if node.level or node.module not in _MODULES:
            raise ImportError(node.module)
        module = importlib.import_module(node.module)
        for alias in node.names:
            if not hasattr(module, alias.name):
                raise ImportError(alias.name)
            yield alias.asname or alias.name, getattr(module, alias.name)
        return
    for alias in node.names:
        if alias.name not in _MODULES:
            raise ImportError(alias.name)
        yield alias.asname or alias.name, importlib.import_module(alias.name)


def function_of(scope: Scope, node: ast.FunctionDef | ast.Lambda) -> types.FunctionType | str:
    """Return the function that a definition inside of a function makes; what stands against it otherwise."""
    outer = scope.function.__code__
    name = node.name if isinstance(node, ast.FunctionDef) else "<lambda>"
    inside = [code for code in outer.co_consts if isinstance(code, types.CodeType) and code.co_name == name]
    if isinstance(node, ast.Lambda):
        every = sorted(_lambdas(scope.source.body), key=lambda n: (n.lineno, n.col_offset))
        if len(every) != len(inside):
            return "a lambda inside the function is compiled if it has a name: write f = lambda x: ... once"
        inside = [inside[every.index(node)]]
    if len(inside) != 1:
        return f"{name} is defined more than once; give the functions names of their own"
    code = inside[0]
    if any(isinstance(inner, ast.Nonlocal) for inner in ast.walk(node)):
        return "nonlocal is not compiled; return the new value, and assign it"
    if isinstance(node, ast.FunctionDef) and node.decorator_list:
        return "a decorator inside the function is not compiled; leave it out"
    defaults = []
    for default in node.args.defaults:
        try:
            defaults.append(ast.literal_eval(default))
        except ValueError:
            return "the defaults of a function inside are constants"
    if node.args.kw_defaults:
        return "the parameters of a function inside have no names alone; leave * out"
    cells = tuple(types.CellType() for _ in code.co_freevars)
    return types.FunctionType(code, scope.function.__globals__, code.co_name, tuple(defaults), cells)


def _lambdas(body: list[ast.stmt]) -> Iterator[ast.Lambda]:
    """Yield the lambdas of a function, without those of functions inside of it."""
    left: list[ast.AST] = list(body)
    while left:
        node = left.pop()
        if isinstance(node, ast.Lambda):
            yield node
        elif not isinstance(node, ast.FunctionDef):
            left += ast.iter_child_nodes(node)
