"""Whether numbers are NumPy's or Python's: divided by zero the former give inf or NaN, the latter raise.

The values of a window are numbers of NumPy, and so is what is computed of them.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator
from typing import Any

from hypostyle._functions.names import NOTHING
from hypostyle._functions.source import Source

_NUMPY, _PYTHON = frozenset({"numpy"}), frozenset({"python"})
_EITHER = _NUMPY | _PYTHON

_TO_PYTHON = (int, float, bool, len)


class Origins:
    """Tells numbers of NumPy from those of Python, as far as that is known before a function runs.

    Args:
        source: The function.
        window: The name of its window.
        numpy: Variables that are known to have numbers of NumPy.
        object_of: Returns what the name of a function stands for.
    """

    def __init__(
        self, source: Source, window: str, numpy: frozenset[str], object_of: Callable[[ast.expr], Any]
    ) -> None:
        self._window, self._numpy, self._object_of = window, numpy, object_of
        arguments = source.node.args
        parameters = [a.arg for a in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]]
        self._of: dict[str, frozenset[str]] = dict.fromkeys(parameters, _PYTHON)
        assigned = [pair for statement in source.body for pair in self._assigned(statement)]
        self._of |= {name: self._of.get(name, frozenset()) for name, _ in assigned}
        for _ in range(len(assigned) + 1):
            before = dict(self._of)
            for name, value in assigned:
                self._of[name] |= self._of_value(value)
            if before == self._of:
                break

    def is_numpy(self, node: ast.expr) -> bool:
        """Whether a number is one of NumPy on every path."""
        return self._of_value(node) == _NUMPY

    def is_python(self, node: ast.expr) -> bool:
        """Whether a number is one of Python on every path."""
        return self._of_value(node) == _PYTHON

    def _assigned(self, statement: ast.stmt) -> Iterator[tuple[str, ast.expr | None]]:
        """Yield names with what is assigned to them; None for values that are not seen."""
        for node in ast.walk(statement):
            match node:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        yield from self._targets(target, value)
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    yield name, value
                case ast.NamedExpr(target=ast.Name(id=name), value=value):
                    yield name, value
                case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                    yield name, ast.BinOp(ast.Name(name, ast.Load()), op, value)
                case ast.For(target=ast.Name(id=name), iter=ast.Name(id=self._window)):
                    yield name, ast.Name(self._window, ast.Load())
                case ast.For(target=target) | ast.comprehension(target=target):
                    yield from self._targets(target, None)

    def _targets(self, target: ast.expr, value: ast.expr | None) -> Iterator[tuple[str, ast.expr | None]]:
        if isinstance(target, ast.Name):
            yield target.id, value
        elif isinstance(target, ast.Tuple | ast.List):
            shown = value.elts if isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts) else None
            for place, part in enumerate(target.elts):
                yield from self._targets(part, None if shown is None else shown[place])

    def _of_value(self, node: ast.expr | None) -> frozenset[str]:
        match node:
            case ast.Name(id=name):
                return _NUMPY if name == self._window or name in self._numpy else self._of.get(name, _EITHER)
            case ast.Constant():
                return _PYTHON
            case ast.Compare(left=left, comparators=[right]):
                return self._of_operation(self._of_value(left), self._of_value(right))
            case ast.UnaryOp(operand=operand) if not isinstance(node.op, ast.Not):
                return self._of_value(operand)
            case ast.BinOp(left=left, right=right):
                return self._of_operation(self._of_value(left), self._of_value(right))
            case ast.IfExp(body=body, orelse=orelse):
                return self._of_value(body) | self._of_value(orelse)
            case ast.Subscript(value=ast.Name(id=self._window)):
                return _NUMPY
            case ast.Attribute():
                return _PYTHON if node.attr == "size" else _EITHER
            case ast.Call():
                return self._of_call(node)
        return _EITHER

    def _of_operation(self, left: frozenset[str], right: frozenset[str]) -> frozenset[str]:
        if not left or not right:  # not known yet
            return left | right
        if _NUMPY in (left, right):
            return _NUMPY
        return _PYTHON if left == right == _PYTHON else _EITHER

    def _of_call(self, node: ast.Call) -> frozenset[str]:
        function = self._object_of(node.func) if isinstance(node.func, ast.Name | ast.Attribute) else NOTHING
        if function is NOTHING:
            match node.func:
                case ast.Attribute(value=ast.Name(id=self._window)):
                    return _NUMPY
            return _EITHER
        if function in _TO_PYTHON or getattr(function, "__module__", None) == math.__name__:
            return _PYTHON
        if function in (abs, min, max):
            of = [self._of_value(part) for part in node.args]
            return frozenset().union(*of) if of else _EITHER
        module = getattr(function, "__module__", None) or getattr(type(function), "__module__", "")
        return _NUMPY if str(module).partition(".")[0] == "numpy" else _EITHER
