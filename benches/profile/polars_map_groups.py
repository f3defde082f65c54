"""Distance of each price from the mean of the last twenty of its symbol, group by group."""

import sys

import polars as pl


def with_distance(group):
    return group.with_columns((pl.col("price") - pl.col("price").rolling_mean(20)).alias("distance"))


trades = pl.read_csv(sys.argv[1]).drop_nulls(["symbol", "price"])
wide = trades.group_by("symbol").map_groups(with_distance)  # hot: hs.rolling_mean
print(wide["distance"].abs().mean())
