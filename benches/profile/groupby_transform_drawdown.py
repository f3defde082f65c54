"""Distance from the highest price so far."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1]).dropna(subset=["price"]).reset_index(drop=True)
trades["below"] = trades.groupby("symbol")["price"].transform(lambda s: s / s.cummax() - 1)  # hot: cum_max
print(trades["below"].min())
