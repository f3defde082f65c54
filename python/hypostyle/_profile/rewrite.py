"""Rewrites a function of a series: kernels where the templates fit, the same arithmetic around them.

`s / s.rolling(20).mean() - 1` becomes `table["price"] / table["_1"] - 1`, where `_1` is the kernel.  What goes value by
value stays as it is, since it has the same result over all keys at once.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from hypostyle._profile.syntax import method
from hypostyle._profile.templates import Column, Kernel, kernel_for

_BY_VALUE = {"abs", "clip", "fillna", "round", "astype", "where", "mask", "eq", "ne", "lt", "le", "gt", "ge", "rename"}
_ARITHMETIC = {"add", "sub", "mul", "div", "truediv", "pow"}
_NUMPY = {"abs", "log", "log1p", "exp", "expm1", "sqrt", "sign", "square", "where", "maximum", "minimum", "clip"}
_WHOLE = {"mean", "sum", "min", "max", "std", "var", "median", "count", "first", "last"}

Whole: TypeAlias = "Callable[[str, str], str]"
"""Returns the code of a statistic of all rows of a key, for a column and a method."""


@dataclass
class Rewritten:
    """New code of an expression."""

    code: str
    kernels: dict[str, Kernel] = field(default_factory=dict)
    """By the name of their column."""

    @property
    def only(self) -> Kernel | None:
        """The kernel, if the expression is nothing else."""
        return next(iter(self.kernels.values())) if self.code in {_column(name) for name in self.kernels} else None


def _column(name: str) -> str:
    return f'table["{name}"]'


class Rewriter:
    """Rewrites expressions.

    Args:
        column: What columns are.
        whole: The code of a statistic of a whole key; None if there is none.
        time: The time column, for windows that are durations of the index.
        functions: The user's functions by name.
    """

    def __init__(
        self,
        column: Column,
        whole: Whole | None = None,
        time: str | None = None,
        functions: dict[str, ast.FunctionDef] | None = None,
    ) -> None:
        self._column = column
        self._whole = whole
        self._time = time
        self._functions = functions or {}
        self._kernels: dict[str, Kernel] = {}
        self.masks = False
        """Whether a running sum is missing where its column is, as in pandas."""
        self.adjust = False
        """Whether functions of windows get what pandas' Series do differently from arrays."""

    def rewrite(self, node: ast.expr) -> Rewritten | None:
        """Return the new code of an expression; None if a part of it is not known."""
        self._kernels = {}
        code = self._code(node)
        return None if code is None or not (self._kernels or self._whole) else Rewritten(code, dict(self._kernels))

    def _code(self, node: ast.expr) -> str | None:
        kernel = kernel_for(node, self._column, "pandas", self._time) or self._of_window(node)
        if kernel is not None:
            code = _column(self._kept(kernel))
            if self.masks and kernel.name.startswith("cum_"):
                code += f".where({_column(kernel.columns[0])}.notna())"
            return code
        name = self._column(node)
        if name is not None:
            return _column(name)
        if not any(self._column(part) for part in ast.walk(node)):
            return ast.unparse(node)  # a number, or a variable
        if isinstance(node, ast.BinOp):
            left, right = self._code(node.left), self._code(node.right)
            if left is None or right is None:
                return None
            return _unparsed(ast.BinOp(_parsed(left), node.op, _parsed(right)))
        if isinstance(node, ast.UnaryOp):
            operand = self._code(node.operand)
            return None if operand is None else _unparsed(ast.UnaryOp(node.op, _parsed(operand)))
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            left, right = self._code(node.left), self._code(node.comparators[0])
            if left is None or right is None:
                return None
            return _unparsed(ast.Compare(_parsed(left), node.ops, [_parsed(right)]))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            return self._call(node, node.func)
        return None

    def _call(self, node: ast.Call, function: ast.Attribute) -> str | None:
        keywords = [(k.arg, self._code(k.value)) for k in node.keywords]
        arguments = [self._code(argument) for argument in node.args]
        if None in arguments or any(name is None or code is None for name, code in keywords):
            return None
        words = [*map(str, arguments), *(f"{name}={code}" for name, code in keywords)]
        if isinstance(function.value, ast.Name) and function.value.id in ("np", "numpy"):
            if function.attr not in _NUMPY:
                return None
            return f"{function.value.id}.{function.attr}({', '.join(words)})"
        column = self._column(function.value)
        if column is not None and function.attr in _WHOLE and not words and self._whole is not None:
            return self._whole(column, function.attr)
        if function.attr not in _BY_VALUE | _ARITHMETIC:
            return None
        receiver = self._code(function.value)
        if receiver is None:
            return None
        receiver = receiver if receiver.startswith("table[") else f"({receiver})"
        return f"{receiver}.{function.attr}({', '.join(words)})"

    def _kept(self, kernel: Kernel) -> str:
        for name, known in self._kernels.items():
            if known == kernel:
                return name
        name = f"_{len(self._kernels) + 1}"
        self._kernels[name] = kernel
        return name

    def _of_window(self, node: ast.expr) -> Kernel | None:
        """Return the kernel of `x.rolling(20).apply(f)`."""
        applied = method(node)
        if applied is None or applied[1] != "apply":
            return None
        rolled = method(applied[0])
        if rolled is None or rolled[1] != "rolling" or (column := self._column(rolled[0])) is None:
            return None
        given = [*applied[2].args, *(k.value for k in applied[2].keywords if k.arg == "func")]
        rest = {k.arg: k.value for k in applied[2].keywords if k.arg != "func"}
        if len(given) != 1 or set(rest) - {"raw", "engine", "engine_kwargs"}:
            return None
        # The same statistic by its own method gives the window's options.
        plain = ast.Call(ast.Attribute(rolled[2], "sum", ast.Load()), [], [])
        kernel = kernel_for(plain, self._column, "pandas", self._time)
        if kernel is None:
            return None
        window = kernel.arguments[1]
        options = dict(kernel.options)
        options.setdefault("min_samples", "1" if "by" in options else window)
        is_raw = isinstance(raw := rest.get("raw"), ast.Constant) and raw.value is True
        function = self._function(given[0], is_raw)
        return Kernel(f"rolling({function})", [column], [repr(column), window], options)

    def _function(self, node: ast.expr, is_raw: bool) -> str:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("np", "numpy"):
            return f"lambda window: {ast.unparse(node)}(window)"
        if isinstance(node, ast.Name) and node.id in ("min", "max", "sum", "len"):
            return f"lambda window: {node.id}(window)"
        made = node if isinstance(node, ast.Lambda) else self._inlined(node)
        if made is None or is_raw or not self.adjust:
            return ast.unparse(node)
        return ast.unparse(_OfArrays(made.args.args[0].arg).visit(_parsed(ast.unparse(made))))

    def _inlined(self, node: ast.expr) -> ast.Lambda | None:
        return lambda_of(node, self._functions)


def lambda_of(node: ast.expr, functions: dict[str, ast.FunctionDef]) -> ast.Lambda | None:
    """Return a lambda, or a function of one `return` as one; None for others, and for more than one parameter."""
    made = node if isinstance(node, ast.Lambda) else None
    if isinstance(node, ast.Name) and node.id in functions:
        function = functions[node.id]
        body = [s for s in function.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
        only = body[0] if len(body) == 1 else None
        if isinstance(only, ast.Return) and only.value is not None and not function.decorator_list:
            made = ast.Lambda(function.args, only.value)
    if made is None or len(made.args.args) != 1 or made.args.vararg or made.args.kwonlyargs or made.args.kwarg:
        return None
    return made


class _OfArrays(ast.NodeTransformer):
    """Writes a function of a Series for an array: `iloc`, and the ddof of pandas."""

    def __init__(self, window: str) -> None:
        self._window = window

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        return node.value if node.attr in ("iloc", "values") and self._is_window(node.value) else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if (
            isinstance(node.func, ast.Attribute)
            and node.func.attr in ("std", "var")
            and self._is_window(node.func.value)
            and not node.args
            and not node.keywords
        ):
            node.keywords = [ast.keyword("ddof", ast.Constant(1))]
        if isinstance(node.func, ast.Attribute) and self._is_window(node.func.value):
            if node.func.attr == "median":
                return ast.Call(_parsed("np.median"), [node.func.value], [])
            if node.func.attr == "quantile":
                return ast.Call(_parsed("np.quantile"), [node.func.value, *node.args], node.keywords)
        return node

    def _is_window(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Name) and node.id == self._window


def _parsed(code: str) -> ast.expr:
    return ast.parse(code, mode="eval").body


def _unparsed(node: ast.expr) -> str:
    return ast.unparse(ast.fix_missing_locations(ast.Expression(node))).replace("'", '"')
