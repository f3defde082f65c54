"""The function to convert: found in the user's file, translated by the front end, with the place of every statement."""

from __future__ import annotations

import ast
import importlib.util
import sys
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypostyle._functions.errors import UnsupportedError
from hypostyle._functions.functions import Function, python_of
from hypostyle._functions.loop_parts import arrays_of
from hypostyle._functions.loops import _Loop
from hypostyle._functions.program import Program
from hypostyle._functions.scope import Scope
from hypostyle._functions.source import Source, source_of
from hypostyle._functions.statements import Statements
from hypostyle._functions.translate import _finish, fixing
from hypostyle._functions.values import Statement, Value

_TIMES = "times are integers of one unit in the crate: write their parts and durations as numbers of that unit"
ANNOTATIONS = {"float": "float", "int": "int", "bool": "bool"}


@dataclass(frozen=True)
class Mark:
    """Where a statement of the program comes from."""

    source: Source
    node: ast.stmt


@dataclass(frozen=True)
class Helper:
    """A call of another function, which the program has as a block."""

    source: Source
    prefix: str
    """What its variables begin with."""


class _Marking(Statements):
    """Notes the place of every statement that the front end writes."""

    marks: dict[int, tuple[Statement, Mark]]
    helpers: dict[int, tuple[Value, Helper]]

    def statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Raise | ast.Assert):
            raise self.error(node, "a row that raises is null in the crate: return None for it")
        out = self.out
        start = len(out)
        super().statement(node)
        self.mark(out[start:], node)

    def mark(self, statements: Sequence[Statement], node: ast.stmt) -> None:
        """Note where statements come from, unless it is known better."""
        for statement in statements:
            # The statement is kept, so that no other can get its number.
            self.marks.setdefault(id(statement), (statement, Mark(self.scope.source, node)))

    def encode(self, value: object, node: ast.AST, what: str = "") -> Value:
        encoded = super().encode(value, node, what)
        if isinstance(encoded, list) and encoded[0] == "time":
            raise self.error(node, _TIMES)
        return encoded

    def time_part(self, owner: ast.expr, name: str, *, is_call: bool) -> Value | None:
        part = super().time_part(owner, name, is_call=is_call)
        if part is not None:
            raise self.error(owner, _TIMES)
        return part

    def inline(self, function: types.FunctionType, node: ast.Call) -> Value:
        prefix = f"{self.name_prefix}{source_of(function).name}.{self.counter + 1}."
        value = super().inline(function, node)
        if isinstance(value, list) and value[0] == "block":
            self.helpers[id(value)] = value, Helper(source_of(function), prefix)
        return value


class _MarkingLoop(_Marking, _Loop):
    def _before(self, statement: ast.stmt) -> None:
        known = len(self.head)
        super()._before(statement)
        self.mark(self.head[known:], statement)
        self.mark([inner for _, block in self.fixed for inner in block], statement)


@dataclass(frozen=True)
class Origin:
    """A function of the user with its program."""

    function: Any
    source: Source
    program: Program
    marks: dict[int, Mark]
    helpers: dict[int, Helper]
    """The blocks that are calls of other functions."""
    is_loop: bool

    @property
    def name(self) -> str:
        """The function's name."""
        return self.program.name

    def error(self, node: ast.AST | None, message: str) -> UnsupportedError:
        """Return the error that points at a part of the function."""
        return self.source.error(node, message)


def load(path: Path, name: str) -> Any:
    """Import the user's file and return what it has under a name."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        msg = f"{path} is no Python file"
        raise ValueError(msg)
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    sys.path.insert(0, str(path.resolve().parent))
    spec.loader.exec_module(module)
    if not hasattr(module, name):
        functions = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        msg = f"{path} has no function {name}; it has {', '.join(functions) or 'none'}"
        raise ValueError(msg)
    return getattr(module, name)


def origin_of(given: Any) -> Origin:
    """Translate a function, decorated or plain; a plain one that loops over its parameters is a loop over rows."""
    if isinstance(given, Function) and given.function is None:
        msg = "the function has lost its Python function; convert it from its file"
        raise ValueError(msg)
    python = python_of(given)
    source = source_of(python)
    if isinstance(given, Function):
        state = {name: _plain(start) for name, start in given.program.state}
        is_loop, outputs = given.is_loop, given.program.outputs or None
    else:
        state, outputs = {}, None
        is_loop = any(isinstance(s, ast.For) for s in source.body) and bool(arrays_of(source, Scope(source).parameters))
    marks: dict[int, tuple[Statement, Mark]] = {}
    helpers: dict[int, tuple[Value, Helper]] = {}

    def translated(known: Mapping[str, Any]) -> Program:
        marks.clear()
        helpers.clear()
        translator: _Marking = _MarkingLoop(source) if is_loop else _Marking(Scope(source))
        translator.marks, translator.helpers = marks, helpers
        if isinstance(translator, _MarkingLoop):
            return translator.program(outputs, known)
        return _finish(translator, known, state, outputs)

    program = fixing(source, given.program.fixed if isinstance(given, Function) else None, translated)
    texts = {name: value for name, value in program.defaults.items() if isinstance(value, str)}
    for name, value in texts.items():
        program = program.with_constants({name: value})
    copies: dict[int, Mark] = {}
    calls: dict[int, Helper] = {}
    body = _copied(program.body, marks, helpers, copies, calls)
    program = Program(program.name, program.inputs, program.state, program.outputs, body, program.defaults)
    return Origin(python, source, program, copies, calls, is_loop)


def _plain(start: Any) -> Any:
    return float(start[1]) if isinstance(start, list) else start


def _copied(
    node: Any,
    marks: Mapping[int, tuple[Statement, Mark]],
    helpers: Mapping[int, tuple[Value, Helper]],
    places: dict[int, Mark],
    calls: dict[int, Helper],
) -> Any:
    """Return a copy in which every part stands once: parts are told apart by their identity from here on."""
    if not isinstance(node, list | tuple):
        return node
    copy = [_copied(item, marks, helpers, places, calls) for item in node]
    if id(node) in marks:
        places[id(copy)] = marks[id(node)][1]
    if id(node) in helpers:
        calls[id(copy)] = helpers[id(node)][1]
    return copy


def input_kinds(origin: Origin, given: dict[str, str]) -> dict[str, str]:
    """Return the type of every input: as given, else as annotated, else as the default's, else float."""
    arguments = origin.source.node.args
    nodes = {a.arg: a for a in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]}
    inputs = origin.program.inputs
    if unknown := [name for name in given if name not in inputs]:
        msg = f"--types: {origin.name} has no input {unknown[0]}; its inputs are {', '.join(inputs)}"
        raise ValueError(msg)
    kinds = {}
    for name in inputs:
        annotation = nodes[name].annotation
        default = origin.program.defaults.get(name)
        if name in given:
            kinds[name] = given[name]
        elif annotation is not None:
            kinds[name] = _annotated(origin, annotation)
        elif isinstance(default, bool | int | float):
            kinds[name] = type(default).__name__
        else:
            kinds[name] = "float"
    return kinds


def _annotated(origin: Origin, node: ast.expr) -> str:
    """Return the type that an annotation means; arrays are of floats unless they say otherwise."""
    found = set()
    for inner in ast.walk(node):
        text = inner.id if isinstance(inner, ast.Name) else inner.attr if isinstance(inner, ast.Attribute) else ""
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            try:
                return _annotated(origin, ast.parse(inner.value, mode="eval").body)
            except SyntaxError:
                text = "str"
        kind = text.rstrip("_").removesuffix("64")
        if kind in ANNOTATIONS:
            found.add(kind)
        elif kind in ("str", "bytes", "date", "datetime", "timedelta", "complex", "Decimal"):
            raise origin.error(node, f"a column of {kind} is not converted; float, int and bool are")
    if len(found) > 1:
        raise origin.error(node, f"a column has one type, not {' and '.join(sorted(found))}")
    return found.pop() if found else "float"
