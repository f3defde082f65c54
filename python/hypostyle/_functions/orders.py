"""What orders a known number of items: `min`, `max`, `sorted`, the median, and the first one of a generator."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence

from hypostyle._functions.groups import Groups
from hypostyle._functions.values import ERROR, Expr, Some, Statement, Tup, Value

_MOST = 5
"""The most items that are sorted: each is compared with every other one."""


class Orders(Groups):
    """Translates functions that compare items with one another."""

    def extreme(self, node: ast.Call) -> Expr:
        """Translate `min` and `max`."""
        name = "min" if self.object_of(node.func) is builtins.min else "max"
        named = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg in ("key", "default")}
        plain = ast.Call(node.func, node.args, [k for k in node.keywords if k.arg not in named])
        arguments = self.arguments(ast.copy_location(plain, node))
        key, default = named.get("key"), named.get("default")
        if not arguments:
            raise self.error(node, f"{name} needs values")
        if len(arguments) > 1:
            if default is not None:
                raise self.error(default, f"{name} of several values takes no default")
            some = Some(tuple((None, self.expr(argument)) for argument in arguments))
        else:
            some = self.some(arguments[0])
        items = [(condition, self.number(item, node)) for condition, item in some.items]
        before = list(some.before)
        other: Expr = ERROR
        if default is not None:
            other = self.kept(self.operand(default), before)
        if not items:
            if default is None:
                raise self.error(node, f"{name} of an empty tuple has no value")
            return self.after(before, other)
        if key is not None or any(condition is not None for condition, _ in items):
            return self.after(before, self._best(name, items, key, other))
        numbers = [item for _, item in items]
        return self.after(before, numbers[0] if len(numbers) == 1 else ["call", name, numbers])

    def _best(self, name: str, items: Sequence[tuple[Expr, Expr]], key: ast.expr | None, other: Expr) -> Expr:
        """Go through items, each under its condition; the first one is the best until a better one comes."""
        sign = "<" if name == "min" else ">"
        best, rank, found = self.fresh("best"), self.fresh("rank"), self.fresh("found")
        statements: list[Statement] = [["set", found, False], ["set", best, None], ["set", rank, None]]
        for condition, item in items:
            inner: list[Statement] = []
            value = self.kept(item, inner)
            ranked = value
            if key is not None:
                ranked = self.kept(self._applied(key, value), inner)
            better = ["or", [["not", ["get", found]], ["compare", ranked, [[sign, ["get", rank]]]]]]
            inner.append(["if", better, [["set", best, value], ["set", rank, ranked]], []])
            inner.append(["set", found, True])
            statements += inner if condition is None else [["if", condition, inner, []]]
        return self.after(statements, ["if", ["get", found], ["get", best], other])

    def _applied(self, function: ast.expr, value: Value) -> Expr:
        """Translate the call of a function with a value."""
        name = "item of key"  # no name of the user's
        if isinstance(function, ast.Lambda):
            parameters = function.args
            if len(parameters.args) != 1 or parameters.defaults or parameters.vararg or parameters.kwonlyargs:
                raise self.error(function, "the key is a function of one value")
            with self.bound({parameters.args[0].arg: value}):
                return self.expr(function.body)
        call = ast.Call(function, [ast.copy_location(ast.Name(name, ast.Load()), function)], [])
        with self.bound({name: value}):
            return self.expr(ast.copy_location(call, function))

    def next(self, node: ast.Call) -> Value:
        """Translate `next((v for v in (a, b) if v is not None), default)`."""
        arguments = self.arguments(node)
        if not 1 <= len(arguments) <= 2 or not isinstance(arguments[0], ast.GeneratorExp):
            raise self.error(node, "next is compiled for a generator over constants, with a default: next((...), None)")
        some = self.some(arguments[0])
        before = list(some.before)
        other = ERROR if len(arguments) == 1 else self.kept(self.operand(arguments[1]), before)
        return self.after(before, self.first(some.items, other, node))

    def sorted(self, node: ast.Call) -> Tup:
        """Translate `sorted` of two to five items; a NaN among three or more puts the row in error."""
        reverse = False
        for keyword in node.keywords:
            if keyword.arg == "reverse" and isinstance(keyword.value, ast.Constant):
                reverse = bool(keyword.value.value)
            else:
                raise self.error(keyword, "sorted is compiled with reverse=True only, without a key")
        if len(node.args) != 1:
            raise self.error(node, "sorted takes one tuple")
        before: list[Statement] = []
        group = self.kept(self.iterable(node.args[0]), before)
        items = [self.number(item, node) for item in group.items]
        return Tup(tuple(self._in_order(items, before, node, reverse=reverse)), tuple(before))

    def _in_order(
        self, items: list[Expr], before: list[Statement], node: ast.AST, *, reverse: bool = False
    ) -> list[Expr]:
        """Return items in order: each has the place of how many stand before it; equal ones stay as they are."""
        count = len(items)
        if count > _MOST:
            raise self.error(node, f"{count} values are not sorted; up to {_MOST} are, or use Polars' list.sort")
        if count < 2:
            return items
        if count == 2:
            swapped: Expr = ["compare", items[1], [[">" if reverse else "<", items[0]]]]
            if reverse:  # the list is reversed before and behind: the second one is compared as the first
                swapped = ["compare", items[0], [["<", items[1]]]]
            swap = self.kept(swapped, before)
            return [["if", swap, items[1], items[0]], ["if", swap, items[0], items[1]]]
        for item in items:
            before.append(["if", ["compare", item, [["!=", item]]], [["set", self.fresh("raised"), ERROR]], []])
        places: list[Expr] = [0] * count
        for first in range(count):
            for second in range(first + 1, count):
                one, other = (first, second) if reverse else (second, first)
                moves = self.kept(["compare", items[one], [["<", items[other]]]], before)
                places[first] = ["+", places[first], ["if", moves, 1, 0]]
                places[second] = ["+", places[second], ["if", moves, 0, 1]]
        places = [self.kept(place, before) for place in places]
        ordered: list[Expr] = []
        for number in range(count):
            chosen = items[-1]
            for place, item in reversed(list(zip(places[:-1], items[:-1], strict=True))):
                chosen = ["if", ["compare", place, [["==", number]]], item, chosen]
            ordered.append(self.kept(chosen, before))
        return ordered

    def median(self, node: ast.Call) -> Expr:
        """Translate `statistics.median` of up to five items."""
        arguments = self.arguments(node)
        if len(arguments) != 1:
            raise self.error(node, "median takes one tuple")
        before: list[Statement] = []
        group = self.kept(self.iterable(arguments[0]), before)
        items = [self.number(item, node) for item in group.items]
        if not items:
            raise self.error(node, "the median of no values is none")
        ordered = self._in_order(items, before, node)
        middle = len(ordered) // 2
        if len(ordered) % 2:
            return self.after(before, ordered[middle])
        return self.after(before, ["/", ["+", ordered[middle - 1], ordered[middle]], 2])
