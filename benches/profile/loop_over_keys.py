"""A moving average for each symbol, by a condition on the whole frame."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1]).dropna(subset=["price"])
trades["mean"] = float("nan")
for symbol in trades["symbol"].unique():  # hot: rolling_mean
    mask = trades["symbol"] == symbol
    trades.loc[mask, "mean"] = trades.loc[mask, "price"].rolling(20, min_periods=1).mean()
print(trades["mean"].mean())
