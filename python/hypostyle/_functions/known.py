"""The functions that a program can call, found by the object itself: a file may import them in any way."""

from __future__ import annotations

import builtins
import math
import sys
from functools import cache
from typing import NamedTuple


class Known(NamedTuple):
    """A function of a program: its canonical name and how many arguments it takes."""

    name: str
    fewest: int
    most: int


_BUILTINS = {"abs": (1, 1), "int": (1, 1), "float": (1, 1), "bool": (1, 1)}

_MATH = {
    1: "sqrt exp exp2 expm1 log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh cbrt floor "
    "ceil trunc fabs isnan isinf isfinite degrees radians erf erfc gamma lgamma",
    2: "pow atan2 fmod copysign hypot",
}

_NUMPY = {
    1: "sqrt exp log log2 log10 log1p expm1 sin cos tan arcsin arccos arctan sinh cosh tanh abs fabs floor ceil trunc "
    "rint sign isnan isinf isfinite square",
    2: "power arctan2 hypot fmod maximum minimum copysign",
    3: "where clip",
}
_NUMPY_NAMES = {"fabs": "abs"}
_OF_MATH = {"radians": "radians", "deg2rad": "radians", "degrees": "degrees", "rad2deg": "degrees"}
"""Functions of NumPy that give the bits of those of `math`."""


def known_function(function: object) -> Known | None:
    """Return the function of a program that this object is."""
    return _of_python().get(id(function)) or _of_numpy("numpy" in sys.modules).get(id(function))


def tests_missing(function: object) -> bool | None:
    """Return what pandas' function says of a missing value: `isna` and `isnull` say that it is missing, `notna` not."""
    pandas = sys.modules.get("pandas")
    for names, says in ((("isna", "isnull"), True), (("notna", "notnull"), False)):
        if any(function is getattr(pandas, name, NotImplemented) for name in names):
            return says
    return None


@cache
def _of_python() -> dict[int, Known]:
    table = {id(getattr(builtins, name)): Known(name, *counts) for name, counts in _BUILTINS.items()}
    for count, names in _MATH.items():
        for name in names.split():
            if (function := getattr(math, name, None)) is not None:
                table[id(function)] = Known(f"math.{name}", count, count)
    table[id(math.log)] = Known("math.log", 1, 2)
    return table


@cache
def _of_numpy(imported: bool) -> dict[int, Known]:
    if not imported:
        return {}
    import numpy as np

    table = {
        id(getattr(np, name)): Known(f"np.{_NUMPY_NAMES.get(name, name)}", count, count)
        for count, names in _NUMPY.items()
        for name in names.split()
    }
    return table | {id(getattr(np, name)): Known(f"math.{same}", 1, 1) for name, same in _OF_MATH.items()}
