"""`src/function.rs`: the function with its signature, and the state of a scan."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hypostyle._convert.called import Called
from hypostyle._convert.code import Code, literal, type_name, unwrapped
from hypostyle._convert.flow import UNBOUND, Flow
from hypostyle._convert.helpers import python_rs
from hypostyle._convert.kinds import NO_VALUE, Types, constant_of
from hypostyle._convert.names import distinct, rust_name
from hypostyle._convert.origin import Helper, Origin
from hypostyle._convert.strict import strict_inputs
from hypostyle._convert.variables import Type, Variable, Variables, hides
from hypostyle._functions.errors import UnsupportedError

_ALLOWED = """// Names and steps are those of the Python.
#![allow(non_snake_case, unused_assignments, unused_mut, unused_variables, clippy::all)]
"""
IMPORT = "use crate::python as py;\n"


@dataclass(frozen=True)
class Converted:
    """A function as Rust."""

    origin: Origin
    inputs: Mapping[str, str]
    """The type of each input: float, int or bool."""
    results: list[Type]
    """The type of each result."""
    result_type: str
    is_inexact: bool
    floats: frozenset[int]
    """The parts of the program, by identity, that are floats because they are on some path."""
    fields: Mapping[str, str]
    """The types of the state's fields."""
    function_rs: str
    python_rs: str

    @property
    def has_state(self) -> bool:
        """Whether the function is a step of a scan."""
        return bool(self.origin.program.state)

    @property
    def rust_function(self) -> str:
        """The name of the function in Rust."""
        return "step" if self.has_state else self.plugin_function

    @property
    def plugin_function(self) -> str:
        """The name of the plugin's function."""
        return function_name(self.origin.name)


def function_name(name: str) -> str:
    """Return the name of a function in Rust; Polars cannot look up a raw identifier."""
    found = rust_name(name)
    return f"{found[2:]}_" if found.startswith("r#") else found


def convert(origin: Origin, inputs: Mapping[str, str]) -> Converted:
    """Write a function as Rust.

    Raises:
        UnsupportedError: The function uses Python that is not converted, or types that do not go together.
    """
    program = origin.program
    flow = Flow(program.inputs, program.body)
    strict = strict_inputs(flow, program.body, list(program.inputs), bool(program.state))
    variables = Variables(flow)
    types = Types(program, variables, {name: Type(kind, name not in strict) for name, kind in inputs.items()})
    _check(origin, variables, types, inputs)
    variables.merge_alike()
    variables.settle_places(program.body, len(program.inputs))
    return _Writer(origin, variables, types, inputs, strict).converted()


def _check(origin: Origin, variables: Variables, types: Types, inputs: Mapping[str, str]) -> None:
    """Refuse an int and a float in one variable: Python computes with the one or the other, Rust with floats."""
    flow = variables.flow
    for variable in variables.all():
        for number in sorted(variable.definitions):
            node = flow.definitions[number].node
            values = [] if node is None else [node[2]] if node[0] == "set" else node[2]
            found = [types.of(value).kind for value in values if not isinstance(constant_of(value), int)]
            if node is None:
                found = [inputs[variable.name]]
            if variable.type.kind == "float" and "int" in found:
                mark = origin.marks.get(id(node))
                message = (
                    f"{variable.name} is an int here and a float on another path; write float(...), or use two names"
                )
                if mark is None:
                    raise origin.error(origin.source.node, message)
                raise mark.source.error(mark.node, message)
    if any(of.kind in ("mixed", "text") for of in [*types.fields.values(), *types.results]):
        raise origin.error(origin.source.node, "results and the state's fields are floats, ints, bools or None")


class _Writer(Called):
    def __init__(
        self, origin: Origin, variables: Variables, types: Types, inputs: Mapping[str, str], strict: set[str]
    ) -> None:
        super().__init__(origin, variables, types)
        self.inputs, self.strict = inputs, strict
        self.functions = {}
        self.reserved = frozenset({"step", function_name(origin.name)})
        parameters = [a.arg for a in [*origin.source.node.args.posonlyargs, *origin.source.node.args.args]]
        is_scan = bool(origin.program.state) and not origin.is_loop
        self.state_name = rust_name(parameters[0]) if is_scan else "state"
        self.names = {self.state_name} if origin.program.state else set()
        self._name_variables()
        taken: set[str] = set()
        for name in types.fields:
            distinct(self.field_names, name, taken)

    def _name_variables(self) -> None:
        names: dict[str, str] = {}
        for name in self.origin.program.inputs:
            distinct(names, name, self.names)
        scopes: dict[str, dict[str, str]] = {
            helper.prefix: {}
            for block, helper in _blocks(self.origin.program.body, self.origin.helpers)
            if self.parameters(block, helper) is not None
        }
        scopes_taken: dict[str, set[str]] = {prefix: set() for prefix in scopes}
        every = self.variables.all()
        inside = {v: prefix for v in every for prefix in scopes if v.name.startswith(prefix)}
        ordered = sorted(every, key=lambda v: (v in inside, not v.name.isidentifier(), min(v.definitions)))
        alike: dict[str, list[Variable]] = {}
        for variable in ordered:
            if variable in inside:
                # A function of its own: its names are those of the Python again.
                prefix = inside[variable]
                made = {v.rust for v in every if v.rust and v not in inside and not v.name.isidentifier()}
                taken = scopes_taken[prefix] | made
                plain = distinct(scopes[prefix], variable.name, taken)
                scopes_taken[prefix].add(plain)
            else:
                plain = distinct(names, variable.name, self.names)
            self.names.add(plain)
            others = alike.setdefault(variable.name, [])
            if any(hides(variable, other) or hides(other, variable) for other in others):
                variable.rust = self.spare(plain)
            else:
                variable.rust = plain
                others.append(variable)

    def spare(self, plain: str) -> str:
        """Return a name like another, which nothing has."""
        number = 2
        while f"{plain}_{number}" in self.names:
            number += 1
        self.names.add(f"{plain}_{number}")
        return f"{plain}_{number}"

    def converted(self) -> Converted:
        """Write the file."""
        origin, program = self.origin, self.origin.program
        body = [*self._unwrapped(), *self.block(program.body, tail=True)]
        if id(program.body) in self.variables.flow.falls:
            body.append("None")
        for comments in self.comments.values():
            body += comments.before(comments.last + 1)
        title = f"//! `{origin.name}`, converted from Python; `None` is a null, and what a row is where Python raises."
        parts = [title, "", _ALLOWED]
        parts.append(IMPORT)
        if program.state:
            parts.append(self._state())
        parts.append("\n".join([*self._documentation(), self._signature(), *body, "}", ""]))
        parts += _called(parts[-1], dict(self.functions))
        text = "\n".join(parts[3:])
        return Converted(
            origin,
            dict(self.inputs),
            [
                Type(of.kind if of.kind in ("float", "int", "bool") else "float", of.nullable)
                for of in self.types.results
            ],
            self.result_type(),
            self.is_inexact,
            frozenset(self._floats(program.body)),
            {name: of.kind for name, of in self.types.fields.items()},
            "\n".join(parts).replace(IMPORT, IMPORT if "py::" in text else ""),
            python_rs(set(re.findall(r"\bpy::(\w+)", text))),
        )

    def _floats(self, node: Any) -> Iterator[int]:
        if not isinstance(node, list):
            return
        match node:
            case ["set" | "for", *_] if (variable := self.variables.set_by(node)) and variable.type.kind == "float":
                yield id(node)
            case ["if", _, _, _] if not isinstance(node[2], list) or (node[2] and isinstance(node[2][0], str)):
                if self.types.of(node).kind == "float":
                    yield id(node)
            case ["and" | "or", _] | ["call", "min" | "max" | "np.where", _] | ["block", _]:
                if self.types.of(node).kind == "float":
                    yield id(node)
        for item in node:
            yield from self._floats(item)

    def _unwrapped(self) -> list[str]:
        lines = []
        for number, name in enumerate(self.origin.program.inputs):
            variable = self.variables.of_input(number)
            if not variable.is_used:
                continue
            given = Code(self._parameter(name), Type(self.inputs[name], True), simple=True)
            code = self.coerced(unwrapped(given) if name in self.strict else given, variable.type)
            is_there = variable.definitions == {number} and code.text == given.text
            if variable.unbound:
                raise self.error(f"{name} may have no value here; use another name")
            if not is_there or variable.mutable or code.text != variable.rust:
                lines.append(self.let(variable, code))
        return lines

    def _parameter(self, name: str) -> str:
        return next(
            (v.rust for v in [self.variables.of_input(list(self.origin.program.inputs).index(name))]), rust_name(name)
        )

    def _signature(self) -> str:
        parameters = []
        if self.origin.program.state:
            parameters.append(f"{self.state_name}: &mut State")
        parameters += [f"{self._parameter(name)}: {type_name(Type(kind, True))}" for name, kind in self.inputs.items()]
        name = "step" if self.origin.program.state else function_name(self.origin.name)
        return f"pub fn {name}({', '.join(parameters)}) -> {self.result_type()} {{"

    def _documentation(self) -> list[str]:
        node = self.origin.source.node
        text = ast.get_docstring(node) if isinstance(node, ast.FunctionDef) else None
        return [f"/// {line}".rstrip() for line in inspect.cleandoc(text).splitlines()] if text else []

    def _state(self) -> str:
        fields, starts = [], []
        for (name, of), (_, start) in zip(self.types.fields.items(), self.origin.program.state, strict=True):
            of = Type(of.kind if of.kind in ("float", "int", "bool") else "float", of.nullable)
            rust = self.field_names[name]
            fields.append(f"    pub {rust}: {type_name(of)},")
            starts.append(f"{rust}: {self.coerced(literal(constant_of(start)), of).text}")
        return "\n".join(
            [
                "/// What goes from row to row.",
                "#[derive(Debug, Clone, Copy, PartialEq)]",
                "pub struct State {",
                *fields,
                "}",
                "",
                "impl Default for State {",
                f"fn default() -> Self {{ Self {{ {', '.join(starts)} }} }}",
                "}",
                "",
            ]
        )


def _called(text: str, functions: dict[str, str]) -> Iterator[str]:
    """Yield the functions that a text calls, and those that they call."""
    for name in list(functions):
        if name in functions and re.search(rf"(?<![\w.:]){re.escape(name)}\(", text):
            body = functions.pop(name)
            yield body
            yield from _called(body, functions)


def _blocks(node: Any, helpers: Mapping[int, Helper]) -> Iterator[tuple[Any, Helper]]:
    """Yield the blocks of helpers."""
    if isinstance(node, list):
        if id(node) in helpers:
            yield node, helpers[id(node)]
        for item in node:
            yield from _blocks(item, helpers)


__all__ = ["NO_VALUE", "UNBOUND", "Converted", "UnsupportedError", "convert"]
