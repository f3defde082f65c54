"""Comparisons: of numbers and strings as a program has them, of tuples item by item, and what is in a container."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from hypostyle._functions.names import Names
from hypostyle._functions.values import ERROR, Expr, Members, Some, Statement, Table, Tup, Value, is_constant

COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
_NEW = ("+", "-", "*", "/", "//", "%", "**", "neg")
"""What makes an object of its own, which is no other one."""


class Comparisons(Names):
    """Translates comparisons."""

    def operand(self, node: ast.expr) -> Expr:
        """Translate an expression that can be a string too."""
        raise NotImplementedError

    def iterable(self, node: ast.expr) -> Tup:
        """Translate something with a number of items that is known."""
        raise NotImplementedError

    def is_tuple(self, node: ast.expr) -> bool:
        """Return whether an expression is a tuple that is written out, or a name of one."""
        if isinstance(node, ast.Name):
            if node.id in self.scope.bindings:
                return isinstance(self.scope.bindings[node.id], Tup)
            return self.scope.shapes.get(node.id) is not None
        return isinstance(node, ast.Tuple)

    def compare(self, node: ast.Compare) -> Expr:
        """Translate comparisons."""
        if len(node.ops) == 1 and isinstance(node.ops[0], ast.Is | ast.IsNot):
            return self.identity(node)
        if len(node.ops) == 1 and isinstance(node.ops[0], ast.In | ast.NotIn):
            return self.membership(node)
        for operator in node.ops:
            if type(operator) not in COMPARE:
                raise self.error(node, "is and in cannot be part of a chain of comparisons; write two, with and")
        if any(map(self.is_tuple, [node.left, *node.comparators])):
            before: list[Statement] = []
            first = self._held(self.value(node.left), before)
            return self.after(before, self._chain(first, list(zip(node.ops, node.comparators, strict=True)), node))
        first = self.operand(node.left)
        pairs = [[COMPARE[type(node.ops[0])], self.operand(node.comparators[0])]]
        with self.on_some_path():
            for operator, item in zip(node.ops[1:], node.comparators[1:], strict=True):
                pairs.append([COMPARE[type(operator)], self.operand(item)])
        return ["compare", first, pairs]

    def identity(self, node: ast.Compare) -> Expr:
        """Translate `x is None` and `x is not None`."""
        sides = [node.left, node.comparators[0]]
        nones = [isinstance(side, ast.Constant) and side.value is None for side in sides]
        if not any(nones):
            raise self.error(node, "is compares with None only; write == for values")
        tested: Expr = ["is_none", self.operand(sides[0] if nones[1] else sides[1])]
        return ["not", tested] if isinstance(node.ops[0], ast.IsNot) else tested

    # Tuples

    def _chain(self, first: Value, rest: list[tuple[ast.cmpop, ast.expr]], node: ast.Compare) -> Expr:
        """Compare tuples; what stands behind a comparison that fails is not evaluated."""
        (operator, second), *others = rest
        before: list[Statement] = []
        other = self._held(self.value(second), before)
        holds = self.tuples_compared(first, COMPARE[type(operator)], other, node)
        if others:
            with self.on_some_path():
                holds = ["if", holds, self._chain(other, others, node), False]
        return self.after(before, holds)

    def _held(self, value: Value, before: list[Statement]) -> Value:
        """Return a value that is read more than once; what is new is known by its variable's name."""
        if isinstance(value, Tup):
            before.extend(value.before)
            return Tup(tuple(self._held(item, before) for item in value.items), names=value.names)
        if is_constant(value):
            return value
        variable = self.fresh("new" if isinstance(value, list) and value[0] in _NEW else "kept")
        before.append(["set", variable, value])
        if isinstance(value, list) and value[0] in ("get", "field"):
            self.copies[variable] = value
        return ["get", variable]

    def tuples_compared(self, left: Value, sign: str, right: Value, node: ast.AST) -> Expr:
        if not isinstance(left, Tup) and not isinstance(right, Tup):
            return ["compare", left, [[sign, right]]]
        if sign in ("==", "!="):
            same = self.equal(left, right)
            return ["not", same] if sign == "!=" else same
        if not isinstance(left, Tup) or not isinstance(right, Tup):
            raise self.error(node, "a tuple is ordered beside a tuple only")
        sizes = len(left.items), len(right.items)
        holds: Expr = {"<": sizes[0] < sizes[1], "<=": sizes[0] <= sizes[1]}.get(
            sign, sizes[0] > sizes[1] if sign == ">" else sizes[0] >= sizes[1]
        )
        # The first items that are not equal decide.
        for one, other in reversed(list(zip(left.items, right.items, strict=False))):
            holds = ["if", self.equal(one, other), holds, self.tuples_compared(one, sign, other, node)]
        return holds

    def equal(self, left: Value, right: Value) -> Expr:
        """Return whether items of tuples, which are held, are equal: a NaN is equal to itself there."""
        if isinstance(left, Tup) and isinstance(right, Tup):
            if len(left.items) != len(right.items):
                return False
            tests = [self.equal(one, other) for one, other in zip(left.items, right.items, strict=True)]
            return ["and", tests] if tests else True
        if isinstance(left, Tup) or isinstance(right, Tup):
            return False
        test: Expr = ["compare", left, [["==", right]]]
        one, other = self._origin(left), self._origin(right)
        if one == other and isinstance(one, list) and one[0] in ("get", "field"):
            return ["or", [test, True]]
        if self._is_new(one) or self._is_new(other) or (self._is_column(one) and self._is_column(other)):
            return test
        both_nan: Expr = ["and", [["compare", left, [["!=", left]]], ["compare", right, [["!=", right]]]]]
        return ["if", both_nan, ERROR, test]

    def _origin(self, value: Expr) -> Expr:
        return self.copies.get(value[1], value) if isinstance(value, list) and value[0] == "get" else value

    def _is_new(self, value: Expr) -> bool:
        """Whether a value is an object of its own: a constant, or what was just computed."""
        return is_constant(value) or (value[0] != "field" and value[1].endswith(".new"))

    def _is_column(self, value: Expr) -> bool:
        if value[0] != "get":
            return False
        name = value[1]
        return name in self.columns or (name in self.scope.parameters and not self.scope.assignments[name])

    # Containers

    def membership(self, node: ast.Compare) -> Expr:
        """Translate `x in (1, 2)`."""
        item, container = self.value(node.left), node.comparators[0]
        if not isinstance(item, Tup):
            item = self.operand_of(item, node.left)
        if isinstance(container, ast.Set):
            container = ast.copy_location(ast.Tuple(elts=container.elts, ctx=ast.Load()), container)
        value = self.contained(container)
        before: list[Statement] = []
        members: Sequence[tuple[Expr, Value]]
        if isinstance(value, Some):
            members = value.items
        elif isinstance(value, Table):
            members = [(None, key) for key, _ in value.entries]
        else:
            members = [(None, member) for member in value.items]
        plain = not isinstance(item, Tup) and not any(isinstance(m, Tup) or c is not None for c, m in members)
        later = [] if isinstance(value, Members) else list(value.before)
        if plain:
            if later:
                item = self.kept(item, before)
            values = [member for _, member in members]
            found: Expr = ["in", item, values]
            if item in values and isinstance(item, list) and item[0] in ("get", "field"):
                found = ["or", [found, True]]  # Python takes an object for equal to itself, a NaN too
            tested: Expr = self.after([*before, *later], found)
        else:
            item = self._held(item, before)
            before += later
            tests: list[Expr] = []
            for condition, member in members:
                same = self.equal(item, self._held(member, before))
                tests.append(same if condition is None else ["and", [condition, same]])
            tested = self.after(before, ["call", "bool", [["or", tests]]] if tests else False)
        return ["not", tested] if isinstance(node.ops[0], ast.NotIn) else tested

    def operand_of(self, value: Value, node: ast.expr) -> Expr:
        """Return a value; raise if it is no number and no string."""
        raise NotImplementedError

    def contained(self, node: ast.expr) -> Tup | Table | Some | Members:
        """Translate what may follow `in`."""
        raise NotImplementedError
