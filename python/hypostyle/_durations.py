"""Durations as Python, numpy and pandas give them, to the strings that Rust reads.

Rust checks the strings and writes the messages, except where pandas' words would mean something else here.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache
from typing import Any

_OF_PANDAS = {"min": "m", "D": "d", "W": "w"}
"""pandas' units that have another name here."""

_OLD = {"T": "m", "H": "h", "S": "s", "L": "ms", "U": "us", "N": "ns"}
"""The units that pandas 3 no longer has."""

_TEXT = re.compile(r"(?:\d+[^\W\d_]+)+")
_PART = re.compile(r"(\d+)([^\W\d_]+)")


def of_text(kernel: str, parameter: str, text: str) -> str:
    """Return a string with pandas' units as ours: `5min` as `5m`.

    Raises:
        ValueError: The string has a unit that means several things.
    """
    ours, problem = _translated(text)
    if problem is not None:
        msg = f"{kernel}, parameter '{parameter}': {problem}"
        raise ValueError(msg)
    return ours


@lru_cache(1024)
def _translated(text: str) -> tuple[str, str | None]:
    """Return the string in our units, and what is wrong with it; Rust says so of strings that are not translated."""
    if not _TEXT.fullmatch(text):
        return text, None
    parts = _PART.findall(text)
    for amount, unit in parts:
        if unit == "M":
            reason, instead = "could be minutes or months", f"write '{amount}m' for minutes, or days, such as '30d'"
        elif unit in _OLD:
            reason, instead = "is not a unit any more, in pandas neither", f"write '{amount}{_OLD[unit]}'"
        else:
            continue
        return text, f"\"{text}\" is not a valid duration: '{unit}' {reason}\nhelp: {instead}"
    return "".join(amount + _OF_PANDAS.get(unit, unit) for amount, unit in parts), None


def of_object(kernel: str, parameter: str, value: Any) -> str | None:
    """Return a timedelta, of numpy and pandas too, or a fixed offset of pandas as a string; `None` if it is neither.

    Raises:
        ValueError: It is not positive, or has no fixed length.
    """
    if isinstance(value, timedelta) and not hasattr(value, "to_timedelta64"):
        length, unit = value // timedelta(microseconds=1), "us"
    elif hasattr(value, "to_timedelta64"):  # pandas.Timedelta keeps nanoseconds
        length, unit = int(value.to_timedelta64().astype("timedelta64[ns]").astype("i8")), "ns"
    elif type(value).__name__ == "timedelta64":
        length, unit = _of_numpy(kernel, parameter, value), "ns"
    elif type(value).__module__.startswith("pandas.") and hasattr(type(value), "nanos"):
        length, unit = _of_offset(kernel, parameter, value), "ns"
    else:
        return None
    if length <= 0:
        shown = f"-{-value}" if isinstance(value, timedelta) and length < 0 else str(value)
        msg = f"{kernel}, parameter '{parameter}': must be positive, got {shown}"
        raise ValueError(msg)
    return f"{length}{unit}"


def _of_offset(kernel: str, parameter: str, value: Any) -> int:
    try:
        return int(value.nanos)
    except ValueError:
        msg = f"{kernel}, parameter '{parameter}': {value} has no fixed length\nhelp: use days, such as '30d'"
    raise ValueError(msg)


def _of_numpy(kernel: str, parameter: str, value: Any) -> int:
    import numpy as np

    unit, _ = np.datetime_data(value.dtype)
    if np.isnat(value) or unit in ("generic", "M", "Y"):
        problem = "is not a time" if np.isnat(value) else "has no unit" if unit == "generic" else "has no fixed length"
        msg = f"{kernel}, parameter '{parameter}': {value!r} {problem}"
        raise ValueError(f"{msg}\nhelp: pass a duration such as '5m' or np.timedelta64(5, 'm')")
    return int(value.astype("timedelta64[ns]").astype("i8"))
