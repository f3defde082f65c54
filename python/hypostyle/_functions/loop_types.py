"""What an array of a loop keeps of a value: NumPy converts it to the array's type.

The type of `np.zeros_like(x)` is that of the column, which is not known before the program runs.  The program finds it
out: `np.where` of a float and an int is a float, so that 2**53 + 1, chosen instead of an item of `x`, is exact only
beside a column of ints.
"""

from __future__ import annotations

from collections.abc import Iterator

from hypostyle._functions.values import Expr, Statement, Value, encode, is_constant

_INEXACT = 2**53 + 1
"""An int that no float is equal to."""

_CONVERT = {"float": float, "int": int, "bool": bool}


def type_of(constant: Expr) -> str | None:
    """Return the type of an array that is filled with a constant; None for an array of objects."""
    if isinstance(constant, list):
        return "float" if constant[0] == "float" else None
    if constant is None:
        return None
    return "bool" if isinstance(constant, bool) else "int"


def converted(conversion: str | None, value: Value) -> Expr:
    """Return a value as an array of a type keeps it."""
    if conversion is None or (value is None and conversion != "float"):
        return value
    if value is None:
        return ["float", "nan"]
    if is_constant(value):
        plain = float(value[1]) if isinstance(value, list) else value
        try:
            return encode(_CONVERT[conversion](plain))
        except (ValueError, OverflowError):
            pass
    return ["call", conversion, [value]]


def start_of(constant: Expr) -> Expr:
    """Return a constant as a column's type may keep it: a float, of which few integers are none."""
    if isinstance(constant, int) and abs(constant) < _INEXACT:
        return ["float", repr(float(constant))]
    return constant


def looked_at(column: str) -> Iterator[Statement]:
    """Yield the statements that find out the type of a column, for `as_column`."""
    item: Expr = ["get", column]
    missing: Expr = ["is_none", item]
    # It is refused of booleans, whose arrays would keep truth values.
    yield ["set", f"{column}.sign", ["if", missing, 0, ["call", "np.sign", [item]]]]
    is_nan: Expr = ["and", [["not", missing], ["call", "np.isnan", [item]]]]
    beside: Expr = ["call", "np.where", [is_nan, item, _INEXACT]]
    yield ["set", f"{column}.rest", ["-", beside, _INEXACT - 1]]


def as_column(column: str, value: Value) -> Expr:
    """Return a value as an array of a column's type keeps it."""
    rest: Expr = ["get", f"{column}.rest"]
    kept: Expr = ["get", f"{column}.kept"]
    of_ints: Expr = ["compare", rest, [["==", 1]]]
    never: Expr = ["compare", rest, [["==", 2]]]
    whole: Expr = ["if", of_ints, ["call", "int", [kept]], kept]
    result: Expr = ["call", "np.where", [never, ["get", column], whole]]
    value = ["float", "nan"] if value is None else value
    return ["block", [["set", f"{column}.kept", value], ["return", [result], []]]]
