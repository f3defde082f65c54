"""A program run row by row with CPython's own operators: where an int leaves 64 bits the row is in error."""

from __future__ import annotations

import itertools
import math
import operator
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from hypostyle._convert.helpers import INEXACT

OPERATORS: dict[str, Callable[..., Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow, "&": operator.and_, "|": operator.or_, "^": operator.xor,
    "<<": operator.lshift, ">>": operator.rshift, "<": operator.lt, "<=": operator.le, ">": operator.gt,
    ">=": operator.ge, "==": operator.eq, "!=": operator.ne, "neg": operator.neg, "pos": operator.pos,
    "invert": operator.invert, "not": operator.not_,
    "abs": abs, "min": min, "max": max, "round": round, "int": int, "float": float, "bool": bool,
}  # fmt: skip
_INEXACT = {*INEXACT, "pow", "power", "arcsin", "arccos", "arctan", "arctan2"}
ROUNDS = 10_000
ROW_ERRORS = (TypeError, ValueError, ArithmeticError, UnboundLocalError)


class EndlessError(Exception):
    """A loop takes so many turns that the row is no use as a sample."""


def _is_inexact(node: Any) -> bool:
    if not isinstance(node, list):
        return False
    return node[0] == "**" or (node[0] == "call" and node[1].rpartition(".")[2] in _INEXACT)


def exact(value: int) -> float:
    """Return the float that equals an int; raise if there is none."""
    if int(float(value)) != value:
        raise OverflowError
    return float(value)


class _Leave(Exception):
    def __init__(self, word: str, results: Sequence[Any] = (), state: Sequence[Any] = ()) -> None:
        self.word, self.results, self.state = word, results, state


def run_row(
    body: Sequence[Any],
    variables: dict[str, Any],
    state: Mapping[str, Any],
    floats: Collection[int] = (),
    nudges: str = "",
) -> tuple[Sequence[Any], Sequence[Any]] | None:
    """Return the results of a row and the next state; None if the end is reached without any.

    `floats` are the parts, by identity, whose ints become floats, because other paths have floats there.
    `nudges` move the results of `exp` and the like by a last bit, in turn: up (+), or down (-).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            _Row(variables, state, floats, nudges).run(body)
        except _Leave as left:
            return left.results, left.state
    return None


class _Row:
    def __init__(
        self, variables: dict[str, Any], state: Mapping[str, Any], floats: Collection[int], nudges: str
    ) -> None:
        self.variables, self.state, self.floats = variables, state, floats
        self.nudges = itertools.cycle(nudges) if nudges else None
        self.rounds = 0

    def run(self, statements: Sequence[Any]) -> None:
        for statement in statements:
            match statement:
                case ["set", name, value]:
                    self.variables[name] = self.joined(statement, self.value(value))
                case ["if", test, yes, no]:
                    self.run(yes if self.value(test) else no)
                case ["for", name, items, body]:
                    for item in [self.value(item) for item in items]:
                        self.variables[name] = self.joined(statement, item)
                        if self._leaves(body):
                            break
                case ["while", test, body]:
                    while self.value(test):
                        self.rounds += 1
                        if self.rounds > ROUNDS:
                            raise EndlessError
                        if self._leaves(body):
                            break
                case ["return", results, state]:
                    after = [self.value(item) for item in state]
                    raise _Leave("return", [self.value(item) for item in results], after)
                case [word]:
                    raise _Leave(word)

    def _leaves(self, body: Sequence[Any]) -> bool:
        try:
            self.run(body)
        except _Leave as left:
            if left.word == "return":
                raise
            return left.word == "break"
        return False

    def value(self, node: Any) -> Any:
        found = self._value(node)
        found = found.item() if type(found).__module__ == "numpy" else found
        if isinstance(found, complex) or (type(found) is int and not -(2**63) <= found < 2**63):
            raise OverflowError
        if self.nudges is not None and isinstance(found, float) and _is_inexact(node):
            found = math.nextafter(found, math.inf if next(self.nudges) == "+" else -math.inf)
        return self.joined(node, found)

    def joined(self, node: Any, value: Any) -> Any:
        return exact(value) if isinstance(value, int) and id(node) in self.floats else value

    def _value(self, node: Any) -> Any:
        match node:
            case bool() | int() | None:
                return node
            case ["float", text]:
                return float(text)
            case ["text", text]:
                return text
            case ["get", name]:
                if name not in self.variables:
                    raise UnboundLocalError(name)
                return self.variables[name]
            case ["field", name]:
                return self.state[name]
            case ["compare", first, pairs]:
                left, result = self.value(first), True
                for sign, item in pairs:
                    right = self.value(item)
                    result = OPERATORS[sign](left, right)
                    if not result:
                        break
                    left = right
                return result
            case ["is_none", item]:
                return self.value(item) is None
            case ["in", item, items]:
                first = self.value(item)
                return first in [self.value(other) for other in items]
            case ["and" | "or" as word, items]:
                for item in items:
                    result = self.value(item)
                    if bool(result) == (word == "or"):
                        break
                return result
            case ["if", test, yes, no]:
                return self.value(yes if self.value(test) else no)
            case ["call", name, arguments]:
                return self.call(name, [self.value(argument) for argument in arguments])
            case ["block", body]:
                try:
                    self.run(body)
                except _Leave as left:
                    return left.results[0]
                return None
        sign, *operands = node
        values = [self.value(operand) for operand in operands]
        is_int = all(isinstance(value, int) for value in values)
        if is_int and sign in ("**", "<<") and values[1] > 64 and abs(values[0]) > (sign == "**"):
            # Not even tried: such a number may fill the memory.
            raise OverflowError
        return OPERATORS[sign](*values)

    def call(self, name: str, arguments: list[Any]) -> Any:
        module, _, plain = name.rpartition(".")
        if module == "math":
            return getattr(math, plain)(*arguments)
        if module == "np":
            import numpy as np

            if any(argument is None for argument in arguments) and plain != "where":
                raise TypeError
            return getattr(np, plain)(*arguments)
        return OPERATORS[name](*arguments)
