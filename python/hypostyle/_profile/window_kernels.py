"""Functions of a window that are one kernel: `stats.iqr`, `lambda w: w.nunique()`, `lambda w: w.rank().iloc[-1]`.

What is written in several ways is read without what makes no difference: the module of a function, `iloc` and `values`,
a Series or an array made of the window.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping
from typing import TypeAlias

Known: TypeAlias = "tuple[str, Mapping[str, str]]"
"""The name of a kernel, and its options as code."""

_PCT = {"pct": "True"}

_KERNELS: dict[str, Known] = {
    "w.skew()": ("rolling_skew", {}),
    "w.kurt()": ("rolling_kurt", {}),
    "w.kurtosis()": ("rolling_kurt", {}),
    "w.sem()": ("rolling_sem", {}),
    "sem(w)": ("rolling_sem", {}),
    "w.mode()[0]": ("rolling_mode", {}),
    "mode(w)[0]": ("rolling_mode", {}),
    "mode(w).mode": ("rolling_mode", {}),
    "w.autocorr()": ("rolling_autocorr", {}),
    "w.rank()[-1]": ("rolling_rank", {}),
    "w.rank(pct=True)[-1]": ("rolling_rank", _PCT),
    "w.rank()[-1] / len(w)": ("rolling_rank", _PCT),
    "rankdata(w)[-1]": ("rolling_rank", {}),
    "rankdata(w)[-1] / len(w)": ("rolling_rank", _PCT),
    "percentileofscore(w, w[-1]) / 100": ("rolling_rank", _PCT),
    "sum(w <= w[-1])": ("rolling_rank", {"method": '"max"'}),
    "(w <= w[-1]).sum()": ("rolling_rank", {"method": '"max"'}),
    "mean(w <= w[-1])": ("rolling_rank", {"method": '"max"', **_PCT}),
    "sum(w <= w[-1]) / len(w)": ("rolling_rank", {"method": '"max"', **_PCT}),
    "sum(w < w[-1]) + 1": ("rolling_rank", {"method": '"min"'}),
    "(w < w[-1]).sum() + 1": ("rolling_rank", {"method": '"min"'}),
    "(w <= w[-1]).mean()": ("rolling_rank", {"method": '"max"', **_PCT}),
    "(w <= w[-1]).sum() / len(w)": ("rolling_rank", {"method": '"max"', **_PCT}),
    "iqr(w)": ("rolling_iqr", {}),
    "w.quantile(0.75) - w.quantile(0.25)": ("rolling_iqr", {}),
    "quantile(w, 0.75) - quantile(w, 0.25)": ("rolling_iqr", {}),
    "percentile(w, 75) - percentile(w, 25)": ("rolling_iqr", {}),
    "median_abs_deviation(w)": ("rolling_mad", {}),
    "median(abs(w - median(w)))": ("rolling_mad", {}),
    "(w - w.median()).abs().median()": ("rolling_mad", {}),
    "abs(w - w.median()).median()": ("rolling_mad", {}),
    "median(abs(w - w.median()))": ("rolling_mad", {}),
    "trim_mean(w, 0.1)": ("rolling_trimmed_mean", {}),
    "(w[-1] - mean(w)) / std(w)": ("rolling_zscore", {"ddof": "0"}),
    "zscore(w)[-1]": ("rolling_zscore", {"ddof": "0"}),
    "zscore(w, ddof=1)[-1]": ("rolling_zscore", {}),
}

_MODULES = {"np", "numpy", "stats", "statistics", "st", "ss"}


def kernel_of(window: str, body: ast.expr) -> Known | None:
    """Return the kernel that a function of a window is, with its options; None if it is none.

    Args:
        window: The name of the function's parameter.
        body: What it returns.
    """
    plain = _Plain(window).visit(copy.deepcopy(body))
    text = ast.unparse(plain)
    if text in _KERNELS:
        return _KERNELS[text]
    match plain:
        case ast.Call(func=ast.Name(id="trim_mean"), args=[ast.Name(id="w"), ast.Constant(value=float() as cut)]):
            return "rolling_trimmed_mean", {"proportion": repr(cut)}
        case ast.Call(func=ast.Attribute(value=ast.Name(id="w"), attr="autocorr"), args=given, keywords=named):
            lags = [*given, *(k.value for k in named if k.arg == "lag")]
            if len(lags) == 1 == len(given) + len(named) and ast.unparse(lags[0]).isdigit():
                return "rolling_autocorr", {"lag": ast.unparse(lags[0])}
    return None


class _Plain(ast.NodeTransformer):
    """Takes away what makes no difference."""

    def __init__(self, window: str) -> None:
        self._window = window

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name("w", ast.Load()) if node.id == self._window else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id in _MODULES:
            return ast.Name("abs" if node.attr == "absolute" else node.attr, ast.Load())
        if ast.unparse(node.value) == "scipy.stats":
            return ast.Name(node.attr, ast.Load())
        self.generic_visit(node)
        return node.value if node.attr in ("iloc", "values") else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        is_around = len(node.args) == 1 and not node.keywords
        if is_around and ast.unparse(node.func) in ("pd.Series", "pandas.Series", "asarray", "array", "float"):
            return node.args[0]
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("to_numpy", "item") and not node.args:
            return node.func.value
        return node
