"""A translated function: plain data that Rust compiles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from hypostyle._functions.values import Expr, Members, NotConstantError, Statement, Table, Tup, encode, is_text


@dataclass(frozen=True)
class Program:
    """A function as data; the format is written down with the Rust code that reads it."""

    name: str
    inputs: tuple[str, ...]
    state: tuple[tuple[str, Expr], ...]
    outputs: tuple[str, ...]
    body: list[Statement] = field(repr=False)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """The defaults of parameters that are inputs."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Parameters that were constants already when the function was translated: tuples, lengths of ranges."""

    @cached_property
    def plain(self) -> dict[str, Any]:
        """The program as a JSON object."""
        return {
            "name": self.name,
            "inputs": list(self.inputs),
            "state": [list(item) for item in self.state],
            "outputs": list(self.outputs),
            "body": self.body,
        }

    @cached_property
    def json(self) -> str:
        """The program as Rust reads it."""
        return json.dumps(self.plain, separators=(",", ":"))

    def with_constants(self, values: Mapping[str, Any]) -> Program:
        """Return the program with constants in the place of inputs."""
        if not values:
            return self
        first: list[Statement] = []
        body = self.body
        for name in self.inputs:
            if name not in values:
                continue
            try:
                constant = encode(values[name])
            except NotConstantError as reason:
                msg = f"{self.name}: parameter '{name}': {reason}"
                raise TypeError(msg) from None
            if isinstance(constant, Tup | Table | Members):
                msg = f"{self.name}: parameter '{name}' takes a column or a number, not a tuple"
                raise TypeError(msg)
            if is_text(constant):
                body = _with_text(body, name, constant)
            else:
                first.append(["set", name, constant])
        unknown = set(values) - set(self.inputs)
        if unknown:
            msg = f"{self.name} has no input {', '.join(sorted(unknown))}; its inputs are {', '.join(self.inputs)}"
            raise TypeError(msg)
        inputs = tuple(name for name in self.inputs if name not in values)
        defaults = {name: value for name, value in self.defaults.items() if name not in values}
        return replace(self, inputs=inputs, body=[*first, *body], defaults=defaults)


def _with_text(part: Any, name: str, constant: Expr) -> Any:
    """Return a part of a program with a string in the place of a variable: strings cannot be variables."""
    if not isinstance(part, list):
        return part
    if part == ["get", name]:
        return constant
    return [_with_text(item, name, constant) for item in part]
