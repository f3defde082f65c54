"""What an expression can be while it is translated: an expression of the program, or a value known by its shape.

Tuples exist only here: the program has plain values.  A row of pandas and the state of a scan are names for other
values.
"""

from __future__ import annotations

import numbers
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from hypostyle._functions.moments import nanoseconds

Expr: TypeAlias = Any
"""An expression of the program, as JSON."""

Statement: TypeAlias = "list[Any]"
"""A statement of the program, as JSON."""

Value: TypeAlias = Any
"""An `Expr`, a `Tup`, a `Table`, `Some`, `Members`, `ROW` or `STATE`."""


@dataclass(frozen=True)
class Tup:
    """A tuple: `before` are statements that must run before the items are evaluated."""

    items: tuple[Value, ...]
    before: tuple[Statement, ...] = ()
    names: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Table:
    """A dictionary that nothing changes: constant keys, each with its value."""

    entries: tuple[tuple[Value, Value], ...]
    before: tuple[Statement, ...] = ()


@dataclass(frozen=True)
class Some:
    """A list whose items are there under a condition: pairs of the condition, None for always, and the item."""

    items: tuple[tuple[Expr, Value], ...]
    before: tuple[Statement, ...] = ()


@dataclass(frozen=True)
class Members:
    """A set of constants, in which a value is looked for."""

    items: tuple[Value, ...]


class _Marker:
    """A value that has no expression of its own."""

    def __init__(self, name: str) -> None:
        self.name = name


ROW = _Marker("a row")
STATE = _Marker("the state")

ERROR: Expr = ["//", 1, 0]
"""An expression that puts the row in error."""

_MOST = 1_000
"""The most numbers of a range that is captured."""

SMALLEST, LARGEST = -(2**63), 2**63 - 1


class NotConstantError(Exception):
    """A Python object cannot be a constant of a program; the message says why and what to do."""


def encode(value: object) -> Value:
    """Return a Python object as a constant."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return ["text", str.__str__(value)]  # of an enumeration the value, not the name
    if isinstance(value, tuple):
        names = getattr(value, "_fields", None)
        return Tup(tuple(encode(item) for item in value), names=names)
    if isinstance(value, range) and len(value) <= _MOST:
        return Tup(tuple(value))
    if isinstance(value, frozenset):
        return Members(tuple(sorted(map(encode, value), key=repr)))
    if isinstance(value, types.MappingProxyType):
        return Table(tuple((encode(key), encode(item)) for key, item in value.items()))
    if (time := nanoseconds(value)) is not None:
        if not SMALLEST <= time[0] <= LARGEST:
            msg = f"{value} is beyond 64 bits of nanoseconds"
            raise NotConstantError(msg)
        return ["time", *time]
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        item = value.item()
        if type(item).__module__ != "builtins":
            msg = f"{type(value).__name__} is not a number"
            raise NotConstantError(msg)
        return encode(item)
    if isinstance(value, numbers.Integral):
        number = int(value)
        if not SMALLEST <= number <= LARGEST:
            msg = f"{number} is beyond 64 bits"
            raise NotConstantError(msg)
        return number
    if isinstance(value, float):
        return ["float", repr(float(value))]
    kind = type(value).__name__
    if isinstance(value, list | set | bytearray) or kind == "ndarray":
        way = "a frozenset" if isinstance(value, set) else "a tuple"
        msg = f"a {kind} can change, and a program keeps the value it had when compiled; use {way}"
    elif isinstance(value, range):
        msg = f"a range of {len(value)} numbers is too long; compare with its ends: 0 <= x < n"
    elif isinstance(value, dict):
        msg = (
            "a dict can change, and a program keeps the value it had when compiled; "
            "write it in the function, or wrap it: types.MappingProxyType({...})"
        )
    else:
        msg = f"it is of type {kind}; numbers, True, False, None, strings and tuples of these can be captured"
    raise NotConstantError(msg)


def is_constant(value: Value) -> bool:
    """Return whether a value is a constant, or a tuple of constants."""
    if isinstance(value, Tup):
        return not value.before and all(is_constant(item) for item in value.items)
    if isinstance(value, Table):
        return not value.before and all(is_constant(item) for _, item in value.entries)
    if isinstance(value, Some):
        return False
    if isinstance(value, Members):
        return True
    if isinstance(value, list):
        return value[0] in ("float", "text", "time")
    return value is None or isinstance(value, int)


def is_text(value: Value) -> bool:
    """Return whether a value is a string constant."""
    return isinstance(value, list) and value[0] == "text"


class NotFoldedError(Exception):
    """The value of an expression is not known when it is compiled."""


class NeedsConstantError(Exception):
    """A parameter must be known when the function is compiled; it has a default, so that it can be."""

    def __init__(self, parameter: str, default: int) -> None:
        super().__init__(parameter)
        self.parameter, self.default = parameter, default


_INTEGER_OPERATIONS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
}
_COMPARISONS = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


def fold(value: Expr, known: Mapping[str, Expr]) -> Any:
    """Return the Python value of an expression that does not depend on a row; `known` are variables."""
    match value:
        case bool() | int() | None:
            return value
        case ["float", text]:
            return float(text)
        case ["text", text]:
            return text
        case ["get", name] if name in known:
            return fold(known[name], known)
        case ["not", item]:
            return not fold(item, known)
        case ["neg", ["float", text]]:
            return -float(text)
        case ["neg", item]:
            return -_integer(item, known)
        case ["is_none", item]:
            return fold(item, known) is None
        case ["compare", first, pairs]:
            left = fold(first, known)
            for operator, item in pairs:
                right = fold(item, known)
                try:
                    if not _COMPARISONS[operator](left, right):
                        return False
                except TypeError as error:
                    raise NotFoldedError from error
                left = right
            return True
        case [str(operator), a, b] if operator in _INTEGER_OPERATIONS:
            left, right = _integer(a, known), _integer(b, known)
            if operator in ("//", "%") and right == 0:
                raise NotFoldedError
            return _INTEGER_OPERATIONS[operator](left, right)
    raise NotFoldedError


def _integer(value: Expr, known: Mapping[str, Expr]) -> int:
    number = fold(value, known)
    if type(number) is not int:
        raise NotFoldedError
    return number


def variables(value: Expr | Iterable[Statement]) -> Iterator[str]:
    """Yield the variables that an expression reads or sets."""
    if isinstance(value, list | tuple):
        if len(value) >= 2 and value[0] in ("get", "set", "for") and isinstance(value[1], str):
            yield value[1]
        for item in value:
            yield from variables(item)
    elif isinstance(value, Tup):
        yield from variables(list(value.before))
        yield from variables(list(value.items))
