"""Helpers: the call of another Python function becomes a block with its body, under names of its own."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator
from typing import Any

from hypostyle._functions import hints
from hypostyle._functions.errors import UnsupportedError
from hypostyle._functions.numeric import Numeric
from hypostyle._functions.scope import Scope, shape_of
from hypostyle._functions.source import source_of
from hypostyle._functions.values import ERROR, STATE, Some, Statement, Table, Tup, Value, is_constant


class Inline(Numeric):
    """Translates calls of Python functions."""

    active: list[types.CodeType]
    """The helpers that are being inlined, the outermost first."""

    def inline(self, function: types.FunctionType, node: ast.Call) -> Value:
        """Translate the call of another Python function as a block with its body."""
        outer = self.scope
        if any(code is function.__code__ for code in self.active):
            raise self.error(node, f"{function.__name__} calls itself; write a while loop")
        try:
            source = source_of(function)
        except UnsupportedError as reason:
            raise self.error(node, str(reason.msg)) from None
        self.counter += 1
        code = function.__code__
        scope = Scope(source, f"{self.name_prefix}{source.name}.{self.counter}.", is_helper=True)
        if code in self.around and code.co_freevars:
            scope.outer, scope.free = self.around[code], frozenset(code.co_freevars)
        statements: list[Statement] = []
        for name, value in self._bind(source.node.args, function, node):
            if value is STATE:
                raise self.error(node, "the state cannot be passed to a function; pass its fields")
            if (is_constant(value) or not isinstance(value, list | Tup)) and not scope.assignments[name]:
                scope.bindings[name] = self.kept(value, statements) if isinstance(value, Table | Some) else value
                scope.locals.discard(name)
                continue
            self.storable(value, node)
            statements += self.write(scope.prefix + name, value)
            scope.shapes[name] = shape_of(value)
            scope.sure.add(name)
            scope.maybe.add(name)
        self.scope = scope
        self.active.append(function.__code__)
        body = self.block(source.body)
        self.active.pop()
        body[:0] = statements
        value = self._result(scope, body)
        self.scope = outer
        return value

    def _bind(self, parameters: ast.arguments, function: types.FunctionType, node: ast.Call) -> Iterator[Any]:
        """Yield the parameters of a helper with their values, in the order of the call."""
        if parameters.vararg or parameters.kwarg:
            raise self.error(node, f"{function.__name__} has * in its parameters; name them one by one")
        positional = [a.arg for a in [*parameters.posonlyargs, *parameters.args]]
        by_name = [a.arg for a in [*parameters.args, *parameters.kwonlyargs]]
        given: dict[str, Value] = {}
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                raise self.error(argument, hints.of(argument))
            if len(given) == len(positional):
                raise self.error(argument, f"{function.__name__} takes {len(positional)} positional arguments")
            given[positional[len(given)]] = self.value(argument)
        for keyword in node.keywords:
            if keyword.arg is None:
                raise self.error(keyword, hints.NODES[ast.Starred])
            if keyword.arg not in by_name or keyword.arg in given:
                raise self.error(keyword, f"{function.__name__} does not take {keyword.arg} here")
            given[keyword.arg] = self.value(keyword.value)
        defaults = dict(zip(positional[::-1], (function.__defaults__ or ())[::-1], strict=False))
        defaults |= function.__kwdefaults__ or {}
        for name in [*positional, *(a.arg for a in parameters.kwonlyargs)]:
            if name in given:
                continue
            if name not in defaults:
                raise self.error(node, f"{function.__name__} needs a value for {name}")
            given[name] = self.encode(defaults[name], node, f"the default of {name}: ")
        yield from given.items()

    def _result(self, scope: Scope, statements: list[Statement]) -> Value:
        """Return the value of a helper whose body is translated."""
        shapes = {shape_of(item.value) for item in scope.returns}
        if shapes <= {None}:
            for item in scope.returns:
                item.placeholder[1] = [item.value]
            if len(statements) == 1 and statements[0][0] == "return":
                return statements[0][1][0]
            return ["block", statements]
        if len(shapes) > 1:
            node = scope.returns[-1].node
            raise self.error(node, "every return must have one shape: a number, or tuples of one length")
        if len(statements) == 1:
            return scope.returns[0].value
        variable = self.fresh("result")
        for item in scope.returns:
            where = next(i for i, statement in enumerate(item.block) if statement is item.placeholder)
            item.placeholder[1] = [None]
            item.block[where:where] = self.write(variable, item.value)
        if scope.live:
            statements.append(["set", self.fresh("none"), ERROR])
        result = self.read(variable, next(iter(shapes)))
        return Tup(result.items, (["set", self.fresh("done"), ["block", statements]],), result.names)

    def storable(self, value: Value, node: ast.AST) -> None:
        """Raise if a value cannot be kept in a variable."""
        raise NotImplementedError

    def block(self, statements: list[ast.stmt]) -> list[Statement]:
        """Translate statements."""
        raise NotImplementedError


def helper_of(function: object) -> types.FunctionType | None:
    """Return the Python function of a function: itself, or the one below `hs.jit` or numba's decorators."""
    for _ in range(2):
        if isinstance(function, types.FunctionType):
            return function
        function = getattr(function, "py_func", None) or getattr(function, "function", None)
    return None
