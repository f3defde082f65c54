"""The average cost of what is held of each symbol, with the state of a symbol in a dictionary of its own."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1]).dropna()
held = {}
costs = []
for trade in trades.itertuples():  # hot: hs.loop
    if trade.symbol not in held:
        held[trade.symbol] = {"shares": 0, "cost": 0.0}
    own = held[trade.symbol]
    if trade.side == "buy":
        own["cost"] += trade.price * 100
        own["shares"] += 100
    elif own["shares"] > 0:
        own["cost"] -= own["cost"] / own["shares"] * 100
        own["shares"] -= 100
    costs.append(own["cost"])
trades["cost"] = costs
print(trades["cost"].sum())
