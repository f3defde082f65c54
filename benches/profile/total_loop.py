"""A total with interest, row by row."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1]).dropna(subset=["price", "size"])
balance = 0.0
for i, row in trades.iterrows():  # hot: hs.loop
    balance = balance * 1.000001 + (row["price"] * row["size"] if row["price"] > 20 else -row["size"])
print(round(balance, 2))
