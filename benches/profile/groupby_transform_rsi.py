"""The relative strength index of each symbol."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1]).dropna()


def rsi(prices, n=14):
    change = prices.diff()
    gain = change.clip(lower=0).rolling(n).mean()
    loss = (-change.clip(upper=0)).rolling(n).mean()
    return 100 - 100 / (1 + gain / loss)


trades["rsi"] = trades.groupby("symbol")["price"].transform(rsi)  # hot: rolling_mean
print(trades["rsi"].mean())
