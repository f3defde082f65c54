"""Value of each trade, with a discount."""

import sys

import polars as pl

trades = pl.read_csv(sys.argv[1]).drop_nulls()
valued = trades.with_columns(
    pl.struct("price", "size")  # hot: hs.jit
    .map_elements(
        lambda t: t["price"] * t["size"] * (0.98 if t["size"] > 100 else 1.0) - (5.0 if t["price"] > 50 else 0.0),
        return_dtype=pl.Float64,
    )
    .alias("value")
)
print(valued["value"].sum())
