"""Bands around a moving average, symbol by symbol."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1])
for symbol, group in trades.groupby("symbol"):  # hot: rolling_mean
    mean = group["price"].rolling(20).mean()
    spread = group["price"].rolling(20).std()
    trades.loc[group.index, "upper"] = mean + 2 * spread
    trades.loc[group.index, "lower"] = mean - 2 * spread
print(trades[["upper", "lower"]].describe())
