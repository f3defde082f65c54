"""What an array of a loop keeps of a value: NumPy converts it to the array's type.

The type of `np.zeros_like(x)` is that of the column, which is not known before the program is bound to columns.
"""

from __future__ import annotations

from hypostyle._functions.values import Expr, Value, encode, is_constant

_INEXACT = 2**53 + 1
"""The least int that no float is equal to."""

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


def as_column(column: str, value: Value) -> Expr:
    """Return a value as an array of a column's type keeps it."""
    return ["call", "like", [["get", column], ["float", "nan"] if value is None else value]]
