"""What was understood of a function: the typed operations that Rust compiles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hypostyle import _native

if TYPE_CHECKING:
    from hypostyle._functions.program import Program

TYPES = ("float", "int", "bool", "str")


def shown(program: Program, types: Mapping[str, Any]) -> str:
    """Return the typed operations of a program; columns without a type are floats, or the default of the parameter."""
    for name, kind in types.items():
        if name not in program.inputs:
            known = ", ".join(program.inputs)
            msg = f"{program.name} has no input '{name}'; its inputs are {known}"
            raise TypeError(msg)
        if kind not in TYPES:
            msg = f"{program.name}: the type of '{name}' must be one of 'float', 'int', 'bool', 'str', not {kind!r}"
            raise TypeError(msg)
    with_defaults = program.with_constants({k: v for k, v in program.defaults.items() if k not in types})
    given = [types.get(name, "float") for name in with_defaults.inputs]
    head = ", ".join(f"{name}: {kind}" for name, kind in zip(with_defaults.inputs, given, strict=True))
    state = ", ".join(name for name, _ in program.state)
    kept = f", with the state {state}" if state else ""
    return f"{program.name}({head}){kept}\n{_native.program_shown(with_defaults.json, given).rstrip()}"
