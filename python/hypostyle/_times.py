"""Dates and times of single rows: Python objects to the integers that columns hold, and back."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

NULL = "null"
_EPOCH = datetime(1970, 1, 1)
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=timezone.utc)
_NANOSECONDS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_STEPS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
_NUMPY_UNITS = _NANOSECONDS | {"m": 60 * 10**9, "h": 3600 * 10**9, "D": 86_400 * 10**9, "W": 7 * 86_400 * 10**9}


class InexactTimeError(TypeError):
    """A time is finer than the unit of the column that should hold it."""

    def __init__(self, value: Any, unit: str) -> None:
        super().__init__(f"got {value!r}, which is finer than the {unit} of the column")
        self.value = value
        self.unit = unit

    def in_column(self, name: str) -> TypeError:
        """Return the error for people, with the column's name."""
        return TypeError(
            f"column '{name}': {self}; round the value, or declare a finer unit: "
            "Stage.set_schema with pl.Datetime('us'), or 'ns'"
        )


def to_physical(value: Any, unit: str, zone: str | None) -> int | str | None:
    """Return the integer that a column of this unit holds for a value; `NULL` for NaT, `None` if it cannot hold it.

    Raises:
        InexactTimeError: The column's unit is too coarse: the value is not cut.
    """
    kind, _, step = unit.partition(" ")
    if value != value:
        return NULL
    if type(value).__module__ == "numpy" and type(value).__name__ in {"datetime64", "timedelta64"}:
        return _of_numpy(value, kind, step)
    if kind == "date" and isinstance(value, date) and not isinstance(value, datetime):
        return value.toordinal() - _EPOCH.toordinal()
    if kind == "time" and isinstance(value, time):
        since = timedelta(hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond)
        return _in_steps(value, since, 0, step)
    if kind == "duration" and isinstance(value, timedelta):
        return _in_steps(value, value, getattr(value, "nanoseconds", 0), step)
    if kind == "datetime" and isinstance(value, datetime) and (value.tzinfo is None) == (zone is None):
        since = value - (_EPOCH if zone is None else _EPOCH_UTC)
        # pandas' timestamps have nanoseconds, in the difference too.
        return _in_steps(value, since, getattr(since, "nanoseconds", 0), step)
    return None


def from_physical(value: int, unit: str, zone: str | None) -> date | datetime | time | timedelta | int:
    """Return the value for an integer of a column of this unit, as Polars does: to the microsecond.

    If Python has no such value (a year after 9999), return the integer.
    """
    kind, _, step = unit.partition(" ")
    try:
        if kind == "date":
            return date.fromordinal(value + _EPOCH.toordinal())
        since = timedelta(microseconds=value * _NANOSECONDS[step] // 1000)
        if kind == "duration":
            return since
        if kind == "time":
            return (_EPOCH + since).time()
        return _EPOCH + since if zone is None else (_EPOCH_UTC + since).astimezone(_zone(zone))
    except (OverflowError, ValueError):
        return value


def _zone(name: str) -> tzinfo:
    if (offset := re.fullmatch(r"([+-])(\d\d):?(\d\d)", name)) is not None:
        ahead = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return timezone(ahead if offset[1] == "+" else -ahead)
    return timezone.utc if name == "UTC" else ZoneInfo(name)


def _in_steps(value: Any, since: timedelta, nanoseconds: int, step: str) -> int:
    return _exact(value, since // timedelta(microseconds=1) * 1000 + nanoseconds, _NANOSECONDS[step], _STEPS[step])


def _exact(value: Any, nanoseconds: int, step: int, unit: str) -> int:
    steps, rest = divmod(nanoseconds, step)
    if rest:
        raise InexactTimeError(value, unit)
    return steps


def _of_numpy(value: Any, kind: str, step: str) -> int | None:
    """Return the integer for a numpy scalar; numpy's own conversion would overflow."""
    wanted = "timedelta64" if kind == "duration" else "datetime64"
    unit, count = _numpy_unit(value)
    if kind not in {"date", "datetime", "duration"} or type(value).__name__ != wanted or unit not in _NUMPY_UNITS:
        return None
    nanoseconds = int(value.view("i8")) * count * _NUMPY_UNITS[unit]
    if kind == "date":
        return _exact(value, nanoseconds, _NUMPY_UNITS["D"], "days")
    return _exact(value, nanoseconds, _NANOSECONDS[step], _STEPS[step])


def _numpy_unit(value: Any) -> tuple[str, int]:
    import numpy as np

    return np.datetime_data(value.dtype)
