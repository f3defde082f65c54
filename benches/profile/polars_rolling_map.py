"""Spread of the last fifty prices, relative to their mean."""

import sys

import polars as pl

trades = pl.read_csv(sys.argv[1]).drop_nulls("price")
wide = trades.with_columns(
    pl.col("price").rolling_map(lambda w: (w.max() - w.min()) / w.mean(), 50).alias("spread")  # hot: hs.rolling
)
print(wide["spread"].mean())
