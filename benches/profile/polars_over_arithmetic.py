"""How unusual each price is among the last fifty of its symbol."""

import sys

import polars as pl

trades = pl.read_csv(sys.argv[1]).drop_nulls(["symbol", "price"])
scored = trades.with_columns(
    (
        (pl.col("price") - pl.col("price").rolling_median(200)) / pl.col("price").rolling_std(200)
    )  # hot: hs.rolling_median
    .over("symbol")
    .alias("score")
)
print(scored["score"].abs().max())
