"""A score for each price."""

import sys

import polars as pl


def score(price):
    value = 0.0
    for k in range(80):
        value += (price - 10.0 * k) * (0.5 if price > 10.0 * k else 0.1)
    return value


trades = pl.read_csv(sys.argv[1])
scored = trades.with_columns(pl.col("price").map_elements(score, return_dtype=pl.Float64).alias("score"))  # hot: hs.jit
print(scored["score"].mean())
