"""Expressions of Python as expressions of a program.

Python evaluates every operand once, from left to right; so does a program.  What a program cannot say in one expression
(an assignment in an expression, a tuple) becomes a block of statements.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from hypostyle._functions import hints
from hypostyle._functions.comparisons import Comparisons
from hypostyle._functions.scope import shape_of
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
)

BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>",
}  # fmt: skip
UNARY: dict[type[ast.unaryop], str] = {ast.USub: "neg", ast.UAdd: "pos", ast.Invert: "invert", ast.Not: "not"}


class Expressions(Comparisons):
    """Translates expressions; `Calls` and `Statements` add the rest."""

    # Values

    def expr(self, node: ast.expr) -> Expr:
        """Translate an expression that is a number, a truth value or None."""
        value = self.operand(node)
        if self.gives_text(value):
            raise self.error(node, hints.STRING)
        return value

    def operand(self, node: ast.expr) -> Expr:
        """Translate an expression that can be a string too."""
        return self.operand_of(self.value(node), node)

    def operand_of(self, value: Value, node: ast.expr) -> Expr:
        """Return a value; raise if it is no number and no string."""
        if isinstance(value, Tup):
            raise self.error(node, hints.TUPLE)
        if isinstance(value, Table):
            raise self.error(node, hints.NODES[ast.Dict])
        if isinstance(value, Some):
            raise self.error(node, hints.SOME)
        if isinstance(value, Members):
            raise self.error(node, hints.NODES[ast.Set])
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
            ast.List: self.tuple_display,
            ast.ListComp: self.listed,
            ast.Dict: self.dictionary,
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

    def listed(self, node: ast.ListComp) -> Tup | Some:
        """Translate a list whose number of items is known, or whose items are there under a condition."""
        raise NotImplementedError

    def dictionary(self, node: ast.Dict) -> Table:
        """Translate a dictionary with constant keys."""
        raise NotImplementedError

    def iterable(self, node: ast.expr) -> Tup:
        """Translate something with a number of items that is known."""
        raise NotImplementedError

    def constant(self, node: ast.Constant) -> Value:
        """Translate a literal."""
        if isinstance(node.value, bytes | complex) or node.value is ...:
            raise self.error(node, f"a constant of type {type(node.value).__name__} is not compiled; use numbers")
        return self.encode(node.value, node)

    # Tuples

    def tuple_display(self, node: ast.Tuple | ast.List) -> Tup:
        """Translate `(a, b)`, or a list that is written out: nothing changes it afterwards."""
        return self.joined([self.value(item) for item in node.elts])

    def subscript(self, node: ast.Subscript) -> Value:
        """Translate an item of a tuple, or a column of a row."""
        owner = self.value(node.value)
        if owner is ROW:
            if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
                return self.column(node.slice.value)
            raise self.error(node.slice, "a row is indexed by a column's name: r['price']")
        if not isinstance(owner, Tup):
            if isinstance(node.slice, ast.Slice):
                raise self.error(node, hints.PART)
            raise self.error(node, "only tuples can be indexed; a function gets one row: hs.loop compiles x[i]")
        if isinstance(node.slice, ast.Slice):
            raise self.error(node.slice, hints.of(node.slice))
        index = self.expr(node.slice)
        choices = self.values_of(index)
        if choices is None:
            # Of a float Python makes no index; neither does it of its bits.
            index = ["|", index, 0]
            choices = list(range(-len(owner.items), len(owner.items)))
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

    # Operators

    def unary(self, node: ast.UnaryOp) -> Expr:
        """Translate `-x`, `+x`, `~x` and `not x`."""
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            number = node.operand.value
            if isinstance(number, int | float) and not isinstance(number, bool):
                return self.encode(-number, node)
        operand = self.test(node.operand) if isinstance(node.op, ast.Not) else self.expr(node.operand)
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
        return self._joined_by(node, self.operand)

    def _joined_by(self, node: ast.BoolOp, translate: Callable[[ast.expr], Expr]) -> Expr:
        is_and = isinstance(node.op, ast.And)
        operands = [translate(node.values[0])]
        with self.on_some_path():
            for before, value in pairwise(node.values):
                self.narrowed(before, is_and)
                operands.append(translate(value))
        return ["and" if is_and else "or", operands]

    def test(self, node: ast.expr) -> Expr:
        """Translate a condition, of which only the truth counts: a list is true if it has items."""
        if isinstance(node, ast.BoolOp):
            self.count(node)
            return self._joined_by(node, self.test)
        value = self.value(node)
        if isinstance(value, Some):
            known = any(condition is None for condition, _ in value.items)
            tests = [condition for condition, _ in value.items]
            return self.after(value.before, True if known else ["or", tests] if tests else False)
        return self.operand_of(value, node)

    def conditional(self, node: ast.IfExp) -> Value:
        """Translate `a if c else b`."""
        test = self.test(node.test)
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
            if value in (ROW, STATE) or isinstance(value, Table | Some | Members):
                raise self.error(part, "only a number can be chosen")
        return ["if", test, yes, no]

    def _conditional_tuple(self, test: Expr, yes: Value, no: Value, node: ast.IfExp) -> Tup:
        if shape_of(yes) != shape_of(no):
            raise self.error(node, "both values must have one shape: all numbers, or tuples of one length")
        variable = self.fresh("chosen")
        arms = [[*value.before, *self.write(variable, value)] for value in (yes, no)]
        chosen = self.read(variable, shape_of(yes))
        return Tup(chosen.items, (["if", test, *arms],), chosen.names)

    def walrus(self, node: ast.NamedExpr) -> Value:
        """Translate `(y := x)`."""
        name = node.target.id
        statements = self.store(name, self.value(node.value), node)
        return self.after(statements, self.name(ast.copy_location(ast.Name(id=name, ctx=ast.Load()), node)))
