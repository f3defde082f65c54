"""The error for a missing column, for which Python has no class."""

from __future__ import annotations

import polars.exceptions


class ColumnNotFoundError(polars.exceptions.ColumnNotFoundError, KeyError):
    """The input has no column of this name.

    It is a `KeyError`, as in pandas, and also Polars' error of the same name.
    """

    def __str__(self) -> str:
        # KeyError alone would show the message in quotes.
        return str(self.args[0]) if self.args else ""
