"""Changes against the trade before, per symbol and side."""

import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1]).dropna(subset=["side"])
trades["change"] = trades.groupby(["symbol", "side"])["price"].transform(lambda s: s.diff())  # hot: diff
print(trades["change"].abs().max())
