"""Tuples, ranges and generators: their number of items is known, so that what is done with each is written out."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hypostyle._functions import hints
from hypostyle._functions.tables import Tables
from hypostyle._functions.values import Expr, Statement, Tup, Value

MANY = 16
"""The most items that a sum adds in one expression: more are one statement each, for expressions nest."""

Comprehension = ast.GeneratorExp | ast.ListComp


class Groups(Tables):
    """Translates what goes through a known number of items."""

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
        match arguments[0]:
            case ast.ListComp(elt=item, generators=[ast.comprehension(ifs=[_, *_])]) if self.has_values(item) or (
                isinstance(item, ast.Name)
            ):
                # How many items meet the condition.
                group = self.filtered(arguments[0], lambda test, _: ["if", test, 1, 0])
                total: Expr = 0
                for one in group.items:
                    total = ["+", total, one]
                return self.after(group.before, total)
        value = self.value(arguments[0])
        if not isinstance(value, Tup):
            raise self.error(node, "len is compiled for tuples only; a function gets one row, not the column")
        before: list[Statement] = []
        self.kept(value, before)
        return self.after([] if self.has_values(arguments[0]) else before, len(value.items))

    # Things with a known number of items

    def iterable(self, node: ast.expr) -> Tup:
        """Translate a tuple, a list that is written out, a range, zip, enumerate, map, or a generator over these."""
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
            if function is map:
                return self.filtered(self._of_map(node), None)
            if function in (reversed, tuple, list) and len(node.args) == 1 and not node.keywords:
                group = self.iterable(node.args[0])
                return Tup(group.items[::-1], group.before) if function is reversed else group
        value = self.value(node)
        if not isinstance(value, Tup):
            raise self.error(node, "only a tuple, a list written out, or a range of constants can be gone through")
        return value

    def _of_map(self, node: ast.Call) -> ast.expr:
        """Return `map(f, items)` as a generator."""
        function, *given = self.arguments(node)
        if len(given) != 1:
            raise self.error(node, "map is compiled for a function and one tuple, or list written out")
        item = "item of map"  # no name of the user's
        call = ast.Call(function, [ast.Name(item, ast.Load())], [])
        generator = ast.comprehension(ast.Name(item, ast.Store()), given[0], [], 0)
        made = ast.copy_location(ast.GeneratorExp(call, [generator]), node)
        for part in (call, call.args[0], generator.target):
            ast.copy_location(part, node)
        return made

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
