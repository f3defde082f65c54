"""Means and peaks of each symbol, group by group."""

import sys

import polars as pl

trades = pl.read_csv(sys.argv[1]).drop_nulls("price")
parts = []
for _, group in trades.group_by("symbol", maintain_order=True):  # hot: hs.rolling_mean
    group = group.with_columns(pl.col("price").rolling_mean(20).alias("mean"))
    group = group.with_columns(pl.col("price").cum_max().alias("peak"))
    parts.append(group)
result = pl.concat(parts)
print(result["mean"].mean(), result["peak"].max())
