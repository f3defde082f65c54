"""What to write in place of a method or a function that is not compiled: one sentence for each kind of them."""

from __future__ import annotations

import ast

from hypostyle._functions import hints

_STRINGS = {
    "lower": "to_lowercase()", "casefold": "to_lowercase()", "upper": "to_uppercase()", "title": "to_titlecase()",
    "strip": "strip_chars()", "lstrip": "strip_chars_start()", "rstrip": "strip_chars_end()",
    "startswith": "starts_with(...)", "endswith": "ends_with(...)", "removeprefix": "strip_prefix(...)",
    "removesuffix": "strip_suffix(...)", "split": "split(...)", "find": "find(...)", "index": "find(...)",
    "count": "count_matches(...)", "zfill": "zfill(...)", "ljust": "pad_end(...)", "rjust": "pad_start(...)",
    "isdigit": "contains(r'^\\d+$')", "isnumeric": "contains(r'^\\d+$')", "isalpha": "contains(r'^\\pL+$')",
    "replace": "replace_all(...)", "format": "", "join": "", "encode": "", "splitlines": "split(...)",
}  # fmt: skip
_TIMES = {
    "isocalendar": "iso_year(), .dt.week()", "timestamp": "epoch('s')", "strftime": "to_string(...)",
    "isoformat": "to_string('iso')", "astimezone": "convert_time_zone(...)", "tz_convert": "convert_time_zone(...)",
    "tz_localize": "replace_time_zone(...)", "utctimetuple": "convert_time_zone('UTC')", "timetuple": "ordinal_day()",
    "toordinal": "epoch('d')", "floor": "truncate(...)", "ceil": "truncate(...)", "day_name": "to_string('%A')",
    "month_name": "to_string('%B')", "quarter": "quarter()", "week": "week()", "dayofyear": "ordinal_day()",
    "day_of_year": "ordinal_day()", "days_in_month": "days_in_month()", "nanosecond": "nanosecond()",
}  # fmt: skip
_CHANGES = ("append", "appendleft", "extend", "insert", "pop", "popleft", "remove", "add", "discard", "update", "clear")
_STATISTICS = ("mean", "std", "var", "median", "sum", "min", "max", "prod", "cumsum", "quantile", "rolling", "fmean")

STATE = (
    "a list, a deque, an array, a dict or a set that changes is no state; keep a variable for each item, "
    "read x[i - 5] in hs.loop, or keep a state for each key with over="
)
OF_COLUMN = "of a whole column pass it as another column: f('x', pl.col('x').{name}()), with .over('key') for each key"

_FUNCTIONS = {
    "math.comb": "write the product out, or pass it as a column",
    "math.factorial": "write a loop: for i in range(1, n + 1)",
    "math.dist": "write math.hypot(x1 - x2, y1 - y2)",
    "math.fsum": "write a + b + c, which rounds in between",
    "math.remainder": "write math.fmod(x, y), or x % y",
    "math.lcm": "write a * b // math.gcd(a, b)",
    "numpy.float64": "write float(x)",
    "numpy.int64": "write int(x)",
    "numpy.mod": "write x % y",
    "numpy.remainder": "write x % y",
    "collections.deque": STATE,
    "datetime.combine": "pass pl.col('d').dt.combine(pl.col('t')) as a column",
}


def of_method(node: ast.Call) -> str:
    """Return the message for a call of a method of a value."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if name == "replace" and node.keywords:
        return _before("dt", name, "replace(...)")
    if name in _TIMES:
        return _before("dt", name, _TIMES[name])
    if name in _STRINGS:
        return _before("str", name, _STRINGS[name])
    if name in _CHANGES:
        return f"{name} is not compiled here: {STATE}"
    if name in _STATISTICS:
        return f"{name} of a value is not compiled; {OF_COLUMN.format(name=name)}"
    return hints.METHOD


def of_attribute(node: ast.Attribute) -> str:
    """Return the message for an attribute of a value."""
    return _before("dt", node.attr, _TIMES[node.attr]) if node.attr in _TIMES else hints.ATTRIBUTE


def _before(namespace: str, name: str, method: str) -> str:
    """Return the message for what Polars does before the call."""
    what = f"pl.col('x').{namespace}.{method}" if method else f"what it makes, from Polars' .{namespace} expressions,"
    return f"{name} is not compiled; pass {what} as a column, and compare that"


def is_foreign(function: object) -> bool:
    """Return whether a Python function is part of a library whose functions are made for other things than numbers."""
    return str(getattr(function, "__module__", "")).partition(".")[0] in ("numpy", "statistics", "random", "re")


def of_function(function: object) -> str:
    """Return the message for a function that is not compiled."""
    name = getattr(function, "__qualname__", None) or type(function).__name__
    module = getattr(function, "__module__", None)
    name = f"{module}.{name}" if module not in (None, "builtins") else name
    root = name.partition(".")[0]
    if name in _FUNCTIONS:
        return f"{name} is not compiled; {_FUNCTIONS[name]}"
    last = name.rpartition(".")[2]
    if root in ("numpy", "statistics") and last in _STATISTICS:
        return f"{name} is not compiled; of a tuple write sum(t) / len(t); {OF_COLUMN.format(name=last)}"
    if root == "numpy" and last in ("zeros", "ones", "empty", "full", "array"):
        return f"{name} is not compiled here: {STATE}"
    if root == "re":
        return f"{name} is not compiled; pass pl.col('x').str.contains(...) or .str.extract(...) as a column"
    if root in ("random", "time", "secrets"):
        return f"{name} is not compiled; pass its values as a column"
    return f"{name} is not compiled; use operators, the functions of math and numpy, or a Python function of your own"
