"""Objects that a loop asks for the next value: `ema.update(price)` of a class of the script.

Its attributes become variables of the loop, and its methods functions that return them.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypostyle._profile.syntax import SourceFile, names_read


@dataclass
class Objects:
    """What stands for the objects of a loop."""

    body: list[ast.stmt]
    starts: dict[str, str] = field(default_factory=dict)
    """By variable, the code of its value before the loop: `ema.value`."""
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    """By variable, the attribute that it stands for: `ema.value`."""


def without_objects(
    file: SourceFile, body: list[ast.stmt], variables: dict[str, Any], free: Callable[[str], str]
) -> Objects | None:
    """Return a body without objects of the file's own classes; None if there are none, or one does more."""
    classes = {node.name: node for node in file.tree.body if isinstance(node, ast.ClassDef) and not node.bases}
    names = sorted(
        name
        for name in names_read(body)
        if type(variables.get(name)).__name__ in classes and hasattr(variables[name], "__dict__")
    )
    if not names:
        return None
    made = Objects(body)
    for name in names:
        attributes = {word: free(f"{name}_{word}") for word in sorted(vars(variables[name]))}
        plain = all(v is None or isinstance(v, int | float) for v in vars(variables[name]).values())
        cls = classes[type(variables[name]).__name__]
        if not plain or not _with_variables(made, name, cls, attributes, free):
            return None
        made.starts |= {
            variable: f"{name}.{word}"
            for word, variable in attributes.items()
            if vars(variables[name])[word] is not None
        }
        made.attributes |= {variable: f"{name}.{word}" for word, variable in attributes.items()}
        nones = [variable for word, variable in attributes.items() if vars(variables[name])[word] is None]
        made.starts |= dict.fromkeys(nones, "None")
    return made


def hoisted(
    statement: ast.stmt,
    name: str,
    cls: ast.ClassDef,
    attributes: dict[str, str],
    functions: dict[str, ast.FunctionDef],
    free: Callable[[str], str],
) -> list[ast.stmt] | None:
    """Return a statement without an object: with variables for its attributes, and calls of its methods in front.

    Args:
        statement: The statement.
        name: The object's name.
        cls: Its class.
        attributes: Variables by attribute.
        functions: Gets the methods, as functions of the attributes.
        free: Makes a name that is not used yet.
    """
    methods = {s.name: s for s in cls.body if isinstance(s, ast.FunctionDef)}
    return _statement(statement, name, cls.name, methods, attributes, functions, free)


def _with_variables(
    made: Objects, name: str, cls: ast.ClassDef, attributes: dict[str, str], free: Callable[[str], str]
) -> bool:
    methods = {s.name: s for s in cls.body if isinstance(s, ast.FunctionDef)}
    written: list[ast.stmt] = []
    for statement in made.body:
        new = _statement(statement, name, cls.name, methods, attributes, made.functions, free)
        if new is None:
            return False
        written += new
    if any(isinstance(n, ast.Name) and n.id == name for s in written for n in ast.walk(s)):
        return False
    made.body = written
    return True


def _statement(
    statement: ast.stmt,
    name: str,
    cls: str,
    methods: dict[str, ast.FunctionDef],
    attributes: dict[str, str],
    functions: dict[str, ast.FunctionDef],
    free: Callable[[str], str],
) -> list[ast.stmt] | None:
    """Return a statement with the calls of an object's methods in front of it; None if one cannot stand there."""

    def of(block: Sequence[ast.stmt]) -> list[ast.stmt] | None:
        made = [_statement(s, name, cls, methods, attributes, functions, free) for s in block]
        return None if None in made else [s for part in made if part is not None for s in part]

    if isinstance(statement, ast.If | ast.For | ast.While):
        head = statement.iter if isinstance(statement, ast.For) else statement.test
        calls = _hoisted(head, name, cls, methods, attributes, functions, free)
        body, orelse = of(statement.body), of(statement.orelse)
        if calls is None or body is None or orelse is None or (calls[0] and isinstance(statement, ast.While)):
            return None
        changed = copy.copy(statement)
        changed.body, changed.orelse = body, orelse
        if isinstance(changed, ast.For):
            changed.iter = calls[1]
        else:
            changed.test = calls[1]
        return [*calls[0], changed]
    if not isinstance(statement, ast.Assign | ast.AugAssign | ast.Expr):
        return None if name in names_read([statement]) else [statement]
    calls = _hoisted(statement.value, name, cls, methods, attributes, functions, free)
    if calls is None:
        return None
    if isinstance(statement, ast.Expr) and not isinstance(calls[1], ast.Call):
        return calls[0]
    changed_value = copy.copy(statement)
    changed_value.value = calls[1]
    if isinstance(changed_value, ast.Assign):
        changed_value.targets = [_stored(target, name, attributes) for target in changed_value.targets]
    elif isinstance(changed_value, ast.AugAssign):
        changed_value.target = _stored(changed_value.target, name, attributes)
    return [*calls[0], changed_value]


def _stored(target: Any, name: str, attributes: dict[str, str]) -> Any:
    """Return the variable in the place of an attribute that is assigned; other targets as they are."""
    match target:
        case ast.Attribute(value=ast.Name(id=owner), attr=word) if owner == name and word in attributes:
            return ast.Name(attributes[word], ast.Store())
        case ast.Tuple(elts=parts):
            return ast.Tuple([_stored(part, name, attributes) for part in parts], ast.Store())
    return target


def _hoisted(
    node: ast.expr,
    name: str,
    cls: str,
    methods: dict[str, ast.FunctionDef],
    attributes: dict[str, str],
    functions: dict[str, ast.FunctionDef],
    free: Callable[[str], str],
) -> tuple[list[ast.stmt], ast.expr] | None:
    """Return the calls of methods in an expression as statements, and the expression without them."""
    before: list[ast.stmt] = []
    failed = False

    def call(method: str, arguments: Sequence[ast.expr], keywords: list[ast.keyword]) -> ast.expr:
        nonlocal failed
        made = _function(cls, methods[method], attributes, methods, free(f"{cls}_{method}"))
        if made is None:
            failed = True
            return node
        function, changes = made
        functions[function.name] = function
        result = free(f"{name}_{method}")
        given: list[ast.expr] = [ast.Name(variable, ast.Load()) for variable in attributes.values()]
        called = ast.Call(ast.Name(function.name, ast.Load()), [*given, *arguments], keywords)
        targets: list[ast.expr] = [ast.Name(n, ast.Store()) for n in [result, *(attributes[a] for a in changes)]]
        target = ast.Tuple(targets, ast.Store()) if changes else targets[0]
        before.append(ast.Assign([target], called, lineno=0))
        return ast.Name(result, ast.Load())

    class Calls(ast.NodeTransformer):
        def visit_IfExp(self, visited: ast.IfExp) -> ast.AST:
            return self._kept(visited)

        def visit_BoolOp(self, visited: ast.BoolOp) -> ast.AST:
            return self._kept(visited)

        def _kept(self, visited: ast.expr) -> ast.AST:
            nonlocal failed
            known = len(before)
            made = self.generic_visit(visited)
            failed |= len(before) > known  # a call that may not happen
            return made

        def visit_Call(self, visited: ast.Call) -> ast.AST:
            self.generic_visit(visited)
            match visited.func:
                case ast.Attribute(value=ast.Name(id=owner), attr=method) if owner == name and method in methods:
                    return call(method, visited.args, visited.keywords)
            return visited

        def visit_Attribute(self, visited: ast.Attribute) -> ast.AST:
            if isinstance(visited.value, ast.Name) and visited.value.id == name:
                if visited.attr in attributes:
                    return ast.Name(attributes[visited.attr], visited.ctx)
                found = methods.get(visited.attr)
                if found is not None and [ast.unparse(d) for d in found.decorator_list] == ["property"]:
                    return call(visited.attr, [], [])
            return self.generic_visit(visited)

    value = Calls().visit(copy.deepcopy(node))
    return None if failed else (before, value)


def _function(
    cls: str, method: ast.FunctionDef, attributes: dict[str, str], methods: dict[str, ast.FunctionDef], name: str
) -> tuple[ast.FunctionDef, list[str]] | None:
    """Return a method as a function of the attributes, which returns its result and those that it changes."""
    if any(ast.unparse(d) != "property" for d in method.decorator_list) or not method.args.args:
        return None
    own = method.args.args[0].arg
    changed = sorted({
        n.attr
        for n in ast.walk(method)
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == own
        and isinstance(n.ctx, ast.Store)
    })  # fmt: skip
    if not set(changed) <= attributes.keys():
        return None

    class Own(ast.NodeTransformer):
        def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
            if isinstance(node.value, ast.Name) and node.value.id == own and node.attr in attributes:
                return ast.Name(attributes[node.attr], node.ctx)
            return self.generic_visit(node)

        def visit_Return(self, node: ast.Return) -> ast.AST:
            self.generic_visit(node)
            return _returning(node.value, changed, attributes)

    made = copy.deepcopy(method)
    made.name, made.decorator_list, made.returns = name, [], None
    body = [Own().visit(s) for s in made.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    if any(isinstance(n, ast.Name) and n.id == own for s in body for n in ast.walk(s)):
        return None
    if not body or not isinstance(body[-1], ast.Return):
        body.append(_returning(None, changed, attributes))
    made.body = body
    made.args.args = [ast.arg(variable) for variable in attributes.values()] + made.args.args[1:]
    for argument in made.args.args:
        argument.annotation = None
    return ast.fix_missing_locations(made), changed


def _returning(value: ast.expr | None, changed: Sequence[str], attributes: dict[str, str]) -> ast.Return:
    result = value or ast.Constant(0)
    states: list[ast.expr] = [ast.Name(attributes[word], ast.Load()) for word in changed]
    return ast.Return(ast.Tuple([result, *states], ast.Load()) if states else result)
