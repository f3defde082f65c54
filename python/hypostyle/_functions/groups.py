"""Tuples, ranges and generators: their number of items is known, so that what is done with each is written out."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from contextlib import contextmanager

from hypostyle._functions import hints
from hypostyle._functions.tables import Tables
from hypostyle._functions.values import Expr, Members, Some, Statement, Table, Tup, Value, fold

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

    def sum(self, node: ast.Call) -> Expr:
        """Translate `sum` as additions."""
        arguments = self.arguments(node, "start")
        if len(arguments) not in (1, 2):
            raise self.error(node, "sum takes a tuple or a generator over constants")
        some = self.some(arguments[0])
        total: Expr = 0
        before = list(some.before)
        if len(arguments) == 2:
            total = self.kept(self.expr(arguments[1]), before)
        if any(condition is not None for condition, _ in some.items):
            variable = self.fresh("sum")
            before.append(["set", variable, total])
            for condition, item in some.items:
                add: Statement = ["set", variable, ["+", ["get", variable], self.number(item, arguments[0])]]
                before.append(add if condition is None else ["if", condition, [add], []])
            return self.after(before, ["get", variable])
        items = [self.number(item, arguments[0]) for _, item in some.items]
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
        some = self.some(arguments[0])
        items: list[Expr] = []
        for condition, item in some.items:
            number = self.number(item, arguments[0])
            if condition is not None:
                number = ["and", [condition, number]] if is_any else ["or", [["not", condition], number]]
            items.append(number)
        if not items:
            return self.after(some.before, not is_any)
        joined: Expr = items[0] if len(items) == 1 else ["or" if is_any else "and", items]
        return self.after(some.before, ["call", "bool", [joined]])

    def number(self, item: Value, node: ast.expr) -> Expr:
        """Return an item; raise if it is a tuple itself."""
        if isinstance(item, Tup):
            raise self.error(node, "the items must be numbers, not tuples")
        return self.operand_of(item, node)

    def length(self, node: ast.Call) -> Expr:
        """Translate `len` of a tuple."""
        arguments = self.arguments(node)
        if len(arguments) != 1:
            raise self.error(node, "len takes one tuple")
        table = self.table(arguments[0])
        if table is not None:
            number = len({fold(key, {}) for key, _ in table.entries if not isinstance(key, Tup)})
            if any(isinstance(key, Tup) for key, _ in table.entries):
                raise self.error(node, "len of a dict with tuples as keys is not compiled; write the number")
            return self.after(table.before, number)
        value = self.value(arguments[0])
        if isinstance(value, Members):
            return len(value.items)
        if isinstance(value, Some):
            # How many items meet their condition.
            total: Expr = 0
            for condition, _ in value.items:
                total = ["+", total, 1 if condition is None else ["if", condition, 1, 0]]
            return self.after(value.before, total)
        if not isinstance(value, Tup):
            message = "len is compiled for tuples only; of a string pass pl.col('x').str.len_chars() as a column"
            raise self.error(node, message)
        before: list[Statement] = []
        self.kept(value, before)
        return self.after([] if self.has_values(arguments[0]) else before, len(value.items))

    # Things with a known number of items

    def iterable(self, node: ast.expr) -> Tup:
        """Translate a tuple, a list that is written out, a range, zip, enumerate, map, or a generator over these."""
        if isinstance(node, ast.List):
            return self.tuple_display(node)
        if isinstance(node, Comprehension):
            return self.filtered(node)
        if isinstance(node, ast.Call):
            if (pairs := self._of_table(node)) is not None:
                return pairs
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
                return self.filtered(self._of_map(node))
            if function in (reversed, tuple, list) and len(node.args) == 1 and not node.keywords:
                group = self.iterable(node.args[0])
                return Tup(group.items[::-1], group.before) if function is reversed else group
        table = self.table(node)
        if table is not None:
            return Tup(tuple(key for key, _ in table.entries), table.before)
        value = self.value(node)
        if isinstance(value, Some):
            raise self.error(node, hints.SOME)
        if not isinstance(value, Tup):
            raise self.error(node, "only a tuple, a list written out, or a range of constants can be gone through")
        return value

    def _of_table(self, node: ast.Call) -> Tup | None:
        """Return `table.items()`, `.keys()` or `.values()` as a tuple; None if it is none of them."""
        if not isinstance(node.func, ast.Attribute) or node.args or node.keywords:
            return None
        what = node.func.attr
        if what not in ("items", "keys", "values") or (table := self.table(node.func.value)) is None:
            return None
        keys = [repr(key) for key, _ in table.entries]
        if len(set(keys)) < len(keys):
            raise self.error(node, "a dict with two equal keys is not gone through; leave one out")
        pairs = table.entries
        items = {"items": tuple(Tup(pair) for pair in pairs), "keys": tuple(key for key, _ in pairs)}
        return Tup(items.get(what, tuple(value for _, value in pairs)), table.before)

    def contained(self, node: ast.expr) -> Tup | Table | Some | Members:
        """Translate what may follow `in`."""
        if isinstance(node, ast.Name):
            value = self.value(node)
            if isinstance(value, Table | Some | Members):
                return value
        some = self.some(node)
        if any(condition is not None for condition, _ in some.items):
            return some
        return Tup(tuple(item for _, item in some.items), some.before)

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

    def filtered(self, node: ast.expr) -> Tup:
        """Translate a generator whose conditions are known: one item for each round."""
        some = self.some(node)
        if any(condition is not None for condition, _ in some.items):
            raise self.error(node, "here the condition of a generator must be a constant")
        return Tup(tuple(item for _, item in some.items), some.before)

    def listed(self, node: ast.ListComp) -> Tup | Some:
        """Translate a list; all of its conditions and items are evaluated where it stands."""
        some = self.some(node)
        if all(condition is None for condition, _ in some.items):
            return Tup(tuple(item for _, item in some.items), some.before)
        before = list(some.before)
        items: list[tuple[Expr, Value]] = []
        for condition, item in some.items:
            if condition is None:
                items.append((None, self.kept(item, before)))
                continue
            test = self.kept(["call", "bool", [condition]], before)
            items.append((test, self.kept(["if", test, self.number(item, node), None], before)))
        return Some(tuple(items), tuple(before))

    def some(self, node: ast.expr) -> Some:
        """Translate what has a known number of items, each under its condition: they are evaluated one by one."""
        if isinstance(node, ast.Name):
            value = self.value(node)
            if isinstance(value, Some):
                return value
        if not isinstance(node, Comprehension):
            group = self.iterable(node)
            return Some(tuple((None, item) for item in group.items), group.before)
        before: list[Statement] = []
        with self.on_some_path():
            items = tuple(self._rounds(node, list(node.generators), before))
        return Some(items, tuple(before))

    def _rounds(
        self,
        node: ast.GeneratorExp | ast.ListComp,
        generators: list[ast.comprehension],
        before: list[Statement],
        tests: tuple[Expr, ...] = (),
    ) -> Iterator[tuple[Expr, Value]]:
        if not generators:
            condition = None if not tests else tests[0] if len(tests) == 1 else ["and", list(tests)]
            yield condition, self.value(node.elt)
            return
        generator, *others = generators
        if generator.is_async:
            raise self.error(node, hints.NODES[ast.AsyncFor])
        group = self.kept(self.some(generator.iter), before)
        for condition, item in group.items:
            item = self.kept(item, before) if condition is None else item
            with self.bound(self.unpacked(generator.target, item)):
                own = [self.test(test) for test in generator.ifs]
                known = [self.known_truth(test) for test in own]
                if condition is None and False in known and None not in known[: known.index(False)]:
                    continue
                own = [test for test, truth in zip(own, known, strict=True) if truth is not True]
                given = [] if condition is None else [condition]
                yield from self._rounds(node, others, before, (*tests, *given, *own))

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
