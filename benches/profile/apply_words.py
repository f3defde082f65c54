"""Classes of trades by size, side and price."""

import sys

import pandas as pd


def kind(row):
    if row["size"] > 400:
        return "block"
    if row["size"] > 200 and row["side"] == "buy":
        return "large buy"
    if row["price"] > 50:
        return "dear"
    return "other"


trades = pd.read_csv(sys.argv[1])
trades["kind"] = trades.apply(kind, axis=1)  # hot: hs.jit
print(trades["kind"].value_counts())
