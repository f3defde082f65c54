"""Medians of the last hundred prices, as lists of the symbols."""

import sys

import polars as pl

trades = pl.read_csv(sys.argv[1]).drop_nulls(["symbol", "price"])
lists = trades.group_by("symbol").agg(pl.col("price").rolling_median(100).alias("median"))  # hot: hs.rolling_median
print(lists.sort("symbol").explode("median")["median"].mean())
