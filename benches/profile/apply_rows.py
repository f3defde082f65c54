"""Fees by a tariff with steps."""

import sys

import pandas as pd


def fee(row):
    value = row["price"] * row["size"]
    if row["side"] == "sell":
        value *= 1.01
    if value < 1_000:
        return 1.0
    if value < 50_000:
        return 1.0 + 0.001 * (value - 1_000)
    return 50.0 + 0.0004 * (value - 50_000)


trades = pd.read_csv(sys.argv[1]).dropna()
trades["fee"] = trades.apply(fee, axis=1)  # hot: hs.jit
print(trades["fee"].sum())
