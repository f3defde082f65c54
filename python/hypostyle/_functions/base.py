"""What every part of the translation needs: errors, variables, and values that are read more than once."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import product

from hypostyle._functions.errors import UnsupportedError
from hypostyle._functions.scope import Scope, Shape, shape_of
from hypostyle._functions.values import (
    ERROR,
    ROW,
    STATE,
    Expr,
    Members,
    NeedsConstantError,
    NotConstantError,
    NotFoldedError,
    Some,
    Statement,
    Table,
    Tup,
    Value,
    encode,
    fold,
    is_constant,
    variables,
)

LIMIT = 10_000
"""The most nodes of a function, with its helpers."""


class Base:
    """Holds what is known while a function is translated."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.name_prefix = scope.prefix
        self.counter = 0
        self.nodes = 0
        self.constants: dict[str, Expr] = {}
        """Variables that have one value only, which is known."""
        self.ranges: dict[str, list[int]] = {}
        """Loop variables that have only these values."""
        self.fixable: dict[str, tuple[str, int]] = {}
        """Variables of parameters whose default is an integer, with both: they can become constants."""
        self.fields: tuple[str, ...] = ()
        self.assigned_fields: set[str] = set()
        self.columns: dict[str, None] = {}
        self.texts: set[str] = set()
        """Variables that may be strings."""
        self.around: dict[types.CodeType, Scope] = {}
        """The functions around those inside of a function, whose variables these may read."""
        self.copies: dict[str, Expr] = {}
        """Variables that keep the value of another one, which they are a copy of."""

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

    def encode(self, value: object, node: ast.AST, what: str = "") -> Value:
        """Return a Python object as a constant."""
        try:
            return encode(value)
        except NotConstantError as reason:
            raise self.error(node, f"{what}{reason}") from None

    # Values that are kept

    def joined(self, items: Iterable[Value]) -> Tup:
        """Return a tuple of values, with the statements that items need in their order."""
        items = list(items)
        if not any(isinstance(item, Tup | Table | Some) and item.before for item in items):
            return Tup(tuple(items))
        before: list[Statement] = []
        return Tup(tuple(self.kept(item, before) for item in items), tuple(before))

    def kept(self, value: Value, before: list[Statement]) -> Value:
        """Return a value that can be read later and more than once; `before` gets the statements that keep it."""
        if isinstance(value, Tup):
            before.extend(value.before)
            return Tup(tuple(self.kept(item, before) for item in value.items), names=value.names)
        if isinstance(value, Table | Some):
            before.extend(value.before)
            return replace(value, before=())
        if is_constant(value) or value in (ROW, STATE):
            return value
        variable = self.fresh("kept")
        if self.gives_text(value):
            self.texts.add(variable)
        before.append(["set", variable, value])
        return ["get", variable]

    def gives_text(self, value: Value) -> bool:
        """Return whether an expression is a string on some path, as far as it shows."""
        match value:
            case ["text", _]:
                return True
            case ["get", name]:
                return name in self.texts
            case ["if", _, yes, no]:
                return self.gives_text(yes) or self.gives_text(no)
            case ["block", [*_, ["return", [result], []]]]:
                return self.gives_text(result)
            case ["and" | "or", items]:
                return any(map(self.gives_text, items))
        return False

    def after(self, before: Iterable[Statement], value: Value) -> Value:
        """Return a value that is evaluated after statements."""
        before = list(before)
        if not before:
            return value
        if isinstance(value, Tup):
            return Tup(value.items, (*before, *value.before), value.names)
        if isinstance(value, Table | Some):
            return replace(value, before=(*before, *value.before))
        return ["block", [*before, ["return", [value], []]]]

    def read(self, variable: str, shape: Shape) -> Value:
        """Return the value of a variable; a tuple has one variable for each item."""
        if shape is None:
            return ["get", variable]
        shapes, names = shape
        return Tup(tuple(self.read(f"{variable}.{i}", s) for i, s in enumerate(shapes)), names=names)

    def write(self, variable: str, value: Value) -> list[Statement]:
        """Return the statements that set a variable, or one variable for each item of a tuple."""
        if not isinstance(value, Tup):
            return [["set", variable, value]]
        statements: list[Statement] = list(value.before)
        for number, item in enumerate(value.items):
            statements += self.write(f"{variable}.{number}", item)
        return statements

    # What is known

    def values_of(self, index: Expr) -> list[int] | None:
        """Return the integers that an expression can be, if they are known."""
        names = sorted({name for name in variables(index) if name in self.ranges})
        found: dict[int, None] = {}
        for values in product(*(self.ranges[name] for name in names)):
            try:
                number = fold(index, {**self.constants, **dict(zip(names, values, strict=True))})
            except NotFoldedError:
                for name in self.origins(index):
                    if name in self.fixable:
                        raise NeedsConstantError(*self.fixable[name]) from None
                return None
            if type(number) is not int:
                return None
            found[number] = None
        return list(found)

    def origins(self, value: Expr) -> Iterator[str]:
        """Yield the variables of an expression, and those that known ones are made of."""
        for name in variables(value):
            yield name
            if name in self.constants:
                yield from self.origins(self.constants[name])

    def is_known(self, value: Expr) -> bool:
        """Return whether an expression is made of integers, of known variables, and of parameters that can be known."""
        match value:
            case int():
                return True
            case ["get", name]:
                return name in self.constants or name in self.fixable
            case ["+" | "-" | "*" | "//" | "%", left, right]:
                return self.is_known(left) and self.is_known(right)
        return False

    def choose(self, index: Expr, pairs: list[tuple[int, Value]], node: ast.AST) -> Value:
        """Return the value whose number is the index; other numbers are an error of the row."""
        if len({shape_of(value) for _, value in pairs}) > 1:
            raise self.error(node, "the items must have one shape: all numbers, or tuples of one length")
        if any(isinstance(value, Table | Some | Members) for _, value in pairs):
            raise self.error(node, "a dict or a set is not chosen by a number; write it where it is used")
        variable = self.fresh("index")
        chosen = self._chosen(variable, pairs)
        return self.after([["set", variable, index]], chosen)

    def _chosen(self, variable: str, pairs: list[tuple[int, Value]]) -> Value:
        if pairs and isinstance(pairs[0][1], Tup):
            width = range(len(pairs[0][1].items))
            items = tuple(self._chosen(variable, [(n, value.items[i]) for n, value in pairs]) for i in width)
            return Tup(items, names=pairs[0][1].names)
        numbers = [number for number, _ in pairs]
        if len(pairs) > _FEW and numbers == list(range(numbers[0], numbers[0] + len(pairs))):
            inside: Expr = ["compare", numbers[0], [["<=", ["get", variable]], ["<=", numbers[-1]]]]
            return ["if", inside, _halved(variable, pairs), ERROR]
        chosen: Expr = ERROR
        for number, value in reversed(pairs):
            chosen = ["if", ["compare", ["get", variable], [["==", number]]], value, chosen]
        return chosen

    def known_truth(self, test: Expr) -> bool | None:
        """Return the truth of a condition that does not depend on the row."""
        try:
            return bool(fold(test, self.constants))
        except NotFoldedError:
            return None

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


_FEW = 8
"""So many values are compared with an index one by one."""


def _halved(variable: str, pairs: list[tuple[int, Value]]) -> Expr:
    """Return the value whose number is the index, by halves; the index is one of the numbers."""
    if len(pairs) == 1:
        return pairs[0][1]
    half = len(pairs) // 2
    low, high = _halved(variable, pairs[:half]), _halved(variable, pairs[half:])
    return ["if", ["compare", ["get", variable], [["<", pairs[half][0]]]], low, high]
