"""An adaptive average of each symbol: it follows the price by the share of the way that was straight."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1]).dropna(subset=["price"]).reset_index(drop=True)
prices = trades.groupby("symbol")["price"]
steps = prices.diff().abs()
way = steps.groupby(trades["symbol"]).rolling(10).sum().droplevel(0).sort_index()
straight = (trades["price"] - prices.shift(10)).abs()
trades["share"] = ((straight / way.where(way > 1e-9)).fillna(0.0) * 0.6 + 0.06) ** 2
parts = []
for symbol, group in trades.groupby("symbol"):  # hot: hs.loop
    group = group.copy()
    average = [group["price"].iloc[0]]
    for i in range(1, len(group)):
        last = average[i - 1]
        average.append(last + group["share"].iloc[i] * (group["price"].iloc[i] - last))
    group["average"] = average
    parts.append(group)
trades = pd.concat(parts).sort_index()
print(round((trades["price"] > trades["average"]).mean(), 6))
