"""Rows that come late: an earlier row of their key has a later value in the column that orders the rows of a stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

import polars as pl

from hypostyle._times import to_physical

Late: TypeAlias = "Literal['error', 'drop'] | Callable[[Any], object]"
"""What happens to late rows: an error, or they are left out; a function gets them."""


def checked(caller: str, late: Late, order_by: str | None) -> Late:
    """Return the policy; raise if it is none, or if no row can be late."""
    if not callable(late) and late not in ("error", "drop"):
        msg = f"{caller}, parameter 'late': expected 'error', 'drop' or a function of a frame, got {late!r}"
        raise ValueError(msg)
    if order_by is None and late != "error":
        msg = (
            f"{caller}, parameter 'late': the stage has no column that orders its rows, so no row is late\n"
            "help: name the column: order_by='ts'"
        )
        raise ValueError(msg)
    return late


def frame_of_row(row: Mapping[str, Any], schema: pl.Schema, needed: list[str]) -> pl.DataFrame:
    """Return a row as a frame; columns that are not needed are null."""
    columns = []
    for name, dtype in schema.items():
        value = _physical(row[name], dtype) if name in needed else None
        columns.append(pl.Series(name, [value], pl.Int64 if dtype.is_temporal() else dtype).cast(dtype))
    return pl.DataFrame(columns)


def _physical(value: Any, dtype: pl.DataType) -> Any:
    """Return the integer that a temporal column holds for a value; other values as they are."""
    if not dtype.is_temporal() or value is None or isinstance(value, int):
        return value
    kind = type(dtype).__name__.lower()
    unit = kind if kind == "date" else f"{kind} {getattr(dtype, 'time_unit', 'ns')}"
    return to_physical(value, unit, getattr(dtype, "time_zone", None))
