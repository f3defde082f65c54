"""Change against the last price of the same symbol."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1]).dropna(subset=["price"])
last = {}
changes = []
for row in trades.itertuples():  # hot: hs.loop
    before = last.get(row.symbol, 50.0)
    change = row.price - before
    for _ in range(60):
        change = change * 0.99
    changes.append(change)
    last[row.symbol] = row.price
trades["change"] = changes
print(trades["change"].describe())
