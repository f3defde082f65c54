"""Which documented difference explains that a replacement is not equal."""

from __future__ import annotations

import re

_RULES: tuple[tuple[str, str, str], ...] = (
    # what is said of the difference, the kernel, the row of docs/semantics.md
    (r"-?inf\b", "", "infinity in a rolling window"),
    (r"nan", r"corr|autocorr|spearman", "correlation with a constant"),
    (r"nan", r"skew|kurt", "skewness and excess kurtosis of a constant"),
    (r"nan", r"cum_|cumsum", "a null row of a running sum: pandas leaves it missing, a kernel returns the sum so far"),
    (r"nan|None", r"over=", "rows with a null key"),
    (r"", r"count", "rolling().count()"),
    (r"float64 before, int64", "", "data types: nunique, counts and ranks"),
)


def difference(why: str, use: str) -> str:
    """Return what differs, with the row of docs/semantics.md that may explain it."""
    for said, kernel, row in _RULES:
        if re.search(said, why) and re.search(kernel, use):
            return f"{why} (docs/semantics.md: {row})"
    return why
