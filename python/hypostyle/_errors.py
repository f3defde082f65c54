"""The error for a missing column, for which Python has no class, and the warning about rows without an order."""

from __future__ import annotations

import sys
import warnings

import polars.exceptions


class ColumnNotFoundError(polars.exceptions.ColumnNotFoundError, KeyError):
    """The input has no column of this name.

    It is a `KeyError`, as in pandas, and also Polars' error of the same name.
    """

    def __str__(self) -> str:
        # KeyError alone would show the message in quotes.
        return str(self.args[0]) if self.args else ""


class RowOrderWarning(UserWarning):
    """A kernel depends on the order of the rows, and the query defines none."""


def warn(message: str, category: type[Warning]) -> None:
    """Warn at the user's line: that of the first caller outside of this package."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals["__name__"].partition(".")[0] == "hypostyle":
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level + 1)
