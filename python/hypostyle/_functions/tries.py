"""`try` around arithmetic, as conditions: what raises is known beforehand, as a division by zero or a negative root.

`try: return x / y except ZeroDivisionError: return 0.0` becomes `if y == 0: return 0.0 else: return x / y`.  Each
operation that can raise is tested in the order in which Python runs them; of what no handler catches the row raises as
before.
"""

from __future__ import annotations

import ast
import copy
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

Failure: TypeAlias = "tuple[ast.expr, type[Exception]]"
"""The condition under which an operation raises, and what."""

_MOST = 4
"""The most statements of a `try`: what catches is written once for each operation that can raise."""

_DOMAINS: dict[object, tuple[type[ast.cmpop], float]] = {
    math.sqrt: (ast.Lt, 0),
    math.log: (ast.LtE, 0),
    math.log2: (ast.LtE, 0),
    math.log10: (ast.LtE, 0),
    math.log1p: (ast.LtE, -1),
    math.acos: (ast.Gt, 1),
    math.asin: (ast.Gt, 1),
}
_LARGEST_EXPONENT = 709.782712893384
"""`math.exp` of more leaves the range of floats."""
_DIVISIONS = (ast.Div, ast.FloorDiv, ast.Mod)


class TryError(Exception):
    """A `try` that is not known; with the node, and what to do."""

    def __init__(self, node: ast.AST, message: str) -> None:
        super().__init__(message)
        self.node = node
        self.message = message


class Tries:
    """Writes `try` statements as `if` statements.

    Args:
        object_of: Returns the object that a name of the surroundings has.
    """

    def __init__(self, object_of: Callable[[ast.expr], object]) -> None:
        self._object_of = object_of

    def written(self, node: ast.Try) -> list[ast.stmt]:
        """Return the statements that do the same without `try`; raise `TryError` if a part is not known."""
        if node.finalbody:
            raise TryError(node.finalbody[0], "finally is not compiled; write its statements behind the try")
        if len(node.body) > _MOST:
            raise TryError(node.body[_MOST], "a longer try is not compiled; keep in it what can raise")
        handlers = [self._handler(handler) for handler in node.handlers]
        made: list[ast.stmt] = [*node.orelse]
        for statement in reversed(node.body):
            made = self._tested(statement, handlers, made)
        return [ast.fix_missing_locations(statement) for statement in made]

    def _handler(self, handler: ast.ExceptHandler) -> tuple[tuple[type[BaseException], ...], list[ast.stmt]]:
        if handler.name is not None and any(
            isinstance(n, ast.Name) and n.id == handler.name for s in handler.body for n in ast.walk(s)
        ):
            raise TryError(handler, "an exception has no value here; use its type alone")
        if any(isinstance(n, ast.Raise) for s in handler.body for n in ast.walk(s)):
            raise TryError(handler, "raise in except is not compiled; leave the try out: the row is null, or named")
        if handler.type is None:
            return (BaseException,), handler.body
        parts = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        kinds = []
        for part in parts:
            kind = self._object_of(part)
            if not (isinstance(kind, type) and issubclass(kind, BaseException)):
                raise TryError(part, "the exceptions of a try are classes of Python: ZeroDivisionError, ValueError")
            kinds.append(kind)
        return tuple(kinds), handler.body

    def _tested(
        self,
        statement: ast.stmt,
        handlers: Sequence[tuple[tuple[type[BaseException], ...], list[ast.stmt]]],
        rest: list[ast.stmt],
    ) -> list[ast.stmt]:
        """Return a statement and those after it, behind the conditions under which it raises."""
        match statement:
            case ast.Assign(targets=[ast.Name()], value=value):
                first = value
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(), slice=ast.Name())], value=value):
                first = value  # a row of an array that hs.loop fills
            case ast.Expr(
                value=ast.Call(func=ast.Attribute(value=ast.Name(), attr="append"), args=[value], keywords=[])
            ):
                first = value
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                first = ast.copy_location(ast.BinOp(ast.Name(name, ast.Load()), op, value), statement)
            case ast.AnnAssign(target=ast.Name(), value=ast.expr() as value):
                first = value
            case ast.Return(value=ast.expr() as value):
                first = value
            case ast.Pass() | ast.Expr(value=ast.Constant()) | ast.Return(value=None):
                return [statement, *rest]
            case _:
                raise TryError(statement, "a try holds assignments and return only; write if with what would raise")
        tests: list[tuple[ast.expr, list[ast.stmt]]] = []
        passed: list[ast.expr] = []
        for test, kind in self._failures(first):
            caught = next((body for kinds, body in handlers if issubclass(kind, kinds)), None)
            if caught is None:  # the statement itself raises, whatever would be caught later
                passed.append(_not(test))
            else:
                tests.append((ast.BoolOp(ast.And(), [*passed, test]) if passed else test, caught))
        made: list[ast.stmt] = [statement, *rest]
        for test, body in reversed(tests):
            branch = ast.If(copy.deepcopy(test), copy.deepcopy(body), made)
            for part in (branch, branch.test):
                ast.copy_location(part, first)
            made = [branch]
        return made

    def _failures(self, node: ast.expr) -> Iterator[Failure]:
        """Yield what can raise, in the order in which Python runs it."""

        def again(part: ast.expr) -> Iterator[Failure]:
            return self._failures(part)

        match node:
            case ast.Constant() | ast.Name() | ast.Attribute(value=ast.Name()):
                return
            case ast.Subscript(value=ast.Name(), slice=ast.Constant(value=str()) | ast.Name()):
                return
            case ast.BinOp(left=left, op=op, right=right):
                yield from again(left)
                yield from again(right)
                yield from (failure for part in (left, right) for failure in _none(part))
                if isinstance(op, _DIVISIONS) and not _is_number(right):
                    yield _compare(right, ast.Eq(), 0), ZeroDivisionError
                if isinstance(op, ast.Pow) and not _is_power(right):
                    raise TryError(node, "a power in a try has a constant exponent, which is not negative")
                if isinstance(op, ast.LShift | ast.RShift):
                    raise TryError(node, "a shift in a try is not compiled")
            case ast.UnaryOp(operand=operand):
                yield from again(operand)
                if not isinstance(node.op, ast.Not):
                    yield from _none(operand)
            case ast.Compare(left=left, comparators=[right]):
                yield from again(left)
                yield from again(right)
                if not isinstance(node.ops[0], ast.Eq | ast.NotEq | ast.Is | ast.IsNot):
                    yield from (failure for part in (left, right) for failure in _none(part))
            case ast.Tuple(elts=parts):
                for part in parts:
                    yield from again(part)
            case ast.Call(args=arguments, keywords=[]):
                for part in arguments:
                    yield from again(part)
                yield from self._of_call(node)
            case ast.IfExp(test=test, body=body, orelse=other):
                yield from again(test)
                if any(True for part in (body, other) for _ in again(part)):
                    raise TryError(node, "a conditional expression in a try holds nothing that can raise; write if")
            case ast.BoolOp(values=[first, *others]):
                yield from again(first)
                if any(True for part in others for _ in again(part)):
                    raise TryError(node, "what stands behind and or or in a try holds nothing that can raise; write if")
            case _:
                raise TryError(node, "a try holds arithmetic only; write if with what would raise")

    def _of_call(self, node: ast.Call) -> Iterator[Failure]:
        function = self._object_of(node.func)
        yield from (failure for part in node.args for failure in _none(part))
        if function in (abs, min, max, bool, float) or (function is round and len(node.args) > 1):
            return
        if function in (int, round, math.floor, math.ceil):
            yield from _not_finite(node.args[0])
            return
        if function is math.exp:
            x = node.args[0]
            is_large = _compare(x, ast.Gt(), _LARGEST_EXPONENT)
            yield ast.BoolOp(ast.And(), [is_large, ast.UnaryOp(ast.Not(), _is_infinite(x))]), OverflowError
            return
        if function in _DOMAINS and len(node.args) == 1:
            operator, bound = _DOMAINS[function]
            if operator is ast.Gt:
                size = ast.Call(ast.Name("abs", ast.Load()), [node.args[0]], [])
                yield _compare(size, operator(), bound), ValueError
            else:
                yield _compare(node.args[0], operator(), bound), ValueError
            return
        module = str(getattr(function, "__module__", "") or getattr(type(function), "__module__", ""))
        if module.partition(".")[0] != "numpy":
            raise TryError(node, "a call in a try is abs, min, max, int, float, round, or exp, sqrt and log of math")


def _compare(left: ast.expr, operator: ast.cmpop, bound: float) -> ast.expr:
    return ast.Compare(copy.deepcopy(left), [operator], [ast.Constant(bound)])


def _not(test: ast.expr) -> ast.expr:
    """Return the opposite of a condition."""
    match test:
        case ast.Compare(left=left, ops=[ast.Is()], comparators=[right]):
            return ast.Compare(left, [ast.IsNot()], [right])
    return ast.UnaryOp(ast.Not(), test)


def _not_finite(part: ast.expr) -> Iterator[Failure]:
    """Yield what an integer of a float raises."""
    yield ast.Compare(copy.deepcopy(part), [ast.NotEq()], [copy.deepcopy(part)]), ValueError
    yield _is_infinite(part), OverflowError


def _is_infinite(part: ast.expr) -> ast.expr:
    size = ast.Call(ast.Name("abs", ast.Load()), [copy.deepcopy(part)], [])
    return ast.Compare(size, [ast.Eq()], [ast.Constant(math.inf)])


def _none(part: ast.expr) -> Iterator[Failure]:
    """Yield that arithmetic of nothing raises: an operand that is a variable, a field or a column may be None."""
    if isinstance(part, ast.Name | ast.Attribute | ast.Subscript):
        yield ast.Compare(copy.deepcopy(part), [ast.Is()], [ast.Constant(None)]), TypeError


def _is_number(node: ast.expr) -> bool:
    """Whether a node is a number that is not zero."""
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and node.value != 0


def _is_power(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and node.value >= 0
