"""Columns from lists of Python values, as objects have them and pandas' columns of type object."""

from __future__ import annotations

import numbers
from typing import Any

import polars as pl


def series_of(name: str, values: list[Any]) -> pl.Series | str:
    """Return the values as a column; `None` is null, and numbers of several types become integers or floats.

    Values that do not go together give the reason, for an error: "row 0 has a str and row 3 an int".
    """
    try:
        column = pl.Series(name, values)
    except (TypeError, OverflowError, pl.exceptions.PolarsError):
        column = None
    if column is not None and column.dtype != pl.Object:
        return column
    first: dict[type, int] = {}
    for at, value in enumerate(values):
        if value is not None:
            first.setdefault(type(value), at)
    for number, dtype in ((numbers.Integral, pl.Int64), (numbers.Real, pl.Float64)):
        if all(issubclass(kind, number) or _is_boolean(kind) for kind in first):
            convert = int if dtype == pl.Int64 else float
            try:
                return pl.Series(name, [None if value is None else convert(value) for value in values], dtype=dtype)
            except (TypeError, OverflowError, pl.exceptions.PolarsError):
                continue  # integers beyond 64 bits
    rows = [f"row {at} has {_with_article(kind)}" for kind, at in list(first.items())[:2]]
    return " and ".join(rows)


def _is_boolean(kind: type) -> bool:
    return issubclass(kind, bool) or kind.__name__ in {"bool", "bool_"}


def _with_article(kind: type) -> str:
    return f"{'an' if kind.__name__[0].lower() in 'aeio' else 'a'} {kind.__qualname__}"
