"""A plain evaluator of programs: the slow, obvious twin of what Rust does, with CPython's own operators."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow, "&": operator.and_, "|": operator.or_, "^": operator.xor,
    "<<": operator.lshift, ">>": operator.rshift,
}  # fmt: skip
COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
UNARY: dict[str, Callable[[Any], Any]] = {
    "neg": operator.neg, "pos": operator.pos, "invert": operator.invert, "not": operator.not_,
}  # fmt: skip
BUILTINS: dict[str, Callable[..., Any]] = {
    "abs": abs, "min": min, "max": max, "round": round, "int": int, "float": float, "bool": bool,
}  # fmt: skip
ROUNDS = 100_000


class RowError(Exception):
    """The row is in error."""


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class _Return(Exception):
    def __init__(self, results: list[Any], state: list[Any]) -> None:
        self.results, self.state = results, state


class Row:
    """One row: its variables, and the state before it."""

    def __init__(
        self, variables: dict[str, Any], state: Mapping[str, Any], types: Mapping[str, Callable[[Any], Any]]
    ) -> None:
        self.variables, self.state, self.types = variables, state, types

    def run(self, statements: Sequence[Any]) -> None:
        for statement in statements:
            self.statement(statement)

    def statement(self, statement: Sequence[Any]) -> None:
        match statement:
            case ["set", name, value]:
                self.variables[name] = self.value(value)
            case ["if", test, yes, no]:
                self.run(yes if self.value(test) else no)
            case ["for", name, items, body]:
                for item in [self.value(item) for item in items]:
                    self.variables[name] = item
                    try:
                        self.run(body)
                    except _Break:
                        break
                    except _Continue:
                        continue
            case ["while", test, body]:
                rounds = 0
                while self.value(test):
                    rounds += 1
                    if rounds > ROUNDS:
                        raise RowError
                    try:
                        self.run(body)
                    except _Break:
                        break
                    except _Continue:
                        continue
            case ["break"]:
                raise _Break
            case ["continue"]:
                raise _Continue
            case ["return", results, state]:
                raise _Return([self.value(item) for item in results], [self.value(item) for item in state])
            case _:
                raise AssertionError(statement)

    def value(self, value: Any) -> Any:
        found = self._value(value)
        if isinstance(found, complex):
            raise RowError
        if type(found) is int and not -(2**63) <= found < 2**63:
            raise RowError
        return found.item() if isinstance(found, np.generic) else found

    def _value(self, value: Any) -> Any:
        match value:
            case bool() | int() | None:
                return value
            case ["float", text]:
                return float(text)
            case ["text", text]:
                return text
            case ["get", name]:
                if name not in self.variables:
                    raise RowError
                return self.variables[name]
            case ["field", name]:
                return self.state[name]
            case ["compare", first, pairs]:
                left = self.value(first)
                result: Any = True
                for sign, item in pairs:
                    right = self.value(item)
                    result = COMPARE[sign](left, right)
                    if not result:
                        break
                    left = right
                return result
            case ["is_none", item]:
                return self.value(item) is None
            case ["in", item, items]:
                return self.value(item) in [self.value(other) for other in items]
            case ["and", items]:
                for item in items:
                    result = self.value(item)
                    if not result:
                        break
                return result
            case ["or", items]:
                for item in items:
                    result = self.value(item)
                    if result:
                        break
                return result
            case ["if", test, yes, no]:
                return self.value(yes if self.value(test) else no)
            case ["call", "like", [["get", column], item]]:
                return self.types[column](self.value(item))
            case ["call", str(name), arguments]:
                return self.call(name, [self.value(argument) for argument in arguments])
            case ["block", statements]:
                try:
                    self.run(statements)
                except _Return as returned:
                    return returned.results[0]
                return None
            case [str(sign), item] if sign in UNARY:
                return UNARY[sign](self.value(item))
            case [str(sign), left, right] if sign in BINARY:
                return BINARY[sign](self.value(left), self.value(right))
        raise AssertionError(value)

    def call(self, name: str, arguments: list[Any]) -> Any:
        if name in BUILTINS:
            return BUILTINS[name](*arguments)
        module, _, function = name.partition(".")
        return getattr({"math": math, "np": np}[module], function)(*arguments)


def _of_length(values: list[Any], length: int) -> list[Any]:
    assert len(values) == length, values
    return values


def evaluate(program: Mapping[str, Any], columns: Sequence[Sequence[Any]]) -> list[Any]:
    """Run a program on columns; a row in error is None, and leaves the state as it was."""
    state = {name: Row({}, {}, {}).value(start) for name, start in program["state"]}
    outputs = program["outputs"]
    assert len(columns) == len(program["inputs"])
    types = {
        name: next((type(value) for value in column if value is not None), float)
        for name, column in zip(program["inputs"], columns, strict=True)
    }
    rows: list[Any] = []
    for values in zip(*columns, strict=True):
        row = Row(dict(zip(program["inputs"], values, strict=True)), state, types)
        results: list[Any] = [None] * max(len(outputs), 1)
        try:
            row.run(program["body"])
            raise AssertionError("the program ends without return")
        except _Return as returned:
            results = _of_length(returned.results, max(len(outputs), 1))
            state = dict(zip(state, _of_length(returned.state, len(state)), strict=True))
        except (RowError, TypeError, ValueError, ArithmeticError):
            pass
        rows.append(tuple(results) if outputs else results[0])
    return rows
