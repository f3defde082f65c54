"""Calls: functions that a program knows, functions over tuples (written out), and helpers (inlined)."""

from __future__ import annotations

import ast
import builtins
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hypostyle._functions import hints
from hypostyle._functions.errors import UnsupportedError
from hypostyle._functions.expressions import NOTHING, Expressions
from hypostyle._functions.known import known_function
from hypostyle._functions.scope import Scope, shape_of
from hypostyle._functions.source import source_of
from hypostyle._functions.state import state
from hypostyle._functions.values import ERROR, STATE, Expr, Statement, Tup, Value, is_constant

MANY = 16
"""The most items that a sum adds in one expression: more are one statement each, for expressions nest."""

Comprehension = ast.GeneratorExp | ast.ListComp


class Calls(Expressions):
    """Translates calls."""

    def call(self, node: ast.Call) -> Value:
        """Translate a call."""
        function = self.object_of(node.func)
        if function is NOTHING:
            method = isinstance(node.func, ast.Attribute)
            raise self.error(node, hints.METHOD if method else "a call of a value is not compiled; name the function")
        special = self._specials().get(id(function))
        if special is not None:
            return special(node)
        known = known_function(function)
        if known is not None:
            arguments = self.arguments(node)
            if not known.fewest <= len(arguments) <= known.most:
                raise self.error(node, f"{known.name} takes {_counts(known.fewest, known.most)} here")
            return ["call", known.name, [self.expr(argument) for argument in arguments]]
        helper = helper_of(function)
        if helper is not None and getattr(getattr(function, "program", None), "state", None):
            raise self.error(node, f"{helper.__name__} has a state of its own; call it with columns")
        if helper is not None:
            return self.inline(helper, node)
        raise self.error(node, hints.CALLS.get(id(function)) or _not_compiled(function))

    def _specials(self) -> dict[int, Callable[[ast.Call], Value]]:
        return {
            id(builtins.min): self.extreme,
            id(builtins.max): self.extreme,
            id(builtins.sum): self.sum,
            id(builtins.any): self.any_or_all,
            id(builtins.all): self.any_or_all,
            id(builtins.len): self.length,
            id(builtins.round): self.round,
            id(builtins.pow): self.power,
            id(builtins.divmod): self.divmod,
            id(builtins.range): self.iterable,
            id(builtins.zip): self.iterable,
            id(builtins.enumerate): self.iterable,
            id(builtins.reversed): self.iterable,
            id(builtins.tuple): self.iterable,
            id(state): self.new_state,
        }

    def arguments(self, node: ast.Call, *names: str) -> list[ast.expr]:
        """Return the arguments; `names` may be given by keyword."""
        given = list(node.args)
        for argument in given:
            if isinstance(argument, ast.Starred):
                raise self.error(argument, hints.of(argument))
        for keyword in node.keywords:
            if keyword.arg is None or keyword.arg not in names or names.index(keyword.arg) != len(given):
                raise self.error(keyword, f"{ast.unparse(node.func)} is compiled without this keyword")
            given.append(keyword.value)
        return given

    # Functions over tuples

    def extreme(self, node: ast.Call) -> Expr:
        """Translate `min` and `max`."""
        arguments = self.arguments(node)
        name = "min" if self.object_of(node.func) is builtins.min else "max"
        if len(arguments) != 1:
            if not arguments:
                raise self.error(node, f"{name} needs values")
            return ["call", name, [self.expr(argument) for argument in arguments]]
        group = self.numbers(self.iterable(arguments[0]), arguments[0])
        if not group.items:
            raise self.error(node, f"{name} of an empty tuple has no value")
        items = list(group.items)
        return self.after(group.before, items[0] if len(items) == 1 else ["call", name, items])

    def sum(self, node: ast.Call) -> Expr:
        """Translate `sum` as additions."""
        arguments = self.arguments(node, "start")
        if len(arguments) not in (1, 2):
            raise self.error(node, "sum takes a tuple or a generator over constants")
        group = self.filtered(arguments[0], lambda test, item: ["if", test, item, 0])
        total: Expr = 0
        before = list(group.before)
        if len(arguments) == 2:
            total = self.kept(self.expr(arguments[1]), before)
        items = self.numbers(group, arguments[0]).items
        if len(items) > MANY:
            variable = self.fresh("sum")
            before.append(["set", variable, total])
            before += [["set", variable, ["+", ["get", variable], item]] for item in items]
            return self.after(before, ["get", variable])
        for item in items:
            total = ["+", total, item]
        return self.after(before, total)

    def any_or_all(self, node: ast.Call) -> Expr:
        """Translate `any` and `all` as `or` and `and`."""
        arguments = self.arguments(node)
        if len(arguments) != 1:
            raise self.error(node, "any and all take a tuple or a generator over constants")
        is_any = self.object_of(node.func) is builtins.any
        if is_any:
            group = self.filtered(arguments[0], lambda test, item: ["and", [test, item]])
        else:
            group = self.filtered(arguments[0], lambda test, item: ["or", [["not", test], item]])
        items = list(self.numbers(group, arguments[0]).items)
        if not items:
            return self.after(group.before, not is_any)
        joined: Expr = items[0] if len(items) == 1 else ["or" if is_any else "and", items]
        return self.after(group.before, ["call", "bool", [joined]])

    def numbers(self, group: Tup, node: ast.expr) -> Tup:
        """Return a tuple; raise if an item is a tuple itself."""
        if any(isinstance(item, Tup) for item in group.items):
            raise self.error(node, "the items must be numbers, not tuples")
        return group

    def length(self, node: ast.Call) -> Expr:
        """Translate `len` of a tuple."""
        arguments = self.arguments(node)
        if len(arguments) != 1:
            raise self.error(node, "len takes one tuple")
        value = self.value(arguments[0])
        if not isinstance(value, Tup):
            raise self.error(node, "len is compiled for tuples only; a function gets one row, not the column")
        before: list[Statement] = []
        self.kept(value, before)
        return self.after([] if self.has_values(arguments[0]) else before, len(value.items))

    def round(self, node: ast.Call) -> Expr:
        """Translate `round`."""
        arguments = self.arguments(node, "number", "ndigits")
        values = [self.expr(argument) for argument in arguments]
        if len(values) == 2:
            if values[1] is None:
                values.pop()
            elif (digits := self.values_of(values[1])) is None or len(digits) != 1:
                raise self.error(arguments[1], "the digits of round are a constant: round(x, 2)")
            else:
                values[1] = digits[0]
        if len(values) not in (1, 2):
            raise self.error(node, "round takes a number, and a constant number of digits")
        return ["call", "round", values]

    def power(self, node: ast.Call) -> Expr:
        """Translate `pow` of two numbers."""
        arguments = self.arguments(node, "base", "exp")
        if len(arguments) != 2:
            raise self.error(node, "pow is compiled for two numbers: pow(x, y)")
        return ["**", *(self.expr(argument) for argument in arguments)]

    def divmod(self, node: ast.Call) -> Tup:
        """Translate `divmod`."""
        arguments = self.arguments(node)
        if len(arguments) != 2:
            raise self.error(node, "divmod takes two numbers")
        before: list[Statement] = []
        left, right = (self.kept(self.expr(argument), before) for argument in arguments)
        return Tup((["//", left, right], ["%", left, right]), tuple(before))

    # Things with a known number of items

    def iterable(self, node: ast.expr) -> Tup:
        """Translate a tuple, a list that is written out, a range, zip, enumerate, or a generator over these."""
        if isinstance(node, ast.List):
            return self.tuple_display(node)
        if isinstance(node, Comprehension):
            return self.filtered(node, None)
        if isinstance(node, ast.Call):
            function = self.object_of(node.func)
            if function is range:
                return self.range(node)
            if function is zip:
                groups = [self.iterable(argument) for argument in self.arguments(node)]
                before = [statement for group in groups for statement in group.before]
                rows = zip(*(group.items for group in groups), strict=False)
                return Tup(tuple(Tup(row) for row in rows), tuple(before))
            if function is enumerate:
                return self.enumerate(node)
            if function in (reversed, tuple, list) and len(node.args) == 1 and not node.keywords:
                group = self.iterable(node.args[0])
                return Tup(group.items[::-1], group.before) if function is reversed else group
        value = self.value(node)
        if not isinstance(value, Tup):
            raise self.error(node, "only a tuple, a list written out, or a range of constants can be gone through")
        return value

    def range(self, node: ast.Call) -> Tup:
        """Translate a range of constants."""
        bounds = []
        for argument in self.arguments(node):
            choices = self.values_of(self.expr(argument))
            if choices is None or len(choices) != 1:
                raise self.error(argument, hints.RANGE)
            bounds.append(choices[0])
        if not 1 <= len(bounds) <= 3 or bounds[2:] == [0]:
            raise self.error(node, hints.RANGE)
        numbers = range(*bounds)
        self.count(node, len(numbers))
        return Tup(tuple(numbers))

    def enumerate(self, node: ast.Call) -> Tup:
        """Translate `enumerate`."""
        arguments = self.arguments(node, "iterable", "start")
        if not arguments:
            raise self.error(node, "enumerate takes a tuple")
        group = self.iterable(arguments[0])
        start = self.values_of(self.expr(arguments[1])) if len(arguments) == 2 else [0]
        if start is None or len(start) != 1:
            raise self.error(node, "the start of enumerate is a constant")
        items = tuple(Tup((start[0] + number, item)) for number, item in enumerate(group.items))
        return Tup(items, group.before)

    def filtered(self, node: ast.expr, under: Callable[[Expr, Expr], Expr] | None) -> Tup:
        """Translate a generator: one item for each round; `under` joins an item with its condition."""
        if not isinstance(node, Comprehension):
            return self.iterable(node)
        before: list[Statement] = []
        with self.on_some_path():
            items = tuple(self._rounds(node, list(node.generators), under, before))
        return Tup(items, tuple(before))

    def _rounds(
        self,
        node: ast.GeneratorExp | ast.ListComp,
        generators: list[ast.comprehension],
        under: Callable[[Expr, Expr], Expr] | None,
        before: list[Statement],
    ) -> Iterator[Value]:
        if not generators:
            yield self.value(node.elt) if under is None else self.expr(node.elt)
            return
        generator, *others = generators
        if generator.is_async:
            raise self.error(node, hints.NODES[ast.AsyncFor])
        group = self.iterable(generator.iter)
        kept = self.kept(group, before)
        for item in kept.items:
            with self.bound(self.unpacked(generator.target, item)):
                tests = [self.expr(test) for test in generator.ifs]
                known = [self.known_truth(test) for test in tests]
                if False in known and None not in known[: known.index(False)]:
                    continue
                tests = [test for test, truth in zip(tests, known, strict=True) if truth is not True]
                if tests and under is None:
                    raise self.error(generator.ifs[0], "here the condition of a generator must be a constant")
                test = tests[0] if len(tests) == 1 else ["and", tests]
                for inner in self._rounds(node, others, under, before):
                    yield under(test, inner) if tests and under is not None else inner

    def unpacked(self, target: ast.expr, item: Value) -> dict[str, Value]:
        """Return what the names of a target stand for."""
        if isinstance(target, ast.Name):
            return {target.id: item}
        if isinstance(target, ast.Tuple | ast.List) and isinstance(item, Tup) and len(target.elts) == len(item.items):
            names: dict[str, Value] = {}
            for part, value in zip(target.elts, item.items, strict=True):
                names |= self.unpacked(part, value)
            return names
        raise self.error(target, "the items do not have this shape")

    @contextmanager
    def bound(self, names: dict[str, Value]) -> Iterator[None]:
        """Translate with names that stand for values."""
        outer = self.scope.bindings
        self.scope.bindings = {**outer, **names}
        yield
        self.scope.bindings = outer

    # The state

    def new_state(self, node: ast.Call) -> Tup:
        """Translate `hs.state(up, down)`."""
        fields = self.fields
        if not fields:
            raise self.error(node, "hs.state is for functions with a state; decorate with hs.scan(field=start)")
        items: dict[str, Value] = {}
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                raise self.error(argument, hints.of(argument))
            if len(items) == len(fields):
                raise self.error(argument, f"the state has only the fields {', '.join(fields)}")
            items[fields[len(items)]] = self.expr(argument)
        for keyword in node.keywords:
            if keyword.arg not in fields:
                msg = f"the state has no field {keyword.arg}; its fields are {', '.join(fields)}"
                raise self.error(keyword, msg if keyword.arg else hints.NODES[ast.Starred])
            if keyword.arg in items:
                raise self.error(keyword, f"the field {keyword.arg} is given twice")
            items[keyword.arg] = self.expr(keyword.value)
        missing = [name for name in fields if name not in items]
        if missing:
            raise self.error(node, f"hs.state needs every field; missing: {', '.join(missing)}")
        if list(items) == list(fields):
            return Tup(tuple(items.values()), names=fields)
        before: list[Statement] = []
        kept = {name: self.kept(item, before) for name, item in items.items()}
        return Tup(tuple(kept[name] for name in fields), tuple(before), fields)

    # Helpers

    def inline(self, function: types.FunctionType, node: ast.Call) -> Value:
        """Translate the call of another Python function as a block with its body."""
        outer = self.scope
        if function.__code__ in self.active:
            raise self.error(node, f"{function.__name__} calls itself; write a while loop")
        try:
            source = source_of(function)
        except UnsupportedError as reason:
            raise self.error(node, str(reason.msg)) from None
        self.counter += 1
        scope = Scope(source, f"{self.name_prefix}{source.name}.{self.counter}.", is_helper=True)
        statements: list[Statement] = []
        for name, value in self._bind(source.node.args, function, node):
            if value is STATE:
                raise self.error(node, "the state cannot be passed to a function; pass its fields")
            if (is_constant(value) or not isinstance(value, list | Tup)) and not scope.assignments[name]:
                scope.bindings[name] = value
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

    active: list[types.CodeType]
    """The helpers that are being inlined, the outermost first."""

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


def _counts(fewest: int, most: int) -> str:
    if fewest == most:
        return f"{fewest} argument{'s' if fewest > 1 else ''}"
    return f"{fewest} to {most} arguments"


def _not_compiled(function: object) -> str:
    name = getattr(function, "__qualname__", None) or type(function).__name__
    module = getattr(function, "__module__", None)
    name = f"{module}.{name}" if module not in (None, "builtins") else name
    return f"{name} is not compiled; use operators, the functions of math and numpy, or a Python function of your own"
