"""Moving average per symbol."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1])
means = trades.groupby("symbol")["price"].apply(lambda s: s.rolling(20).mean())  # hot: rolling_mean
trades["mean"] = means.reset_index(level=0, drop=True)
print(trades["mean"].describe())
