"""The position of each symbol, row by row."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1]).dropna(subset=["price"])
rows = []
for symbol, group in trades.groupby("symbol"):  # hot: hs.loop
    position, cost = 0.0, 0.0
    for _, trade in group.iterrows():
        amount = trade["size"] if trade["side"] == "buy" else -trade["size"]
        position += amount
        cost += amount * trade["price"]
        rows.append((symbol, position, cost))
positions = pd.DataFrame(rows, columns=["symbol", "position", "cost"])
print(positions["position"].max())
