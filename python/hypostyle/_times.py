"""Dates and times of rows that come alone: Python's objects to the integers that columns hold, and back."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from typing import Any

_EPOCH = datetime(1970, 1, 1)
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=timezone.utc)
_NANOSECONDS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}


def to_physical(value: Any, unit: str, zone: str | None) -> int | None:
    """The integer that a column of this unit holds for a value; `None` where it can't."""
    kind, _, step = unit.partition(" ")
    if type(value).__module__ == "numpy" and type(value).__name__ in {"datetime64", "timedelta64"}:
        return _of_numpy(value, kind, step)
    if kind == "date" and isinstance(value, date) and not isinstance(value, datetime):
        return value.toordinal() - _EPOCH.toordinal()
    if kind == "time" and isinstance(value, time):
        since = timedelta(hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond)
        return _in_steps(since, 0, step)
    if kind == "duration" and isinstance(value, timedelta):
        return _in_steps(value, getattr(value, "nanoseconds", 0), step)
    if kind == "datetime" and isinstance(value, datetime) and (value.tzinfo is None) == (zone is None):
        since = value - (_EPOCH if zone is None else _EPOCH_UTC)
        # pandas' timestamps know nanoseconds, in the difference too.
        return _in_steps(since, getattr(since, "nanoseconds", 0), step)
    return None


def from_physical(value: int, unit: str, zone: str | None) -> date | datetime | time | timedelta:
    """The value for which a column of this unit holds an integer, as Polars gives it: to the microsecond."""
    kind, _, step = unit.partition(" ")
    if kind == "date":
        return date.fromordinal(value + _EPOCH.toordinal())
    since = timedelta(microseconds=value * _NANOSECONDS[step] // 1000)
    if kind == "duration":
        return since
    if kind == "time":
        return (_EPOCH + since).time()
    if zone is None:
        return _EPOCH + since
    return (_EPOCH_UTC + since).astimezone(_zone(zone))


def _zone(name: str) -> Any:
    from zoneinfo import ZoneInfo

    return timezone.utc if name == "UTC" else ZoneInfo(name)


def _in_steps(since: timedelta, nanoseconds: int, step: str) -> int:
    return (since // timedelta(microseconds=1) * 1000 + nanoseconds) // _NANOSECONDS[step]


def _of_numpy(value: Any, kind: str, step: str) -> int | None:
    if kind == "date":
        return int(value.astype("datetime64[D]").astype(int)) if type(value).__name__ == "datetime64" else None
    if (kind, type(value).__name__) not in {("datetime", "datetime64"), ("duration", "timedelta64")}:
        return None
    return int(value.astype(f"{type(value).__name__}[{step}]").astype(int))
