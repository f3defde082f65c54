"""Durations and moments as constants: nanoseconds, which Rust turns into the unit of the time columns."""

from __future__ import annotations

import datetime as dt
import sys
from typing import Any

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
_NUMPY_UNITS = {
    "W": 7 * DAY,
    "D": DAY,
    "h": 3_600 * SECOND,
    "m": 60 * SECOND,
    "s": SECOND,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}


def nanoseconds(value: object) -> tuple[int, str] | None:
    """Return a duration or a moment in nanoseconds, and which of them it is; None for anything else."""
    kind = type(value).__name__
    if kind == "NaTType":
        return None
    if type(value).__module__ == "numpy" and kind in ("timedelta64", "datetime64"):
        return _of_numpy(value, "duration" if kind == "timedelta64" else "naive")
    if isinstance(value, dt.timedelta):
        return _of_timedelta(value) + int(getattr(value, "nanoseconds", 0)), "duration"  # those are of pandas
    if isinstance(value, dt.datetime):
        zone = None if value.tzinfo is None else dt.timezone.utc
        whole = value.to_pydatetime(warn=False) if hasattr(value, "to_pydatetime") else value
        since = _of_timedelta(whole - dt.datetime(1970, 1, 1, tzinfo=zone)) + int(getattr(value, "nanosecond", 0))
        return since, "naive" if zone is None else "aware"
    if isinstance(value, dt.time) and value.tzinfo is None:
        seconds = value.hour * 3_600 + value.minute * 60 + value.second
        return (seconds * 1_000_000 + value.microsecond) * 1_000, "duration"  # since midnight, as columns have it
    if isinstance(value, dt.date):
        return _of_timedelta(value - dt.date(1970, 1, 1)), "naive"
    return None


def _of_timedelta(value: dt.timedelta) -> int:
    return ((value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds) * 1_000


def _of_numpy(value: Any, of: str) -> tuple[int, str] | None:
    import numpy as np

    unit, count = np.datetime_data(value.dtype)
    if unit not in _NUMPY_UNITS or np.isnat(value):
        return None
    return int(value.astype("int64")) * count * _NUMPY_UNITS[unit], of


def makes_times(function: object) -> bool:
    """Return whether a function makes a duration or a moment of constants."""
    known: list[object] = [dt.timedelta, dt.datetime, dt.date, dt.time]
    for module, names in (("pandas", ("Timedelta", "Timestamp")), ("numpy", ("timedelta64", "datetime64"))):
        known += [getattr(sys.modules[module], name) for name in names] if module in sys.modules else []
    return any(function is one for one in known)
