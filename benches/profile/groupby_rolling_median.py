"""A long moving median per symbol."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1])
medians = trades.groupby("symbol")["price"].rolling(2000, min_periods=1).median()  # hot: rolling_median
trades["median"] = medians.droplevel(0)
print(trades["median"].tail())
