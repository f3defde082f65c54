"""The catalog of kernels as a frame."""

from __future__ import annotations

import polars as pl

from hypostyle._spec import CATALOG


def kernels() -> pl.DataFrame:
    """Return the kernels, one row each: name, family, summary, formula, notes, source and parameters.

    Examples:
        >>> import hypostyle as hs
        >>> import polars as pl
        >>> hs.kernels().filter(pl.col("family") == "row")["name"].to_list()
        ['risk_score', 'row_dot']
    """
    texts = ["name", "family", "summary", "formula", "notes", "source"]
    return pl.DataFrame(
        {text: [kernel[text] for kernel in CATALOG.values()] for text in texts}
        | {"parameters": [[p["name"] for p in kernel["parameters"]] for kernel in CATALOG.values()]}
    )
