"""Calls: functions that a program knows, the next state, and helpers."""

from __future__ import annotations

import ast
import builtins
import statistics
from collections.abc import Callable
from typing import cast

from hypostyle._functions import hints
from hypostyle._functions.inline import helper_of
from hypostyle._functions.known import known_function, tests_missing
from hypostyle._functions.moments import makes_times
from hypostyle._functions.names import NOTHING
from hypostyle._functions.records import arguments_of, fields_of
from hypostyle._functions.state import state
from hypostyle._functions.times import Times
from hypostyle._functions.values import ROW, Expr, Statement, Tup, Value, is_text
from hypostyle._functions.ways_out import is_foreign, of_function, of_method


class Calls(Times):
    """Translates calls."""

    def call(self, node: ast.Call) -> Value:
        """Translate a call."""
        function = self.object_of(node.func)
        if function is NOTHING:
            method = isinstance(node.func, ast.Attribute)
            is_row = isinstance(node.func, ast.Attribute) and self._is_row(node.func.value)
            match node:
                case ast.Call(func=ast.Attribute(value=owner, attr="get"), args=[key, *rest], keywords=[]):
                    if len(rest) < 2 and (table := self.table(owner)) is not None:
                        return self.looked_up(table, key, rest[0] if rest else ast.Constant(None), node)
            if (moved := self.with_parts(node)) is not None:
                return moved
            if isinstance(node.func, ast.Attribute) and not node.args and not node.keywords:
                part = self.time_part(node.func.value, node.func.attr, is_call=True)
                if part is not None:
                    return part
            message = of_method(node) if method else "a call of a value is not compiled; name the function"
            raise self.error(node, hints.METHOD if is_row else message)
        special = self._specials().get(id(function))
        if special is not None:
            return special(node)
        if (numeric := self.numeric(function)) is not None:
            return numeric(node)
        if (record := self.record(function, node)) is not None:
            return record
        known = known_function(function)
        if known is not None:
            arguments = self.arguments(node)
            if not known.fewest <= len(arguments) <= known.most:
                raise self.error(node, f"{known.name} takes {_counts(known.fewest, known.most)} here")
            values = [self.operand(argument) for argument in arguments]
            texts = [at for at, value in enumerate(values) if self.gives_text(value)]
            if known.name == "np.where" and texts and 0 not in texts:
                return ["if", ["call", "bool", [values[0]]], *values[1:]]
            if texts:
                raise self.error(arguments[texts[0]], hints.STRING)
            return ["call", known.name, values]
        if (says := tests_missing(function)) is not None:
            return self.missing(node, says)
        if makes_times(function):
            return self.made_time(cast("Callable[..., object]", function), node)
        helper = helper_of(function)
        if helper is not None and getattr(getattr(function, "program", None), "state", None):
            raise self.error(node, f"{helper.__name__} has a state of its own; call it with columns")
        if helper is not None and not is_foreign(helper):
            return self.inline(helper, node)
        raise self.error(node, hints.CALLS.get(id(function)) or of_function(function))

    def _is_row(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and self.scope.bindings.get(node.id) is ROW

    def _specials(self) -> dict[int, Callable[[ast.Call], Value]]:
        return {
            id(builtins.min): self.extreme,
            id(builtins.max): self.extreme,
            id(builtins.sorted): self.sorted,
            id(builtins.sum): self.sum,
            id(builtins.any): self.any_or_all,
            id(builtins.all): self.any_or_all,
            id(builtins.len): self.length,
            id(builtins.round): self.round,
            id(builtins.float): self.float,
            id(builtins.pow): self.power,
            id(builtins.divmod): self.divmod,
            id(builtins.range): self.iterable,
            id(builtins.zip): self.iterable,
            id(builtins.enumerate): self.iterable,
            id(builtins.reversed): self.iterable,
            id(builtins.tuple): self.iterable,
            id(builtins.map): self.iterable,
            id(builtins.dict): self.dict_of,
            id(builtins.next): self.next,
            id(statistics.median): self.median,
            id(state): self.new_state,
        }

    def record(self, made: object, node: ast.Call) -> Tup | None:
        """Translate the call of a namedtuple or a dataclass as a tuple with names; None if it is none."""
        fields = fields_of(made)
        if fields is None:
            return None
        given = fields if isinstance(fields, str) else arguments_of(node, *fields)
        if isinstance(given, str):
            raise self.error(node, given)
        group = self.joined([self.value(argument) for argument in given.values()])
        return Tup(group.items, group.before, tuple(given))

    def dict_of(self, node: ast.Call) -> Value:
        """Translate `dict(a=1, b=2)`."""
        table = self.table(node)
        if table is None:
            raise self.error(node, "dict is compiled with names: dict(low=1, high=2)")
        return table

    def float(self, node: ast.Call) -> Expr:
        """Translate `float`; of a string it is a constant, such as `float("nan")`."""
        arguments = self.arguments(node)
        if len(arguments) != 1:
            raise self.error(node, "float takes 1 argument here")
        value = self.operand(arguments[0])
        if not is_text(value):
            return ["call", "float", [value]]
        try:
            return self.encode(builtins.float(value[1]), node)
        except ValueError as reason:
            raise self.error(node, str(reason)) from None

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

    def missing(self, node: ast.Call, says: bool) -> Value:
        """Translate `pd.isna` of one value, which is true of None and NaN, or `pd.notna`."""
        arguments = self.arguments(node)
        if len(arguments) != 1:
            raise self.error(node, "isna takes one value")
        before: list[Statement] = []
        value = self.kept(self.operand(arguments[0]), before)
        test: Expr = ["or", [["is_none", value], ["compare", value, [["!=", value]]]]]
        return self.after(before, test if says else ["not", test])

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
            items[fields[len(items)]] = self.operand(argument)
        for keyword in node.keywords:
            if keyword.arg not in fields:
                msg = f"the state has no field {keyword.arg}; its fields are {', '.join(fields)}"
                raise self.error(keyword, msg if keyword.arg else hints.NODES[ast.Starred])
            if keyword.arg in items:
                raise self.error(keyword, f"the field {keyword.arg} is given twice")
            items[keyword.arg] = self.operand(keyword.value)
        missing = [name for name in fields if name not in items]
        if missing:
            raise self.error(node, f"hs.state needs every field; missing: {', '.join(missing)}")
        if list(items) == list(fields):
            return Tup(tuple(items.values()), names=fields)
        before: list[Statement] = []
        kept = {name: self.kept(item, before) for name, item in items.items()}
        return Tup(tuple(kept[name] for name in fields), tuple(before), fields)


def _counts(fewest: int, most: int) -> str:
    if fewest == most:
        return f"{fewest} argument{'s' if fewest > 1 else ''}"
    return f"{fewest} to {most} arguments"
