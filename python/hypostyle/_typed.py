"""The namespaces as functions: type checkers know these, but not what a package adds to Polars at run time."""

from __future__ import annotations

import polars as pl

from hypostyle._lazy import LazyKernels
from hypostyle._namespace import ExprKernels


def col(column: str | pl.Expr) -> ExprKernels:
    """Return the kernels of a column as methods: `pl.col(column).hs`, with types.

    Type checkers and editors do not know `pl.col("price").hs`, because Polars adds namespaces at run time.  Both return
    the same expressions.

    Args:
        column: A column name, or a Polars expression.

    Raises:
        TypeError: `column` is neither.

    Examples:
        >>> import hypostyle as hs
        >>> import polars as pl
        >>> frame = pl.DataFrame({"price": [1.0, 5.0, 3.0]})
        >>> frame.select(hs.col("price").rolling_mean(2))["price"].to_list()
        [None, 3.0, 4.0]
        >>> frame.select(hs.col(pl.col("price") * 2).expanding_max())["price"].to_list()
        [2.0, 10.0, 10.0]
    """
    if not isinstance(column, str | pl.Expr):
        msg = f"hs.col takes a column name or a Polars expression, not a {type(column).__name__}"
        raise TypeError(msg)
    return ExprKernels(pl.col(column) if isinstance(column, str) else column)


def lazy(frame: pl.LazyFrame) -> LazyKernels:
    """Return the `hs` namespace of a LazyFrame: `frame.hs`, with types.

    Args:
        frame: A LazyFrame.

    Raises:
        TypeError: `frame` is not a LazyFrame.

    Examples:
        >>> import hypostyle as hs
        >>> import polars as pl
        >>> lf = pl.LazyFrame({"price": [1.0, 5.0, 3.0]})
        >>> hs.lazy(lf).with_columns(hs.expanding_max("price").alias("high")).collect()["high"].to_list()
        [1.0, 5.0, 5.0]
    """
    if not isinstance(frame, pl.LazyFrame):
        way_out = "call frame.lazy() first, or use hs.with_columns"
        msg = f"hs.lazy takes a Polars LazyFrame, not a {type(frame).__module__}.{type(frame).__qualname__}; {way_out}"
        raise TypeError(msg)
    return LazyKernels(frame)
