"""Expressions of Python as expressions of a program.

Python evaluates every operand once, from left to right; so does a program.  What a program cannot say in one expression
(an assignment in an expression, a tuple) becomes a block of statements.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise, product
from typing import Any

from hypostyle._functions import hints
from hypostyle._functions.errors import UnsupportedError
from hypostyle._functions.scope import Scope, Shape, shape_of
from hypostyle._functions.values import (
    ERROR,
    ROW,
    STATE,
    Expr,
    NotConstantError,
    NotFoldedError,
    Statement,
    Tup,
    Value,
    encode,
    fold,
    is_constant,
    is_text,
    variables,
)

LIMIT = 10_000
"""The most nodes of a function, with its helpers."""

BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>",
}  # fmt: skip
UNARY: dict[type[ast.unaryop], str] = {ast.USub: "neg", ast.UAdd: "pos", ast.Invert: "invert", ast.Not: "not"}
COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip


class Expressions:
    """Translates expressions; `Calls` and `Statements` add the rest."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.name_prefix = scope.prefix
        self.counter = 0
        self.nodes = 0
        self.constants: dict[str, Expr] = {}
        """Variables that have one value only, which is known."""
        self.ranges: dict[str, list[int]] = {}
        """Loop variables that have only these values."""
        self.fields: tuple[str, ...] = ()
        self.assigned_fields: set[str] = set()
        self.columns: dict[str, None] = {}

    # Errors and limits

    def error(self, node: ast.AST | None, message: str) -> UnsupportedError:
        """Return the error that points at a node of the function that is translated now."""
        if self.scope.is_helper:
            message += f" (in {self.scope.source.name}, which is inlined)"
        return self.scope.source.error(node, message)

    def count(self, node: ast.AST, number: int = 1) -> None:
        """Count nodes; raise if there are too many."""
        self.nodes += number
        if self.nodes > LIMIT:
            raise self.error(node, f"the function has more than {LIMIT} nodes with loops and helpers written out")

    def fresh(self, what: str) -> str:
        """Return the name of a new variable, which cannot be a name of Python."""
        self.counter += 1
        return f"{self.name_prefix}{self.counter}.{what}"

    # Values

    def expr(self, node: ast.expr) -> Expr:
        """Translate an expression that is a number, a truth value or None."""
        value = self.operand(node)
        if is_text(value):
            raise self.error(node, hints.STRING)
        return value

    def operand(self, node: ast.expr) -> Expr:
        """Translate an expression that can be a string too."""
        value = self.value(node)
        if isinstance(value, Tup):
            raise self.error(node, hints.TUPLE)
        if value is ROW:
            raise self.error(node, "a row is used by its columns only: r.price or r['price']")
        if value is STATE:
            raise self.error(node, "the state is used by its fields only: state.total")
        return value

    def value(self, node: ast.expr) -> Value:
        """Translate any expression."""
        self.count(node)
        translate = self._translators().get(type(node))
        if translate is None:
            raise self.error(node, hints.of(node))
        return translate(node)

    def _translators(self) -> dict[type[ast.expr], Callable[[Any], Value]]:
        return {
            ast.Constant: self.constant,
            ast.Name: self.name,
            ast.Tuple: self.tuple_display,
            ast.Attribute: self.attribute,
            ast.Subscript: self.subscript,
            ast.UnaryOp: self.unary,
            ast.BinOp: self.binary,
            ast.BoolOp: self.boolean,
            ast.Compare: self.compare,
            ast.IfExp: self.conditional,
            ast.NamedExpr: self.walrus,
            ast.Call: self.call,
        }

    def call(self, node: ast.Call) -> Value:
        """Translate a call."""
        raise NotImplementedError

    def store(self, name: str, value: Value, node: ast.AST) -> list[Statement]:
        """Return the statements that assign a value to a name."""
        raise NotImplementedError

    def encode(self, value: object, node: ast.AST, what: str = "") -> Value:
        """Return a Python object as a constant."""
        try:
            return encode(value)
        except NotConstantError as reason:
            raise self.error(node, f"{what}{reason}") from None

    def constant(self, node: ast.Constant) -> Value:
        """Translate a literal."""
        if isinstance(node.value, bytes | complex) or node.value is ...:
            raise self.error(node, f"a constant of type {type(node.value).__name__} is not compiled; use numbers")
        return self.encode(node.value, node)

    # Names

    def name(self, node: ast.Name) -> Value:
        """Translate a name: a local variable, or the value of a captured one."""
        scope = self.scope
        if node.id in scope.bindings:
            return scope.bindings[node.id]
        if node.id not in scope.locals:
            return self.encode(self.captured(node), node, f"{node.id} cannot be captured: ")
        if node.id not in scope.maybe:
            raise self.error(node, f"{node.id} has no value here: it is assigned later, or never")
        if node.id not in scope.sure:
            self.unsure(node)
        return self.read(scope.prefix + node.id, scope.shapes.setdefault(node.id, None))

    def unsure(self, node: ast.Name) -> None:
        """Read a name that may have no value on some path."""
        if self.scope.is_helper:
            raise self.error(node, f"{node.id} may have no value here; give it one at the start of the function")

    def read(self, variable: str, shape: Shape) -> Value:
        """Return the value of a variable; a tuple has one variable for each item."""
        if shape is None:
            return ["get", variable]
        shapes, names = shape
        return Tup(tuple(self.read(f"{variable}.{i}", s) for i, s in enumerate(shapes)), names=names)

    def captured(self, node: ast.Name) -> object:
        """Return the object of a name that is not local."""
        try:
            return self.scope.captured(node.id)
        except NameError:
            if node.id == self.scope.function.__name__:
                raise self.error(node, f"{node.id} calls itself; write a while loop") from None
            raise self.error(node, f"{node.id} is not defined (yet); define it above the function") from None

    def object_of(self, node: ast.expr) -> object:
        """Return the object that a name or a dotted name has outside of the function; `_NOTHING` for other nodes."""
        if isinstance(node, ast.Name) and not self.scope.is_local(node.id):
            return self.captured(node)
        if isinstance(node, ast.Attribute):
            owner = self.object_of(node.value)
            if isinstance(owner, types.ModuleType | type):
                try:
                    return getattr(owner, node.attr)
                except AttributeError:
                    raise self.error(node, f"{owner.__name__} has no attribute {node.attr}") from None
        return NOTHING

    def attribute(self, node: ast.Attribute) -> Value:
        """Translate `state.field`, `row.column`, or a constant of a module."""
        if isinstance(node.value, ast.Name) and self.scope.is_local(node.value.id):
            owner = self.value(node.value)
            if owner is STATE:
                return self.field(node.attr, node)
            if owner is ROW:
                return self.column_by_attribute(node)
            if isinstance(owner, Tup) and owner.names is not None and node.attr in owner.names:
                return owner.items[owner.names.index(node.attr)]
            raise self.error(node, hints.ATTRIBUTE)
        found = self.object_of(node)
        if found is NOTHING:
            raise self.error(node, hints.ATTRIBUTE)
        return self.encode(found, node, f"{ast.unparse(node)} cannot be captured: ")

    def field(self, name: str, node: ast.AST) -> Expr:
        """Return the field of a state: as it was before the row, or as the function assigned it."""
        if name not in self.fields:
            raise self.error(node, f"the state has no field {name}; its fields are {', '.join(self.fields)}")
        return ["get", f"{self.name_prefix}state.{name}"] if name in self.assigned_fields else ["field", name]

    def column_by_attribute(self, node: ast.Attribute) -> Expr:
        """Return the column of a row that an attribute names."""
        import sys

        series = getattr(sys.modules.get("pandas"), "Series", None)
        if hasattr(series, node.attr):
            raise self.error(node, f"{node.attr} is an attribute of a row itself; for the column write ['{node.attr}']")
        return self.column(node.attr)

    def column(self, name: str) -> Expr:
        """Return a column of the row."""
        self.columns[name] = None
        return ["get", name]

    # Tuples

    def tuple_display(self, node: ast.Tuple | ast.List) -> Tup:
        """Translate `(a, b)`."""
        return self.joined([self.value(item) for item in node.elts])

    def joined(self, items: Iterable[Value]) -> Tup:
        """Return a tuple of values, with the statements that items need in their order."""
        items = list(items)
        if not any(isinstance(item, Tup) and item.before for item in items):
            return Tup(tuple(items))
        before: list[Statement] = []
        return Tup(tuple(self.kept(item, before) for item in items), tuple(before))

    def kept(self, value: Value, before: list[Statement]) -> Value:
        """Return a value that can be read later and more than once; `before` gets the statements that keep it."""
        if isinstance(value, Tup):
            before.extend(value.before)
            return Tup(tuple(self.kept(item, before) for item in value.items), names=value.names)
        if is_constant(value) or value in (ROW, STATE):
            return value
        variable = self.fresh("kept")
        before.append(["set", variable, value])
        return ["get", variable]

    def after(self, before: Iterable[Statement], value: Value) -> Value:
        """Return a value that is evaluated after statements."""
        before = list(before)
        if not before:
            return value
        if isinstance(value, Tup):
            return Tup(value.items, (*before, *value.before), value.names)
        return ["block", [*before, ["return", [value], []]]]

    def subscript(self, node: ast.Subscript) -> Value:
        """Translate an item of a tuple, or a column of a row."""
        owner = self.value(node.value)
        if owner is ROW:
            if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
                return self.column(node.slice.value)
            raise self.error(node.slice, "a row is indexed by a column's name: r['price']")
        if not isinstance(owner, Tup):
            raise self.error(node, "only tuples can be indexed; a function gets one row: hs.loop compiles x[i]")
        if isinstance(node.slice, ast.Slice):
            raise self.error(node.slice, hints.of(node.slice))
        index = self.expr(node.slice)
        choices = self.values_of(index)
        if choices is None:
            raise self.error(node.slice, "the index of a tuple is a constant, or a loop variable over constants")
        before: list[Statement] = []
        items = owner.items
        if not is_constant(owner):
            items = tuple(self.kept(item, before) for item in self.after(owner.before, owner).items)
            before = [*owner.before, *before]
            if not owner.before and self.has_values(node.value):
                before, items = [], owner.items
        size = len(items)
        if len(choices) == 1:
            if not -size <= choices[0] < size:
                raise self.error(node, f"index {choices[0]} is beyond a tuple of {size}")
            return self.after(before, items[choices[0]])
        pairs = [(choice, items[choice]) for choice in choices if -size <= choice < size]
        return self.after(before, self.choose(index, pairs, node))

    def has_values(self, node: ast.expr) -> bool:
        """Return whether an expression is of names and constants with values: leaving one out changes nothing."""
        if isinstance(node, ast.Tuple):
            return all(self.has_values(item) for item in node.elts)
        if isinstance(node, ast.Name):
            return node.id in self.scope.sure or node.id in self.scope.bindings
        return isinstance(node, ast.Constant)

    def values_of(self, index: Expr) -> list[int] | None:
        """Return the integers that an expression can be, if they are known."""
        names = sorted({name for name in variables(index) if name in self.ranges})
        found: dict[int, None] = {}
        for values in product(*(self.ranges[name] for name in names)):
            try:
                number = fold(index, {**self.constants, **dict(zip(names, values, strict=True))})
            except NotFoldedError:
                return None
            if type(number) is not int:
                return None
            found[number] = None
        return list(found)

    def choose(self, index: Expr, pairs: list[tuple[int, Value]], node: ast.AST) -> Value:
        """Return the value whose number is the index; other numbers are an error of the row."""
        if len({shape_of(value) for _, value in pairs}) > 1:
            raise self.error(node, "the items must have one shape: all numbers, or tuples of one length")
        variable = self.fresh("index")
        chosen = self._chosen(variable, pairs)
        return self.after([["set", variable, index]], chosen)

    def _chosen(self, variable: str, pairs: list[tuple[int, Value]]) -> Value:
        if pairs and isinstance(pairs[0][1], Tup):
            width = range(len(pairs[0][1].items))
            items = tuple(self._chosen(variable, [(n, value.items[i]) for n, value in pairs]) for i in width)
            return Tup(items, names=pairs[0][1].names)
        chosen: Expr = ERROR
        for number, value in reversed(pairs):
            chosen = ["if", ["compare", ["get", variable], [["==", number]]], value, chosen]
        return chosen

    # Operators

    def unary(self, node: ast.UnaryOp) -> Expr:
        """Translate `-x`, `+x`, `~x` and `not x`."""
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            number = node.operand.value
            if isinstance(number, int | float) and not isinstance(number, bool):
                return self.encode(-number, node)
        operand = self.expr(node.operand)
        if isinstance(node.op, ast.USub) and isinstance(operand, list) and operand[0] == "float":
            return ["float", repr(-float(operand[1]))]
        return [UNARY[type(node.op)], operand]

    def binary(self, node: ast.BinOp) -> Expr:
        """Translate arithmetic."""
        return [self.operator(node.op, node), self.expr(node.left), self.expr(node.right)]

    def operator(self, operator: ast.operator, node: ast.AST) -> str:
        """Return the sign of an operator."""
        if type(operator) not in BINARY:
            raise self.error(node, "@ is not compiled; write the products and sums")
        return BINARY[type(operator)]

    def boolean(self, node: ast.BoolOp) -> Expr:
        """Translate `and` and `or`."""
        is_and = isinstance(node.op, ast.And)
        operands = [self.expr(node.values[0])]
        with self.on_some_path():
            for before, value in pairwise(node.values):
                self.narrowed(before, is_and)
                operands.append(self.expr(value))
        return ["and" if is_and else "or", operands]

    def compare(self, node: ast.Compare) -> Expr:
        """Translate comparisons."""
        if len(node.ops) == 1 and isinstance(node.ops[0], ast.Is | ast.IsNot):
            return self.identity(node)
        if len(node.ops) == 1 and isinstance(node.ops[0], ast.In | ast.NotIn):
            return self.membership(node)
        for operator in node.ops:
            if type(operator) not in COMPARE:
                raise self.error(node, "is and in cannot be part of a chain of comparisons; write two, with and")
        first = self.operand(node.left)
        pairs = [[COMPARE[type(node.ops[0])], self.operand(node.comparators[0])]]
        with self.on_some_path():
            for operator, item in zip(node.ops[1:], node.comparators[1:], strict=True):
                pairs.append([COMPARE[type(operator)], self.operand(item)])
        return ["compare", first, pairs]

    def identity(self, node: ast.Compare) -> Expr:
        """Translate `x is None` and `x is not None`."""
        sides = [node.left, node.comparators[0]]
        nones = [isinstance(side, ast.Constant) and side.value is None for side in sides]
        if not any(nones):
            raise self.error(node, "is compares with None only; write == for values")
        tested: Expr = ["is_none", self.operand(sides[0] if nones[1] else sides[1])]
        return ["not", tested] if isinstance(node.ops[0], ast.IsNot) else tested

    def membership(self, node: ast.Compare) -> Expr:
        """Translate `x in (1, 2)`."""
        item, container = self.operand(node.left), node.comparators[0]
        if isinstance(container, ast.Set):
            container = ast.copy_location(ast.Tuple(elts=container.elts, ctx=ast.Load()), container)
        group = self.iterable(container)
        if any(isinstance(member, Tup) for member in group.items):
            raise self.error(node, "in looks for a number or a string, not for a tuple")
        if group.before:
            before: list[Statement] = []
            item = self.kept(item, before)
            tested = self.after([*before, *group.before], ["in", item, list(group.items)])
        else:
            tested = ["in", item, list(group.items)]
        return ["not", tested] if isinstance(node.ops[0], ast.NotIn) else tested

    def conditional(self, node: ast.IfExp) -> Value:
        """Translate `a if c else b`."""
        test = self.expr(node.test)
        known = self.known_truth(test)
        if known is not None:
            return self.value(node.body if known else node.orelse)
        before = set(self.scope.sure)
        with self.on_some_path():
            self.narrowed(node.test, True)
            yes, first = self.value(node.body), set(self.scope.sure)
        with self.on_some_path():
            self.narrowed(node.test, False)
            no, second = self.value(node.orelse), set(self.scope.sure)
        self.scope.sure = before | (first & second)
        if isinstance(yes, Tup) or isinstance(no, Tup):
            return self._conditional_tuple(test, yes, no, node)
        for value, part in ((yes, node.body), (no, node.orelse)):
            if is_text(value) or value in (ROW, STATE):
                raise self.error(part, hints.STRING if is_text(value) else "only a number can be chosen")
        return ["if", test, yes, no]

    def _conditional_tuple(self, test: Expr, yes: Value, no: Value, node: ast.IfExp) -> Tup:
        if shape_of(yes) != shape_of(no):
            raise self.error(node, "both values must have one shape: all numbers, or tuples of one length")
        variable = self.fresh("chosen")
        arms = [[*value.before, *self.write(variable, value)] for value in (yes, no)]
        chosen = self.read(variable, shape_of(yes))
        return Tup(chosen.items, (["if", test, *arms],), chosen.names)

    def write(self, variable: str, value: Value) -> list[Statement]:
        """Return the statements that set a variable, or one variable for each item of a tuple."""
        if not isinstance(value, Tup):
            return [["set", variable, value]]
        statements: list[Statement] = list(value.before)
        for number, item in enumerate(value.items):
            statements += self.write(f"{variable}.{number}", item)
        return statements

    def known_truth(self, test: Expr) -> bool | None:
        """Return the truth of a condition that does not depend on the row."""
        try:
            return bool(fold(test, self.constants))
        except NotFoldedError:
            return None

    def walrus(self, node: ast.NamedExpr) -> Value:
        """Translate `(y := x)`."""
        name = node.target.id
        statements = self.store(name, self.value(node.value), node)
        return self.after(statements, self.name(ast.copy_location(ast.Name(id=name, ctx=ast.Load()), node)))

    def iterable(self, node: ast.expr) -> Tup:
        """Translate something with a number of items that is known."""
        raise NotImplementedError

    def narrowed(self, test: ast.expr, truth: bool) -> None:
        """Note that a condition is known to be true, or false, in what is translated next."""

    @contextmanager
    def on_some_path(self) -> Iterator[None]:
        """Translate a part that may not run: names that it sets have a value on some path only."""
        sure = set(self.scope.sure)
        self.scope.depth += 1
        yield
        self.scope.depth -= 1
        self.scope.sure = sure


class _Nothing:
    pass


NOTHING = _Nothing()
"""An expression that is no object outside of the function."""
