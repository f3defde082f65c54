"""Choices by a value: `match` with constants, and an item of a dictionary."""

from __future__ import annotations

import ast
import types
from collections.abc import Sequence

from hypostyle._functions.expressions import Expressions
from hypostyle._functions.names import NOTHING
from hypostyle._functions.scope import Shape, shape_of
from hypostyle._functions.values import ERROR, Expr, Members, Some, Statement, Table, Tup, Value, is_constant


def as_branches(node: ast.Match, subject: str, shape: Shape, *, is_truth: bool) -> list[ast.stmt] | ast.AST:
    """Return `match` as `if` and `elif` of a variable; the part that cannot be written so, if there is one."""
    rest: list[ast.stmt] = []
    for case in reversed(node.cases):
        test = _test_of(case.pattern, ast.Name(subject, ast.Load()), shape, is_truth)
        if isinstance(test, ast.pattern):
            return test
        if case.guard is not None:
            test = case.guard if test is None else ast.BoolOp(ast.And(), [test, case.guard])
        if test is None:
            rest = case.body
            continue
        branch = ast.copy_location(ast.If(test, case.body, rest), case.pattern)
        rest = [ast.fix_missing_locations(branch)]
    return rest


def _test_of(pattern: ast.pattern, subject: ast.expr, shape: Shape, is_truth: bool) -> ast.expr | ast.pattern | None:
    """Return the condition of a pattern; None if it is always met, the pattern itself if it is of another kind."""
    match pattern:
        case ast.MatchAs(pattern=None, name=None):
            return None
        case ast.MatchValue(value=value):
            return ast.Constant(False) if shape is not None else ast.Compare(subject, [ast.Eq()], [value])
        case ast.MatchSingleton(value=None):
            return ast.Constant(False) if shape is not None else ast.Compare(subject, [ast.Is()], [ast.Constant(None)])
        case ast.MatchSingleton(value=value) if is_truth:
            return ast.Compare(subject, [ast.Eq()], [ast.Constant(value)])
        case ast.MatchSequence(patterns=patterns) if shape is not None and not _is_starred(patterns):
            if len(patterns) != len(shape[0]):
                return ast.Constant(False)
            parts: list[ast.expr] = []
            for at, part in enumerate(patterns):
                item = ast.Subscript(subject, ast.Constant(at), ast.Load())
                test = _test_of(part, item, shape[0][at], is_truth=False)
                if isinstance(test, ast.pattern):
                    return test
                if test is not None:
                    parts.append(test)
            return None if not parts else parts[0] if len(parts) == 1 else ast.BoolOp(ast.And(), parts)
        case ast.MatchOr(patterns=patterns):
            tests: list[ast.expr] = []
            for part in patterns:
                test = _test_of(part, subject, shape, is_truth)
                if not isinstance(test, ast.expr):
                    return part
                tests.append(test)
            return ast.BoolOp(ast.Or(), tests)
    return pattern


def _is_starred(patterns: Sequence[ast.pattern]) -> bool:
    return any(isinstance(pattern, ast.MatchStar) for pattern in patterns)


class Tables(Expressions):
    """Translates dictionaries, and items by a key or a number."""

    def subscript(self, node: ast.Subscript) -> Value:
        """Translate an item: of a dictionary, of a list with conditions, or of a tuple."""
        table = self.table(node.value)
        if table is not None:
            return self.looked_up(table, node.slice, None, node)
        some = self.scope.bindings.get(node.value.id) if isinstance(node.value, ast.Name) else None
        if isinstance(some, Some):
            choices = self.values_of(self.expr(node.slice)) if not isinstance(node.slice, ast.Slice) else None
            if choices not in ([0], [-1]):
                raise self.error(
                    node.slice, "of a list with a condition the first and the last item are known: [0], [-1]"
                )
            return self.first(some.items if choices == [0] else some.items[::-1], ERROR, node)
        return super().subscript(node)

    def first(self, items: Sequence[tuple[Expr, Value]], otherwise: Value, node: ast.AST) -> Value:
        """Return the first item whose condition is met; those behind it are not evaluated."""
        chosen = otherwise
        for condition, item in reversed(items):
            if isinstance(item, Tup) or isinstance(chosen, Tup):
                raise self.error(node, "the items of a list with a condition must be numbers, not tuples")
            chosen = item if condition is None else ["if", condition, item, chosen]
        return chosen

    def table(self, node: ast.expr) -> Table | None:
        """Return the dictionary that an expression is: one that is written out, a name of one, or `dict(a=1)`."""
        match node:
            case ast.Dict():
                return self.dictionary(node)
            case ast.Name(id=name):
                if self.scope.is_local(name) or isinstance(self.object_of(node), types.MappingProxyType | dict):
                    found = self.scope.bindings.get(name) if self.scope.is_local(name) else self.value(node)
                    return found if isinstance(found, Table) else None
            case ast.Call(func=function, args=[], keywords=[_, *_] as keywords) if self.object_of(function) is dict:
                if all(keyword.arg is not None for keyword in keywords):
                    keys: list[ast.expr | None] = [ast.Constant(keyword.arg) for keyword in keywords]
                    written = ast.Dict(keys, [keyword.value for keyword in keywords])
                    return self.dictionary(ast.fix_missing_locations(ast.copy_location(written, node)))
        return None

    def dictionary(self, node: ast.Dict) -> Table:
        """Translate a dictionary with constant keys."""
        before: list[Statement] = []
        entries: list[tuple[Value, Value]] = []
        for name, item in zip(node.keys, node.values, strict=True):
            constant = NOTHING if name is None else self.value(name)
            if constant is NOTHING or not is_constant(constant) or isinstance(constant, Table | Members):
                raise self.error(name or node, "the keys of a dict are constants here: {'buy': 1, 'sell': -1}[side]")
            value = self.value(item)
            if not isinstance(value, Tup):
                value = self.operand_of(value, item)
            entries.append((constant, self.kept(value, before)))
        return Table(tuple(entries), tuple(before))

    def looked_up(self, table: Table, key: ast.expr, default: ast.expr | None, node: ast.AST) -> Value:
        """Translate `{"buy": 1, "sell": -1}[side]`, or with `get`; without a default a missing key is an error."""
        before = list(table.before)
        tested = self.value(key)
        if not isinstance(tested, Tup):
            tested = self.operand_of(tested, key)
        if not isinstance(tested, list) or tested[0] != "get":  # a variable is read as often as there are keys
            tested = self._held(tested, before)
        if default is None:
            otherwise: Value = NOTHING
        else:
            otherwise = self.value(default)
            if not isinstance(otherwise, Tup):
                otherwise = self.operand_of(otherwise, default)
            otherwise = self.kept(otherwise, before)
        values = [value for _, value in table.entries] + ([] if otherwise is NOTHING else [otherwise])
        if len({shape_of(value) for value in values}) > 1:
            raise self.error(node, "the values of a dict must have one shape: all numbers, or tuples of one length")
        tests = [self.equal(tested, constant) for constant, _ in table.entries]
        return self.after(before, self._chosen_by(tests, [value for _, value in table.entries], otherwise))

    def _chosen_by(self, tests: list[Expr], values: list[Value], otherwise: Value) -> Value:
        model = values[0] if values else otherwise
        if isinstance(model, Tup):
            items = []
            for number in range(len(model.items)):
                other = otherwise if otherwise is NOTHING else otherwise.items[number]
                items.append(self._chosen_by(tests, [value.items[number] for value in values], other))
            return Tup(tuple(items), names=model.names)
        chosen: Expr = ERROR if otherwise is NOTHING else otherwise
        for test, value in zip(tests, values, strict=True):  # of equal keys the last one counts
            chosen = ["if", test, value, chosen]
        return chosen
