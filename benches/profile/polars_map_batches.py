"""A fee for each trade, by a function of the whole Series."""

import sys

import polars as pl


def fee(price):
    rate = 0.01
    for step in range(50):
        if price > 10.0 * step:
            rate = rate * 0.97 + 0.0001
    return price * rate


trades = pl.read_csv(sys.argv[1]).drop_nulls("price")
paid = trades.with_columns(
    pl.col("price").map_batches(lambda s: pl.Series([fee(v) for v in s])).alias("fee")  # hot: hs.jit
)
print(paid["fee"].sum())
