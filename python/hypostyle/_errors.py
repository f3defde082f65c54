"""The one exception that Python has no fitting class for."""

from __future__ import annotations

import polars.exceptions


class ColumnNotFoundError(polars.exceptions.ColumnNotFoundError, KeyError):
    """The input has no column of this name.

    Both a `KeyError`, as pandas users expect, and Polars' error of the same name.
    """

    def __str__(self) -> str:
        # KeyError alone would show the message in quotes.
        return str(self.args[0]) if self.args else ""
