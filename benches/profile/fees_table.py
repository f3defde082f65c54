"""Fees by a table of rates."""

import sys

import pandas as pd

df = pd.read_csv(sys.argv[1]).dropna()
fees = {"buy": 0.001, "sell": 0.0015}


def cost(row):
    return row["price"] * row["size"] * fees[row["side"]]


df["fee"] = df.apply(cost, axis=1)  # hot: hs.jit
print(df["fee"].sum())
