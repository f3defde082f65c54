"""Signals by the change since the price before."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1]).dropna()
prices = trades["price"].tolist() * 15
signals = []
for i, price in enumerate(prices):  # hot: hs.loop
    if i == 0:
        signals.append(0)
        continue
    change = (price - prices[i - 1]) / prices[i - 1]
    if change > 0.01:
        signals.append(1)
    elif change < -0.01:
        signals.append(-1)
    else:
        signals.append(0)
print(sum(signals))
