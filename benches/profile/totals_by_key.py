"""What was bought of each symbol."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1]).dropna(subset=["price"])
bought = {}
for _, trade in trades.iterrows():  # hot: groupby
    if trade["side"] == "buy":
        bought[trade["symbol"]] = bought.get(trade["symbol"], 0.0) + trade["price"] * trade["size"]
print(max(bought.values()))
