"""Choices by a value: `match` with constants, and an item of a dictionary of constants."""

from __future__ import annotations

import ast

from hypostyle._functions.expressions import Expressions
from hypostyle._functions.names import NOTHING
from hypostyle._functions.values import ERROR, Expr, Statement, Tup, Value, is_constant


def as_branches(node: ast.Match, subject: str) -> list[ast.stmt] | ast.AST:
    """Return `match` as `if` and `elif` of a variable; the part that cannot be written so, if there is one."""
    rest: list[ast.stmt] = []
    for case in reversed(node.cases):
        test = _test_of(case.pattern, subject)
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


def _test_of(pattern: ast.pattern, subject: str) -> ast.expr | ast.pattern | None:
    """Return the condition of a pattern; None if it is always met, the pattern itself if it is of another kind."""
    name = ast.Name(subject, ast.Load())
    match pattern:
        case ast.MatchAs(pattern=None, name=None):
            return None
        case ast.MatchValue(value=value):
            return ast.Compare(name, [ast.Eq()], [value])
        case ast.MatchSingleton(value=None):
            return ast.Compare(name, [ast.Is()], [ast.Constant(None)])
        case ast.MatchOr(patterns=patterns):
            tests: list[ast.expr] = []
            for part in patterns:
                test = _test_of(part, subject)
                if not isinstance(test, ast.expr):
                    return part
                tests.append(test)
            return ast.BoolOp(ast.Or(), tests)
    return pattern


class Tables(Expressions):
    """Translates items of dictionaries."""

    def subscript(self, node: ast.Subscript) -> Value:
        """Translate an item: of a dictionary that is written out, or of a tuple."""
        if isinstance(node.value, ast.Dict):
            return self.looked_up(node.value, node.slice, None, node)
        return super().subscript(node)

    def looked_up(self, table: ast.Dict, key: ast.expr, default: ast.expr | None, node: ast.AST) -> Value:
        """Translate `{"buy": 1, "sell": -1}[side]`, or with `get`; without a default a missing key is an error."""
        before: list[Statement] = []
        entries: list[tuple[Expr, Expr]] = []
        for name, item in zip(table.keys, table.values, strict=True):
            constant = NOTHING if name is None else self.value(name)
            if isinstance(constant, Tup) or constant is NOTHING or not is_constant(constant):
                raise self.error(name or node, "the keys of a dict are constants here: {'buy': 1, 'sell': -1}[side]")
            entries.append((constant, self.kept(self.expr(item), before)))
        tested = self.operand(key)
        if not isinstance(tested, list) or tested[0] != "get":  # a variable is read as often as there are keys
            tested = self.kept(tested, before)
        chosen: Expr = ERROR if default is None else self.kept(self.expr(default), before)
        for constant, value in entries:  # of equal keys the last one counts
            chosen = ["if", ["compare", tested, [["==", constant]]], value, chosen]
        return self.after(before, chosen)
