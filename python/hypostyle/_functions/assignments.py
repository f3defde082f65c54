"""Assignments: all of the right side is evaluated before the first name on the left is set."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator

from hypostyle._functions import hints
from hypostyle._functions.calls import Calls
from hypostyle._functions.scope import Scope, shape_of
from hypostyle._functions.values import (
    ROW,
    STATE,
    Expr,
    Members,
    Some,
    Statement,
    Table,
    Tup,
    Value,
    is_constant,
    is_text,
    variables,
)


class Assignments(Calls):
    """Translates assignments."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self.active: list[types.CodeType] = [scope.function.__code__]
        self.out: list[Statement] = []

    def assignment(self, node: ast.Assign) -> None:
        """Translate `a = b = x`."""
        value = self.value(node.value)
        if isinstance(value, Table | Some):
            value = self.kept(value, self.out)
        if len(node.targets) > 1:
            self.storable(value, node.value)
            value = self.kept(value, self.out)
        for target in node.targets:
            self.assign(target, value, node)

    def assign(self, target: ast.expr, value: Value, node: ast.stmt) -> None:
        """Assign a value to a target: all of the right side is evaluated first."""
        pairs = list(self.pairs(target, value, node))
        if isinstance(value, Tup):
            self.out.extend(value.before)
        self.out.extend(self.simultaneous(pairs))

    def pairs(self, target: ast.expr, value: Value, node: ast.AST) -> Iterator[tuple[str, Expr]]:
        """Yield the variables of a target with their values."""
        if isinstance(target, ast.Tuple | ast.List):
            if not isinstance(value, Tup):
                raise self.error(node, "only a tuple can be unpacked")
            for part in target.elts:
                if isinstance(part, ast.Starred):
                    raise self.error(part, hints.of(part))
            if len(value.items) != len(target.elts):
                raise self.error(node, f"{len(value.items)} values cannot be unpacked into {len(target.elts)} names")
            for part, item in zip(target.elts, value.items, strict=True):
                yield from self.pairs(part, item, node)
        elif isinstance(target, ast.Name):
            yield from self.declared(target.id, value, node)
        else:
            self.storable(value, node)
            if isinstance(value, Tup):
                raise self.error(node, hints.TUPLE)
            yield self.other_target(target), value

    def other_target(self, target: ast.expr) -> str:
        """Return the variable of a target that is not a name: the field of a state."""
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            owner = self.scope.bindings.get(target.value.id)
            if owner is STATE:
                self.field(target.attr, target)
                return f"{self.name_prefix}state.{target.attr}"
            if owner is ROW:
                raise self.error(target, "a row cannot be changed; return the new value")
        if isinstance(target, ast.Subscript):
            raise self.error(target, "an item cannot be assigned; use a variable (hs.loop compiles out[i] = x)")
        raise self.error(target, "an attribute cannot be assigned; use a variable")

    def storable(self, value: Value, node: ast.AST) -> None:
        """Raise if a value cannot be kept in a variable."""
        if value is STATE:
            raise self.error(node, "the state has one name only; read its fields: state.total")
        if value is ROW:
            raise self.error(node, "the row has one name only; read its columns: r['price']")
        if isinstance(value, Table | Some | Members):
            raise self.error(node, "a dict, or a list with a condition, is assigned once: to one name, in no branch")
        for item in value.items if isinstance(value, Tup) else ():
            self.storable(item, node)

    def declared(self, name: str, value: Value, node: ast.AST) -> list[tuple[str, Expr]]:
        """Note that a name gets a value from here on; return its variables with their values."""
        scope = self.scope
        if name in scope.bindings:
            raise self.error(node, f"{name} cannot be assigned: it stands for {_what(scope.bindings[name])}")
        once = scope.depth == 0 and scope.assignments[name] == 1 and name not in scope.parameters
        if (
            once
            and (isinstance(value, Some | Table) or is_constant(value))
            and not isinstance(value, int | None | list)
        ):
            scope.bindings[name] = value
            return []
        if once and is_text(value):
            scope.bindings[name] = value
            return []
        self.storable(value, node)
        shape = shape_of(value)
        if scope.shapes.setdefault(name, shape) != shape:
            raise self.error(node, f"{name} was a number or another kind of tuple before; use two names")
        if once and (is_constant(value) or self.is_known(value)):
            self.constants[scope.prefix + name] = value
        if self.gives_text(value):
            self.texts.add(scope.prefix + name)
        scope.sure.add(name)
        scope.maybe.add(name)
        return list(_flat(scope.prefix + name, value))

    def store(self, name: str, value: Value, node: ast.AST) -> list[Statement]:
        """Return the statements that assign a value to a name."""
        pairs = self.declared(name, value, node)
        return [*(value.before if isinstance(value, Tup | Table | Some) else ()), *self.simultaneous(pairs)]

    def simultaneous(self, pairs: list[tuple[str, Expr]]) -> list[Statement]:
        """Return the statements that set variables after all values are evaluated."""
        statements: list[Statement] = []
        earlier: set[str] = set()
        for variable, value in pairs:
            if not earlier.isdisjoint(variables(value)):
                pairs = [(variable, self.kept(value, statements)) for variable, value in pairs]
                break
            earlier.add(variable)
        return [*statements, *(["set", variable, value] for variable, value in pairs)]

    def augmented(self, node: ast.AugAssign) -> None:
        """Translate `x += y`."""
        operator = self.operator(node.op, node)
        target = node.target
        load: ast.expr
        if isinstance(target, ast.Name):
            load = ast.Name(id=target.id, ctx=ast.Load())
        elif isinstance(target, ast.Attribute):
            load = ast.Attribute(value=target.value, attr=target.attr, ctx=ast.Load())
        else:
            load = ast.Subscript(value=target.value, slice=target.slice, ctx=ast.Load())
        before = self.expr(ast.copy_location(load, target))
        self.assign(target, [operator, before, self.expr(node.value)], node)


def _flat(variable: str, value: Value) -> Iterator[tuple[str, Expr]]:
    if isinstance(value, Tup):
        for number, item in enumerate(value.items):
            yield from _flat(f"{variable}.{number}", item)
    else:
        yield variable, value


def _what(value: Value) -> str:
    if value is STATE:
        return "the state; assign its fields"
    return "the row" if value is ROW else "a value that is known when the function is compiled"
