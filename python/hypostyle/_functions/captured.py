"""What a function captures, as a key: two functions with the same key translate to the same program."""

from __future__ import annotations

import types
from collections.abc import Hashable, Iterator
from typing import Any

from hypostyle._functions.functions import Function
from hypostyle._functions.values import NotConstantError, encode


def key_of(function: Any) -> Hashable:
    """Return the key of a Python function: its code, its defaults, and the values of the names that it reads.

    Functions that it calls are part of the key, with what they capture.
    """
    return _key(function, set())


def _key(value: Any, seen: set[int], attributes: frozenset[str] = frozenset()) -> Hashable:
    """Return the key of an object; the `attributes` of a module or class may be read, too."""
    try:
        return "constant", repr(encode(value))
    except NotConstantError:
        pass
    if id(value) in seen:
        return "again"
    if isinstance(value, Function):
        return "compiled", value.program.json
    if not isinstance(value, types.ModuleType | type):
        value = getattr(value, "py_func", value)
    if isinstance(value, types.FunctionType):
        seen.add(id(value))
        names = frozenset(_names(value.__code__))
        defaults = [_key(item, seen) for item in value.__defaults__ or ()]
        keyword_only = [(name, _key(item, seen)) for name, item in (value.__kwdefaults__ or {}).items()]
        captured = [(name, _key(item, seen, names)) for name, item in sorted(_captured(value, names).items())]
        return "function", value.__code__, tuple(defaults), tuple(keyword_only), tuple(captured)
    if isinstance(value, types.ModuleType | type):
        seen.add(id(value))
        found = [(name, vars(value)[name]) for name in sorted(attributes & vars(value).keys())]
        return "names", value, tuple((name, _key(item, seen, attributes)) for name, item in found)
    try:
        hash(value)
    except TypeError:
        # Such an object cannot be part of a program.
        return "object", type(value)
    return "object", type(value), value


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _captured(function: types.FunctionType, names: frozenset[str]) -> dict[str, Any]:
    """Return the objects that a function reads, by name."""
    found = {name: function.__globals__[name] for name in names if name in function.__globals__}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:
            continue
    return found
