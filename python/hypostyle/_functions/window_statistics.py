"""Statistics of a whole window that SciPy and NumPy have, as `hs.rolling` computes them from those of kernels.

What SciPy says of windows that are short or constant is kept: the kernels say something else there.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, TypeAlias

from hypostyle._functions.values import Expr

Ask: TypeAlias = Callable[[str], Expr]
"""Returns what a kernel says of the window: `ask("std:1")`."""

_NAN: Expr = ["float", "nan"]


def _float(value: float) -> Expr:
    return ["float", repr(value)]


def _compare(left: Expr, operator: str, right: Expr) -> Expr:
    return ["compare", left, [[operator, right]]]


def _is_constant(ask: Ask) -> Expr:
    """Whether the values are as good as equal, by SciPy's measure."""
    return _compare(ask("var:0"), "<=", ["**", ["*", _float(1e-15), ask("mean")], 2])


def skew(ask: Ask, *, bias: bool) -> Expr:
    """Return `scipy.stats.skew(window)`: the kernel corrects for bias, and needs three values for it."""
    n, corrected = ask("count"), ask("skew")
    root: Expr = ["call", "math.sqrt", [["*", n, ["-", n, 1]]]]
    found = ["/", ["*", corrected, ["-", n, 2]], root] if bias else corrected
    return ["if", _is_constant(ask), _NAN, ["if", _compare(n, "<", 3), _float(0.0), found]]


def kurtosis(ask: Ask, *, bias: bool) -> Expr:
    """Return `scipy.stats.kurtosis(window)`: the kernel corrects for bias, and needs four values for it."""
    n, corrected = ask("count"), ask("kurt")
    factor: Expr = ["/", ["*", ["-", n, 2], ["-", n, 3]], ["-", n, 1]]
    found: Expr = ["/", ["-", ["*", corrected, factor], _float(6.0)], ["+", n, 1]] if bias else corrected
    # Two or three values have the same kurtosis whatever they are.
    short: Expr = ["if", _compare(n, "<", 3), _float(-2.0), _float(-1.5)]
    return ["if", _is_constant(ask), _NAN, ["if", _compare(n, "<", 4), short, found]]


def standard_error(ask: Ask, ddof: int) -> Expr:
    """Return `scipy.stats.sem(window)`."""
    n = ask("count")
    found: Expr = ["/", ask(f"std:{ddof}"), ["call", "math.sqrt", [n]]]
    return ["if", _compare(n, "<=", max(ddof, 1)), _NAN, found]


def interquartile_range(ask: Ask) -> Expr:
    """Return `scipy.stats.iqr(window)`."""
    return ["-", ask("quantile:0.75"), ask("quantile:0.25")]


class Idioms:
    """Reads code with a window that is one statistic of it.

    Args:
        is_window: Whether a node is the window.
        object_of: Returns what the name of a function stands for.
    """

    def __init__(self, is_window: Callable[[ast.expr], bool], object_of: Callable[[ast.expr], Any]) -> None:
        self._is_window = is_window
        self._object_of = object_of

    def found(self, node: ast.expr, ask: Ask) -> Expr | None:
        """Return the statistic that an expression is; None if it is none of these."""
        match node:
            case ast.Call(args=[inner], keywords=[]) if self._is(node, "numpy", "median"):
                return ask("mad") if self._is_deviations(inner) else None
            case ast.Call(func=ast.Name(id="len"), args=[ast.Call(args=[window]) as inner]) if self._is_window(window):
                is_set = isinstance(inner.func, ast.Name) and self._object_of(inner.func) is set
                return ask("nunique") if is_set or self._is(inner, "numpy", "unique") else None
            case ast.Attribute(attr="size", value=ast.Call(args=[window]) as inner) if self._is_window(window):
                return ask("nunique") if self._is(inner, "numpy", "unique") else None
        return self._scipy(node, ask) if isinstance(node, ast.Call) else None

    def _scipy(self, node: ast.Call, ask: Ask) -> Expr | None:
        if not node.args or not self._is_window(node.args[0]) or self._of(node, "scipy") is None:
            return None
        given = {k.arg: k.value for k in node.keywords}
        match (
            self._of(node, "scipy"),
            [_constant(a) for a in node.args[1:]],
            {k: _constant(v) for k, v in given.items()},
        ):
            case "skew", [], {**rest} if _is_flag(rest, "bias"):
                return skew(ask, bias=rest.get("bias", True))
            case "kurtosis", [], {**rest} if _is_flag(rest, "bias"):
                return kurtosis(ask, bias=rest.get("bias", True))
            case "iqr", [], {**rest} if not rest:
                return interquartile_range(ask)
            case "median_abs_deviation", [], {**rest} if not rest:
                return ask("mad")
            case "trim_mean", [int() | float() as cut], {**rest} if not rest and 0 <= cut < 0.5:
                return ask(f"trimmed_mean:{float(cut)!r}")
            case "trim_mean", [], {"proportiontocut": int() | float() as cut, **rest} if not rest and 0 <= cut < 0.5:
                return ask(f"trimmed_mean:{float(cut)!r}")
            case "sem", [], {**rest} if set(rest) <= {"ddof"} and type(rest.get("ddof", 1)) is int:
                return standard_error(ask, rest.get("ddof", 1))
        return None

    def _of(self, node: ast.Call, library: str) -> str | None:
        """Return the name of a function of a library."""
        found = self._object_of(node.func) if isinstance(node.func, ast.Name | ast.Attribute) else None
        is_there = str(getattr(found, "__module__", "")).partition(".")[0] == library
        return str(getattr(found, "__name__", "")) if is_there else None

    def _is(self, node: ast.expr, library: str, name: str) -> bool:
        return isinstance(node, ast.Call) and self._of(node, library) == name

    def _is_deviations(self, node: ast.expr) -> bool:
        """Whether a node is `np.abs(window - np.median(window))`."""
        match node:
            case ast.Call(args=[ast.BinOp(left=left, op=ast.Sub(), right=ast.Call(args=[of]) as right)], keywords=[]):
                is_abs = self._of(node, "numpy") == "absolute"
                return is_abs and self._is(right, "numpy", "median") and self._is_window(left) and self._is_window(of)
        return False


def _constant(node: ast.expr) -> Any:
    return node.value if isinstance(node, ast.Constant) else node


def _is_flag(rest: dict[str | None, Any], name: str) -> bool:
    return set(rest) <= {name} and isinstance(rest.get(name, True), bool)
