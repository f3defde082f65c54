"""Expressions of whole columns or frames: `frame["y"] - 2`, `np.log(x)`, `frame.sort_values("t")`.

These make new columns and change nothing, so that they can be evaluated when their lines are examined.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from hypostyle._profile.syntax import is_path

_METHODS = {
    *("abs", "add", "alias", "astype", "between", "bfill", "cast", "ceil", "clip", "copy", "count"),
    *("cum_count", "cum_max", "cum_min", "cum_sum", "cumcount", "cummax", "cummin", "cumprod", "cumsum"),
    *("date", "day", "diff", "div", "drop", "drop_duplicates", "drop_nulls", "dropna", "duplicated", "eq"),
    *("ewm", "ewm_mean", "expanding", "ffill", "fill_nan", "fill_null", "fillna", "filter", "floor"),
    *("floordiv", "ge", "groupby", "gt", "head", "hour", "interpolate", "is_in", "is_not_null", "is_null"),
    *("isin", "isna", "isnull", "le", "log", "lower", "lt", "mask", "max", "mean", "median", "min", "minute"),
    *("mod", "month", "mul", "ne", "normalize", "not_null", "notna", "notnull", "otherwise", "over"),
    *("pct_change", "pow", "quantile", "rank", "ravel", "rename", "replace", "reset_index", "rolling"),
    *("rolling_max", "rolling_mean", "rolling_min", "rolling_std", "rolling_sum", "round", "second", "select"),
    *("shift", "slice", "sort", "sort_index", "sort_values", "sqrt", "std", "strip", "sub", "sum", "tail"),
    *("then", "timestamp", "to_frame", "to_list", "to_numpy", "to_series", "tolist", "total_minutes"),
    *("total_seconds", "transform", "truediv", "upper", "var", "weekday", "where", "with_columns"),
    *("with_row_index", "year"),
}
"""Methods of columns and frames that make new ones."""

_FUNCTIONS = {
    *("Series", "abs", "append", "arange", "array", "asarray", "ceil", "clip", "col", "concatenate", "cos"),
    *("cumsum", "diff", "ediff1d", "exp", "floor", "insert", "isnan", "lit", "log", "log10", "log1p"),
    *("maximum", "minimum", "nan_to_num", "ones", "ones_like", "radians", "roll", "round", "sign", "sin"),
    *("sqrt", "square", "to_datetime", "to_numeric", "to_timedelta", "when", "where", "zeros", "zeros_like"),
}
"""Functions of NumPy, pandas and Polars."""

_LIBRARIES = ("numpy", "pandas", "polars")
_TYPES: dict[str, type] = {"bool": bool, "float": float, "int": int, "str": str}


def is_column_expression(node: ast.AST) -> bool:
    """Whether a node computes a column or a frame from others, and changes nothing, as far as its code says."""
    match node:
        case ast.BinOp(left=left, right=right):
            return _is_part(left) and _is_part(right) and not _is_written_out(node)
        case ast.UnaryOp(operand=operand):
            return is_column_expression(operand) or is_path(operand)
        case ast.Compare(left=left, comparators=[right]):
            return _is_part(left) and _is_part(right) and not _is_written_out(node)
        case ast.Call(func=ast.Attribute(value=owner, attr=name), args=arguments, keywords=keywords):
            given = [*arguments, *(k.value for k in keywords)]
            if not all(map(_is_part, given)) or any(k.arg in (None, "inplace", "out") for k in keywords):
                return False
            return name in _METHODS | _FUNCTIONS and (is_path(owner) or is_column_expression(owner))
        case ast.Subscript(value=value, slice=part):
            is_made = is_column_expression(value) or not isinstance(part, ast.Constant)
            return is_made and _is_part(value) and _is_part(part)
        case ast.Attribute(value=value):
            return is_column_expression(value)
    return False


def _is_part(node: ast.AST) -> bool:
    """Whether a node may stand in such an expression: also names and constants."""
    match node:
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return all(map(_is_part, elements))
        case ast.Slice(lower=lower, upper=upper, step=step):
            return all(end is None or _is_part(end) for end in (lower, upper, step))
    return _is_written_out(node) or is_path(node) or is_column_expression(node)


def _is_written_out(node: ast.AST) -> bool:
    parts = (ast.Constant, ast.BinOp, ast.UnaryOp, ast.Compare, ast.operator, ast.unaryop, ast.cmpop)
    return all(isinstance(n, parts) for n in ast.walk(node))


def evaluated(node: ast.expr, variables: Mapping[str, Any]) -> Any:
    """Return the column or frame that an expression makes; None if its names are objects of the user's own.

    Args:
        node: What `is_column_expression` accepts.
        variables: The values of its names.

    Raises:
        Exception: Whatever the expression raises.
    """
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    known = {name: value for name, value in {**_TYPES, **variables}.items() if name in names}
    if known.keys() != names or not all(_is_known(value) for value in known.values()):
        return None
    code = compile(ast.fix_missing_locations(ast.Expression(node)), "<column>", "eval")
    return eval(code, known)


def _is_known(value: Any) -> bool:
    """Whether a value is of a library of columns, or plain: its methods have no effects."""
    name = value.__name__ if type(value).__name__ == "module" else type(value).__module__
    is_of_them = str(name).partition(".")[0] in (*_LIBRARIES, "builtins", "datetime", "decimal")
    return is_of_them and (not callable(value) or value in _TYPES.values())
