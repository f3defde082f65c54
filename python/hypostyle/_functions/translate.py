"""From a Python function to a program: a function of columns, of a row, or of a state and columns."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from hypostyle._functions.program import Program
from hypostyle._functions.scope import Return, Scope
from hypostyle._functions.source import Source, source_of
from hypostyle._functions.statements import Statements, keys_of
from hypostyle._functions.values import (
    ROW,
    STATE,
    Expr,
    Members,
    NeedsConstantError,
    Statement,
    Table,
    Tup,
    Value,
    is_constant,
)
from hypostyle._functions.ways_out import STATE as STATE_HINT

Fixed: TypeAlias = "Mapping[str, Any] | None"
"""Parameters that are constants, with their values."""


def translate(function: Any, *, outputs: Sequence[str] | None = None, fixed: Fixed = None) -> Program:
    """Translate a function whose parameters are columns."""
    source = source_of(function)
    return fixing(source, fixed, lambda known: _finish(Statements(Scope(source)), known, {}, outputs))


def translate_scan(
    function: Any, state: Mapping[str, Any], *, outputs: Sequence[str] | None = None, fixed: Fixed = None
) -> Program:
    """Translate a function of a state and columns, which returns the next state and a result."""
    source = source_of(function)
    return fixing(source, fixed, lambda known: _finish(Statements(Scope(source)), known, state, outputs))


def translate_row(function: Any, *, fixed: Fixed = None) -> Program:
    """Translate a function of a row: the inputs are the columns that it uses, in order of first use."""
    source = source_of(function)

    def with_prefix(known: Mapping[str, Any]) -> Program:
        prefix = "local."
        while True:
            translator = Statements(Scope(source, prefix))
            program = _finish(translator, known, {}, None, is_row=True)
            if not any(column.startswith(prefix) for column in translator.columns):
                return program
            prefix += "."

    return fixing(source, fixed, with_prefix)


def fixing(source: Source, fixed: Fixed, translate: Callable[[Mapping[str, Any]], Program]) -> Program:
    """Translate; a parameter that must be a constant, such as the length of a range, gets its default."""
    known = dict(fixed or {})
    while True:
        try:
            with nesting(source):
                return translate(known)
        except NeedsConstantError as need:
            known[need.parameter] = need.default


@contextmanager
def nesting(source: Source) -> Iterator[None]:
    """Translate a function; raise its own error if it nests too deeply."""
    try:
        yield
    except RecursionError:
        message = f"{source.name} nests too deeply; keep parts of it in variables"
        raise source.error(source.node, message) from None


def _finish(
    translator: Statements,
    fixed: Mapping[str, Any],
    state: Mapping[str, Any],
    outputs: Sequence[str] | None,
    *,
    is_row: bool = False,
) -> Program:
    scope = translator.scope
    source = scope.source
    arguments = source.node.args
    if arguments.vararg or arguments.kwarg:
        raise source.error(arguments.vararg or arguments.kwarg, "* cannot be a parameter; name the columns one by one")
    parameters = list(scope.parameters)
    head: list[Statement] = []
    if is_row or state:
        marked = "the row" if is_row else "the state"
        if not parameters or parameters[0] not in [a.arg for a in [*arguments.posonlyargs, *arguments.args]]:
            raise source.error(source.node, f"the first parameter is {marked}, and there is none")
        first = parameters.pop(0)
        scope.bindings[first] = ROW if is_row else STATE
    if state:
        translator.fields = tuple(state)
        translator.assigned_fields = set(_assigned_fields(source, first))
        head = [["set", f"state.{name}", ["field", name]] for name in state if name in translator.assigned_fields]
    defaults, fixed = known_parameters(translator, fixed)
    inputs = [name for name in parameters if name not in scope.bindings]
    if is_row:
        head += [["set", scope.prefix + name, ["get", name]] for name in inputs]
    scope.sure |= set(inputs)
    scope.maybe |= set(inputs)
    body = translator.block(source.body)
    names = results(translator, body, outputs)
    if is_row:
        inputs = columns_of_row(translator, inputs)
    for name, value in state.items():
        if isinstance(value, list | dict | set | deque) or type(value).__name__ == "ndarray":
            raise source.error(source.node, f"the field {name} of the state: {STATE_HINT}")
    starts = tuple((name, translator.encode(value, source.node, f"{name}: ")) for name, value in state.items())
    for name, start in starts:
        if not is_constant(start) or isinstance(start, Tup | Table | Members):
            message = f"the field {name} of the state starts as a number, a string, True, False or None; "
            raise source.error(source.node, message + "keep several values in fields of their own")
    known = {name: value for name, value in defaults.items() if name in inputs}
    return Program(source.name, tuple(inputs), starts, names, [*head, *body], known, fixed)


def defaults_of(translator: Statements) -> dict[str, Any]:
    """Return the defaults of the function's parameters."""
    function, arguments = translator.scope.function, translator.scope.source.node.args
    positional = [a.arg for a in [*arguments.posonlyargs, *arguments.args]]
    pairs = zip(reversed(positional), reversed(function.__defaults__ or ()), strict=False)
    return dict(reversed(list(pairs))) | (function.__kwdefaults__ or {})


def known_parameters(translator: Statements, fixed: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Bind the parameters that are constants; return the defaults, and the constants."""
    scope = translator.scope
    defaults = defaults_of(translator)
    known = dict(fixed)
    for name, value in {**defaults, **fixed}.items():
        encoded = translator.encode(value, scope.source.node, f"the value of {name}: ")
        if isinstance(encoded, Tup | Table | Members) or name in fixed:
            scope.bindings[name] = encoded
            known[name] = value
        elif type(encoded) is int and not scope.assignments[name]:
            translator.fixable[scope.prefix + name] = name, encoded
    return defaults, known


def columns_of_row(translator: Statements, parameters: list[str]) -> list[str]:
    """Return the inputs of a function of a row: its columns, then its other parameters."""
    source = translator.scope.source
    if not translator.columns:
        raise source.error(source.node, "the function uses no column of the row; write r.price or r['price']")
    both = [name for name in parameters if name in translator.columns]
    if both:
        raise source.error(source.node, f"{both[0]} is a column and a parameter; rename the parameter")
    return [*translator.columns, *parameters]


def _assigned_fields(source: Source, state: str) -> list[str]:
    return [
        node.attr
        for statement in source.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == state
    ]


def results(translator: Statements, body: list[Statement], wanted: Sequence[str] | None) -> tuple[str, ...]:
    """Write the `return` statements; return the names of the outputs, none for one plain result."""
    scope = translator.scope
    source = scope.source
    if scope.live:
        if translator.fields:
            raise source.error(source.node, "a path ends without return; every path returns a state and a result")
        if not scope.returns:
            raise source.error(source.node, f"{source.name} never returns a value")
        falls: Statement = ["return", [], []]
        body.append(falls)
        scope.returns.append(Return(body, falls, None, ast.Return(value=None)))
    found = _aligned([(item, *_split(translator, item)) for item in scope.returns], translator)
    sizes = {len(result.items) if isinstance(result, Tup) else 0 for _, _, result in found if result is not None}
    if len(sizes) > 1:
        odd = found[-1][0].node if found[-1][2] is not None else found[0][0].node
        raise source.error(odd, "every return must have the same number of results")
    size = next(iter(sizes), 0)
    for item, state, result in found:
        values = result.items if isinstance(result, Tup) else (result,) * max(size, 1)
        for value in values:
            if isinstance(value, Tup) or value in (ROW, STATE):
                raise source.error(item.node, "a result is a number, or a tuple of numbers")
        item.placeholder[1:] = [list(values), list(state)]
    names = _names([(item.node, result) for item, _, result in found], size, bool(translator.fields), scope)
    if wanted is None:
        return names
    if len(wanted) != size:
        msg = f"{source.name}: outputs names {len(wanted)} fields, but the function returns {size or 'one value'}"
        raise ValueError(msg)
    return tuple(wanted)


_Found: TypeAlias = "tuple[Return, Sequence[Expr], Value]"


def _aligned(found: list[_Found], translator: Statements) -> list[_Found]:
    """Return the results with those of dicts in one order; raise if their names differ."""
    has_state = bool(translator.fields)
    named = [(item, keys_of(_shown(item.node, has_state))) for item, _, result in found if result is not None]
    names = next((keys for _, keys in named if keys is not None), None)
    if names is None:
        return found
    for item, keys in named:
        if keys is None or set(keys) != set(names):
            wanted = ", ".join(repr(name) for name in names)
            raise translator.scope.source.error(item.node, f"every return must have the same names: {wanted}")
    return [(item, state, _in_order(result, names)) for item, state, result in found]


def _in_order(result: Value, names: tuple[str, ...]) -> Value:
    if result is None:
        return None
    return Tup(tuple(result.items[result.names.index(name)] for name in names), result.before, names)


def _shown(node: ast.Return, has_state: bool) -> ast.expr | None:
    """Return the part of `return` that is the result, if it can be seen."""
    shown = node.value
    if not has_state:
        return shown
    return shown.elts[1] if isinstance(shown, ast.Tuple) and len(shown.elts) == 2 else None


def _split(translator: Statements, item: Return) -> tuple[Sequence[Expr], Value]:
    """Split what a function returns into the next state and the result."""
    fields, value, error = translator.fields, item.value, translator.scope.source.error
    if not fields:
        return (), value
    if not isinstance(value, Tup) or len(value.items) != 2:
        raise error(item.node, "return the next state and the result: return state, result")
    state, result = value.items
    if state is STATE:
        return [translator.field(name, item.node) for name in fields], result
    fitting = isinstance(state, Tup) and len(state.items) == len(fields) and state.names in (None, fields)
    if not fitting or any(isinstance(part, Tup) or part is STATE for part in state.items):
        msg = f"the next state has {len(fields)} fields: return hs.state({', '.join(fields)}), result"
        raise error(item.node, msg)
    return list(state.items), result


def _names(returns: list[tuple[ast.Return, Value]], size: int, has_state: bool, scope: Scope) -> tuple[str, ...]:
    """Return the names of the outputs: the names of the variables, if every return has the same."""
    found = set()
    for node, result in returns:
        if result is None:
            continue
        shown = _shown(node, has_state)
        if keys_of(shown) is not None:
            return result.names or ()
        items = shown.elts if isinstance(shown, ast.Tuple) else []
        found.add(tuple(i.id for i in items if isinstance(i, ast.Name) and scope.is_local(i.id)))
    if len(found) == 1 and len(names := found.pop()) == size == len(set(names)):
        return names
    return tuple(f"field_{number}" for number in range(size))
